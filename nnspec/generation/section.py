"""The section ``generate`` of a document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field, Strict, model_validator

from nnspec.layers.scalars import Flag, NotNegative, PositiveInt, PositiveNumber
from nnspec.types import Config

__all__ = ["Beam", "GenerateSection", "Sample", "TokenPorts"]

_Name = Annotated[str, Strict()]
_Token = Annotated[int, Strict(), Field(ge=0)] | _Name


class TokenPorts(Config):
    """Where tokens go into the decoder, and where the next one comes out."""

    input: _Name = Field(description="The decoder's input of tokens.")
    logits: _Name = Field(description="The decoder's output over the vocabulary; probabilities will do.")


class Beam(Config):
    """Beam search: the sequences that are likeliest as a whole, rather than the likeliest token each time.

    A finished sequence is worth its log-probability divided by ``((5 + length) / 6) ** length_penalty`` (Wu et al. 2016,
    section 7): without, short ones win.
    """

    main_argument: ClassVar[str | None] = "width"

    width: PositiveInt = Field(description="How many sequences are followed at a time.")
    length_penalty: NotNegative = Field(0.6, description="How much longer sequences are favoured; 0: not.")


class Sample(Config):
    """Tokens are drawn at random, each as often as the model says."""

    unsupported: ClassVar[Mapping[str, str]] = {
        "k": "it is called `top_k`",
        "p": "it is called `top_p`",
    }

    temperature: PositiveNumber = Field(
        1.0, description="Logits are divided by it: below 1, likely tokens are drawn more often."
    )
    top_k: PositiveInt | None = Field(None, description="Only so many of the likeliest tokens are drawn from; null: all.")
    top_p: Annotated[float, Strict(), Field(gt=0, le=1)] | None = Field(
        None,
        description="Only the likeliest tokens that reach this probability together are drawn from (Holtzman 2020); null: all.",
    )
    seed: Annotated[int, Strict(), Field(ge=0, lt=2**32)] = Field(
        0, description="Makes what is drawn repeatable, for each row whatever the batch."
    )


class GenerateSection(Config):
    """How a sequence is decoded, token by token."""

    unsupported: ClassVar[Mapping[str, str]] = {
        "temperature": "it is a key of `sample`: write `sample: {temperature: …}`",
        "top_k": "it is a key of `sample`: write `sample: {top_k: …}`",
        "top_p": "it is a key of `sample`: write `sample: {top_p: …}`",
        "num_beams": "write `beam: 4`",
        "max_new_tokens": "it is called `max_length`",
    }

    encode: _Name | None = Field(None, description="The network that reads the source; null: a language model, which has none.")
    decode: _Name = Field("main", description="The network that gives the next token; `main` is the document's own layers.")
    token: TokenPorts = Field(description="Where tokens go into the decoder, and where the next one comes out.")
    memory: dict[str, _Name] = Field({}, description="Decoder input ← encoder output, the same at every step.")
    begin: dict[str, _Name] = Field({}, description="Decoder input ← encoder output, at the first step; zeros where not given.")
    carry: dict[str, _Name] = Field({}, description="Decoder input ← decoder output of the step before, at every later step.")
    cache: Flag = Field(
        False,
        description="Whether causal attention carries its keys and values on, rather than reading all tokens anew.",
    )
    start: _Token | None = Field(
        None, description="The token that the decoder reads first, or its text; null: the first of the prompt."
    )
    end: _Token | None = Field(None, description="The token that ends a sequence, or its text; null: none does.")
    max_length: PositiveInt = Field(64, description="The most tokens of a sequence, its end counted.")
    beam: Beam | None = Field(None, description="Search several sequences at a time; null: the likeliest token each time.")
    sample: Sample | None = Field(None, description="Draw tokens at random; null: the likeliest token each time.")

    @model_validator(mode="after")
    def _one_way(self) -> GenerateSection:
        if self.beam is not None and self.sample is not None:
            raise ValueError("only one of `beam` and `sample` can be given")
        return self
