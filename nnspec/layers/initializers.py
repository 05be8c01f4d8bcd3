"""Weight initializers, as in Keras."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from nnspec.layers.scalars import Flag, Number, PositiveNumber, WholeNumber
from nnspec.types import Config

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
    """Base class of initializers."""

    def refuses(self, shape: tuple[int, ...]) -> str | None:
        """Return why it cannot initialize an array of this shape, or None if it can."""
        del shape
        return None


class Zeros(Initializer):
    """All zeros."""


class Ones(Initializer):
    """All ones."""


class Constant(Initializer):
    """A constant value."""

    main_argument: ClassVar[str | None] = "value"

    value: Number = Field(0.0, description="The value.")


class Identity(Initializer):
    """The identity matrix, times a factor."""

    gain: Number = Field(1.0, description="The factor.")

    def refuses(self, shape: tuple[int, ...]) -> str | None:
        return None if len(shape) == 2 else "initializes only matrices"


class STFT(Initializer):
    """The real or imaginary part of a short-time Fourier transform, as the kernel of a Conv1D over one channel."""

    side: Literal["real", "imag"] = Field("real", description="The real or the imaginary part.")
    window: _Window | None = Field("hann", description="A window of `scipy.signal.windows`; null: none.")
    scaling: Literal["density", "spectrum"] | None = Field(
        "density", description="Normalization of the window: `density` for L2, `spectrum` for L1; null: none."
    )
    periodic: Flag = Field(False, description="Whether the window is periodic.")

    def refuses(self, shape: tuple[int, ...]) -> str | None:
        return None if len(shape) == 3 and shape[1] == 1 else "initializes only kernels of a Conv1D over one channel"


class _Random(Initializer):
    """Base class of random initializers."""

    seed: WholeNumber | None = Field(None, description="Seed of the random draws; null: derived from the seed of the build.")


class RandomNormal(_Random):
    """A normal distribution."""

    mean: Number = Field(0.0, description="The mean.")
    stddev: Number = Field(0.05, ge=0, description="The standard deviation.")


class TruncatedNormal(RandomNormal):
    """A normal distribution truncated at two standard deviations."""


class RandomUniform(_Random):
    """A uniform distribution."""

    minval: Number = Field(-0.05, description="The lower bound.")
    maxval: Number = Field(0.05, description="The upper bound.")


class Orthogonal(_Random):
    """An orthogonal matrix, times a factor (Saxe et al. 2014); leading axes are flattened."""

    gain: Number = Field(1.0, description="The factor.")

    def refuses(self, shape: tuple[int, ...]) -> str | None:
        return None if len(shape) >= 2 else "initializes only arrays of two or more axes"


class _Fans(_Random):
    """Base class of initializers scaled by the number of connections."""

    input_axes: list[WholeNumber] | None = Field(None, description="The input axes; null: inferred from the layout.")
    output_axes: list[WholeNumber] | None = Field(None, description="The output axes; null: inferred from the layout.")

    def refuses(self, shape: tuple[int, ...]) -> str | None:
        axes = [*(self.input_axes or ()), *(self.output_axes or ())]
        rank = len(shape)
        return (
            None if all(-rank <= axis < rank for axis in axes) else f"uses an axis that an array of {rank} axes does not have"
        )


class VarianceScaling(_Fans):
    """A distribution with variance ``scale / fan`` (Glorot and Bengio 2010; He et al. 2015)."""

    scale: PositiveNumber = Field(1.0, description="The factor on the variance.")
    mode: Literal["fan_in", "fan_out", "fan_avg"] = Field("fan_in", description="Which connections count as the fan.")
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
