"""Baselines of a classification, which need no training: the most frequent class, and the nearest neighbors."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.data.examples import Examples
from nnspec.diagnostics import NnspecError
from nnspec.training.evaluation.predictions import ClassPredictions, true_classes
from nnspec.training.plan import OutputPlan

NEIGHBORS = 5
"""The number of neighbors that vote."""

UNREADABLE = "the training data cannot be read"

_MOST_TRAINING = 4_000
_MOST_ROWS = 2_000
"""The most examples that are classified."""

_MOST_FEATURES = 4_096
"""The most numbers of an example. With the limits on examples, the distances take a few seconds."""


def baselines(
    output: OutputPlan, found: ClassPredictions, examples: Examples, training: Callable[[], Examples | str]
) -> dict[str, Any]:
    """Computes the accuracy of the baselines of one output.

    Args:
        output: The plan of the output.
        found: Its predictions, on which the baselines are scored too.
        examples: The examples of the predictions.
        training: Reads the training examples, or returns why there are none. It is called only if they are used.

    Returns:
        ``majority``, the accuracy of the class that is the most frequent in the evaluated data; and ``nearest_neighbors``: a
        vote of the 5 nearest training examples (Cover and Hart 1967) by the distance of the inputs, flattened and
        standardized. It has ``accuracy``, ``neighbors``, ``training`` and ``rows``, the numbers of training and evaluated
        examples that are used, evenly spread; or ``skipped``, the reason.
    """
    counts = np.bincount(found.true, minlength=1)
    majority = float(counts.max() / max(1, len(found.true)))
    reason = _reason(found, examples)
    try:
        nearest = _neighbors(output, found, examples, reason or training())
    except NnspecError:  # an image that is read on access
        nearest = {"skipped": UNREADABLE}
    return {"majority": majority, "nearest_neighbors": nearest}


def _reason(found: ClassPredictions, examples: Examples) -> str:
    """Why there are no neighbors, as far as this is known without the training data; empty if there are."""
    if found.each > 1:
        return "an example has several labels"
    if not len(found.true):
        return "there are no examples"
    for name, values in examples.inputs.items():
        if not np.issubdtype(values.dtype, np.floating):
            return f"the values of `{name}` are indices"
    features = _features(examples)
    return f"an example has {features:,} numbers, more than {_MOST_FEATURES:,}" if features > _MOST_FEATURES else ""


def _features(examples: Examples) -> int:
    return sum(math.prod(values.shape[1:]) for values in examples.inputs.values())


def _neighbors(output: OutputPlan, found: ClassPredictions, examples: Examples, train: Examples | str) -> dict[str, Any]:
    """The accuracy of the nearest neighbors, or why it is not computed."""
    if isinstance(train, str):
        return {"skipped": train}
    if _features(train) != _features(examples):
        return {"skipped": "the examples have other sizes than the training examples"}
    need = output.need
    assert need is not None
    train = train.only(_spread(len(train), _MOST_TRAINING))
    labels = true_classes(need.kind, train.batch(slice(None)).targets[output.name], need.axis)
    if need.ignore is not None:
        train, labels = train.only(labels != need.ignore), labels[labels != need.ignore]
    if len(train) < NEIGHBORS:
        return {"skipped": f"there are fewer than {NEIGHBORS} training examples"}
    rows = _spread(len(found.true), _MOST_ROWS)
    predicted = _vote(_flat(train), labels, _flat(examples.only(found.examples[rows])))
    accuracy = float((predicted == found.true[rows]).mean())
    return {"accuracy": accuracy, "neighbors": NEIGHBORS, "training": len(train), "rows": len(rows)}


def _spread(count: int, most: int) -> NDArray[np.int64]:
    """At most `most` positions, evenly spread."""
    return np.linspace(0, count - 1, min(count, most)).astype(np.int64)


def _flat(examples: Examples) -> NDArray[np.float32]:
    """The inputs of each example as one row."""
    inputs: Mapping[str, NDArray[Any]] = examples.batch(slice(None)).inputs
    return np.concatenate([np.asarray(inputs[name], np.float32).reshape(len(examples), -1) for name in sorted(inputs)], 1)


def _vote(train: NDArray[np.float32], labels: NDArray[np.int64], tested: NDArray[np.float32]) -> NDArray[np.int64]:
    """The classes of the neighbors' majority; inputs that are not finite are taken as the mean."""
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(np.where(np.isfinite(train), train, np.nan))
    scaled = [np.nan_to_num(scaler.transform(np.where(np.isfinite(part), part, np.nan))) for part in (train, tested)]
    voters = KNeighborsClassifier(NEIGHBORS, algorithm="brute").fit(scaled[0], labels)
    predicted: NDArray[np.int64] = voters.predict(scaled[1])
    return predicted


def baselines_text(found: Mapping[str, Any]) -> str:
    """Formats baselines as a line.

    Example:
        >>> baselines_text({"majority": 0.5, "nearest_neighbors": {"skipped": "an example has several labels"}})
        'most frequent class 0.5000; nearest neighbors: not computed, an example has several labels'
    """
    nearest = found["nearest_neighbors"]
    if "skipped" in nearest:
        neighbors = f"nearest neighbors: not computed, {nearest['skipped']}"
    else:
        neighbors = (
            f"{nearest['neighbors']} nearest neighbors {nearest['accuracy']:.4f} "
            f"({nearest['rows']:,} examples, {nearest['training']:,} for training)"
        )
    return f"most frequent class {found['majority']:.4f}; {neighbors}"
