"""Types of tensors and weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nnspec.types.dims import Dim, product, substitute

if TYPE_CHECKING:
    from nnspec.types.config import Config

DTYPES = (
    "float32",
    "float16",
    "bfloat16",
    "float64",
    *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)),
    "bool",
)
"""The dtypes that an input may have."""


def size_text(size: int | Dim) -> str:
    """Return the text of a size: a number, an expression, or ``?``."""
    if isinstance(size, Dim) and not size.is_known:
        return "?"
    return str(size)


@dataclass(frozen=True, slots=True)
class TensorType:
    """The type of one tensor.

    Attributes:
        shape: The sizes of its axes, without the batch axis.
        dtype: Its dtype, by Keras's name.
        mask: The shape of its mask, without the batch axis; None if it has no mask.
    """

    shape: tuple[int | Dim, ...]
    dtype: str = "float32"
    mask: tuple[int | Dim, ...] | None = None

    @property
    def rank(self) -> int:
        """The number of axes, without the batch axis."""
        return len(self.shape)

    @property
    def is_integer(self) -> bool:
        return "int" in self.dtype

    def masked(self, mask: tuple[int | Dim, ...] | None) -> TensorType:
        """Return the type with another mask."""
        return replace(self, mask=mask)

    def with_sizes(self, sizes: Mapping[str, int | Dim]) -> TensorType:
        """Return the type with symbols replaced."""
        mask = None if self.mask is None else tuple(substitute(size, sizes) for size in self.mask)
        return replace(self, shape=tuple(substitute(size, sizes) for size in self.shape), mask=mask)

    def __str__(self) -> str:
        return "(" + ", ".join(size_text(size) for size in self.shape) + (",)" if self.rank == 1 else ")")


@dataclass(frozen=True, slots=True)
class Weight:
    """The type of a weight of a layer.

    Attributes:
        name: Its name in the layer, as Keras's attribute: ``kernel``, or ``forward/kernel`` in a wrapped layer.
        shape: Its shape.
        trainable: False for statistics such as a moving mean.
        initializer: Its initializer.
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
