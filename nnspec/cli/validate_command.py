"""``nnspec validate``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from nnspec.cli.options import format_option, limit_option, limits_from, root_option, set_option
from nnspec.cli.text import show, styled
from nnspec.diagnostics import Diagnostic


@click.command("validate")
@click.argument("specs", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="SPEC…")
@format_option("text", "json")
@set_option
@root_option
@limit_option
@click.option("--data", is_flag=True, help="Open the data too: labels, missing values, shapes.")
@click.pass_context
def command(
    ctx: click.Context,
    specs: tuple[Path, ...],
    form: str,
    overrides: tuple[str, ...],
    root: Path | None,
    limits: tuple[str, ...],
    data: bool,
) -> None:
    """Check specs: every error in one pass, with file, line and column, and what to write instead.

    No framework is loaded. The status is 0 where all are good, 1 where one is not, 2 for bad usage.

    \b
    nnspec validate net.nnspec.yaml
    nnspec validate specs/*.yaml --format json
    """
    from nnspec.api import validate
    from nnspec.diagnostics.render import summary

    found: list[Diagnostic] = []
    allowed = limits_from(limits)
    for spec in specs:
        here = validate(spec, overrides, root=root, limits=allowed, data=data)
        found += here
        if form == "text":
            show(here)
    if form == "json":
        click.echo(json.dumps({"diagnostics": [diagnostic.as_json() for diagnostic in found]}, indent=1))
    bad = any(diagnostic.is_error for diagnostic in found)
    if form == "text":
        click.echo(styled(summary(found, len(specs)), "error" if bad else "good"), err=bad)
    ctx.exit(1 if bad else 0)
