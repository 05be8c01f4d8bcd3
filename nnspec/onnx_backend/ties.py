"""Undecided elements: those of outputs that change by more than rounding if the inputs hardly change.

Near a tie, two correct computations may choose differently: `argmax`, `floor` and comparisons turn a rounding error into a
jump. An element is undecided if it changes by more than the tolerance in any of eight runs, of either side, with inputs
perturbed by a relative 1e-6; if some inputs are not floats, the weights are perturbed too. Parity covers the other elements.

The response of a smooth network to such a perturbation is not a jump, however much it amplifies: the tolerance is at least ten
times what almost all elements change by in all runs but two. A tie changes in some of the runs only, and few elements are near
one. Two are left out because all elements of an unstable recurrence can hardly change by chance in the same run.

Of the few elements that are left, one may still respond smoothly: the largest of an unstable recurrence, next to which all
others are small. Its change grows with the perturbation, while a jump has its own size. So an element that changes at least
twice as much under four times the perturbation, in most of the runs in which it changed by too much, is decided.
"""

from __future__ import annotations

from collections.abc import Callable, Set
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.graph.model import Graph
from nnspec.onnx_backend.float64 import scale_of
from nnspec.runtime.session import Arrays, Run

LEAST_TOLERANCE = 1e-5
MOST_UNDECIDED = 0.01
"""With this share of undecided elements or more, there is too little left to compare."""

_RUNS = 8
_LEFT_OUT = 2
_CHANGE = 1e-6
_LARGER = 4.0
_GROWTH = 2.0
_FACTOR = 10
_LARGEST = 0.1
"""A response of this size is a jump in any network."""

Sides = tuple[Run, Run]


def discontinuous(graph: Graph) -> set[str]:
    """The outputs of a network that depend on a discontinuous layer."""
    jumping: set[str] = set()
    for node in graph.nodes.values():
        read = {ref.source for ref in node.inputs.values()}
        if read & jumping or node.layer.is_discontinuous(node.input_types):
            jumping.add(node.name)
    return {name for name, ref in graph.outputs.items() if ref.source in jumping}


class Ties:
    """Finds the undecided elements of two models with the same outputs.

    Args:
        names: The outputs that depend on a discontinuous layer.
        reference: One model.
        candidate: The other model.
        weights: Their weights.
        with_weights: Builds both models with other weights; None if that is impossible.
        seed: The seed of the perturbations.
    """

    def __init__(
        self,
        names: Set[str],
        reference: Run,
        candidate: Run,
        weights: Arrays | None = None,
        with_weights: Callable[[Arrays], Sides] | None = None,
        seed: int = 0,
    ) -> None:
        self._names, self._sides = names, (reference, candidate)
        self._weights, self._with_weights = weights or {}, with_weights
        self._seed, self._rng = seed, np.random.default_rng([seed, 1])
        self._others: dict[float, list[Sides]] = {}

    def undecided(self, inputs: Arrays, outputs: tuple[Arrays, Arrays]) -> dict[str, NDArray[np.bool_]]:
        """The undecided elements of each of the outputs that both sides return.

        Args:
            inputs: A batch of inputs.
            outputs: The outputs of both sides.
        """
        seeds = self._rng.integers(2**62, size=_RUNS)
        changed = self._changed(inputs, seeds, _CHANGE)
        farther: list[list[Arrays]] = []
        found: dict[str, NDArray[np.bool_]] = {}
        for side, own in enumerate(outputs):
            for name in self._names & outputs[0].keys() & own.keys():
                array = np.asarray(own[name])
                runs = [np.asarray(run[side][name]) for run in changed]
                jumps = _jumps(array, runs)
                if jumps.any() and array.dtype.kind == "f":
                    farther = farther or self._changed(inputs, seeds, _LARGER * _CHANGE)
                    jumps &= ~_grows(array, runs, [np.asarray(run[side][name]) for run in farther])
                if name not in found or found[name].shape == jumps.shape:
                    found[name] = found.get(name, np.zeros(jumps.shape, bool)) | jumps
        return found

    def _changed(self, inputs: Arrays, seeds: NDArray[np.int64], change: float) -> list[list[Arrays]]:
        """The outputs of both sides with inputs, and perhaps weights, perturbed; equal seeds give the same directions."""
        sides = [self._sides] * _RUNS
        if self._with_weights is not None and any(np.asarray(array).dtype.kind != "f" for array in inputs.values()):
            if change not in self._others:
                rngs = [np.random.default_rng([self._seed, 2, place]) for place in range(_RUNS)]
                self._others[change] = [self._with_weights(perturbed(self._weights, rng, change)) for rng in rngs]
            sides = self._others[change]
        moved = [perturbed(inputs, np.random.default_rng(seed), change) for seed in seeds]
        return [[run(array) for run in both] for both, array in zip(sides, moved, strict=True)]


def perturbed(arrays: Arrays, rng: np.random.Generator, change: float = _CHANGE) -> dict[str, NDArray[Any]]:
    """Multiply each float by 1 ± ``change``."""

    def moved(array: NDArray[Any]) -> NDArray[Any]:
        if array.dtype.kind != "f":
            return array
        factor = 1 + change * rng.choice([-1.0, 1.0], array.shape)
        return np.asarray(array * factor, array.dtype)

    return {name: moved(np.asarray(array)) for name, array in arrays.items()}


def _grows(own: NDArray[Any], runs: list[NDArray[Any]], farther: list[NDArray[Any]]) -> NDArray[np.bool_]:
    """The elements whose change grows with the perturbation, in most of the runs in which it is more than the tolerance."""
    wide = np.asarray(own, np.float64)
    large = LEAST_TOLERANCE * scale_of(wide)
    with np.errstate(invalid="ignore"):
        changes, larger = np.abs(np.stack(runs) - wide), np.abs(np.stack(farther) - wide)
        counts = changes > large
        grows = counts & (larger >= _GROWTH * changes)
    return np.asarray(np.isfinite(changes).all(axis=0) & (2 * grows.sum(axis=0) > counts.sum(axis=0)))


def _jumps(own: NDArray[Any], runs: list[NDArray[Any]]) -> NDArray[np.bool_]:
    """The elements that change by more than the tolerance in a run; of integers and bools, those that change."""
    if own.dtype.kind != "f":
        return np.asarray(np.logical_or.reduce([run != own for run in runs]))
    wide = np.asarray(own, np.float64)
    largest = scale_of(wide)
    if not wide.size or not largest:
        return np.asarray(np.logical_or.reduce([_differs(wide, run) for run in runs]))
    with np.errstate(invalid="ignore"):
        changes = np.stack([np.where(_differs(wide, run), np.abs(run - wide) / largest, 0.0) for run in runs])
    changes = np.where(np.isnan(changes), np.inf, changes)
    least = np.partition(changes, min(_LEFT_OUT, len(runs) - 1), axis=0)[min(_LEFT_OUT, len(runs) - 1)]
    steady = float(np.quantile(least, 1 - MOST_UNDECIDED, method="lower"))
    return np.asarray((changes > max(LEAST_TOLERANCE, min(_FACTOR * steady, _LARGEST))).any(axis=0))


def _differs(a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.bool_]:
    return np.asarray(~((a == b) | (np.isnan(a) & np.isnan(b))))
