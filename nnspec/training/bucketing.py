"""Examples of similar length together, cut to where the longest of them ends, so that little of a batch is filling."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.data.examples import Examples
from nnspec.data.plan import DataPlan
from nnspec.data.prepare import State
from nnspec.types import Condition

__all__ = ["in_buckets"]


def in_buckets(plan: DataPlan, state: State, examples: Examples, conditions: Mapping[str, Condition]) -> tuple[Examples, ...]:
    """Examples by the buckets of an input's `pad`; all of them in one where none has any.

    A row is as long as what stands in it before the filling, in the longest of the inputs whose first size is the same symbol.
    Inputs and targets of that size are cut alike.

    Args:
        plan: What the data are.
        state: What the transforms learned.
        examples: The examples, padded to one length.
        conditions: What a free size must satisfy, by its symbol.
    """
    found = next(((name, learned) for name, (_, learned) in _pads(state).items() if learned.get("buckets")), None)
    if found is None:
        return (examples,)
    leader, learned = found
    size = plan.inputs[leader].shape[0]
    alike = [name for name, type in plan.inputs.items() if type.rank and type.shape[0] == size]
    lengths = np.max([_lengths(examples.inputs[name], _pads(state).get(name)) for name in alike], 0)[examples.rows]
    limits = sorted({_fitting(limit, learned["length"], conditions.get(str(size))) for limit in learned["buckets"]})
    of_row = np.searchsorted(limits, lengths)
    stepwise = {name: need.output for name, need in plan.needs.items() if need.kind not in ("label", "sequence")}
    targets = [name for name, output in stepwise.items() if output.rank and output.shape[0] == size]
    parts = []
    for place, limit in enumerate(limits):
        rows = examples.rows[of_row == place]
        if not len(rows):
            continue
        cut = slice(-limit, None) if _pads(state)[leader][0]["side"] == "left" else slice(limit)
        inputs = {name: array[:, cut] if name in alike else array for name, array in examples.inputs.items()}
        given = {name: array[:, cut] if name in targets else array for name, array in examples.targets.items()}
        parts.append(replace(examples, inputs=inputs, targets=given, rows=rows))
    return tuple(parts)


def _pads(state: State) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
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
    if condition is not None:
        limit = -(-max(limit, condition.at_least) // condition.multiple_of) * condition.multiple_of
    return min(limit, length)
