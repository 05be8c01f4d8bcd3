"""``nnspec export``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from nnspec.cli.options import format_option, run_argument


@click.command("export")
@run_argument
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The ONNX file to write.")
@click.option("--opset", type=click.IntRange(min=17), help="The ONNX operator set.  [default: the spec's export.opset, or 23]")
@format_option("text", "json")
def command(run: Path, out: Path, opset: int | None, form: str) -> None:
    """Write a run's ONNX model. Its outputs are compared with Keras's first; no file is written where they differ.

    \b
    nnspec export runs/first -o first.onnx
    """
    from nnspec.cli.frameworks import load_frameworks

    load_frameworks("train", "export")
    from nnspec.runtime.exporting import export_run

    parity = export_run(run, out, opset=opset)
    if form == "json":
        click.echo(json.dumps(parity.as_json()))
    else:
        click.echo(parity.text())
        click.echo(out)
