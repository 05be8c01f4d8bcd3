"""The values of ``data.validation`` and ``data.test``: a reader, or a fold of the training data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Annotated

from pydantic import Field, Strict, model_validator

from nnspec.data.readers import READERS
from nnspec.layers.scalars import Flag
from nnspec.types import Config, Family


class _WithFold(Mapping[str, str]):
    """The modules of all readers, including those of plugins, and of `fold`."""

    def __init__(self, readers: Mapping[str, str]) -> None:
        self._readers = readers

    def __getitem__(self, name: str) -> str:
        return __name__ if name == "fold" else self._readers[name]

    def __contains__(self, name: object) -> bool:
        return name == "fold" or name in self._readers

    def __iter__(self) -> Iterator[str]:
        return chain(self._readers, ["fold"])

    def __len__(self) -> int:
        return len(self._readers) + 1


VALIDATIONS = Family(
    kind="reader or fold",
    modules=_WithFold(READERS.modules),
    aliases={**READERS.aliases, "k_fold": "fold"},
    other_words=READERS.other_words,
)
"""Every reader, and `fold`."""


class Fold(Config):
    """One fold of k-fold cross-validation on the training data; `nnspec crossval` holds out each fold in turn.

    Folds are stratified by class, and the rows of a `group` stay in the same fold. With `time`, and in a series, the folds
    are consecutive, and the model is trained only on rows before the fold (walk-forward validation).
    """

    number: Annotated[int, Strict(), Field(ge=1)] = Field(description="The number of the fold, from 1.")
    of: Annotated[int, Strict(), Field(ge=2)] = Field(description="The number of folds.")

    rolling: Flag = Field(
        False, description="With `time`: train on a window of constant size before the fold, instead of on all rows before it."
    )

    @model_validator(mode="after")
    def _one_of_them(self) -> Fold:
        if self.number > self.of:
            raise ValueError(f"`number` must be at most `of`, {self.of}, but is {self.number}")
        return self


fold = Fold
