"""An output's answers held against its targets: classes that were said, or numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.data.kinds import TargetKind, decision_rule

__all__ = ["ClassPredictions", "NumberPredictions", "judged"]


@dataclass(frozen=True)
class ClassPredictions:
    """Classes that were said, one for each position of each example.

    Attributes:
        names: The classes, in order; ``unit 3`` for a unit that no class belongs to.
        true: What each is, the index of a class, (N,).
        said: What was said of each, (N,).
        scores: How much spoke for each class, (N, C).
        probabilities: Whether the scores are probabilities, which sum to 1.
        examples: Which example each belongs to, (N,).
        each: How many positions an example has: 1 where it is of one class.
    """

    names: list[Any]
    true: NDArray[np.int64]
    said: NDArray[np.int64]
    scores: NDArray[np.floating[Any]]
    probabilities: bool
    examples: NDArray[np.int64]
    each: int

    @property
    def confidence(self) -> NDArray[np.floating[Any]]:
        """How much spoke for what was said, (N,)."""
        found: NDArray[np.floating[Any]] = np.take_along_axis(self.scores, self.said[:, None], 1)[:, 0]
        return found

    def thinned(self, most: int) -> ClassPredictions:
        """The same with no more than so many positions, evenly spread: what costs a sort for each class is made of these."""
        step = -(-len(self.true) // most)
        if step <= 1:
            return self
        kept = slice(None, None, step)
        return ClassPredictions(
            self.names,
            self.true[kept],
            self.said[kept],
            self.scores[kept],
            self.probabilities,
            self.examples[kept],
            self.each,
        )


@dataclass(frozen=True)
class NumberPredictions:
    """Numbers that were said.

    Attributes:
        true: What they are, examples first.
        said: What was said, of the same shape.
    """

    true: NDArray[np.float64]
    said: NDArray[np.float64]


def judged(
    kind: TargetKind,
    target: NDArray[Any],
    answer: NDArray[np.float32],
    *,
    axis: int = -1,
    logits: bool = False,
    ignore: int | None = None,
    classes: list[Any] | None = None,
) -> ClassPredictions | NumberPredictions | None:
    """The answers and targets of one output, brought into one form.

    Args:
        kind: What its target is.
        target: The targets, examples first.
        answer: What the model gave.
        axis: The axis the classes stand along.
        logits: Whether the model gave logits.
        ignore: A class that is left out.
        classes: The classes' names, in order; their numbers where there are none.

    Returns:
        None for a target that is neither classes nor numbers.
    """
    if kind in ("class", "distribution"):
        scores = np.moveaxis(answer, axis, -1)
        true = target if kind == "class" else target.argmax(axis)
        return _of_several(true, scores, logits=logits, ignore=ignore, classes=classes)
    if kind in ("probability", "sign"):
        return _yes_or_no(target, answer, signs=kind == "sign", logits=logits, classes=classes)
    if kind in ("number", "non_negative"):
        return NumberPredictions(target.astype(np.float64), answer.astype(np.float64))
    return None


def _of_several(
    true: NDArray[Any], scores: NDArray[np.float32], *, logits: bool, ignore: int | None, classes: list[Any] | None
) -> ClassPredictions:
    count = scores.shape[-1]
    each = max(1, scores[:1].size // count)
    examples = np.repeat(np.arange(len(scores)), each)
    flat, true = scores.reshape(-1, count), true.ravel().astype(np.int64)
    if ignore is not None:
        kept = true != ignore
        flat, true, examples = flat[kept], true[kept], examples[kept]
    if logits:
        flat = np.exp(flat - flat.max(-1, keepdims=True))
        flat /= flat.sum(-1, keepdims=True)
    sums = bool(flat.size) and bool(flat.min() >= 0) and bool(np.abs(flat.sum(-1) - 1).max() < 1e-3)
    return ClassPredictions(_named(classes, count), true, flat.argmax(-1), flat, sums, examples, each)


def _named(classes: list[Any] | None, units: int) -> list[Any]:
    """A name for each unit: one that no class belongs to may be predicted all the same."""
    if not classes:
        return list(range(units))
    return [*classes[:units], *(f"unit {unit}" for unit in range(len(classes), units))]


def _yes_or_no(
    target: NDArray[Any], answer: NDArray[np.float32], *, signs: bool, logits: bool, classes: list[Any] | None
) -> ClassPredictions:
    each = max(1, answer[:1].size)
    examples = np.repeat(np.arange(len(answer)), each)
    # A probability between 0 and 1 as a target is on the side it is nearer to.
    true = (target > (0.0 if signs and target.min() < 0 else 0.5)).ravel().astype(np.int64)
    yes = answer.ravel().astype(np.float64)
    said = (yes > decision_rule("sign" if signs else "probability", logits=logits).above).astype(np.int64)
    if logits:
        yes = 0.5 * (1 + np.tanh(0.5 * yes))  # the logistic function, which does not overflow so
    no = -yes if signs else 1 - yes
    probable = not signs and bool(yes.size) and bool(yes.min() >= 0) and bool(yes.max() <= 1)
    return ClassPredictions(_named(classes, 2), true, said, np.stack([no, yes], 1), probable, examples, each)
