"""The section ``generate`` of a document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field, Strict, model_validator

from nnspec.layers.scalars import Flag, NotNegative, PositiveInt, PositiveNumber
from nnspec.types import Config

_Name = Annotated[str, Strict()]
_Token = Annotated[int, Strict(), Field(ge=0)] | _Name


class TokenPorts(Config):
    """The decoder's token input and its output for the next token."""

    input: _Name = Field(description="The decoder's input of tokens.")
    logits: _Name = Field(description="The decoder's output over the vocabulary: logits or probabilities.")


class Beam(Config):
    """Beam search for the most likely sequence.

    The score of a finished sequence is its log-probability divided by ``((5 + length) / 6) ** length_penalty`` (Wu et al. 2016,
    section 7); without the penalty, short sequences win.
    """

    main_argument: ClassVar[str | None] = "width"

    width: PositiveInt = Field(description="The number of beams.")
    length_penalty: NotNegative = Field(0.6, description="The exponent that favors longer sequences; 0: none.")


class Sample(Config):
    """Sampling from the predicted distribution."""

    unsupported: ClassVar[Mapping[str, str]] = {
        "k": "it is called `top_k`",
        "p": "it is called `top_p`",
    }

    temperature: PositiveNumber = Field(
        1.0, description="The divisor of the logits; below 1, likely tokens are drawn more often."
    )
    top_k: PositiveInt | None = Field(None, description="The number of most likely tokens to sample from; null: all.")
    top_p: Annotated[float, Strict(), Field(gt=0, le=1)] | None = Field(
        None,
        description="Sample from the most likely tokens with this total probability (Holtzman 2020); null: all.",
    )
    seed: Annotated[int, Strict(), Field(ge=0, lt=2**32)] = Field(
        0, description="The seed; results of a row do not depend on its batch."
    )


class GenerateSection(Config):
    """How sequences are decoded, token by token."""

    unsupported: ClassVar[Mapping[str, str]] = {
        "temperature": "it is a key of `sample`: write `sample: {temperature: …}`",
        "top_k": "it is a key of `sample`: write `sample: {top_k: …}`",
        "top_p": "it is a key of `sample`: write `sample: {top_p: …}`",
        "num_beams": "write `beam: 4`",
        "max_new_tokens": "it is called `max_length`",
    }

    encode: _Name | None = Field(None, description="The network that reads the source; null: none, as in a language model.")
    decode: _Name = Field("main", description="The network that predicts the next token; `main` is the main network.")
    token: TokenPorts = Field(description="The decoder's token input and its output for the next token.")
    memory: dict[str, _Name] = Field({}, description="Decoder input: encoder output, constant in all steps.")
    begin: dict[str, _Name] = Field({}, description="Decoder input: encoder output for the first step; zeros by default.")
    carry: dict[str, _Name] = Field({}, description="Decoder input: decoder output of the previous step.")
    cache: Flag = Field(
        False,
        description="Whether causal attention caches its keys and values instead of reading all tokens in each step.",
    )
    start: _Token | None = Field(
        None, description="The first token that the decoder reads, or its text; null: the first of the prompt."
    )
    end: _Token | None = Field(None, description="The token that ends a sequence, or its text; null: none.")
    max_length: PositiveInt = Field(64, description="The most tokens of a sequence, including the end token.")
    beam: Beam | None = Field(None, description="Beam search; null: greedy decoding.")
    sample: Sample | None = Field(None, description="Sampling; null: greedy decoding.")

    @model_validator(mode="after")
    def _one_method(self) -> GenerateSection:
        if self.beam is not None and self.sample is not None:
            raise ValueError("only one of `beam` and `sample` can be given")
        return self
