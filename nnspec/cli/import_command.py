"""``nnspec import``."""

from __future__ import annotations

from pathlib import Path

import click

from nnspec.cli.options import format_option
from nnspec.cli.text import echo, echo_json, echo_path, show
from nnspec.diagnostics import NnspecError


@click.command("import")
@click.argument("model", type=click.Path(path_type=Path))
@click.option("-o", "out", type=click.Path(path_type=Path, dir_okay=False), help="Spec to write.  [default: MODEL.nnspec.yaml]")
@click.option(
    "--weights",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Weights file to write.  [default: the spec's name with .safetensors]",
)
@click.option("--flat", is_flag=True, help="Write every layer as a step under its name in Keras, without blocks and `repeat`.")
@click.option("--force", is_flag=True, help="Overwrite existing files.")
@format_option("text", "json")
def command(model: Path, out: Path | None, weights: Path | None, flat: bool, force: bool, form: str) -> None:
    """Convert a Keras model to a spec and its weights. MODEL is a .keras file or the JSON of `model.to_json()`.

    Functional and Sequential models are supported. Nested models become networks, keras.ops operations become `Compute` steps
    or layers, and repeated steps become blocks. If a layer has no equivalent, the command lists it with the reason and writes
    nothing. No code in the file is executed.

    \b
    Examples:
      nnspec import mobilenet.keras
      nnspec import model.keras -o nets/model.nnspec.yaml --weights weights/model.safetensors
      nnspec import model.json -o model.nnspec.yaml
    """
    from nnspec.api import from_keras
    from nnspec.keras_import.imported import stem

    file = out or Path(f"{model.stem}.nnspec.yaml")
    beside = weights or file.with_name(f"{stem(file)}.safetensors")
    if weights is not None and weights.suffix != ".safetensors":
        raise click.BadParameter(f"{weights} must end in .safetensors", param_hint="--weights")
    imported = from_keras(model)
    imported = imported if flat else imported.folded()
    if weights is not None and not imported.weights and imported.parameters:
        raise NnspecError(f"{model} contains only a config and no weights\n  = help: remove `--weights`")
    for target in (file, beside) if imported.weights else (file,):
        if not force and (target.exists() or target.is_symlink()):
            raise NnspecError(f"{target} already exists\n  = help: `--force` overwrites it; `-o FILE` writes another file")
    written = imported.write(file, beside)
    show(imported.diagnostics)
    if form == "json":
        document = {
            "files": [str(path) for path in written],
            "parameters": imported.parameters,
            "renamed": dict(imported.renamed),
        }
        document["diagnostics"] = [diagnostic.as_json() for diagnostic in imported.diagnostics]
        echo_json(document, indent=1, ascii=False)
        return
    if imported.blocks:
        echo(f"{len(imported.renamed):,} layers have new names, in {len(imported.blocks)} blocks; `--flat` keeps Keras's")
    else:
        for theirs, ours in imported.renamed.items():
            echo(f"`{theirs}` was renamed `{ours}`")
    for path in written:
        echo_path(path)
    echo(f"{imported.parameters:,} parameters; next: nnspec inspect {file}")
