"""A dense layer along any axes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nnspec.keras_backend import layers
from nnspec.keras_backend.call import Build, Call, Lowering, on_first_call
from nnspec.layers.base import Layer
from nnspec.layers.einsum_dense import EinsumDense
from nnspec.types import TensorType, unknown


def _einsum_dense(build: Build[EinsumDense]) -> Call:
    """Writes the equation without ``...`` when the input's axes are known."""
    layer = build.layer

    def made(tensor: Any) -> Call:
        x = TensorType(tuple(unknown() if size is None else size for size in tensor.shape[1:]))
        equation, sizes = layer.written_out(x), layer.sizes(x)
        named = equation.kernel + (layer.bias_axes or "")
        output_shape = tuple(sizes[letter] if letter in named else None for letter in equation.output[1:])
        return build.call(layers.EinsumDense, equation=str(equation), output_shape=output_shape)

    return on_first_call(made)


TABLE: Mapping[type[Layer], Lowering] = {EinsumDense: _einsum_dense}
