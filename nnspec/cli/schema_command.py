"""``nnspec schema``."""

from __future__ import annotations

from pathlib import Path

import click

from nnspec.cli.text import echo


@click.command("schema")
@click.option("-o", "--output", "out", type=click.Path(path_type=Path, dir_okay=False), help="Write it to a file.")
@click.option("--plugins", is_flag=True, help="With the layers of the packages that are installed here.")
def command(out: Path | None, plugins: bool) -> None:
    """The JSON Schema of a spec: an editor completes and checks by it.

    For the YAML language server, begin a spec with `# yaml-language-server: $schema=FILE`.

    \b
    nnspec schema -o nnspec-v1.schema.json
    nnspec schema --plugins -o .vscode/nnspec.schema.json
    """
    from nnspec.files import write_whole
    from nnspec.json_schema import as_text, schema

    text = as_text(schema(plugins=plugins))
    if out is None:
        echo(text, nl=False)
    else:
        write_whole(out, text)
        echo(f"wrote {out}")
