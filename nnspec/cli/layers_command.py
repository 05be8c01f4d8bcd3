"""``nnspec layers``."""

from __future__ import annotations

from pathlib import Path

import click

from nnspec.cli.options import format_option
from nnspec.cli.reference_text import echo_reference
from nnspec.cli.text import echo, echo_error, echo_json, echo_path, echo_tables, table, terminal_width


@click.command("layers")
@click.argument("name", required=False)
@format_option("text", "json")
@click.option(
    "--write",
    "docs",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DOCS",
    help="Write the pages of the reference to DOCS.",
)
@click.pass_context
def command(ctx: click.Context, name: str | None, form: str, docs: Path | None) -> None:
    """List all layers, built-in and from installed packages, and the functions of `Compute`, or show the reference of one.

    `nnspec docs` shows that of anything else, too. The exit status is 1 if a layer of an installed package cannot be used.

    \b
    Examples:
      nnspec layers
      nnspec layers MultiHeadAttention
      nnspec layers softmax                 (a function of `Compute`)
      nnspec layers --write docs            (the pages of the reference; requires Keras and ONNX)
    """
    if docs is not None:
        for path in _write(docs):
            echo_path(path)
    elif name is not None:
        echo_reference(name)
    else:
        from nnspec.reference.listing import functions, listing

        found = listing()
        if form == "json":
            echo_json([*(layer.as_json() for layer in found), *(each.as_json() for each in functions())], indent=1)
        else:
            rows = [[layer.name, layer.package or "built-in", layer.about if layer.usable else ""] for layer in found]
            echo_tables(table(["layer", "package", "description"], rows, width=terminal_width()))
            echo("\nFunctions of `Compute`:\n")
            rows = [[each.name, each.family, each.about] for each in functions()]
            echo_tables(table(["function", "family", "description"], rows, width=terminal_width()))
            for layer in found:
                if not layer.usable:
                    echo_error(layer.about)
        ctx.exit(0 if all(layer.usable for layer in found) else 1)


def _write(docs: Path) -> list[Path]:
    from nnspec.extras import require

    require("train", "export")
    from nnspec.files import write_whole
    from nnspec.reference.pages import pages

    found = pages()
    for folder in ("layers", "functions", "reference"):
        (docs / folder).mkdir(parents=True, exist_ok=True)
    return [write_whole(docs / path, text) for path, text in found.items()]
