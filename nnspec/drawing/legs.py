"""Routes of wires through nested frames, one leg per frame, and the tensors of each frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nnspec.drawing.rows import Net
from nnspec.drawing.tree import Box, Frame, Wire

Tensor = tuple[str, str]


@dataclass(frozen=True)
class Leg:
    """The part of a wire in one frame; an end is None if the wire enters or leaves the frame there."""

    frame: Frame
    source: str | None
    target: str | None


def ways_of(root: Frame) -> dict[str, list[tuple[Frame, str]]]:
    """Return the enclosing frames of each box, outermost first, each with the child that contains the box."""
    found: dict[str, list[tuple[Frame, str]]] = {}
    stack: list[tuple[Frame, list[tuple[Frame, str]]]] = [(root, [])]
    while stack:
        frame, way = stack.pop()
        for key, child in frame.children.items():
            here = [*way, (frame, key)]
            if isinstance(child, Box):
                found[child.id] = here
            else:
                stack.append((child, here))
    return found


def legs_of(around: Mapping[str, list[tuple[Frame, str]]], wire: Wire) -> list[Leg]:
    """Return the legs out of the source's frames, across the common frame, into the target's frames."""
    source, target = around[wire.source], around[wire.target]
    common = 0
    while source[common] == target[common]:
        common += 1
    out = [Leg(frame, key, None) for frame, key in reversed(source[common + 1 :])]
    across = Leg(source[common][0], source[common][1], target[common][1])
    return [*out, across, *(Leg(frame, None, key) for frame, key in target[common + 1 :])]


class Nets:
    """The tensors of one frame, collected wire by wire."""

    def __init__(self) -> None:
        self._source: dict[Tensor, str | None] = {}
        self._targets: dict[Tensor, dict[str, None]] = {}
        self._leaving: set[Tensor] = set()

    def add(self, tensor: Tensor, source: str | None, target: str | None) -> None:
        self._source[tensor] = source
        targets = self._targets.setdefault(tensor, {})
        if target is None:
            self._leaving.add(tensor)
        else:
            targets[target] = None

    def nets(self) -> list[Net]:
        return [Net(t, source, tuple(self._targets[t]), t in self._leaving) for t, source in self._source.items()]
