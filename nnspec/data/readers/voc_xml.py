"""The XML files of Pascal VOC, parsed without entities, and with bounded size and depth."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

from nnspec.data.kinds import DataError

_LARGEST = 2**26
_DEEPEST = 32
_LONGEST = 4096
_PREFIX = ("annotation",)
_OBJECT = ("annotation", "object")


@dataclass
class VocObject:
    """An object as written.

    Attributes:
        line: The line at which it begins.
        texts: The texts of its elements: ``name``, ``difficult``, ``bndbox/xmin`` …
        lines: The line of each.
    """

    line: int
    texts: dict[str, str] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)


@dataclass
class VocFile:
    """A file as written.

    Attributes:
        texts: The texts of its elements but the objects: ``filename``, ``size/width`` …
        objects: Its objects.
    """

    texts: dict[str, str] = field(default_factory=dict)
    objects: list[VocObject] = field(default_factory=list)


def read_voc(path: Path, name: str) -> VocFile:
    """Read a file.

    Args:
        path: The file.
        name: Its name in messages.

    Raises:
        DataError: If it cannot be read, is not XML with the element ``annotation``, or declares a document type.
    """
    try:
        size = path.stat().st_size
        if size > _LARGEST:
            raise DataError(f"{name} has {size:,} bytes, more than {_LARGEST:,}", help="it is no annotation of an image")
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{name} cannot be read: {error.strerror}") from None
    return _Parser(name).parse(content)


class _Parser:
    def __init__(self, name: str) -> None:
        self._name = name
        self._found = VocFile()
        self._path: list[str] = []
        self._text: list[str] = []
        self._length = 0
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters
        self._parser.StartDoctypeDeclHandler = self._doctype

    def parse(self, content: bytes) -> VocFile:
        if not content.strip():
            help = "write the annotation, without objects if the image has none, or remove the file"
            raise DataError(f"{self._name} is empty", help=help)
        try:
            self._parser.Parse(content, True)
        except expat.ExpatError as error:
            reason = expat.ErrorString(error.code)
            if (byte := _not_utf_8(content)) is not None and b"encoding" not in content[:200]:
                reason = f"the byte {content[byte]:#04x} is not UTF-8"
                help = 'save the file as UTF-8, or state its encoding in the first line: `<?xml version="1.0" encoding="…"?>`'
                line = content.count(b"\n", 0, byte) + 1
                raise DataError(f"{self._name}, line {line}: {reason}", help=help) from None
            raise DataError(
                f"{self._name}, line {error.lineno}: {reason}", help="the file is damaged: write it again"
            ) from None
        return self._found

    def _doctype(self, *_: object) -> None:
        raise self._error("the file declares a document type, whose entities are not read", "remove `<!DOCTYPE …>`")

    def _error(self, reason: str, help: str) -> DataError:
        return DataError(f"{self._name}, line {self._parser.CurrentLineNumber}: {reason}", help=help)

    def _start(self, element: str, _: object) -> None:
        self._path.append(element)
        if len(self._path) > _DEEPEST:
            raise self._error("elements are nested too deep", "it is no annotation of an image")
        if self._path[0] != "annotation":
            raise self._error(f"the first element is `{element[:40]}`", "name a folder of files with `<annotation>`")
        if tuple(self._path) == _OBJECT:
            self._found.objects.append(VocObject(self._parser.CurrentLineNumber))
        self._text, self._length = [], 0

    def _characters(self, text: str) -> None:
        self._length += len(text)
        if self._length <= _LONGEST:
            self._text.append(text)

    def _end(self, element: str) -> None:
        text = "".join(self._text).strip()
        path = tuple(self._path)
        if path[:2] == _OBJECT and len(path) > 2:
            own = self._found.objects[-1]
            own.texts.setdefault("/".join(path[2:]), text)
            own.lines.setdefault("/".join(path[2:]), self._parser.CurrentLineNumber)
        elif path[:1] == _PREFIX and len(path) > 1:
            self._found.texts.setdefault("/".join(path[1:]), text)
        self._path.pop()
        self._text, self._length = [], 0


def _not_utf_8(content: bytes) -> int | None:
    """Return the position of the first byte that is not UTF-8; None if there is none."""
    try:
        content.decode()
    except UnicodeDecodeError as error:
        return error.start
    return None
