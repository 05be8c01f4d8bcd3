"""Binding of a network's symbolic sizes to the actual input types of one use."""

from __future__ import annotations

from collections.abc import Mapping

from nnspec.layers.base import LayerError
from nnspec.spec import Network
from nnspec.types import Dim, TensorType, same_size, size_text

__all__ = ["bind_ports"]


def bind_ports(network: Network, given: Mapping[str, TensorType]) -> list[tuple[int | Dim, int | Dim]]:
    """Return the pairs of sizes that must be equal for a use of a network to match its declaration.

    Raises:
        LayerError: If a shape or an element type cannot fit.
    """
    bound: dict[str, int | Dim] = {}
    pairs: list[tuple[int | Dim, int | Dim]] = []
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
            raise LayerError(f"the network `{network.name}` expects {wanted} as `{port}`" + kinds, port=port)
        for size, actual in zip(wanted.shape, type_.shape, strict=True):
            if isinstance(size, Dim):
                first = bound.setdefault(str(size), actual)
                reason = f"`{size}` is {size_text(first)} elsewhere in this use, and {size_text(actual)} here"
            else:
                first = size
                reason = f"{size_text(actual)} is not {size}"
            if same_size(first, actual) is False:
                raise LayerError(f"the network `{network.name}` expects {wanted} as `{port}`, got {type_}: {reason}", port=port)
            pairs.append((first, actual))
    return pairs
