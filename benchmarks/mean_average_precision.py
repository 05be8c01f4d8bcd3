"""COCO's twelve numbers beside pycocotools': equal on random sets of detections, and the time that both take.

``python -m benchmarks mean_average_precision`` compares 50 random sets with crowds, ties, empty images and boxes of all sizes, then
measures a set of the size of COCO's validation data: 5,000 images, 80 classes, 100 detections an image.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.training.detection.average_precision import AveragePrecisions

_BATCH = 64


@dataclass(frozen=True)
class Scenes:
    """Annotations and detections of some images, as a network and its data have them: rows filled with −1.

    Attributes:
        true_boxes: The annotated boxes, (N, M, 4).
        true_classes: Their classes, (N, M).
        crowd: 1 for a group of objects, (N, M).
        boxes: The boxes of the detections, (N, K, 4).
        scores: Their scores, (N, K).
        classes: Their classes, (N, K).
    """

    true_boxes: NDArray[np.float32]
    true_classes: NDArray[np.int32]
    crowd: NDArray[np.int32]
    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    classes: NDArray[np.int32]


def drawn(
    random: np.random.Generator,
    *,
    images: int,
    classes: int,
    boxes: float = 6.0,
    detections: float = 12.0,
    whole: bool = False,
    steps: int = 0,
    crowds: float = 0.1,
) -> Scenes:
    """Draws scenes: a part of the detections are annotations that were moved, copied or given another class.

    Args:
        random: The generator.
        images: The number of images.
        classes: The number of classes.
        boxes: The mean number of annotations of an image; every tenth image has none.
        detections: The mean number of detections of an image; every tenth image has none.
        whole: Whether coordinates are integers, so that overlaps are equal.
        steps: The number of different scores; 0 for any.
        crowds: The share of annotations that are crowds.
    """
    counts = random.poisson(boxes, images) * (random.random(images) > 0.1)
    found = random.poisson(detections, images) * (random.random(images) > 0.1)
    most, slots = max(1, int(counts.max(initial=0))), max(1, int(found.max(initial=0)))
    true_classes = np.where(np.arange(most) < counts[:, None], random.integers(0, classes, (images, most)), -1)
    true_boxes = _boxes(random, (images, most), whole)
    taken = random.integers(0, np.maximum(counts, 1)[:, None], (images, slots))
    near = np.take_along_axis(true_boxes, taken[..., None], 1)
    shift = random.normal(0, 1, near.shape) * random.choice([0, 0.02, 0.1, 0.3], (images, slots, 1))
    size = np.repeat(near[..., 2:] - near[..., :2], 2, -1)[..., [0, 2, 1, 3]]
    near = near + shift * size
    near = np.concatenate([np.minimum(near[..., :2], near[..., 2:]), np.maximum(near[..., :2], near[..., 2:])], -1)
    is_near = (random.random((images, slots)) < 0.7) & (counts > 0)[:, None]
    moved = np.where(is_near[..., None], near.round() if whole else near, _boxes(random, (images, slots), whole))
    same = np.take_along_axis(true_classes, taken, 1)
    kinds = np.where(is_near & (random.random((images, slots)) < 0.9), same, random.integers(0, classes, (images, slots)))
    scores = random.random((images, slots))
    scores = np.floor(scores * steps) / steps if steps else scores
    there = np.arange(slots) < found[:, None]
    return Scenes(
        np.where(true_classes[..., None] < 0, -1.0, true_boxes).astype(np.float32),
        true_classes.astype(np.int32),
        np.where(true_classes < 0, -1, random.random(true_classes.shape) < crowds).astype(np.int32),
        np.where(there[..., None], moved, -1.0).astype(np.float32),
        np.where(there, scores, -1.0).astype(np.float32),
        np.where(there, np.maximum(kinds, 0), -1).astype(np.int32),
    )


def _boxes(random: np.random.Generator, shape: tuple[int, ...], whole: bool) -> NDArray[np.float64]:
    """Boxes from 4 to 300 pixels, small, medium and large ones alike; some have the area at which ranges meet."""
    size = np.exp(random.uniform(np.log(4), np.log(300), (*shape, 2)))
    size = np.where(random.random((*shape, 1)) < 0.1, random.choice([32.0, 96.0], (*shape, 1)), size)
    start = random.uniform(0, 300, (*shape, 2))
    found = np.concatenate([start, start + size], -1)
    return found.round() if whole else found


def ours(scenes: Scenes) -> dict[str, float]:
    """The twelve numbers of our metric, in batches."""
    found = AveragePrecisions()
    for start in range(0, len(scenes.boxes), _BATCH):
        part = slice(start, start + _BATCH)
        found.add(
            scenes.boxes[part], scenes.scores[part], scenes.classes[part],
            scenes.true_boxes[part], scenes.true_classes[part], scenes.crowd[part],
        )  # fmt: skip
    return found.result().numbers


def theirs(scenes: Scenes) -> list[float]:
    """The twelve numbers of pycocotools."""
    return evaluated(*as_coco(scenes))


def as_coco(scenes: Scenes) -> tuple[Any, Any]:
    """The annotations and the detections as pycocotools reads them."""
    from pycocotools.coco import COCO

    top = int(max(scenes.true_classes.max(initial=0), scenes.classes.max(initial=0)))
    about = {
        "images": [{"id": i, "width": 640, "height": 640} for i in range(len(scenes.boxes))],
        "categories": [{"id": i, "name": str(i)} for i in range(top + 1)],
    }
    found = []
    for boxes, kinds, extra in (
        (scenes.true_boxes, scenes.true_classes, scenes.crowd),
        (scenes.boxes, scenes.classes, scenes.scores),
    ):
        coco = COCO()
        image, row = np.nonzero(kinds >= 0)
        corners = boxes[image, row].astype(np.float64)
        columns = (image.tolist(), corners.tolist(), kinds[image, row].tolist(), extra[image, row].tolist())
        notes = []
        for number, (i, (x1, y1, x2, y2), kind, value) in enumerate(zip(*columns, strict=True), 1):
            note = {"id": number, "image_id": i, "category_id": kind, "bbox": [x1, y1, x2 - x1, y2 - y1]}
            note["area"] = (x2 - x1) * (y2 - y1)
            notes.append(note | ({"score": value} if extra is scenes.scores else {"iscrowd": value}))
        coco.dataset = {**about, "annotations": notes}
        with contextlib.redirect_stdout(io.StringIO()):
            coco.createIndex()
        found.append(coco)
    return found[0], found[1]


def evaluated(true: Any, found: Any) -> list[float]:
    """The twelve numbers of annotations and detections that pycocotools has read."""
    from pycocotools.cocoeval import COCOeval

    with contextlib.redirect_stdout(io.StringIO()):
        result = COCOeval(true, found, "bbox")
        result.evaluate()
        result.accumulate()
        result.summarize()
    return [float(number) for number in result.stats]


def random_set(seed: int) -> Scenes:
    """One of the sets that are compared: small and large ones, with and without ties, crowds and many detections."""
    random = np.random.default_rng(seed)
    return drawn(
        random,
        images=int(random.choice([1, 3, 20, 60])),
        classes=int(random.choice([1, 3, 12])),
        boxes=float(random.choice([0.5, 4, 15])),
        detections=float(random.choice([0.5, 10, 40, 160])),
        whole=bool(random.integers(0, 2)),
        steps=int(random.choice([0, 1, 5, 20])),
        crowds=float(random.choice([0, 0.1, 0.5])),
    )


def main(arguments: Sequence[str]) -> int:
    """Compares the sets, then measures the time; 1 if a number differs."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks mean_average_precision", description=__doc__)
    parser.add_argument("--sets", type=int, default=50, help="the number of random sets")
    parser.add_argument("--images", type=int, default=5000, help="the number of images of the timed set; 0 for none")
    given = parser.parse_args(arguments)
    different, largest, undefined = 0, 0.0, 0
    for seed in range(given.sets):
        scenes = random_set(seed)
        mine, other = np.array(list(ours(scenes).values())), np.array(theirs(scenes))
        largest = max(largest, float(np.abs(mine - other).max()))
        undefined += int((other == -1).sum())
        if not np.array_equal(mine, other):
            different += 1
            print(f"set {seed}: {mine - other}")
    print(
        f"{given.sets - different} of {given.sets} sets: all twelve numbers are equal; largest difference {largest:g}; ", end=""
    )
    print(f"{undefined} of {12 * given.sets} numbers are −1 in both")
    if given.images:
        _time(given.images)
    return int(different > 0)


def _time(images: int) -> None:
    scenes = drawn(np.random.default_rng(0), images=images, classes=80, boxes=7.3, detections=100)
    start = time.perf_counter()
    mine = ours(scenes)
    between = time.perf_counter()
    read = as_coco(scenes)
    begin = time.perf_counter()
    other = evaluated(*read)
    end = time.perf_counter()
    boxes = f"{(scenes.true_classes >= 0).sum():,} boxes, {(scenes.classes >= 0).sum():,} detections"
    print(f"{images:,} images, 80 classes, {boxes}: {between - start:.2f} s; pycocotools {end - begin:.2f} s", end="")
    print(f" (and {begin - between:.2f} s to read them); the same numbers: {list(mine.values()) == other}")
