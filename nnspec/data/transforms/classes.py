"""Transforms of classes. The classes have the names that a spec uses."""

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

__all__ = ["UnknownClassError", "class_names", "label_encode", "one_hot"]

_Name = Annotated[str, Strict(), Field(min_length=1)]
_Label = Annotated[int, Strict()] | Annotated[str, Strict()]


class _Encode(Transform):
    learns: ClassVar[Mapping[str, Any]] = {
        "classes": Annotated[list[bool | int | float | str], Field(min_length=1)],
        "names": list[Any] | None,
    }

    classes: PositiveInt | list[_Label] | None = Field(
        None, description="The classes in order, or their number where they are counted from 0; null to learn them, sorted."
    )
    names: list[_Name] | None = Field(
        None, min_length=1, description="What the classes are called, in their order, where the data have numbers or codes."
    )
    unknown: Flag = Field(False, description="Whether a class that is not known is allowed.")

    @model_validator(mode="after")
    def _distinct(self) -> _Encode:
        if isinstance(self.classes, list) and (len(set(self.classes)) < len(self.classes) or not self.classes):
            raise ValueError("`classes` must be given, each once")
        if self.names is not None and len(set(self.names)) < len(self.names):
            raise ValueError("`names` must name each class differently")
        if self.classes is not None and self.names is not None and self._count() != len(self.names):
            raise ValueError(f"there are {self._count()} `classes` and {len(self.names)} `names`")
        return self

    @property
    def takes_text(self) -> bool:
        return True

    @property
    def fills(self) -> bool:
        return self.unknown

    def _count(self) -> int | None:
        return len(self.classes) if isinstance(self.classes, list) else self.classes

    def fit(self, chunks: Iterable[Values]) -> Learned:
        classes = self._classes(chunks)
        if self.names is None:
            return {"classes": classes}
        if len(self.names) != len(classes):
            shown = ", ".join(map(repr, classes[:8])) + (", …" if len(classes) > 8 else "")
            raise DataError(f"there are {len(classes)} classes and {len(self.names)} `names`", help=f"the classes are {shown}")
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
        """The index of each value's class; the number of classes for one that is not known."""
        import numpy as np

        order = {label: i for i, label in enumerate(learned["classes"])}
        labels = _labels(values)
        indices = np.fromiter((order.get(label, len(order)) for label in labels), np.int64, len(labels)).reshape(values.shape)
        if not self.unknown and (indices == len(order)).any():
            raise UnknownClassError(int((indices == len(order)).ravel().argmax()), learned["classes"])
        return indices


class UnknownClassError(DataError):
    """A value that is none of the classes.

    Attributes:
        position: Where it stands, counted through the values.
    """

    def __init__(self, position: int, classes: list[Any]) -> None:
        shown = ", ".join(map(repr, classes[:8])) + (", …" if len(classes) > 8 else "")
        super().__init__(f"the classes are {shown}", help="add it to `classes`, or allow it with `unknown: true`")
        self.position = position


class label_encode(_Encode):  # noqa: N801
    """The index of a value's class: 0, 1, 2 … in the order of the classes; one that is not known comes behind them all."""

    def infer(self, column: Column) -> Column:
        return Column(column.shape, "int64")

    def apply(self, values: Values, learned: Learned) -> Values:
        return self._indices(values, learned)


class one_hot(_Encode):  # noqa: N801
    """1 at a value's class and 0 elsewhere, along a new last axis; all 0 for one that is not known."""

    def infer(self, column: Column) -> Column:
        return Column((*column.shape, self._count()), "float32")

    def apply(self, values: Values, learned: Learned) -> Values:
        import numpy as np

        table = np.eye(len(learned["classes"]) + 1, len(learned["classes"]), dtype=np.float32)
        return table[self._indices(values, learned)]


def class_names(steps: Iterable[Mapping[str, Any]]) -> list[Any] | None:
    """What the classes of a target are called, by what its transforms learned; None where none learned classes.

    Args:
        steps: Its transforms, each with what it ``learned``.

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
    return [_whole(label) for label in chunk.ravel().tolist()]


def _whole(label: Any) -> Any:
    """A label as JSON has it: ``3.0`` is 3, and what is not there is None."""
    if isinstance(label, float):
        return None if label != label else int(label) if label.is_integer() else label
    return label
