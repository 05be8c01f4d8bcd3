"""Inlay hints: the output shapes of each step, beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from lsprotocol import types

from nnspec.drawing.facts import shape_text
from nnspec.graph.model import BuiltStep, Graph
from nnspec.language_server.document import Analysis

_MOST_SHAPES = 3


def inlay_hints(analysis: Analysis, first: int, last: int) -> Iterator[types.InlayHint]:
    """Yield the hints of some lines, counted from 0: the shapes of the outputs of each step, at the end of its line.

    A step of a block has the shapes of all uses of the block. Several steps on one line have their hints after their names.

    Args:
        analysis: Analysis of the document.
        first: The first line.
        last: The last line.
    """
    text = analysis.version.text
    places = {path: text.range(found[0][1].span) for path, found in analysis.steps.items()}
    lines = Counter(place.start.line for place in places.values())
    for path, found in analysis.steps.items():
        place = places[path]
        if not first <= place.start.line <= last or not (shown := shapes_text([step for _, step in found])):
            continue
        at = place.end
        if lines[place.start.line] == 1:
            start = text.starts[place.start.line]
            at = text.position(start + len(text.line(place.start.line).rstrip()))
        hint = types.InlayHint(at, shown, padding_left=True, tooltip="output shape, without the batch axis")
        yield hint


def shapes_text(steps: Sequence[BuiltStep]) -> str:
    """Return the shapes of the outputs of a step, which may differ between its uses."""
    shown = list(dict.fromkeys(_outputs_text(step) for step in steps))
    more = f" | … {len(shown) - _MOST_SHAPES} more" if len(shown) > _MOST_SHAPES else ""
    return " | ".join(shown[:_MOST_SHAPES]) + more


def _outputs_text(step: BuiltStep) -> str:
    if len(step.outputs) == 1:
        return shape_text(next(iter(step.outputs.values())))
    return ", ".join(f"{name} {shape_text(type_)}" for name, type_ in step.outputs.items())


def parameters_of(graph: Graph, name: str) -> int:
    """Return the number of elements of the weights within a step."""
    within = f"{name}/"
    found = {
        f"{node.weights_at}/{weight.name}": weight.size
        for node in graph.every_node()
        if node.name == name or node.name.startswith(within)
        for weight in node.weights
    }
    return sum(found.values())
