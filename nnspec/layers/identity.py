"""The layer that changes nothing."""

from __future__ import annotations

from typing import ClassVar

from nnspec.layers.base import Inputs, Outputs, single
from nnspec.layers.checks import computed
from nnspec.layers.interfaces import PassesOn

__all__ = ["Identity"]


class Identity(PassesOn):
    """Gives what it takes: a name for a tensor, a branch that passes its input on, a place kept free."""

    passes_mask: ClassVar[bool] = True

    @property
    def same_at_every_position(self) -> bool:
        return True

    def infer(self, inputs: Inputs) -> Outputs:
        x = inputs["x"]
        return single(x.shape, computed(x.dtype))
