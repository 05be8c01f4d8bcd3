"""Layout of the reference's Markdown for a terminal: no table is wider than it."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence

_LINK = re.compile(r"\[([^\]]+)\]\([^)]*\)")
_CELLS = re.compile(r"(?<!\\)\|")
_GAP = 2
_NARROW = 24
"""The least width of a last column; below it, rows become paragraphs."""


def laid_out(markdown: str, width: int) -> str:
    """Lay out Markdown as plain text.

    Args:
        markdown: Paragraphs, tables, lists and code blocks.
        width: The number of columns.

    Example:
        >>> laid_out("| argument | description |\\n| --- | --- |\\n| `file` | The file. |\\n", 40).splitlines()
        ['argument  description', 'file      The file.']
    """
    return "\n\n".join("\n".join(_block(block, width)) for block in _blocks(markdown))


def _blocks(markdown: str) -> Iterator[list[str]]:
    """Paragraphs, tables, lists and code blocks, each as lines."""
    block: list[str] = []
    for line in [*markdown.splitlines(), ""]:
        is_code = bool(block) and block[0].startswith("```")
        if line or (is_code and (len(block) == 1 or block[-1] != "```")):
            block.append(line)
        elif block:
            yield block
            block = []


def _block(lines: list[str], width: int) -> Iterator[str]:
    block = lines[0]
    if block.startswith("```"):
        yield from (f"    {line}" for line in lines[1:-1])
    elif block.startswith("#"):
        title = _plain(lines[0].lstrip("# "))
        yield title
        yield "─" * len(title)
    elif block.startswith("| "):
        yield from _table([[_plain(cell.strip()) for cell in _CELLS.split(line)[1:-1]] for line in lines], width)
    elif block.startswith("- "):
        for line in lines:
            yield from _wrapped(_plain(line), width, later="  ")
    else:
        yield from _wrapped(_plain(" ".join(lines)), width)


def _wrapped(text: str, width: int, lead: str = "", later: str = "") -> list[str]:
    return textwrap.wrap(
        text, width, initial_indent=lead, subsequent_indent=later, break_on_hyphens=False, break_long_words=False
    )


def _plain(text: str) -> str:
    """Text without the marks of links and emphasis."""
    return re.sub(r"^\*([^*]+)\*", r"\1", _LINK.sub(r"\1", text).replace("\\|", "|"))


def _table(rows: Sequence[Sequence[str]], width: int) -> Iterator[str]:
    header, _, *body = [[*(cell.replace("`", "") for cell in row[:-1]), row[-1]] for row in rows]
    widths = [max(len(row[index]) for row in (header, *body)) for index in range(len(header))]
    start = sum(widths[:-1]) + _GAP * (len(widths) - 1)
    if width - start >= min(widths[-1], _NARROW):
        for row in (header, *body):
            lead = "".join(cell.ljust(size + _GAP) for cell, size in zip(row, widths[:-1], strict=False))
            yield from _wrapped(row[-1], width, lead=lead, later=" " * start) or [lead.rstrip()]
        return
    for row in body:  # a row is a term, and a paragraph of its other cells
        name, *middle, last = row
        labels = [
            f"{label} {cell}" if label == "default" and cell != "required" else cell
            for label, cell in zip(header[1:-1], middle, strict=True)
        ]
        yield from _wrapped(f"{name}  ({', '.join(filter(None, labels))})" if any(middle) else name, width, later="    ")
        yield from _wrapped(last, width, lead="    ", later="    ")
