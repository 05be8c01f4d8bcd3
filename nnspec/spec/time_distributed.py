"""Blocks and networks as arguments of a layer: ``TimeDistributed: {layer: unit}``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

from nnspec.layers import LAYERS
from nnspec.layers.base import Layer
from nnspec.spec.draft import Draft
from nnspec.spec.keys import known_keys
from nnspec.spec.recurrence import named, runs_a_cell
from nnspec.spec.step import Content, Shared
from nnspec.spec.tree import MappingNode, Place
from nnspec.types import Config, Named, PluginError

if TYPE_CHECKING:
    from nnspec.spec.expand import Expander


@dataclass(frozen=True)
class InnerUse:
    """A use of a block or a network as a layer's argument.

    Attributes:
        draft: The use, as a step.
    """

    draft: Draft

    def content(self, expander: Expander) -> Content | None:
        """Return what runs at every time step; reports and returns None if it is invalid."""
        content = expander.content(self.draft)
        return content if content is None or isinstance(content, Layer | Shared) else replace(content, time_distributed=True)


def inner_use(expander: Expander, draft: Draft) -> InnerUse | None:
    """Return the block or network given to a layer, or None."""
    try:
        config = LAYERS.get(str(draft.op.value))
    except PluginError:
        return None  # reported when the layer is read
    argument = _takes_steps(config)
    if argument is None:
        return None
    tree, arguments = draft.arguments, draft.arguments
    if isinstance(arguments, MappingNode):
        tree = arguments.get(argument)
    key, inner = named(tree)
    if key is None:
        return None
    path = str(Place(tree.place, str(key.value))) if tree is not None and tree.place else draft.path
    within = Draft(key, inner, None, draft.scope, path)
    if key.value not in (*expander.operations, "Compute") and not runs_a_cell(within):
        return None
    if isinstance(arguments, MappingNode):
        known_keys(arguments, (argument,), f"`{draft.op.value}`", expander.problems)
    return InnerUse(within)


@cache
def _takes_steps(config: type[Config]) -> str | None:
    """Return the argument that also accepts blocks and networks."""
    for name, info in config.model_fields.items():
        if any(isinstance(mark, Named) and mark.own for mark in info.metadata):
            return name
    return None
