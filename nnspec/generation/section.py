"""The section ``generate`` of a document: a decoder of tokens, or a sampler."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field, Strict, model_validator

from nnspec.generation.draws import SAMPLER_DRAWS
from nnspec.layers.scalars import Flag, NotNegative, PositiveInt, PositiveNumber
from nnspec.types import Config, Named

_Name = Annotated[str, Strict()]
_Token = Annotated[int, Strict(), Field(ge=0)] | _Name


class TokenPorts(Config):
    """The decoder's token input and its output for the next token."""

    input: _Name = Field(description="The decoder's input of tokens.", examples=["tokens"])
    logits: _Name = Field(description="The decoder's output over the vocabulary: logits or probabilities.", examples=["logits"])


class Beam(Config):
    """Beam search for the most likely sequence.

    The score of a finished sequence is its log-probability divided by ``((5 + length) / 6) ** length_penalty`` (Wu et al. 2016,
    section 7); without the penalty, short sequences win.
    """

    main_argument: ClassVar[str | None] = "width"

    width: PositiveInt = Field(description="The number of beams.", examples=[4])
    length_penalty: NotNegative = Field(0.6, description="The exponent that favors longer sequences; 0: none.", examples=[1.0])


class Sample(Config):
    """Sampling from the predicted distribution."""

    unsupported: ClassVar[Mapping[str, str]] = {
        "k": "it is called `top_k`",
        "p": "it is called `top_p`",
    }

    temperature: PositiveNumber = Field(
        1.0, description="The divisor of the logits; below 1, likely tokens are drawn more often.", examples=[0.8]
    )
    top_k: PositiveInt | None = Field(
        None, description="The number of most likely tokens to sample from; null: all.", examples=[40]
    )
    top_p: Annotated[float, Strict(), Field(gt=0, le=1)] | None = Field(
        None,
        description="Sample from the most likely tokens with this total probability (Holtzman 2020); null: all.",
        examples=[0.9],
    )
    seed: Annotated[int, Strict(), Field(ge=0, lt=2**32)] = Field(
        0, description="The seed; results of a row do not depend on its batch.", examples=[7]
    )


class GenerateSection(Config):
    """How sequences are decoded, token by token."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"token": {"input": "tokens", "logits": "logits"}, "start": "<SOS>", "end": "<EOS>", "beam": 4}]
        }
    )

    unsupported: ClassVar[Mapping[str, str]] = {
        "temperature": "it is a key of `sample`: write `sample: {temperature: …}`",
        "top_k": "it is a key of `sample`: write `sample: {top_k: …}`",
        "top_p": "it is a key of `sample`: write `sample: {top_p: …}`",
        "num_beams": "write `beam: 4`",
        "max_new_tokens": "it is called `max_length`",
    }

    encode: _Name | None = Field(
        None, description="The network that reads the source; null: none, as in a language model.", examples=["encoder"]
    )
    decode: _Name = Field(
        "main", description="The network that predicts the next token; `main` is the main network.", examples=["decoder"]
    )
    token: TokenPorts = Field(
        description="The decoder's token input and its output for the next token.",
        examples=[{"input": "tokens", "logits": "logits"}],
    )
    memory: dict[str, _Name] = Field(
        {}, description="Decoder input: encoder output, constant in all steps.", examples=[{"memory": "states"}]
    )
    begin: dict[str, _Name] = Field(
        {}, description="Decoder input: encoder output for the first step; zeros by default.", examples=[{"state": "final"}]
    )
    carry: dict[str, _Name] = Field(
        {}, description="Decoder input: decoder output of the previous step.", examples=[{"state": "state"}]
    )
    cache: Flag = Field(
        False,
        description="Whether causal attention caches its keys and values instead of reading all tokens in each step.",
    )
    start: _Token | None = Field(
        None,
        description="The first token that the decoder reads, or its text; null: the first of the prompt.",
        examples=["<SOS>"],
    )
    end: _Token | None = Field(None, description="The token that ends a sequence, or its text; null: none.", examples=["<EOS>"])
    max_length: PositiveInt = Field(64, description="The most tokens of a sequence, including the end token.", examples=[100])
    beam: Beam | None = Field(None, description="Beam search; null: greedy decoding.", examples=[4])
    sample: Sample | None = Field(
        None, description="Sampling; null: greedy decoding.", examples=[{"temperature": 0.8, "top_k": 40}]
    )

    @model_validator(mode="after")
    def _one_method(self) -> GenerateSection:
        if self.beam is not None and self.sample is not None:
            raise ValueError("only one of `beam` and `sample` can be given")
        return self


_Draw = Annotated[Config, Named(SAMPLER_DRAWS)]


class SamplerSection(Config):
    """How samples are generated: a network that runs once or repeatedly, from random values.

    Outputs are fed back to the inputs of the same name at the next step.
    """

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"network": "generator", "begin": {"noise": {"normal": [64]}}, "result": "image"}]}
    )

    unsupported: ClassVar[Mapping[str, str]] = {
        "decode": "it is for decoders of tokens; a sampler has `network`",
        "token": "it is for decoders of tokens; a sampler has `network` and `result`",
        "encode": "it is for decoders of tokens; inputs that the user gives are under `condition`",
        "carry": "outputs are fed back to the inputs of the same name: rename the output",
        "noise": "write `begin: {INPUT: {normal: SHAPE}}`",
        "output": "it is called `result`",
        "num_steps": "it is called `steps`",
        "seed": "pass it to the command: `nnspec generate RUN --seed 3`",
        "number": "pass it to the command: `nnspec generate RUN --number 100`",
    }

    network: _Name = Field(description="The network that generates samples; `main` is the main network.", examples=["denoiser"])
    steps: PositiveInt = Field(
        1, description="How often it runs; its outputs are fed back to the inputs of the same name.", examples=[50]
    )
    count: _Name | None = Field(
        None, description="The input that receives the index of the step, from 0; null: none.", examples=["time"]
    )
    begin: dict[str, _Draw] = Field(
        {}, description="Inputs with random values at the first step.", examples=[{"image": {"normal": [28, 28, 1]}}]
    )
    draw: dict[str, _Draw] = Field(
        {}, description="Inputs with new random values at every step.", examples=[{"noise": {"normal": [64]}}]
    )
    condition: list[_Name] = Field([], description="Inputs that the user gives, such as a label.", examples=[["label"]])
    result: _Name = Field(description="The output with the samples, at the last step.", examples=["image"])

    @model_validator(mode="after")
    def _one_source(self) -> SamplerSection:
        twice = [name for name in self.begin if name in self.draw]
        if twice:
            raise ValueError(
                f"`{twice[0]}` is both in `begin`, drawn once, and in `draw`, drawn at every step: remove one of the two"
            )
        return self


def is_sampler(keys: Collection[str]) -> bool:
    """Whether a section with these keys describes a sampler rather than a decoder of tokens."""
    if "network" in keys:
        return True
    own = SamplerSection.model_fields.keys() - GenerateSection.model_fields.keys()
    return not {"token", "decode"} & {*keys} and bool(own & {*keys})
