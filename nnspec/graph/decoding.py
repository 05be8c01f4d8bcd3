"""Networks that decode a sequence token by token, and their state between steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nnspec.graph.model import Graph, Model, Ref
from nnspec.types import TensorType


@dataclass(frozen=True)
class Decoding:
    """The validated section ``generate``, applied to the networks.

    Attributes:
        encoder: Network that encodes the source; None for a language model.
        decoder: Network that returns the logits of the next token.
        token: Decoder input of tokens.
        logits: Decoder output over the vocabulary.
        memory: Decoder input ← encoder output, constant over all steps.
        begin: Decoder input ← encoder output, at the first step.
        carry: Decoder input ← decoder output of the previous step.
        cache: Whether causal attention caches its keys and values instead of reading all tokens again.
        sources: Name of the main network's input for each encoder input; the encoder's own name if nothing feeds it.
        target: Name of the main network's input that feeds the decoder's tokens; None if there is none.
    """

    encoder: Graph | None
    decoder: Graph
    token: str
    logits: str
    memory: Mapping[str, str]
    begin: Mapping[str, str]
    carry: Mapping[str, str]
    cache: bool
    sources: Mapping[str, str]
    target: str | None

    @property
    def token_type(self) -> TensorType:
        return self.decoder.inputs[self.token]

    @property
    def logits_type(self) -> TensorType:
        return self.decoder.output_types[self.logits]

    @property
    def vocabulary(self) -> int | None:
        """Size of the vocabulary; None if tokens point at the positions of a source, whose number is free."""
        size = self.logits_type.shape[-1]
        return size if isinstance(size, int) else None

    @property
    def gives_probabilities(self) -> bool:
        """Whether the logits output already includes a softmax."""
        node = self.decoder.nodes.get(self.decoder.outputs[self.logits].source)
        return node is not None and (node.op == "Softmax" or node.layer.activation_name == "softmax")

    @property
    def by_token(self) -> bool:
        """Whether a step reads only the last token."""
        return self.cache or bool(self.carry)


def fed_by(model: Model, network: Graph, input_: str) -> Ref | None:
    """Return what feeds an input of a network at its first use in the main network; None if it is not used."""
    if "main" not in model.networks:
        return None
    if network.name == "main":
        return Ref(input_)
    return next((use.inputs.get(input_) for use in model.main.uses if use.network == network.name), None)


def input_feeding(model: Model, network: Graph, input_: str) -> str | None:
    """Return the main network's input that feeds an input of a network; None if there is none."""
    found = fed_by(model, network, input_)
    return found.source if found is not None and found.source in model.main.inputs else None
