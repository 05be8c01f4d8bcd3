"""``nnspec init``."""

from __future__ import annotations

from pathlib import Path

import click

from nnspec.cli.text import echo, table
from nnspec.diagnostics import NnspecError


@click.command("init")
@click.argument("template", default="digits")
@click.option("-o", "out", type=click.Path(path_type=Path), help="File to write.  [default: TEMPLATE.nnspec.yaml]")
@click.option("--list", "listed", is_flag=True, help="List the templates and exit.")
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
def command(template: str, out: Path | None, listed: bool, force: bool) -> None:
    """Write a commented starter spec from a template. The default template is digits.

    The JSON Schema, by which editors complete and check specs, is written beside it unless it is there.

    \b
    Examples:
      nnspec init
      nnspec init --list
      nnspec init autoencoder -o models/auto.nnspec.yaml
    """
    from nnspec.files import write_whole
    from nnspec.json_schema import as_text, schema
    from nnspec.templates import SCHEMA_FILE, TEMPLATES
    from nnspec.templates import template as text_of

    if listed:
        echo(table(["template", "description"], [list(row) for row in TEMPLATES.items()]))
        return
    text = text_of(template)
    file = out or Path(f"{template}.nnspec.yaml")
    if not force and (file.exists() or file.is_symlink()):
        raise NnspecError(f"{file} already exists\n  = help: `--force` overwrites it; `-o FILE` writes another file")
    write_whole(file, text)
    schema_file = file.parent / SCHEMA_FILE
    if not schema_file.exists():
        write_whole(schema_file, as_text(schema()))
        echo(f"wrote {schema_file}, with which editors complete and check specs")
    echo(f"wrote {file}; next: nnspec validate {file}")
