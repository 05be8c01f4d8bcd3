"""The U-Net of ``specs/unet_nuclei.nnspec.yaml`` written by hand in Keras and trained by its ``fit``, on the same pictures.

It has the same layers, loss, border weights, random changes, optimizer and epochs, and keeps the weights of the epoch that is
best by the same figure. Run ``python -m examples.segmentation.by_hand data/nuclei -o runs/by_hand_nuclei``.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import click
import numpy as np
from PIL import Image
from scipy import ndimage

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import tensorflow as tf

from examples.segmentation.dice import line_of, side_by_side

BASE, DEPTH, BATCH, EPOCHS, W0, SIGMA = 16, 3, 8, 60, 10.0, 5.0


def double_conv(x, filters: int):
    for _ in range(2):
        x = keras.layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
        x = keras.layers.BatchNormalization()(x)
        x = keras.layers.ReLU()(x)
    return x


def unet() -> keras.Model:
    """Grey pictures of any size that 8 divides to how likely each pixel is of a nucleus."""
    inputs = x = keras.Input((None, None, 1))
    skips = []
    for level in range(DEPTH):
        skips.append(double_conv(x, BASE * 2**level))
        x = keras.layers.MaxPooling2D()(skips[-1])
    x = double_conv(x, BASE * 2**DEPTH)
    for level in reversed(range(DEPTH)):
        x = keras.layers.Conv2DTranspose(BASE * 2**level, 2, strides=2)(x)
        x = double_conv(keras.layers.Concatenate()([x, skips[level]]), BASE * 2**level)
    return keras.Model(inputs, keras.layers.Conv2D(1, 1, activation="sigmoid")(x))


def border_weights(mask: np.ndarray) -> np.ndarray:
    """Equation 2 of Ronneberger et al. (2015) with all classes alike: 1, and more in the gaps."""
    pieces, count = ndimage.label(mask)
    if count < 2:
        return np.ones(mask.shape, np.float32)
    distances = np.sort([ndimage.distance_transform_edt(pieces != number) for number in range(1, count + 1)], 0)
    added = W0 * np.exp(-((distances[0] + distances[1]) ** 2) / (2 * SIGMA**2))
    return (1 + added * (mask == 0)).astype(np.float32)


def pictures(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """The pictures and the masks of a part of the data, (N, H, W, 1)."""
    read = (
        np.stack([np.asarray(Image.open(file)) for file in sorted((folder / name).iterdir())]) for name in ("images", "masks")
    )
    images, masks = read
    return images[..., None].astype(np.float32), masks[..., None].astype(np.float32)


def dice(y_true, y_pred):
    """Of a batch; Keras averages it over the batches."""
    said = tf.cast(y_pred > 0.5, tf.float32)
    return 2 * tf.reduce_sum(y_true * said) / tf.maximum(tf.reduce_sum(y_true) + tf.reduce_sum(said), 1e-7)


def train_set(images: np.ndarray, masks: np.ndarray, weights: np.ndarray, seed: int) -> tf.data.Dataset:
    """Batches of changed pictures; masks and weights stand as two channels of one picture, so that they move as it does."""
    changes = [
        keras.layers.RandomFlip(seed=seed),
        keras.layers.RandomRotation(0.5, fill_mode="reflect", seed=seed),
        keras.layers.RandomElasticTransform(0.5, value_range=(-10, 30), seed=seed),
    ]

    def change(image, mask, weight):
        group = {"images": image, "segmentation_masks": tf.concat([mask, weight], -1)}
        for layer in changes:
            group = layer(group, training=True)
        return group["images"], group["segmentation_masks"][..., :1], group["segmentation_masks"][..., 1:]

    data = tf.data.Dataset.from_tensor_slices((images, masks, weights)).shuffle(len(images), seed=seed)
    return data.batch(BATCH).map(change)


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True))
@click.option("-o", "--out", type=click.Path(path_type=Path), required=True, help="A folder for the weights and the picture.")
@click.option("--epochs", default=EPOCHS, show_default=True)
@click.option("--seed", default=1, show_default=True)
def main(folder: Path, out: Path, epochs: int, seed: int) -> None:
    """Trains, and prints the figures of the test pictures."""
    keras.utils.set_random_seed(seed)
    out.mkdir(parents=True, exist_ok=True)
    parts = {part: pictures(folder / part) for part in ("train", "validation", "test")}
    mean, deviation = parts["train"][0].mean(), parts["train"][0].std()
    scaled = {part: ((images - mean) / deviation, masks) for part, (images, masks) in parts.items()}
    weights = {part: np.stack([*map(border_weights, masks[..., 0])])[..., None] for part, (_, masks) in parts.items()}
    model = unet()
    steps = -(-len(parts["train"][0]) // BATCH) * epochs
    rate = keras.optimizers.schedules.CosineDecay(2e-3, steps)
    model.compile(keras.optimizers.Adam(rate), "binary_crossentropy", metrics=[dice])
    best = keras.callbacks.ModelCheckpoint(
        out / "best.weights.h5", monitor="val_dice", mode="max", save_best_only=True, save_weights_only=True
    )
    begun = time.perf_counter()
    model.fit(
        train_set(*scaled["train"], weights["train"], seed),
        epochs=epochs,
        validation_data=(*scaled["validation"], weights["validation"]),
        callbacks=[best],
        verbose=2,
    )
    print(f"{epochs} epochs in {(time.perf_counter() - begun) / 60:.1f} minutes, {model.count_params():,} parameters")
    model.load_weights(out / "best.weights.h5")
    said = model.predict(scaled["test"][0], verbose=0)[..., 0] > 0.5
    images, true = parts["test"][0][..., 0], parts["test"][1][..., 0] == 1
    print(f"{'':<12}  Dice    IoU     objects  said")
    for row in range(len(images)):
        print(line_of(f"{row:03}.png", true[row], said[row]))
    print(line_of("all together", true, said))
    side_by_side(images, true, said, out / "dice.png")


if __name__ == "__main__":
    main()
