"""Checks of layer inputs."""

from __future__ import annotations

from nnspec.layers.base import Layer, LayerError
from nnspec.types import TensorType, same_size, size_text


def computed(dtype: str) -> str:
    """Return the output dtype of a layer that only moves elements: floats become float32, as in Keras."""
    return "float32" if "float" in dtype else dtype


def require_float(layer: Layer, x: TensorType, port: str = "x") -> None:
    """Check that an input is floating-point.

    Raises:
        LayerError: If it is not.
    """
    if "float" not in x.dtype:
        raise LayerError(
            f"{type(layer).__name__} takes floats, got {x.dtype}",
            help="declare the input with `dtype: float32`, or put an `Embedding` before it if the integers are categories",
            port=port,
        )


def require_axes(layer: Layer, x: TensorType, *axes: str, port: str = "x") -> None:
    """Check that an input has exactly these axes.

    Raises:
        LayerError: If the number of axes differs.
    """
    if x.rank == len(axes):
        return
    wanted = "(" + ", ".join(axes) + ")"
    if x.rank > len(axes):
        help = "put `Flatten`, `Reshape` or a global pooling layer before it to remove axes"
        if x.rank == len(axes) + 1 and size_text(x.shape[0]) == "?":
            help = "the batch axis is implicit: remove the first size from the input's shape"
    else:
        help = f"put a `Reshape` to {len(axes)} axes before it"
        if axes[0] == "time":
            help += "; a recurrent layer before it must have `return_sequences: true`"
    raise LayerError(f"{type(layer).__name__} takes {wanted}, got {x}", help=help, port=port)


def known_size(layer: Layer, x: TensorType, axis: int = -1, port: str = "x") -> int:
    """Return the size of an axis that has weights.

    Raises:
        LayerError: If the size is not fixed.
    """
    size = x.shape[axis]
    if isinstance(size, int):
        return size
    which = "the last axis" if axis in (-1, x.rank - 1) else f"axis {axis + 1}"
    raise LayerError(
        f"{type(layer).__name__} has weights along {which}, so its size must be fixed, got {x}",
        help="declare the size as a number under `inputs`, or remove the free axes with a global pooling layer",
        port=port,
    )


def require_boxes(layer: Layer, x: TensorType, port: str, *, of_classes: bool = False) -> None:
    """Check that an input has rows of four floats.

    Args:
        layer: The layer.
        x: The type of the input.
        port: The input.
        of_classes: Whether a row may also have four floats for each class.

    Raises:
        LayerError: If it has not.
    """
    require_float(layer, x, port)
    if x.rank in ((2, 3) if of_classes else (2,)) and same_size(x.shape[-1], _OF_A_BOX) is not False:
        return
    help = "put a `Reshape` to `[-1, 4]` before it" if x.rank != 2 else "`boxes` have the four numbers x1, y1, x2 and y2"
    if x.rank == 2 and same_size(x.shape[0], _OF_A_BOX) is True:
        help = "in expressions axis 0 is the batch and axis 1 the rows: the first four numbers of each row are `x[:, :, :4]`"
    more = " or (rows, classes, 4)" if of_classes else ""
    raise LayerError(
        f"{type(layer).__name__} takes rows of 4 numbers, (rows, 4){more}, as `{port}`, got {x}",
        help=help,
        port=port,
    )


_OF_A_BOX = 4
