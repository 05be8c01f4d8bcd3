"""Blends the outputs of overlapping tiles into the output of the whole image."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.runtime.tiling import ReceptiveField, Tiles

__all__ = ["Blend", "weights_of"]


@dataclass
class Blend:
    """The weighted sum of one output over tiles.

    Attributes:
        values: The sum of the weighted outputs.
        weights: The sum of the weights.
        seam: The largest difference of a tile's output from the mean of earlier tiles; None if no tiles overlap.
    """

    values: NDArray[np.float32]
    weights: NDArray[np.float32]
    seam: float | None = None

    @classmethod
    def of(cls, sizes: list[int], like: NDArray[Any]) -> Blend:
        """Start with zeros.

        Args:
            sizes: The number of output positions of the whole, along each axis.
            like: The output of a tile, channels last.
        """
        return cls(np.zeros((*sizes, like.shape[-1]), np.float32), np.zeros((*sizes, 1), np.float32))

    def add(self, answer: NDArray[Any], offsets: list[int], weights: list[NDArray[np.float32]]) -> None:
        """Add the output of a tile.

        Args:
            answer: The output, channels last.
            offsets: The position of its first element in the whole, along each axis.
            weights: The weights of its positions, along each axis.
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
        """Whether no tile covers some positions."""
        return bool((self.weights == 0).any())

    def mean(self) -> NDArray[Any]:
        """The output of the whole; call it last."""
        self.values /= self.weights
        return self.values


@lru_cache(4096)
def weights_of(axis: Tiles, number: int, count: int, field: ReceptiveField) -> NDArray[np.float32]:
    """[`Tiles.weights`][nnspec.runtime.tiling.Tiles.weights], cached: a grid of tiles calls it repeatedly."""
    return axis.weights(number, count, field)


def _product(weights: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    found = np.ones((), np.float32)
    for weight in weights:
        found = found[..., np.newaxis] * weight
    return np.asarray(found)
