"""To say the next token. The classes have the names that a spec uses."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field, Strict

from nnspec.layers.scalars import PositiveInt
from nnspec.training.objectives.base import Objective

__all__ = ["NextToken", "language_model"]

_Text = Annotated[str, Strict()]


class NextToken(Objective):
    """To say at each position of a sequence which token comes next. What fills up is no target."""

    input: _Text | None = Field(
        None, description="The input of tokens; null: the only one of whole numbers that has the output's positions."
    )
    output: _Text | None = Field(None, description="The output that says the next token; null: the only one with a target.")


class language_model(NextToken):  # noqa: N801
    """To say the next token of a text (Bengio et al. 2003; Mikolov et al. 2010).

    Each row is an example, filled up by `pad`. With ``window``, the rows of a part are one stream in their order, cut into
    windows that follow each other without a gap: the last token that one is to say is the first that the next one reads.
    A fraction of the rows for validation is then the last of them.
    """

    main_argument: ClassVar[str | None] = "window"

    window: PositiveInt | None = Field(None, description="Tokens of an example that is cut from the texts; null: a row is one.")
