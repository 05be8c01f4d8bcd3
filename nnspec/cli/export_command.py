"""``nnspec export``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nnspec.cli.options import format_option, run_argument
from nnspec.cli.text import echo, echo_json, echo_path

if TYPE_CHECKING:
    from nnspec.exporting.runs import Form
    from nnspec.graph.exported import Precision


@click.command("export")
@run_argument
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    help="ONNX file to write; with --form parts, a folder.  [default: NAME.onnx in the run, with --form parts NAME]",
)
@click.option(
    "--opset", type=click.IntRange(min=17), help="ONNX operator set version.  [default: the spec's export.opset, or 23]"
)
@click.option(
    "--for",
    "runtime",
    metavar="RUNTIME",
    help="Version of ONNX Runtime that must load the file: `onnxruntime==1.17`. It sets the operator set version.",
)
@click.option("--network", metavar="NAME", help="Export only this network of the spec.  [default: the spec's export.network]")
@click.option(
    "--form",
    "which",
    type=click.Choice(["network", "loop", "parts"]),
    help="What to export. network: the network itself. loop: a decoder or sampler with its loop. parts: the encoder and "
    "a single decoding step, as two files in a folder.  [default: loop if the spec has `generate`, else network]",
)
@click.option(
    "--precision",
    type=click.Choice(["float32", "float16", "int8"]),
    help="Numbers in the file: weights in float16, half the size at the same speed; or layers in 8-bit integers, calibrated on "
    "training data and measured on validation data.  [default: the spec's export.precision, or float32]",
)
@click.option(
    "--among",
    metavar="READER",
    help="The knowledge base in which the file finds neighbors: a .csv, .jsonl or .npz file, or a complete reader.  "
    "[default: the spec's, if it has a section `neighbors`]",
)
@click.option(
    "--examples",
    type=click.IntRange(0, 100),
    default=0,
    metavar="N",
    help="Write N rows of the test data into the file, which the page of `nnspec serve` offers as examples. Everyone who has "
    "the file can read them.  [default: none]",
)
@format_option("text", "json")
def command(
    run: Path,
    out: Path | None,
    opset: int | None,
    runtime: str | None,
    network: str | None,
    which: Form | None,
    among: str | None,
    examples: int,
    precision: Precision | None,
    form: str,
) -> None:
    """Export a run to ONNX and verify that its outputs match Keras's. No file is written if they differ.

    \b
    Examples:
      nnspec export runs/first
      nnspec export runs/first -o first.onnx --examples 8
      nnspec export runs/first -o small.onnx --precision int8
      nnspec export runs/first -o old.onnx --for onnxruntime==1.17
      nnspec export runs/translator -o translate.onnx
      nnspec export runs/translator -o translate --form parts
      nnspec export runs/autoencoder -o encoder.onnx --network encoder
      nnspec export runs/retrieval -o retrieval.onnx --among answers.csv
    """
    from nnspec.cli.frameworks import load_frameworks

    newest = _newest_opset(runtime, opset)
    load_frameworks("train", "export")
    from nnspec.exporting.runs import default_output, export_run
    from nnspec.runtime.metadata import PRECISION
    from nnspec.runtime.reading import read_metadata, read_model
    from nnspec.runtime.seal import metadata_of
    from nnspec.training import Run
    from nnspec.training.trackers.tracking import write_model

    out = out if out is not None else default_output(run, form=which, network=network)
    parity = export_run(
        run,
        out,
        opset=opset,
        form=which,
        network=network,
        among=among,
        examples=examples,
        precision=precision,
        newest_opset=newest,
    )
    if out.is_file():
        for text in write_model(Run.open(run), out):
            echo(text, err=True)
    record: Any = read_metadata(metadata_of(read_model(out)), PRECISION, str(out)) if out.is_file() else None
    if form == "json":
        echo_json(parity.as_json() | ({} if record is None else {"precision": record.as_json()}))
    else:
        echo(parity.text())
        if record is not None:
            echo(record.text())
        echo_path(out)


def _newest_opset(runtime: str | None, opset: int | None) -> int:
    """The newest opset of a file for a version of ONNX Runtime.

    Raises:
        NnspecError: If the version is unknown, or does not load the opset that is asked for.
    """
    from nnspec.diagnostics import NnspecError
    from nnspec.graph.exported import NEWEST_OPSET
    from nnspec.runtime.versions import newest_opset_of

    newest = NEWEST_OPSET if runtime is None else newest_opset_of(runtime)
    if opset is not None and opset > newest:
        raise NnspecError(f"{runtime or 'ONNX Runtime'} loads opsets up to {newest}, not {opset}\n  = help: omit `--opset`")
    return newest
