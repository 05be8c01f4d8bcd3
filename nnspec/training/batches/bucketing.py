"""Examples of similar length together, cut to where the longest of them ends, so that little of a batch is filling."""

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

__all__ = ["in_buckets"]

_Pads = dict[str, tuple[dict[str, Any], dict[str, Any]]]


def in_buckets(plan: DataPlan, state: State, examples: Examples, conditions: Mapping[str, Condition]) -> tuple[Examples, ...]:
    """Examples by the buckets of the inputs' `pad`; all of them in one where none has any.

    A row is as long in a free size as what stands in it before the filling, in the longest of the inputs whose first size it
    is. It belongs to the first bucket that holds it in every size; a size with fewer buckets than another is whole in the rest.
    Inputs and targets of a size are cut alike.

    Args:
        plan: What the data are.
        state: What the transforms learned.
        examples: The examples, padded to one length.
        conditions: What a free size must satisfy, by its symbol.
    """
    pads = _pads(state)
    leaders = [name for name, (_, learned) in pads.items() if learned.get("buckets")]
    if not leaders:
        return (examples,)
    sizes = [_Size.of(plan, pads, leader, examples, conditions) for leader in leaders]
    of_row = np.max([size.bucket_of_row for size in sizes], 0)
    return tuple(_part(examples, sizes, place, examples.rows[of_row == place]) for place in np.unique(of_row))


@dataclass(frozen=True)
class _Size:
    """A free size of the network and the buckets that rows have in it.

    Attributes:
        inputs: The inputs that are cut.
        targets: The targets that are.
        limits: The length of each bucket.
        left: Whether the filling is on the left.
        bucket_of_row: The place of the first bucket that each row fits.
    """

    inputs: list[str]
    targets: list[str]
    limits: list[int]
    left: bool
    bucket_of_row: NDArray[np.int64]

    @classmethod
    def of(cls, plan: DataPlan, pads: _Pads, leader: str, examples: Examples, conditions: Mapping[str, Condition]) -> _Size:
        """The size of an input with buckets."""
        arguments, learned = pads[leader]
        size = plan.inputs[leader].shape[0]
        inputs = [name for name, type in plan.inputs.items() if type.rank and type.shape[0] == size]
        stepwise = {name: need.output for name, need in plan.needs.items() if need.kind not in ("label", "sequence")}
        targets = [name for name, output in stepwise.items() if output.rank and output.shape[0] == size]
        lengths = np.max([_lengths(examples.inputs[name], pads.get(name)) for name in inputs], 0)[examples.rows]
        limits = sorted({_fitting(limit, learned["length"], conditions.get(str(size))) for limit in learned["buckets"]})
        return cls(inputs, targets, limits, arguments["side"] == "left", np.searchsorted(limits, lengths))

    def cut(self, array: NDArray[Any], place: int) -> NDArray[Any]:
        """An array of that size as long as a bucket."""
        limit = self.limits[min(place, len(self.limits) - 1)]
        return array[:, -limit:] if self.left else array[:, :limit]


def _part(examples: Examples, sizes: Sequence[_Size], place: int, rows: NDArray[np.int64]) -> Examples:
    inputs, targets = dict(examples.inputs), dict(examples.targets)
    for size in sizes:
        inputs |= {name: size.cut(inputs[name], place) for name in size.inputs}
        targets |= {name: size.cut(targets[name], place) for name in size.targets}
    return replace(examples, inputs=inputs, targets=targets, rows=rows)


def _pads(state: State) -> _Pads:
    """The arguments of each input's `pad`, where that is its last transform, and what it learned."""
    ends = {place.partition(".")[2]: steps[-1] for place, steps in state.items() if place.startswith("inputs.") and steps}
    return {name: (step["arguments"], step["learned"]) for name, step in ends.items() if step["transform"] == "pad"}


def _lengths(values: NDArray[Any], pad: tuple[dict[str, Any], dict[str, Any]] | None) -> NDArray[np.int64]:
    """How long each row is; the whole length where nothing says what is filling."""
    length = values.shape[1]
    if pad is None:
        return np.full(len(values), length)
    kept = (values != pad[0]["value"]).reshape(len(values), length, -1).any(-1)
    from_end = kept if pad[0]["side"] == "left" else kept[:, ::-1]
    return np.where(kept.any(1), length - from_end.argmax(1), 1)


def _fitting(limit: int, length: int, condition: Condition | None) -> int:
    """The next size that the network takes; the whole length where there is none below."""
    return min(limit if condition is None else condition.next_fit(limit), length)
