"""What flows along an edge of a graph, and what a layer owns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nnspec.types.dims import Dim, product, substitute

if TYPE_CHECKING:
    from nnspec.types.config import Config

__all__ = ["DTYPES", "TensorType", "Weight", "size_text"]

DTYPES = (
    "float32",
    "float16",
    "bfloat16",
    "float64",
    *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)),
    "bool",
)
"""The element types an input may have, by Keras's names."""


def size_text(size: int | Dim) -> str:
    """A size as people read it: a number, a symbol's expression, or ``?``."""
    if isinstance(size, Dim) and not size.is_known:
        return "?"
    return str(size)


@dataclass(frozen=True, slots=True)
class TensorType:
    """The type of one tensor.

    Attributes:
        shape: The sizes of its axes, the batch axis left out.
        dtype: Its element type, by Keras's name.
        mask: The shape of the mask that travels with it, the batch axis left out; None where there is none.
    """

    shape: tuple[int | Dim, ...]
    dtype: str = "float32"
    mask: tuple[int | Dim, ...] | None = None

    @property
    def rank(self) -> int:
        """The number of axes, the batch axis left out."""
        return len(self.shape)

    @property
    def is_integer(self) -> bool:
        return "int" in self.dtype

    def masked(self, mask: tuple[int | Dim, ...] | None) -> TensorType:
        """The same tensor with another mask."""
        return replace(self, mask=mask)

    def with_sizes(self, sizes: Mapping[str, int | Dim]) -> TensorType:
        """The same tensor with symbols replaced."""
        mask = None if self.mask is None else tuple(substitute(size, sizes) for size in self.mask)
        return replace(self, shape=tuple(substitute(size, sizes) for size in self.shape), mask=mask)

    def __str__(self) -> str:
        return "(" + ", ".join(size_text(size) for size in self.shape) + (",)" if self.rank == 1 else ")")


@dataclass(frozen=True, slots=True)
class Weight:
    """One array a layer owns.

    Attributes:
        name: Its name in the layer, Keras's attribute: ``kernel``; ``forward/kernel`` in a wrapped layer.
        shape: Its sizes.
        trainable: False for statistics such as a moving mean.
        initializer: What it starts from.
    """

    name: str
    shape: tuple[int, ...]
    trainable: bool = True
    initializer: Config | None = None

    @property
    def size(self) -> int:
        """The number of elements."""
        count = product(self.shape)
        assert isinstance(count, int)
        return count
