"""``nnspec validate``."""

from __future__ import annotations

import atexit
import gc
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import click

from nnspec.cli.options import allow_url_option, format_option, limit_option, limits_from, root_option, set_option
from nnspec.cli.text import echo, echo_document, show
from nnspec.diagnostics import Diagnostic, NnspecError, in_memory
from nnspec.diagnostics.formats import FORMATS

_STDIN = Path("-")


@click.command("validate")
@click.argument("specs", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="SPEC…")
@format_option("text", *FORMATS)
@click.option("--fix", is_flag=True, help="Fix what has exactly one certain remedy, marked [*]; comments and style are kept.")
@click.option("--diff", is_flag=True, help="Print the fixes as a diff instead of writing them.")
@set_option
@root_option
@allow_url_option
@limit_option
@click.option("--data", is_flag=True, help="Also read the data and check labels, missing values, and shapes.")
@click.option("--strict", is_flag=True, help="Treat warnings as errors.")
@click.option(
    "--stdin-file",
    type=click.Path(path_type=Path),
    default=Path("<stdin>"),
    help="File that the SPEC - (standard input) stands for: its name in messages, and its folder for relative paths.",
)
@click.pass_context
def command(
    ctx: click.Context,
    specs: tuple[Path, ...],
    form: str,
    fix: bool,
    diff: bool,
    overrides: tuple[str, ...],
    root: Path | None,
    limits: tuple[str, ...],
    data: bool,
    strict: bool,
    stdin_file: Path,
) -> None:
    """Check specs and report every error with its location and a fix. No framework is loaded.

    For a folder, all *.nnspec.yaml files in it are checked, recursively; - is standard input. The exit status is 0 if all
    specs are valid, 1 if one is not, and 2 for a usage error. A comment `# nnspec: ignore[NN231]` at the end of a line
    suppresses that warning there.

    --fix applies the fixes of the diagnostics marked [*], in the spec and in the files that it uses. A file is changed only
    if fewer errors remain. With -, the fixed spec is written to standard output.

    \b
    Examples:
      nnspec validate net.nnspec.yaml
      nnspec validate specs models/*.yaml --strict
      nnspec validate specs --fix --diff
      nnspec validate specs --format sarif > nnspec.sarif      (github, junit, json)
    """
    # Specs are many small objects without cycles; collecting garbage took a third of the time.
    gc.set_threshold(100_000, 20, 20)
    atexit.register(gc.freeze)  # nor is there any to look for once more when the process ends
    from nnspec.api import validate
    from nnspec.diagnostics.formats import written
    from nnspec.diagnostics.render import FIXABLE, summary
    from nnspec.spec.discovery import find_specs

    if form != "text" and (diff or (fix and _STDIN in specs)):
        what = "the diff" if diff else "the fixed spec"
        raise click.UsageError(f"{what} and --format {form} would both be written to standard output; leave out one of them")
    folders: list[Diagnostic] = []
    allowed = limits_from(limits)
    texts = {stdin_file.resolve(): _standard_input(allowed.bytes)} if _STDIN in specs else {}
    files = find_specs((stdin_file if spec == _STDIN else spec for spec in specs), folders)
    checked: dict[str, list[Diagnostic]] = {diagnostic.span.file: [diagnostic] for diagnostic in folders}
    seconds: dict[str, float] = {}
    if form == "text":
        show(folders)
    fixing = None
    if fix or diff:
        from nnspec.cli.fixing import Fixing

        fixing = Fixing(texts, stdin_file if texts else None, writes=not diff, prints=form == "text" or diff)
    check: Callable[..., list[Diagnostic]] = validate if fixing is None else fixing.remaining
    for file in files:
        start = perf_counter()
        found = check(file, overrides, root=root, limits=allowed, data=data, texts=texts)
        checked[str(file)] = found
        seconds[str(file)] = perf_counter() - start
        if form == "text":
            show(found, texts)
    found = [diagnostic for diagnostics in checked.values() for diagnostic in diagnostics]
    bad = any(diagnostic.fails(strict) for diagnostic in found)
    if form == "text":
        text = summary(found, len(checked), strict=strict) if fixing is None else fixing.summary(found, len(checked), strict)
        echo(text, style="error" if bad else "good", err=bad or fixing is not None)
        if fixing is None and (fixable := sum(diagnostic.fix is not None for diagnostic in found)):
            echo(f"{FIXABLE} {fixable} fixable with `--fix`", err=bad)
    else:
        with in_memory(texts):
            text = written(form, checked, strict=strict, seconds=seconds)
        if text:
            echo_document(text)
    ctx.exit(1 if bad or (fixing is not None and diff and fixing.changed) else 0)


def _standard_input(most: int) -> str:
    """Return the text of standard input, up to one byte more than allowed, which the check then reports."""
    try:
        return sys.stdin.buffer.read(most + 1).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NnspecError(f"standard input is not UTF-8 text: byte {error.object[error.start]:#04x}") from error
