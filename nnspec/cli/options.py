"""Arguments and options shared by several commands."""

from __future__ import annotations

import os
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


def _allow_urls(ctx: click.Context, option: click.Parameter, prefixes: tuple[str, ...]) -> None:
    """Add the beginnings of URLs to the environment, which processes of a sweep inherit."""
    from nnspec.data.remote.urls import ALLOWED, is_url

    wrong = next((prefix for prefix in prefixes if not is_url(prefix) or prefix.split() != [prefix]), None)
    if wrong is not None:
        raise click.BadParameter(f"'{wrong}' is not the beginning of a URL, such as s3://bucket/data/", ctx, option)
    if prefixes:
        before = os.environ.get(ALLOWED)
        os.environ[ALLOWED] = " ".join([*(before or "").split(), *prefixes])
        ctx.call_on_close(lambda: os.environ.pop(ALLOWED) if before is None else os.environ.update({ALLOWED: before}))


allow_url_option = click.option(
    "--allow-url",
    multiple=True,
    metavar="PREFIX",
    expose_value=False,
    callback=_allow_urls,
    help="Allow URLs in the spec that begin with PREFIX: s3://bucket/data/. Can be repeated.  [env: NNSPEC_ALLOW_URL]",
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
