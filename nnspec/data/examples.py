"""The examples that the training loop and the evaluation consume."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.data.image_frames import ImageFrames
from nnspec.data.per_series import RowSeries
from nnspec.data.readers.base import RowGroups


@dataclass(frozen=True)
class Examples:
    """A subset of rows of arrays that are shared between the splits of a table.

    Attributes:
        inputs: The values of each input, for all rows of the table.
        targets: The values of each target, for all rows of the table.
        weights: The loss weight of each row, (rows,), or the additional weight of each position, (rows, …), by output;
            outputs without weights are absent.
        rows: The indices of the rows in this subset.
        series: The series of all rows of the table; None if there are no series.
        groups: The groups of rows of the table that are read at once, if they are read when they are used.
        frames: The places of the images of boxes, by the name of the boxes, for all rows of the table.
    """

    inputs: Mapping[str, NDArray[Any]]
    targets: Mapping[str, NDArray[Any]]
    weights: Mapping[str, NDArray[np.float32]]
    rows: NDArray[np.int64]
    series: RowSeries | None = None
    groups: RowGroups | None = None
    frames: Mapping[str, ImageFrames] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def bytes(self) -> int:
        """The size of all arrays for all rows of the table; an array that is both input and target is counted once."""
        groups = (self.inputs, self.targets, self.weights)
        return sum({id(array): array.nbytes for group in groups for array in group.values()}.values())

    @property
    def row_bytes(self) -> float:
        """The mean size of a row of all arrays."""
        groups = (self.inputs, self.targets, self.weights)
        return self.bytes / max(1, *(len(array) for group in groups for array in group.values()))

    @property
    def is_read_on_access(self) -> bool:
        """Whether some values are read when they are used; those of a file that is mapped into memory are, too."""
        groups = (self.inputs, self.targets, self.weights)
        return any(type(array) is not np.ndarray for group in groups for array in group.values())

    def is_resident(self, limit: int) -> bool:
        """Whether all arrays are to be copied to a device of a size; not if their rows overlap, as those of windows do."""
        groups = (self.inputs, self.targets, self.weights)
        return self.bytes <= limit and not any(_overlaps(array) for group in groups for array in group.values())

    @property
    def own_series(self) -> RowSeries | None:
        """The series of the rows in this subset."""
        return None if self.series is None else RowSeries(self.series.numbers[self.rows], self.series.labels)

    def only(self, positions: NDArray[np.integer[Any]] | slice) -> Examples:
        """Return a subset, by positions in this one."""
        return replace(self, rows=self.rows[positions])

    def batch(self, positions: NDArray[np.integer[Any]] | slice) -> Batch:
        """Return the values of some examples, by their positions in this subset."""
        rows = self.rows[positions]
        groups = (self.inputs, self.targets, self.weights)
        read = {id(array): array for group in groups for array in group.values()}
        values = {number: array[rows] for number, array in read.items()}
        return Batch(*({name: values[id(array)] for name, array in group.items()} for group in groups))


def _overlaps(array: Any) -> bool:
    """Whether rows of an array share memory."""
    return isinstance(array, np.ndarray) and array.ndim > 1 and array.strides[0] < array.strides[1] * array.shape[1]


@dataclass(frozen=True)
class Batch:
    """The values of a batch of examples: inputs, targets and weights by name."""

    inputs: Mapping[str, NDArray[Any]]
    targets: Mapping[str, NDArray[Any]]
    weights: Mapping[str, NDArray[np.float32]]
