"""Tiles of an image along one axis, and the weights with which their outputs are blended."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class ReceptiveField:
    """The receptive field of the positions of an output along one axis of the input.

    Attributes:
        size: The number of input positions.
        stride: The distance of two neighboring receptive fields, in input positions.
        start: The first input position of output position 0; None if unknown.
        period: A crop of the input must start at a multiple of it for its output positions to align with those of the whole.
    """

    size: int
    stride: Fraction
    start: int | None
    period: int

    def first(self, place: int) -> int:
        """The first input position of an output position, at the least."""
        start = 1 - self.size if self.start is None else self.start
        return floor(place * self.stride) + start

    def last(self, place: int) -> int:
        """The last input position of an output position, at the most."""
        start = 0 if self.start is None else self.start
        return ceil(place * self.stride) + start + self.size - 1

    def places(self, positions: int) -> int:
        """The number of output positions of a number of input positions, which is a multiple of the period."""
        return int(positions / self.stride)

    def exact_overlap(self) -> int:
        """The least overlap of two tiles at which the receptive field of each output position is inside one of them.

        Example:
            >>> ReceptiveField(5, Fraction(1), -2, 1).exact_overlap(), ReceptiveField(32, Fraction(4), -2, 4).exact_overlap()
            (4, 32)
        """
        overlap = 0
        while not self._is_exact(overlap):
            overlap += self.period
        return overlap

    def _is_exact(self, overlap: int) -> bool:
        # A tile ends before position 0, and the next one begins at minus the overlap.
        place = floor((-overlap - (self.start or 0)) / self.stride) - 2
        while self.first(place) < -overlap:
            place += 1
        return self.last(place - 1) < 0


@dataclass(frozen=True)
class Tiles:
    """The tiles along one axis, in input positions.

    Attributes:
        size: The size of the axis.
        spans: The start and end of each tile.
    """

    size: int
    spans: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, size: int, tile: int, overlap: int, *, step: int, least: int) -> Tiles:
        """Cover an axis with tiles of equal size, except for the last one.

        Args:
            size: The size of the axis.
            tile: The size of a tile; a multiple of ``step``.
            overlap: The least overlap of two neighbors; a multiple of ``step``.
            step: Tiles start at multiples of it.
            least: The least size of a tile.

        Example:
            >>> Tiles.of(100, 40, 8, step=4, least=1).spans
            ((0, 40), (32, 72), (64, 100))
        """
        begins = [0]
        while begins[-1] + tile < size:
            begins.append(begins[-1] + tile - overlap)
        if size - begins[-1] < least:
            begins[-1] = max(0, (size - least) // step * step)
        return cls(size, tuple((begin, min(begin + tile, size) if begin != begins[-1] else size) for begin in begins))

    def weights(self, number: int, count: int, field: ReceptiveField) -> NDArray[np.float32]:
        """The blending weights of a tile's output positions.

        A position whose receptive field is inside the tile has a weight above 0; another one only if no tile contains its
        receptive field. Weights decrease towards the tile's edges, for a smooth transition between tiles.

        Args:
            number: The index of the tile.
            count: The number of its output positions.
            field: Their receptive field.
        """
        begin, end = self.spans[number]
        offset, near = field.places(begin), self._near(number)
        weights = np.ones(count, np.float32)
        for i in range(count):
            exact = self._is_exact(number, offset + i, field)
            if not exact and any(self._is_exact(other, offset + i, field) for other in near):
                weights[i] = 0
                continue
            from_begin = i + 0.5 if begin else np.inf
            from_end = count - i - 0.5 if end < self.size else np.inf
            nearest = min(from_begin, from_end)
            weights[i] = nearest if np.isfinite(nearest) else 1
        return weights

    def _near(self, number: int) -> list[int]:
        begin, end = self.spans[number]
        return [i for i, (first, last) in enumerate(self.spans) if i != number and first < end and begin < last]

    def _is_exact(self, number: int, place: int, field: ReceptiveField) -> bool:
        """Whether the receptive field of an output position of the whole is inside a tile."""
        begin, end = self.spans[number]
        if place < field.places(begin):
            return False
        return (begin == 0 or field.first(place) >= begin) and (end == self.size or field.last(place) < end)
