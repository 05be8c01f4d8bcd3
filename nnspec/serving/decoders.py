"""Decoders with the loop inside, asked in texts: what they take of a table, and what they answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from nnspec.data.plan import Feed
from nnspec.data.readers.base import Table
from nnspec.data.recipe import feed_of, read_inputs
from nnspec.diagnostics import NnspecError
from nnspec.generation.vocabulary import tokenizer_of
from nnspec.runtime.decoding.procedure import Procedure, read_procedure
from nnspec.runtime.generating import plain_values
from nnspec.runtime.generator import generated_of
from nnspec.runtime.metadata import GENERATE
from nnspec.runtime.predicting import input_types
from nnspec.runtime.predictor import Predictor
from nnspec.runtime.token_texts import prompt_tokens, source_tokens
from nnspec.serving.batching import Arrays

__all__ = ["Decoder", "decoder_of"]

PROMPT = "prompt"
"""The input by which a language model is told how a sequence begins (`onnx_backend.decoding_loop`, which needs ONNX)."""


@dataclass(frozen=True)
class Decoder:
    """A model that decodes sequences by itself.

    Attributes:
        predictor: The model.
        procedure: How it decodes.
    """

    predictor: Predictor
    procedure: Procedure

    @property
    def begins(self) -> str | None:
        """The tokens that a text begins, of a language model; None where it has a source."""
        return None if self.procedure.sources else self.procedure.target

    @property
    def feeds(self) -> dict[str, Feed]:
        """What each of its inputs is made of."""
        own = {PROMPT: self.begins} if self.begins is not None else {name: name for name in self.predictor.inputs}
        return {name: feed_of(said, self.predictor.recipe, "the request")[0] for name, said in own.items()}

    def takes_text(self, name: str) -> bool:
        """Whether an input is a text."""
        return tokenizer_of(self.predictor.recipe, self.begins or name) is not None

    def inputs(self, table: Table, name: str) -> Arrays:
        """What it is given for the rows of a table.

        Args:
            table: The rows.
            name: What to call them in messages.

        Raises:
            NnspecError: Where a value is not what it takes.
        """
        arrays: dict[str, Any] = {}
        types = input_types(self.predictor)
        for input_, feed in self.feeds.items():
            if not self.takes_text(input_):
                arrays |= read_inputs(table, name, self.predictor.recipe, {input_: types[input_]})
                continue
            texts = table.read(feed.columns[0], slice(None))
            for row, text in enumerate(texts):
                if not isinstance(text, str):
                    raise NnspecError(f"{table.where(feed.columns[0], row)}: there is no text")
            given = texts.tolist()
            recipe = self.predictor.recipe
            made = prompt_tokens(recipe, self.begins, given) if self.begins else source_tokens(recipe, input_, given)
            arrays[input_] = np.asarray(made)
        return arrays

    def rows(self, outputs: Arrays) -> Iterator[dict[str, Any]]:
        """Each sequence as plain values, as `nnspec generate` shows it."""
        found = generated_of(self.predictor.recipe, self.procedure, outputs["generated"], outputs["lengths"])
        return map(plain_values, found)


def decoder_of(predictor: Predictor) -> Decoder | None:
    """The decoder that a file is; None where it is none, or does not say how its inputs are made from data.

    Raises:
        NnspecError: Where what the file says is damaged.
    """
    if GENERATE not in predictor.metadata or "generated" not in predictor.outputs or "lengths" not in predictor.outputs:
        return None
    found = Decoder(predictor, read_procedure(predictor.metadata[GENERATE], f"`{predictor.path}`"))
    said: Mapping[str, Any] = predictor.recipe.get("inputs", {})
    known = [found.begins] if found.begins is not None else list(predictor.inputs)
    is_whole = found.begins is None or (list(predictor.inputs) == [PROMPT] and found.takes_text(PROMPT))
    return found if is_whole and said.keys() >= set(known) else None
