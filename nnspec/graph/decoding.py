"""Which networks decode a sequence token by token, and what goes from one step to the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nnspec.graph.model import Graph, Model, Ref
from nnspec.types import TensorType

__all__ = ["Decoding", "fed_by", "input_feeding"]


@dataclass(frozen=True)
class Decoding:
    """What the section ``generate`` says of the networks; it has been checked.

    Attributes:
        encoder: The network that reads the source; None for a language model.
        decoder: The network that gives the logits of the next token.
        token: The decoder's input of tokens.
        logits: The decoder's output over the vocabulary.
        memory: Decoder input ← encoder output, the same at every step.
        begin: Decoder input ← encoder output, at the first step.
        carry: Decoder input ← decoder output of the step before.
        cache: Whether causal attention carries its keys and values, rather than reading all tokens anew.
        sources: What the document's own network calls each input of the encoder: the encoder's name where it does not feed it.
        target: What it calls the decoder's input of tokens; None where it does not feed it.
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
    def vocabulary(self) -> int:
        """How many tokens there are."""
        size = self.logits_type.shape[-1]
        assert isinstance(size, int)
        return size

    @property
    def gives_probabilities(self) -> bool:
        """Whether what is called logits has been through a softmax."""
        node = self.decoder.nodes.get(self.decoder.outputs[self.logits].source)
        return node is not None and (node.op == "Softmax" or node.layer.activation_name == "softmax")

    @property
    def by_token(self) -> bool:
        """Whether a step reads the last token alone, and not all of them."""
        return self.cache or bool(self.carry)


def fed_by(model: Model, network: Graph, input_: str) -> Ref | None:
    """What feeds an input of a network at its first use in the document's own layers; None where these do not use it."""
    if "main" not in model.networks:
        return None
    if network.name == "main":
        return Ref(input_)
    return next((use.inputs.get(input_) for use in model.main.uses if use.network == network.name), None)


def input_feeding(model: Model, network: Graph, input_: str) -> str | None:
    """The input of the document's own network that feeds an input of a network; None where none does."""
    found = fed_by(model, network, input_)
    return found.source if found is not None and found.source in model.main.inputs else None
