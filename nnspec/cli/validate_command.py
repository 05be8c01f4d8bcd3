"""``nnspec validate``."""

from __future__ import annotations

import atexit
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
@click.option("--data", is_flag=True, help="Also read the data and check labels, missing values, and shapes.")
@click.option("--strict", is_flag=True, help="Treat warnings as errors.")
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
    """Check specs and report every error with its location and a fix. No framework is loaded.

    For a folder, all *.nnspec.yaml files in it are checked, recursively. The exit status is 0 if all specs are valid, 1 if one
    is not, and 2 for a usage error. A comment `# nnspec: ignore[NN231]` at the end of a line suppresses that warning there.

    \b
    Examples:
      nnspec validate net.nnspec.yaml
      nnspec validate specs models/*.yaml --strict
      nnspec validate specs --format sarif > nnspec.sarif      (github, junit, json)
    """
    # Specs are many small objects without cycles; collecting garbage took a third of the time.
    gc.set_threshold(100_000, 20, 20)
    atexit.register(gc.freeze)  # nor is there any to look for once more when the process ends
    from nnspec.api import validate
    from nnspec.diagnostics.formats import written
    from nnspec.diagnostics.render import summary
    from nnspec.spec.discovery import find_specs

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
