"""Conversion of YAML text to a [`Tree`][]: from parser events, without recursion, within limits."""

from __future__ import annotations

import re
import stat
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from nnspec.diagnostics import Advice, Diagnostic, Note, Span, in_memory, text_in_memory
from nnspec.diagnostics.remedies import Remedy, Remove, Replace, WriteOut
from nnspec.spec import problems as p
from nnspec.spec.dumping import flow
from nnspec.spec.limits import Limits
from nnspec.spec.scalars import resolve_plain
from nnspec.spec.slips import after_an_error, before_parsing
from nnspec.spec.tree import MappingNode, Place, Scalar, SequenceNode, Tree, Unknown
from nnspec.types import did_you_mean

# Characters that YAML 1.2.2, section 5.1, does not allow.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_OTHER_BREAK = re.compile("\r\n?")

_MOST_SLIPS = 50

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The C parser if available, which is about ten times as fast."""


@dataclass(frozen=True)
class Parsed:
    """A document that has been read from a text in memory.

    Attributes:
        text: Its text.
        tree: The text as a tree; None if nothing could be read.
        problems: Problems of the text.
    """

    text: str
    tree: Tree | None
    problems: tuple[Diagnostic, ...]


_parsed: ContextVar[Mapping[Path, Parsed]] = ContextVar("parsed", default=MappingProxyType({}))


@contextmanager
def parsed_in_memory(documents: Mapping[Path, Parsed]) -> Iterator[None]:
    """Use documents in place of files, as [`in_memory`][nnspec.diagnostics.sources.in_memory] does, without reading them again.

    Args:
        documents: Documents by resolved path.
    """
    token = _parsed.set(documents)
    try:
        with in_memory({path: document.text for path, document in documents.items()}):
            yield
    finally:
        _parsed.reset(token)


class _Stop(Exception):
    """Reading of the document cannot continue."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


def read_file(file: Path, problems: list[Diagnostic], limits: Limits | None = None, *, shown: str | None = None) -> Tree | None:
    """Read a document.

    Args:
        file: File to read.
        problems: List to which problems are appended.
        limits: Resource limits.
        shown: Name of the file in diagnostics; by default, its path.

    Returns:
        The document, or None if nothing could be read.
    """
    limits = limits or Limits()
    name = shown or str(file)
    whole = Span.whole(name)
    documents = _parsed.get()
    if documents and (found := documents.get(file.resolve())) is not None:
        problems.extend(found.problems)
        return found.tree
    if (text := text_in_memory(file)) is not None:
        return read_text(text, name, problems, limits)
    try:
        status = file.stat()
        if stat.S_ISDIR(status.st_mode):
            problems.append(p.NotAFile.at(whole, what="a directory", help="pass a file in it"))
            return None
        if not stat.S_ISREG(status.st_mode):
            problems.append(p.NotAFile.at(whole, what="a special file"))
            return None
        if status.st_size > limits.bytes:
            problems.append(p.LimitExceeded.at(whole, what=f"{status.st_size:,} bytes", limit="bytes", most=limits.bytes))
            return None
        data = file.read_bytes()
    except FileNotFoundError:
        problems.append(p.NoSuchFile.at(whole))
        return None
    except (OSError, ValueError) as error:
        problems.append(p.UnreadableFile.at(whole, reason=getattr(error, "strerror", None) or str(error)))
        return None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - (data.rfind(b"\n", 0, error.start) + 1) + 1
        problems.append(p.NotText.at(Span(name, line, column, line, column + 1), byte=f"{data[error.start]:#04x}"))
        return None
    return read_text(text, name, problems, limits)


def read_text(text: str, name: str, problems: list[Diagnostic], limits: Limits | None = None) -> Tree | None:
    """Read a document from text; see [`read_file`][]."""
    limits = limits or Limits()
    if len(text) > limits.bytes:
        problems.append(p.LimitExceeded.at(Span.whole(name), what=f"{len(text):,} bytes", limit="bytes", most=limits.bytes))
        return None
    text = _OTHER_BREAK.sub("\n", text)  # as YAML reads them; lines and columns stay the same
    if forbidden := _FORBIDDEN.search(text):
        at = forbidden.start()
        line, column = text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
        span = Span(name, line, column, line, column + 1)
        code = f"U+{ord(text[at]):04X}"
        help = Advice("remove it", Replace(old=text[at], new="", title=f"Remove the character {code}"))
        problems.append(p.ForbiddenCharacter.at(span, help=help, code=code))
        return None
    for slip in before_parsing(text, name):
        problems.append(slip.diagnostic)
        text = slip.text or text
    read = 0
    for _ in range(_MOST_SLIPS):
        found: list[Diagnostic] = []
        composer = _Composer(name, found, limits)
        try:
            tree = composer.compose(yaml.parse(text, Loader=LOADER))
            problems.extend(found)
            return tree
        except _Stop as stop:
            problems.extend([*found, stop.diagnostic])
            return None
        except yaml.MarkedYAMLError as error:
            mended = after_an_error(text, name, error)
            problems.append(mended.diagnostic if mended else _syntax_error(error, name))
            read += composer.nodes
            if mended is None or mended.text is None or read > limits.nodes:
                return None
            text = mended.text  # reports further problems in the same pass
    return None


def _syntax_error(error: yaml.MarkedYAMLError, name: str) -> Diagnostic:
    mark = error.problem_mark or error.context_mark
    span = Span(name, mark.line + 1, mark.column + 1, mark.line + 1, mark.column + 2) if mark else Span.whole(name)
    notes = []
    if error.context and error.context_mark:
        at = error.context_mark
        notes.append(Note(error.context, Span(name, at.line + 1, at.column + 1, at.line + 1, at.column + 2)))
    notes.append(Note("the rest of the file is checked after this is fixed"))
    return p.NotYaml.at(span, reason=error.problem or "syntax error", notes=notes)


@dataclass
class _Open:
    """A list or mapping that is still open."""

    start: Any
    place: Place | None
    anchor: str | None
    is_mapping: bool
    key: Scalar | None = None
    items: list[Tree] = field(default_factory=list)
    entries: list[tuple[Scalar, Tree]] = field(default_factory=list)
    keys: dict[object, Scalar] = field(default_factory=dict)
    values: dict[object, Tree] = field(default_factory=dict)
    merges: list[tuple[int, Tree, Span]] = field(default_factory=list)

    def next_place(self) -> Place:
        return Place(self.place, str(self.key.value) if self.key else len(self.items))


class _Composer:
    def __init__(self, name: str, problems: list[Diagnostic], limits: Limits) -> None:
        self._name = name
        self._problems = problems
        self._limits = limits
        self._anchors: dict[str, Tree | None] = {}
        self._open: list[_Open] = []
        self.nodes = 0
        self._root: Tree | None = None

    def compose(self, events: Iterator[Any]) -> Tree | None:
        documents = 0
        for event in events:
            match event:
                case yaml.DocumentStartEvent():
                    documents += 1
                    if documents > 1:  # the first is the spec
                        self._problems.append(p.SeveralDocuments.at(self._span(event)))
                        break
                case yaml.ScalarEvent():
                    self._scalar(event)
                case yaml.AliasEvent():
                    self._alias(event)
                case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                    self._start(event)
                case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                    self._end(event)
        return self._root

    def _span(self, event: Any) -> Span:
        start, end = event.start_mark, event.end_mark
        return Span(self._name, start.line + 1, start.column + 1, end.line + 1, end.column + 1)

    def _expects_key(self) -> bool:
        return bool(self._open) and self._open[-1].is_mapping and self._open[-1].key is None

    def _count(self, size: int, event: Any) -> None:
        self.nodes += size
        if self.nodes > self._limits.nodes:
            raise _Stop(
                p.LimitExceeded.at(
                    self._span(event), what=f"more than {self._limits.nodes:,} values", limit="nodes", most=self._limits.nodes
                )
            )

    def _check_tag(self, event: Any) -> None:
        if event.tag not in (None, "!"):
            help = Advice("remove the tag; quote a string that looks like a number", _untagged(event, self._span(event)))
            self._problems.append(p.Tagged.at(self._span(event), help=help, tag=event.tag))

    def _scalar(self, event: Any) -> None:
        self._count(1, event)
        self._check_tag(event)
        text = event.value
        if len(text) > self._limits.scalar:
            raise _Stop(
                p.LimitExceeded.at(
                    self._span(event), what=f"a scalar of {len(text):,} characters", limit="scalar", most=self._limits.scalar
                )
            )
        plain = not event.style and event.tag != "!"
        value = resolve_plain(text) if plain else text
        span = self._span(event)
        place = None if not self._open or self._expects_key() else self._open[-1].next_place()
        self._add(Scalar(value, span, place, quoted=not plain, text=text), event)

    def _alias(self, event: Any) -> None:
        node = self._anchors.get(event.anchor)
        if node is None:
            self._problems.append(self._bad_alias(event))
            node = Unknown(self._span(event), None if not self._open or self._expects_key() else self._open[-1].next_place())
        self._count(node.size, event)
        self._add(node, event)

    def _bad_alias(self, event: Any) -> Diagnostic:
        name, span = event.anchor, self._span(event)
        if name in self._anchors:
            return p.SelfReference.at(span, name=name)
        help = f"define the anchor above with `&{name}`, or write the value out"
        known = [f"*{anchor}" for anchor, node in self._anchors.items() if node is not None]
        return p.UnknownAlias.at(span, help=did_you_mean(f"*{name}", known, help), name=name)

    def _start(self, event: Any) -> None:
        self._count(1, event)
        self._check_tag(event)
        if self._expects_key():
            raise _Stop(p.KeyIsNoScalar.at(self._span(event)))
        if len(self._open) >= self._limits.depth:
            raise _Stop(
                p.LimitExceeded.at(
                    self._span(event),
                    what=f"nested more than {self._limits.depth} levels deep",
                    limit="depth",
                    most=self._limits.depth,
                )
            )
        place = self._open[-1].next_place() if self._open else None
        if event.anchor:
            self._anchors[event.anchor] = None
        self._open.append(_Open(event.start_mark, place, event.anchor, isinstance(event, yaml.MappingStartEvent)))

    def _end(self, event: Any) -> None:
        opened = self._open.pop()
        line, column = opened.start.line + 1, opened.start.column + 1
        children = [value for _, value in opened.entries] or opened.items
        if event.start_mark.index != event.end_mark.index or not children:  # closed by a bracket
            end_line, end_column = event.end_mark.line + 1, event.end_mark.column + 1
        else:  # a block ends with its last value; the parser's mark is after trailing blank lines
            end_line, end_column = children[-1].span.end_line, children[-1].span.end_column
        span = Span(self._name, line, column, end_line, end_column)
        node: Tree
        for index, merged, at in opened.merges if len(opened.merges) == 1 else ():
            self._problems[index] = replace(self._problems[index], remedy=_written_out(merged, at, opened.keys))
        if opened.is_mapping:
            node = MappingNode(opened.entries, span, opened.place)
        else:
            node = SequenceNode(opened.items, span, opened.place)
        self._add(node, event, opened.anchor)

    def _add(self, node: Tree, event: Any, anchor: str | None = None) -> None:
        anchor = anchor or (event.anchor if isinstance(event, yaml.ScalarEvent) else None)
        if anchor:
            self._anchors[anchor] = node
        if not self._open:
            self._root = node
            return
        parent = self._open[-1]
        if not parent.is_mapping:
            parent.items.append(node)
        elif parent.key is None:
            parent.key = self._checked_key(node, event)
        else:
            key = parent.key
            parent.key = None
            if key.value in parent.keys:
                again = _place_of(node, event, self._span)
                is_same = node.size == parent.values[key.value].size and _is_same(parent.values[key.value], node)
                self._problems.append(
                    p.DuplicateKey.at(
                        key.span,
                        str(Place(parent.place, str(key.value))),
                        help=Advice("remove one of them", Remove(end=again) if is_same else None),
                        key=key.value,
                        notes=[Note("first given here", parent.keys[key.value].span)],
                    )
                )
            elif key.value == "<<" and not key.quoted:
                parent.merges.append((len(self._problems), node, _place_of(node, event, self._span)))
                self._problems.append(p.MergeKey.at(key.span, str(Place(parent.place, "<<"))))
                if isinstance(node, MappingNode):  # avoids reports that its keys are missing
                    parent.entries.extend((k, v) for k, v in node.items() if k.value not in parent.keys)
            else:
                parent.keys[key.value] = key
                parent.values[key.value] = node
                parent.entries.append((key, node))

    def _checked_key(self, node: Tree, event: Any) -> Scalar:
        if not isinstance(node, Scalar):
            raise _Stop(p.KeyIsNoScalar.at(self._span(event)))
        return node


def _place_of(node: Tree, event: Any, span_of: Callable[[Any], Span]) -> Span:
    """Return where a value is written; the node of an alias is where its anchor is."""
    return span_of(event) if isinstance(event, yaml.AliasEvent) else node.span


def _is_same(first: Tree, second: Tree) -> bool:
    return not first.unknown and not second.unknown and flow(first.plain()) == flow(second.plain())


def _written_out(merged: Tree, at: Span, keys: Collection[object]) -> Remedy | None:
    """Return the remedy of a merge key: the entries that the mapping does not have itself."""
    if not isinstance(merged, MappingNode):
        return None
    entries = [(key.span, value.span) for key, value in merged.items() if key.value not in keys]
    spans = [Span(key.file, key.line, key.column, value.end_line, value.end_column) for key, value in entries]
    return WriteOut(value=at, entries=tuple(spans)) if spans else Remove(end=at)


_TAGGED: Mapping[str, type | tuple[type, ...]] = {"int": int, "float": float, "bool": bool, "null": type(None), "str": str}


def _untagged(event: Any, span: Span) -> Remedy | None:
    """Return the remedy of a tag that the value does not need, or that quotes replace."""
    kind = str(event.tag).removeprefix("tag:yaml.org,2002:")
    if not isinstance(event, yaml.ScalarEvent) or kind not in _TAGGED or span.line != span.end_line:
        return None
    written = f'"{event.value}"' if event.style == '"' else f"'{event.value}'" if event.style == "'" else event.value
    value = event.value if event.style else resolve_plain(event.value)
    is_right = isinstance(value, _TAGGED[kind]) and not (kind != "bool" and isinstance(value, bool))
    if kind == "str" and not is_right:
        new = flow(event.value)
    elif is_right and event.style in (None, "", '"', "'"):
        new = written
    else:
        return None
    return Replace(old=f"!!{kind} {written}", new=new, title=f"Remove the tag `!!{kind}`")
