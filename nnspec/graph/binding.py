"""A use of a network: the types that come in against those it declares, its symbols bound anew."""

from __future__ import annotations

from collections.abc import Mapping

from nnspec.layers.base import LayerError
from nnspec.spec import Network
from nnspec.types import Dim, TensorType, same_size, size_text

__all__ = ["bind_ports"]


def bind_ports(network: Network, given: Mapping[str, TensorType]) -> dict[str, int | Dim]:
    """What each symbol of a network stands for in one use.

    Raises:
        LayerError: Where a shape or an element type does not fit what the network declares.
    """
    bound: dict[str, int | Dim] = {}
    for port, type_ in given.items():
        declared = network.inputs[port]
        if declared is None:
            continue
        wanted = declared.type
        if wanted.rank != type_.rank or (wanted.is_integer != type_.is_integer):
            kinds = (
                f" of {wanted.dtype}, got {type_} of {type_.dtype}"
                if wanted.is_integer != type_.is_integer
                else f", got {type_}"
            )
            raise LayerError(f"the network `{network.name}` takes {wanted} as `{port}`" + kinds, port=port)
        for size, actual in zip(wanted.shape, type_.shape, strict=True):
            if isinstance(size, Dim):
                first = bound.setdefault(str(size), actual)
                fits = same_size(first, actual) is not False
                reason = f"`{size}` is {size_text(first)} elsewhere in this use, and {size_text(actual)} here"
            else:
                fits = isinstance(actual, int) and size == actual
                reason = f"{size_text(actual)} is not {size}"
            if not fits:
                raise LayerError(f"the network `{network.name}` takes {wanted} as `{port}`, got {type_}: {reason}", port=port)
    return bound
