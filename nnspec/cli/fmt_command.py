"""``nnspec fmt``."""

from __future__ import annotations

import gc
from difflib import unified_diff
from pathlib import Path

import click

from nnspec.cli.options import limit_option, limits_from
from nnspec.cli.text import echo, echo_error, show
from nnspec.diagnostics import Diagnostic, NnspecError, SpecError


@click.command("fmt")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE…")
@click.option("--check", is_flag=True, help="Write nothing; exit with status 1 if a file would change.")
@click.option("--diff", is_flag=True, help="Write nothing; print the changes as a diff.")
@limit_option
@click.pass_context
def command(ctx: click.Context, files: tuple[Path, ...], check: bool, diff: bool, limits: tuple[str, ...]) -> None:
    """Format specs in the canonical key order and style. Values and comments are preserved.

    For a folder, all *.nnspec.yaml files in it are formatted, recursively. A file that cannot be parsed, or that cannot be
    formatted without losing a value or a comment, is left unchanged, and the exit status is 1.

    \b
    Examples:
      nnspec fmt net.nnspec.yaml
      nnspec fmt --check --diff specs
    """
    from nnspec.extras import require
    from nnspec.files import write_whole
    from nnspec.formatting import formatted
    from nnspec.spec.discovery import find_specs

    require("fmt")
    gc.set_threshold(100_000, 20, 20)  # as in `validate`: many small objects, no cycles
    problems: list[Diagnostic] = []
    allowed = limits_from(limits)
    found = find_specs(files, problems)
    show(problems)
    failed, changed = bool(problems), 0
    for file in found:
        try:
            before, after = formatted(file, allowed)
            if before == after:
                continue
            changed += 1
            if diff:
                lines = unified_diff(before.splitlines(True), after.splitlines(True), str(file), str(file))
                echo("".join(line if line.endswith("\n") else line + "\n" for line in lines), nl=False)
            elif not check:
                write_whole(file.resolve(), after)  # keep a symbolic link a link
            echo(f"{'would change' if check or diff else 'formatted'} {file}", err=True)
        except SpecError as error:
            failed = True
            show(error.diagnostics)
        except NnspecError as error:
            failed = True
            echo_error(error)
    ctx.exit(1 if failed or (check and changed) else 0)
