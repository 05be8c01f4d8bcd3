"""Binding of the symbolic sizes that a network or block declares to the actual input types of one use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nnspec.layers.base import LayerError
from nnspec.spec.shapes import Input
from nnspec.types import Dim, TensorType, same_size, size_text, substitute, symbols_of


@dataclass(frozen=True)
class Binding:
    """The sizes of one use.

    Attributes:
        pairs: Pairs of sizes that must be equal.
        sizes: Actual size of each declared symbol.
    """

    pairs: tuple[tuple[int | Dim, int | Dim], ...]
    sizes: Mapping[str, int | Dim]

    def type_of(self, declared: TensorType) -> TensorType | None:
        """Return a declared type with the actual sizes; None if a symbol is not bound."""
        if any(symbols_of(size) - self.sizes.keys() for size in declared.shape):
            return None
        return TensorType(tuple(substitute(size, self.sizes) for size in declared.shape), declared.dtype)


def bind_ports(what: str, declared: Mapping[str, Input | None], given: Mapping[str, TensorType]) -> Binding:
    """Bind the declared inputs of a network or block to the types of one use.

    Args:
        what: The network or block, for messages.
        declared: Its declared inputs; one without a declaration accepts any tensor.
        given: The types of this use, by input.

    Raises:
        LayerError: If a shape or an element type cannot fit.
    """
    bound: dict[str, int | Dim] = {}
    pairs: list[tuple[int | Dim, int | Dim]] = []
    for port, type_ in given.items():
        found = declared.get(port)
        if found is None:
            continue
        wanted = found.type
        if wanted.rank != type_.rank or (wanted.is_integer != type_.is_integer):
            kinds = (
                f" of {wanted.dtype}, got {type_} of {type_.dtype}"
                if wanted.is_integer != type_.is_integer
                else f", got {type_}"
            )
            raise LayerError(f"{what} expects {wanted} as `{port}`" + kinds, port=port)
        for size, actual in zip(wanted.shape, type_.shape, strict=True):
            if isinstance(size, Dim):
                first = bound.setdefault(str(size), actual)
                reason = f"`{size}` is {size_text(first)} elsewhere in this use, and {size_text(actual)} here"
            else:
                first = size
                reason = f"{size_text(actual)} is not {size}"
            if same_size(first, actual) is False:
                raise LayerError(f"{what} expects {wanted} as `{port}`, got {type_}: {reason}", port=port)
            pairs.append((first, actual))
    return Binding(tuple(pairs), bound)
