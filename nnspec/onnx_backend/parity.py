"""Parity: whether two ways of computing a model give the same, by the one definition that is used everywhere.

For each output, over the positions that its mask leaves valid, ``max|a − b| ≤ max(1e-5, 10·s) · max|b|``, where ``s`` is how
much the output changes, relative to its largest value, when what goes in moves by one unit in the last place. An element-wise
bound of 1e-5 is impossible in float32 (an output near zero has no relative precision), and a fixed one is wrong for a model
that amplifies: there no two computations agree. Where ``s`` exceeds 1e-4 the model is called ill-conditioned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["ILL_CONDITIONED", "LEAST_TOLERANCE", "Arrays", "Figures", "Parity", "Run", "measure"]

Arrays = Mapping[str, NDArray[Any]]
Run = Callable[[Arrays], Arrays]
"""A model: from its inputs to its outputs, by name."""

LEAST_TOLERANCE = 1e-5
ILL_CONDITIONED = 1e-4


@dataclass(frozen=True, slots=True)
class Figures:
    """How far one output is from the reference, in the worst case that was run.

    Attributes:
        error: ``max|a − b| / max|b|``; infinite where shapes differ or one alone is not finite.
        sensitivity: ``s``.
    """

    error: float
    sensitivity: float

    @property
    def tolerance(self) -> float:
        """The largest error that counts as the same."""
        return max(LEAST_TOLERANCE, 10 * self.sensitivity)

    @property
    def agrees(self) -> bool:
        return self.error <= self.tolerance

    @property
    def is_ill_conditioned(self) -> bool:
        return self.sensitivity > ILL_CONDITIONED

    def __str__(self) -> str:
        text = f"error {self.error:.1e}, tolerance {self.tolerance:.1e}"
        if self.is_ill_conditioned:
            text += f" (ill-conditioned: the last bit of the input changes it by {self.sensitivity:.1e})"
        return text


@dataclass(frozen=True)
class Parity:
    """How far a model is from its reference.

    Attributes:
        outputs: The figures of each output.
        cases: How many batches were run.
        examples: How many examples they held together.
    """

    outputs: Mapping[str, Figures]
    cases: int
    examples: int

    @property
    def agrees(self) -> bool:
        return all(figures.agrees for figures in self.outputs.values())

    @property
    def differing(self) -> dict[str, Figures]:
        """The outputs that are not the same."""
        return {name: figures for name, figures in self.outputs.items() if not figures.agrees}

    def joined(self, other: Parity) -> Parity:
        """Both together: of each output the worse figures."""
        worse = {name: max(figures, other.outputs[name], key=_strain) for name, figures in self.outputs.items()}
        return Parity(worse, self.cases + other.cases, self.examples + other.examples)

    def as_json(self) -> dict[str, object]:
        """The same as plain values: what is written into the exported model."""
        outputs = {
            name: {"error": figures.error, "tolerance": figures.tolerance, "sensitivity": figures.sensitivity}
            for name, figures in self.outputs.items()
        }
        return {"outputs": outputs, "cases": self.cases, "examples": self.examples}

    def text(self) -> str:
        """The same for people, a line for each output."""
        lines = [f"`{name}` {'agrees' if figures.agrees else 'differs'}: {figures}" for name, figures in self.outputs.items()]
        return "\n".join([*lines, f"on {self.examples} examples in {self.cases} batches"])


def measure(
    reference: Run,
    candidate: Run,
    cases: Iterable[Arrays],
    *,
    moved: Run | None = None,
    masks: Run | None = None,
    seed: int = 0,
) -> Parity:
    """Runs both on the same inputs and compares.

    Args:
        reference: What is right.
        candidate: What is judged; its sensitivity is measured too.
        cases: Batches of inputs. Each is judged by itself; the worst counts.
        moved: The candidate with weights one unit in the last place away: how sensitive it is where inputs are whole numbers.
        masks: The outputs' masks by the outputs' names, where they have one; None: every position counts.
        seed: Of the directions in which inputs move.

    Example:
        >>> double = lambda inputs: {"y": inputs["x"] * 2}
        >>> parity = measure(double, double, [{"x": np.ones((1, 3), np.float32)}])
        >>> parity.agrees, parity.outputs["y"].error
        (True, 0.0)
    """
    rng = np.random.default_rng(seed)
    worst: dict[str, Figures] = {}
    count = examples = 0
    for inputs in cases:
        count += 1
        examples += len(next(iter(inputs.values())))
        wanted, given = reference(inputs), candidate(inputs)
        others = [candidate(nudged(inputs, rng))] + ([moved(inputs)] if moved is not None else [])
        valid = masks(inputs) if masks is not None else {}
        for name, right in wanted.items():
            figures = _figures(right, given.get(name), [other[name] for other in others if name in other], valid.get(name))
            if name not in worst or _strain(figures) > _strain(worst[name]):
                worst[name] = figures
    return Parity(worst, count, examples)


def nudged(arrays: Arrays, rng: np.random.Generator) -> dict[str, NDArray[Any]]:
    """Every float moved by one unit in the last place, up or down."""

    def nudge(array: NDArray[Any]) -> NDArray[Any]:
        if array.dtype.kind != "f":
            return array
        towards = np.where(rng.random(array.shape) < 0.5, -np.inf, np.inf).astype(array.dtype)
        return np.asarray(np.nextafter(array, towards))

    return {name: nudge(np.asarray(array)) for name, array in arrays.items()}


def _strain(figures: Figures) -> float:
    return figures.error / figures.tolerance


def _figures(
    right: NDArray[Any],
    given: NDArray[Any] | None,
    others: Iterable[NDArray[Any]],
    valid: NDArray[Any] | None,
) -> Figures:
    right = np.asarray(right)
    if given is None or np.shape(given) != right.shape:
        return Figures(np.inf, 0.0)
    keep = np.ones(right.shape, bool)
    # Keras passes a `TimeDistributed`'s mask on whatever its layer makes of the axes: one that does not fit counts for none.
    if valid is not None and valid.shape == right.shape[: valid.ndim]:
        keep &= np.asarray(valid, bool).reshape(valid.shape + (1,) * (right.ndim - valid.ndim))
    right, given = right[keep].astype(np.float64), np.asarray(given)[keep].astype(np.float64)
    shifts = [_distance(given, np.asarray(other)[keep].astype(np.float64), right) for other in others]
    return Figures(_distance(right, given, right), max((shift for shift in shifts if np.isfinite(shift)), default=0.0))


def _distance(a: NDArray[Any], b: NDArray[Any], right: NDArray[Any]) -> float:
    """The largest difference relative to the largest value. What is the same infinity, or no number, on both sides is equal."""
    differs = ~((a == b) | (np.isnan(a) & np.isnan(b)))
    if not differs.any():
        return 0.0
    finite = np.abs(right[np.isfinite(right)])
    largest = float(finite.max(initial=0.0))
    difference = float(np.max(np.abs(a[differs] - b[differs])))
    return difference / largest if largest and np.isfinite(difference) else np.inf
