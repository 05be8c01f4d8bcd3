"""The same pair as ``specs/dcgan.nnspec.yaml`` written by hand in Keras, trained by its ``fit``.

Run ``python -m examples.dcgan.by_hand train -o by_hand.npz`` for what it makes after so many epochs, and
``python -m examples.dcgan.by_hand speed`` for its steps a second beside ours, by turns in one process.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import tensorflow as tf

SPEC = "specs/dcgan.nnspec.yaml"
NOISE, BATCH, AVERAGE = 64, 64, 0.999


def generator() -> keras.Model:
    """Noise to a digit."""
    return keras.Sequential(
        [
            keras.Input((NOISE,)),
            keras.layers.Dense(512, use_bias=False),
            keras.layers.BatchNormalization(),
            keras.layers.ReLU(),
            keras.layers.Dense(3136, use_bias=False),
            keras.layers.BatchNormalization(),
            keras.layers.ReLU(),
            keras.layers.Reshape((7, 7, 64)),
            keras.layers.Conv2DTranspose(48, 4, strides=2, padding="same", use_bias=False),
            keras.layers.BatchNormalization(),
            keras.layers.ReLU(),
            keras.layers.Conv2DTranspose(1, 4, strides=2, padding="same", activation="tanh"),
        ]
    )


def discriminator() -> keras.Model:
    """A digit to a logit."""
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Conv2D(32, 4, strides=2, padding="same"),
            keras.layers.LeakyReLU(0.2),
            keras.layers.Conv2D(64, 4, strides=2, padding="same", use_bias=False),
            keras.layers.BatchNormalization(),
            keras.layers.LeakyReLU(0.2),
            keras.layers.Flatten(),
            keras.layers.Dense(256),
            keras.layers.LeakyReLU(0.2),
            keras.layers.Dense(1),
        ]
    )


class DCGAN(keras.Model):
    """The step of Keras's own example of a DCGAN, with real and made examples as batches apart, as Radford et al. have it."""

    def __init__(self) -> None:
        super().__init__()
        self.generator, self.discriminator = generator(), discriminator()
        self.seeds = keras.random.SeedGenerator(7)
        self.d_loss, self.g_loss = keras.metrics.Mean(name="d_loss"), keras.metrics.Mean(name="g_loss")
        self.loss_fn = keras.losses.BinaryCrossentropy(from_logits=True)

    def compile(self, d_optimizer: Any, g_optimizer: Any) -> None:
        super().compile()
        self.d_optimizer, self.g_optimizer = d_optimizer, g_optimizer

    @property
    def metrics(self) -> list[Any]:
        return [self.d_loss, self.g_loss]

    def train_step(self, real: Any) -> dict[str, Any]:
        size = tf.shape(real)[0]
        made = self.generator(keras.random.normal((size, NOISE), seed=self.seeds), training=True)
        with tf.GradientTape() as tape:
            of_real, of_made = self.discriminator(real, training=True), self.discriminator(made, training=True)
            d_loss = self.loss_fn(tf.ones_like(of_real), of_real) + self.loss_fn(tf.zeros_like(of_made), of_made)
        weights = self.discriminator.trainable_weights
        self.d_optimizer.apply_gradients(zip(tape.gradient(d_loss, weights), weights, strict=True))
        noise = keras.random.normal((size, NOISE), seed=self.seeds)
        with tf.GradientTape() as tape:
            of_made = self.discriminator(self.generator(noise, training=True), training=True)
            g_loss = self.loss_fn(tf.ones_like(of_made), of_made)
        weights = self.generator.trainable_weights
        self.g_optimizer.apply_gradients(zip(tape.gradient(g_loss, weights), weights, strict=True))
        self.d_loss.update_state(d_loss)
        self.g_loss.update_state(g_loss)
        return {"d_loss": self.d_loss.result(), "g_loss": self.g_loss.result()}


def built() -> DCGAN:
    """The pair, ready to train."""
    keras.utils.set_random_seed(7)
    model = DCGAN()
    d_rate, g_rate = (keras.optimizers.schedules.CosineDecay(rate, 13_132) for rate in (3e-4, 1e-3))
    model.compile(
        keras.optimizers.Adam(d_rate, beta_1=0.5),
        keras.optimizers.Adam(g_rate, beta_1=0.5, use_ema=True, ema_momentum=AVERAGE),
    )
    return model


def digits() -> NDArray[np.float32]:
    """The 60,000 training pictures of MNIST, from −1 to 1."""
    file = Path("data/mnist/train-images-idx3-ubyte")
    pixels = np.frombuffer(file.read_bytes(), np.uint8, offset=16).reshape(-1, 28, 28, 1)
    return (pixels / np.float32(127.5) - 1).astype(np.float32)


@click.group()
def main() -> None:
    """A DCGAN by hand."""


@main.command()
@click.option("--epochs", default=14, show_default=True)
@click.option("--number", default=10_000, show_default=True, help="How many examples are made at the end.")
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path))
def train(epochs: int, number: int, out: Path) -> None:
    """Train it, and write what it makes."""
    model = built()
    model.fit(digits(), batch_size=BATCH, epochs=epochs, verbose=2)
    model.g_optimizer.finalize_variable_values(model.generator.trainable_weights)
    noise = np.random.default_rng(0).standard_normal((number, NOISE), np.float32)
    np.savez(out, image=model.generator.predict(noise, batch_size=256, verbose=0))


@main.command()
@click.option("--rounds", default=5, show_default=True, help="Turns that each has, after one to compile.")
@click.option("--steps", default=100, show_default=True, help="Steps of a turn.")
def speed(rounds: int, steps: int) -> None:
    """Steps a second of both, by turns."""
    theirs, pictures = built(), digits()[: steps * BATCH]
    ours = _ours(steps)
    rates: dict[str, list[float]] = {"nnspec": [], "by hand": []}
    for i in range(rounds + 1):
        for name, run in (("nnspec", ours), ("by hand", lambda: theirs.fit(pictures, batch_size=BATCH, verbose=0))):
            began = time.perf_counter()
            run()
            if i:
                rates[name].append(steps / (time.perf_counter() - began))
    for name, found in rates.items():
        print(f"{name}: median {np.median(found):.2f} steps/s of {BATCH} examples ({', '.join(f'{r:.2f}' for r in found)})")
    print(f"nnspec / by hand: {np.median(rates['nnspec']) / np.median(rates['by hand']):.2f}")


def _ours(steps: int) -> Any:
    """So many steps of the spec, as its training makes them."""
    from nnspec.spec import load
    from nnspec.training.backends.selection import steps_for
    from nnspec.training.loop.networks import Networks
    from nnspec.training.loop.progress import Quiet
    from nnspec.training.objectives.supervised.task import task_for
    from nnspec.training.run.train import ready

    plan, prepared = ready(load(SPEC), Quiet())
    learner = task_for(Networks(plan.networks, 7), plan, prepared, None).learner(plan.phases[0])
    made = steps_for("tensorflow", learner)
    rows = np.arange(steps * BATCH).reshape(steps, BATCH)
    return lambda: made.train(prepared.train, rows)


if __name__ == "__main__":
    main()
