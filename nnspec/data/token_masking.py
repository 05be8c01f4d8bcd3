"""The masking of tokens that a network restores (Devlin et al. 2019)."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field, Strict, model_validator

from nnspec.data.transforms.text import SPECIAL
from nnspec.types import Config

_Share = Annotated[float, Strict(), Field(ge=0, le=1)]


class MaskTokens(Config):
    """Selects tokens at random and hides most of them; only selected tokens count in the loss and the metrics.

    Of the selected tokens, `random` are replaced by random ones, `keep` are unchanged, and the others become the mask token.
    The special tokens, 0 to 3, are never selected.
    """

    main_argument: ClassVar[str | None] = "token"

    token: Annotated[int, Strict(), Field(ge=3)] = Field(
        description="The mask token: a row of the `Embedding` after those of the vocabulary, or a token of its own.",
        examples=[8000],
    )
    probability: Annotated[float, Strict(), Field(gt=0, le=1)] = Field(0.15, description="The share of tokens to select.")
    random: _Share = Field(0.1, description="The share of selected tokens that are replaced by a random token.")
    keep: _Share = Field(0.1, description="The share of selected tokens that are unchanged.")

    @model_validator(mode="after")
    def _shares(self) -> MaskTokens:
        if self.random + self.keep > 1:
            raise ValueError(f"`random` and `keep` together must be at most 1, but are {self.random + self.keep:g}")
        return self


FIRST_TOKEN = len(SPECIAL)
"""The first token that is not special."""
