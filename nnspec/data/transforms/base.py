"""The base class of transforms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import TypeAdapter

from nnspec.data.kinds import Column, DataError
from nnspec.types import Config

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nnspec.data.readers.base import Table

    Values = NDArray[Any]

_LABELS: TypeAdapter[list[list[str]]] = TypeAdapter(list[list[str]], config={"strict": True})

Learned = dict[str, Any]
"""The fitted state of a transform, as plain JSON values."""


class Transform(Config):
    """One transform of a column's values."""

    sets_size: ClassVar[bool] = False
    """Whether images of any size are resized to a fixed size."""

    takes_ragged: ClassVar[bool] = False
    """Whether rows of different lengths are accepted."""

    learns: ClassVar[Mapping[str, Any]] = {}
    """The type of each entry in the fitted state; None is allowed for entries that are optional."""

    @property
    def pads_images(self) -> bool:
        """Whether images keep their aspect ratio when they are resized, and are padded."""
        return False

    @property
    def needs_text(self) -> bool:
        """Whether it takes nothing but text, so that digits in a file without types are text."""
        return False

    @property
    def takes_text(self) -> bool:
        """Whether text is accepted."""
        return False

    @property
    def fills(self) -> bool:
        """Whether missing values are accepted."""
        return False

    @property
    def sorts(self) -> bool:
        """Whether training batches are grouped by row length."""
        return False

    @property
    def for_each_series(self) -> bool:
        """Whether it is fitted separately on each series."""
        return False

    def require_learned(self, learned: Learned) -> None:
        """Check the fitted state that was read from a file.

        Raises:
            ValueError: If the state is invalid.
        """
        if not self.for_each_series:
            self._require(learned)
            return
        labels, each = _LABELS.validate_python(learned.get("series")), learned.get("each")
        if not isinstance(each, list) or len(each) != len(labels) or not all(isinstance(own, dict) for own in each):
            raise ValueError("the fitted state of each series is invalid")
        for own in each:
            self._require(own)

    @classmethod
    def _require(cls, learned: Learned) -> None:
        for name, adapter in cls._learning().items():
            adapter.validate_python(learned.get(name))

    @classmethod
    @cache
    def _learning(cls) -> Mapping[str, TypeAdapter[Any]]:
        # Cached, because a server validates the state at each request.
        return {name: TypeAdapter(type_) for name, type_ in cls.learns.items()}

    def infer(self, column: Column) -> Column:
        """Return the output column for an input column; sizes that are not known before fitting are None.

        Raises:
            DataError: If the column is not accepted.
        """
        raise NotImplementedError

    def for_column(self, column: Column) -> Transform:
        """Return the transform with the arguments that the column determines, unless they are given."""
        del column
        return self

    def in_table(self, table: Table) -> Transform:
        """Return the transform for a table, if it needs more of it than the values.

        Raises:
            DataError: If the table does not have what it needs.
        """
        del table
        return self

    def fit(self, chunks: Iterable[Values]) -> Learned:
        """Return the state fitted on the training values, which are given in chunks of rows and can be iterated repeatedly."""
        del chunks
        return {}

    def apply(self, values: Values, learned: Learned) -> Values:
        """Return the transformed values, with the same number of rows.

        Raises:
            DataError: If a value is unknown.
        """
        raise NotImplementedError


def require_numbers(transform: str, column: Column, help: str = "put `label_encode` or `one_hot` before it") -> None:
    """Reject columns of text.

    Raises:
        DataError: If the column contains text.
    """
    if column.is_text:
        raise DataError(f"`{transform}` requires numbers, but the column contains text", help=help)
