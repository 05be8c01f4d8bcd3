"""How two networks are run to decode: what a decoder's file says of itself, so that nothing else is needed to use it."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import Annotated, Any

from pydantic import AfterValidator, TypeAdapter, ValidationError

from nnspec.diagnostics import NnspecError
from nnspec.generation.section import Beam, GenerateSection, Sample
from nnspec.generation.vocabulary import token_number, vocabulary_of
from nnspec.graph.decoding import Decoding
from nnspec.graph.stepping import Step
from nnspec.json_words import misfit

__all__ = ["Procedure", "procedure_of", "read_procedure"]


def _taken_by(way: type[Beam | Sample], arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    way(**arguments)
    return arguments


@dataclass(frozen=True)
class Procedure:
    """Which names mean what, and how a sequence begins and ends. Plain values, written as JSON.

    Attributes:
        token: The decoder's input of tokens.
        dtype: Its element type.
        logits: The decoder's output over the vocabulary.
        memory: Decoder input ← encoder output, at every step; masks among them.
        unmasked: The decoder's masks ← encoder output that has none: every position counts.
        begin: Decoder input ← encoder output, at the first step.
        carry: Decoder input ← decoder output of the step before.
        zeros: What carried inputs are at the first step where nothing begins them: sizes, the batch left out, and element type.
        position: The decoder's input that says which step it is; None where it asks for none.
        whole: Whether the decoder reads all tokens so far at each step, rather than the last.
        probabilities: Whether the logits are probabilities.
        vocabulary: How many tokens there are.
        start: The token that the decoder reads first; None: the first of the prompt.
        end: The token that ends a sequence; None: none does.
        max_length: The most tokens of a sequence.
        sources: What the document calls each input of the encoder; empty for a language model.
        target: What it calls the tokens that are decoded.
        beam: The arguments of a beam search, where that is wanted.
        sample: The arguments of sampling, where that is wanted.
    """

    token: str
    dtype: str
    logits: str
    memory: Mapping[str, str]
    unmasked: Mapping[str, str]
    begin: Mapping[str, str]
    carry: Mapping[str, str]
    zeros: Mapping[str, tuple[list[int], str]]
    position: str | None
    whole: bool
    probabilities: bool
    vocabulary: int
    start: int | None
    end: int | None
    max_length: int
    sources: Mapping[str, str]
    target: str | None
    beam: Annotated[Mapping[str, Any], AfterValidator(partial(_taken_by, Beam))] | None = None
    sample: Annotated[Mapping[str, Any], AfterValidator(partial(_taken_by, Sample))] | None = None

    def text(self) -> str:
        """As JSON."""
        return json.dumps(asdict(self))

    def require_outputs(self, encoder: Collection[str], decoder: Collection[str], where: str) -> None:
        """Checks that networks give what it takes of them.

        Args:
            encoder: The names of what the encoder gives; none where there is no encoder.
            decoder: The names of what the decoder gives.
            where: What they are called in messages.

        Raises:
            NnspecError: Where one gives less.
        """
        of_encoder = [*self.memory.values(), *self.unmasked.values(), *self.begin.values()]
        of_decoder = [self.logits, *self.carry.values()]
        for kind, wanted, given in (("encoder", of_encoder, encoder), ("decoder", of_decoder, decoder)):
            missing = next((name for name in wanted if name not in given), None)
            if missing is not None:
                raise NnspecError(
                    f"what {where} says of its decoding is damaged: its {kind} gives no `{missing}`; export it again"
                )

    @property
    def way(self) -> Beam | Sample | None:
        """How the next token is chosen; None: the likeliest."""
        return Beam(**self.beam) if self.beam else Sample(**self.sample) if self.sample else None


def procedure_of(decoding: Decoding, step: Step, section: GenerateSection, recipe: Mapping[str, Any]) -> Procedure:
    """How the networks of a document are run.

    Args:
        decoding: The networks.
        step: The decoder as it runs at each step.
        section: The section ``generate``.
        recipe: What the model says of its inputs: what the numbers of tokens mean.

    Raises:
        NnspecError: Where `start` or `end` is a text that is no token of the vocabulary.
    """
    words = vocabulary_of(recipe, decoding.target)
    given = decoding.encoder.output_types if decoding.encoder is not None else {}
    wanted = {name: output for name, output in decoding.memory.items() if step.graph.inputs[name].mask is not None}
    masks = {f"{name}_mask": f"{output}_mask" for name, output in wanted.items() if given[output].mask is not None}
    unmasked = {f"{name}_mask": output for name, output in wanted.items() if given[output].mask is None}
    types = {name: step.graph.inputs[name] for name in step.carry if name not in decoding.begin}
    return Procedure(
        token=decoding.token,
        dtype=decoding.token_type.dtype,
        logits=decoding.logits,
        memory={**decoding.memory, **masks},
        unmasked=unmasked,
        begin=dict(decoding.begin),
        carry=dict(step.carry),
        zeros={
            name: ([size if isinstance(size, int) else 0 for size in kind.shape], kind.dtype) for name, kind in types.items()
        },
        position=step.position,
        whole=step.whole,
        probabilities=decoding.gives_probabilities,
        vocabulary=decoding.vocabulary,
        start=token_number(section.start, words, "start"),
        end=token_number(section.end, words, "end"),
        max_length=section.max_length,
        sources=dict(decoding.sources),
        target=decoding.target,
        beam=section.beam.model_dump() if section.beam is not None else None,
        sample=section.sample.model_dump() if section.sample is not None else None,
    )


def read_procedure(text: str, where: str) -> Procedure:
    """The same from a file.

    Raises:
        NnspecError: Where it is damaged.
    """
    try:
        return TypeAdapter(Procedure).validate_json(text)
    except ValidationError as error:
        raise NnspecError(f"what {where} says of its decoding is damaged: {misfit(error)}; export it again") from None
