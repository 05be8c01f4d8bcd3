"""Reductions and slices."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from nnspec.layers.base import EVERYTHING, Inputs, Layer, LayerError, Outputs, Window, single
from nnspec.layers.checks import computed, require_float
from nnspec.layers.scalars import Flag, PositiveInt, WholeNumber
from nnspec.types import Dim, TensorType, ceil_div


class Reduction(Layer):
    """Base class of Sum and Mean. The mask is dropped, and masked positions are included."""

    main_argument: ClassVar[str | None] = "axis"

    axis: WholeNumber | list[WholeNumber] = Field(description="The axis or axes, where 0 is the batch axis.")
    keepdims: Flag = Field(False, description="Whether to keep the axes with size 1.")

    def infer(self, inputs: Inputs) -> Outputs:
        x = inputs["x"]
        require_float(self, x)
        axes = self.axes(x)
        if self.keepdims:
            return single(tuple(1 if axis in axes else size for axis, size in enumerate(x.shape, 1)))
        return single(tuple(size for axis, size in enumerate(x.shape, 1) if axis not in axes))

    def axes(self, x: TensorType) -> tuple[int, ...]:
        """Return the axes, where 0 is the batch axis.

        Raises:
            LayerError: If the input has no such axes.
        """
        given = self.axis if isinstance(self.axis, list) else [self.axis]
        if not given or len({axis_of(self, axis, x) for axis in given}) < len(given):
            raise LayerError("`axis` is empty or lists an axis twice", help="list each axis once", argument="axis")
        return tuple(sorted(axis_of(self, axis, x) for axis in given))

    def receptive_field(self, inputs: Inputs) -> Window | None:
        return EVERYTHING


class Sum(Reduction):
    """The sum over some axes."""


class Mean(Reduction):
    """The mean over some axes."""


class Slice(Layer):
    """A slice of an axis, as in Python: from ``start`` up to ``stop``; negative values count from the end."""

    axis: WholeNumber = Field(1, description="The axis, where 0 is the batch axis.")
    start: WholeNumber = Field(0, description="The first position.")
    stop: WholeNumber | None = Field(None, description="The position after the last; null: the end.")
    step: PositiveInt = Field(1, description="The step between positions.")

    def infer(self, inputs: Inputs) -> Outputs:
        x = inputs["x"]
        axis = self.place(x)
        size = self._size(x.shape[axis - 1])
        if isinstance(size, int) and size < 1:
            raise LayerError(
                f"the slice {self._text} of axis {axis} of {x} is empty", help="change `start` or `stop`", argument="start"
            )
        return single((*x.shape[: axis - 1], size, *x.shape[axis:]), computed(x.dtype))

    def place(self, x: TensorType) -> int:
        """Return the axis, where 0 is the batch axis."""
        return axis_of(self, self.axis, x)

    @property
    def _text(self) -> str:
        return f"[{self.start}:{'' if self.stop is None else self.stop}]"

    def _size(self, size: int | Dim) -> int | Dim:
        if isinstance(size, int):
            return len(range(*slice(self.start, self.stop, self.step).indices(size)))
        if (self.start, self.stop) in ((0, 1), (-1, None)):
            return 1
        first = self.start if self.start >= 0 else size + self.start
        behind = size if self.stop is None else self.stop if self.stop >= 0 else size + self.stop
        return ceil_div(behind - first, self.step)

    def room(self, inputs: Inputs) -> tuple[int | Dim, ...]:
        """A free size must be large enough for ``start`` and ``stop``."""
        x = inputs["x"]
        size = x.shape[self.place(x) - 1]
        if isinstance(size, int):
            return ()
        counted = max(-self.start, -(self.stop or 0) if (self.stop or 0) < 0 else (self.stop or 0), 1)
        return (size - counted + 1,)

    def receptive_field(self, inputs: Inputs) -> Window | None:
        """The whole input: output positions do not correspond to input positions."""
        return EVERYTHING


def axis_of(layer: Layer, axis: int, x: TensorType) -> int:
    """Return an axis of a tensor, where 0 is the batch axis.

    Raises:
        LayerError: If it has no such axis.
    """
    place = axis if axis >= 0 else axis + x.rank + 1
    if not 1 <= place <= x.rank:
        axes = f"its axes are 1 to {x.rank}, or −{x.rank} to −1" if x.rank else "it has only the batch axis"
        name = type(layer).__name__
        raise LayerError(f"{name} got axis {axis} for the input {x}: {axes}", help="use another axis", argument="axis")
    return place
