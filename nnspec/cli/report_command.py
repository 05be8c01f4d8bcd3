"""``nnspec report``."""

from __future__ import annotations

from pathlib import Path

import click

from nnspec.cli.options import part_option, run_argument
from nnspec.cli.text import echo


@click.command("report")
@run_argument
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The page to write.  [default: RUN.html, beside the run]",
)
@part_option
@click.option(
    "--onnx",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="The exported model whose proof is shown.  [default: those in the run's folder]",
)
def command(run: Path, out: Path | None, part: str | None, onnx: Path | None) -> None:
    """A run as one HTML page: what was trained, how it went, what it gets wrong, and what to look at.

    Learning curves; precision, recall, ROC, calibration, confusion or residuals; examples of errors; of a convolutional net its
    filters, feature maps and, where it ends in global average pooling, class activation maps. The page needs no network, and
    the run is not changed.

    \b
    nnspec report runs/first
    nnspec report runs/first -o first.html --data test
    nnspec report runs/first --onnx first.onnx
    """
    from nnspec.cli.frameworks import load_frameworks

    load_frameworks("train")
    from nnspec.reports import write_report

    echo(f"wrote {write_report(run, out, part=part, onnx=onnx)}")
