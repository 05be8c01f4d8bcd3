"""Conversion between texts and tokens, by the recipe of a model's inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.data.kinds import Column
from nnspec.data.readers.base import Table
from nnspec.data.recipe import feed_of
from nnspec.data.values import read_feed
from nnspec.diagnostics import Diagnostic, NnspecError, SpecError
from nnspec.generation.vocabulary import tokenizer_of


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
    values = read_feed(_Texts(feed.columns[0], texts), feed, None, learned, problems)
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


class _Texts(Table):
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
