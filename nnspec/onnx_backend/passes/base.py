"""What a pass is, and the properties of a graph that passes require and ensure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from nnspec.onnx_backend.builder import Builder


class Property(Enum):
    """A property of a complete ONNX graph."""

    NORMALIZATIONS_FOLDED = "no normalization reads a linear operator that nothing else reads"
    INVARIANTS_OUTSIDE_LOOPS = "each node of a loop's body depends on an input of the body"
    OUTPUTS_COMPUTED = "each output of the graph or of a body is computed in it, and is not another output too"
    NOTHING_UNUSED = "each node and each constant is needed for an output"
    EMPTY_TENSORS_GUARDED = "an operator that crashes on an empty tensor reads a constant or the result of a guard"


@dataclass(frozen=True)
class Pass:
    """A rewrite of a complete ONNX graph that does not change what the graph computes.

    Attributes:
        run: Changes the graph in place.
        ensures: The properties of the graph after the pass.
        requires: The properties that the graph must have before it.
        ends: The properties that a graph may lose.
    """

    run: Callable[[Builder], None]
    ensures: frozenset[Property]
    requires: frozenset[Property] = frozenset()
    ends: frozenset[Property] = frozenset()

    @property
    def name(self) -> str:
        return self.run.__name__
