"""What may stand under ``data.validation`` beside a fraction: a reader, or one fold of the training data."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, Strict, model_validator

from nnspec.data.readers import READERS
from nnspec.types import Config, Family

__all__ = ["VALIDATIONS", "Fold"]

VALIDATIONS = Family(
    kind="validation", modules={**READERS.modules, "fold": __name__}, aliases={**READERS.aliases, "k_fold": "fold"}
)
"""Every reader, and `fold`."""


class Fold(Config):
    """One of the equal parts that the training data are cut into: `nnspec crossval` trains with each in turn.

    Each class is in proportion in every part; rows of one `group` are in one part; by `time`, and in a series, what is
    behind a part is left out.
    """

    number: Annotated[int, Strict(), Field(ge=1)] = Field(description="Which part, from 1.")
    of: Annotated[int, Strict(), Field(ge=2)] = Field(description="How many parts there are.")

    @model_validator(mode="after")
    def _one_of_them(self) -> Fold:
        if self.number > self.of:
            raise ValueError(f"there is no fold {self.number} of {self.of}")
        return self


fold = Fold
