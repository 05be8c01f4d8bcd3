"""``nnspec evaluate``."""

from __future__ import annotations

from pathlib import Path

import click

from nnspec.cli.options import allow_url_option, format_option, part_option, run_argument
from nnspec.cli.text import echo, echo_json
from nnspec.printable import significant


@click.command("evaluate")
@run_argument
@part_option
@click.option("--curves", is_flag=True, help="With --format json: include the points of the ROC and precision–recall curves.")
@format_option("text", "json")
@allow_url_option
def command(run: Path, part: str | None, curves: bool, form: str) -> None:
    """Compute the metrics of a run on its test set: losses, the spec's metrics, and metrics for each kind of output.

    Classification: precision, recall, F1, AUC (one-vs-rest), confusion matrix, calibration. Segmentation masks: also IoU.
    Regression: errors, R², residuals. If the spec has `generate`, its sources are also decoded and scored: exact matches,
    token error rate, and for text BLEU and chrF (requires sacrebleu). `nnspec report` shows the same metrics with plots.

    \b
    Examples:
      nnspec evaluate runs/first
      nnspec evaluate runs/first --data train
      nnspec evaluate runs/first --format json --curves
    """
    from nnspec.cli.frameworks import load_frameworks

    if curves and form != "json":
        raise click.UsageError("--curves requires --format json; for plots, use `nnspec report`")
    load_frameworks("train")
    from nnspec.exporting.sequence_metrics import generated_sequence_metrics
    from nnspec.training import Run, evaluate, evaluation_text

    opened = Run.open(run)
    metrics = evaluate(opened, part=part, curves=curves)
    generated = generated_sequence_metrics(opened, part)
    if form == "json":
        echo_json(metrics | ({"generated": generated} if generated is not None else {}))
        return
    echo(evaluation_text(metrics, chosen=part is not None))
    if generated is not None:
        echo("\ngenerated: " + "  ".join(f"{name} {significant(value)}" for name, value in generated.items()))
