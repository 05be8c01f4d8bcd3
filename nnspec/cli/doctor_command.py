"""``nnspec doctor``."""

from __future__ import annotations

import textwrap
from dataclasses import asdict

import click

from nnspec.cli.options import format_option
from nnspec.cli.text import echo, echo_json, echo_line, styled, terminal_width


@click.command("doctor")
@format_option("text", "json")
@click.pass_context
def command(ctx: click.Context, form: str) -> None:
    """Check which dependencies are installed and whether they work.

    Each part is tested: for example, TensorFlow runs a computation, and a small network is exported and verified. The exit
    status is 1 if an installed part fails. For a missing part, the command prints how to install it.

    \b
    Examples:
      nnspec doctor
      nnspec doctor --format json
    """
    import platform

    import nnspec
    from nnspec.doctor import findings
    from nnspec.system import processors

    system = {"nnspec": nnspec.__version__, "python": platform.python_version(), "system": platform.platform()}
    found = []
    if form == "text":
        named = ", ".join(f"{name} {value}" for name, value in system.items())
        echo(_wrapped(f"{named}, {len(processors())} processors", indent=0), style="strong")
    for finding in findings():
        found.append(finding)
        if form == "text":
            style = {"works": "good", "fails": "error", "absent": "warning"}[finding.state]
            versions = ", ".join(f"{name} {value}" for name, value in finding.versions.items())
            detail = f" ({finding.detail})" if finding.detail else ""
            echo(
                f" {finding.part:<12} {_wrapped(finding.does + detail).lstrip()}",
                lead=styled(f"{finding.state:<7}", style, err=False),
            )
            if versions:
                echo(_wrapped(versions), style="dim")
            if finding.help:
                echo_line(" " * _INDENT, ("=", "frame"), " ", ("help", "note"), f": {finding.help}")
    if form == "json":
        echo_json({**system, "processors": len(processors()), "parts": [asdict(one) for one in found]})
    if any(finding.state == "fails" for finding in found):
        ctx.exit(1)


_INDENT = 21
_WIDEST = 120


def _wrapped(text: str, indent: int = _INDENT) -> str:
    """Wrap a text that begins in a column."""
    pad = " " * indent
    width = max(min(terminal_width() or _WIDEST, _WIDEST), indent + 20)
    return textwrap.fill(text, width, initial_indent=pad, subsequent_indent=pad, break_on_hyphens=False, break_long_words=False)
