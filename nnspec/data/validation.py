"""What ``data.validation`` and ``data.test`` may be: a reader, or one fold of the training data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Annotated

from pydantic import Field, Strict, model_validator

from nnspec.data.readers import READERS
from nnspec.layers.scalars import Flag
from nnspec.types import Config, Family

__all__ = ["VALIDATIONS", "Fold"]


class _WithFold(Mapping[str, str]):
    """The readers' modules, those of other packages among them, and that of `fold`."""

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
    """One of the equal parts that the training data are cut into: `nnspec crossval` leaves out each in turn.

    Each class is in proportion in every part; rows of one `group` are in one part. By `time`, and in a series, the parts
    follow each other, and only what is before the part is trained on (walk-forward validation).
    """

    number: Annotated[int, Strict(), Field(ge=1)] = Field(description="Which part, from 1.")
    of: Annotated[int, Strict(), Field(ge=2)] = Field(description="How many parts there are.")

    rolling: Flag = Field(
        False, description="By time: train on as many rows as the first fold does, rather than on all before the part."
    )

    @model_validator(mode="after")
    def _one_of_them(self) -> Fold:
        if self.number > self.of:
            raise ValueError(f"there is no fold {self.number} of {self.of}")
        return self


fold = Fold
