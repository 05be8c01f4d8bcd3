"""Baselines that need no training: the most frequent class or the mean, the last value of a series, the nearest neighbors."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.data.examples import Examples
from nnspec.data.units import Units
from nnspec.diagnostics import NnspecError
from nnspec.training.evaluation.number_errors import number_errors
from nnspec.training.evaluation.predictions import ClassPredictions, NumberPredictions, true_classes
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


def number_baselines(
    output: OutputPlan,
    found: NumberPredictions,
    examples: Examples,
    training: Callable[[], Examples | str],
    units: Units | None = None,
    last: NDArray[np.float64] | None = None,
) -> dict[str, Any]:
    """Computes the errors of the baselines of one output of numbers.

    Args:
        output: The plan of the output.
        found: Its predictions, in the units of the data.
        examples: The examples of the predictions.
        training: Reads the training examples, or returns why there are none.
        units: The units of the output, if its targets were transformed.
        last: The last known value of each example of a series, with the shape of the targets; None if there is none.

    Returns:
        ``mean``, the mean of the training targets; ``last_value``, if the target is the future of a series that is an input;
        and ``nearest_neighbors``, the mean of the 5 nearest training examples by the distance of the inputs, as for classes.
        Each has ``mean_absolute_error``, ``root_mean_squared_error`` and ``r2``; or ``skipped``, the reason.
    """
    train = training()
    compared: dict[str, Any] = {"mean": {"skipped": train}} if isinstance(train, str) else {}
    try:
        if isinstance(train, Examples):
            targets = _targets(output, train, units)
            if targets.shape[1:] == found.true.shape[1:] and len(targets):
                compared["mean"] = number_errors(found.true, np.broadcast_to(targets.mean(0), found.true.shape))
            else:
                compared["mean"] = {"skipped": "the targets have other sizes than the training targets"}
        if last is not None:
            compared["last_value"] = number_errors(found.true, last)
        compared["nearest_neighbors"] = _mean_of_neighbors(output, found, examples, train, units)
    except NnspecError:  # an image that is read on access
        compared = {"mean": {"skipped": UNREADABLE}, **compared, "nearest_neighbors": {"skipped": UNREADABLE}}
    return compared


def _targets(output: OutputPlan, examples: Examples, units: Units | None) -> NDArray[np.float64]:
    """The targets of all examples, in the units of the data."""
    values = np.asarray(examples.batch(slice(None)).targets[output.name], np.float64)
    return values if units is None else units.to_data(values, examples.own_series)


def _mean_of_neighbors(
    output: OutputPlan, found: NumberPredictions, examples: Examples, train: Examples | str, units: Units | None
) -> dict[str, Any]:
    reason = train if isinstance(train, str) else _no_distance(examples)
    if reason or isinstance(train, str):
        return {"skipped": reason}
    if math.prod(found.true.shape[1:]) > _MOST_FEATURES:
        return {"skipped": f"a target has more than {_MOST_FEATURES:,} numbers"}
    if _features(train) != _features(examples):
        return {"skipped": "the examples have other sizes than the training examples"}
    train = train.only(_spread(len(train), _MOST_TRAINING))
    if len(train) < NEIGHBORS:
        return {"skipped": f"there are fewer than {NEIGHBORS} training examples"}
    rows = _spread(len(found.true), _MOST_ROWS)
    targets = _targets(output, train, units)
    if targets.shape[1:] != found.true.shape[1:]:
        return {"skipped": "the targets have other sizes than the training targets"}
    near = _neighbors_of(_flat(train), _flat(examples.only(rows)))
    errors = number_errors(found.true[rows], targets[near].mean(1))
    return {**errors, "neighbors": NEIGHBORS, "training": len(train), "rows": len(rows)}


def _reason(found: ClassPredictions, examples: Examples) -> str:
    """Why there are no neighbors, as far as this is known without the training data; empty if there are."""
    if found.each > 1:
        return "an example has several labels"
    if not len(found.true):
        return "there are no examples"
    return _no_distance(examples)


def _no_distance(examples: Examples) -> str:
    """Why no distance of the inputs is computed; empty if it is."""
    if not len(examples):
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
    """The classes of the neighbors' majority."""
    from sklearn.neighbors import KNeighborsClassifier

    scaled = _standardized(train, tested)
    voters = KNeighborsClassifier(NEIGHBORS, algorithm="brute").fit(scaled[0], labels)
    predicted: NDArray[np.int64] = voters.predict(scaled[1])
    return predicted


def _neighbors_of(train: NDArray[np.float32], tested: NDArray[np.float32]) -> NDArray[np.int64]:
    """The positions of the neighbors of each example, (N, 5)."""
    from sklearn.neighbors import NearestNeighbors

    scaled = _standardized(train, tested)
    found: NDArray[np.int64] = (
        NearestNeighbors(n_neighbors=NEIGHBORS, algorithm="brute").fit(scaled[0]).kneighbors(scaled[1], return_distance=False)
    )
    return found


def _standardized(train: NDArray[np.float32], tested: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """Both parts, scaled by the training part; inputs that are not finite are taken as the mean."""
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(np.where(np.isfinite(train), train, np.nan))
    return [np.nan_to_num(scaler.transform(np.where(np.isfinite(part), part, np.nan))) for part in (train, tested)]


def baseline_names(found: Mapping[str, Any]) -> dict[str, str]:
    """The baselines of an output that were computed, each with its description.

    Example:
        >>> baseline_names({"majority": 0.5, "nearest_neighbors": {"skipped": "an example has several labels"}})
        {'majority': 'most frequent class'}
    """
    names = {
        "majority": "most frequent class",
        "mean": "mean of the training targets",
        "last_value": "last value",
        "nearest_neighbors": f"{NEIGHBORS} nearest neighbors",
    }
    return {key: names[key] for key, value in found.items() if not (isinstance(value, Mapping) and "skipped" in value)}


def distinct_baselines(reports: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    """The baselines of several outputs, those that outputs with the same targets share only once.

    Args:
        reports: The report of each output, by name.

    Returns:
        Descriptions and metrics. A description names the outputs if it does not hold for all of them.

    Example:
        >>> distinct_baselines({"a": {"baselines": {"majority": 0.5}}, "b": {"baselines": {"majority": 0.5}}})
        [('most frequent class', {'accuracy': 0.5})]
    """
    found: list[tuple[str, dict[str, Any], list[str]]] = []
    for output, report in reports.items():
        compared = report.get("baselines", {})
        for key, name in baseline_names(compared).items():
            metrics = {"accuracy": compared[key]} if key == "majority" else dict(compared[key])
            same = next((entry for entry in found if entry[:2] == (name, metrics)), None)
            if same is None:
                found.append((name, metrics, [output]))
            else:
                same[2].append(output)
    return [
        (name if len(outputs) == len(reports) else f"{', '.join(outputs)}: {name}", metrics) for name, metrics, outputs in found
    ]


def baselines_text(found: Mapping[str, Any]) -> str:
    """Formats baselines as a line.

    Example:
        >>> baselines_text({"majority": 0.5, "nearest_neighbors": {"skipped": "an example has several labels"}})
        'most frequent class 0.5000; nearest neighbors: not computed, an example has several labels'
    """
    nearest = found["nearest_neighbors"]
    if "majority" not in found:
        named = baseline_names(found)
        parts = [f"{name} {found[key]['mean_absolute_error']:.4g}" for key, name in named.items()]
        return "; ".join(parts) or f"not computed, {nearest['skipped']}"
    if "skipped" in nearest:
        neighbors = f"nearest neighbors: not computed, {nearest['skipped']}"
    else:
        neighbors = (
            f"{nearest['neighbors']} nearest neighbors {nearest['accuracy']:.4f} "
            f"({nearest['rows']:,} examples, {nearest['training']:,} for training)"
        )
    return f"most frequent class {found['majority']:.4f}; {neighbors}"
