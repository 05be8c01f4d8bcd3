"""What ``nnspec init --from`` saw in the data, and what it decided."""

from __future__ import annotations

import textwrap

from nnspec.cli.text import echo, echo_line, terminal_width
from nnspec.drafting import TARGET, Draft, Seen
from nnspec.printable import on_one_line

_WIDTH = 100
_LONGEST = {"name": 28, "values": 36}
_MOST_SHOWN = 60
_NARROWEST_USE = 20


def echo_draft(draft: Draft) -> None:
    """Write what was seen, and what was decided.

    Args:
        draft: The draft.
    """
    width = terminal_width() or _WIDTH
    echo(f"read {draft.source}\n")
    _echo_table(draft, width)
    echo("")
    for sentence in draft.decisions:
        echo(textwrap.fill(sentence, width, break_on_hyphens=False))
    for sentence in draft.doubts:
        first, *more = textwrap.wrap(f"note: {sentence}", width, subsequent_indent="      ", break_on_hyphens=False)
        echo_line(("note", "note"), "\n".join([first.removeprefix("note"), *more]))
    echo("")


def _echo_table(draft: Draft, width: int) -> None:
    shown = draft.seen[:_MOST_SHOWN]
    header = ["column" if len(draft.seen) > 2 else "", "type", "values", "missing", "use"]
    rows = [_cells(seen) for seen in shown]
    if not any(seen.missing for seen in shown):
        header.pop(3)
        rows = [[*row[:3], row[4]] for row in rows]
    widths = [max(len(row[i]) for row in (header, *rows)) for i in range(len(header) - 1)]
    right = len(header) - 2 if len(header) == 5 else None
    while sum(widths) + 2 * len(widths) + _NARROWEST_USE > width and max(widths[0], widths[2]) > 8:
        widths[0 if widths[0] > widths[2] else 2] -= 1
    start = sum(widths) + 2 * len(widths)
    echo(_line(header[:-1], widths, right) + header[-1], style="strong")
    echo("-" * min(width, start + max(len(row[-1]) for row in (header, *rows))), style="dim")
    for row, seen in zip(rows, shown, strict=True):
        use = textwrap.wrap(row[-1], max(width - start, _NARROWEST_USE), break_on_hyphens=False) or [""]
        style = "strong" if seen.use == TARGET else None if seen.used else "dim"
        echo(_line(row[:-1], widths, right) + use[0], style=style)
        for more in use[1:]:
            echo(" " * start + more, style=style)
    if len(draft.seen) > _MOST_SHOWN:
        echo(f"… and {len(draft.seen) - _MOST_SHOWN:,} more", style="dim")


def _cells(seen: Seen) -> list[str]:
    use = seen.use if seen.used else f"left out: {seen.use}"
    name, values = (_cut(on_one_line(text), _LONGEST[key]) for key, text in (("name", seen.name), ("values", seen.values)))
    return [name, seen.kind, values, f"{seen.missing:,}" if seen.missing else "", on_one_line(use)]


def _line(cells: list[str], widths: list[int], right: int | None) -> str:
    texts = [_cut(cell, size) for cell, size in zip(cells, widths, strict=True)]
    return "".join(
        (t.rjust(w) if i == right else t.ljust(w)) + "  " for i, (t, w) in enumerate(zip(texts, widths, strict=True))
    )


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
