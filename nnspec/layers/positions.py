"""Position embeddings and encodings."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from collections.abc import Set as AbstractSet
from typing import ClassVar

from pydantic import Field

from nnspec.layers.arguments import AnyConstraint, AnyInitializer, AnyRegularizer, PositiveInt
from nnspec.layers.base import Inputs, Layer, LayerError, Outputs, single
from nnspec.layers.checks import known_size, require_axes, require_float
from nnspec.layers.interfaces import LimitsSteps
from nnspec.layers.scalars import PositiveNumber
from nnspec.layers.time_dependence import TimeDependence
from nnspec.types import Dim, Weight


class _Placed(Layer):
    """Base class of layers that depend on the position of a step."""

    passes_mask: ClassVar[bool] = True

    def time_dependence(self, inputs: Inputs, fed: Mapping[str, Hashable], along: AbstractSet[str]) -> TimeDependence:
        del inputs, fed, along
        return TimeDependence(placed=True)


class PositionEmbedding(_Placed, LimitsSteps):
    """Adds a learned position embedding to each step (Gehring et al. 2017)."""

    main_argument: ClassVar[str | None] = "max_length"

    max_length: PositiveInt = Field(description="The maximum sequence length.")
    embeddings_initializer: AnyInitializer = Field("uniform", validate_default=True, description="Initializer of the vectors.")
    embeddings_regularizer: AnyRegularizer | None = Field(None, description="Penalty on the vectors.")
    embeddings_constraint: AnyConstraint | None = Field(None, description="Constraint on the vectors.")

    def infer(self, inputs: Inputs) -> Outputs:
        x = inputs["x"]
        require_axes(self, x, "time", "features")
        require_float(self, x)
        known_size(self, x)
        if isinstance(x.shape[0], int) and x.shape[0] > self.max_length:
            raise LayerError(
                f"the input has {x.shape[0]} steps, but `max_length` is {self.max_length}",
                help=f"write `max_length: {x.shape[0]}`",
                argument="max_length",
            )
        return single(x.shape)

    def room(self, inputs: Inputs) -> tuple[int | Dim, ...]:
        return (self.max_length - inputs["x"].shape[0] + 1,)

    @property
    def most_steps(self) -> int:
        return self.max_length

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        return (self.owns("embeddings", (self.max_length, known_size(self, inputs["x"]))),)


class SinusoidalPositionEncoding(_Placed):
    """Adds sines and cosines of the position to each step (Vaswani et al. 2017, section 3.5).

    Feature 2·i gets ``sin(p / W^(2·i / D))`` and feature 2·i + 1 the cosine, for position p, D features and wavelength W.
    """

    main_argument: ClassVar[str | None] = "max_wavelength"

    max_wavelength: PositiveNumber = Field(10000.0, description="The longest wavelength, divided by 2π.")

    def infer(self, inputs: Inputs) -> Outputs:
        x = inputs["x"]
        require_axes(self, x, "time", "features")
        require_float(self, x)
        known_size(self, x)
        return single(x.shape)
