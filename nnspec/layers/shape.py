"""Layers that change the shape of their input."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field, Strict, field_validator

from nnspec.layers.base import EVERYTHING, Inputs, Layer, LayerError, Outputs, Window, single
from nnspec.layers.checks import computed, require_axes
from nnspec.layers.interfaces import KeepsElements
from nnspec.layers.scalars import PositiveInt
from nnspec.layers.unsupported import DATA_FORMAT
from nnspec.types import Dim, product, same_size, size_text


class Flatten(KeepsElements):
    """Flattens all axes into one; a scalar gets an axis of size 1."""

    unsupported: ClassVar[Mapping[str, str]] = {**Layer.unsupported, "data_format": DATA_FORMAT}

    def infer(self, inputs: Inputs) -> Outputs:
        x = inputs["x"]
        return single((product(x.shape),), computed(x.dtype))

    def receptive_field(self, inputs: Inputs) -> Window | None:
        """None for a single axis; otherwise the whole input."""
        return EVERYTHING if inputs["x"].rank > 1 else None


class Reshape(KeepsElements):
    """Reshapes its input, keeping the order of the elements."""

    main_argument: ClassVar[str | None] = "target_shape"

    target_shape: list[Annotated[int, Strict(), Field(ge=-1)]] = Field(
        description="The sizes, without the batch axis; one may be −1, which is inferred."
    )

    @field_validator("target_shape")
    @classmethod
    def _has_one_rest(cls, sizes: list[int]) -> list[int]:
        if 0 in sizes:
            raise ValueError("`target_shape` takes positive sizes and at most one −1; got 0")
        if sizes.count(-1) > 1:
            raise ValueError("`target_shape` can contain −1 only once")
        return sizes

    def infer(self, inputs: Inputs) -> Outputs:
        x = inputs["x"]
        total = product(x.shape)
        known = product(size for size in self.target_shape if size != -1)
        assert isinstance(known, int)
        if -1 not in self.target_shape:
            if same_size(total, known) is False:
                raise self._does_not_fit(inputs, f"it has {size_text(total)} elements, not {known}")
            return single(tuple(self.target_shape), computed(x.dtype))
        if isinstance(total, int) and total % known:
            raise self._does_not_fit(inputs, f"{total} elements are not divisible by {known}")
        rest = total // known
        return single(tuple(rest if size == -1 else size for size in self.target_shape), computed(x.dtype))

    def agreeing_sizes(self, inputs: Inputs) -> tuple[tuple[int | Dim, int | Dim], ...]:
        return ((product(inputs["x"].shape), product(self.infer(inputs)["output"].shape)),)

    def _does_not_fit(self, inputs: Inputs, reason: str) -> LayerError:
        return LayerError(
            f"cannot reshape {inputs['x']} to {self.target_shape}: {reason}",
            help="change a size, or write −1 to infer one of them",
            argument="target_shape",
        )

    def receptive_field(self, inputs: Inputs) -> Window | None:
        """The whole input: output positions do not correspond to input positions."""
        return EVERYTHING


class Permute(Layer):
    """Permutes the axes."""

    main_argument: ClassVar[str | None] = "dims"

    dims: list[PositiveInt] = Field(description="The input axis for each output axis, counted from 1: [2, 1] swaps two axes.")

    def infer(self, inputs: Inputs) -> Outputs:
        x = inputs["x"]
        if sorted(self.dims) != list(range(1, x.rank + 1)):
            raise LayerError(
                f"`dims` {self.dims} is not a permutation of the axes of {x}",
                help=f"list each of the axes 1 to {x.rank} once",
                argument="dims",
            )
        return single(tuple(x.shape[axis - 1] for axis in self.dims), computed(x.dtype))

    def receptive_field(self, inputs: Inputs) -> Window | None:
        """The whole input: the output axes are different."""
        return EVERYTHING


class RepeatVector(Layer):
    """Repeats a vector over N time steps."""

    main_argument: ClassVar[str | None] = "n"

    n: PositiveInt = Field(description="Number of time steps.")

    def infer(self, inputs: Inputs) -> Outputs:
        x = inputs["x"]
        require_axes(self, x, "features")
        return single((self.n, *x.shape), computed(x.dtype))

    def receptive_field(self, inputs: Inputs) -> Window | None:
        return EVERYTHING
