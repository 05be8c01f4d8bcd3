"""`specs/fcos` written by hand in Keras: the same layers, losses, augmentations, optimizer and batch size.

PYTHON benchmarks/detector_peers/fcos_in_keras.py SCENES MINUTES OUT.npz
"""

from __future__ import annotations

from collections.abc import Iterator

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from scenes_in_tensorflow import Task, augmented, read, train_for

CLASSES, WIDTH, SIDE, BATCH = 6, 32, 128, 16
STRIDES = (8, 16, 32)


def conv(x, filters: int, strides: int = 1):
    x = layers.Conv2D(filters, 3, strides=strides, padding="same", use_bias=False)(x)
    return layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))


def head() -> keras.Model:
    x = layers.Input((None, None, 2 * WIDTH))
    boxes = layers.Conv2D(4, 3, padding="same", activation="softplus")(conv(x, 2 * WIDTH))
    rare = keras.initializers.Constant(-4.6)
    kinds = layers.Conv2D(CLASSES, 3, padding="same", bias_initializer=rare)(conv(x, 2 * WIDTH))
    return keras.Model(x, [layers.Reshape((-1, 4))(boxes), layers.Reshape((-1, CLASSES))(kinds)])


def detector() -> keras.Model:
    """The network: images to distances of the edges, (A, 4), and logits, (A, classes)."""
    image = layers.Input((SIDE, SIDE, 3))
    x = conv(conv(image, WIDTH, 2), WIDTH, 2)
    c3 = conv(conv(x, 2 * WIDTH, 2), 2 * WIDTH)
    c4 = conv(conv(c3, 4 * WIDTH, 2), 4 * WIDTH)
    c5 = conv(conv(c4, 4 * WIDTH, 2), 4 * WIDTH)
    p5 = layers.Conv2D(2 * WIDTH, 1)(c5)
    p4 = layers.Add()([layers.Conv2D(2 * WIDTH, 1)(c4), layers.UpSampling2D()(p5)])
    p3 = layers.Add()([layers.Conv2D(2 * WIDTH, 1)(c3), layers.UpSampling2D()(p4)])
    shared = head()
    regression, logits = zip(*(shared(level) for level in (p3, p4, p5)), strict=True)
    return keras.Model(image, [layers.Concatenate(axis=1)(regression), layers.Concatenate(axis=1)(logits)])


def points() -> tuple[tf.Tensor, tf.Tensor]:
    """The center of each cell, (A, 2), and its size, (A,)."""

    def levels() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for stride in STRIDES:
            middles = np.arange(SIDE // stride) * stride + stride / 2
            y, x = np.meshgrid(middles, middles, indexing="ij")
            yield np.stack([x.ravel(), y.ravel()], -1), np.full(x.size, stride)

    places, sizes = zip(*levels(), strict=True)
    return tf.constant(np.concatenate(places), tf.float32), tf.constant(np.concatenate(sizes), tf.float32)


PLACES, SIZES = points()


def match(boxes: tf.Tensor, classes: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """The box of each point, (B, A, 4), and its class, (B, A), −1 for background."""
    x, y = PLACES[None, :, None, 0], PLACES[None, :, None, 1]
    x1, y1, x2, y2 = (boxes[:, None, :, side] for side in range(4))
    edges = tf.stack([x - x1, y - y1, x2 - x, y2 - y], -1)
    farthest = tf.reduce_max(edges, -1)
    size = SIZES[None, :, None]
    low = tf.where(size > STRIDES[0], 1.5 * size, -np.inf)
    high = tf.where(size < STRIDES[-1], 3.0 * size, np.inf)
    away = tf.maximum(tf.abs(x - (x1 + x2) / 2), tf.abs(y - (y1 + y2) / 2))
    fits = (tf.reduce_min(edges, -1) > 0) & (farthest > low) & (farthest <= high) & (away <= 1.5 * size)
    fits &= (classes >= 0)[:, None]
    area = tf.where(fits, (x2 - x1) * (y2 - y1), np.inf)
    best = tf.argmin(area, -1)
    found = tf.reduce_any(fits, -1)
    label = tf.where(found, tf.gather(classes, best, batch_dims=1), -1)
    return tf.gather(boxes, best, batch_dims=1), label


def decode(regression: tf.Tensor) -> tf.Tensor:
    distances = regression * SIZES[None, :, None]
    return tf.concat([PLACES - distances[..., :2], PLACES + distances[..., 2:]], -1)


def giou(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    def area(corner: tf.Tensor, end: tf.Tensor) -> tf.Tensor:
        return tf.reduce_prod(tf.maximum(end - corner, 0), -1)

    both = area(tf.maximum(a[..., :2], b[..., :2]), tf.minimum(a[..., 2:], b[..., 2:]))
    union = area(a[..., :2], a[..., 2:]) + area(b[..., :2], b[..., 2:]) - both
    around = area(tf.minimum(a[..., :2], b[..., :2]), tf.maximum(a[..., 2:], b[..., 2:]))
    return both / (union + 1e-7) - (around - union) / (around + 1e-7)


def loss(regression: tf.Tensor, logits: tf.Tensor, boxes: tf.Tensor, classes: tf.Tensor) -> tf.Tensor:
    """The focal loss of the classes and the GIoU loss of the boxes, both by match."""
    target, label = match(boxes, classes)
    found = tf.cast(label >= 0, tf.float32)
    matches = tf.maximum(tf.reduce_sum(found), 1)
    wanted = tf.one_hot(label, CLASSES)
    signed = tf.where(wanted > 0, logits, -logits)
    share = tf.where(wanted > 0, 0.25, 0.75) * (1 - tf.sigmoid(signed)) ** 2
    kinds = tf.reduce_sum(share * tf.nn.softplus(-signed)) / matches
    apart = 1 - giou(target, decode(regression))
    return kinds + tf.reduce_sum(tf.where(label >= 0, apart, 0)) / matches


def detect(model: keras.Model, images: np.ndarray) -> dict[str, np.ndarray]:
    regression, logits = model.predict(images.astype(np.float32) / 255, batch_size=BATCH, verbose=0)
    boxes = tf.clip_by_value(decode(regression), 0, SIDE)
    x1, y1, x2, y2 = tf.unstack(boxes, axis=-1)
    found = tf.image.combined_non_max_suppression(
        tf.stack([y1, x1, y2, x2], -1)[:, :, None], tf.sigmoid(logits), 20, 20, 0.5, 0.05, clip_boxes=False
    )
    y1, x1, y2, x2 = tf.unstack(found.nmsed_boxes, axis=-1)
    there = tf.sequence_mask(found.valid_detections, 20)
    kinds = tf.where(there, tf.cast(found.nmsed_classes, tf.int32), -1)
    return {"boxes": tf.stack([x1, y1, x2, y2], -1).numpy(), "scores": found.nmsed_scores.numpy(), "class": kinds.numpy()}


def main() -> None:
    task = Task.from_arguments()
    keras.utils.set_random_seed(0)
    model = detector()
    optimizer = keras.optimizers.AdamW(0.002, weight_decay=0.01)
    optimizer.build(model.trainable_variables)

    @tf.function
    def step(images: tf.Tensor, boxes: tf.Tensor, classes: tf.Tensor) -> None:
        with tf.GradientTape() as tape:
            value = loss(*model(images, training=True), boxes, classes)
        optimizer.apply(tape.gradient(value, model.trainable_variables))

    steps, minutes = train_for(task.minutes, optimizer, step, augmented(read(task.scenes / "train"), BATCH))
    report = {"parameters": model.count_params(), "minutes": minutes, "images": BATCH * steps}
    task.finish(detect(model, read(task.scenes / "test").images), report)


if __name__ == "__main__":
    main()
