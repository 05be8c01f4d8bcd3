"""Nuclei of cells with the box of each, as a data set in the format of COCO.

python -m examples.detection.nuclei                     # into data/nuclei_boxes: train, validation, test

The image of 125 fluorescent nuclei that comes with StarDist (Weigert and Schmidt 2022; from BBBC038) has a label image, in
which the pixels of each nucleus have a number of its own. A nucleus's box encloses its pixels. The left half of the image is
trained on, a strip beside it validates, and the right third is the test, as in ``examples.fetch.masks.nuclei``. Windows of the
training part overlap. A nucleus of which a window shows less than a third is a crowd: it is no error to find it, and none to
miss it.
"""

from __future__ import annotations

import argparse
import io
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from examples.fetch.packages import wheel

Window = tuple[int, int, int, int]
"""The top, the left, the height and the width."""

PARTS: dict[str, Sequence[Window]] = {
    "train": [(top, left, 128, 128) for top in range(0, 385, 32) for left in range(0, 121, 30)],
    "validation": [(top, 250, 128, 64) for top in range(0, 512, 128)],
    "test": [(top, 318, 128, 192) for top in range(0, 512, 128)],
}
_LEAST_SHOWN = 1 / 3


def main() -> None:
    """Write the three splits."""
    parser = argparse.ArgumentParser(prog="python -m examples.detection.nuclei", description=__doc__)
    parser.add_argument("-o", "--out", type=Path, default=Path("data/nuclei_boxes"))
    given = parser.parse_args()
    with wheel("stardist>=0.9,<1") as package:
        image, objects = (
            np.asarray(Image.open(io.BytesIO(package.read(f"stardist/data/images/{name}2d.tif")))) for name in ("img", "mask")
        )
    for part, windows in PARTS.items():
        write(given.out / part, image, objects, windows)


def write(folder: Path, image: np.ndarray, objects: np.ndarray, windows: Sequence[Window]) -> None:
    """Write windows of an image and their annotations into a folder.

    Args:
        folder: The folder, which is made.
        image: Gray values from 0 to 255, (height, width).
        objects: The number of the object of each pixel, 0 for none, (height, width).
        windows: The windows.
    """
    (folder / "images").mkdir(parents=True, exist_ok=True)
    sizes = np.bincount(objects.ravel())
    images, annotations = [], []
    for number, (top, left, height, width) in enumerate(windows):
        name = f"{number:03}.png"
        seen = np.s_[top : top + height, left : left + width]
        Image.fromarray(image[seen].round().astype(np.uint8)).save(folder / "images" / name)
        images.append({"id": number + 1, "file_name": name, "width": width, "height": height})
        for label, (x, y, w, h), count in boxes_of(objects[seen]):
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": number + 1,
                    "category_id": 1,
                    "bbox": [x, y, w, h],
                    "area": count,
                    "iscrowd": int(count < _LEAST_SHOWN * sizes[label]),
                }
            )
    whole = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "nucleus"}]}
    (folder / "annotations.json").write_text(json.dumps(whole), encoding="utf-8")
    print(f"{folder}: {len(images)} images, {len(annotations)} boxes")


def boxes_of(objects: np.ndarray) -> list[tuple[int, tuple[int, int, int, int], int]]:
    """Return each object of a label image: its number, the corner, width and height of its box, and its number of pixels.

    Example:
        >>> boxes_of(np.array([[0, 7, 7], [0, 0, 7]]))
        [(7, (1, 0, 2, 2), 3)]
    """
    found = []
    for label in np.unique(objects[objects > 0]).tolist():
        rows, columns = np.nonzero(objects == label)
        left, top = int(columns.min()), int(rows.min())
        found.append((label, (left, top, int(columns.max()) + 1 - left, int(rows.max()) + 1 - top), len(rows)))
    return found


if __name__ == "__main__":
    main()
