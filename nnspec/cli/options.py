"""Arguments and options shared by several commands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, TypeVar

import click

from nnspec.spec.limits import Limits

F = TypeVar("F", bound=Callable[..., Any])

spec_argument = click.argument("spec", type=click.Path(path_type=Path))
run_argument = click.argument("run", type=click.Path(path_type=Path))
part_option = click.option(
    "--data",
    "part",
    type=click.Choice(["train", "validation", "test"]),
    help="Split of the run's data.  [default: test, else validation, else train]",
)
set_option = click.option(
    "--set", "overrides", multiple=True, metavar="PATH=VALUE", help="Override a value of the spec: train.epochs=3."
)
root_option = click.option(
    "--root",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Folder that paths in the spec may not leave.  [default: the parent folder with .git, pyproject.toml or nnspec.toml]",
)
limit_option = click.option(
    "--limit",
    "limits",
    multiple=True,
    metavar="NAME=N",
    help=f"Raise a resource limit for specs. NAME is one of {', '.join(field.name for field in fields(Limits))}.",
)


def format_option(*names: str) -> Callable[[F], F]:
    """The option ``--format`` with the formats of a command."""
    return click.option(
        "--format", "form", type=click.Choice(names), default=names[0], show_default=True, help="Output format."
    )


def limits_from(settings: tuple[str, ...]) -> Limits:
    """Parse the values of ``--limit``.

    Raises:
        click.BadParameter: If a limit is unknown or not a positive integer.
    """
    limits = Limits()
    known = [field.name for field in fields(Limits)]
    for setting in settings:
        name, _, number = setting.partition("=")
        digits = number.replace("_", "")
        if name not in known or not digits.isdecimal() or len(digits) > 12 or int(digits) == 0:
            raise click.BadParameter(
                f"'{setting}' is not of the form NAME=N, where NAME is one of {', '.join(known)}", param_hint="--limit"
            )
        limits = replace(limits, **{name: int(digits)})
    return limits
