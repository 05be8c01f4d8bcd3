"""Encodings of class labels. The Python classes are named as in a spec."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field, Strict, model_validator

from nnspec.data.kinds import Column, DataError
from nnspec.data.transforms.base import Learned, Transform
from nnspec.layers.scalars import Flag, PositiveInt

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Values = NDArray[Any]

_Name = Annotated[str, Strict(), Field(min_length=1)]
_Label = Annotated[int, Strict()] | Annotated[str, Strict()]


class _Encode(Transform):
    learns: ClassVar[Mapping[str, Any]] = {
        "classes": Annotated[list[bool | int | float | str], Field(min_length=1)],
        "names": list[Any] | None,
    }

    classes: PositiveInt | list[_Label] | None = Field(
        None,
        description="The classes in order, or their number if they are counted from 0. Default: learned from the training data "
        "and sorted.",
    )
    names: list[_Name] | None = Field(
        None,
        min_length=1,
        description="Display names of the classes, in the same order, if the data contain numbers or codes.",
    )
    unknown: Flag = Field(False, description="Whether to accept unknown classes.")

    @model_validator(mode="after")
    def _distinct(self) -> _Encode:
        if isinstance(self.classes, list) and (len(set(self.classes)) < len(self.classes) or not self.classes):
            raise ValueError("`classes` must be a non-empty list without duplicates")
        if self.names is not None and len(set(self.names)) < len(self.names):
            raise ValueError("`names` must not contain duplicates")
        if self.classes is not None and self.names is not None and self._count() != len(self.names):
            raise ValueError(
                f"`names` must have one entry per class: there are {self._count()} classes, {len(self.names)} names"
            )
        return self

    @property
    def takes_text(self) -> bool:
        return True

    @property
    def fills(self) -> bool:
        return self.unknown

    def for_column(self, column: Column) -> Transform:
        """Number the classes as the data declare them."""
        return self.model_copy(update={"classes": list(column.classes)}) if column.classes and self.classes is None else self

    def _count(self) -> int | None:
        return len(self.classes) if isinstance(self.classes, list) else self.classes

    def fit(self, chunks: Iterable[Values]) -> Learned:
        classes = self._classes(chunks)
        if self.names is None:
            return {"classes": classes}
        if len(self.names) != len(classes):
            shown = ", ".join(map(repr, classes[:8])) + (", …" if len(classes) > 8 else "")
            reason = f"`names` has {len(self.names)} entries, but the data have {len(classes)} classes"
            raise DataError(reason, help=f"the classes are {shown}")
        return {"classes": classes, "names": list(self.names)}

    def _classes(self, chunks: Iterable[Values]) -> list[Any]:
        if isinstance(self.classes, int):
            return list(range(self.classes))
        if self.classes is not None:
            return list(self.classes)
        found: set[Any] = set()
        for chunk in chunks:
            found.update(_labels(chunk))
        found.discard(None)
        return sorted(found)

    def _indices(self, values: Values, learned: Learned) -> NDArray[np.int64]:
        """Return the class index of each value; for an unknown class, the number of classes."""
        import numpy as np

        order = {label: i for i, label in enumerate(learned["classes"])}
        labels = _labels(values)
        indices = np.fromiter((order.get(label, len(order)) for label in labels), np.int64, len(labels)).reshape(values.shape)
        if not self.unknown and (indices == len(order)).any():
            raise UnknownClassError(int((indices == len(order)).ravel().argmax()), learned["classes"])
        return indices


class UnknownClassError(DataError):
    """A value that is not among the known classes.

    Attributes:
        position: Its index in the flattened values; of lists of classes, the row.
        item: Its number in the list; None if the values are not lists.
        label: The value in the list.
    """

    item: int | None = None
    label: Any = None

    def __init__(self, position: int, classes: list[Any]) -> None:
        shown = ", ".join(map(repr, classes[:8])) + (", …" if len(classes) > 8 else "")
        super().__init__(f"the classes are {shown}", help="add it to `classes`, or allow it with `unknown: true`")
        self.position = position


class label_encode(_Encode):  # noqa: N801
    """Encodes a class as its index: 0, 1, 2 … in the order of the classes. Unknown classes get the index after the last one."""

    takes_ragged: ClassVar[bool] = True

    def infer(self, column: Column) -> Column:
        fill = -1 if column.shape else 0
        return Column(column.shape, "int64", ragged=column.ragged, fill=fill, rows_of=column.rows_of)

    def apply(self, values: Values, learned: Learned) -> Values:
        return self._of_lists(values, learned) if _are_lists(values) else self._indices(values, learned)

    def _of_lists(self, values: Values, learned: Learned) -> Values:
        """Return an array of the indices of each list."""
        import numpy as np

        lengths = np.array([len(value) for value in values], np.int64)
        flat = np.empty(int(lengths.sum()), object)
        flat[:] = _of_all(values)
        ends = np.cumsum(lengths)
        try:
            indices = self._indices(flat, learned)
        except UnknownClassError as error:
            row = int(np.searchsorted(ends, error.position, "right"))
            error.item, error.label = error.position - int(ends[row] - lengths[row]), flat[error.position]
            error.position = row
            raise
        made = np.empty(len(values), object)
        for row, (start, end) in enumerate(zip(ends - lengths, ends, strict=True)):
            made[row] = indices[start:end]
        return made


class one_hot(_Encode):  # noqa: N801
    """Encodes a class as a one-hot vector along a new last axis. Unknown classes become all zeros."""

    def infer(self, column: Column) -> Column:
        return Column((*column.shape, self._count()), "float32")

    def apply(self, values: Values, learned: Learned) -> Values:
        import numpy as np

        table = np.eye(len(learned["classes"]) + 1, len(learned["classes"]), dtype=np.float32)
        return table[self._indices(values, learned)]


def class_names(steps: Iterable[Mapping[str, Any]]) -> list[Any] | None:
    """Return the display names of a target's classes; None if no transform encodes classes.

    Args:
        steps: The target's transforms, each with its state under ``learned``.

    Example:
        >>> class_names([{"learned": {"classes": [0, 1], "names": ["ham", "spam"]}}])
        ['ham', 'spam']
    """
    for step in steps:
        learned = step["learned"]
        if "classes" in learned:
            names: list[Any] = learned.get("names", learned["classes"])
            return names
    return None


def _labels(chunk: Values) -> list[Any]:
    labels = _of_all(chunk) if _are_lists(chunk) else chunk.ravel().tolist()
    return [_whole(label) for label in labels]


def _are_lists(values: Values) -> bool:
    """Whether each value of a column is a list of classes."""
    import numpy as np

    return values.dtype == object and values.ndim == 1 and len(values) > 0 and isinstance(values[0], list | tuple | np.ndarray)


def _of_all(lists: Values) -> list[Any]:
    return [label for value in lists for label in (value.tolist() if hasattr(value, "tolist") else value)]


def _whole(label: Any) -> Any:
    """Convert a label to its JSON form: ``3.0`` becomes 3, and NaN becomes None."""
    if isinstance(label, float):
        return None if label != label else int(label) if label.is_integer() else label
    return label
