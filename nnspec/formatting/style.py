"""Canonical YAML style by ruamel.yaml, which keeps comments; scalars are not resolved, so they stay unchanged."""

from __future__ import annotations

import io
from bisect import bisect
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.emitter import RoundTripEmitter
from ruamel.yaml.nodes import ScalarNode, SequenceNode
from ruamel.yaml.resolver import VersionedResolver

from nnspec.formatting.folding import folded, unfolded
from nnspec.spec.comments import comments

WIDTH = 128
"""Maximum line length; longer flow mappings become block mappings."""

_DASH = 2


class _Texts(VersionedResolver):
    """Resolves every plain scalar to a string, so that `1e3`, `no` and `012` stay unchanged."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
        del value, implicit
        tags = {ScalarNode: self.DEFAULT_SCALAR_TAG, SequenceNode: self.DEFAULT_SEQUENCE_TAG}
        return tags.get(kind, self.DEFAULT_MAPPING_TAG)


class _Emitter(RoundTripEmitter):
    """Indents the dashes of lists by two columns, except for a list directly inside a list."""

    @property
    def sequence_dash_offset(self) -> int:
        return 0 if self.indents.seq_seq() else _DASH

    @sequence_dash_offset.setter
    def sequence_dash_offset(self, value: int) -> None:
        del value

    def increase_indent(self, flow: bool = False, sequence: bool | None = None, indentless: bool = False) -> None:
        super().increase_indent(flow, sequence, indentless)
        # In a list directly inside a list.
        around = [is_sequence for _, is_sequence in self.indents.values[-3:-1]]
        if self.indent is not None and not indentless and around == [True, True]:
            self.indent -= _DASH


def restyled(text: str) -> str:
    """Format a document in the canonical style.

    Args:
        text: YAML that the reader accepts.

    Raises:
        Exception: If ruamel.yaml cannot read or write the text; of many types.
    """
    short, left_out = folded(text, WIDTH)
    made = unfolded(_rewritten(short), left_out)
    return _comments_indented(_rewritten(text) if made is None else made)


def _rewritten(text: str) -> str:
    yaml = YAML(typ="rt")
    yaml.Resolver = _Texts
    yaml.Emitter = _Emitter
    yaml.preserve_quotes = True
    yaml.brace_single_entry_mapping_in_flow_sequence = True
    yaml.allow_unicode = True
    yaml.width = 2**30  # never fold scalars; long flow collections are opened below
    yaml.indent(mapping=2, sequence=2 + _DASH, offset=_DASH)
    document = yaml.load(text)
    long = {number for number, line in enumerate(text.splitlines()) if len(line) > WIDTH}
    _open(document, long)
    written = io.StringIO()
    yaml.dump(document, written)
    return written.getvalue()


def _comments_indented(text: str) -> str:
    """Indent comment lines like the line that follows, unless they end the section above."""
    lines = text.splitlines()
    content = [bool(line.strip()) and not line.lstrip().startswith("#") for line in lines]
    places = [at for at, is_content in enumerate(content) if is_content]
    for number, column, comment in comments(text):
        at = number - 1
        if lines[at][: column - 1].strip():
            continue
        next_ = bisect(places, at)
        above = _depth(lines[places[next_ - 1]]) if next_ else 0
        below = len(line := lines[places[next_]]) - len(line.lstrip()) if next_ < len(places) else 0
        if column - 1 < below or column - 1 > max(above, below):
            lines[at] = " " * below + comment
    return "\n".join(lines) + "\n"


def _depth(line: str) -> int:
    """Return the column of a line's content, after its dashes."""
    return len(line) - len(line.lstrip(" -"))


def _open(node: Any, long: set[int]) -> None:
    """Convert flow collections on long lines to block style, except for lists of scalars."""
    if not isinstance(node, CommentedMap | CommentedSeq):
        return
    if node.fa.flow_style():
        if len(node) and _opens(node, long):
            node.fa.set_block_style()
        else:
            _fill(node)
            return
    for child in node.values() if isinstance(node, CommentedMap) else node:
        _open(child, long)


def _opens(node: CommentedMap | CommentedSeq, long: set[int]) -> bool:
    if node.lc.line in long:
        return isinstance(node, CommentedMap) or any(isinstance(item, CommentedMap | CommentedSeq) for item in node)
    return False


def _fill(node: Any) -> None:
    """Write explicit nulls, because flow style cannot contain empty values."""
    if isinstance(node, CommentedMap):
        for key, value in node.items():
            if type(value) is str and value == "":
                node[key] = "null"
            _fill(value)
    elif isinstance(node, CommentedSeq):
        for item in node:
            _fill(item)
