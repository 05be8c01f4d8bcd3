"""``nnspec schema``."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("schema")
@click.option("-o", "--output", "out", type=click.Path(path_type=Path, dir_okay=False), help="Write it to a file.")
def command(out: Path | None) -> None:
    """The JSON Schema of a spec: an editor completes and checks by it.

    For the YAML language server, begin a spec with `# yaml-language-server: $schema=FILE`.

    \b
    nnspec schema -o nnspec-v1.schema.json
    """
    from nnspec.files import write_whole
    from nnspec.json_schema import as_text, schema

    text = as_text(schema())
    if out is None:
        click.echo(text, nl=False)
    else:
        write_whole(out, text)
        click.echo(f"wrote {out}")
