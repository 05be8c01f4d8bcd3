"""What an exported model takes: raw values, where the numeric transforms of its inputs are part of its graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nnspec.data.readers.base import Table
from nnspec.data.recipe import Recipe, Step, read_inputs, read_raw, steps_of
from nnspec.data.transforms.classes import label_encode, one_hot
from nnspec.data.transforms.numbers import impute
from nnspec.onnx_backend.entry import Entries
from nnspec.onnx_backend.parity import Arrays, Run
from nnspec.runtime.in_graph import IN_GRAPH
from nnspec.runtime.raw_input import RawInput
from nnspec.types import TensorType

__all__ = ["raw_inputs"]


def raw_inputs(recipe: Recipe, table: Table, types: Mapping[str, TensorType]) -> tuple[Recipe, Entries | None]:
    """Divides the transforms of a run's inputs into those that an exported model has in its graph, and the others.

    Args:
        recipe: What the run says of its inputs.
        table: A few rows of its data.
        types: What the graph takes.

    Returns:
        What the model is to say of its inputs, and what stands before them in its graph; None where nothing does.
    """
    inputs: dict[str, Any] = dict(recipe.get("inputs", {}))
    found: dict[str, RawInput] = {}
    if any(name not in inputs for name in types):
        return recipe, None  # what no data feed cannot be proven on data
    for name, given in types.items():
        if given.mask is not None:
            continue
        said, steps = inputs[name], steps_of(inputs[name])
        cut = _cut(steps, given)
        if cut == len(steps):
            continue
        said = {**said, "transforms": said["transforms"][:cut]} | _allowed(steps, cut)
        raw = read_raw(table, "the data", name, {"inputs": {name: said}})
        found[name] = RawInput.of(name, given, tuple(steps[cut:]), raw, may_miss=said["missing"])
        inputs[name] = said
    served = {**recipe, "inputs": inputs}
    if not found:
        return served, None
    taken = {name: found[name].type if name in found else given for name, given in types.items()}
    cases = _cases(found, read_inputs(table, "the data", served, taken))
    return served, Entries({name: input_.entry for name, input_ in found.items()}, _applying(found), cases)


def _cut(steps: Sequence[Step], given: TensorType) -> int:
    """How many transforms stay outside: all up to the last that is no matter of numbers."""
    if "float" not in given.dtype and steps and not isinstance(steps[-1].transform, label_encode):
        return len(steps)  # whether numbers are whole is looked at outside
    cut = 0
    for i, step in enumerate(steps):
        if type(step.transform) not in IN_GRAPH or step.transform.for_each_series:
            cut = i + 1
        elif isinstance(step.transform, label_encode | one_hot):
            numeric = all(isinstance(label, int | float) for label in step.learned["classes"])
            if not numeric or not all(isinstance(before.transform, impute) for before in steps[cut:i]):
                cut = i + 1
    return cut


def _allowed(steps: Sequence[Step], cut: int) -> dict[str, Any]:
    """What a recipe says of the values that the transforms behind the cut take."""
    inside = steps[cut:]
    encoder = next((step for step in inside if isinstance(step.transform, label_encode | one_hot)), None)
    classes = None if encoder is None or encoder.transform.fills else encoder.learned["classes"]
    filled = [np.ravel(step.learned["value"]) for step in inside if isinstance(step.transform, impute)]
    fills = cut == 0 and inside[0].transform.fills
    if classes is not None and filled:
        fills = fills and bool(np.isin(filled[0], classes).all())
    return {"missing": fills} | ({} if classes is None else {"classes": classes})


def _applying(found: Mapping[str, RawInput]) -> Run:
    def apply(raw: Arrays) -> Arrays:
        return {name: found[name].apply(array) if name in found else array for name, array in raw.items()}

    return apply


def _cases(found: Mapping[str, RawInput], raw: Arrays) -> list[Arrays]:
    """Real inputs, one alone, and mixtures of them."""
    rng = np.random.default_rng(0)
    shaken = [
        {name: found[name].shaken(array, rng) if name in found else array for name, array in raw.items()} for _ in range(3)
    ]
    return [raw, {name: array[:1] for name, array in raw.items()}, *shaken]
