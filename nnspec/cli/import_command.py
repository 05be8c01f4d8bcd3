"""``nnspec import``."""

from __future__ import annotations

from pathlib import Path

import click

from nnspec.cli.options import format_option
from nnspec.cli.text import echo, echo_json, echo_path, show
from nnspec.diagnostics import NnspecError


@click.command("import")
@click.argument("model", type=click.Path(path_type=Path))
@click.option(
    "-o", "out", type=click.Path(path_type=Path, dir_okay=False), help="The spec to write; MODEL.nnspec.yaml by default."
)
@click.option(
    "--weights",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file for the weights; the spec's name with .safetensors by default.",
)
@click.option("--force", is_flag=True, help="Replace files that are there already.")
@format_option("text", "json")
def command(model: Path, out: Path | None, weights: Path | None, force: bool, form: str) -> None:
    """Write a spec, and its weights, from a Keras model: a .keras file, or the .json of `model.to_json()`.

    Functional and sequential models are read, models within models become networks, and operations of keras.ops between
    layers become the layers that compute the same. Every layer that has no equivalent is named, with the reason; nothing is
    written then. Nothing in the file is run.

    \b
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
    if weights is not None and not imported.weights and imported.parameters:
        raise NnspecError(f"{model} is a config alone: it has no weights to write\n  = help: leave `--weights` out")
    for target in (file, beside) if imported.weights else (file,):
        if not force and (target.exists() or target.is_symlink()):
            raise NnspecError(f"{target} is there already\n  = help: `--force` replaces it; `-o FILE` writes elsewhere")
    written = imported.write(file, beside)
    show(imported.diagnostics)
    if form == "json":
        told = {"files": [str(path) for path in written], "parameters": imported.parameters, "renamed": dict(imported.renamed)}
        told["diagnostics"] = [diagnostic.as_json() for diagnostic in imported.diagnostics]
        echo_json(told, indent=1, ascii=False)
        return
    for theirs, ours in imported.renamed.items():
        echo(f"`{theirs}` is called `{ours}` here")
    for path in written:
        echo_path(path)
    echo(f"{imported.parameters:,} parameters; next: nnspec inspect {file}")
