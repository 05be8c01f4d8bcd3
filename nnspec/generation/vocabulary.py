"""The vocabulary of a model's tokens: that of the ``tokenize`` that feeds the decoder in training."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from nnspec.data.transforms.text import SPECIAL, tokenize
from nnspec.diagnostics import NnspecError
from nnspec.types import closest

__all__ = ["token_number", "tokenizer_among", "tokenizer_of", "vocabulary_of"]


def tokenizer_of(recipe: Mapping[str, Any], input_: str | None) -> tuple[tokenize, dict[str, Any]] | None:
    """The tokenizer of an input, and what it learned; None where it has none.

    Args:
        recipe: What a model says of its inputs (`data.recipe`).
        input_: The input.
    """
    return tokenizer_among(recipe.get("inputs", {}).get(input_, {}).get("transforms", []))


def tokenizer_among(steps: Iterable[Mapping[str, Any]]) -> tuple[tokenize, dict[str, Any]] | None:
    """The tokenizer among transforms, each with what it learned; None where there is none."""
    for step in steps:
        if step["transform"] == "tokenize":
            return tokenize(**step["arguments"]), dict(step["learned"])
    return None


def vocabulary_of(recipe: Mapping[str, Any], input_: str | None) -> list[str] | None:
    """The texts of the tokens of an input, in order; None where they are numbers alone."""
    found = tokenizer_of(recipe, input_)
    return list(found[1]["vocabulary"]) if found is not None else None


def token_number(given: int | str | None, vocabulary: list[str] | None, key: str) -> int | None:
    """The number of a token that may be given by its text.

    Args:
        given: The token.
        vocabulary: The texts of all tokens; None where they are not known: those that every vocabulary has are all the same.
        key: What it is, in messages.

    Raises:
        NnspecError: Where it is no token of the vocabulary.
    """
    if not isinstance(given, str):
        return given
    known = vocabulary or list(SPECIAL)
    if given not in known:
        meant = closest(given, known)
        hint = f"\n  = help: did you mean `{meant}`?" if meant else ""
        raise NnspecError(f"`{key}` is `{given}`, which is no token of the vocabulary{hint}")
    return known.index(given)
