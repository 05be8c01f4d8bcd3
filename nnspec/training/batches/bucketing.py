"""Bucketing: batches of examples of similar length, cut to the length of their bucket to save padding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.data.examples import Examples
from nnspec.data.plan import DataPlan
from nnspec.data.prepare import State
from nnspec.types import Condition

_Pads = dict[str, tuple[dict[str, Any], dict[str, Any]]]


def in_buckets(plan: DataPlan, state: State, examples: Examples, conditions: Mapping[str, Condition]) -> tuple[Examples, ...]:
    """Groups examples by the buckets of the inputs' `pad`; a single group if no input has buckets.

    The length of a row along a free dimension is its length without padding, in the longest of the inputs with that
    dimension. It belongs to the first bucket that fits it in every dimension; a dimension with fewer buckets than another is
    uncut in the rest. Inputs and targets with the same dimension are cut to the same length.

    Args:
        plan: The plan of the data.
        state: What the transforms learned.
        examples: The examples, padded to one length.
        conditions: The conditions on free dimensions, by symbol.
    """
    pads = _pads(state)
    leaders = [name for name, (_, learned) in pads.items() if learned.get("buckets")]
    if not leaders:
        return (examples,)
    sizes = [_Dimension.of(plan, pads, leader, examples, conditions) for leader in leaders]
    of_row = np.max([size.bucket_of_row for size in sizes], 0)
    return tuple(_part(examples, sizes, place, examples.rows[of_row == place]) for place in np.unique(of_row))


@dataclass(frozen=True)
class _Dimension:
    """A free dimension of the network, and its buckets.

    Attributes:
        inputs: The inputs to cut.
        targets: The targets to cut.
        limits: The length of each bucket.
        left: Whether the padding is on the left.
        bucket_of_row: The index of the first bucket that fits each row.
    """

    inputs: list[str]
    targets: list[str]
    limits: list[int]
    left: bool
    bucket_of_row: NDArray[np.int64]

    @classmethod
    def of(
        cls, plan: DataPlan, pads: _Pads, leader: str, examples: Examples, conditions: Mapping[str, Condition]
    ) -> _Dimension:
        """The dimension of an input with buckets."""
        arguments, learned = pads[leader]
        size = plan.inputs[leader].shape[0]
        inputs = [name for name, type in plan.inputs.items() if type.rank and type.shape[0] == size]
        stepwise = {name: need.output for name, need in plan.needs.items() if need.kind not in ("label", "sequence")}
        targets = [name for name, output in stepwise.items() if output.rank and output.shape[0] == size]
        lengths = np.max([_lengths(examples.inputs[name], pads.get(name)) for name in inputs], 0)[examples.rows]
        limits = sorted({_fitting(limit, learned["length"], conditions.get(str(size))) for limit in learned["buckets"]})
        return cls(inputs, targets, limits, arguments["side"] == "left", np.searchsorted(limits, lengths))

    def cut(self, array: NDArray[Any], place: int) -> NDArray[Any]:
        """Cuts an array to the length of a bucket."""
        limit = self.limits[min(place, len(self.limits) - 1)]
        return array[:, -limit:] if self.left else array[:, :limit]


def _part(examples: Examples, sizes: Sequence[_Dimension], place: int, rows: NDArray[np.int64]) -> Examples:
    inputs, targets, weights = dict(examples.inputs), dict(examples.targets), dict(examples.weights)
    for size in sizes:
        inputs |= {name: size.cut(inputs[name], place) for name in size.inputs}
        targets |= {name: size.cut(targets[name], place) for name in size.targets}
        weights |= {name: size.cut(weights[name], place) for name in size.targets if name in weights and weights[name].ndim > 1}
    return replace(examples, inputs=inputs, targets=targets, weights=weights, rows=rows)


def _pads(state: State) -> _Pads:
    """The arguments and the state of each input's `pad`, if that is its last transform."""
    ends = {place.partition(".")[2]: steps[-1] for place, steps in state.items() if place.startswith("inputs.") and steps}
    return {name: (step["arguments"], step["learned"]) for name, step in ends.items() if step["transform"] == "pad"}


def _lengths(values: NDArray[Any], pad: tuple[dict[str, Any], dict[str, Any]] | None) -> NDArray[np.int64]:
    """The length of each row without padding; the full length if the input has no `pad`."""
    length = values.shape[1]
    if pad is None:
        return np.full(len(values), length)
    valid = (values != pad[0]["value"]).reshape(len(values), length, -1).any(-1)
    from_end = valid if pad[0]["side"] == "left" else valid[:, ::-1]
    return np.where(valid.any(1), length - from_end.argmax(1), 1)


def _fitting(limit: int, length: int, condition: Condition | None) -> int:
    """The next length that the network accepts, at most the full length."""
    return min(limit if condition is None else condition.next_fit(limit), length)
