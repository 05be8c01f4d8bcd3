"""Tables in memory: DataFrames of every library that narwhals supports, and NumPy arrays by column."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from nnspec.data.kinds import Column, DataError
from nnspec.data.missing_texts import looks_missing
from nnspec.data.readers.base import Table
from nnspec.data.readers.jsonl import JsonTable
from nnspec.data.readers.table_backed import TABLES
from nnspec.diagnostics import NnspecError, Span
from nnspec.spec import Spec
from nnspec.spec.tree import MappingNode, Place, Scalar, Tree
from nnspec.types import listed

if TYPE_CHECKING:
    from nnspec.data.readers.base import Rows, Values

PARTS = ("train", "validation", "test")

_KINDS = "a DataFrame, or a dict of columns: `{'age': [31, 45], 'image': images}`"


def is_table(data: object) -> bool:
    """Whether an object is rows in memory: a DataFrame, or a dict. It is not checked further."""
    return isinstance(data, Mapping) or (data is not None and not isinstance(data, str | bytes | Sequence))


def frames_by_part(data: Any, part: str) -> dict[str, Frame]:
    """Return the tables of the splits.

    Args:
        data: A table; or a dict of tables, whose keys are among `train`, `validation` and `test`.
        part: The split of a single table.

    Raises:
        NnspecError: If it is neither.
    """
    if isinstance(data, Mapping) and data and set(data) <= set(PARTS) and all(map(_is_split, data.values())):
        return {str(name): frame_of(own, str(name)) for name, own in data.items()}
    return {part: frame_of(data, part)}


def _is_split(data: object) -> bool:
    """Whether a value of a dict is a table, and not a column."""
    return isinstance(data, Frame) or (is_table(data) and type(data).__module__ != "numpy" and not _is_dataframe_column(data))


def bound(spec: Spec, frames: Mapping[str, Any]) -> Spec:
    """Return a spec with tables in memory that it names.

    Raises:
        NnspecError: If it does not name one.
    """
    known = set(_named(spec.document.get("data")))
    for name in frames:
        if name not in known:
            reason = f"the spec reads no rows that are passed as `{name}`"
            help = f"it reads {listed(sorted(known))}" if known else "omit `data`: its data are files"
            raise NnspecError(f"{reason}\n  = help: {help}")
    return replace(spec, frames={**spec.frames, **frames}) if frames else spec


def _named(tree: Tree | None) -> Iterator[str]:
    """Yield the names of the frames in a part of a document."""
    if isinstance(tree, MappingNode):
        for key, value in tree.items():
            if key.value == "frame" and isinstance(value, Scalar):
                yield str(value.value)
            elif key.value == "frame" and isinstance(value, MappingNode) and isinstance(name := value.get("name"), Scalar):
                yield str(name.value)
            else:
                yield from _named(value)


def frame_of(data: Any, name: str) -> Frame:
    """Return a table in memory.

    Args:
        data: A DataFrame of pandas, Polars, PyArrow or another library that narwhals supports; or a dict of columns, each a
            list or an array whose first axis is the rows.
        name: Its name, for messages.

    Raises:
        NnspecError: If it has another type, no columns, two columns of one name, or columns of different lengths.

    Example:
        >>> frame = frame_of({"x": [1.5, 2.0], "kind": ["a", None]}, "train")
        >>> {name: column.dtype for name, column in frame.columns.items()}
        {'x': 'float64', 'kind': 'text'}
    """
    if isinstance(data, Frame):
        return data
    names = getattr(getattr(data, "dtype", None), "names", None)
    if names:  # a structured array
        data = {column: data[column] for column in names}
    if isinstance(data, Mapping):
        kind, columns = "dict", dict(data)
    elif type(data).__module__ == "numpy":
        shape = tuple(getattr(data, "shape", ()))
        raise NnspecError(f"an array of shape {shape} has no names of columns\n  = help: pass {_KINDS}")
    else:
        kind, columns = _columns_of_frame(data)
    if not columns:
        raise NnspecError(f"the {kind} has no columns\n  = help: pass {_KINDS}")
    texts = [str(column) for column in columns]
    if len(set(texts)) < len(texts):
        twice = next(text for text in texts if texts.count(text) > 1)
        raise NnspecError(f"the {kind} has two columns `{twice}`\n  = help: rename one")
    lengths = {text: _length(values, text, kind) for text, values in zip(texts, columns.values(), strict=True)}
    if len(set(lengths.values())) > 1:
        found = ", ".join(f"`{column}` {length:,}" for column, length in list(lengths.items())[:8])
        raise NnspecError(f"the columns of the {kind} have different numbers of rows: {found}")
    return Frame(f"the {kind} `{name}`", dict(zip(texts, columns.values(), strict=True)), next(iter(lengths.values())))


def _columns_of_frame(data: Any) -> tuple[str, dict[Any, Any]]:
    """Return the name of a DataFrame's type, and its columns."""
    try:
        import narwhals.stable.v2 as nw
    except ImportError:
        help = "pip install 'nnspec[frames]', or pass a dict of columns"
        raise NnspecError(
            f"a `{type(data).__name__}` is read with narwhals, which is not installed\n  = help: {help}"
        ) from None
    kind = type(data).__name__
    try:
        frame = nw.from_native(data)
    except TypeError:
        raise NnspecError(f"data of the type `{kind}` are not supported\n  = help: pass {_KINDS}") from None
    except ValueError as error:  # pandas: duplicate names
        raise NnspecError(f"the {kind} cannot be read: {' '.join(str(error).split())}") from None
    if isinstance(frame, nw.LazyFrame):
        raise NnspecError(f"a `{kind}` that is not computed yet has no rows\n  = help: collect it first, `data.collect()`")
    return kind, dict(zip(frame.columns, frame.iter_columns(), strict=True))


def _length(values: Any, column: str, kind: str) -> int:
    try:
        return len(values)
    except TypeError:
        help = "pass a list or an array, whose first axis is the rows"
        reason = f"the column `{column}` of the {kind} is a single `{type(values).__name__}`"
        raise NnspecError(f"{reason}\n  = help: {help}") from None


class Frame:
    """A table in memory. Columns are converted when they are used.

    Args:
        name: Its name, for messages.
        given: The columns: narwhals Series, arrays or lists.
        rows: The number of rows.

    Attributes:
        name: Its name, for messages.
        rows: The number of rows.
    """

    def __init__(self, name: str, given: Mapping[str, Any], rows: int) -> None:
        self.name = name
        self.rows = rows
        self._given = given
        self._read: dict[str, tuple[Column, Values | None]] = {}

    @cached_property
    def columns(self) -> dict[str, Column]:
        """The type of each column."""
        return {name: self._column(name) for name in self._given}

    def table(self) -> Table:
        """Open the table."""
        return FrameTable(self)

    def values(self, column: str) -> Values:
        """Return all values of a column: numbers, or an object array of strings, lists of strings, or arrays.

        Raises:
            DataError: If it cannot be read.
        """
        if self._read.get(column, (None, None))[1] is None:
            self._read[column] = self._converted(column)
        kind, values = self._read[column]
        if kind.refused or values is None:
            raise DataError(f"{self.name}: the column `{column}` {kind.refused}")
        return values

    def where(self, column: str, row: int) -> str:
        """Return the place of a value, for messages."""
        return f"{self.name}, row {row}, column `{column}`"

    def _column(self, name: str) -> Column:
        if name not in self._read:
            quick = _quick_column(self._given[name])
            self._read[name] = (quick, None) if quick is not None else self._converted(name)
        return self._read[name][0]

    def _converted(self, name: str) -> tuple[Column, Values | None]:
        given = self._given[name]
        try:
            values = _of_series(given) if _is_narwhals(given) else _of_array(given)
            if isinstance(values, list):
                table = JsonTable(((row, {name: value}) for row, value in enumerate(values)), [name], self._place)
                return table.columns[name], table.read(name, slice(None))
            text = values.dtype == object
            return Column(values.shape[1:], "text" if text else values.dtype.name), values
        except _Unsupported as error:
            return Column((), "unknown", refused=error.reason), None
        except DataError as error:
            # This is an error only if the column is used.
            return Column((), "unknown", refused=f"cannot be read: {error.message.replace('first line', 'first row')}"), None

    def _place(self, row: int) -> str:
        return f"{self.name}, row {row}"


class _Unsupported(Exception):
    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def _is_narwhals(values: Any) -> bool:
    return type(values).__module__.startswith("narwhals")


def _quick_column(values: Any) -> Column | None:
    """Return the type of a column as far as it is known without converting its values."""
    if _is_narwhals(values):
        import narwhals.stable.v2 as nw

        kind = values.dtype
        if kind.is_numeric() or kind == nw.Boolean:
            name = str(kind).lower().replace("boolean", "bool")
            return Column((), name if (not kind.is_decimal() and name[-1:].isdigit()) or name == "bool" else "float64")
        # Of pandas, a column of None alone is one of strings.
        return Column((), "text") if kind == nw.String and not values.is_null().all() else None
    dtype = getattr(values, "dtype", None)
    if type(values).__module__ == "numpy" and dtype is not None and dtype.kind in "biufSU":
        return Column(tuple(values.shape[1:]), "text" if dtype.kind in "SU" else dtype.newbyteorder("=").name)
    return None


def _of_series(series: Any) -> Values | list[Any]:
    """Return the values of a DataFrame's column: an array, or a list of Python values."""
    import narwhals.stable.v2 as nw
    import numpy as np

    kind = series.dtype
    missing = series.is_null().to_numpy().astype(bool)
    if kind.is_numeric() or kind == nw.Boolean:
        if missing.any() or kind.is_decimal():
            values = np.full(len(missing), np.nan)
            values[~missing] = series.filter((~series.is_null()).to_list()).cast(nw.Float64).to_numpy()
            return values
        found: Values = series.to_numpy()
        return found.astype(float) if found.dtype == object else found
    if kind in (nw.Datetime, nw.Date, nw.Duration):
        values = np.full(len(missing), np.nan)
        known = series.filter((~series.is_null()).to_list())
        if kind == nw.Date:
            values[~missing] = known.dt.timestamp("ms").to_numpy() / 86_400_000
        elif kind == nw.Datetime:
            values[~missing] = known.dt.timestamp("us").to_numpy() / 1e6
        else:
            values[~missing] = known.dt.total_microseconds().to_numpy() / 1e6
        return values
    if kind == nw.Array and not missing.any():
        found = series.to_numpy()
        if found.ndim > 1 and found.dtype.kind in "biuf":
            return found
    if kind in (nw.String, nw.Categorical, nw.Enum, nw.List, nw.Array, nw.Object, nw.Binary) or "unknown" in str(kind).lower():
        return _plain([None if gone else value for value, gone in zip(series.to_list(), missing.tolist(), strict=True)])
    raise _Unsupported(f"has the unsupported type {str(kind)[:80]}")


def _of_array(values: Any) -> Values | list[Any]:
    """Return the values of an array or a list."""
    import numpy as np

    if _is_dataframe_column(values):
        import narwhals.stable.v2 as nw

        return _of_series(nw.from_native(values, series_only=True))
    if isinstance(values, Sequence) and not isinstance(values, str | bytes):
        first = next((value for value in values if value is not None), None)
        if not hasattr(first, "shape") and not isinstance(first, Sequence):
            return _plain(list(values))
        if isinstance(first, str):
            return _plain(list(values))
    try:
        array = np.asarray(values)
    except ValueError:  # lists of different lengths
        return _plain(list(values))
    if array.dtype.kind == "S":
        array = np.char.decode(array.astype(np.bytes_), "utf-8", "replace")
    if array.dtype.kind == "U":
        return array.astype(object) if array.ndim == 1 else _plain(array.tolist())
    if array.dtype.kind in "Mm":
        missing = np.isnat(array)
        seconds = array.astype("datetime64[us]" if array.dtype.kind == "M" else "timedelta64[us]").astype(np.int64) / 1e6
        return np.where(missing, np.nan, seconds)
    if array.dtype == object:
        return _plain(array.tolist())
    if array.dtype.kind not in "biuf":
        raise _Unsupported(f"has the unsupported type {array.dtype}")
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def _is_dataframe_column(values: Any) -> bool:
    package = type(values).__module__.partition(".")[0]
    return package not in ("builtins", "numpy") and type(values).__name__ in ("Series", "ChunkedArray")


def _plain(values: list[Any]) -> Values | list[Any]:
    """Return Python values: None for missing ones, numbers, strings and lists. Strings alone are an array."""
    import numpy as np

    if values and all(isinstance(value, np.ndarray) and value.ndim for value in values):
        kinds_of_arrays = {(value.shape, value.dtype) for value in values}
        if len(kinds_of_arrays) == 1 and values[0].dtype.kind in "biuf":
            return np.stack(values)
    found = [_plain_value(value) for value in values]
    kinds = {type(value) for value in found}
    if kinds == {str} or kinds == {str, type(None)}:
        texts = np.empty(len(found), object)
        texts[:] = found
        return texts
    if kinds <= {type(None)}:
        return np.full(len(found), np.nan)
    if kinds <= {int, float, bool, type(None)} and None in found:
        return np.array([np.nan if value is None else float(value) for value in found])
    unsupported = kinds - {int, float, bool, str, list, type(None)}
    if unsupported:
        raise _Unsupported(f"has values of the unsupported type `{min(kind.__name__ for kind in unsupported)}`")
    return found


def _plain_value(value: Any) -> Any:
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return None if value != value else value
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if _is_narwhals(value):
        value = value.to_list()
    if hasattr(value, "tolist"):  # an array, or a number of NumPy
        return _plain_value(value.tolist())
    if isinstance(value, list | tuple):
        return [_plain_value(item) for item in value]
    if type(value).__name__ == "NAType":
        return None
    if isinstance(value, datetime):
        return value.replace(tzinfo=value.tzinfo or UTC).timestamp()
    if isinstance(value, date):
        return float((value - date(1970, 1, 1)).days)
    return float(value) if type(value).__name__ == "Decimal" else value


class FrameTable(Table):
    """A [`Table`][nnspec.data.readers.base.Table] over a [`Frame`][nnspec.data.frames.Frame].

    Args:
        frame: The frame.
    """

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self.columns = dict(frame.columns)

    def __len__(self) -> int:
        return self._frame.rows

    def read(self, column: str, rows: Rows) -> Values:
        return self._frame.values(column)[rows]

    def where(self, column: str, row: int) -> str:
        return self._frame.where(column, row)

    def mend(self, column: str, texts: Collection[str]) -> str:
        marks = sorted(text for text in texts if looks_missing(text))
        if not marks or len(marks) < len(texts):
            return ""
        return f"replace {listed([repr(mark) for mark in marks])} in the column `{column}` by None"


def with_data(spec: Spec, data: Any, part: str = "train") -> Spec:
    """Return a spec that reads tables in memory.

    They replace the readers of the splits in the section ``data``; of a reader of windows or images, they replace the table.

    Args:
        spec: The spec.
        data: A table; or a dict of tables by split: `train`, `validation`, `test`.
        part: The split of a single table.

    Raises:
        NnspecError: If the data are no tables.
    """
    if data is None:
        return spec
    given = frames_by_part(data, part)
    document, section = spec.document, spec.sections.get("data")
    for name in given:
        place = Place(Place(None, "data"), name)
        old = section.get(name) if section is not None else None
        new = _reading(old, name, place)
        section = _with_entry(section, name, new, Place(None, "data"))
        # The document keeps expressions in the other entries.
        written = document.get("data")
        written = _with_entry(written if isinstance(written, MappingNode) else None, name, new, Place(None, "data"))
        document = _with_entry(document, "data", written, None)
    assert section is not None
    return replace(spec, document=document, sections={**spec.sections, "data": section}, frames={**spec.frames, **given})


def _reading(old: Tree | None, name: str, place: Place) -> Tree:
    """Return the reader of a frame, or the old reader of windows or images with the frame as its table."""
    span = old.span if old is not None else Span("the data", 1, 1, 1, 1, str(place))
    if isinstance(old, MappingNode) and len(old) == 1:
        [(reader, arguments)] = old.items()
        tables = [key for key in TABLES if isinstance(arguments, MappingNode) and key in arguments]
        if tables and isinstance(arguments, MappingNode):
            within = Place(place, str(reader.value))
            kept = [(key, value) for key, value in arguments.items() if key.value not in tables]
            entry = (Scalar("frame", span), Scalar(name, span, Place(within, "frame"), quoted=True))
            return MappingNode([(reader, MappingNode([entry, *kept], arguments.span, within))], span, place)
    return MappingNode([(Scalar("frame", span), Scalar(name, span, Place(place, "frame"), quoted=True))], span, place)


def _with_entry(tree: MappingNode | None, key: str, value: Tree, place: Place | None) -> MappingNode:
    """Return a mapping with one entry replaced or added."""
    if tree is None:
        tree = MappingNode([], value.span, place)
    entries = [(name, value if name.value == key else old) for name, old in tree.items()]
    if key not in tree:
        entries.append((Scalar(key, value.span), value))
    return MappingNode(entries, tree.span, tree.place)
