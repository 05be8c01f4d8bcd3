"""What a variational autoencoder has learned: its evidence lower bound on the test data, and sheets of what it draws.

The bound is estimated with a draw for each example, as Kingma and Welling 2014 do; training logs its negative, and validation
too, with the mean in the draw's place. Writes ``samples.png`` (codes drawn from the normal distribution), ``restored.png``
(test digits, below each what becomes of it) and ``between.png`` (from one test digit to another, along a line of codes).
Run ``python examples/vae/bound.py runs/vae FOLDER``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from nnspec.exporting.keras_reference import keras_reference
from nnspec.files import write_whole
from nnspec.runtime.sheets import sheet
from nnspec.training import Run
from nnspec.training.evaluation.evaluate import examples_of

_ROWS, _STEPS = 8, 12


def main(path: str, folder: str) -> None:
    """Prints the bound and writes the sheets."""
    run = Run.open(path)
    _, examples = examples_of(run, "test")
    images = examples.batch(slice(None)).inputs["image"]
    encode, decode = (keras_reference(run.model.networks[name], run.weights()) for name in ("encoder", "decoder"))
    codes = encode({"image": images})
    mean, log_variance = codes["mean"], codes["log_variance"]
    random = np.random.default_rng(0)
    drawn = mean + np.exp(log_variance / 2) * random.standard_normal(mean.shape, np.float32)
    likely = np.clip(decode({"code": drawn})["image"], 1e-7, 1 - 1e-7)
    restoring = -(images * np.log(likely) + (1 - images) * np.log(1 - likely)).sum((1, 2, 3)).mean()
    divergence = (mean**2 + np.exp(log_variance) - 1 - log_variance).sum(1).mean() / 2
    parts = f"{restoring:.2f} to restore, {divergence:.2f} of divergence"
    print(f"evidence lower bound: {-restoring - divergence:.2f} nats a digit ({parts})")
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    fresh = random.standard_normal((_ROWS * _STEPS, mean.shape[1]), np.float32)
    write_whole(place / "samples.png", sheet(decode({"code": fresh})["image"], 0, 1, columns=_STEPS))
    chosen = images[:_STEPS]
    both = np.concatenate([chosen, decode({"code": mean[:_STEPS]})["image"]])
    write_whole(place / "restored.png", sheet(both, 0, 1, columns=_STEPS))
    share = np.linspace(0, 1, _STEPS, dtype=np.float32)[None, :, None]
    ends = mean[: 2 * _ROWS].reshape(_ROWS, 2, 1, -1)
    line = (ends[:, 0] * (1 - share) + ends[:, 1] * share).reshape(_ROWS * _STEPS, -1)
    write_whole(place / "between.png", sheet(decode({"code": line})["image"], 0, 1, columns=_STEPS))


if __name__ == "__main__":
    main(*sys.argv[1:])
