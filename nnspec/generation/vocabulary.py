"""The vocabulary of a model's tokens, from the ``tokenize`` of the decoder's input in training."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from nnspec.data.transforms.pointers import positions
from nnspec.data.transforms.text import SPECIAL, tokenize
from nnspec.diagnostics import NnspecError
from nnspec.json_words import misfit
from nnspec.types import closest


def tokenizer_of(recipe: Mapping[str, Any], input_: str | None) -> tuple[tokenize, dict[str, Any]] | None:
    """The tokenizer of an input, and its state; None if it has none.

    Args:
        recipe: The recipe of a model's inputs (`data.recipe`).
        input_: The input.
    """
    return tokenizer_among(recipe.get("inputs", {}).get(input_, {}).get("transforms", []))


def tokenizer_among(steps: Iterable[Mapping[str, Any]]) -> tuple[tokenize, dict[str, Any]] | None:
    """The tokenizer among recorded transforms, and its state; None if there is none.

    Raises:
        NnspecError: If its state is damaged.
    """
    for step in steps:
        if step["transform"] == "tokenize":
            try:
                found, learned = tokenize(**step["arguments"]), dict(step["learned"])
                found.require_learned(learned)
            except (ValueError, TypeError, KeyError) as error:
                reason = misfit(error) if isinstance(error, ValidationError) else str(error)
                raise NnspecError(f"the metadata of the tokenizer are damaged: {reason}") from None
            return found, learned
    return None


def points(recipe: Mapping[str, Any], input_: str | None) -> bool:
    """Whether the tokens of an input point at the positions of another one."""
    steps = recipe.get("inputs", {}).get(input_, {}).get("transforms", [])
    return any(step["transform"] == positions.__name__ for step in steps)


def vocabulary_of(recipe: Mapping[str, Any], input_: str | None) -> list[str] | None:
    """The texts of the tokens of an input, in order; None if they have no texts."""
    found = tokenizer_of(recipe, input_)
    return list(found[1]["vocabulary"]) if found is not None else None


def token_number(given: int | str | None, vocabulary: list[str] | None, key: str) -> int | None:
    """Looks up the number of a token given by number or text.

    Args:
        given: The token.
        vocabulary: The texts of all tokens; None if unknown, in which case only special tokens are found.
        key: The name of the key, for messages.

    Raises:
        NnspecError: If the token is not in the vocabulary.
    """
    if not isinstance(given, str):
        return given
    known = vocabulary or list(SPECIAL)
    if given not in known:
        meant = closest(given, known)
        hint = f"\n  = help: did you mean `{meant}`?" if meant else ""
        raise NnspecError(f"`{key}` is `{given}`, which is not in the vocabulary{hint}")
    return known.index(given)
