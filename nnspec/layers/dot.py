"""The dot product of two tensors."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, field_validator

from nnspec.layers.base import EVERYTHING, Inputs, Layer, LayerError, Outputs, Ports, Window, single
from nnspec.layers.checks import require_float
from nnspec.layers.scalars import Flag, WholeNumber
from nnspec.types import Dim, product, same_size


class Dot(Layer):
    """The dot product of two inputs along one axis of each; masks are dropped."""

    ports: ClassVar[Ports] = Ports((), variadic=True)
    main_argument: ClassVar[str | None] = "axes"

    axes: WholeNumber | list[WholeNumber] = Field(description="The axis of each input, or one for both; the batch axis is 0.")
    normalize: Flag = Field(
        False, description="Whether vectors are first normalized to length 1, which gives the cosine similarity."
    )

    @field_validator("axes")
    @classmethod
    def _one_of_each(cls, axes: int | list[int]) -> int | list[int]:
        if isinstance(axes, list) and len(axes) != 2:
            raise ValueError(f"`axes` must be one axis for both inputs or a list of two axes; got a list of {len(axes)}")
        return axes

    def infer(self, inputs: Inputs) -> Outputs:
        if len(inputs) != 2:
            raise LayerError(f"Dot takes two inputs, got {len(inputs)}", help="chain several `Dot` layers", port="2")
        for port, x in inputs.items():
            require_float(self, x, port)
        a, b = self.places(inputs)
        first, second = inputs["0"], inputs["1"]
        if same_size(first.shape[a - 1], second.shape[b - 1]) is False:
            raise LayerError(
                f"Dot needs axes of equal size, got axis {a} of {first} and axis {b} of {second}",
                help="name other `axes`, or declare the sizes as the same number or symbol",
                port="1",
            )
        rest = [*first.shape[: a - 1], *first.shape[a:], *second.shape[: b - 1], *second.shape[b:]]
        return single(tuple(rest) or (1,))

    def places(self, inputs: Inputs) -> tuple[int, int]:
        """Return the axis of each input, where 0 is the batch axis.

        Raises:
            LayerError: If an input has no such axis.
        """
        given = self.axes if isinstance(self.axes, list) else [self.axes] * 2
        found = []
        for axis, (port, x) in zip(given, inputs.items(), strict=True):
            found.append(axis if axis >= 0 else axis + x.rank + 1)
            if not 1 <= found[-1] <= x.rank:
                raise LayerError(
                    f"Dot got axis {axis}, but the axes of {x} are 1 to {x.rank}", help="use one of these axes", port=port
                )
        return found[0], found[1]

    def agreeing_sizes(self, inputs: Inputs) -> tuple[tuple[int | Dim, int | Dim], ...]:
        a, b = self.places(inputs)
        return ((inputs["0"].shape[a - 1], inputs["1"].shape[b - 1]),)

    def macs(self, inputs: Inputs) -> int | Dim:
        a, _ = self.places(inputs)
        return product(self.infer(inputs)["output"].shape) * inputs["0"].shape[a - 1]

    def receptive_field(self, inputs: Inputs) -> Window | None:
        return EVERYTHING
