"""``python -m benchmarks augmented_boxes OUT.png``: images with their boxes after each augmentation, drawn to be looked at."""

from __future__ import annotations

import argparse
from random import Random
from typing import Any

import numpy as np

_SIZE = (120, 160)
_ROWS = 12
_COLORS = ((230, 80, 70), (70, 190, 90), (80, 120, 240))
"""The color of each class: disks, squares, and triangles."""

AUGMENTATIONS: dict[str, tuple[str, dict[str, Any]] | None] = {
    "unchanged": None,
    "flip": ("RandomFlip", {"mode": "horizontal"}),
    "crop": ("RandomResizedCrop", {"area": (0.3, 0.7)}),
    "rotation": ("RandomRotation", {"factor": 0.1, "fill_mode": "constant"}),
    "shear": ("RandomShear", {"x_factor": 0.4, "fill_mode": "constant"}),
    "mosaic": ("RandomMosaic", {}),
    "mixed": ("MixUp", {"alpha": 2.0}),
}


def scenes(count: int) -> tuple[Any, Any, Any]:
    """Return images of shapes, from 0 to 1, with their boxes and classes."""
    from PIL import Image, ImageDraw

    random = Random(3)
    height, width = _SIZE
    images = []
    boxes, classes = np.full((count, _ROWS, 4), -1, np.float32), np.full((count, _ROWS), -1, np.int32)
    for number in range(count):
        image = Image.new("RGB", (width, height), tuple(random.randint(20, 90) for _ in range(3)))
        draw = ImageDraw.Draw(image)
        for place in range(3):
            kind, w, h = random.randrange(3), random.randint(20, 45), random.randint(20, 45)
            x, y = random.randint(0, width - w), random.randint(0, height - h)
            x2, y2 = x + w - 1, y + h - 1
            if kind == 0:
                draw.ellipse((x, y, x2, y2), fill=_COLORS[0])
            elif kind == 1:
                draw.rectangle((x, y, x2, y2), fill=_COLORS[1])
            else:
                draw.polygon(((x, y2), (x2, y2), ((x + x2) // 2, y)), fill=_COLORS[2])
            boxes[number, place], classes[number, place] = (x, y, x + w, y + h), kind
        images.append(np.asarray(image, np.float32) / 255)
    return np.stack(images), boxes, classes


def main(arguments: list[str]) -> int:
    """Draw a row of images for each augmentation."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks augmented_boxes", description=__doc__)
    parser.add_argument("out", help="the PNG file to write")
    options = parser.parse_args(arguments)
    from PIL import Image, ImageDraw

    from nnspec.data.augmentations import AUGMENTATIONS as KINDS
    from nnspec.data.plan import AugmentPlan, BoxField
    from nnspec.training.batches.augmenter import Augmenter

    images, boxes, classes = scenes(4)
    height, width = _SIZE
    sheet = Image.new("RGB", (4 * (width + 6), len(AUGMENTATIONS) * (height + 20)), "white")
    draw = ImageDraw.Draw(sheet)
    field = BoxField("inputs.boxes", "image", ("inputs.class",))
    for row, (name, given) in enumerate(AUGMENTATIONS.items()):
        values: Any = {"image": images, "boxes": boxes, "class": classes}
        if given is not None:
            layer: Any = KINDS.get(given[0])(**given[1])
            values, _, _ = Augmenter((AugmentPlan(layer, ("image",), (), frozenset(), (field,)),), {}, 5)(values, {}, {})
        top = row * (height + 20)
        draw.text((2, top + 2), name, fill="black")
        for column in range(4):
            left = column * (width + 6)
            pixels = np.clip(np.asarray(values["image"])[column] * 255, 0, 255).astype(np.uint8)
            sheet.paste(Image.fromarray(pixels), (left, top + 16))
            for box, kind in zip(np.asarray(values["boxes"])[column], np.asarray(values["class"])[column], strict=True):
                if kind >= 0:
                    x1, y1, x2, y2 = (float(value) for value in box)
                    place = (left + x1, top + 16 + y1, left + x2 - 1, top + 16 + y2 - 1)
                    draw.rectangle(place, outline=tuple(min(255, value + 90) for value in _COLORS[kind]), width=2)
    sheet.save(options.out)
    print(options.out)
    return 0
