"""``nnspec report``."""

from __future__ import annotations

from pathlib import Path

import click

from nnspec.cli.options import allow_url_option, part_option, run_argument
from nnspec.cli.text import echo


@click.command("report")
@run_argument
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="HTML file to write.  [default: RUN.html]",
)
@part_option
@click.option(
    "--onnx",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Exported model whose parity record is shown.  [default: those in the run folder]",
)
@allow_url_option
def command(run: Path, out: Path | None, part: str | None, onnx: Path | None) -> None:
    """Write a self-contained HTML report of a run: model, learning curves, metrics, errors, and findings.

    The report includes precision, recall, ROC, calibration, and the confusion matrix, or residuals; the worst errors; and for
    convolutional networks the filters, feature maps, and (with global average pooling) class activation maps. The run is not
    changed.

    \b
    Examples:
      nnspec report runs/first
      nnspec report runs/first -o first.html --data test
      nnspec report runs/first --onnx first.onnx
    """
    from nnspec.cli.frameworks import load_frameworks

    load_frameworks("train")
    from nnspec.reports import write_report

    echo(f"wrote {write_report(run, out, part=part, onnx=onnx)}")
