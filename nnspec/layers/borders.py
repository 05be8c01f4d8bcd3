"""Cropping and zero padding of spatial axes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field, ValidationInfo, field_validator

from nnspec.layers.base import Inputs, Layer, LayerError, Outputs, Window, single
from nnspec.layers.checks import computed, require_axes
from nnspec.layers.padding import WrittenSides, parse_padding
from nnspec.layers.sliding import SPATIAL_AXES
from nnspec.layers.unsupported import DATA_FORMAT

Margins = tuple[tuple[int, int], ...]
"""Positions before and after each spatial axis."""


class Borders(Layer):
    """Base class of cropping and padding layers."""

    unsupported: ClassVar[Mapping[str, str]] = {**Layer.unsupported, "data_format": DATA_FORMAT}
    axes: ClassVar[tuple[str, ...]]

    @property
    def margins(self) -> Margins:
        """Positions before and after each spatial axis."""
        raise NotImplementedError

    @property
    def sign(self) -> int:
        """1 for padding, −1 for cropping."""
        raise NotImplementedError

    def infer(self, inputs: Inputs) -> Outputs:
        x = inputs["x"]
        require_axes(self, x, *self.axes, "channels")
        sizes = [size + self.sign * (before + after) for size, (before, after) in zip(x.shape[:-1], self.margins, strict=True)]
        if any(isinstance(size, int) and size < 1 for size in sizes):
            raise LayerError(
                f"cropping {x} by {[list(pair) for pair in self.margins]} leaves no positions",
                help="crop less",
                argument="cropping",
            )
        return single((*sizes, x.shape[-1]), computed(x.dtype))

    def receptive_field(self, inputs: Inputs) -> Window | None:
        """Each output depends on one input position, which is shifted."""
        ones = (1,) * len(self.axes)
        return Window(ones, ones, tuple(-self.sign * before for before, _ in self.margins))


def _margins(value: Any, info: ValidationInfo, rank: int) -> Margins:
    argument = str(info.field_name)
    if rank == 1 and isinstance(value, (list, tuple)) and len(value) == 2:
        value = [value]  # Keras writes one pair for one axis.
    try:
        parsed = parse_padding(value, rank, ())
    except ValueError:
        wanted = f"`{argument}` must be an integer P, or a list with P or [before, after] for each of {rank} axes"
        raise ValueError(f"{wanted}, with P ≥ 0; got {value!r}") from None
    assert not isinstance(parsed, str)
    return parsed


class Cropping(Borders):
    """Base class of cropping layers."""

    main_argument: ClassVar[str | None] = "cropping"

    cropping: Margins = Field(
        1, validate_default=True, description="Positions to remove: P on every side, or P or [before, after] for each axis."
    )

    @field_validator("cropping", mode="plain", json_schema_input_type=WrittenSides)
    @classmethod
    def _normal(cls, value: Any, info: ValidationInfo) -> Margins:
        return _margins(value, info, len(cls.axes))

    @property
    def margins(self) -> Margins:
        return self.cropping

    @property
    def sign(self) -> int:
        return -1


class Cropping1D(Cropping):
    """Removes time steps at both ends of sequences."""

    axes: ClassVar[tuple[str, ...]] = SPATIAL_AXES[1]


class Cropping2D(Cropping):
    """Removes rows and columns at the borders of images; none by default."""

    axes: ClassVar[tuple[str, ...]] = SPATIAL_AXES[2]

    cropping: Margins = Field(
        0, validate_default=True, description="Positions to remove: P on every side, or P or [before, after] for each axis."
    )


class Cropping3D(Cropping):
    """Removes positions at the borders of volumes."""

    axes: ClassVar[tuple[str, ...]] = SPATIAL_AXES[3]


class ZeroPadding(Borders):
    """Base class of zero padding layers."""

    main_argument: ClassVar[str | None] = "padding"

    padding: Margins = Field(
        1, validate_default=True, description="Zeros to add: P on every side, or P or [before, after] for each axis."
    )

    @field_validator("padding", mode="plain", json_schema_input_type=WrittenSides)
    @classmethod
    def _normal(cls, value: Any, info: ValidationInfo) -> Margins:
        return _margins(value, info, len(cls.axes))

    @property
    def margins(self) -> Margins:
        return self.padding

    @property
    def sign(self) -> int:
        return 1


class ZeroPadding1D(ZeroPadding):
    """Adds time steps of zeros at both ends."""

    axes: ClassVar[tuple[str, ...]] = SPATIAL_AXES[1]


class ZeroPadding2D(ZeroPadding):
    """Adds rows and columns of zeros around images."""

    axes: ClassVar[tuple[str, ...]] = SPATIAL_AXES[2]


class ZeroPadding3D(ZeroPadding):
    """Adds zeros around volumes."""

    axes: ClassVar[tuple[str, ...]] = SPATIAL_AXES[3]
