"""What a transform is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import TypeAdapter

from nnspec.data.kinds import Column, DataError
from nnspec.types import Config

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Values = NDArray[Any]

__all__ = ["Learned", "Transform", "require_numbers"]

_LABELS: TypeAdapter[list[list[str]]] = TypeAdapter(list[list[str]], config={"strict": True})

Learned = dict[str, Any]
"""What a transform learned, as plain JSON values."""


class Transform(Config):
    """One step between a column and the model."""

    sets_size: ClassVar[bool] = False
    """Whether pictures of any size come out in one."""

    takes_ragged: ClassVar[bool] = False
    """Whether rows of different lengths may come in."""

    learns: ClassVar[Mapping[str, Any]] = {}
    """The type of each thing that it learns, by its name in what ``fit`` gives; what it does not always learn may be None."""

    @property
    def takes_text(self) -> bool:
        """Whether text may come in."""
        return False

    @property
    def fills(self) -> bool:
        """Whether missing values may come in."""
        return False

    @property
    def sorts(self) -> bool:
        """Whether the training's batches are made of rows of about one length."""
        return False

    @property
    def for_each_series(self) -> bool:
        """Whether it learns from each series of the data by itself."""
        return False

    def require_learned(self, learned: Learned) -> None:
        """Checks what a file says that it learned.

        Raises:
            ValueError: Where that is not what it learns.
        """
        if not self.for_each_series:
            self._require(learned)
            return
        labels, each = _LABELS.validate_python(learned.get("series")), learned.get("each")
        if not isinstance(each, list) or len(each) != len(labels) or not all(isinstance(own, dict) for own in each):
            raise ValueError("what it learned of each series is damaged")
        for own in each:
            self._require(own)

    @classmethod
    def _require(cls, learned: Learned) -> None:
        for name, adapter in cls._learning().items():
            adapter.validate_python(learned.get(name))

    @classmethod
    @cache
    def _learning(cls) -> Mapping[str, TypeAdapter[Any]]:
        # Made once: a server asks at each request.
        return {name: TypeAdapter(type_) for name, type_ in cls.learns.items()}

    def infer(self, column: Column) -> Column:
        """What comes out, from what comes in; sizes it has yet to learn are None.

        Raises:
            DataError: Where it cannot take that column.
        """
        raise NotImplementedError

    def fit(self, chunks: Iterable[Values]) -> Learned:
        """What it learns from the training part's values, which come in chunks of rows, as often as they are asked for."""
        del chunks
        return {}

    def apply(self, values: Values, learned: Learned) -> Values:
        """The values it makes; a row stays a row.

        Raises:
            DataError: Where a value is not one it knows.
        """
        raise NotImplementedError


def require_numbers(transform: str, column: Column, help: str = "put `label_encode` or `one_hot` before it") -> None:
    """Refuses text."""
    if column.is_text:
        raise DataError(f"`{transform}` takes numbers, and the column holds text", help=help)
