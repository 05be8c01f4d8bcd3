"""Spectral normalization of a layer's kernel."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from nnspec.layers import LAYERS
from nnspec.layers.arguments import PositiveInt
from nnspec.layers.base import Inputs, Layer, Outputs, Window
from nnspec.layers.initializers import TruncatedNormal
from nnspec.types import Config, Dim, Family, Named, Weight

_CONVOLUTIONS = tuple(
    f"{name}{rank}D" for name in ("Conv", "DepthwiseConv") for rank in (1, 2, 3) if f"{name}{rank}D" in LAYERS.modules
)
_TRANSPOSED = tuple(f"Conv{rank}DTranspose" for rank in (1, 2, 3))

WITH_KERNEL = Family(
    kind="layer with a kernel",
    modules={name: LAYERS.modules[name] for name in (*_CONVOLUTIONS, *_TRANSPOSED, "Dense", "EinsumDense")},
)
"""The layers that SpectralNormalization can wrap. Keras also allows Embedding, but then returns integers."""


class SpectralNormalization(Layer):
    """Divides the kernel of a layer by its largest singular value at each training step (Miyato et al. 2018).

    The normalized kernel is stored, so at inference and in the exported graph only the inner layer remains. Weights are named
    as those of the inner layer, ``conv2d/kernel``; ``conv2d/vector_u`` is the state of the power iteration. Masks are
    dropped, as in Keras.
    """

    main_argument: ClassVar[str | None] = "layer"

    layer: Annotated[Config, Named(WITH_KERNEL)] = Field(description="The layer whose kernel is normalized.")
    power_iterations: PositiveInt = Field(1, description="Number of power iterations per training step.")

    @property
    def inner(self) -> Layer:
        """The wrapped layer."""
        assert isinstance(self.layer, Layer)
        return self.layer

    def infer(self, inputs: Inputs) -> Outputs:
        outputs = self.inner.output_types(inputs)
        return {name: type_.masked(None) for name, type_ in outputs.items()}

    def agreeing_sizes(self, inputs: Inputs) -> tuple[tuple[int | Dim, int | Dim], ...]:
        return self.inner.agreeing_sizes(inputs)

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        kernel, *others = self.inner.weights(inputs)
        first = TruncatedNormal.model_validate({"stddev": 0.02})
        return (kernel, Weight("vector_u", (1, kernel.shape[-1]), False, first), *others)

    def macs(self, inputs: Inputs) -> int | Dim:
        return self.inner.macs(inputs)

    def is_discontinuous(self, inputs: Inputs) -> bool:
        return self.inner.is_discontinuous(inputs)

    def receptive_field(self, inputs: Inputs) -> Window | None:
        return self.inner.receptive_field(inputs)
