"""``nnspec convolutionalize``."""

from __future__ import annotations

from pathlib import Path

import click

from nnspec.cli.options import format_option, root_option
from nnspec.cli.text import echo, echo_json, echo_path


@click.command("convolutionalize")
@click.argument("model", type=click.Path(path_type=Path), metavar="RUN|SPEC")
@click.option("-o", "--out", "folder", required=True, type=click.Path(path_type=Path, file_okay=False), help="Where to write.")
@click.option("--opset", type=click.IntRange(min=17), help="The ONNX operator set.  [default: the spec's export.opset, or 23]")
@root_option
@format_option("text", "json")
def command(model: Path, folder: Path, opset: int | None, root: Path | None, form: str) -> None:
    """Make a classifier a fully convolutional network: pictures of any size go in, an answer for every place comes out.

    `Flatten` and `Dense` become convolutions, global poolings windows, and the weights are carried. A spec, its weights and an
    ONNX model are written, where they give what the classifier gives on its own size. A spec must say where its weights are.

    \b
    nnspec convolutionalize runs/lenet5 -o lenet5_fcn
    nnspec predict lenet5_fcn/lenet5_fcn.onnx --data 'images: {folder: scans, labels: none}'
    """
    from nnspec.cli.frameworks import load_frameworks

    load_frameworks("train", "export")
    from nnspec.api import convolutionalize

    made = convolutionalize(model, folder, opset=opset, root=root)
    if form == "json":
        told = {"files": [str(file) for file in made.files], "layers": dict(made.layers), "outputs": dict(made.outputs)}
        told |= {"on_own_size": made.on_own_size.as_json(), "parity": made.parity.as_json()}
        echo_json(told)
        return
    for name, op in made.layers.items():
        echo(f"`{name}` " + (f"is a {op} now" if op else "is not needed any more"))
    for name, sizes in made.outputs.items():
        echo(f"`{name}` is {sizes}")
    echo("on the classifier's own size:\n" + made.on_own_size.text())
    echo("the ONNX model and Keras:\n" + made.parity.text())
    for file in made.files:
        echo_path(file)
