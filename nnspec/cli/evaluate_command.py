"""``nnspec evaluate``."""

from __future__ import annotations

from pathlib import Path

import click

from nnspec.cli.options import format_option, part_option, run_argument
from nnspec.cli.text import echo, echo_json


@click.command("evaluate")
@run_argument
@part_option
@click.option("--curves", is_flag=True, help="With --format json: the points of the ROC and precision–recall curves too.")
@format_option("text", "json")
def command(run: Path, part: str | None, curves: bool, form: str) -> None:
    """The test set's figures of a run: losses and metrics, and of each output what suits it.

    For classes: precision, recall, F1, AUC (each against the rest), confusion, calibration; for masks the overlap, IoU, too;
    for numbers the errors, R² and residuals. `nnspec report` shows the same as a page, with plots. Where the spec has
    `generate`, its sources are decoded too: exact matches, token errors, and of texts BLEU and chrF (with sacrebleu).

    \b
    nnspec evaluate runs/first
    nnspec evaluate runs/first --data train
    nnspec evaluate runs/first --format json --curves
    """
    from nnspec.cli.frameworks import load_frameworks

    if curves and form != "json":
        raise click.UsageError("--curves gives points for scripts; add --format json, or see `nnspec report`")
    load_frameworks("train")
    from nnspec.exporting.sequence_metrics import generated_sequence_metrics
    from nnspec.training import Run, evaluate, evaluation_text

    opened = Run.open(run)
    figures = evaluate(opened, part=part, curves=curves)
    generated = generated_sequence_metrics(opened, part)
    if form == "json":
        echo_json(figures | ({"generated": generated} if generated is not None else {}))
        return
    echo(evaluation_text(figures))
    if generated is not None:
        echo("\ngenerated: " + "  ".join(f"{name} {value:.4f}" for name, value in generated.items()))
