"""Escaping of text from specs, data and files for terminals, pages and logs.

A control character can move a terminal's cursor or end a log line, a bidirectional control can reorder the displayed text,
and a lone surrogate (from a file name that is not UTF-8) cannot be encoded. Each is shown as a Python escape, ``\\x1b``.
"""

from __future__ import annotations

import json
import re
from typing import Any

# Controls except tab and newline, line separators, bidirectional and other invisible controls (except for the joiners
# U+200C and U+200D, which some scripts need), tags, surrogates, and noncharacters.
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
_COMMAND = re.compile(r"^(\s*)::|##\[", re.MULTILINE)
"""Workflow commands of GitHub's runner: ``::`` at the beginning of a line, and ``##[`` anywhere."""

_MARKDOWN = re.compile(r"[\\`*_\[\]<>|#~&!$@]|^(?:[-+=](?=\s|$|[-=])|\d+[.)](?=\s|$))|(?<=\w)://|(?<=\b[wW]{3})\.")


def printable(text: object) -> str:
    """Escape every control character except tabs and newlines.

    Example:
        >>> printable("red \\x1b[31m\\u202e")
        'red \\\\x1b[31m\\\\u202e'
    """
    return _UNSAFE.sub(lambda found: _escaped(found[0]), str(text))


def on_one_line(text: object) -> str:
    """Escape every control character, including tabs and newlines, and the workflow commands that may be within a line.

    Example:
        >>> on_one_line("cat\\n::error::")
        'cat\\\\n::error::'
    """
    return printable(text).replace("\n", "\\n").replace("\t", "\\t").replace("##[", "##\\x5b")


def terminal_text(text: object) -> str:
    """Escape a text for a terminal or a log, so that no line is a command to a continuous integration service.

    Example:
        >>> terminal_text("cat\\n::error::")
        'cat\\n\\\\x3a:error::'
    """
    return _COMMAND.sub(lambda found: "##\\x5b" if found[1] is None else f"{found[1]}\\x3a:", printable(text))


def significant(number: float) -> str:
    """Format a number with four significant digits, and at least four decimals below 1, so that numbers align.

    Example:
        >>> [significant(number) for number in (0.97, 0.0312, 42.3098, 1234.6, 0.000123, 2.5e7)]
        ['0.9700', '0.0312', '42.31', '1235', '0.000123', '2.5e+07']
    """
    size = abs(number)
    if size and not 1e-3 <= size < 1e6:
        return f"{number:.4g}"
    return f"{number:.{max(0, 4 - len(str(int(size))))}f}" if size >= 1 else f"{number:.4f}"


def number(value: Any) -> str:
    """Format a number for a table: four significant digits, all of an integer, and of a large number all before the point.

    Example:
        >>> number(0.98765), number(None), number(12345), number(20624.7), number(True)
        ('0.9877', '–', '12,345', '20,625', 'True')
    """
    if value is None:
        return "–"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.0f}" if 1e4 <= abs(value) < 1e12 else f"{value:.4g}"


def html_text(text: object) -> str:
    """Escape a text for HTML, SVG and XML.

    Example:
        >>> html_text("<b>\\0")
        '&lt;b&gt;\\\\x00'
    """
    from html import escape  # its table of entities is large, and most commands write no HTML

    return escape(printable(text)).replace("##[", "##&#91;")


def markdown_text(text: object) -> str:
    """Escape a text for Markdown, on one line.

    Example:
        >>> print(markdown_text("<img src=x> *a*"))
        \\<img src=x\\> \\*a\\*
    """
    joined = " ".join(printable(" ".join(str(text).split())).split())
    return _MARKDOWN.sub(lambda found: found[0][:-1] + "\\" + found[0][-1], joined)


def markdown_code(text: object) -> str:
    """Format a text as Markdown code, whatever backticks it contains.

    Example:
        >>> print(markdown_code("a`b"))
        ``a`b``
    """
    shown = on_one_line(text).replace("|", "\\x7c")
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", shown)), default=0))
    space = " " if not shown.strip() or shown[0] in "` " or shown[-1] in "` " else ""
    return f"{fence}{space}{shown}{space}{fence}"


def _escaped(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"  # a byte that was not valid UTF-8
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def json_text(document: Any, *, indent: int | None = None, ascii: bool = False) -> str:
    """Format a document as JSON in which the characters that `printable` escapes have JSON escapes.

    Example:
        >>> json_text({"file": "café-\\udcff.csv"})
        '{"file": "café-\\\\udcff.csv"}'
    """
    text = json.dumps(document, indent=indent, ensure_ascii=ascii).replace("##[", "##\\u005b")
    if printable(text) == text:
        return text
    return "".join(c if printable(c) == c else _as_number(c) for c in text)


def _as_number(character: str) -> str:
    return json.dumps(character)[1:-1] if ord(character) > 0x7F else f"\\u{ord(character):04x}"
