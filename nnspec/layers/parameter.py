"""A learned tensor that depends on no input."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from nnspec.layers.arguments import AnyConstraint, AnyInitializer, AnyRegularizer, PositiveInt
from nnspec.layers.base import Inputs, Layer, Outputs, Ports, single
from nnspec.types import Weight

__all__ = ["Parameter"]


class Parameter(Layer):
    """A learned tensor, the same for every example: a class token, a learned initial state, prompts, slots.

    It needs no ``from``, and never takes the step before: of the network's first input, or of what ``from`` names, it takes the
    number of examples alone.
    """

    ports: ClassVar[Ports] = Ports(counts_examples=True)
    main_argument: ClassVar[str | None] = "shape"

    shape: list[PositiveInt] = Field(description="Sizes of the tensor, the batch axis left out; `[]` is one number.")
    initializer: AnyInitializer = Field("glorot_uniform", validate_default=True, description="The tensor at first.")
    regularizer: AnyRegularizer | None = Field(None, description="Penalty on the tensor.")
    constraint: AnyConstraint | None = Field(None, description="What the tensor is held to.")

    def infer(self, inputs: Inputs) -> Outputs:
        del inputs
        return single(tuple(self.shape))

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        return (self.owns("value", tuple(self.shape), argument=""),)
