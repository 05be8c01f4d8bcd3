"""``nnspec validate``."""

from __future__ import annotations

import gc
from pathlib import Path

import click

from nnspec.cli.options import format_option, limit_option, limits_from, root_option, set_option
from nnspec.cli.text import echo, echo_document, show
from nnspec.diagnostics import Diagnostic
from nnspec.diagnostics.formats import FORMATS


@click.command("validate")
@click.argument("specs", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="SPEC…")
@format_option("text", *FORMATS)
@set_option
@root_option
@limit_option
@click.option("--data", is_flag=True, help="Open the data too: labels, missing values, shapes.")
@click.option("--strict", is_flag=True, help="Warnings fail, too.")
@click.pass_context
def command(
    ctx: click.Context,
    specs: tuple[Path, ...],
    form: str,
    overrides: tuple[str, ...],
    root: Path | None,
    limits: tuple[str, ...],
    data: bool,
    strict: bool,
) -> None:
    """Check specs: every error in one pass, with file, line and column, and what to write instead.

    A folder stands for all *.nnspec.yaml below it. No framework is loaded. The status is 0 where all are good, 1 where one
    is not, 2 for bad usage. A comment `# nnspec: ignore[NN231]` at the end of a line silences a warning there.

    \b
    nnspec validate net.nnspec.yaml
    nnspec validate specs models/*.yaml --strict
    nnspec validate specs --format sarif > nnspec.sarif      (github, junit, json)
    """
    from nnspec.api import validate
    from nnspec.diagnostics.formats import written
    from nnspec.diagnostics.render import summary
    from nnspec.spec.discovery import find_specs

    gc.set_threshold(100_000, 20, 20)  # a spec is many small objects and no cycles: looking for them took a third of the time
    folders: list[Diagnostic] = []
    allowed = limits_from(limits)
    files = find_specs(specs, folders)
    checked: dict[str, list[Diagnostic]] = {diagnostic.span.file: [diagnostic] for diagnostic in folders}
    if form == "text":
        show(folders)
    for file in files:
        checked[str(file)] = validate(file, overrides, root=root, limits=allowed, data=data)
        if form == "text":
            show(checked[str(file)])
    found = [diagnostic for diagnostics in checked.values() for diagnostic in diagnostics]
    bad = any(diagnostic.fails(strict) for diagnostic in found)
    if form == "text":
        text = summary(found, len(checked), strict=strict)
        echo(text, style="error" if bad else "good", err=bad)
    elif text := written(form, checked, strict=strict):
        echo_document(text)
    ctx.exit(1 if bad else 0)
