"""``nnspec evaluate``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from nnspec.cli.options import format_option, run_argument


@click.command("evaluate")
@run_argument
@format_option("text", "json")
def command(run: Path, form: str) -> None:
    """The test set's figures of a run: its losses and metrics, and for classes precision, recall and confusion.

    \b
    nnspec evaluate runs/first
    """
    from nnspec.cli.frameworks import load_frameworks

    load_frameworks("train")
    from nnspec.training import Run, evaluate, evaluation_text

    figures = evaluate(Run.open(run))
    click.echo(json.dumps(figures) if form == "json" else evaluation_text(figures))
