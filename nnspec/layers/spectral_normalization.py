"""A layer whose kernel is held to a spectral norm of 1."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from nnspec.layers import LAYERS
from nnspec.layers.arguments import PositiveInt
from nnspec.layers.base import Inputs, Layer, Outputs, Window
from nnspec.layers.initializers import TruncatedNormal
from nnspec.types import Config, Dim, Family, Named, Weight

__all__ = ["WITH_KERNEL", "SpectralNormalization"]

_CONVOLUTIONS = tuple(
    f"{name}{rank}D" for name in ("Conv", "DepthwiseConv") for rank in (1, 2, 3) if f"{name}{rank}D" in LAYERS
)
_TRANSPOSED = tuple(f"Conv{rank}DTranspose" for rank in (1, 2, 3))

WITH_KERNEL = Family(
    kind="layer with a kernel",
    modules={name: LAYERS.modules[name] for name in (*_CONVOLUTIONS, *_TRANSPOSED, "Dense", "EinsumDense")},
)
"""What SpectralNormalization wraps. Keras also lets it take an Embedding, whose output then becomes whole numbers."""


class SpectralNormalization(Layer):
    """A layer whose kernel is divided by its largest singular value at each training step (Miyato et al. 2018).

    The kernel that is kept is the normalised one, so that in inference, and in the exported graph, it is the inner layer
    alone. The weights bear the inner layer's names, ``conv2d/kernel``, and there is ``conv2d/vector_u``, the estimate that the
    power iteration goes on from. Masks end here, as in Keras.
    """

    main_argument: ClassVar[str | None] = "layer"

    layer: Annotated[Config, Named(WITH_KERNEL)] = Field(description="The layer whose kernel is normalised.")
    power_iterations: PositiveInt = Field(1, description="How often the singular value is estimated at a step.")

    @property
    def inner(self) -> Layer:
        """The layer whose kernel it is."""
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

    def receptive_field(self, inputs: Inputs) -> Window | None:
        return self.inner.receptive_field(inputs)
