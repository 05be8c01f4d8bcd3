"""Transforms that learn from each series of a table by itself."""

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
    """The values of some rows, in chunks."""

__all__ = ["RowSeries", "apply", "fit", "series_of_rows"]

_LABELS, _EACH = "series", "each"


@dataclass(frozen=True)
class RowSeries:
    """The series that each row of a table belongs to.

    Attributes:
        numbers: The number of each row's series, (rows,).
        labels: What identifies each series.
    """

    numbers: NDArray[np.int64]
    labels: tuple[tuple[str, ...], ...]

    def places(self, labels: Sequence[Sequence[str]]) -> NDArray[np.int64]:
        """For each row the place of its series in a list of labels.

        Raises:
            DataError: If a row is of a series that is not in the list.
        """
        import numpy as np

        known = {tuple(label): place for place, label in enumerate(labels)}
        found = np.array([known.get(label, -1) for label in self.labels], np.int64)[self.numbers]
        if (found < 0).any():
            row = int((found < 0).argmax())
            name = ", ".join(self.labels[int(self.numbers[row])])
            shown = ", ".join(f"`{', '.join(label)}`" for label in list(labels)[:8]) + (", …" if len(labels) > 8 else "")
            raise DataError(f"row {row} is of the series `{name}`, which was not trained on", help=f"the series are {shown}")
        return found


def series_of_rows(table: Table, columns: Sequence[str]) -> RowSeries | None:
    """The series of each row: as the table is divided, or by the columns that name it; None if neither says so."""
    from nnspec.data.segments import series_of

    if table.series is not None and table.series_labels != ((),):
        return RowSeries(table.series, table.series_labels)
    if columns and all(name in table.columns for name in columns):
        return RowSeries(*series_of(table, columns))
    return None


def fit(transform: Transform, chunks: Chunks, rows: NDArray[np.int64], series: RowSeries | None) -> Learned:
    """What a transform learns from some rows, for each series by itself if it is to.

    Args:
        transform: The transform.
        chunks: Gives the values of rows.
        rows: The rows that are learned from.
        series: The series of all rows of the table; None if there are none.
    """
    if not transform.for_each_series:
        return transform.fit(chunks(rows))
    numbers = _given(transform, series).numbers[rows]
    assert series is not None
    labels = [number for number in range(len(series.labels)) if (numbers == number).any()]
    each = [transform.fit(chunks(rows[numbers == number])) for number in labels]
    return {_LABELS: [list(series.labels[number]) for number in labels], _EACH: each}


def apply(transform: Transform, values: Values, learned: Learned, series: RowSeries | None) -> Values:
    """The values that a transform makes of others, one for each row of a table."""
    import numpy as np

    if not transform.for_each_series:
        return transform.apply(values, learned)
    places = _given(transform, series).places(learned[_LABELS])
    made: Values | None = None
    for place, own in enumerate(learned[_EACH]):
        rows = places == place
        if rows.any():
            part = transform.apply(values[rows], own)
            made = np.empty((len(values), *part.shape[1:]), part.dtype) if made is None else made
            made[rows] = part
    return values[:0] if made is None else made


def _given(transform: Transform, series: RowSeries | None) -> RowSeries:
    if series is None:
        name = type(transform).__name__
        help = "read them with `series: {by: …}`, or give the columns that name the series of each row"
        raise DataError(f"`{name}` has statistics of each series, and the data do not say which series a row is of", help=help)
    return series
