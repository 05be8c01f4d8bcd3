"""Parity: whether two computations of a model agree, by the one definition that is used everywhere.

**The quick bound.** For each output, over the positions that its mask leaves valid,
``max|a − b| ≤ max(1e-5, 10·s) · max|b|``, where ``s`` is the sensitivity: how much the output changes, relative to its largest
value, when the inputs move by one unit in the last place, and the weights too where an input is not a float. An element-wise
bound of 1e-5 is impossible in float32 (an output near zero has no relative precision), and a fixed one is wrong for a model
that amplifies. Where ``s`` exceeds 1e-4 the model is called ill-conditioned.

**The second opinion.** Rounding alone can exceed the quick bound. Where it is exceeded, the reference in float64 decides: the
candidate passes where its error against that is at most the larger of 4 times the reference's own float32 error and 1e-6 of
the largest value of all batches. Otherwise it differs. One run is a single draw of rounding, so the reference's own error is
the largest of three: as given, with inputs one unit in the last place away, and with such weights.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from nnspec.runtime.session import Arrays, Run

__all__ = [
    "ILL_CONDITIONED",
    "LEAST_SPREAD",
    "LEAST_TOLERANCE",
    "Bound",
    "Exact",
    "Figures",
    "Parity",
    "Reference",
    "allowed",
    "distance",
    "measure",
    "nudged",
]

LEAST_TOLERANCE = 1e-5
LEAST_SPREAD = 1e-2
"""Of an output that varies less with the inputs, the tolerance is too coarse a measure."""

ILL_CONDITIONED = 1e-4
_FACTOR = 4
_LEAST_ALLOWED = 1e-6
_SMALLER = (0.1, 0.01)
_LEAST_SHARE = 1e-3
"""How much smaller than the largest value the values of a batch are taken for, at most."""

Bound = Literal["quick", "exact"]
"""Which bound is tried first. Where the quick one fails, or is not asked, the exact one decides."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A model that others are compared with, and what decides where the quick bound fails.

    Attributes:
        run: The model.
        moved: Makes the model whose weights are one unit in the last place away; None where there are no weights.
        exact: Makes the model in float64, with the same weights; None where there is none.
        drawn: From a batch of inputs to drawn weights, by identity, and the reference that has them; None where there are none.
    """

    run: Run
    moved: Callable[[], Run] | None = None
    exact: Callable[[], Run] | None = None
    drawn: Callable[[Arrays], tuple[Arrays, Reference]] | None = None

    def __call__(self, inputs: Arrays) -> Arrays:
        return self.run(inputs)

    def around(self, change: Callable[[Run], Run]) -> Reference:
        """The same model with something before or after it.

        Args:
            change: Makes the changed run of a run.
        """
        moved, exact = self.moved, self.exact
        return Reference(
            change(self.run),
            None if moved is None else lambda: change(moved()),
            None if exact is None else lambda: change(exact()),
            self.drawn,
        )


def allowed(own: float) -> float:
    """The largest error against float64 that rounding explains.

    Args:
        own: The error of the reference in float32.
    """
    return max(_LEAST_ALLOWED, _FACTOR * own)


@dataclass(frozen=True, slots=True)
class Exact:
    """The second opinion on one output: errors against the reference in float64.

    Attributes:
        error: The candidate's; infinite where shapes differ or one alone is not finite.
        own: The reference's in float32, the largest of its runs.
    """

    error: float
    own: float

    @property
    def tolerance(self) -> float:
        """The largest error that passes."""
        return allowed(self.own)

    @property
    def agrees(self) -> bool:
        return self.error <= self.tolerance


@dataclass(frozen=True, slots=True)
class Figures:
    """How far one output is from the reference, in the worst case that was run.

    Attributes:
        error: ``max|a − b| / max|b|``; infinite where shapes differ or one alone is not finite.
        sensitivity: ``s``.
        exact: The second opinion, which decides; None where the quick bound holds, or there is no reference in float64.
    """

    error: float
    sensitivity: float
    exact: Exact | None = None

    @property
    def tolerance(self) -> float:
        """The largest error that passes by the quick bound."""
        return max(LEAST_TOLERANCE, 10 * self.sensitivity)

    @property
    def agrees(self) -> bool:
        return self.error <= self.tolerance if self.exact is None else self.exact.agrees

    @property
    def strain(self) -> float:
        """How much of the bound that decides is used: above 1 the output differs."""
        if self.exact is None:
            return self.error / self.tolerance
        return self.exact.error / self.exact.tolerance

    @property
    def is_ill_conditioned(self) -> bool:
        return self.sensitivity > ILL_CONDITIONED

    def as_json(self) -> dict[str, object]:
        """The same as plain values."""
        quick = {"error": self.error, "tolerance": self.tolerance, "sensitivity": self.sensitivity}
        if self.exact is None:
            return {**quick}
        exact = {"error": self.exact.error, "tolerance": self.exact.tolerance, "keras_error": self.exact.own}
        return {**quick, "float64": exact}

    def __str__(self) -> str:
        text = f"error {self.error:.1e}, tolerance {self.tolerance:.1e}"
        if self.is_ill_conditioned:
            text += f" (ill-conditioned: the last bit of the input changes it by {self.sensitivity:.1e})"
        if self.exact is not None:
            text += f"; against float64: error {self.exact.error:.1e}, tolerance {self.exact.tolerance:.1e}"
        return text


@dataclass(frozen=True)
class Parity:
    """How far a model is from its reference.

    Attributes:
        outputs: The figures of each output.
        cases: How many batches were run.
        examples: How many examples they held together.
        spread: How much each output varies between the examples of a batch, relative to its largest value; of those outputs
            that were seen for several examples at once.
        drawn: The same with drawn weights, where under its own the model proves too little; see `proof.prove_varied`.
        unasked: Why float64 could not decide where the quick bound failed; empty where it could, or did not need to.
    """

    outputs: Mapping[str, Figures]
    cases: int
    examples: int
    spread: Mapping[str, float] = field(default_factory=dict)
    drawn: Parity | None = None
    unasked: str = ""

    @property
    def agrees(self) -> bool:
        """Whether all outputs are the same, with drawn weights too if they were tried."""
        return all(figures.agrees for figures in self.outputs.values()) and (self.drawn is None or self.drawn.agrees)

    @property
    def differing(self) -> dict[str, Figures]:
        """The outputs that are not the same."""
        return {name: figures for name, figures in self.outputs.items() if not figures.agrees}

    @property
    def constant(self) -> list[str]:
        """The outputs that hardly vary with the inputs, also under drawn weights: that they agree proves little."""
        drawn = {} if self.drawn is None else self.drawn.spread
        return [name for name, value in self.spread.items() if max(value, drawn.get(name, 0.0)) < LEAST_SPREAD]

    def joined(self, other: Parity) -> Parity:
        """Both together: of each output the worse figures."""
        worse = {name: max(figures, other.outputs[name], key=_order) for name, figures in self.outputs.items()}
        spread = {name: max(value, other.spread.get(name, 0.0)) for name, value in self.spread.items()}
        counts = self.cases + other.cases, self.examples + other.examples
        return Parity(worse, *counts, spread, self.drawn, self.unasked or other.unasked)

    def as_json(self) -> dict[str, object]:
        """The same as plain values: what is written into the exported model."""
        drawn = {} if self.drawn is None else {"drawn_weights": self.drawn._counted()}
        return {**self._counted(), **drawn, **({"constant": self.constant} if self.constant else {})}

    def _counted(self) -> dict[str, object]:
        outputs = {name: figures.as_json() for name, figures in self.outputs.items()}
        return {"outputs": outputs, "cases": self.cases, "examples": self.examples}

    def text(self) -> str:
        """The same for people, a line for each output."""
        lines = self._lines()
        if self.drawn is not None:
            lines += ["with drawn weights:", *(f"  {line}" for line in self.drawn._lines())]
        if self.constant:
            names = ", ".join(f"`{name}`" for name in self.constant)
            lines.append(f"hardly varies with the inputs, so that agreement proves little: {names}")
        return "\n".join(lines)

    def _lines(self) -> list[str]:
        lines = [f"`{name}` {'agrees' if figures.agrees else 'differs'}: {figures}" for name, figures in self.outputs.items()]
        lines.append(f"on {self.examples} examples in {self.cases} batches")
        if self.unasked:
            lines.append(f"Keras in float64, which decides beyond the tolerance, does not compute this network: {self.unasked}")
        return lines


def measure(
    reference: Run | Reference,
    candidate: Run,
    cases: Iterable[Arrays],
    *,
    masks: Run | None = None,
    seed: int = 0,
    bound: Bound = "quick",
) -> Parity:
    """Runs both on the same inputs and compares.

    Args:
        reference: What is right. A plain run has no second opinion, and no weights that could move.
        candidate: What is compared with it.
        cases: Batches of inputs. Each is compared by itself; the worst counts.
        masks: The outputs' masks by the outputs' names, where they have one; None: every position counts.
        seed: Of the directions in which inputs move.
        bound: ``exact`` asks the second opinion everywhere, also where the quick bound holds.

    Example:
        >>> double = lambda inputs: {"y": inputs["x"] * 2}
        >>> parity = measure(double, double, [{"x": np.ones((1, 3), np.float32)}])
        >>> parity.agrees, parity.outputs["y"].error
        (True, 0.0)
    """
    rng = np.random.default_rng(seed)
    judge = _Judge(reference if isinstance(reference, Reference) else Reference(reference), bound)
    found: dict[str, list[tuple[Figures, float]]] = {}
    spread: dict[str, float] = {}
    count = examples = 0
    for case in cases:
        count += 1
        examples += len(next(iter(case.values())))
        inputs, wanted = judge.moderate(case)
        valid = masks(inputs) if masks is not None else {}
        for name, figures in judge.figures(candidate, inputs, wanted, nudged(inputs, rng), valid).items():
            if name in judge.spread:
                spread[name] = max(spread.get(name, 0.0), judge.spread[name])
            found.setdefault(name, []).append((figures, _largest(wanted[name], valid.get(name))))
    worst = {name: max(_of_all(batches), key=_order) for name, batches in found.items()}
    return Parity(worst, count, examples, spread, unasked=judge.unasked)


def _of_all(batches: list[tuple[Figures, float]]) -> Iterator[Figures]:
    """The figures of each batch of one output, the second opinion relative to the largest value in all batches.

    A batch may hold small values alone, as of one example that a sigmoid takes for improbable.
    """
    most = max(largest for _, largest in batches)
    for figures, largest in batches:
        exact = figures.exact
        share = max(largest / most, _LEAST_SHARE) if most else 1.0
        yield figures if exact is None else replace(figures, exact=Exact(exact.error * share, exact.own * share))


def _largest(array: NDArray[Any], mask: NDArray[Any] | None) -> float:
    wide = np.abs(_wide(array, _kept(array, mask)))
    return float(wide[np.isfinite(wide)].max(initial=0.0))


class _Judge:
    """Compares runs with one reference, whose other forms are made once and only where they are needed.

    Attributes:
        spread: How much each output of the last batch varies between its examples.
        unasked: Why float64 could not decide.
    """

    def __init__(self, reference: Reference, bound: Bound) -> None:
        self._reference, self._bound = reference, bound
        self._moved: Run | None = None
        self._exact: Run | None = None
        self.spread: dict[str, float] = {}
        self.unasked = ""

    def moderate(self, inputs: Arrays) -> tuple[Arrays, Arrays]:
        """Inputs that the reference computes without overflow, where there are such, and its outputs.

        A recurrence without saturation overflows, and what overflows proves nothing. Float inputs of the examples concerned are
        scaled down until their outputs are finite; where no scale makes them so, they are left as they are.
        """
        wanted = self._reference(inputs)
        found, outputs = inputs, wanted
        for scale in _SMALLER:
            overflows = _without_value(outputs)
            if overflows is None or not overflows.any():
                return found, outputs
            found = {name: _scaled(array, overflows, scale) for name, array in inputs.items()}
            outputs = self._reference(found)
        rest = _without_value(outputs)
        return (inputs, wanted) if rest is None or rest.any() else (found, outputs)

    def figures(self, candidate: Run, inputs: Arrays, wanted: Arrays, beside: Arrays, masks: Arrays) -> dict[str, Figures]:
        """How far each output is from the reference.

        Args:
            candidate: What is compared.
            inputs: A batch of inputs.
            wanted: The reference's outputs.
            beside: The same, one unit in the last place away.
            masks: The outputs' masks.
        """
        given, shifted = candidate(inputs), candidate(beside)
        floats = all(np.asarray(array).dtype.kind == "f" for array in inputs.values())
        moved = {} if floats else self._with_moved_weights(inputs)
        self.spread = {name: _spread(array, masks.get(name)) for name, array in wanted.items() if len(array) > 1}
        found = {}
        for name, right in wanted.items():
            if name not in given or np.shape(given[name]) != np.shape(right):
                found[name] = Figures(np.inf, 0.0)
                continue
            keep = _kept(right, masks.get(name))
            a, b = _wide(right, keep), _wide(given[name], keep)
            shifts = [distance(b, _wide(shifted[name], keep), a)] if name in shifted else []
            shifts += [distance(a, _wide(moved[name], keep), a)] if name in moved else []
            found[name] = Figures(distance(a, b, a), max((shift for shift in shifts if np.isfinite(shift)), default=0.0))
        undecided = [name for name, quick in found.items() if self._bound == "exact" or not quick.agrees]
        exact = self._in_float64(inputs) if undecided else {}
        runs = [wanted, self._reference(beside), self._with_moved_weights(inputs)] if exact else []
        for name in undecided:
            if name in given and name in exact and np.shape(given[name]) == np.shape(wanted[name]) == np.shape(exact[name]):
                keep = _kept(wanted[name], masks.get(name))
                ours = [run[name] for run in runs if name in run and np.shape(run[name]) == keep.shape]
                keep &= _comparable(exact[name], ours, given[name])
                true = _wide(exact[name], keep)
                own = [distance(true, _wide(each, keep), true) for each in ours]
                error = distance(true, _wide(given[name], keep), true)
                found[name] = replace(found[name], exact=Exact(error, max(own, default=0.0)))
        return found

    def _with_moved_weights(self, inputs: Arrays) -> Arrays:
        if self._reference.moved is None:
            return {}
        self._moved = self._moved or self._reference.moved()
        return self._moved(inputs)

    def _in_float64(self, inputs: Arrays) -> Arrays:
        if self._reference.exact is None or self.unasked:
            return {}
        try:
            self._exact = self._exact or self._reference.exact()
            return self._exact(inputs)
        except Exception as error:  # whatever a framework raises that has no such kernel: then the quick bound decides
            self.unasked = " ".join(str(error).split())[:200] or type(error).__name__
            return {}


def _without_value(outputs: Arrays) -> NDArray[np.bool_] | None:
    """The examples of which an output is not finite; None if the outputs differ in their number of examples."""
    arrays = [array for array in map(np.asarray, outputs.values()) if array.dtype.kind == "f" and array.ndim]
    if len({len(array) for array in arrays}) != 1:
        return None
    finite = [
        np.isfinite(array.reshape(len(array), -1)).all(1) if array.size else np.ones(len(array), bool) for array in arrays
    ]
    return np.asarray(~np.logical_and.reduce(finite))


def _scaled(array: NDArray[Any], examples: NDArray[np.bool_], scale: float) -> NDArray[Any]:
    if array.dtype.kind != "f" or len(array) != len(examples):
        return array
    return np.where(examples.reshape(-1, *[1] * (array.ndim - 1)), array * array.dtype.type(scale), array)


def nudged(arrays: Arrays, rng: np.random.Generator) -> dict[str, NDArray[Any]]:
    """Every float moved by one unit in the last place, up or down."""

    def nudge(array: NDArray[Any]) -> NDArray[Any]:
        if array.dtype.kind != "f":
            return array
        towards = np.where(rng.random(array.shape) < 0.5, -np.inf, np.inf).astype(array.dtype)
        return np.asarray(np.nextafter(array, towards))

    return {name: nudge(np.asarray(array)) for name, array in arrays.items()}


def _order(figures: Figures) -> tuple[bool, float, float]:
    """What differs is worse than what agrees, and then the quick bound counts: it was asked of all."""
    return not figures.agrees, figures.error / figures.tolerance, figures.strain


def _kept(right: NDArray[Any], mask: NDArray[Any] | None) -> NDArray[np.bool_]:
    """Which elements count."""
    shape = np.shape(right)
    keep = np.ones(shape, bool)
    # Keras passes a `TimeDistributed`'s mask on whatever its layer makes of the axes: one that does not fit counts for none.
    if mask is not None and mask.shape == shape[: mask.ndim]:
        keep &= np.asarray(mask, bool).reshape(mask.shape + (1,) * (len(shape) - mask.ndim))
    return keep


def _comparable(exact: NDArray[Any], ours: Iterable[NDArray[Any]], given: NDArray[Any]) -> NDArray[np.bool_]:
    """The elements that can be compared.

    Left out is what float32 cannot hold, what has a value that the reference did not reach in float32, and what is no number
    anywhere: infinite or not a number in float64, and likewise in the candidate.
    """
    true = np.asarray(exact, np.float64)
    is_finite, is_held = np.isfinite(true), np.abs(true) <= np.finfo(np.float32).max
    reached = np.ones(true.shape, bool)
    for each in ours:
        reached &= np.isfinite(np.asarray(each, np.float64))
    return np.where(is_finite, is_held & reached, np.isfinite(np.asarray(given, np.float64)))


def _spread(array: NDArray[Any], mask: NDArray[Any] | None) -> float:
    """The largest difference between two examples at one place, relative to the largest value."""
    wide = np.asarray(array, np.float64)
    if not wide.size:
        return 0.0
    wide = np.where(_kept(wide, mask) & np.isfinite(wide), wide, np.nan)
    low, high = np.fmin.reduce(wide), np.fmax.reduce(wide)
    largest = float(np.nanmax(np.abs(wide), initial=0.0))
    return float(np.nanmax(high - low, initial=0.0)) / largest if largest else 0.0


def _wide(array: NDArray[Any], keep: NDArray[np.bool_]) -> NDArray[np.float64]:
    array = np.asarray(array)
    if array.shape != keep.shape:
        return np.full(int(keep.sum()), np.nan)
    return np.asarray(array[keep], np.float64)


def distance(a: NDArray[Any], b: NDArray[Any], right: NDArray[Any]) -> float:
    """The largest difference relative to the largest value. The same infinity, or no number, on both sides is equal.

    Args:
        a: Values.
        b: As many others.
        right: Those whose largest counts.
    """
    differs = ~((a == b) | (np.isnan(a) & np.isnan(b)))
    if not differs.any():
        return 0.0
    finite = np.abs(right[np.isfinite(right)])
    largest = float(finite.max(initial=0.0))
    with np.errstate(over="ignore", invalid="ignore"):
        difference = float(np.max(np.abs(a[differs] - b[differs])))
    return difference / largest if largest and np.isfinite(difference) else np.inf
