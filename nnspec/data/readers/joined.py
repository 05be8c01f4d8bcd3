"""Tables that join the rows of others side by side."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from nnspec.data.kinds import Column, DataWarning
from nnspec.data.readers.base import Table

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from nnspec.data.image_frames import ImageFrames
    from nnspec.data.readers.base import Rows, Values

    Indices = NDArray[np.int64]


def joined_name(name: str, argument: str | None) -> str:
    return name if argument is None else f"{name}.{argument}"


class PrefixedTable(Table):
    """A table whose columns begin with the name of its reader.

    Args:
        name: The name.
        table: The table.

    Attributes:
        bare: The table with its own names.
    """

    def __init__(self, name: str, table: Table) -> None:
        self._name, self.bare = name, table
        self.columns = {f"{name}.{column}": column_of_member(name, kind) for column, kind in table.columns.items()}
        self.lazy = [f"{name}.{column}" for column in table.lazy]
        self.image_columns = [f"{name}.{column}" for column in table.image_columns]
        self.timeline, self.series, self.series_labels = table.timeline, table.series, table.series_labels

    def __len__(self) -> int:
        return len(self.bare)

    def read(self, column: str, rows: Rows) -> Values:
        return self.bare.read(self._bare(column), rows)

    def where(self, column: str, row: int) -> str:
        return self.bare.where(self._bare(column), row)

    def where_item(self, column: str, row: int, item: int) -> str:
        return self.bare.where_item(self._bare(column), row, item)

    def image_sizes(self, column: str) -> Indices | None:
        return self.bare.image_sizes(self._bare(column))

    def image_frames(self, column: str) -> ImageFrames | None:
        return self.bare.image_frames(self._bare(column))

    def is_number(self, text: str) -> bool:
        return self.bare.is_number(text)

    def mend(self, column: str, texts: Collection[str]) -> str:
        return self.bare.mend(self._bare(column), texts)

    def warnings(self) -> Iterable[DataWarning]:
        for warning in self.bare.warnings():
            yield replace(warning, argument=joined_name(self._name, warning.argument))

    def _bare(self, column: str) -> str:
        return column[len(self._name) + 1 :]


class JoinedTable(Table):
    """Rows of several tables side by side.

    Args:
        members: The tables, by name.
        rows: The row of each table in each joined row, by name; all of one length.
    """

    def __init__(self, members: Mapping[str, PrefixedTable], rows: Mapping[str, Indices]) -> None:
        self.members, self._rows = members, rows
        self.columns = {name: kind for table in members.values() for name, kind in table.columns.items()}
        self.lazy = [name for table in members.values() for name in table.lazy]
        self.image_columns = [name for table in members.values() for name in table.image_columns]

    @classmethod
    def of(cls, members: Mapping[str, PrefixedTable]) -> JoinedTable:
        """Join all rows of tables; those of shorter ones are repeated."""
        import numpy as np

        return cls(members, _repeated({name: np.arange(len(table)) for name, table in members.items()}))

    def arranged(self, parts: Sequence[Mapping[str, Indices]]) -> JoinedTable:
        """Return a table with the joined rows of each part, one part after another.

        Args:
            parts: The rows of each table in each part, by name.
        """
        import numpy as np

        joined = [_repeated(part) for part in parts]
        return JoinedTable(self.members, {name: np.concatenate([part[name] for part in joined]) for name in self.members})

    def __len__(self) -> int:
        return len(next(iter(self._rows.values())))

    def read(self, column: str, rows: Rows) -> Values:
        name = column.partition(".")[0]
        return self.members[name].read(column, self._rows[name][rows])

    def distinct(self, columns: Collection[str], rows: Indices) -> Indices:
        import numpy as np

        names = {column.partition(".")[0] for column in columns}
        if len(names) != 1:
            return rows
        [name] = names
        return rows[np.sort(np.unique(self._rows[name][rows], return_index=True)[1])]

    def where(self, column: str, row: int) -> str:
        name = column.partition(".")[0]
        return self.members[name].where(column, int(self._rows[name][row]))

    def where_item(self, column: str, row: int, item: int) -> str:
        name = column.partition(".")[0]
        return self.members[name].where_item(column, int(self._rows[name][row]), item)

    def image_sizes(self, column: str) -> Indices | None:
        name = column.partition(".")[0]
        sizes = self.members[name].image_sizes(column)
        return None if sizes is None else sizes[self._rows[name]]

    def image_frames(self, column: str) -> ImageFrames | None:
        name = column.partition(".")[0]
        frames = self.members[name].image_frames(column)
        return None if frames is None else frames.rows(self._rows[name])

    def is_number(self, text: str) -> bool:
        return all(table.is_number(text) for table in self.members.values())

    def mend(self, column: str, texts: Collection[str]) -> str:
        return self.members[column.partition(".")[0]].mend(column, texts)

    def warnings(self) -> Iterable[DataWarning]:
        return (warning for table in self.members.values() for warning in table.warnings())


def column_of_member(name: str, column: Column) -> Column:
    """Return a column whose references to other columns begin with the name of its reader."""
    if not column.boxes_of and not column.rows_of:
        return column
    boxes_of, rows_of = (f"{name}.{other}" if other else "" for other in (column.boxes_of, column.rows_of))
    return replace(column, boxes_of=boxes_of, rows_of=rows_of)


def _repeated(rows: Mapping[str, Indices]) -> dict[str, Indices]:
    """Repeat shorter lists of rows to the length of the longest one."""
    import numpy as np

    most = max(map(len, rows.values()))
    return {name: np.resize(own, most) for name, own in rows.items()}
