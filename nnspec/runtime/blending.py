"""The answers of overlapping tiles, put together to the answer to the whole."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.runtime.tiling import Sight, Tiles

__all__ = ["Blend", "weights_of"]


@dataclass
class Blend:
    """What tiles gave for one output, added up.

    Attributes:
        values: The answers, each times its weight.
        weights: The weights.
        seam: How much an answer differs at most from the mean of those before it; None where none was before.
    """

    values: NDArray[np.float32]
    weights: NDArray[np.float32]
    seam: float | None = None

    @classmethod
    def of(cls, sizes: list[int], like: NDArray[Any]) -> Blend:
        """Nothing yet.

        Args:
            sizes: How many places the whole has, along each axis.
            like: An answer, whose last axis are the channels.
        """
        return cls(np.zeros((*sizes, like.shape[-1]), np.float32), np.zeros((*sizes, 1), np.float32))

    def add(self, answer: NDArray[Any], offsets: list[int], weights: list[NDArray[np.float32]]) -> None:
        """Adds the answer of a tile.

        Args:
            answer: The answer, its channels last.
            offsets: Which of the whole's places its first is, along each axis.
            weights: How much its places count, along each axis.
        """
        place = tuple(slice(o, o + len(w)) for o, w in zip(offsets, weights, strict=True))
        weight = _product(weights)[..., np.newaxis]
        both = (self.weights[place] > 0) & (weight > 0)
        if both.any():
            before = self.values[place] / np.where(both, self.weights[place], 1)
            self.seam = max(self.seam or 0.0, float(np.abs(np.where(both, answer - before, 0)).max()))
        self.values[place] += weight * answer
        self.weights[place] += weight

    @property
    def has_gaps(self) -> bool:
        """Whether there are places that no tile answered."""
        return bool((self.weights == 0).any())

    def mean(self) -> NDArray[Any]:
        """The answer to the whole; nothing can be added after it."""
        self.values /= self.weights
        return self.values


@lru_cache(4096)
def weights_of(axis: Tiles, number: int, count: int, sight: Sight) -> NDArray[np.float32]:
    """[`Tiles.weights`][nnspec.runtime.tiling.Tiles.weights], of which a grid of tiles asks again and again."""
    return axis.weights(number, count, sight)


def _product(weights: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    found = np.ones((), np.float32)
    for weight in weights:
        found = found[..., np.newaxis] * weight
    return np.asarray(found)
