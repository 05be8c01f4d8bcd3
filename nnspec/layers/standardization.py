"""Rescaling by fixed numbers, and by statistics of the training data."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field, Strict, model_validator

from nnspec.layers.base import Inputs, Layer, LayerError, Outputs, single
from nnspec.layers.checks import known_size
from nnspec.layers.initializers import Ones, Zeros
from nnspec.layers.normalization import axis_of
from nnspec.layers.scalars import Flag, NotNegative, Number, WholeNumber
from nnspec.types import Weight

_Axes = Annotated[list[Annotated[int, Strict()]], Field(min_length=1)]


class Normalization(Layer):
    """Normalizes features to mean 0 and variance 1, with given statistics or those of the training data.

    ``nnspec train`` computes the statistics before the first step, from the layer's inputs in the training split; with
    ``invert``, at an output, from that output's targets. A built but untrained model uses mean 0 and variance 1.
    """

    passes_mask: ClassVar[bool] = True

    axis: WholeNumber | _Axes | None = Field(
        -1,
        description="The axis or axes with separate statistics, where 0 is the batch axis; null: one mean and "
        "variance for all.",
    )
    mean: Number | list[Number] | None = Field(
        None, description="The mean, or one per position on `axis`; null: computed from the training data."
    )
    variance: NotNegative | list[NotNegative] | None = Field(
        None, description="The variance, or one per position on `axis`; null: computed from the training data."
    )
    invert: Flag = Field(False, description="Whether to apply the inverse: from mean 0 and variance 1 to the given statistics.")

    @model_validator(mode="after")
    def _both(self) -> Normalization:
        if (self.mean is None) != (self.variance is None):
            raise ValueError("`mean` and `variance` must be given together")
        sizes = [len(given) if isinstance(given, list) else 0 for given in (self.mean, self.variance)]
        if sizes[0] != sizes[1]:
            raise ValueError("`mean` and `variance` must have the same length")
        return self

    @property
    def adapts(self) -> bool:
        """Whether its statistics are computed from the training data."""
        return self.mean is None

    def infer(self, inputs: Inputs) -> Outputs:
        x = inputs["x"]
        sizes = self.kept_sizes(inputs)
        if isinstance(self.mean, list) and (not sizes or len(self.mean) not in (1, sizes[-1])):
            places = sizes[-1] if sizes else 0
            raise LayerError(
                f"`mean` and `variance` have {len(self.mean)} values, but {x} has {places} positions along `axis`",
                help="write one value per position along `axis`, or a single value",
                argument="mean",
            )
        return single(x.shape)

    def kept_axes(self, rank: int) -> tuple[int, ...]:
        """Return the axes with separate statistics in increasing order, without the batch axis.

        Raises:
            LayerError: If the input has no such axis, or one is named twice.
        """
        given = [] if self.axis is None else self.axis if isinstance(self.axis, list) else [self.axis]
        axes = sorted(axis_of(axis, rank) for axis in given)
        if len(set(axes)) < len(axes):
            raise LayerError("`axis` lists an axis twice", help="list each axis once", argument="axis")
        return tuple(axes)

    def kept_sizes(self, inputs: Inputs) -> tuple[int, ...]:
        """Return the sizes of those axes."""
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


class Rescaling(Layer):
    """Computes ``x · scale + offset`` as floats; for pixels write ``Rescaling: 0.00392156862745098`` (1/255)."""

    main_argument: ClassVar[str | None] = "scale"
    passes_mask: ClassVar[bool] = True

    scale: Number | list[Number] = Field(description="The factor, or one per channel.")
    offset: Number | list[Number] = Field(0.0, description="The offset, or one per channel.")

    def infer(self, inputs: Inputs) -> Outputs:
        x = inputs["x"]
        for argument, value in (("scale", self.scale), ("offset", self.offset)):
            if isinstance(value, list) and (not x.rank or x.shape[-1] != len(value)):
                raise LayerError(
                    f"`{argument}` has {len(value)} values, but the last axis of {x} has a different size",
                    help="write one value per channel, or a single value",
                    argument=argument,
                )
        return single(x.shape)
