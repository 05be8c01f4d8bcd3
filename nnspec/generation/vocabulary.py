"""Whose texts the tokens are: the vocabulary of the ``tokenize`` that feeds the decoder in training."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from nnspec.data.section import Columns, DataSection
from nnspec.data.transforms.words import SPECIAL, tokenize
from nnspec.diagnostics import Diagnostic, NnspecError, Span
from nnspec.generation import problems as g
from nnspec.graph.decoding import Decoding
from nnspec.spec import Spec
from nnspec.spec.checked import check_known
from nnspec.spec.tree import MappingNode
from nnspec.types import closest

__all__ = ["check_token", "token_number", "tokenizer_among", "tokenizer_of", "vocabulary_of"]


def check_token(
    spec: Spec, decoding: Decoding, tree: MappingNode, key: str, given: int | str | None, problems: list[Diagnostic]
) -> None:
    """Says where ``start`` or ``end`` is no token of the vocabulary, as far as it is known before training."""
    at = tree.get(key)
    if given is None or at is None:
        return
    place: tuple[Span, str] = (at.span, at.path)
    if isinstance(given, int):
        if given >= decoding.vocabulary:
            reason = f"`{key}` is {given}, and `{decoding.logits}` tells the tokens 0 to {decoding.vocabulary - 1} apart"
            problems.append(g.NotInVocabulary.at(*place, reason=reason))
        return
    step, is_known = _tokenizer(spec, decoding)
    if not is_known:
        return
    if step is None:
        fed = f"`data.inputs.{decoding.target}`" if decoding.target else f"`{decoding.token}`"
        reason = f"`{key}` is the text `{given}`, and no `tokenize` of {fed} says which token that is"
        problems.append(g.NotInVocabulary.at(*place, help="write its number, such as 1", reason=reason))
    elif given not in SPECIAL and step.vocabulary is not None and given not in step.vocabulary:
        meant = closest(given, [*SPECIAL, *step.vocabulary])
        help = f"did you mean `{meant}`?" if meant else ""
        problems.append(g.NotInVocabulary.at(*place, help=help, reason=f"`{given}` is no token of the vocabulary"))


def _tokenizer(spec: Spec, decoding: Decoding) -> tuple[tokenize | None, bool]:
    """The tokenizer of what feeds the decoder, and whether that is known: not where the inputs under `data` have errors."""
    tree = spec.section("data")
    if tree is None:
        return None, True
    checked = check_known(DataSection, tree, [], name="data")
    section = checked.value
    if section is None or "inputs" in checked.wrong:
        return None, False
    columns: Columns | None = section.inputs.get(decoding.target or "")
    found = columns.transform if columns is not None else []
    return next((step for step in found if isinstance(step, tokenize)), None), True


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
