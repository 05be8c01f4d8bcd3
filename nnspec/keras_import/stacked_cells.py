"""``RNN`` over ``StackedRNNCells``: a recurrent layer for each cell, one after the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from nnspec.keras_import.arguments import NoEqual
from nnspec.keras_import.model import KerasCall, KerasLayer, is_of_keras, tensors_in
from nnspec.keras_import.parts import Inside, Part, Source, bound
from nnspec.layers import snake_name
from nnspec.layers.recurrence import Recurrent

__all__ = ["stacked", "stacked_cells"]


def stacked_cells(config: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """The config of an ``RNN`` for each cell of a stack; None if there is one cell."""
    cell = config.get("cell")
    if not isinstance(cell, dict) or cell.get("class_name") != "StackedRNNCells" or not is_of_keras(cell):
        return None
    cells = (cell.get("config") or {}).get("cells")
    if not isinstance(cells, list) or not cells:
        raise NoEqual("its `StackedRNNCells` have no cells", setting=True)
    last = len(cells) - 1
    return [
        {
            **config,
            "cell": one,
            "return_sequences": config.get("return_sequences", False) if number == last else True,
            "go_backwards": config.get("go_backwards", False) and number == 0,
        }
        for number, one in enumerate(cells)
    ]


def stacked(layer: KerasLayer, call: KerasCall, made: Sequence[Recurrent]) -> tuple[Part, ...]:
    """The layers of a stack. Keras lists the states of all cells, in order, as first states and as outputs."""
    given = bound(call, ("sequences", "initial_state", "mask", "training"))
    first = list(tensors_in(given.get("initial_state")))
    if first and len(first) != sum(len(one.states) for one in made):
        raise NoEqual("it is not called with a state for each of its cells", setting=True)
    if layer.config.get("go_backwards") and call.kwargs.get("mask") is not None and len(made) > 1:
        raise NoEqual("it runs backwards over a mask, and the second cell would get the mask the other way round", setting=True)
    source: Source = next(tensors_in(given.get("sequences")))
    cells = layer.config["cell"]["config"]["cells"]
    parts: list[Part] = []
    counted: Counter[str] = Counter()
    output = 1
    for number, one in enumerate(made):
        states: dict[str, Source] = {state: first.pop(0) for state in one.states} if first else {}
        kind = snake_name(str(cells[number].get("class_name")))
        name = f"{kind}_{counted[kind]}" if counted[kind] else kind
        counted[kind] += 1
        last = number == len(made) - 1
        gives = {0: "output"} if last else {}
        if one.return_state:
            gives |= dict(zip(range(output, output + len(one.states)), one.states, strict=True))
            output += len(one.states)
        inside = Inside(f"cell/cells/{name}", ("cell", "cells", number))
        parts.append(Part(one, {"x": source, **states}, f"_{number}", inside, gives))
        source = number
    return tuple(parts)
