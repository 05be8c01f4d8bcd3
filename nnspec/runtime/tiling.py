"""How a picture is cut into tiles along one axis, and how their answers are put together."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

import numpy as np
from numpy.typing import NDArray

__all__ = ["Sight", "Tiles"]


@dataclass(frozen=True)
class Sight:
    """What the places of an output see along one axis of the input.

    Attributes:
        size: How many positions.
        stride: How many lie between two neighbouring places.
        start: Where the first place sees from; None where that is not known.
        period: What a part of the input must begin at a multiple of, for the places to lie as they do in the whole.
    """

    size: int
    stride: Fraction
    start: int | None
    period: int

    def first(self, place: int) -> int:
        """The first position that a place sees, at the least."""
        start = 1 - self.size if self.start is None else self.start
        return floor(place * self.stride) + start

    def last(self, place: int) -> int:
        """The last position that a place sees, at the most."""
        start = 0 if self.start is None else self.start
        return ceil(place * self.stride) + start + self.size - 1

    def places(self, positions: int) -> int:
        """How many places lie in so many positions; a multiple of the period."""
        return int(positions / self.stride)

    def exact_overlap(self) -> int:
        """The least overlap of two tiles at which each place sees in one of them all that it sees in the whole.

        Example:
            >>> Sight(5, Fraction(1), -2, 1).exact_overlap(), Sight(32, Fraction(4), -2, 4).exact_overlap()
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
    """The tiles along one axis: from where to where each reaches, in positions of the input.

    Attributes:
        size: How many positions the axis has.
        spans: Where each tile begins and ends.
    """

    size: int
    spans: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, size: int, tile: int, overlap: int, *, step: int, least: int) -> Tiles:
        """Tiles that cover an axis, each but the last as large as is said.

        Args:
            size: How many positions the axis has.
            tile: How many a tile has; a multiple of ``step``.
            overlap: How many two neighbours share at least; likewise.
            step: What tiles begin at multiples of.
            least: The fewest a tile may have.

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

    def weights(self, number: int, count: int, sight: Sight) -> NDArray[np.float32]:
        """How much the answer of a tile counts at each of its places, beside those of the others.

        A place that sees all it would see in the whole counts; one that does not counts where no tile has it better. Towards
        the tile's edges it counts less and less, so that one tile goes over into the next.

        Args:
            number: Which tile.
            count: How many places it has.
            sight: What they see.
        """
        begin, end = self.spans[number]
        offset, near = sight.places(begin), self._near(number)
        weights = np.ones(count, np.float32)
        for i in range(count):
            exact = self._is_exact(number, offset + i, sight)
            if not exact and any(self._is_exact(other, offset + i, sight) for other in near):
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

    def _is_exact(self, number: int, place: int, sight: Sight) -> bool:
        """Whether a place, counted from the whole's first, sees in a tile all that it sees in the whole."""
        begin, end = self.spans[number]
        if place < sight.places(begin):
            return False
        return (begin == 0 or sight.first(place) >= begin) and (end == self.size or sight.last(place) < end)
