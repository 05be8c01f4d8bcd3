"""``nnspec schema``."""

from __future__ import annotations

from pathlib import Path

import click

from nnspec.cli.text import echo


@click.command("schema")
@click.option(
    "-o", "--output", "out", type=click.Path(path_type=Path, dir_okay=False), help="File to write.  [default: standard output]"
)
@click.option("--plugins", is_flag=True, help="Include the layers of installed packages.")
def command(out: Path | None, plugins: bool) -> None:
    """Print the JSON Schema of specs. Editors use it for completion and validation.

    For the YAML language server, start a spec with `# yaml-language-server: $schema=FILE`.

    \b
    Examples:
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
