"""Resizing and center cropping of images."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import ClassVar, Literal, NoReturn

from pydantic import Field

from nnspec.layers.arguments import Flag, Number, PositiveInt
from nnspec.layers.base import EVERYTHING, Inputs, Layer, LayerError, Outputs, Window, single
from nnspec.layers.checks import computed, require_axes
from nnspec.layers.sliding import SPATIAL_AXES
from nnspec.layers.unsupported import DATA_FORMAT
from nnspec.types import Dim, TensorType

Interpolation = Literal["nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"]
"""Interpolation methods; the last three need fixed sizes."""

Part = tuple[int | Dim, int | Dim]
"""The crop of one axis: its first position, negative if it starts with padding, and its size."""

_REACH: Mapping[str, int] = {"bilinear": 1, "bicubic": 2, "lanczos3": 3, "lanczos5": 5}


class Fitting(Layer):
    """Base class of layers that crop an image and resize the crop."""

    unsupported: ClassVar[Mapping[str, str]] = {**Layer.unsupported, "data_format": DATA_FORMAT}
    axes: ClassVar[tuple[str, ...]] = SPATIAL_AXES[2]

    height: PositiveInt = Field(description="The output height.")
    width: PositiveInt = Field(description="The output width.")

    @property
    def counts(self) -> tuple[int, int]:
        return self.height, self.width

    def parts(self, x: TensorType) -> tuple[Part, Part]:
        """Return the rows and columns that are resized.

        Raises:
            LayerError: If they depend on free sizes.
        """
        raise NotImplementedError

    @property
    def filling(self) -> float:
        """The padding value."""
        return 0.0

    def sampling(self) -> tuple[Interpolation, bool]:
        """Return the interpolation method and whether antialiasing is used."""
        return "bilinear", False

    def receptive_field(self, inputs: Inputs) -> Window | None:
        windows = []
        for (start, size), count in zip(self.parts(inputs["x"]), self.counts, strict=True):
            if isinstance(size, Dim):
                return EVERYTHING
            window, stride, first = sampled(size, count, *self.sampling())
            windows.append((window, stride, None if isinstance(start, Dim) else start + first))
        return Window(*zip(*windows, strict=True))

    def largest_part(self, height: int, width: int) -> tuple[Part, Part]:
        """Return the rows and columns of the largest centered crop with the output's aspect ratio."""
        rows = max(min(height, width * self.height // self.width), 1)
        columns = max(min(width, height * self.width // self.height), 1)
        return ((height - rows) // 2, rows), ((width - columns) // 2, columns)


def sampled(size: int, count: int, interpolation: Interpolation, antialias: bool) -> tuple[Fraction, Fraction, Fraction]:
    """Return size, stride and start of the `Window` of an output when resizing ``size`` positions to ``count``.

    Example:
        >>> sampled(8, 4, "bilinear", False) == (2, 2, 0)
        True
    """
    step = Fraction(size, count)
    least = Fraction(1, 2 * step.denominator)  # distance to the next position outside the window
    if interpolation == "nearest":
        return 2 - least, step, step / 2 - 1 + least
    reach = _REACH[interpolation] * (max(step, Fraction(1)) if antialias else 1)
    return 2 * (reach - least) + 1, step, (step - 1) / 2 - reach + least


class Resizing(Fitting):
    """Resizes images to a given size. Integers (pixels) stay integers."""

    interpolation: Interpolation = Field("bilinear", description="The interpolation method.")
    crop_to_aspect_ratio: Flag = Field(False, description="Whether to crop first to keep the aspect ratio.")
    pad_to_aspect_ratio: Flag = Field(False, description="Whether to pad first to keep the aspect ratio.")
    fill_mode: Literal["constant"] = Field("constant", description="How to fill the padding: with `fill_value`.")
    fill_value: Number = Field(0.0, description="The value of the padding.")
    antialias: Flag = Field(False, description="Whether to use antialiasing when downsampling.")

    @property
    def filling(self) -> float:
        return self.fill_value

    def sampling(self) -> tuple[Interpolation, bool]:
        return self.interpolation, self.antialias

    def infer(self, inputs: Inputs) -> Outputs:
        x = inputs["x"]
        require_axes(self, x, *self.axes, "channels")
        self._check_elements(x)
        if self.crop_to_aspect_ratio and self.pad_to_aspect_ratio:
            raise LayerError(
                "`crop_to_aspect_ratio` and `pad_to_aspect_ratio` cannot both be true",
                help="keep one of `crop_to_aspect_ratio` and `pad_to_aspect_ratio`",
                argument="pad_to_aspect_ratio",
            )
        self.parts(x)
        if not all(isinstance(size, int) for size in x.shape[:-1]):
            if self.antialias and self.interpolation != "nearest":
                self._refuse_free(x, "antialias", "remove `antialias`")
            if self.interpolation not in ("nearest", "bilinear"):
                self._refuse_free(x, "interpolation", "write `interpolation: bilinear` or `nearest`")
        return single((*self.counts, x.shape[-1]), computed(x.dtype))

    def _check_elements(self, x: TensorType) -> None:
        if "float" in x.dtype:
            return
        if self.interpolation != "nearest" or x.dtype == "bool":
            raise LayerError(
                f"{self.interpolation} interpolation of {x.dtype} is not supported: rounding of halves differs "
                "between runtimes",
                help="put `Rescaling: 1.0` (or another factor) before it, or write `interpolation: nearest`",
                argument="interpolation",
            )
        if self.pad_to_aspect_ratio and not self.fill_value.is_integer():
            raise LayerError(
                f"a `fill_value` of {self.fill_value} is not valid for {x.dtype}",
                help="use an integer for `fill_value`",
                argument="fill_value",
            )

    def parts(self, x: TensorType) -> tuple[Part, Part]:
        height, width = x.shape[:-1]
        if not (self.crop_to_aspect_ratio or self.pad_to_aspect_ratio):
            return (0, height), (0, width)
        if not (isinstance(height, int) and isinstance(width, int)):
            argument = "crop_to_aspect_ratio" if self.crop_to_aspect_ratio else "pad_to_aspect_ratio"
            self._refuse_free(x, argument, f"remove `{argument}`")
        if self.crop_to_aspect_ratio:
            return self.largest_part(height, width)
        rows = (max(height, width * self.height // self.width) - height) // 2
        columns = (max(width, height * self.width // self.height) - width) // 2
        return (-rows, height + 2 * rows), (-columns, width + 2 * columns)

    def _refuse_free(self, x: TensorType, argument: str, alternative: str) -> NoReturn:
        raise LayerError(
            f"`{argument}` needs fixed sizes, got {x}",
            help=f"{alternative}, or declare the sizes as numbers under `inputs`",
            argument=argument,
        )


class CenterCrop(Fitting):
    """Crops the center of images. For smaller images, the largest crop with the same aspect ratio is resized."""

    def infer(self, inputs: Inputs) -> Outputs:
        x = inputs["x"]
        require_axes(self, x, *self.axes, "channels")
        self.parts(x)
        return single((*self.counts, x.shape[-1]))

    def parts(self, x: TensorType) -> tuple[Part, Part]:
        height, width = x.shape[:-1]
        small = [
            size for size, count in zip((height, width), self.counts, strict=True) if isinstance(size, int) and size < count
        ]
        if not small:
            return ((height - self.height) // 2, self.height), ((width - self.width) // 2, self.width)
        if isinstance(height, int) and isinstance(width, int):
            return self.largest_part(height, width)
        raise LayerError(
            f"{x} is smaller than {self.height} × {self.width}, and resizing it would depend on its free size",
            help="crop to a smaller size, use `Resizing`, or declare the sizes as numbers under `inputs`",
            argument="height" if small[0] == height else "width",
        )

    def room(self, inputs: Inputs) -> tuple[int | Dim, ...]:
        """A free size must be at least the crop's size."""
        return tuple(size - count + 1 for size, count in zip(inputs["x"].shape[:-1], self.counts, strict=True))
