"""Sequence decoders with an exported decoding loop: their inputs from a table, and their outputs as text."""

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
from nnspec.runtime.token_output import prompt_tokens, source_tokens
from nnspec.serving.batching import Arrays

PROMPT = "prompt"
"""The input with the prompt of a language model (defined in `onnx_backend.decoding_loop`, which requires ONNX)."""


@dataclass(frozen=True)
class Decoder:
    """An exported model that contains its decoding loop.

    Attributes:
        predictor: The model.
        procedure: Its decoding procedure.
    """

    predictor: Predictor
    procedure: Procedure

    @property
    def prompted(self) -> str | None:
        """The target that a prompt starts, for a language model; None for a model with source inputs."""
        return None if self.procedure.sources else self.procedure.target

    @property
    def feeds(self) -> dict[str, Feed]:
        """The data columns and transforms of each input."""
        names = {PROMPT: self.prompted} if self.prompted is not None else {name: name for name in self.predictor.inputs}
        return {name: feed_of(source, self.predictor.recipe, "the request")[0] for name, source in names.items()}

    def is_text(self, name: str) -> bool:
        """Whether an input is a text."""
        return tokenizer_of(self.predictor.recipe, self.prompted or name) is not None

    def inputs(self, table: Table, name: str) -> Arrays:
        """Compute the model's inputs from a table.

        Args:
            table: The rows.
            name: The name of the table in messages.

        Raises:
            NnspecError: If a value is invalid.
        """
        arrays: dict[str, Any] = {}
        types = input_types(self.predictor)
        for input_, feed in self.feeds.items():
            if not self.is_text(input_):
                arrays |= read_inputs(table, name, self.predictor.recipe, {input_: types[input_]})
                continue
            texts = table.read(feed.columns[0], slice(None))
            for row, text in enumerate(texts):
                if not isinstance(text, str):
                    raise NnspecError(f"{table.where(feed.columns[0], row)}: expected a text")
            values = texts.tolist()
            recipe = self.predictor.recipe
            tokens = prompt_tokens(recipe, self.prompted, values) if self.prompted else source_tokens(recipe, input_, values)
            arrays[input_] = np.asarray(tokens)
        return arrays

    def rows(self, outputs: Arrays) -> Iterator[dict[str, Any]]:
        """Yield each sequence as plain values, as `nnspec generate` prints it."""
        found = generated_of(self.predictor.recipe, self.procedure, outputs["generated"], outputs["lengths"])
        return map(plain_values, found)


def decoder_of(predictor: Predictor) -> Decoder | None:
    """Create the decoder of a model; None if it has no decoding loop, or does not describe its inputs.

    Raises:
        NnspecError: If the metadata of the file are damaged.
    """
    if GENERATE not in predictor.metadata or "generated" not in predictor.outputs or "lengths" not in predictor.outputs:
        return None
    found = Decoder(predictor, read_procedure(predictor.metadata[GENERATE], f"`{predictor.path}`"))
    described: Mapping[str, Any] = predictor.recipe.get("inputs", {})
    required = [found.prompted] if found.prompted is not None else list(predictor.inputs)
    is_complete = found.prompted is None or (list(predictor.inputs) == [PROMPT] and found.is_text(PROMPT))
    return found if is_complete and described.keys() >= set(required) else None
