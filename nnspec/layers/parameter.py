"""A learned tensor that does not depend on the input."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from nnspec.layers.arguments import AnyConstraint, AnyInitializer, AnyRegularizer, PositiveInt
from nnspec.layers.base import Inputs, Layer, Outputs, Ports, single
from nnspec.types import Weight


class Parameter(Layer):
    """A learned tensor shared by all examples, such as a class token, an initial state or prompts.

    It ignores the step before it. It uses only the batch size of the input in ``from``, which is by default the network's first
    input.
    """

    ports: ClassVar[Ports] = Ports(counts_examples=True)
    main_argument: ClassVar[str | None] = "shape"

    shape: list[PositiveInt] = Field(description="Shape of the tensor, without the batch axis; `[]` is a scalar.")
    initializer: AnyInitializer = Field("glorot_uniform", validate_default=True, description="Initializer of the tensor.")
    regularizer: AnyRegularizer | None = Field(None, description="Penalty on the tensor.")
    constraint: AnyConstraint | None = Field(None, description="Constraint on the tensor.")

    def infer(self, inputs: Inputs) -> Outputs:
        del inputs
        return single(tuple(self.shape))

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        return (self.owns("value", tuple(self.shape), argument=""),)
