"""``nnspec layers``."""

from __future__ import annotations

from pathlib import Path

import click

from nnspec.cli.options import format_option
from nnspec.cli.text import echo, echo_error, echo_json, echo_path, table
from nnspec.diagnostics import NnspecError


@click.command("layers")
@click.argument("name", required=False)
@format_option("text", "json")
@click.option(
    "--write",
    "docs",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DOCS",
    help="Write the reference pages of all layers and functions to DOCS.",
)
@click.pass_context
def command(ctx: click.Context, name: str | None, form: str, docs: Path | None) -> None:
    """List all layers, built-in and from installed packages, and the functions of `Compute`, or show the reference of one.

    The exit status is 1 if a layer of an installed package cannot be used.

    \b
    Examples:
      nnspec layers
      nnspec layers MultiHeadAttention
      nnspec layers softmax                 (a function of `Compute`)
      nnspec layers --write docs            (docs/layers, docs/functions and docs/keras.md; requires Keras and ONNX)
    """
    if docs is not None:
        for path in _write(docs):
            echo_path(path)
    elif name is not None:
        echo(_layer_text(name), nl=False)
    else:
        from nnspec.reference.listing import functions, listing

        found = listing()
        if form == "json":
            echo_json([*(layer.as_json() for layer in found), *(each.as_json() for each in functions())], indent=1)
        else:
            rows = [[layer.name, layer.package or "built-in", layer.about if layer.usable else ""] for layer in found]
            echo(table(["layer", "package", "description"], rows))
            echo("\nFunctions of `Compute`:\n")
            echo(table(["function", "family", "description"], [[each.name, each.family, each.about] for each in functions()]))
            for layer in found:
                if not layer.usable:
                    echo_error(layer.about)
        ctx.exit(0 if all(layer.usable for layer in found) else 1)


def _layer_text(name: str) -> str:
    from nnspec.functions.catalogue import FUNCTIONS, INSTEAD
    from nnspec.layers import LAYERS
    from nnspec.reference.functions import function_text
    from nnspec.reference.language import language_text
    from nnspec.reference.layer import layer_text
    from nnspec.spec.checked import replacement_word
    from nnspec.types import closest

    if name in LAYERS:
        return layer_text(name)
    found = [language_text(name), function_text(name) if name in FUNCTIONS else None]
    if text := "\n".join(filter(None, found)):
        return text
    alternative = LAYERS.unsupported.get(name) or replacement_word(LAYERS, name) or LAYERS.aliases.get(name)
    near = closest(name, LAYERS.names(plugins=True))
    alternative = f"use `{alternative}`" if alternative in LAYERS else alternative
    if function := closest(name, FUNCTIONS):
        near = function if near is None or not name[:1].isupper() else near
    help = alternative or (f"did you mean `{near}`?" if near else "`nnspec layers` lists all layers and functions")
    if not alternative and name in INSTEAD:
        help = f"in an expression, write {INSTEAD[name]}"
    raise NnspecError(f"unknown layer `{name}`: {help}")


def _write(docs: Path) -> list[Path]:
    from nnspec.extras import require

    require("train", "export")
    from nnspec.files import write_whole
    from nnspec.reference.pages import pages

    found = pages()
    for folder in ("layers", "functions"):
        (docs / folder).mkdir(parents=True, exist_ok=True)
    return [write_whole(docs / path, text) for path, text in found.items()]
