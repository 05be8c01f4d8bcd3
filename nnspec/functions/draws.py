"""Random tensors of proof cases."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from nnspec.functions.base import Case
from nnspec.functions.lazy_numpy import np

__all__ = ["draw_any", "draw_floats", "draw_shape", "draw_tied", "drawn", "drawn_axis"]


def drawn_axis(rng: np.random.Generator, rank: int) -> int:
    """Draw an axis of a tensor with a batch axis, counted from the start or from the end."""
    axis = int(rng.integers(1, rank))
    return axis - rank if rng.random() < 0.5 else axis


def draw_shape(rng: np.random.Generator, low: int = 2) -> list[int]:
    """Draw a shape with a batch axis: at least `low` axes, at most 4."""
    return [3, *map(int, rng.integers(1, 5, rng.integers(low, 5) - 1))]


def draw_floats(rng: np.random.Generator, shape: Sequence[int]) -> Any:
    """Draw floats from −2 to 2."""
    return rng.uniform(-2, 2, shape).astype(np.float32)


def draw_any(rng: np.random.Generator, shape: Sequence[int]) -> Any:
    """Draw floats, integers or bools."""
    kind = rng.integers(4)
    if kind == 0:
        return rng.random(shape) < 0.5
    return rng.integers(-3, 4, shape).astype(np.int32) if kind == 1 else draw_floats(rng, shape)


def draw_tied(rng: np.random.Generator, shape: Sequence[int]) -> Any:
    """Draw floats, or integers with ties."""
    if rng.random() < 0.3:
        return draw_floats(rng, shape)
    return rng.integers(-2, 3, shape).astype(np.int32)


def drawn(*texts: str) -> Callable[[np.random.Generator], Case]:
    """Draw one of these expressions of a tensor ``a``, whose first axis has a random size."""

    def draw(rng: np.random.Generator) -> Case:
        return Case(str(rng.choice(texts)), {"a": rng.normal(size=(3, int(rng.integers(2, 6)), 4)).astype(np.float32)})

    return draw
