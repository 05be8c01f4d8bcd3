"""The composed scenes as TensorFlow data, with the augmentations of the specs, and a training that lasts a given time."""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from PIL import Image

ROWS = 5
"""The largest number of boxes in a scene."""


@dataclass(frozen=True)
class Split:
    """The scenes of a split.

    Attributes:
        images: Their pixels, (N, H, W, 3), uint8.
        boxes: The boxes `x1 y1 x2 y2` in pixels, filled with −1, (N, 5, 4).
        classes: Their classes, filled with −1, (N, 5).
    """

    images: np.ndarray
    boxes: np.ndarray
    classes: np.ndarray


@dataclass(frozen=True)
class Task:
    """What a peer is started with.

    Attributes:
        scenes: The folder of the splits.
        minutes: How long to train.
        out: The file of the detections of the test scenes.
    """

    scenes: Path
    minutes: float
    out: Path

    @classmethod
    def from_arguments(cls) -> Task:
        """The task of the command line."""
        parser = argparse.ArgumentParser()
        parser.add_argument("scenes", type=Path)
        parser.add_argument("minutes", type=float)
        parser.add_argument("out", type=Path)
        return cls(**vars(parser.parse_args()))

    def finish(self, found: Mapping[str, np.ndarray], report: Mapping[str, Any]) -> None:
        """Write the detections, and print the facts of the training.

        Args:
            found: ``boxes`` (N, K, 4), ``scores`` (N, K) and ``class`` (N, K), −1 for rows without a detection.
            report: The facts.
        """
        np.savez(self.out, **found)
        print(json.dumps(report))


def read(folder: Path) -> Split:
    """Read a split in the format of COCO; the order is that of the file."""
    content = json.loads((folder / "annotations.json").read_text())
    numbers = {image["id"]: number for number, image in enumerate(content["images"])}
    classes = {category["id"]: number for number, category in enumerate(content["categories"])}
    boxes = np.full((len(numbers), ROWS, 4), -1, np.float32)
    labels = np.full((len(numbers), ROWS), -1, np.int32)
    rows = [0] * len(numbers)
    for each in content["annotations"]:
        number, (x, y, width, height) = numbers[each["image_id"]], each["bbox"]
        boxes[number, rows[number]] = x, y, x + width, y + height
        labels[number, rows[number]] = classes[each["category_id"]]
        rows[number] += 1
    images = [np.asarray(Image.open(folder / "images" / image["file_name"]).convert("RGB")) for image in content["images"]]
    return Split(np.stack(images), boxes, labels)


def augmented(split: Split, batch: int) -> tf.data.Dataset:
    """Shuffled batches without end: flipped, cropped and with other colors; pixels are from 0 to 1."""
    colors = [
        keras.layers.RandomHue(0.04, value_range=(0, 1)),
        keras.layers.RandomContrast(0.3, value_range=(0, 1)),
        keras.layers.RandomBrightness(0.15, value_range=(0, 1)),
    ]

    def changed(images: tf.Tensor, boxes: tf.Tensor, classes: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        images, boxes, classes = _cropped(*_flipped(tf.cast(images, tf.float32) / 255.0, boxes, classes))
        for layer in colors:
            images = layer(images, training=True)
        return images, boxes, classes

    rows = tf.data.Dataset.from_tensor_slices((split.images, split.boxes, split.classes))
    return rows.shuffle(len(split.images)).repeat().batch(batch, drop_remainder=True).map(changed).prefetch(2)


def _flipped(images: tf.Tensor, boxes: tf.Tensor, classes: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    flips = tf.random.uniform(tf.shape(images)[:1]) < 0.5
    width = tf.cast(tf.shape(images)[2], tf.float32)
    x1, y1, x2, y2 = tf.unstack(boxes, axis=-1)
    other = tf.stack([width - x2, y1, width - x1, y2], -1)
    there = (classes >= 0)[..., None]
    images = tf.where(flips[:, None, None, None], images[:, :, ::-1], images)
    return images, tf.where(flips[:, None, None] & there, other, boxes), classes


def _cropped(images: tf.Tensor, boxes: tf.Tensor, classes: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Random crops of half the area or more; a box of which less than half is left is no box."""
    count, size = tf.shape(images)[0], tf.shape(images)[1:3]
    area = tf.random.uniform((count,), 0.5, 1.0)
    ratio = tf.exp(tf.random.uniform((count,), math.log(0.75), math.log(4 / 3)))
    shares = tf.minimum(tf.sqrt(tf.stack([area / ratio, area * ratio], -1)), 1.0)  # of the height and the width
    start = tf.random.uniform((count, 2)) * (1 - shares)
    images = tf.image.crop_and_resize(images, tf.concat([start, start + shares], -1), tf.range(count), size)
    pixels = tf.cast(size, tf.float32)
    origin = (start * pixels)[:, None, ::-1]
    moved = (boxes - tf.tile(origin, [1, 1, 2])) / tf.tile(shares[:, None, ::-1], [1, 1, 2])
    inside = tf.clip_by_value(moved, 0.0, tf.tile(pixels[::-1], [2]))
    kept = (classes >= 0) & (_area(inside) >= 0.5 * _area(moved))
    return images, tf.where(kept[..., None], inside, -1.0), tf.where(kept, classes, -1)


def _area(boxes: tf.Tensor) -> tf.Tensor:
    return (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])


def train_for(
    minutes: float, optimizer: keras.optimizers.Optimizer, step: Callable[..., Any], batches: tf.data.Dataset
) -> tuple[int, float]:
    """Train for a given time; the learning rate falls along half a cosine.

    Args:
        minutes: The time.
        optimizer: The optimizer, with the learning rate of the start.
        step: Trains on a batch.
        batches: Batches without end.

    Returns:
        The number of steps, and the minutes.
    """
    largest = float(optimizer.learning_rate)
    began, steps = time.perf_counter(), 0
    for batch in batches:
        share = (time.perf_counter() - began) / (60 * minutes)
        if share >= 1:
            break
        optimizer.learning_rate.assign(largest * 0.5 * (1 + math.cos(math.pi * share)))
        step(*batch)
        steps += 1
    return steps, (time.perf_counter() - began) / 60
