"""To say the next token. The classes have the names that a spec uses."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field, Strict

from nnspec.layers.scalars import PositiveInt
from nnspec.training.objectives.base import Objective
from nnspec.types import Config

__all__ = ["NextToken", "ScheduledSampling", "language_model", "sequence_to_sequence"]

_Text = Annotated[str, Strict()]
_Share = Annotated[float, Strict(), Field(gt=0, le=1)]
_Steps = Annotated[int, Strict(), Field(ge=0)]


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


class ScheduledSampling(Config):
    """How many of the tokens that a decoder reads are its own, in training (Bengio et al. 2015)."""

    main_argument: ClassVar[str | None] = "probability"

    probability: _Share = Field(description="The share of the tokens that are the decoder's own.")
    begin: _Steps = Field(0, description="Steps before the first of them is.")
    steps: _Steps = Field(0, description="Steps over which the share rises from 0, in a straight line; 0: at once.")


class sequence_to_sequence(NextToken):  # noqa: N801
    """To say a sequence that belongs to another, its decoder reading the true tokens (Sutskever et al. 2014).

    The tokens of ``input`` are the whole sequence, from what begins it to what ends it:
    `tokenize: {start: true, end: true}`. At each position the decoder reads one and is to say the next.
    """

    scheduled_sampling: ScheduledSampling | None = Field(
        None, description="How many of the tokens it reads in training are its own: a share, or a share that rises. Null: none."
    )
