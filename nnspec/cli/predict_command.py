"""``nnspec predict``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nnspec.cli.frameworks import load_frameworks
from nnspec.cli.options import format_option
from nnspec.cli.text import echo, echo_json, echo_tables, table

if TYPE_CHECKING:
    from nnspec.runtime.predicting import Predictions

_WIDEST = 80
"""The most characters of a text in the table of neighbors."""


@click.command("predict")
@click.argument("model", type=click.Path(path_type=Path), metavar="RUN|MODEL.onnx")
@click.argument("texts", nargs=-1, metavar="[TEXT]...")
@click.option(
    "--data",
    metavar="READER",
    help="Inputs: 'builtin: digits', a .csv or .npz file, an image, a folder of images, or a complete reader.",
)
@click.option("--limit", type=click.IntRange(min=1), help="Predict only the first N rows.")
@click.option("--tile", type=click.IntRange(min=1), help="Split large images into tiles of this size (ONNX models only).")
@click.option(
    "--overlap",
    type=click.IntRange(min=0),
    help="Overlap of neighboring tiles, in pixels.  [default: enough to reproduce the predictions for the whole image]",
)
@click.option(
    "--neighbors",
    type=click.IntRange(min=1),
    metavar="K",
    help="Find the K nearest rows of the knowledge base.  [default: what an ONNX file returns; of a run, none]",
)
@click.option("--among", metavar="READER", help="The knowledge base (runs only).  [default: the spec's, or its training data]")
@click.option("--score", type=float, help="Show only objects with at least this score (detectors only).")
@click.option("--top", type=click.IntRange(min=1), help="Show at most N objects of an image, best first (detectors only).")
@format_option("text", "json")
def command(
    model: Path,
    texts: tuple[str, ...],
    data: str | None,
    limit: int | None,
    tile: int | None,
    overlap: int | None,
    neighbors: int | None,
    among: str | None,
    score: float | None,
    top: int | None,
    form: str,
) -> None:
    """Predict with a run (using Keras) or with an ONNX model (using only ONNX Runtime).

    Pass raw data, as for training: the run and the ONNX file contain the fitted transforms and the arguments of the reader.
    Without --data and TEXT, a run predicts the test data of its spec.

    The table shows the predicted class, its probability, and the next two. `--format json` writes a line for each row: the
    numbers of each output, and the class as NAME_class; of a detector, the objects as `detections`, each with `class`, `score`
    and `box`, `x1 y1 x2 y2` in pixels of the image as it is in the data.

    \b
    Examples:
      nnspec predict runs/first
      nnspec predict first.onnx --data 'builtin: digits' --limit 5
      nnspec predict first.onnx --data new.csv --format json
      nnspec predict detector.onnx --data street.jpg --score 0.5
      nnspec predict unet.onnx --data scans.npz --tile 512
      nnspec predict runs/retrieval --neighbors 3 'How do I reset my password?'
    """
    if texts and data is not None:
        raise click.UsageError("give either TEXT or --data")
    source = list(texts) or data
    if overlap is not None and tile is None:
        raise click.UsageError("--overlap requires --tile, the size of the tiles")
    if model.is_dir():
        if tile is not None:
            raise click.UsageError(f"{model} is a run folder, and --tile requires an ONNX model; export the run first")
        load_frameworks("train")
        from nnspec.exporting.run_predictions import predict_run

        if among is not None and neighbors is None:
            raise click.UsageError("--among requires --neighbors, the number of neighbors")
        predictions = predict_run(model, source, limit=limit, neighbors=neighbors, among=among, score=score, top=top)
    else:
        if among is not None:
            raise click.UsageError(
                f"{model} is not a run folder; `nnspec export --among` writes the knowledge base into a file"
            )
        if source is None:
            raise click.UsageError(f"{model} is not a run folder; an ONNX model requires --data or TEXT")
        load_frameworks("predict")
        from nnspec.runtime.predicting import predict_file

        limits: dict[str, Any] = {"tile": tile, "overlap": overlap, "neighbors": neighbors, "score": score, "top": top}
        predictions = predict_file(model, source, limit=limit, **limits)
        if predictions.tiling is not None:
            echo(predictions.tiling.text(), err=True)
    rows = list(predictions.rows())
    if form == "json":
        for row in rows:
            echo_json(row)
        return
    if predictions.neighbors is not None:
        rows = [_neighbor(row["row"], place, found) for row in rows for place, found in enumerate(row["neighbors"], 1)]
    elif predictions.detections is not None:
        rows = [object for row in rows for object in _objects(row)]
    else:
        rows = [_ranked(predictions, row) for row in rows]
    header = list(rows[0]) if rows else ["row"]
    numbers = frozenset(
        i for i, name in enumerate(header) if rows and (isinstance(rows[0][name], int | float) or name.endswith("probability"))
    )
    echo_tables(table(header, [[_cell(row[name]) for name in header] for row in rows], right=numbers))


def _ranked(predictions: Predictions, row: dict[str, Any]) -> dict[str, Any]:
    """A line of the table: of an output with probabilities, the class, its probability and the next classes."""
    shown = dict(row)
    several = len(predictions.outputs) > 1
    for name in predictions.outputs:
        if not (ranked := predictions.ranked(name, row["row"])):
            continue
        (label, probability), *others = ranked
        del shown[f"{name}_class"]
        shown[name] = str(label)
        shown[f"{name} probability" if several else "probability"] = f"{100 * probability:.1f} %"
        if len(predictions.outputs[name][row["row"]]) > 2:
            shown[f"next of {name}" if several else "next"] = ", ".join(f"{each} {100 * p:.1f} %" for each, p in others)
    return shown


def _objects(row: dict[str, Any]) -> list[dict[str, Any]]:
    """The lines of the table of a row of a detector: one for each object, and one if there is none."""
    edges = ("x1", "y1", "x2", "y2")
    if not row["detections"]:
        return [{"row": row["row"], "class": "–", "score": "", **dict.fromkeys(edges, "")}]
    return [
        {"row": row["row"], "class": str(one["class"]), "score": one["score"], **dict(zip(edges, one["box"], strict=True))}
        for one in row["detections"]
    ]


def _neighbor(row: int, place: int, found: dict[str, Any]) -> dict[str, Any]:
    """A line of the table of neighbors; long texts are shortened."""
    shown = {"row": row, "place": place, "similarity": found["similarity"], "neighbor": found["row"]}
    for name, value in found.items():
        if name not in ("row", "similarity"):
            text = "" if value is None else value if isinstance(value, int | float) else str(value)
            shown[name] = text if not isinstance(text, str) or len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"
    return shown


def _shape(value: Any) -> list[int]:
    return [len(value), *_shape(value[0])] if isinstance(value, list) else []


def _cell(value: Any) -> str:
    if isinstance(value, float):
        # Large values are in the units of the data: print all digits that float32 represents.
        return f"{value:.4g}" if abs(value) < 1000 else f"{value:.7g}"
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], int | float):
        return _cell(value[0])
    if isinstance(value, list) and value and isinstance(value[0], list):
        return " × ".join(map(str, _shape(value))) + " numbers"
    if isinstance(value, list):
        shown = ", ".join(_cell(item) for item in value[:12])
        return f"[{shown}{', …' if len(value) > 12 else ''}]"
    return str(value)
