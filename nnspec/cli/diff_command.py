"""``nnspec diff``."""

from __future__ import annotations

from pathlib import Path

import click

from nnspec.cli.options import format_option, root_option
from nnspec.cli.text import echo, echo_json

_STYLES = {"+ ": "added", "- ": "removed", "~ ": "changed"}


@click.command("diff")
@click.argument("a", type=click.Path(path_type=Path))
@click.argument("b", type=click.Path(path_type=Path))
@format_option("text", "json", "markdown")
@root_option
def command(a: Path, b: Path, form: str, root: Path | None) -> None:
    """Show semantic changes from spec A to spec B: layers, shapes, parameters, sections, and which weights transfer.

    Comments, key order, and other ways to write the same value are ignored. The spec of a run is RUN/spec.yaml.

    \b
    Examples:
      nnspec diff old.nnspec.yaml new.nnspec.yaml
      nnspec diff runs/first/spec.yaml net.nnspec.yaml --format json
      nnspec diff old.nnspec.yaml net.nnspec.yaml --format markdown   (for a pull request)
    """
    from nnspec.api import diff
    from nnspec.comparison.difference import as_text

    difference = diff(a, b, root=root)
    if form == "json":
        echo_json(difference.as_json(), indent=1)
    elif form == "markdown":
        from nnspec.comparison.markdown import as_markdown

        echo(as_markdown(difference), nl=False)
    else:
        for line in as_text(difference).splitlines():
            sign = line.lstrip()[:2]
            echo(line, style=_STYLES.get(sign, None if line.startswith(" ") or difference.is_empty else "strong"))
