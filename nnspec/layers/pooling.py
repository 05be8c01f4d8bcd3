"""Pooling and global pooling layers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field, ValidationInfo, field_validator

from nnspec.layers.arguments import Flag, Sizes, per_axis
from nnspec.layers.base import EVERYTHING, Inputs, Layer, LayerError, Outputs, Window, single
from nnspec.layers.checks import require_axes, require_float
from nnspec.layers.interfaces import AveragesPositions, MixesSteps, Slides
from nnspec.layers.padding import Padding, WrittenSides, parse_padding, positions_around, positions_before, windows
from nnspec.layers.sliding import SPATIAL_AXES
from nnspec.layers.unsupported import DATA_FORMAT


class Pooling(Layer):
    """Base class of pooling layers."""

    main_argument: ClassVar[str | None] = "pool_size"
    unsupported: ClassVar[Mapping[str, str]] = {**Layer.unsupported, "data_format": DATA_FORMAT}
    axes: ClassVar[tuple[str, ...]]

    pool_size: Sizes = Field(description="Window size along each spatial axis.")
    strides: Sizes | None = Field(None, description="Stride along each spatial axis; null: the window size.")
    padding: Padding = Field(
        "valid",
        validate_default=True,
        description="`valid`: none; `same`: the output has the input's size divided by the stride; P: P positions on "
        "every side; "
        "a list: P or [before, after] for each spatial axis. Padding is ignored in maxima and averages.",
    )

    @field_validator("pool_size", "strides", mode="before")
    @classmethod
    def _for_each_axis(cls, value: Any, info: ValidationInfo) -> Any:
        return None if value is None and info.field_name == "strides" else per_axis(value, len(cls.axes), str(info.field_name))

    @field_validator("padding", mode="plain", json_schema_input_type=Literal["valid", "same"] | WrittenSides)
    @classmethod
    def _normal_padding(cls, value: Any) -> Padding:
        return parse_padding(value, len(cls.axes), ("valid", "same"))

    @property
    def steps(self) -> tuple[int, ...]:
        """The stride along each spatial axis."""
        return self.strides or self.pool_size

    @property
    def around(self) -> tuple[tuple[int, int], ...] | None:
        """The padding before and after each spatial axis; None for ``same``, where it depends on the input size."""
        return positions_around(self.padding, self.pool_size)

    def infer(self, inputs: Inputs) -> Outputs:
        x = inputs["x"]
        require_axes(self, x, *self.axes, "channels")
        require_float(self, x)
        self._check_padding()
        spatial = windows(x, self.pool_size, self.steps, self.padding, "window")
        return single((*spatial, x.shape[-1]))

    def _check_padding(self) -> None:
        if isinstance(self.padding, str):
            return
        for pads, size in zip(self.padding, self.pool_size, strict=True):
            if max(pads) >= size:
                raise LayerError(
                    f"padding of {max(pads)} with a window of {size} creates windows that contain only padding",
                    help=f"pad at most {size - 1}, or use a larger window",
                    argument="padding",
                )

    def receptive_field(self, inputs: Inputs) -> Window | None:
        before = positions_before(inputs["x"], self.pool_size, self.steps, self.padding)
        return Window(self.pool_size, self.steps, tuple(None if b is None else -b for b in before))


class MaxPooling(Pooling):
    """Base class of max pooling layers."""

    pool_size: Sizes = Field(2, validate_default=True, description="Window size along each spatial axis.")


class MaxPooling1D(MaxPooling):
    """Max pooling over time."""

    axes: ClassVar[tuple[str, ...]] = SPATIAL_AXES[1]


class MaxPooling2D(MaxPooling):
    """Max pooling of images."""

    axes: ClassVar[tuple[str, ...]] = SPATIAL_AXES[2]


class MaxPooling3D(MaxPooling):
    """Max pooling of volumes."""

    axes: ClassVar[tuple[str, ...]] = SPATIAL_AXES[3]


class AveragePooling1D(Pooling):
    """Average pooling over time."""

    axes: ClassVar[tuple[str, ...]] = SPATIAL_AXES[1]


class AveragePooling2D(Pooling):
    """Average pooling of images."""

    axes: ClassVar[tuple[str, ...]] = SPATIAL_AXES[2]


class AveragePooling3D(Pooling):
    """Average pooling of volumes."""

    axes: ClassVar[tuple[str, ...]] = SPATIAL_AXES[3]


class GlobalPooling(Slides):
    """Base class of global pooling layers."""

    unsupported: ClassVar[Mapping[str, str]] = {**Layer.unsupported, "data_format": DATA_FORMAT}
    axes: ClassVar[tuple[str, ...]]
    windowed: ClassVar[type[Pooling]]
    """The corresponding pooling layer with windows."""

    keepdims: Flag = Field(False, description="Whether to keep the spatial axes with size 1.")

    def infer(self, inputs: Inputs) -> Outputs:
        x = inputs["x"]
        require_axes(self, x, *self.axes, "channels")
        require_float(self, x)
        return single((*[1] * len(self.axes) * self.keepdims, x.shape[-1]))

    def slid(self, inputs: Inputs) -> Layer | None:
        x = inputs["x"]
        sizes = [size for size in x.shape[:-1] if isinstance(size, int)]
        if len(sizes) < len(self.axes) or x.mask is not None:
            return None
        return self.windowed(pool_size=tuple(sizes), strides=(1,) * len(sizes), padding="valid")

    def receptive_field(self, inputs: Inputs) -> Window | None:
        return EVERYTHING


class GlobalMaxPooling1D(GlobalPooling):
    """Global max pooling over time; a mask is dropped, as in Keras."""

    axes: ClassVar[tuple[str, ...]] = SPATIAL_AXES[1]
    windowed: ClassVar[type[Pooling]] = MaxPooling1D


class GlobalMaxPooling2D(GlobalPooling):
    """Global max pooling of images."""

    axes: ClassVar[tuple[str, ...]] = SPATIAL_AXES[2]
    windowed: ClassVar[type[Pooling]] = MaxPooling2D


class GlobalMaxPooling3D(GlobalPooling):
    """Global max pooling of volumes."""

    axes: ClassVar[tuple[str, ...]] = SPATIAL_AXES[3]
    windowed: ClassVar[type[Pooling]] = MaxPooling3D


class GlobalAveragePooling(GlobalPooling, AveragesPositions):
    """Base class of global average pooling layers."""


class GlobalAveragePooling1D(GlobalAveragePooling, MixesSteps):
    """Global average pooling over time; masked steps are ignored."""

    axes: ClassVar[tuple[str, ...]] = SPATIAL_AXES[1]
    windowed: ClassVar[type[Pooling]] = AveragePooling1D
    uses_mask: ClassVar[bool] = True


class GlobalAveragePooling2D(GlobalAveragePooling):
    """Global average pooling of images (Lin et al. 2013)."""

    axes: ClassVar[tuple[str, ...]] = SPATIAL_AXES[2]
    windowed: ClassVar[type[Pooling]] = AveragePooling2D


class GlobalAveragePooling3D(GlobalAveragePooling):
    """Global average pooling of volumes."""

    axes: ClassVar[tuple[str, ...]] = SPATIAL_AXES[3]
    windowed: ClassVar[type[Pooling]] = AveragePooling3D
