"""Checks the tokens ``start`` and ``end`` of the section ``generate``."""

from __future__ import annotations

from nnspec.data.section import Columns, DataSection
from nnspec.data.transforms.text import SPECIAL, tokenize
from nnspec.diagnostics import Diagnostic, Span
from nnspec.generation import problems as g
from nnspec.graph.decoding import Decoding
from nnspec.spec import Spec
from nnspec.spec.checked import check_known
from nnspec.spec.tree import MappingNode
from nnspec.types import closest

__all__ = ["check_token"]


def check_token(
    spec: Spec, decoding: Decoding, tree: MappingNode, key: str, given: int | str | None, problems: list[Diagnostic]
) -> None:
    """Reports a ``start`` or ``end`` that is not in the vocabulary, if the vocabulary is known before training."""
    at = tree.get(key)
    if given is None or at is None:
        return
    place: tuple[Span, str] = (at.span, at.path)
    if isinstance(given, int):
        if given >= decoding.vocabulary:
            reason = f"`{key}` is {given}, and `{decoding.logits}` has the tokens 0 to {decoding.vocabulary - 1}"
            problems.append(g.NotInVocabulary.at(*place, reason=reason))
        return
    step, is_known = _tokenizer(spec, decoding)
    if not is_known:
        return
    if step is None:
        fed = f"`data.inputs.{decoding.target}`" if decoding.target else f"`{decoding.token}`"
        reason = f"`{key}` is the text `{given}`, and {fed} has no `tokenize` to look it up"
        problems.append(g.NotInVocabulary.at(*place, help="write its number, such as 1", reason=reason))
    elif given not in SPECIAL and step.vocabulary is not None and given not in step.vocabulary:
        meant = closest(given, [*SPECIAL, *step.vocabulary])
        help = f"did you mean `{meant}`?" if meant else ""
        problems.append(g.NotInVocabulary.at(*place, help=help, reason=f"`{given}` is not in the vocabulary"))


def _tokenizer(spec: Spec, decoding: Decoding) -> tuple[tokenize | None, bool]:
    """The tokenizer of the decoder's input, and whether it is known: not if the inputs under `data` have errors."""
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
