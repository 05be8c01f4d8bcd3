"""Predictions of an output with their targets: classes or numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.data.kinds import TargetKind, decision_rule
from nnspec.data.plan import TargetSource
from nnspec.data.units import Units, units_of
from nnspec.training.plan import OutputPlan


@dataclass(frozen=True)
class ClassPredictions:
    """Predicted classes, one for each position of each example.

    Attributes:
        names: The names of the classes, in order; ``unit 3`` for a unit without a class.
        true: The index of the actual class, (N,).
        predicted: The index of the predicted class, (N,).
        scores: The scores of the classes, (N, C).
        probabilities: Whether the scores are probabilities that sum to 1.
        examples: The index of the example of each position, (N,).
        each: The number of positions of an example; 1 for ordinary classification.
    """

    names: list[Any]
    true: NDArray[np.int64]
    predicted: NDArray[np.int64]
    scores: NDArray[np.floating[Any]]
    probabilities: bool
    examples: NDArray[np.int64]
    each: int

    @property
    def confidence(self) -> NDArray[np.floating[Any]]:
        """The score of the predicted class, (N,)."""
        found: NDArray[np.floating[Any]] = np.take_along_axis(self.scores, self.predicted[:, None], 1)[:, 0]
        return found

    def thinned(self, most: int) -> ClassPredictions:
        """A subset of at most `most` positions, evenly spread, for metrics that sort the scores of each class."""
        step = -(-len(self.true) // most)
        if step <= 1:
            return self
        kept = slice(None, None, step)
        return ClassPredictions(
            self.names,
            self.true[kept],
            self.predicted[kept],
            self.scores[kept],
            self.probabilities,
            self.examples[kept],
            self.each,
        )


@dataclass(frozen=True)
class NumberPredictions:
    """Predicted numbers.

    Attributes:
        true: The targets, with the batch axis first.
        predicted: The predictions, of the same shape.
    """

    true: NDArray[np.float64]
    predicted: NDArray[np.float64]


def predictions_from(
    kind: TargetKind,
    target: NDArray[Any],
    output: NDArray[np.float32],
    *,
    axis: int = -1,
    logits: bool = False,
    ignore: int | None = None,
    classes: list[Any] | None = None,
) -> ClassPredictions | NumberPredictions | None:
    """Converts an output and its targets to predictions.

    Args:
        kind: The kind of the target.
        target: The targets, with the batch axis first.
        output: The output of the model.
        axis: The class axis.
        logits: Whether the output is logits.
        ignore: A class to ignore.
        classes: The names of the classes, in order; None to use their indices.

    Returns:
        The predictions; None if the target is neither classes nor numbers.
    """
    if kind in ("class", "distribution"):
        scores = np.moveaxis(output, axis, -1)
        return _multiclass(true_classes(kind, target, axis), scores, logits=logits, ignore=ignore, classes=classes)
    if kind in ("probability", "sign"):
        return _binary(target, output, signs=kind == "sign", logits=logits, classes=classes)
    if kind in ("number", "non_negative"):
        return NumberPredictions(target.astype(np.float64), output.astype(np.float64))
    return None


def true_classes(kind: TargetKind, target: NDArray[Any], axis: int = -1) -> NDArray[np.int64]:
    """The index of the class of each position of the targets of a classification, (N,).

    Args:
        kind: The kind of the target: `class`, `distribution`, `probability` or `sign`.
        target: The targets, with the batch axis first.
        axis: The class axis of a distribution.

    Example:
        >>> true_classes("distribution", np.array([[0.0, 1.0], [1.0, 0.0]])).tolist()
        [1, 0]
    """
    if kind == "distribution":
        target = target.argmax(axis)
    elif kind in ("probability", "sign"):  # a probability as a target is rounded
        target = target > (0.0 if kind == "sign" and target.min(initial=0) < 0 else 0.5)
    return target.ravel().astype(np.int64)


def _multiclass(
    true: NDArray[np.int64], scores: NDArray[np.float32], *, logits: bool, ignore: int | None, classes: list[Any] | None
) -> ClassPredictions:
    count = scores.shape[-1]
    each = max(1, scores[:1].size // count)
    examples = np.repeat(np.arange(len(scores)), each)
    flat = scores.reshape(-1, count)
    if ignore is not None:
        kept = true != ignore
        flat, true, examples = flat[kept], true[kept], examples[kept]
    if logits:
        flat = np.exp(flat - flat.max(-1, keepdims=True))
        flat /= flat.sum(-1, keepdims=True)
    are_probabilities = bool(flat.size) and bool(flat.min() >= 0) and bool(np.abs(flat.sum(-1) - 1).max() < 1e-3)
    return ClassPredictions(_named(classes, count), true, flat.argmax(-1), flat, are_probabilities, examples, each)


def _named(classes: list[Any] | None, units: int) -> list[Any]:
    """A name for each unit, also for units without a class, which may still be predicted."""
    if not classes:
        return list(range(units))
    return [*classes[:units], *(f"unit {unit}" for unit in range(len(classes), units))]


def _binary(
    target: NDArray[Any], output: NDArray[np.float32], *, signs: bool, logits: bool, classes: list[Any] | None
) -> ClassPredictions:
    each = max(1, output[:1].size)
    examples = np.repeat(np.arange(len(output)), each)
    true = true_classes("sign" if signs else "probability", target)
    yes = output.ravel().astype(np.float64)
    predicted = (yes > decision_rule("sign" if signs else "probability", logits=logits).above).astype(np.int64)
    if logits:
        yes = 0.5 * (1 + np.tanh(0.5 * yes))  # the logistic function, in a form that does not overflow
    no = -yes if signs else 1 - yes
    are_probabilities = not signs and bool(yes.size) and bool(yes.min() >= 0) and bool(yes.max() <= 1)
    return ClassPredictions(_named(classes, 2), true, predicted, np.stack([no, yes], 1), are_probabilities, examples, each)


def output_units(
    outputs: Mapping[str, OutputPlan], sources: Mapping[str, TargetSource], state: Mapping[str, list[dict[str, Any]]]
) -> dict[str, Units]:
    """The units of the outputs whose numeric predictions are not in the units of the data.

    Args:
        outputs: The plan of each output.
        sources: The targets that are computed from an input and have its transforms.
        state: What the transforms learned, by ``inputs.NAME`` and ``targets.NAME``.
    """
    found = {}
    for name, output in outputs.items():
        need = output.need
        if need is None or need.target is not None or decision_rule(need.kind).kind != "number":
            continue
        if need.kind in ("label", "sequence", "integer"):
            continue
        place = f"inputs.{sources[name].input}" if name in sources else f"targets.{name}"
        shape = [size if isinstance(size, int) else None for size in output.type.shape]
        units = units_of(state.get(place, []), shape)
        if units is not None:
            found[name] = units
    return found
