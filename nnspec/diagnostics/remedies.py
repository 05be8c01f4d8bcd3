"""Remedies: how to mend a problem, in terms of the document; with the text of the file, each becomes a fix."""

from __future__ import annotations

from dataclasses import dataclass

from nnspec.diagnostics.fixes import Edit, Fix
from nnspec.diagnostics.sources import SourceText
from nnspec.diagnostics.span import Span


@dataclass(frozen=True)
class Remedy:
    """How to mend a problem at its place, in terms of the document.

    Attributes:
        span: Where, if not at the place of the diagnostic.
        is_defined: Whether the document defines the word to write. If several places have the wrong one, it may be the
            definition that is misspelled, and there is no fix.
    """

    span: Span | None = None
    is_defined: bool = False

    def fix(self, span: Span, source: SourceText) -> Fix | None:
        """Return the fix for a file; None if its text is not as expected."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class Respell(Remedy):
    """A word is replaced by another one; quotes around it stay.

    Attributes:
        old: Word as written, without quotes.
        new: Word to write.
    """

    old: str
    new: str

    def fix(self, span: Span, source: SourceText) -> Fix | None:
        found = source.range(span)
        if found is None or not self.old:
            return None
        start, end = found
        if source.text[start:end] in (f'"{self.old}"', f"'{self.old}'"):
            start, end = start + 1, end - 1
        if source.text[start:end] != self.old:
            return None
        edit = Edit(source.span(span.file, start, end), self.new)
        return Fix(f"Replace `{self.old}` with `{self.new}`", (edit,))


@dataclass(frozen=True, kw_only=True)
class Rewrite(Remedy):
    """A value is written in another way; quotes around it are part of it.

    Attributes:
        old: Characters of the value, without quotes.
        new: YAML text to write, with the quotes that it needs.
    """

    old: str
    new: str

    def fix(self, span: Span, source: SourceText) -> Fix | None:
        found = source.range(span)
        written = None if found is None else source.text[slice(*found)]
        if written not in (self.old, f'"{self.old}"', f"'{self.old}'"):
            return None
        return Fix(f"Replace `{_short(written)}` with `{_short(self.new)}`", (Edit(span, self.new),))


@dataclass(frozen=True, kw_only=True)
class Replace(Remedy):
    """Characters are replaced by others, also on several lines.

    Attributes:
        old: Exact characters.
        new: Characters to write.
        title: Title of the fix; by default, it quotes both.
    """

    old: str
    new: str
    title: str = ""

    def fix(self, span: Span, source: SourceText) -> Fix | None:
        found = source.range(span)
        if found is None or source.text[slice(*found)] != self.old:
            return None
        title = self.title or f"Replace `{_short(self.old)}` with `{_short(self.new)}`"
        return Fix(title, (Edit(span, self.new.replace("\n", source.newline)),))


@dataclass(frozen=True, kw_only=True)
class Remove(Remedy):
    """An entry of a mapping or an item of a list is removed, with the comma or the line that it is on.

    Attributes:
        end: Span of its last part, the value of a key; by default, it is one part.
    """

    end: Span | None = None

    def fix(self, span: Span, source: SourceText) -> Fix | None:
        whole = _joined(span, self.end or span)
        found = source.entry(whole, is_item=self.end is None)
        if found is None:
            return None
        what = source.text[slice(*(source.range(span) or (0, 0)))]
        return Fix(f"Remove `{_short(what)}`", (Edit(source.span(span.file, *found), ""),))


@dataclass(frozen=True)
class InList(Remedy):
    """A mapping in braces becomes the only item of a list."""

    def fix(self, span: Span, source: SourceText) -> Fix | None:
        found = source.range(span)
        if found is None or source.text[found[0] : found[0] + 1] != "{":
            return None
        ends = [(found[0], "["), (found[1], "]")]
        return Fix("Write it as a list", tuple(Edit(source.span(span.file, at, at), text) for at, text in ends))


@dataclass(frozen=True, kw_only=True)
class Items(Remedy):
    """Each entry of a mapping, on a line of its own, becomes an item of a list.

    Attributes:
        keys: Spans of the keys.
    """

    keys: tuple[Span, ...]

    def fix(self, span: Span, source: SourceText) -> Fix | None:
        starts = [(source.offset(key.line, 1), source.offset(key.line, key.column)) for key in self.keys]
        if not all(line is not None and at is not None and not source.text[line:at].strip(" ") for line, at in starts):
            return None
        edits = (Edit(Span(span.file, key.line, key.column, key.line, key.column), "- ") for key in self.keys)
        return Fix("Start each step with `- `", tuple(edits))


@dataclass(frozen=True, kw_only=True)
class Unindent(Remedy):
    """An entry of the arguments of an operation becomes a key of the step.

    Attributes:
        value: Span of its value.
        operation: Span of the operation's name, whose column is that of the keys of the step.
        arguments: Span of the arguments.
    """

    value: Span
    operation: Span
    arguments: Span

    def fix(self, span: Span, source: SourceText) -> Fix | None:
        whole = _joined(span, self.value)
        entry, own, all = source.entry(whole), source.range(whole), source.range(self.arguments)
        if entry is None or own is None or all is None or whole.line != whole.end_line:
            return None
        text = source.text[slice(*own)]
        title = f"Move `{source.text[slice(*(source.range(span) or own))]}` next to the operation"
        indent = " " * (self.operation.column - 1)
        rest = source.text[all[1] :].lstrip(" ")
        file = span.file
        if source.text[all[0]] != "{":  # in block style
            if own[1] != all[1]:
                return None
            line = source.offset(span.line, 1)
            return None if line is None else Fix(title, (Edit(source.span(file, line, own[0]), indent),))
        new = f", {text}" if rest[:1] in (",", "}") else f"{source.newline}{indent}{text}"
        at = all[1] if rest[:1] in (",", "}") else source.line_end(all[1])
        return Fix(title, (Edit(source.span(file, *entry), ""), Edit(source.span(file, at, at), new)))


@dataclass(frozen=True, kw_only=True)
class WriteOut(Remedy):
    """A key is replaced by the entries of its value.

    Attributes:
        value: Span of the value.
        entries: Span of each entry to write, in the same file.
    """

    value: Span
    entries: tuple[Span, ...]

    def fix(self, span: Span, source: SourceText) -> Fix | None:
        found = source.range(_joined(span, self.value))
        ranges = [source.range(entry) for entry in self.entries]
        if found is None or any(entry.line != entry.end_line for entry in self.entries):
            return None
        texts = [source.text[slice(*each)] for each in ranges if each is not None]
        between = ", " if source.is_in_braces(found[1]) else source.newline + " " * (span.column - 1)
        return Fix("Write the values out", (Edit(source.span(span.file, *found), between.join(texts)),))


def _joined(first: Span, last: Span) -> Span:
    return Span(first.file, first.line, first.column, last.end_line, last.end_column)


def _short(text: str) -> str:
    """Shorten a text for a title."""
    line = text.replace("\r\n", " ").replace("\n", " ")
    return line if len(line) <= _LONGEST_IN_TITLE else f"{line[:_LONGEST_IN_TITLE]}…"


_LONGEST_IN_TITLE = 60


class Advice(str):
    """A help text with the remedy that it describes, if there is only one.

    Example:
        >>> advice = Advice("did you mean `filters`?", Respell(old="filter", new="filters"))
        >>> advice, advice.remedy.new
        ('did you mean `filters`?', 'filters')
    """

    __slots__ = ("remedy",)

    remedy: Remedy | None

    def __new__(cls, text: str, remedy: Remedy | None = None) -> Advice:
        advice = super().__new__(cls, text)
        advice.remedy = remedy
        return advice


def remedy_of(help: str) -> Remedy | None:
    """Return the remedy of a help text, if it has one."""
    return help.remedy if isinstance(help, Advice) else None
