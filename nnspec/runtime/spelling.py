"""Outputs that say a token at each position of an input, as the texts that they spell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from nnspec.data.transforms.words import tokenize
from nnspec.diagnostics import NnspecError
from nnspec.generation.vocabulary import tokenizer_among, tokenizer_of
from nnspec.graph import Graph

__all__ = ["Spelling", "spellings_of", "texts_of"]


@dataclass(frozen=True)
class Spelling:
    """What the tokens of an output mean.

    Attributes:
        by: What a token is.
        vocabulary: The tokens, by their numbers.
        input: The input whose positions they stand at; where it is padded, nothing is said.
    """

    by: Literal["word", "character", "space"]
    vocabulary: list[str]
    input: str


def spellings_of(graph: Graph, recipe: Mapping[str, Any], targets: Mapping[str, list[dict[str, Any]]]) -> dict[str, Spelling]:
    """The outputs that spell texts: a score for each token at each position of the one text that has such positions.

    Args:
        graph: The network.
        recipe: How its inputs are made from raw data (`data.recipe`).
        targets: The transforms of the targets, by output, with what they learned.
    """
    found = {}
    for name, type_ in graph.output_types.items():
        mine = tokenizer_among(targets.get(name, []))
        texts = [
            input_
            for input_, given in graph.inputs.items()
            if given.is_integer and given.shape == type_.shape[:1] and tokenizer_of(recipe, input_) is not None
        ]
        if mine is not None and type_.rank == 2 and len(texts) == 1:
            tokenizer, learned = mine
            found[name] = Spelling(tokenizer.by, learned["vocabulary"], texts[0])
    return found


def texts_of(
    outputs: Mapping[str, NDArray[Any]], inputs: Mapping[str, NDArray[Any]], spellings: Mapping[str, Spelling]
) -> dict[str, list[str]]:
    """The text of each row of the outputs that spell one.

    Args:
        outputs: Scores, (N, T, tokens), by output.
        inputs: The inputs they answer, (N, T), 0 where they are padded.
        spellings: What their tokens mean.

    Raises:
        NnspecError: Where an output is not of its input's positions.

    Example:
        >>> spelling = Spelling("character", ["<PAD>", "<SOS>", "<EOS>", "<UNK>", "a", "b"], "plain")
        >>> texts_of({"german": np.eye(6)[[[4, 5, 4]]]}, {"plain": np.array([[7, 8, 0]])}, {"german": spelling})
        {'german': ['ab']}
    """
    found = {}
    for name, spelling in spellings.items():
        if name not in outputs or spelling.input not in inputs:
            continue
        counts = np.asarray(inputs[spelling.input]) != 0
        said = outputs[name].argmax(-1)
        if said.shape != counts.shape:
            raise NnspecError(f"`{name}` answers {counts.shape} positions of `{spelling.input}` with {said.shape}")
        text = tokenize.model_validate({"by": spelling.by}).text
        learned = {"vocabulary": spelling.vocabulary}
        found[name] = [text(row[own].tolist(), learned) for row, own in zip(said, counts, strict=True)]
    return found
