"""Dice and intersection over union of a run's exported model on held-out pictures, and a picture of them side by side.

Run ``python -m examples.segmentation.dice runs/unet_nuclei`` for the test data, or with ``--images`` and ``--masks`` for other
folders: pictures of any size that the model takes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from nnspec import Predictor
from nnspec.data.readers.base import Table
from nnspec.data.readers.masks import Masks
from nnspec.data.recipe import read_inputs
from nnspec.runtime.predicting import input_types

__all__ = ["line_of", "middle_of", "overlap", "side_by_side"]

_GAP = 4
_SMALLEST = 12
"""Pieces of fewer pixels are not counted as objects."""


def overlap(true: NDArray[np.bool_], said: NDArray[np.bool_]) -> tuple[float | None, float | None]:
    """Dice and intersection over union; None where there is nothing and nothing was said."""
    both, either = int((true & said).sum()), int((true | said).sum())
    return (2 * both / (both + either), both / either) if either else (None, None)


def line_of(name: str, true: NDArray[np.bool_], said: NDArray[np.bool_]) -> str:
    """The figures of one picture, or of several together."""
    figures = [f"{value:.4f}" if value is not None else "  –   " for value in overlap(true, said)]
    planes = [mask if mask.ndim == 3 else mask[None] for mask in (true, said)]
    counts = [sum(_objects(plane) for plane in mask) for mask in planes]
    return f"{name:<12}  {figures[0]}  {figures[1]}  {counts[0]:>5}  {counts[1]:>5}"


def _objects(mask: NDArray[np.bool_]) -> int:
    pieces, _ = ndimage.label(mask)
    return int((np.bincount(pieces.ravel())[1:] >= _SMALLEST).sum())


def middle_of(values: NDArray[Any], like: NDArray[Any]) -> NDArray[Any]:
    """The middle of pictures (N, H, W, …), as large as others."""
    top, left = ((a - b) // 2 for a, b in zip(values.shape[1:3], like.shape[1:3], strict=True))
    return values[:, top : top + like.shape[1], left : left + like.shape[2]]


def side_by_side(images: NDArray[Any], true: NDArray[np.bool_], said: NDArray[np.bool_], out: Path) -> None:
    """Writes a row for each picture: itself, its mask, what was said; then where these differ, missed red and made up blue.

    Args:
        images: The pictures, (N, H, W), of any range.
        true: Their masks, of the same shape.
        said: What was said.
        out: The file.
    """
    low, high = np.percentile(images, [0.5, 99.5])
    grey = np.clip((images - low) / max(high - low, 1e-6), 0, 1)
    both = np.stack([true & ~said | true & said, true & said, said & ~true | true & said], -1).astype(float)
    columns = [*(np.repeat(plane[..., None].astype(float), 3, -1) for plane in (grey, true, said)), both]
    gap = np.full((len(images), images.shape[1], _GAP, 3), 0.5)
    rows = np.concatenate([piece for column in columns for piece in (column, gap)][:-1], 2)
    line = np.full((_GAP, rows.shape[2], 3), 0.5)
    whole = np.concatenate([piece for row in rows for piece in (row, line)][:-1], 0)
    Image.fromarray((whole * 255).round().astype(np.uint8)).save(out)


def _table(run: Path, images: Path | None, masks: Path | None) -> Table:
    if images is not None and masks is not None:
        return Masks(images=str(images), masks=str(masks)).open({"images": images, "masks": masks})
    from nnspec.training import Run
    from nnspec.training.evaluation.evaluate import raw_rows

    return raw_rows(Run.open(run))[0]


@click.command()
@click.argument("run", type=click.Path(path_type=Path, exists=True))
@click.option("--images", type=click.Path(path_type=Path, exists=True), help="Pictures; by default those of the test data.")
@click.option("--masks", type=click.Path(path_type=Path, exists=True), help="Their masks.")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="The picture; by default RUN/dice.png.")
def main(run: Path, images: Path | None, masks: Path | None, out: Path | None) -> None:
    """Prints the figures and writes the picture."""
    from nnspec.cli.frameworks import load_frameworks

    load_frameworks("train", "serve")
    predictor = Predictor(run / "model.onnx")
    table = _table(run, images, masks)
    [answer] = predictor.predict(read_inputs(table, "the data", predictor.recipe, input_types(predictor))).values()
    said = answer[..., 0] > 0.5 if answer.shape[-1] == 1 else answer.argmax(-1) == 1
    true = middle_of(table.read("mask", slice(None)), said) == 1
    print(f"{'':<12}  Dice    IoU     objects  said")
    for row in range(len(table)):
        print(line_of(table.where("image", row).rpartition("/")[2], true[row], said[row]))
    print(line_of("all together", true, said))
    side_by_side(middle_of(table.read("image", slice(None))[..., 0], said), true, said, out or run / "dice.png")


if __name__ == "__main__":
    main()
