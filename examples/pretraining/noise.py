"""How much of the noise a denoising autoencoder takes away, on digits it has never seen.

Run ``python examples/pretraining/noise.py runs/denoising_autoencoder [SHEET.png]``; the sheet shows digits, below each with
noise, and below that what is given back.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from nnspec.exporting.keras_reference import keras_reference
from nnspec.files import write_whole
from nnspec.runtime.sheets import sheet
from nnspec.training import Run

_DRAWS, _SHOWN = 10, 16


def main(path: str, picture: str | None = None) -> None:
    """Prints the errors, over ten draws of the noise that was trained with."""
    run = Run.open(path)
    [noise] = run.spec.section("train").plain()["objective"]["autoencoder"]["corrupt"]
    spread = noise["GaussianNoise"]["stddev"]
    images = np.load("data/digits_500/test.npz")["image"]
    restore, draw = keras_reference(run.main, run.weights()), np.random.default_rng(0)
    before, after = [], []
    for _ in range(_DRAWS):
        noisy = images + draw.normal(0, spread, images.shape).astype(np.float32)
        restored = restore({"image": noisy})["restored"]
        before.append(((noisy - images) ** 2).mean())
        after.append(((restored - images) ** 2).mean())
    with_noise, given_back = float(np.mean(before)), float(np.mean(after))
    print(f"{len(images)} digits, noise of {spread}, {_DRAWS} draws")
    for name, error in (("with noise", with_noise), ("given back", given_back)):
        print(f"{name}: mean squared error {error:.4f}, root {error**0.5:.4f}")
    share = given_back / with_noise
    print(f"given back / with noise: {share:.3f}, of the roots {share**0.5:.3f}")
    if picture is not None:
        three = np.concatenate([part[:_SHOWN] for part in (images, noisy, restored)])
        write_whole(Path(picture), sheet(three, 0, 1, columns=_SHOWN))


if __name__ == "__main__":
    main(*sys.argv[1:])
