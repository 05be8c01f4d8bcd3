"""``nnspec convolutionalize``."""

from __future__ import annotations

from pathlib import Path

import click

from nnspec.cli.options import format_option, root_option
from nnspec.cli.text import echo, echo_json, echo_path


@click.command("convolutionalize")
@click.argument("model", type=click.Path(path_type=Path), metavar="RUN|SPEC")
@click.option("-o", "--out", "folder", required=True, type=click.Path(path_type=Path, file_okay=False), help="Output folder.")
@click.option(
    "--opset", type=click.IntRange(min=17), help="ONNX operator set version.  [default: the spec's export.opset, or 23]"
)
@root_option
@format_option("text", "json")
def command(model: Path, folder: Path, opset: int | None, root: Path | None, form: str) -> None:
    """Convert a classifier to a fully convolutional network that takes images of any size and predicts a map of classes.

    `Flatten` and `Dense` become convolutions, global pooling becomes pooling with a fixed window, and the weights are reused.
    The command writes a spec, its weights, and an ONNX model after verifying that they reproduce the classifier's outputs at
    its original input size. A SPEC must load its weights from a file (`weights`).

    \b
    Examples:
      nnspec convolutionalize runs/lenet5 -o lenet5_fcn
      nnspec predict lenet5_fcn/lenet5_fcn.onnx --data 'images: {folder: scans, labels: none}'
    """
    from nnspec.cli.frameworks import load_frameworks

    load_frameworks("train", "export")
    from nnspec.api import convolutionalize

    converted = convolutionalize(model, folder, opset=opset, root=root)
    if form == "json":
        document = {
            "files": [str(file) for file in converted.files],
            "layers": dict(converted.layers),
            "outputs": dict(converted.outputs),
        }
        document |= {"on_own_size": converted.on_own_size.as_json(), "parity": converted.parity.as_json()}
        echo_json(document)
        return
    for name, op in converted.layers.items():
        echo(f"`{name}` " + (f"is now a {op}" if op else "was removed"))
    for name, sizes in converted.outputs.items():
        echo(f"`{name}` is {sizes}")
    echo("at the classifier's input size:\n" + converted.on_own_size.text())
    echo("ONNX model against Keras:\n" + converted.parity.text())
    for file in converted.files:
        echo_path(file)
