"""Outputs that predict a token at each position of an input, and the texts of their tokens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from nnspec.data.transforms.text import tokenize
from nnspec.diagnostics import NnspecError


@dataclass(frozen=True)
class TokenOutput:
    """The vocabulary of an output of tokens.

    Attributes:
        by: The kind of token.
        vocabulary: The tokens, by index.
        input: The input whose positions the tokens belong to; padded positions have no token.
    """

    by: Literal["word", "character", "space"]
    vocabulary: list[str]
    input: str


def texts_of(
    outputs: Mapping[str, NDArray[Any]], inputs: Mapping[str, NDArray[Any]], token_outputs: Mapping[str, TokenOutput]
) -> dict[str, list[str]]:
    """Decode the outputs of tokens into a text for each row.

    Args:
        outputs: Scores, (N, T, tokens), by output.
        inputs: The inputs, (N, T), 0 where padded.
        token_outputs: The vocabulary of each output of tokens.

    Raises:
        NnspecError: If an output has other positions than its input.

    Example:
        >>> german = TokenOutput("character", ["<PAD>", "<SOS>", "<EOS>", "<UNK>", "a", "b"], "plain")
        >>> texts_of({"german": np.eye(6)[[[4, 5, 4]]]}, {"plain": np.array([[7, 8, 0]])}, {"german": german})
        {'german': ['ab']}
    """
    found = {}
    for name, token_output in token_outputs.items():
        if name not in outputs or token_output.input not in inputs:
            continue
        counts = np.asarray(inputs[token_output.input]) != 0
        predicted = outputs[name].argmax(-1)
        if predicted.shape != counts.shape:
            shape = f"{predicted.shape} for {counts.shape} positions of `{token_output.input}`"
            raise NnspecError(f"`{name}` has the shape {shape}")
        text = tokenize.model_validate({"by": token_output.by}).text
        learned = {"vocabulary": token_output.vocabulary}
        found[name] = [text(row[own].tolist(), learned) for row, own in zip(predicted, counts, strict=True)]
    return found
