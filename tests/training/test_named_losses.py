"""Losses and metrics that Keras does not have, against their formulas."""

from __future__ import annotations

import math

import numpy as np
import pytest

keras = pytest.importorskip("keras")

from nnspec.training.catalogue import losses  # noqa: E402
from nnspec.training.catalogue.own_losses import log_gamma  # noqa: E402
from nnspec.training.catalogue.own_metrics import LabelErrorRate  # noqa: E402
from nnspec.training.loop.keras_objects import keras_loss  # noqa: E402

DRAW = np.random.default_rng(0)


def value(name: str, true, predicted, **arguments) -> float:
    loss = keras_loss(losses.LOSSES.get(name)(**arguments))
    return float(loss(np.asarray(true), np.asarray(predicted, np.float32)))


def test_the_gaussian_likelihood_is_that_of_means_and_log_variances():
    true, mean, log_variance = DRAW.normal(size=(3, 5, 2)).astype(np.float32)
    density = np.exp(-((true - mean) ** 2) / (2 * np.exp(log_variance))) / np.sqrt(2 * math.pi * np.exp(log_variance))
    found = value("GaussianNegativeLogLikelihood", true, np.concatenate([mean, log_variance], -1))
    assert found == pytest.approx(-np.log(density).mean(), rel=1e-5)


def test_the_negative_binomial_likelihood_is_that_of_means_and_dispersions():
    true, mean, dispersion = np.float32([[0, 3, 11]]), np.float32([[0.5, 4, 6]]), np.float32([[0.3, 1.5, 0.1]])
    size, p = 1 / dispersion, 1 / (1 + dispersion * mean)
    logs = [
        math.lgamma(k + r) - math.lgamma(k + 1) - math.lgamma(r) + r * math.log(q) + k * math.log(1 - q)
        for k, r, q in zip(true[0], size[0], p[0], strict=True)
    ]
    found = value("NegativeBinomial", true, np.concatenate([mean, dispersion], -1))
    assert found == pytest.approx(-np.mean(logs), rel=1e-4)


def test_log_gamma_has_the_precision_of_float32():
    x = np.float32(np.geomspace(1e-3, 1e4, 200))
    exact = np.array([math.lgamma(value) for value in x])
    assert np.abs(np.asarray(log_gamma(keras.ops.convert_to_tensor(x))) - exact).max() <= 1e-6 * np.abs(exact).max()


def test_the_quantile_loss_weights_errors_of_each_side():
    true, predicted, levels = DRAW.normal(size=(6,)), DRAW.normal(size=(6, 3)), np.array([0.1, 0.5, 0.9])
    error = true[:, None] - predicted
    assert value("Quantile", np.float32(true), predicted, quantiles=levels.tolist()) == pytest.approx(
        np.where(error > 0, levels * error, (levels - 1) * error).mean(), rel=1e-5
    )


def test_the_triplet_loss_takes_the_hardest_pairs_of_a_batch():
    labels, x = np.array([0, 0, 1, 1, 1, 2]), DRAW.normal(size=(6, 3)).astype(np.float32)
    distance = np.linalg.norm(x[:, None] - x[None], axis=-1)
    hard = []
    for i, label in enumerate(labels[:5]):
        positives = [distance[i, j] for j in range(6) if labels[j] == label and j != i]
        negatives = [distance[i, j] for j in range(6) if labels[j] != label]
        hard.append(max(0.0, max(positives) - min(negatives) + 0.5))
    assert value("Triplet", labels, x, margin=0.5) == pytest.approx(np.mean(hard), rel=1e-5)


def test_the_contrastive_loss_is_hadsells():
    distance, similar = np.float32([0.2, 0.7, 1.4]), np.float32([1, 0, 0])
    assert value("ContrastivePairs", similar, distance) == pytest.approx((0.04 + 0.09 + 0) / 3, rel=1e-5)


def distance(a: list[int], b: list[int]) -> int:
    rows = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, rows[0] = rows[0], i
        for j, y in enumerate(b, 1):
            before, rows[j] = rows[j], min(rows[j] + 1, rows[j - 1] + 1, before + (x != y))
    return rows[-1]


def test_the_label_error_rate_is_the_edit_distance_of_the_best_path():
    errors = length = 0
    paths, targets = DRAW.integers(0, 4, (20, 9)), np.zeros((20, 6), np.int32)
    for path, target in zip(paths, targets, strict=True):
        wanted = DRAW.integers(1, 4, DRAW.integers(1, 7))
        target[: len(wanted)] = wanted
        merged = [int(b) for a, b in zip([0, *path], path, strict=False) if b != a and b]
        errors, length = errors + distance(merged, wanted.tolist()), length + len(wanted)
    metric = LabelErrorRate()
    metric.update_state(targets, np.eye(4, dtype=np.float32)[paths])
    assert float(metric.result()) == pytest.approx(errors / length)


@pytest.mark.parametrize(
    ("loss", "units", "codes"),
    [
        ("GaussianNegativeLogLikelihood", 4, set()),
        ("GaussianNegativeLogLikelihood", 3, {"NN504"}),
        ("{Quantile: {quantiles: [0.1, 0.9]}}", 2, set()),
        ("{Quantile: {quantiles: [0.1, 0.9]}}", 3, {"NN504"}),
        ("Triplet", 8, set()),
        ("PinballLoss", 8, {"NN109"}),
    ],
)
def test_a_loss_states_which_outputs_it_applies_to(tmp_path, loss, units, codes):
    from nnspec.api import validate

    file = tmp_path / "a.nnspec.yaml"
    file.write_text(
        f"nnspec: 1\nname: a\ninputs: {{x: [4]}}\nlayers:\n  - Dense: {{units: {units}}}\n    name: y\n"
        f"train: {{epochs: 1, loss: {loss}}}\n",
        encoding="utf-8",
    )
    assert {problem.code for problem in validate(file)} == codes
