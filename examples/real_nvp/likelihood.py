"""Prints the log-likelihood of the test digits: of an exported flow, and of densities fitted to the same training digits.

Those are a normal distribution of the gray levels, one of their logits, and a mixture of normal distributions. The weight of
the diagonal of the covariances, and the size of the mixture, are those that are best on the validation digits.
Run ``python examples/real_nvp/likelihood.py runs/real_nvp/model.onnx``.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.mixture import GaussianMixture

from nnspec import Predictor

Values = NDArray[np.float64]
Density = Callable[[Values], Values]
_LEVELS, _MARGIN = 17, 0.05


def normal(digits: Values, diagonal: float) -> Density:
    """Fits a normal distribution.

    Args:
        digits: The digits, (N, 64).
        diagonal: How far the covariance is moved towards its diagonal, from 0 to 1.
    """
    mean, covariance = digits.mean(0), np.cov(digits.T)
    covariance = (1 - diagonal) * covariance + diagonal * np.diag(np.diag(covariance))
    inverse, log_det = np.linalg.inv(covariance), np.linalg.slogdet(covariance)[1]

    def density(x: Values) -> Values:
        far = np.einsum("ni,ij,nj->n", x - mean, inverse, x - mean)
        found: Values = -(far + log_det + len(mean) * math.log(2 * math.pi)) / 2
        return found

    return density


def normal_of_logits(digits: Values, diagonal: float) -> Density:
    """Fits a normal distribution to the logits that the flow starts from."""

    def logits(x: Values) -> tuple[Values, Values]:
        share = _MARGIN + (1 - 2 * _MARGIN) * x / _LEVELS
        log_det = math.log((1 - 2 * _MARGIN) / _LEVELS) - np.log(share) - np.log(1 - share)
        return np.log(share) - np.log(1 - share), log_det.sum(1)

    fitted = normal(logits(digits)[0], diagonal)
    return lambda x: fitted(logits(x)[0]) + logits(x)[1]


def mixture(digits: Values, components: int) -> Density:
    """Fits a mixture of normal distributions."""
    found: Density = GaussianMixture(components, reg_covar=0.3, random_state=0).fit(digits).score_samples
    return found


def main(model: str, folder: str = "data/real_nvp") -> None:
    """Prints the log-likelihoods."""
    images = {split: np.load(Path(folder, f"{split}.npz"))["image"] for split in ("train", "validation", "test")}
    digits = {split: values.reshape(-1, 64).astype(np.float64) for split, values in images.items()}

    def best(densities: Iterable[Density]) -> Values:
        return max(densities, key=lambda density: density(digits["validation"]).mean())(digits["test"])

    diagonals = (0.0, 0.01, 0.03, 0.1, 0.3)
    _print("normal distribution", best(normal(digits["train"], diagonal) for diagonal in diagonals))
    _print("normal distribution of the logits", best(normal_of_logits(digits["train"], diagonal) for diagonal in diagonals))
    _print("mixture of normal distributions", best(mixture(digits["train"], size) for size in (3, 5, 8, 12)))
    outputs = Predictor(model).predict({"image": images["test"]})
    z = outputs["z"].astype(np.float64)
    _print("flow", outputs["log_det"][:, 0] - 0.5 * (z**2 + math.log(2 * math.pi)).sum(1))


def _print(name: str, likelihoods: Values) -> None:
    mean, error = likelihoods.mean(), likelihoods.std() / math.sqrt(len(likelihoods))
    print(f"{name}: {mean:.2f} ± {error:.2f} nats per digit, {-mean / 64 / math.log(2):.3f} bits per pixel")


if __name__ == "__main__":
    main(*sys.argv[1:])
