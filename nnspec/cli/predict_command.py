"""``nnspec predict``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from nnspec.cli.frameworks import load_frameworks
from nnspec.cli.options import format_option
from nnspec.cli.text import echo, echo_json, table


@click.command("predict")
@click.argument("model", type=click.Path(path_type=Path), metavar="RUN|MODEL.onnx")
@click.option(
    "--data",
    metavar="READER",
    help="What to answer: `builtin: digits`, a .csv or .npz file, an image, a folder of images, or a reader in full.",
)
@click.option("--limit", type=click.IntRange(min=1), help="Answer the first rows alone.")
@click.option("--tile", type=click.IntRange(min=1), help="Cut large pictures into tiles of that size; of an ONNX file.")
@click.option(
    "--overlap",
    type=click.IntRange(min=0),
    help="How much two tiles share.  [default: as much as makes the answers those to the whole picture]",
)
@format_option("text", "json")
def command(model: Path, data: str | None, limit: int | None, tile: int | None, overlap: int | None, form: str) -> None:
    """Predictions of a run, by Keras, or of an ONNX file, by ONNX Runtime alone.

    The data are raw, as before training: what the transforms learned, and how the training data were read, is in the run and in
    the file. A run without --data answers its spec's test data.

    \b
    nnspec predict runs/first
    nnspec predict first.onnx --data 'builtin: digits' --limit 5
    nnspec predict first.onnx --data new.csv --format json
    nnspec predict unet.onnx --data scans.npz --tile 512
    """
    if overlap is not None and tile is None:
        raise click.UsageError("--overlap goes with --tile, which says how large the tiles are")
    if model.is_dir():
        if tile is not None:
            raise click.UsageError(f"{model} is a run folder; export it, and give --tile with the ONNX file")
        load_frameworks("train")
        from nnspec.exporting.run_predictions import predict_run

        predictions = predict_run(model, data, limit=limit)
    else:
        if data is None:
            raise click.UsageError(f"{model} is no run folder; for an ONNX file, say what to answer with --data")
        load_frameworks("predict")
        from nnspec.runtime.predicting import predict_file

        predictions = predict_file(model, data, limit=limit, tile=tile, overlap=overlap)
        if predictions.tiling is not None:
            echo(predictions.tiling.text(), err=True)
    rows = list(predictions.rows())
    if form == "json":
        for row in rows:
            echo_json(row)
        return
    header = list(rows[0]) if rows else ["row"]
    numbers = frozenset(i for i, name in enumerate(header) if rows and isinstance(rows[0][name], int | float))
    echo(table(header, [[_cell(row[name]) for name in header] for row in rows], right=numbers))


def _shape(value: Any) -> list[int]:
    return [len(value), *_shape(value[0])] if isinstance(value, list) else []


def _cell(value: Any) -> str:
    if isinstance(value, float):
        # Of a large number in the units of the data, as many digits as float32 holds.
        return f"{value:.4g}" if abs(value) < 1000 else f"{value:.7g}"
    if isinstance(value, list) and value and isinstance(value[0], list):
        return " × ".join(map(str, _shape(value))) + " numbers"
    if isinstance(value, list):
        shown = ", ".join(_cell(item) for item in value[:12])
        return f"[{shown}{', …' if len(value) > 12 else ''}]"
    return str(value)
