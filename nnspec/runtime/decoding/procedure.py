"""The decoding procedure of an encoder and a decoder, as stored in the metadata of an exported decoder."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import Annotated, Any

from pydantic import AfterValidator, TypeAdapter, ValidationError

from nnspec.diagnostics import NnspecError
from nnspec.generation.section import Beam, Sample
from nnspec.json_words import misfit


def _valid_for(way: type[Beam | Sample], arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    way(**arguments)
    return arguments


@dataclass(frozen=True)
class Procedure:
    """The roles of inputs and outputs, and how a sequence starts and ends. Plain values, written as JSON.

    Attributes:
        token: The decoder's input of tokens.
        dtype: The element type of that input.
        logits: The decoder's output over the vocabulary.
        memory: Decoder input ← encoder output, at every step, including masks.
        unmasked: Decoder mask ← encoder output without a mask: every position counts.
        begin: Decoder input ← encoder output, at the first step.
        carry: Decoder input ← decoder output of the previous step.
        zeros: The sizes without the batch axis, and the element type, of carried inputs that start as zeros.
        position: The decoder's input of the step index; None if it has none.
        whole: Whether the decoder reads all tokens so far at each step, rather than only the last.
        probabilities: Whether the logits are probabilities.
        vocabulary: The number of tokens; None if they point at the positions of a source.
        start: The first token that the decoder reads; None for the first of the prompt.
        end: The token that ends a sequence, if any.
        max_length: The maximum number of tokens of a sequence.
        sources: The document's name of each input of the encoder; empty for a language model.
        target: The document's name of the decoded tokens.
        beam: The arguments of beam search, if used.
        sample: The arguments of sampling, if used.
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
    vocabulary: int | None
    start: int | None
    end: int | None
    max_length: int
    sources: Mapping[str, str]
    target: str | None
    beam: Annotated[Mapping[str, Any], AfterValidator(partial(_valid_for, Beam))] | None = None
    sample: Annotated[Mapping[str, Any], AfterValidator(partial(_valid_for, Sample))] | None = None

    def text(self) -> str:
        """The procedure as JSON."""
        return json.dumps(asdict(self))

    def require_outputs(self, encoder: Collection[str], decoder: Collection[str], where: str) -> None:
        """Check that the networks have all required outputs.

        Args:
            encoder: The output names of the encoder; empty if there is none.
            decoder: The output names of the decoder.
            where: The name of the model in error messages.

        Raises:
            NnspecError: If an output is missing.
        """
        of_encoder = [*self.memory.values(), *self.unmasked.values(), *self.begin.values()]
        of_decoder = [self.logits, *self.carry.values()]
        for kind, wanted, given in (("encoder", of_encoder, encoder), ("decoder", of_decoder, decoder)):
            missing = next((name for name in wanted if name not in given), None)
            if missing is not None:
                raise NnspecError(
                    f"the decoding metadata of {where} is damaged: its {kind} has no output `{missing}`; export it again"
                )

    @property
    def way(self) -> Beam | Sample | None:
        """The search or sampling method; None for greedy decoding."""
        return Beam(**self.beam) if self.beam else Sample(**self.sample) if self.sample else None


def read_procedure(text: str, where: str) -> Procedure:
    """Read a procedure from JSON.

    Raises:
        NnspecError: If it is damaged.
    """
    try:
        return TypeAdapter(Procedure).validate_json(text)
    except ValidationError as error:
        raise NnspecError(f"the decoding metadata of {where} is damaged: {misfit(error)}; export it again") from None
