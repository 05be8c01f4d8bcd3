"""Handwritten digits on canvases, with exact boxes, as a data set in the format of COCO.

python -m examples.detection.digits                     # into data/digit_boxes: train, validation, test
python -m examples.detection.digits --images 200 -o /tmp/few

The digits are scikit-learn's 1,797 of 8 × 8 pixels, enlarged to 12 to 48 pixels on canvases of 96 × 96. Each digit is in one
split only.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

SIDE = 96
SMALLEST, LARGEST, MOST = 12, 48, 6
SPLITS = {"train": 0.7, "validation": 0.15, "test": 0.15}
_INK = 64
"""The smallest value of a pixel that belongs to a digit."""


def main() -> None:
    """Write the three splits."""
    parser = argparse.ArgumentParser(prog="python -m examples.detection.digits", description=__doc__)
    parser.add_argument("-o", "--out", type=Path, default=Path("data/digit_boxes"))
    parser.add_argument("--images", type=int, default=1500, help="images of the training split; a fifth as many in the others")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    loaded = load_digits()
    digits, labels = np.uint8(loaded.images * (255 / 16)), loaded.target
    random = np.random.default_rng(given.seed)
    order = random.permutation(len(digits))
    ends = np.cumsum([round(len(digits) * share) for share in SPLITS.values()])[:-1]
    for split, own in zip(SPLITS, np.split(order, ends), strict=True):
        count = given.images if split == "train" else given.images // 5
        write(given.out / split, digits[own], labels[own], random, count)


def write(folder: Path, digits: np.ndarray, labels: np.ndarray, random: np.random.Generator, count: int) -> None:
    """Write canvases and their annotations into a folder.

    Args:
        folder: The folder, which is made.
        digits: Images of digits, 8 × 8, uint8.
        labels: Their classes.
        random: The source of random numbers.
        count: The number of canvases.
    """
    (folder / "images").mkdir(parents=True, exist_ok=True)
    images, annotations = [], []
    for number in range(count):
        canvas, boxes = compose(digits, labels, random)
        name = f"{number:05d}.png"
        Image.fromarray(canvas).save(folder / "images" / name)
        images.append({"id": number + 1, "file_name": name, "width": SIDE, "height": SIDE})
        for (left, top, right, bottom), label in boxes:
            box = [left, top, right - left, bottom - top]
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": number + 1,
                    "category_id": int(label),
                    "bbox": box,
                    "area": box[2] * box[3],
                    "iscrowd": 0,
                }
            )
    categories = [{"id": label, "name": str(label)} for label in range(10)]
    whole = {"images": images, "annotations": annotations, "categories": categories}
    (folder / "annotations.json").write_text(json.dumps(whole), encoding="utf-8")
    print(f"{folder}: {len(images)} images, {len(annotations)} boxes")


def compose(
    digits: np.ndarray, labels: np.ndarray, random: np.random.Generator
) -> tuple[np.ndarray, list[tuple[tuple[int, int, int, int], int]]]:
    """Place up to six digits on a noisy canvas, without overlap, and return it with the box of each and its class."""
    slope = random.uniform(-40, 40, 2)
    grid = np.linspace(-0.5, 0.5, SIDE)
    canvas = random.uniform(20, 70) + slope[0] * grid[:, None] + slope[1] * grid + random.normal(0, 6, (SIDE, SIDE))
    boxes: list[tuple[tuple[int, int, int, int], int]] = []
    for which in random.integers(0, len(digits), int(random.integers(1, MOST + 1))):
        size = int(np.exp(random.uniform(np.log(SMALLEST), np.log(LARGEST))))
        digit = np.asarray(Image.fromarray(digits[which]).resize((size, size), Image.Resampling.BICUBIC), np.float32)
        rows, columns = (np.flatnonzero((digit >= _INK).any(axis)) for axis in (1, 0))
        digit = digit[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        height, width = digit.shape
        top, left = int(random.integers(0, SIDE - height + 1)), int(random.integers(0, SIDE - width + 1))
        box = (left, top, left + width, top + height)
        if any(box[0] < b[2] and b[0] < box[2] and box[1] < b[3] and b[1] < box[3] for b, _ in boxes):
            continue
        place = canvas[top : top + height, left : left + width]
        ink = digit * (random.uniform(150, 230) / 255)
        np.maximum(place, ink, out=place, where=digit >= _INK)
        boxes.append((box, labels[which]))
    return np.uint8(np.clip(canvas, 0, 255)), boxes


if __name__ == "__main__":
    main()
