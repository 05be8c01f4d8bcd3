"""``nnspec objectives``."""

from __future__ import annotations

import click

from nnspec.cli.text import echo, echo_tables, table, terminal_width
from nnspec.diagnostics import NnspecError


@click.command("objectives")
@click.argument("name", required=False)
def command(name: str | None) -> None:
    """List the training objectives, or show one: its arguments, or the program that it stands for.

    \b
    Examples:
      nnspec objectives
      nnspec objectives gan
      nnspec objectives distillation > distillation.nnspec.yaml     (a start for your own)
    """
    if name is None:
        from nnspec.reference.objectives import objectives

        echo_tables(
            table(
                ["objective", "kind", "description"],
                [[each.name, each.kind, each.about] for each in objectives()],
                width=terminal_width(),
            )
        )
        return
    from nnspec.reference.objectives import objective_text

    text = objective_text(name)
    if text is None:
        from nnspec.reference.objectives import objectives
        from nnspec.types import did_you_mean

        help = did_you_mean(name, [each.name for each in objectives()], "`nnspec objectives` lists them")
        raise NnspecError(f"unknown objective `{name}`\n  = help: {help}")
    echo(text, nl=False)
