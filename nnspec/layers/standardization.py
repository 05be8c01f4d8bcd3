"""Statistics of the training data, taken before the first step."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field, Strict, model_validator

from nnspec.layers.base import Inputs, Layer, LayerError, Outputs, single
from nnspec.layers.checks import known_size
from nnspec.layers.initializers import Ones, Zeros
from nnspec.layers.normalization import axis_of
from nnspec.layers.scalars import Flag, NotNegative, Number, WholeNumber
from nnspec.types import Weight

__all__ = ["Normalization"]

_Axes = Annotated[list[Annotated[int, Strict()]], Field(min_length=1)]


class Normalization(Layer):
    """Brings features to mean 0 and variance 1, by the statistics of the training data or by given ones.

    ``nnspec train`` takes them before the first step: of what comes in from the training part; with ``invert``, at an
    output, of that output's targets. A model that was only built has mean 0 and variance 1.
    """

    passes_mask: ClassVar[bool] = True

    axis: WholeNumber | _Axes | None = Field(
        -1, description="The axis or axes with statistics for each place, the batch axis counted as 0; null: one for all."
    )
    mean: Number | list[Number] | None = Field(None, description="The mean, or one for each place; null: of the training data.")
    variance: NotNegative | list[NotNegative] | None = Field(
        None, description="The variance, or one for each place; null: of the training data."
    )
    invert: Flag = Field(False, description="Whether it undoes the change: from mean 0 and variance 1 to the given ones.")

    @model_validator(mode="after")
    def _both(self) -> Normalization:
        if (self.mean is None) != (self.variance is None):
            raise ValueError("`mean` and `variance` are given together, or not at all")
        sizes = [len(given) if isinstance(given, list) else 0 for given in (self.mean, self.variance)]
        if sizes[0] != sizes[1]:
            raise ValueError("`mean` and `variance` must have as many numbers as one another")
        return self

    @property
    def adapts(self) -> bool:
        """Whether its statistics are those of the training data."""
        return self.mean is None

    def infer(self, inputs: Inputs) -> Outputs:
        x = inputs["x"]
        sizes = self.kept_sizes(inputs)
        if isinstance(self.mean, list) and (not sizes or len(self.mean) not in (1, sizes[-1])):
            places = sizes[-1] if sizes else "no"
            raise LayerError(
                f"`mean` and `variance` have {len(self.mean)} numbers, and there are {places} places in {x}",
                help="give one for each place along `axis`, or one number for all",
                argument="mean",
            )
        return single(x.shape)

    def kept_axes(self, rank: int) -> tuple[int, ...]:
        """The axes with statistics for each place, in their order, the batch axis left out.

        Raises:
            LayerError: Where the input has no such axis, or one is named twice.
        """
        given = [] if self.axis is None else self.axis if isinstance(self.axis, list) else [self.axis]
        axes = sorted(axis_of(axis, rank) for axis in given)
        if len(set(axes)) < len(axes):
            raise LayerError("`axis` names an axis twice", help="name each axis once", argument="axis")
        return tuple(axes)

    def kept_sizes(self, inputs: Inputs) -> tuple[int, ...]:
        """The sizes of those axes."""
        x = inputs["x"]
        return tuple(known_size(self, x, axis) for axis in self.kept_axes(x.rank))

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        if not self.adapts:
            return ()
        shape = self.kept_sizes(inputs)
        return (
            Weight("mean", shape, False, Zeros()),
            Weight("variance", shape, False, Ones()),
            Weight("count", (), False, Zeros()),
        )
