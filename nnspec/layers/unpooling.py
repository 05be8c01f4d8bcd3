"""Max pooling with indices, and max unpooling."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, ClassVar, Literal

from pydantic import Field, ValidationInfo, field_validator

from nnspec.layers.arguments import Sizes, per_axis
from nnspec.layers.base import EVERYTHING, Inputs, Layer, LayerError, Outputs, Ports, Window, single
from nnspec.layers.checks import require_axes, require_float
from nnspec.layers.interfaces import ChoosesByIndex
from nnspec.layers.padding import Padding, WrittenSides, parse_padding, positions_around
from nnspec.layers.pooling import MaxPooling2D
from nnspec.layers.sliding import SPATIAL_AXES
from nnspec.layers.unsupported import DATA_FORMAT
from nnspec.types import Dim, TensorType, product


class MaxPoolingWithIndices2D(MaxPooling2D):
    """Max pooling of images that also returns the positions of the maxima.

    As PyTorch's ``return_indices``, ``indices`` counts the positions of an image row by row from 0, per example and channel and
    without padding; of equal values, the first is used.
    """

    def infer(self, inputs: Inputs) -> Outputs:
        outputs = super().infer(inputs)
        return {**outputs, "indices": TensorType(outputs["output"].shape, "int32")}

    def is_discontinuous(self, inputs: Inputs) -> bool:
        del inputs
        return True


class MaxUnpooling2D(ChoosesByIndex):
    """Places values at the indices from `MaxPoolingWithIndices2D`; other positions are 0 (Zeiler and Fergus 2014).

    Values with the same index, from overlapping windows, are added, as in the gradient of the pooling. The output size is that
    of the input ``like``, if connected (for example the pooling's input); else ``output_size``; else the smallest size that the
    pooling's windows fit.
    """

    main_argument: ClassVar[str | None] = "pool_size"
    unsupported: ClassVar[Mapping[str, str]] = {**Layer.unsupported, "data_format": DATA_FORMAT}
    ports: ClassVar[Ports] = Ports(("x", "indices"), ("like",))
    axes: ClassVar[tuple[str, ...]] = SPATIAL_AXES[2]

    pool_size: Sizes = Field(2, validate_default=True, description="The pooling's window size along each spatial axis.")
    strides: Sizes | None = Field(None, description="The pooling's strides; null: the window size.")
    padding: Padding = Field("valid", validate_default=True, description="The pooling's padding.")
    output_size: Sizes | None = Field(None, description="The output height and width; null: inferred from the other arguments.")

    @field_validator("pool_size", "strides", "output_size", mode="before")
    @classmethod
    def _for_each_axis(cls, value: Any, info: ValidationInfo) -> Any:
        optional = info.field_name != "pool_size"
        return None if value is None and optional else per_axis(value, len(cls.axes), str(info.field_name))

    @field_validator("padding", mode="plain", json_schema_input_type=Literal["valid", "same"] | WrittenSides)
    @classmethod
    def _normal_padding(cls, value: Any) -> Padding:
        return parse_padding(value, len(cls.axes), ("valid", "same"))

    @property
    def steps(self) -> tuple[int, ...]:
        """The stride along each spatial axis."""
        return self.strides or self.pool_size

    def infer(self, inputs: Inputs) -> Outputs:
        x, indices = inputs["x"], inputs["indices"]
        require_axes(self, x, *self.axes, "channels")
        require_float(self, x)
        self._check_indices(x, indices)
        sizes = self._sizes(inputs)
        if any(isinstance(size, int) and size < 1 for size in sizes):
            raise LayerError(
                f"a padding of {self.padding} leaves no positions of {x}",
                help="use the padding of the pooling layer",
                argument="padding",
            )
        return single((*sizes, x.shape[-1]))

    def _check_indices(self, x: TensorType, indices: TensorType) -> None:
        if indices.dtype not in ("int32", "int64"):
            raise LayerError(
                f"`indices` must be int32 or int64, got {indices.dtype}",
                help="connect the `indices` of a `MaxPoolingWithIndices2D`: `from: {x: …, indices: pool.indices}`",
                port="indices",
            )
        differ = [
            a for a, b in zip(x.shape, indices.shape, strict=False) if isinstance(a, int) and isinstance(b, int) and a != b
        ]
        if x.rank != indices.rank or differ:
            raise LayerError(
                f"values and indices must have the same shape, got {x} and {indices}",
                help="give both the shape of the pooling's output",
                port="indices",
            )

    def _sizes(self, inputs: Inputs) -> tuple[int | Dim, ...]:
        if "like" in inputs:
            require_axes(self, inputs["like"], *self.axes, "channels", port="like")
            if self.output_size is not None:
                raise LayerError(
                    "the output size is given twice, by `output_size` and by `like`",
                    help="remove one of them",
                    argument="output_size",
                )
            return inputs["like"].shape[:-1]
        return tuple(size * factor + added for size, (factor, added) in zip(inputs["x"].shape[:-1], self.factors, strict=True))

    def choices(self, inputs: Inputs) -> Mapping[str, int | Dim]:
        return {"indices": product(self._sizes(inputs))}

    @property
    def factors(self) -> tuple[tuple[int, int], ...]:
        """The factor and offset of the output size for each axis, without ``like``."""
        if self.output_size is not None:
            return tuple((0, size) for size in self.output_size)
        around = positions_around(self.padding, self.pool_size)
        if around is None:
            return tuple((step, 0) for step in self.steps)
        return tuple(
            (step, window - step - before - after)
            for step, window, (before, after) in zip(self.steps, self.pool_size, around, strict=True)
        )

    def agreeing_sizes(self, inputs: Inputs) -> tuple[tuple[int | Dim, int | Dim], ...]:
        return tuple(zip(inputs["x"].shape, inputs["indices"].shape, strict=True))

    def receptive_field(self, inputs: Inputs) -> Window | None:
        """The pooling windows that contain a position."""
        around = positions_around(self.padding, self.pool_size)
        if around is None:
            return EVERYTHING
        steps = tuple(Fraction(1, step) for step in self.steps)
        # Windows p with p · stride − before ≤ q ≤ p · stride − before + size − 1.
        sizes = tuple((size - 1) * step + 1 for size, step in zip(self.pool_size, steps, strict=True))
        starts = tuple((before - size + 1) * s for size, (before, _), s in zip(self.pool_size, around, steps, strict=True))
        return Window(sizes, steps, starts)
