"""The identity layer."""

from __future__ import annotations

from typing import ClassVar

from nnspec.layers.base import Inputs, Outputs, single
from nnspec.layers.checks import computed
from nnspec.layers.interfaces import PassesOn


class Identity(PassesOn):
    """Returns its input unchanged: a name for a tensor, a skip branch, or a placeholder."""

    passes_mask: ClassVar[bool] = True

    @property
    def same_at_every_position(self) -> bool:
        return True

    def infer(self, inputs: Inputs) -> Outputs:
        x = inputs["x"]
        return single(x.shape, computed(x.dtype))
