"""``nnspec export``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from nnspec.cli.options import format_option, run_argument
from nnspec.cli.text import echo, echo_json, echo_path

if TYPE_CHECKING:
    from nnspec.exporting.runs import Form


@click.command("export")
@run_argument
@click.option(
    "-o", "--out", required=True, type=click.Path(path_type=Path), help="The ONNX file to write, or the folder of parts."
)
@click.option("--opset", type=click.IntRange(min=17), help="The ONNX operator set.  [default: the spec's export.opset, or 23]")
@click.option(
    "--network", metavar="NAME", help="One network of the spec, all its outputs.  [default: the spec's export.network]"
)
@click.option(
    "--form",
    "which",
    type=click.Choice(["network", "loop", "parts"]),
    help="What to write: a network as it stands; what decodes sequences, the loop inside; or its encoder and its one step, "
    "two files in a folder.  [default: loop where the spec has `generate`, else network]",
)
@format_option("text", "json")
def command(run: Path, out: Path, opset: int | None, network: str | None, which: Form | None, form: str) -> None:
    """Write a run's ONNX model. Its outputs are compared with Keras's first; no file is written where they differ.

    \b
    nnspec export runs/first -o first.onnx
    nnspec export runs/translator -o translate.onnx
    nnspec export runs/translator -o translate --form parts
    nnspec export runs/autoencoder -o encoder.onnx --network encoder
    """
    from nnspec.cli.frameworks import load_frameworks

    load_frameworks("train", "export")
    from nnspec.exporting.runs import export_run

    parity = export_run(run, out, opset=opset, form=which, network=network)
    if form == "json":
        echo_json(parity.as_json())
    else:
        echo(parity.text())
        echo_path(out)
