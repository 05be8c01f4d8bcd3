"""Outputs that predict a token at each position of an input, and the texts of their tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from nnspec.data.kinds import Column
from nnspec.data.readers.base import Table
from nnspec.data.recipe import feed_of
from nnspec.data.transforms.text import tokenize
from nnspec.data.values import read_feed
from nnspec.diagnostics import Diagnostic, NnspecError, SpecError
from nnspec.generation.vocabulary import tokenizer_of


@dataclass(frozen=True)
class TokenOutput:
    """The vocabulary of an output of tokens.

    Attributes:
        by: The kind of token.
        vocabulary: The tokens, by index.
        input: The input whose positions the tokens belong to; padded positions have no token. None if the output was trained
            with CTC: then repeated tokens are merged, and token 0, the blank, is removed (Graves et al. 2006).
        tokenizer: The ``tokenizer.json`` of subwords.
    """

    by: Literal["word", "character", "space", "byte", "subword"]
    vocabulary: list[str]
    input: str | None
    tokenizer: str | None = None


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
        >>> spoken = TokenOutput("character", ["<PAD>", "<SOS>", "<EOS>", "<UNK>", "a", "b"], None)
        >>> texts_of({"spoken": np.eye(6)[[[4, 4, 0, 4, 5, 5]]]}, {}, {"spoken": spoken})
        {'spoken': ['aab']}
    """
    found = {}
    for name, token_output in token_outputs.items():
        if name not in outputs or (token_output.input is not None and token_output.input not in inputs):
            continue
        predicted = outputs[name].argmax(-1)
        if token_output.input is None:
            counts = np.diff(predicted, prepend=0, axis=-1) != 0  # token 0 is removed from the text in any case
        else:
            counts = np.asarray(inputs[token_output.input]) != 0
        if predicted.shape != counts.shape:
            shape = f"{predicted.shape} for {counts.shape} positions of `{token_output.input}`"
            raise NnspecError(f"`{name}` has the shape {shape}")
        text = tokenize.model_construct(by=token_output.by).text
        learned = {"vocabulary": token_output.vocabulary, "tokenizer": token_output.tokenizer}
        found[name] = [text(row[own].tolist(), learned) for row, own in zip(predicted, counts, strict=True)]
    return found


def source_tokens(recipe: Mapping[str, Any], input_: str, texts: Sequence[str]) -> NDArray[np.int64]:
    """Convert texts to tokens as in training: rows, steps, padded with 0.

    Args:
        recipe: The recipe of the model's inputs.
        input_: The input.
        texts: A text for each row; token numbers if the input has no tokenizer.

    Raises:
        SpecError: If a text does not match the input.
    """
    if tokenizer_of(recipe, input_) is None:
        return padded([_numbers(text) for text in texts], 0)
    feed, learned = feed_of(input_, recipe, "the texts")
    problems: list[Diagnostic] = []
    values = read_feed(Texts(feed.columns[0], texts), feed, None, learned, problems)
    if values is None:
        raise SpecError(problems)
    return padded(list(values), 0)


def prompt_tokens(recipe: Mapping[str, Any], input_: str | None, texts: Sequence[str]) -> NDArray[np.int64]:
    """Convert prompts to tokens: rows, steps, padded with −1."""
    found = tokenizer_of(recipe, input_)
    if found is None:
        return padded([_numbers(text) for text in texts], -1)
    tokenizer, learned = found
    plain = tokenizer.model_copy(update={"start": False, "end": False})
    return padded(list(plain.apply(np.array(texts, object), learned)), -1)


def text_of(recipe: Mapping[str, Any], input_: str | None, tokens: Sequence[int]) -> str | None:
    """Convert tokens to text; None without a tokenizer."""
    found = tokenizer_of(recipe, input_)
    return found[0].text(tokens, found[1]) if found is not None else None


def padded(rows: Sequence[Any], value: int) -> NDArray[np.int64]:
    """Pad rows on the right to equal length, at least 1."""
    made = np.full((len(rows), max([1, *map(len, rows)])), value, np.int64)
    for place, row in enumerate(rows):
        made[place, : len(row)] = row
    return made


def _numbers(text: str) -> list[int]:
    try:
        return [int(word) for word in text.replace(",", " ").split()]
    except ValueError:
        raise NnspecError(
            f"the model has no tokenizer, and `{text}` is not a list of token numbers\n"
            "  = help: write numbers, `5 17 9`, or export a run whose data have a `tokenize`"
        ) from None


class Texts(Table):
    """One column of texts."""

    def __init__(self, column: str, texts: Sequence[str]) -> None:
        self.columns = {column: Column((), "text")}
        self._texts = np.array([*texts, None], object)[:-1]

    def __len__(self) -> int:
        return len(self._texts)

    def read(self, column: str, rows: Any) -> Any:
        del column
        return self._texts[rows]

    def where(self, column: str, row: int) -> str:
        del column
        return f"text {row + 1}"
