"""Judges what a generator makes of digits by a classifier that was trained on real ones.

Run ``python -m examples.dcgan.judge runs/dcgan runs/mnist_diffusion runs/lenet5``: any number of generators, then the
classifier. A generator can be ``.npz`` with an array ``image`` from −1 to 1, as ``examples.dcgan.by_hand`` writes it. Of a
conditional one it also counts how often the requested digit is predicted.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from nnspec.exporting.run_models import RunSampler
from nnspec.graph.model import Ref
from nnspec.onnx_backend import to_onnx
from nnspec.onnx_backend.proto import serialized
from nnspec.runtime.model_file import ModelFile
from nnspec.training import Run
from nnspec.training.evaluation.evaluate import examples_of

__all__ = ["Judge", "frechet"]

_FEATURES = "dense_1"
"""The layer of `lenet5` before its classes: 84 features."""
_BATCH = 500


class Judge:
    """A classifier's answers and features.

    Args:
        run: A run of ``specs/lenet5.nnspec.yaml``.
    """

    def __init__(self, run: Run) -> None:
        graph = run.main.giving({"digit": run.main.outputs["digit"], "features": Ref(_FEATURES)})
        self._model = ModelFile(serialized(to_onnx(graph, run.weights())), f"`{run.path}`")

    def __call__(self, images: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The probabilities of each digit, (N, 10), and the features, (N, 84), of pictures (N, 28, 28, 1) from 0 to 1."""
        parts = [self._model({"image": images[i : i + _BATCH].astype(np.float32)}) for i in range(0, len(images), _BATCH)]
        digits, features = (np.concatenate([part[name] for part in parts]).astype(np.float64) for name in ("digit", "features"))
        return digits, features


def frechet(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """The Fréchet distance between two normal distributions fitted to features (Heusel et al. 2017, equation 6).

    Example:
        >>> rows = np.random.default_rng(0).normal(size=(100, 3))
        >>> round(frechet(rows, rows), 6), round(frechet(rows, rows + 2), 6)
        (0.0, 12.0)
    """
    means = [rows.mean(0) for rows in (first, second)]
    spreads = [np.cov(rows, rowvar=False) for rows in (first, second)]
    # The trace of the root of a product of two covariances: its eigenvalues are real and not negative.
    roots = np.sqrt(np.maximum(np.linalg.eigvals(spreads[0] @ spreads[1]).real, 0.0)).sum()
    apart = float(((means[0] - means[1]) ** 2).sum() + np.trace(spreads[0]) + np.trace(spreads[1]) - 2 * roots)
    return max(apart, 0.0)


def judged(judge: Judge, images: NDArray[Any], real: NDArray[np.float64]) -> tuple[dict[str, Any], NDArray[np.int64]]:
    """The share of each digit, the mean of the highest probability, the distance to real features; and what was predicted."""
    digits, features = judge(images)
    predicted = digits.argmax(1)
    shares = np.bincount(predicted, minlength=10) / len(predicted)
    figures = {
        "number": len(images),
        "shares": [round(float(share), 4) for share in shares],
        "mean_confidence": round(float(digits.max(1).mean()), 4),
        "frechet": round(frechet(features, real), 3),
    }
    return figures, predicted


def _of_run(path: Path, count: int, seed: int) -> tuple[NDArray[np.float64], NDArray[Any] | None]:
    """Pictures from 0 to 1, and what was asked for where there are conditions."""
    sampler = RunSampler(path)
    found, samples = sampler.sample(count, seed=seed), sampler.samples
    asked = found[samples.conditions[0]] if samples.conditions else None
    return np.clip((found[samples.output] - samples.low) / (samples.high - samples.low), 0, 1), asked


def _of_file(path: Path) -> NDArray[np.float64]:
    with np.load(path) as arrays:
        return np.clip((arrays["image"].astype(np.float64) + 1) / 2, 0, 1)


@click.command()
@click.argument("generators", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.argument("classifier", type=click.Path(exists=True, path_type=Path))
@click.option("--number", default=10_000, show_default=True, help="How many examples are made.")
@click.option("--seed", default=0, show_default=True, help="Which noise is drawn.")
def main(generators: tuple[Path, ...], classifier: Path, number: int, seed: int) -> None:
    """Prints the metrics of generated digits, of held-out real digits and of noise, as JSON lines."""
    run = Run.open(classifier)
    judge = Judge(run)
    parts = {part: examples_of(run, part)[1] for part in ("train", "test")}
    real = {part: np.asarray(examples.batch(slice(0, number)).inputs["image"]) for part, examples in parts.items()}
    _, reference = judge(real["train"])
    for made in generators:
        images, asked = (_of_file(made), None) if made.suffix == ".npz" else _of_run(made, number, seed)
        figures, predicted = judged(judge, images, reference)
        if asked is not None:
            figures["as_asked"] = round(float((predicted == asked).mean()), 4)
        print(json.dumps({"of": str(made), **figures}), flush=True)
    print(json.dumps({"of": "held-out real digits", **judged(judge, real["test"], reference)[0]}))
    noise = np.random.default_rng(seed).uniform(size=(number, 28, 28, 1))
    print(json.dumps({"of": "uniform noise", **judged(judge, noise, reference)[0]}))


if __name__ == "__main__":
    main()
