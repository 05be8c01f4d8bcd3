"""Parity: whether two implementations of a model agree.

**The quick bound.** For each output, over the positions that its mask leaves valid,
``max|a − b| ≤ max(1e-5, 10·s) · max|b|``, where ``s`` is the sensitivity: how much the output changes, relative to its largest
value, when the inputs move by one unit in the last place, and the weights too where an input is not a float. An element-wise
bound of 1e-5 is impossible in float32 (an output near zero has no relative precision), and a fixed one is wrong for a model
that amplifies. Where ``s`` exceeds 1e-4 the model is called ill-conditioned. Where the bound does not hold, the comparison
with float64 decides (`onnx_backend.float64`).

**Ties.** In networks with discontinuous layers, elements that a tie decides are not compared (`onnx_backend.ties`). Integers
and bools must be equal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from nnspec.onnx_backend.float64 import Exact, against_float64, are_masked, distance, kept, scale_of, wide
from nnspec.onnx_backend.ties import LEAST_TOLERANCE, MOST_UNDECIDED, Ties
from nnspec.runtime.session import Arrays, Run

LEAST_SPREAD = 1e-2
"""Outputs that vary less with the inputs are uninformative: the tolerance is too coarse for them."""

ILL_CONDITIONED = 1e-4
_LARGE = 2.0**64
"""The square root of the largest float32; a product of two such values overflows."""
_REDUCTIONS = 2
"""How often the inputs of an example that overflows are reduced to a tenth."""

Bound = Literal["quick", "exact"]
"""The bound to use. ``quick`` falls back to float64 if it fails; ``exact`` always compares with float64."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference model, with the variants that parity needs.

    Attributes:
        run: The model.
        perturbed: Builds the model with weights perturbed by one unit in the last place; None if it has no weights.
        rounded: Builds the model with the output of each layer perturbed by one unit in the last place; None if unavailable.
        exact: Builds the model in float64, with the same weights; None if unavailable.
        drawn: Draws random weights for a batch of inputs; returns them by identity, and the reference with them. None if
            unavailable.
        with_weights: Builds the model with other weights, by identity; None if unavailable.
    """

    run: Run
    perturbed: Callable[[], Run] | None = None
    rounded: Callable[[], Run] | None = None
    exact: Callable[[], Run] | None = None
    drawn: Callable[[Arrays], tuple[Arrays, Reference]] | None = None
    with_weights: Callable[[Arrays], Run] | None = None

    def __call__(self, inputs: Arrays) -> Arrays:
        return self.run(inputs)

    def around(self, change: Callable[[Run], Run]) -> Reference:
        """Wrap the model and its variants.

        Args:
            change: Wraps a run.
        """

        def changed(build: Callable[[], Run] | None) -> Callable[[], Run] | None:
            return None if build is None else lambda: change(build())

        build = self.with_weights
        return Reference(
            change(self.run),
            changed(self.perturbed),
            changed(self.rounded),
            changed(self.exact),
            self.drawn,
            None if build is None else lambda weights: change(build(weights)),
        )


@dataclass(frozen=True, slots=True)
class OutputParity:
    """The parity of one output, in the worst case.

    Attributes:
        error: ``max|a − b| / max|b|``; infinite if shapes differ, or if only one is finite.
        sensitivity: ``s``.
        exact: The float64 comparison, which decides; None if the quick bound holds or float64 is unavailable.
        undecided: The number of elements that ties decide, over all batches.
        elements: The number of elements; 0 in networks without discontinuous layers.
    """

    error: float
    sensitivity: float
    exact: Exact | None = None
    undecided: int = 0
    elements: int = 0

    @property
    def tolerance(self) -> float:
        """The largest error that passes the quick bound."""
        return max(LEAST_TOLERANCE, 10 * self.sensitivity)

    @property
    def share(self) -> float:
        """The share of undecided elements."""
        return self.undecided / self.elements if self.elements else 0.0

    @property
    def is_undecided(self) -> bool:
        """Whether too many elements are undecided."""
        return self.share >= MOST_UNDECIDED

    @property
    def agrees(self) -> bool:
        if self.is_undecided:
            return False
        return self.error <= self.tolerance if self.exact is None else self.exact.agrees

    @property
    def tolerance_used(self) -> float:
        """The error relative to the deciding tolerance; above 1 the output differs."""
        if self.exact is None:
            return self.error / self.tolerance
        return self.exact.error / self.exact.tolerance

    @property
    def is_ill_conditioned(self) -> bool:
        return self.sensitivity > ILL_CONDITIONED

    def as_json(self) -> dict[str, object]:
        """The values as plain JSON types."""
        quick = {"error": self.error, "tolerance": self.tolerance, "sensitivity": self.sensitivity}
        quick |= {"undecided": self.share} if self.elements else {}
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
        if self.elements:
            count = f"{self.undecided:,} of {self.elements:,} elements"
            text += f"; {count} are undecided: a relative change of 1e-6 makes them jump, so they are not compared"
        if self.is_undecided:
            text += f"; that is {self.share:.1%}, and an output with {MOST_UNDECIDED:.0%} or more cannot be verified"
        return text


@dataclass(frozen=True)
class Parity:
    """The parity of a model and its reference.

    Attributes:
        outputs: The parity of each output.
        cases: The number of batches.
        examples: The number of examples.
        spread: The variation of each output between the examples of a batch, relative to its largest value; only outputs that
            were computed for several examples at once.
        drawn: The parity with random weights, if the model's own hide differences; see `proof.verify_varied`.
        float64_error: Why the float64 comparison failed; empty if it succeeded or was not needed.
        search: The largest error of a similarity of the neighbors that the model finds, relative to the largest similarity;
            None if it finds none.
    """

    outputs: Mapping[str, OutputParity]
    cases: int
    examples: int
    spread: Mapping[str, float] = field(default_factory=dict)
    drawn: Parity | None = None
    float64_error: str = ""
    search: float | None = None

    @property
    def agrees(self) -> bool:
        """Whether all outputs agree, including those with random weights."""
        return all(result.agrees for result in self.outputs.values()) and (self.drawn is None or self.drawn.agrees)

    @property
    def differing(self) -> dict[str, OutputParity]:
        """The outputs that differ."""
        return {name: result for name, result in self.outputs.items() if not result.agrees}

    @property
    def constant(self) -> list[str]:
        """The outputs that hardly vary with the inputs, so their agreement is weak evidence."""
        drawn = {} if self.drawn is None else self.drawn.spread
        return [name for name, value in self.spread.items() if max(value, drawn.get(name, 0.0)) < LEAST_SPREAD]

    def joined(self, other: Parity) -> Parity:
        """Combine two results; the worse parity of each output counts."""
        worse = {name: _worst([result, other.outputs[name]]) for name, result in self.outputs.items()}
        spread = {name: max(value, other.spread.get(name, 0.0)) for name, value in self.spread.items()}
        counts = self.cases + other.cases, self.examples + other.examples
        return Parity(worse, *counts, spread, self.drawn, self.float64_error or other.float64_error)

    def as_json(self) -> dict[str, object]:
        """The parity record that is written into the exported model."""
        drawn = {} if self.drawn is None else {"drawn_weights": self.drawn._counted()}
        search = {} if self.search is None else {"neighbors": {"error": self.search}}
        return {**self._counted(), **drawn, **({"constant": self.constant} if self.constant else {}), **search}

    def _counted(self) -> dict[str, object]:
        outputs = {name: result.as_json() for name, result in self.outputs.items()}
        return {"outputs": outputs, "cases": self.cases, "examples": self.examples}

    def text(self) -> str:
        """A summary as text, one line per output."""
        lines = self._lines()
        if self.drawn is not None:
            lines += ["with random weights:", *(f"  {line}" for line in self.drawn._lines())]
        if self.constant:
            names = ", ".join(f"`{name}`" for name in self.constant)
            lines.append(f"hardly varies with the inputs, so agreement is weak evidence: {names}")
        if self.search is not None:
            lines.append(f"neighbors agree with those in NumPy: error {self.search:.1e}")
        return "\n".join(lines)

    def _lines(self) -> list[str]:
        lines = [f"`{name}` {'agrees' if result.agrees else 'differs'}: {result}" for name, result in self.outputs.items()]
        lines.append(f"on {self.examples} examples in {self.cases} batches")
        if self.float64_error:
            lines.append(f"the float64 comparison failed, so the quick bound decided: {self.float64_error}")
        return lines


def measure(
    reference: Run | Reference,
    candidate: Run,
    cases: Iterable[Arrays],
    *,
    masks: Run | None = None,
    seed: int = 0,
    bound: Bound = "quick",
    ties: Ties | None = None,
) -> Parity:
    """Run two models on the same inputs and compare their outputs.

    Args:
        reference: The reference. A plain run has no float64 variant and no weight perturbation.
        candidate: The model to compare.
        cases: Batches of inputs; the worst one counts.
        masks: Computes the masks of outputs, by output name; None if every position counts.
        seed: The seed of the input perturbations.
        bound: ``exact`` compares with float64 even if the quick bound holds.
        ties: Finds undecided elements; None in networks without discontinuous layers.

    Example:
        >>> double = lambda inputs: {"y": inputs["x"] * 2}
        >>> parity = measure(double, double, [{"x": np.ones((1, 3), np.float32)}])
        >>> parity.agrees, parity.outputs["y"].error
        (True, 0.0)
    """
    rng = np.random.default_rng(seed)
    comparer = _Comparer(reference if isinstance(reference, Reference) else Reference(reference), bound, ties)
    found: dict[str, list[tuple[OutputParity, float]]] = {}
    spread: dict[str, float] = {}
    count = examples = 0
    for case in cases:
        count += 1
        examples += len(next(iter(case.values())))
        inputs, wanted = comparer.without_overflow(case)
        valid = masks(inputs) if masks is not None else {}
        for name, result in comparer.compare(candidate, inputs, wanted, nudged(inputs, rng), valid).items():
            if name in comparer.spread:
                spread[name] = max(spread.get(name, 0.0), comparer.spread[name])
            found.setdefault(name, []).append((result, _largest(wanted[name], valid.get(name))))
    worst = {name: _worst(_of_all(batches)) for name, batches in found.items()}
    return Parity(worst, count, examples, spread, float64_error=comparer.float64_error)


def _of_all(batches: list[tuple[OutputParity, float]]) -> Iterator[OutputParity]:
    """The parity of one output for each batch, with float64 errors relative to the largest value of all batches.

    A batch may have only small values, such as one example with a sigmoid output near 0.
    """
    most = max(largest for _, largest in batches)
    for result, largest in batches:
        exact = result.exact
        share = largest / most if most else 1.0
        yield result if exact is None else replace(result, exact=exact.scaled(share))


def _largest(array: NDArray[Any], mask: NDArray[Any] | None) -> float:
    return scale_of(wide(array, kept(array, mask)))


class _Comparer:
    """Compares models with a reference, whose variants are built once, on demand.

    Attributes:
        spread: The variation of each output between the examples of the last batch.
        float64_error: Why the float64 comparison failed.
    """

    def __init__(self, reference: Reference, bound: Bound, ties: Ties | None) -> None:
        self._reference, self._bound, self._ties = reference, bound, ties
        self._variants: dict[str, Run] = {}
        self.spread: dict[str, float] = {}
        self.float64_error = ""

    def without_overflow(self, inputs: Arrays) -> tuple[Arrays, Arrays]:
        """Scale inputs down until the reference does not overflow; returns the inputs and the outputs.

        A recurrence without saturation may overflow, and nothing can be compared then. Just below the overflow little can:
        every other example is small against the one that grew most, and rounding decides that one. Only float inputs of
        affected examples are scaled; if no scale results in finite outputs, inputs are unchanged.
        """
        wanted = self._reference(inputs)
        for largest in (_LARGE, np.inf):
            found, outputs = inputs, wanted
            for reductions_left in reversed(range(_REDUCTIONS + 1)):
                overflows = _without_value(outputs, largest)
                if overflows is None:
                    return inputs, wanted
                if not overflows.any():
                    return found, outputs
                if reductions_left:  # an example that an earlier reduction made finite keeps it
                    found = {name: _reduced(array, overflows) for name, array in found.items()}
                    outputs = self._reference(found)
        return inputs, wanted

    def compare(self, candidate: Run, inputs: Arrays, wanted: Arrays, beside: Arrays, masks: Arrays) -> dict[str, OutputParity]:
        """The parity of each output.

        Args:
            candidate: The model to compare.
            inputs: A batch of inputs.
            wanted: The reference's outputs.
            beside: The same batch, perturbed by one unit in the last place.
            masks: The outputs' masks.
        """
        given, shifted = candidate(inputs), candidate(beside)
        floats = all(np.asarray(array).dtype.kind == "f" for array in inputs.values())
        perturbed = {} if floats else self._variant("perturbed", inputs)
        self.spread = {name: _spread(array, masks.get(name)) for name, array in wanted.items() if len(array) > 1}
        ties = self._ties.undecided(inputs, (wanted, given)) if self._ties is not None else {}
        found = {}
        keeps = {}
        for name, right in wanted.items():
            if name not in given or np.shape(given[name]) != np.shape(right):
                found[name] = OutputParity(np.inf, 0.0)
                continue
            keep = kept(right, masks.get(name))
            elements = int(keep.sum())
            if name in ties:
                keep &= ~ties[name]
            keeps[name] = keep
            a, b = wide(right, keep), wide(given[name], keep)
            # Integers and bools are equal or not, at any scale.
            is_float = np.asarray(right).dtype.kind == "f"
            scale = a if is_float else np.ones(1)
            shifts = [distance(b, wide(shifted[name], keep), scale)] if name in shifted else []
            shifts += [distance(a, wide(perturbed[name], keep), scale)] if name in perturbed else []
            if name in ties and not is_float:
                shifts = []
            counts = (elements - int(keep.sum()), elements) if name in ties else (0, 0)
            sensitivity = max((shift for shift in shifts if np.isfinite(shift)), default=0.0)
            found[name] = OutputParity(distance(a, b, scale), sensitivity, None, *counts)
        of_floats = [name for name, array in wanted.items() if np.asarray(array).dtype.kind == "f"]
        doubtful = [name for name in of_floats if self._bound == "exact" or not found[name].agrees]
        exact = self._in_float64(inputs) if doubtful else {}
        variants = [self._variant(name, inputs) for name in ("perturbed", "rounded")] if exact else []
        runs = [wanted, self._reference(beside), *variants] if exact else []
        for name in doubtful:
            if name in given and name in exact and np.shape(given[name]) == np.shape(wanted[name]) == np.shape(exact[name]):
                ours = [run[name] for run in runs if name in run and np.shape(run[name]) == np.shape(wanted[name])]
                errors = against_float64(exact[name], ours, given[name], keeps[name])
                found[name] = replace(found[name], exact=errors)
        return found

    def _variant(self, name: Literal["perturbed", "rounded", "exact"], inputs: Arrays) -> Arrays:
        """Run a variant of the reference; no outputs if it has no such variant."""
        build = getattr(self._reference, name)
        if build is None:
            return {}
        if name not in self._variants:
            self._variants[name] = build()
        return self._variants[name](inputs)

    def _in_float64(self, inputs: Arrays) -> Arrays:
        if self.float64_error:
            return {}
        try:
            return self._variant("exact", inputs)
        except Exception as error:  # frameworks raise various errors for missing float64 kernels; the quick bound then decides
            self.float64_error = " ".join(str(error).split())[:200] or type(error).__name__
            return {}


def _without_value(outputs: Arrays, largest: float) -> NDArray[np.bool_] | None:
    """The examples with an output that is not finite or larger; None if outputs differ in the number of examples."""
    arrays = [array for array in map(np.asarray, outputs.values()) if array.dtype.kind == "f" and array.ndim]
    if len({len(array) for array in arrays}) != 1:
        return None
    finite = [(np.isfinite(rows) & (np.abs(rows) <= largest)).all(1) for rows in (_rows(array) for array in arrays)]
    return np.asarray(~np.logical_and.reduce(finite))


def _rows(array: NDArray[Any]) -> NDArray[Any]:
    return array.reshape(len(array), array.size // max(len(array), 1))


def _reduced(array: NDArray[Any], examples: NDArray[np.bool_]) -> NDArray[Any]:
    if array.dtype.kind != "f" or len(array) != len(examples):
        return array
    return np.where(examples.reshape(-1, *[1] * (array.ndim - 1)), array * array.dtype.type(0.1), array)


def nudged(arrays: Arrays, rng: np.random.Generator) -> dict[str, NDArray[Any]]:
    """Perturb each float by one unit in the last place, up or down."""

    def nudge(array: NDArray[Any]) -> NDArray[Any]:
        if array.dtype.kind != "f":
            return array
        towards = np.where(rng.random(array.shape) < 0.5, -np.inf, np.inf).astype(array.dtype)
        # A zero is exact: padding, or an element that a rectifier left out.
        return np.asarray(np.where(array == 0, array, np.nextafter(array, towards)))

    return {name: nudge(np.asarray(array)) for name, array in arrays.items()}


def _worst(results: Iterable[OutputParity]) -> OutputParity:
    """The worst parity of one output, with the elements of all."""
    listed = list(results)
    counts = {key: sum(getattr(result, key) for result in listed) for key in ("undecided", "elements")}
    return replace(max(listed, key=_order), **counts)


def _order(result: OutputParity) -> tuple[bool, float, float]:
    """Sort key: outputs that differ are worse; then the quick bound counts, which all have."""
    return result.tolerance_used > 1, result.error / result.tolerance, result.tolerance_used


def _spread(array: NDArray[Any], mask: NDArray[Any] | None) -> float:
    """The largest difference between two examples at one position, relative to the largest value."""
    values = np.asarray(array, np.float64)
    if not values.size:
        return 0.0
    values = np.where(kept(values, mask) & np.isfinite(values) & ~are_masked(values), values, np.nan)
    low, high = np.fmin.reduce(values), np.fmax.reduce(values)
    largest = float(np.nanmax(np.abs(values), initial=0.0))
    return float(np.nanmax(high - low, initial=0.0)) / largest if largest else 0.0
