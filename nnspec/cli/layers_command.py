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
    help="Write the reference pages of all layers to DOCS.",
)
@click.pass_context
def command(ctx: click.Context, name: str | None, form: str, docs: Path | None) -> None:
    """List all layers, built-in and from installed packages, or show the arguments, shapes, and weights of one.

    The exit status is 1 if a layer of an installed package cannot be used.

    \b
    Examples:
      nnspec layers
      nnspec layers MultiHeadAttention
      nnspec layers --write docs            (docs/layers/*.md and docs/keras.md; requires Keras and ONNX)
    """
    if docs is not None:
        for path in _write(docs):
            echo_path(path)
    elif name is not None:
        echo(_layer_text(name), nl=False)
    else:
        from nnspec.reference.listing import listing

        found = listing()
        if form == "json":
            echo_json([layer.as_json() for layer in found], indent=1)
        else:
            rows = [[layer.name, layer.package or "built-in", layer.about if layer.usable else ""] for layer in found]
            echo(table(["layer", "package", "description"], rows))
            for layer in found:
                if not layer.usable:
                    echo_error(layer.about)
        ctx.exit(0 if all(layer.usable for layer in found) else 1)


def _layer_text(name: str) -> str:
    from nnspec.layers import LAYERS
    from nnspec.reference.language import language_text
    from nnspec.reference.layer import layer_text
    from nnspec.spec.checked import replacement_word
    from nnspec.types import closest

    if name in LAYERS:
        return layer_text(name)
    if (text := language_text(name)) is not None:
        return text
    alternative = LAYERS.unsupported.get(name) or replacement_word(LAYERS, name) or LAYERS.aliases.get(name)
    near = closest(name, LAYERS.names(plugins=True))
    alternative = f"use `{alternative}`" if alternative in LAYERS else alternative
    help = alternative or (f"did you mean `{near}`?" if near else "`nnspec layers` lists all layers")
    raise NnspecError(f"unknown layer `{name}`: {help}")


def _write(docs: Path) -> list[Path]:
    from nnspec.extras import require

    require("train", "export")
    from nnspec.files import write_whole
    from nnspec.reference.pages import pages

    found = pages()
    (docs / "layers").mkdir(parents=True, exist_ok=True)
    return [write_whole(docs / path, text) for path, text in found.items()]
