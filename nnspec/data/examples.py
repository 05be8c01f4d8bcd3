"""Examples in memory, as the training loop and the evaluation take them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.data.per_series import RowSeries

__all__ = ["Examples"]


@dataclass(frozen=True)
class Examples:
    """Some of the rows of arrays that parts of one table share.

    Attributes:
        inputs: The values of each input, all rows of the table.
        targets: The values of each target.
        weights: How much each row counts in the loss, (rows,), or what is added to how much each position of it does,
            (rows, …), by output; an output of which all counts alike has none.
        rows: The numbers of the rows that belong to this part.
        series: The series of all rows of the table; None if they are of none.
    """

    inputs: Mapping[str, NDArray[Any]]
    targets: Mapping[str, NDArray[Any]]
    weights: Mapping[str, NDArray[np.float32]]
    rows: NDArray[np.int64]
    series: RowSeries | None = None

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def bytes(self) -> int:
        """The size of all arrays, all rows of the table. One that is an input and a target is there once."""
        groups = (self.inputs, self.targets, self.weights)
        return sum({id(array): array.nbytes for group in groups for array in group.values()}.values())

    @property
    def own_series(self) -> RowSeries | None:
        """The series of its examples."""
        return None if self.series is None else RowSeries(self.series.numbers[self.rows], self.series.labels)

    def only(self, positions: NDArray[np.integer[Any]] | slice) -> Examples:
        """Some of its examples, by their positions in it."""
        return replace(self, rows=self.rows[positions])

    def batch(self, positions: NDArray[np.integer[Any]] | slice) -> Batch:
        """The values of some of its examples, by their positions in it."""
        rows = self.rows[positions]
        groups = (self.inputs, self.targets, self.weights)
        read = {id(array): array for group in groups for array in group.values()}
        values = {number: array[rows] for number, array in read.items()}
        return Batch(*({name: values[id(array)] for name, array in group.items()} for group in groups))


@dataclass(frozen=True)
class Batch:
    """The values of some examples: inputs, targets and weights by name."""

    inputs: Mapping[str, NDArray[Any]]
    targets: Mapping[str, NDArray[Any]]
    weights: Mapping[str, NDArray[np.float32]]
