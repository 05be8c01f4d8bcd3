"""What layers ask of their inputs, in the words that users read."""

from __future__ import annotations

from nnspec.layers.base import Layer, LayerError
from nnspec.types import TensorType, size_text

__all__ = ["computed", "known_size", "require_axes", "require_float"]


def computed(dtype: str) -> str:
    """The element type a layer gives back that only moves elements: floats become the layer's own precision, as in Keras."""
    return "float32" if "float" in dtype else dtype


def require_float(layer: Layer, x: TensorType, port: str = "x") -> None:
    """Refuses whole numbers and booleans where a layer calculates with its input.

    Raises:
        LayerError: Where it is not made of floats.
    """
    if "float" not in x.dtype:
        raise LayerError(
            f"{type(layer).__name__} calculates with floats, got {x.dtype}",
            help="declare the input with `dtype: float32`, or put an `Embedding` before it where the numbers stand for things",
            port=port,
        )


def require_axes(layer: Layer, x: TensorType, *axes: str, port: str = "x") -> None:
    """Refuses inputs that have not exactly these axes.

    Raises:
        LayerError: Where their number differs.
    """
    if x.rank == len(axes):
        return
    wanted = "(" + ", ".join(axes) + ")"
    if x.rank > len(axes):
        help = "`Flatten`, `Reshape` or a global pooling before it takes axes away"
        if x.rank == len(axes) + 1 and size_text(x.shape[0]) == "?":
            help = "the batch axis is implied: leave the first size out of the input's shape"
    else:
        help = f"`Reshape` before it gives it {len(axes)} axes"
        if axes[0] == "time":
            help += "; a recurrent layer before it must say `return_sequences: true`"
    raise LayerError(f"{type(layer).__name__} takes {wanted}, got {x}", help=help, port=port)


def known_size(layer: Layer, x: TensorType, axis: int = -1, port: str = "x") -> int:
    """The size of an axis that weights are made for.

    Raises:
        LayerError: Where it is not a number.
    """
    size = x.shape[axis]
    if isinstance(size, int):
        return size
    which = "the last axis" if axis in (-1, x.rank - 1) else f"axis {axis + 1}"
    raise LayerError(
        f"{type(layer).__name__} has weights for each place on {which}, so its size must be a number, got {x}",
        help="declare that size as a number under `inputs`, or bring the free axes away with a global pooling",
        port=port,
    )
