"""Layers that bring pictures to one size."""

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

__all__ = ["CenterCrop", "Fitting", "Interpolation", "Part", "Resizing", "sampled"]

Interpolation = Literal["nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"]
"""How a position between others is made of them; what bends (the last three) is computed from sizes that are numbers."""

Part = tuple[int | Dim, int | Dim]
"""Of one axis: the first position that is kept, negative where some are added before it, and how many there are then."""

_REACH: Mapping[str, int] = {"bilinear": 1, "bicubic": 2, "lanczos3": 3, "lanczos5": 5}


class Fitting(Layer):
    """What the layers share that cut a part out of a picture and resize it."""

    unsupported: ClassVar[Mapping[str, str]] = {**Layer.unsupported, "data_format": DATA_FORMAT}
    axes: ClassVar[tuple[str, ...]] = SPATIAL_AXES[2]

    height: PositiveInt = Field(description="Rows that come out.")
    width: PositiveInt = Field(description="Columns that come out.")

    @property
    def counts(self) -> tuple[int, int]:
        return self.height, self.width

    def parts(self, x: TensorType) -> tuple[Part, Part]:
        """The rows and the columns that are resized.

        Raises:
            LayerError: Where they depend on sizes that are not numbers.
        """
        raise NotImplementedError

    @property
    def filling(self) -> float:
        """What stands where a part is larger than the picture."""
        return 0.0

    def sampling(self) -> tuple[Interpolation, bool]:
        """How the part is resized, and whether against aliasing."""
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
        """The rows and the columns in the middle that have the proportions of what comes out, and are as many as can be."""
        rows = max(min(height, width * self.height // self.width), 1)
        columns = max(min(width, height * self.width // self.height), 1)
        return ((height - rows) // 2, rows), ((width - columns) // 2, columns)


def sampled(size: int, count: int, interpolation: Interpolation, antialias: bool) -> tuple[Fraction, Fraction, Fraction]:
    """Size, stride and start of the window of one of ``count`` outputs among ``size`` positions, as `Window` has them.

    Example:
        >>> sampled(8, 4, "bilinear", False) == (2, 2, 0)
        True
    """
    step = Fraction(size, count)
    least = Fraction(1, 2 * step.denominator)  # between a place and the next position that it does not see
    if interpolation == "nearest":
        return 2 - least, step, step / 2 - 1 + least
    reach = _REACH[interpolation] * (max(step, Fraction(1)) if antialias else 1)
    return 2 * (reach - least) + 1, step, (step - 1) / 2 - reach + least


class Resizing(Fitting):
    """Resizes pictures, whatever their size, to one. Whole numbers (pixels) stay whole numbers."""

    interpolation: Interpolation = Field("bilinear", description="What stands between positions.")
    crop_to_aspect_ratio: Flag = Field(False, description="Whether margins are cut off first, so that nothing is distorted.")
    pad_to_aspect_ratio: Flag = Field(False, description="Whether margins are added first, so that nothing is distorted.")
    fill_mode: Literal["constant"] = Field("constant", description="What the added margins are filled with: `fill_value`.")
    fill_value: Number = Field(0.0, description="What stands in margins that are added.")
    antialias: Flag = Field(False, description="Whether fewer positions are means over all that they stand for.")

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
                "a picture is either cropped or padded to its new proportions",
                help="keep one of `crop_to_aspect_ratio` and `pad_to_aspect_ratio`",
                argument="pad_to_aspect_ratio",
            )
        self.parts(x)
        if not all(isinstance(size, int) for size in x.shape[:-1]):
            if self.antialias and self.interpolation != "nearest":
                self._refuse_free(x, "antialias", "leave out `antialias`")
            if self.interpolation not in ("nearest", "bilinear"):
                self._refuse_free(x, "interpolation", "write `interpolation: bilinear` or `nearest`")
        return single((*self.counts, x.shape[-1]), computed(x.dtype))

    def _check_elements(self, x: TensorType) -> None:
        if "float" in x.dtype:
            return
        if self.interpolation != "nearest" or x.dtype == "bool":
            raise LayerError(
                f"{self.interpolation} positions between {x.dtype} would have to be rounded, and a half goes either way",
                help="put `Rescaling: 1.0` (or the factor that pixels need) before it, or write `interpolation: nearest`",
                argument="interpolation",
            )
        if self.pad_to_aspect_ratio and not self.fill_value.is_integer():
            raise LayerError(
                f"a margin of {self.fill_value} cannot be added to {x.dtype}",
                help="give `fill_value` a whole number",
                argument="fill_value",
            )

    def parts(self, x: TensorType) -> tuple[Part, Part]:
        height, width = x.shape[:-1]
        if not (self.crop_to_aspect_ratio or self.pad_to_aspect_ratio):
            return (0, height), (0, width)
        if not (isinstance(height, int) and isinstance(width, int)):
            argument = "crop_to_aspect_ratio" if self.crop_to_aspect_ratio else "pad_to_aspect_ratio"
            self._refuse_free(x, argument, f"leave out `{argument}`")
        if self.crop_to_aspect_ratio:
            return self.largest_part(height, width)
        rows = (max(height, width * self.height // self.width) - height) // 2
        columns = (max(width, height * self.width // self.height) - width) // 2
        return (-rows, height + 2 * rows), (-columns, width + 2 * columns)

    def _refuse_free(self, x: TensorType, argument: str, way_out: str) -> NoReturn:
        raise LayerError(
            f"`{argument}` is computed from sizes that are numbers, got {x}",
            help=f"{way_out}, or declare the sizes as numbers under `inputs`",
            argument=argument,
        )


class CenterCrop(Fitting):
    """Cuts out the middle of pictures. Of a picture smaller than that, the largest part of its proportions is resized."""

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
            f"{x} is smaller than {self.height} × {self.width}: it is resized, by what depends on its free size",
            help="crop to less, let `Resizing` bring it to one size, or declare the sizes as numbers under `inputs`",
            argument="height" if small[0] == height else "width",
        )

    def room(self, inputs: Inputs) -> tuple[int | Dim, ...]:
        """A free size is at least what is cut out of it."""
        return tuple(size - count + 1 for size, count in zip(inputs["x"].shape[:-1], self.counts, strict=True))
