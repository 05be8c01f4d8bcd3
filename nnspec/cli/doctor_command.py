"""``nnspec doctor``."""

from __future__ import annotations

from dataclasses import asdict

import click

from nnspec.cli.options import format_option
from nnspec.cli.text import echo, echo_json, styled


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
    from nnspec.training.backends.machine import processors

    system = {"nnspec": nnspec.__version__, "python": platform.python_version(), "system": platform.platform()}
    found = []
    if form == "text":
        echo(", ".join(f"{name} {value}" for name, value in system.items()) + f", {processors()} processors")
    for finding in findings():
        found.append(finding)
        if form == "text":
            style = {"works": "good", "fails": "error", "absent": "warning"}[finding.state]
            versions = ", ".join(f"{name} {value}" for name, value in finding.versions.items())
            detail = f" ({finding.detail})" if finding.detail else ""
            echo(f" {finding.part:<12} {finding.does}{detail}", lead=styled(f"{finding.state:<7}", style))
            if versions:
                echo(f"{'':<21}{versions}")
            if finding.help:
                echo(f"{'':<21}= help: {finding.help}")
    if form == "json":
        echo_json({**system, "processors": processors(), "parts": [asdict(one) for one in found]})
    if any(finding.state == "fails" for finding in found):
        ctx.exit(1)
