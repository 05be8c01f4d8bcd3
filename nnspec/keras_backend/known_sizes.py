"""Sizes that the typed graph knows and Keras does not: the last three steps of a free number of steps are three."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from nnspec.types import Dim

__all__ = ["KnownSizes", "with_known_sizes"]


@keras.saving.register_keras_serializable("nnspec")
class KnownSizes(keras.layers.Layer):  # type: ignore[misc]
    """Returns its input unchanged, with some of its sizes declared.

    Args:
        sizes: The size of each axis after the batch axis; None if it is not known.
    """

    def __init__(self, sizes: Sequence[int | None], **arguments: Any) -> None:
        super().__init__(**arguments)
        self.supports_masking = True
        self.sizes = list(sizes)

    def call(self, inputs: Any) -> Any:
        shape = ops.shape(inputs)
        return ops.reshape(inputs, [shape[0], *(shape[i] if s is None else s for i, s in enumerate(self.sizes, 1))])

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (input_shape[0], *self.sizes)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "sizes": self.sizes}


def with_known_sizes(tensor: Any, shape: Sequence[int | Dim], name: str) -> Any:
    """A symbolic tensor whose shape has every number that the typed shape has.

    Args:
        tensor: The Keras tensor.
        shape: The typed shape, without the batch axis.
        name: What the layer is called that declares the sizes, if one is needed.
    """
    wanted = [size if isinstance(size, int) else None for size in shape]
    lost = any(size is not None and got is None for size, got in zip(wanted, tensor.shape[1:], strict=True))
    return KnownSizes(wanted, name=name, dtype=tensor.dtype)(tensor) if lost else tensor
