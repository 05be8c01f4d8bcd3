"""What weights start from: Keras's initializers."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from nnspec.layers.scalars import Flag, Number, PositiveNumber, WholeNumber
from nnspec.types import Config

__all__ = [
    "Constant",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Identity",
    "Initializer",
    "LecunNormal",
    "LecunUniform",
    "Ones",
    "Orthogonal",
    "RandomNormal",
    "RandomUniform",
    "STFT",
    "TruncatedNormal",
    "VarianceScaling",
    "Zeros",
]


_Window = Literal[
    "barthann",
    "bartlett",
    "blackman",
    "blackmanharris",
    "bohman",
    "boxcar",
    "cosine",
    "exponential",
    "flattop",
    "hamming",
    "hann",
    "lanczos",
    "nuttall",
    "parzen",
    "taylor",
    "triang",
    "tukey",
]


class Initializer(Config):
    """How the first values of a weight are made."""

    def refuses(self, shape: tuple[int, ...]) -> str | None:
        """Why it cannot fill an array of this shape, or None where it can."""
        del shape
        return None


class Zeros(Initializer):
    """All 0."""


class Ones(Initializer):
    """All 1."""


class Constant(Initializer):
    """All one value."""

    main_argument: ClassVar[str | None] = "value"

    value: Number = Field(0.0, description="The value.")


class Identity(Initializer):
    """The identity matrix, times a factor."""

    gain: Number = Field(1.0, description="The factor.")

    def refuses(self, shape: tuple[int, ...]) -> str | None:
        return None if len(shape) == 2 else "fills matrices"


class STFT(Initializer):
    """The real or imaginary part of a short-time Fourier transform, as the kernel of a Conv1D over one channel."""

    side: Literal["real", "imag"] = Field("real", description="Which part.")
    window: _Window | None = Field("hann", description="A window of `scipy.signal.windows`; null for none.")
    scaling: Literal["density", "spectrum"] | None = Field("density", description="Normalises the window, L2 or L1; null: not.")
    periodic: Flag = Field(False, description="Whether the window is periodic.")

    def refuses(self, shape: tuple[int, ...]) -> str | None:
        return None if len(shape) == 3 and shape[1] == 1 else "fills kernels of a Conv1D over one channel"


class _Random(Initializer):
    """Drawn at random."""

    seed: WholeNumber | None = Field(None, description="Makes the draw repeatable; null: from the seed of the whole build.")


class RandomNormal(_Random):
    """Normally distributed."""

    mean: Number = Field(0.0, description="The mean.")
    stddev: Number = Field(0.05, ge=0, description="The standard deviation.")


class TruncatedNormal(RandomNormal):
    """Normally distributed; values beyond two standard deviations are drawn again."""


class RandomUniform(_Random):
    """Uniformly distributed."""

    minval: Number = Field(-0.05, description="The lower bound.")
    maxval: Number = Field(0.05, description="The upper bound.")


class Orthogonal(_Random):
    """An orthogonal matrix, times a factor (Saxe et al. 2014); more axes are flattened to two."""

    gain: Number = Field(1.0, description="The factor.")

    def refuses(self, shape: tuple[int, ...]) -> str | None:
        return None if len(shape) >= 2 else "fills arrays of two axes or more"


class _Fans(_Random):
    """Scaled by the number of connections."""

    input_axes: list[WholeNumber] | None = Field(None, description="The axes counted as inputs; null: by layout.")
    output_axes: list[WholeNumber] | None = Field(None, description="The axes counted as outputs; null: by layout.")

    def refuses(self, shape: tuple[int, ...]) -> str | None:
        axes = [*(self.input_axes or ()), *(self.output_axes or ())]
        rank = len(shape)
        return None if all(-rank <= axis < rank for axis in axes) else f"names an axis that an array of {rank} axes has not"


class VarianceScaling(_Fans):
    """Drawn with the variance ``scale / fan`` (Glorot and Bengio 2010; He et al. 2015)."""

    scale: PositiveNumber = Field(1.0, description="The factor on the variance.")
    mode: Literal["fan_in", "fan_out", "fan_avg"] = Field("fan_in", description="Which connections are counted.")
    distribution: Literal["truncated_normal", "untruncated_normal", "uniform", "normal"] = Field(
        "truncated_normal", description="The distribution; `normal` is `truncated_normal`."
    )


class GlorotUniform(_Fans):
    """Uniform, with variance 2 / (fan in + fan out) (Glorot and Bengio 2010)."""


class GlorotNormal(_Fans):
    """Truncated normal, with variance 2 / (fan in + fan out) (Glorot and Bengio 2010)."""


class LecunUniform(_Fans):
    """Uniform, with variance 1 / fan in (LeCun et al. 1998)."""


class LecunNormal(_Fans):
    """Truncated normal, with variance 1 / fan in (LeCun et al. 1998)."""


class HeUniform(_Fans):
    """Uniform, with variance 2 / fan in (He et al. 2015)."""


class HeNormal(_Fans):
    """Truncated normal, with variance 2 / fan in (He et al. 2015)."""
