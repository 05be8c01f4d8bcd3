"""Where a step stands in its sequence, added to its features."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from collections.abc import Set as AbstractSet
from typing import ClassVar

from pydantic import Field

from nnspec.layers.along_time import AlongTime
from nnspec.layers.arguments import AnyConstraint, AnyInitializer, AnyRegularizer, PositiveInt
from nnspec.layers.base import Inputs, Layer, LayerError, Outputs, single
from nnspec.layers.checks import known_size, require_axes, require_float
from nnspec.layers.interfaces import LimitsSteps
from nnspec.layers.scalars import PositiveNumber
from nnspec.types import Dim, Weight

__all__ = ["PositionEmbedding", "SinusoidalPositionEncoding"]


class _Placed(Layer):
    """What layers share that have to know where a step stands."""

    passes_mask: ClassVar[bool] = True

    def along_time(self, inputs: Inputs, fed: Mapping[str, Hashable], along: AbstractSet[str]) -> AlongTime:
        del inputs, fed, along
        return AlongTime(placed=True)


class PositionEmbedding(_Placed, LimitsSteps):
    """Adds to each step a learned vector of its position (Gehring et al. 2017)."""

    main_argument: ClassVar[str | None] = "max_length"

    max_length: PositiveInt = Field(description="Number of positions that have a vector; no sequence may be longer.")
    embeddings_initializer: AnyInitializer = Field("uniform", validate_default=True, description="The vectors at first.")
    embeddings_regularizer: AnyRegularizer | None = Field(None, description="Penalty on the vectors.")
    embeddings_constraint: AnyConstraint | None = Field(None, description="What the vectors are held to.")

    def infer(self, inputs: Inputs) -> Outputs:
        x = inputs["x"]
        require_axes(self, x, "time", "features")
        require_float(self, x)
        known_size(self, x)
        if isinstance(x.shape[0], int) and x.shape[0] > self.max_length:
            raise LayerError(
                f"{x.shape[0]} steps are more than the {self.max_length} positions that have a vector",
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
    """Adds to each step the sines and cosines of its position, of falling frequency (Vaswani et al. 2017, section 3.5).

    Feature 2·i gets ``sin(p / W^(2·i / D))`` and feature 2·i + 1 the cosine, for position p, D features and wavelength W.
    """

    max_wavelength: PositiveNumber = Field(10000.0, description="The longest wavelength, over 2π.")

    def infer(self, inputs: Inputs) -> Outputs:
        x = inputs["x"]
        require_axes(self, x, "time", "features")
        require_float(self, x)
        known_size(self, x)
        return single(x.shape)
