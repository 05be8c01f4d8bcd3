"""``nnspec init``."""

from __future__ import annotations

from pathlib import Path

import click

from nnspec.cli.text import echo, table
from nnspec.diagnostics import NnspecError


@click.command("init")
@click.argument("template", default="digits")
@click.option("-o", "out", type=click.Path(path_type=Path), help="The file to write; TEMPLATE.nnspec.yaml by default.")
@click.option("--list", "listed", is_flag=True, help="Show the templates, and write nothing.")
@click.option("--force", is_flag=True, help="Replace the file where it is there already.")
def command(template: str, out: Path | None, listed: bool, force: bool) -> None:
    """Write a starter spec with comments.

    \b
    nnspec init
    nnspec init autoencoder -o models/auto.nnspec.yaml
    """
    from nnspec.files import write_whole
    from nnspec.templates import TEMPLATES
    from nnspec.templates import template as text_of

    if listed:
        echo(table(["template", "is"], [list(row) for row in TEMPLATES.items()]))
        return
    text = text_of(template)
    file = out or Path(f"{template}.nnspec.yaml")
    if not force and (file.exists() or file.is_symlink()):
        raise NnspecError(f"{file} is there already\n  = help: `--force` replaces it; `-o FILE` writes elsewhere")
    write_whole(file, text)
    echo(f"wrote {file}; next: nnspec validate {file}")
