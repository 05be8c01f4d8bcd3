"""Transforms that are fitted separately on each series of a table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nnspec.data.kinds import DataError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from nnspec.data.readers.base import Table
    from nnspec.data.transforms import Learned, Transform

    Values = NDArray[Any]
    Chunks = Callable[[NDArray[np.int64]], Iterable[Values]]
    """Returns the values of rows, in chunks."""

_LABELS, _EACH = "series", "each"


@dataclass(frozen=True)
class RowSeries:
    """The series of each row of a table.

    Attributes:
        numbers: The index of each row's series, (rows,).
        labels: The label of each series: the values of the columns that identify it.
    """

    numbers: NDArray[np.int64]
    labels: tuple[tuple[str, ...], ...]

    def rows(self, rows: slice) -> RowSeries:
        """Return the series of some of the rows."""
        return RowSeries(self.numbers[rows], self.labels)

    def indices(self, labels: Sequence[Sequence[str]]) -> NDArray[np.int64]:
        """Return for each row the index of its series in a list of labels.

        Raises:
            DataError: If the series of a row is not in the list.
        """
        import numpy as np

        known = {tuple(label): index for index, label in enumerate(labels)}
        found = np.array([known.get(label, -1) for label in self.labels], np.int64)[self.numbers]
        if (found < 0).any():
            row = int((found < 0).argmax())
            name = ", ".join(self.labels[int(self.numbers[row])])
            shown = ", ".join(f"`{', '.join(label)}`" for label in list(labels)[:8]) + (", …" if len(labels) > 8 else "")
            reason = f"row {row} belongs to the series `{name}`, which was not in the training data"
            raise DataError(reason, help=f"the known series are {shown}")
        return found


def series_of_rows(table: Table, columns: Sequence[str]) -> RowSeries | None:
    """Return the series of each row, from the table or from identifying columns; None if there are neither."""
    from nnspec.data.segments import series_of

    if table.series is not None and table.series_labels != ((),):
        return RowSeries(table.series, table.series_labels)
    if columns and all(name in table.columns for name in columns):
        return RowSeries(*series_of(table, columns))
    return None


def fit(transform: Transform, chunks: Chunks, rows: NDArray[np.int64], series: RowSeries | None) -> Learned:
    """Fit a transform on rows, separately for each series if it requires that.

    Args:
        transform: The transform.
        chunks: Returns the values of rows.
        rows: The rows to fit on.
        series: The series of all rows of the table; None if there are none.
    """
    if not transform.for_each_series:
        return transform.fit(chunks(rows))
    numbers = _required(transform, series).numbers[rows]
    assert series is not None
    labels = [number for number in range(len(series.labels)) if (numbers == number).any()]
    each = [transform.fit(chunks(rows[numbers == number])) for number in labels]
    return {_LABELS: [list(series.labels[number]) for number in labels], _EACH: each}


def apply(transform: Transform, values: Values, learned: Learned, series: RowSeries | None) -> Values:
    """Apply a transform to the values of all rows of a table."""
    import numpy as np

    if not transform.for_each_series:
        return transform.apply(values, learned)
    indices = _required(transform, series).indices(learned[_LABELS])
    made: Values | None = None
    for index, own in enumerate(learned[_EACH]):
        rows = indices == index
        if rows.any():
            part = transform.apply(values[rows], own)
            made = np.empty((len(values), *part.shape[1:]), part.dtype) if made is None else made
            made[rows] = part
    return values[:0] if made is None else made


def _required(transform: Transform, series: RowSeries | None) -> RowSeries:
    if series is None:
        name = type(transform).__name__
        help = "read the data with `series: {by: …}`, or add the columns that identify the series of each row"
        raise DataError(f"`{name}` has separate statistics for each series, but the series of the rows are unknown", help=help)
    return series
