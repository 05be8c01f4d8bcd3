"""HTML elements of a page. Text is always escaped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from nnspec.printable import html_text

_A_LINE = 40
"""The most characters of a table cell that are not wrapped."""

FOLDED = 3
"""The number of outputs from which the details of each are folded."""


class Html(str):
    """Text that is already markup."""


def element(name: str, *content: object, **attributes: object) -> Html:
    """An element. Content that is not markup is escaped, attributes that are None are omitted, ``class_`` is ``class``.

    Example:
        >>> element("p", "1 < 2", class_="note")
        '<p class="note">1 &lt; 2</p>'
    """
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{html_text(value)}"' for key, value in attributes.items() if value is not None
    )
    if name == "img":
        return Html(f"<img{given}>")
    return Html(f"<{name}{given}>{''.join(_markup(piece) for piece in content)}</{name}>")


def _markup(piece: object) -> str:
    return piece if isinstance(piece, Html) else html_text(piece)


def section(title: str, *content: Html) -> Html:
    """A section of the page; empty without content."""
    kept = [piece for piece in content if piece]
    anchor = "-".join("".join(c if c.isalnum() else " " for c in title.lower()).split())
    return element("section", element("h2", title), *kept, id=anchor) if kept else Html()


def contents(sections: Iterable[str]) -> Html:
    """Links to the sections of a page."""
    titles = [(found[1], found[2]) for text in sections for found in re.finditer(r'<section id="([^"]+)"><h2>(.*?)</h2>', text)]
    return Html("".join(f'<a href="#{anchor}">{title}</a>' for anchor, title in titles))


def figure(content: Html, caption: object = "") -> Html:
    """A figure with a caption."""
    return element("figure", content, element("figcaption", caption) if caption else Html())


def fold(summary: object, *content: Html, opened: bool = False) -> Html:
    """Content that is folded under its summary; empty without content."""
    kept = [piece for piece in content if piece]
    return element("details", element("summary", summary), *kept, open="" if opened else None) if kept else Html()


def table(
    header: Sequence[object],
    rows: Iterable[Sequence[object]],
    *,
    numbers: Iterable[int] | None = (),
    kind: str = "",
    kinds: Sequence[str | None] = (),
) -> Html:
    """A table that scrolls horizontally if it is wider than the page, also with the arrow keys.

    Args:
        header: The column headers; empty for none.
        rows: The cells.
        numbers: The columns of numbers, which are aligned at the decimal point; None for those whose cells are all numbers.
        kind: A CSS class.
        kinds: A CSS class for each row.
    """
    lines = [list(row) for row in rows]
    right = frozenset(_number_columns(lines) if numbers is None else numbers)
    fractions = {
        column: [_fraction(str(row[column])) if column < len(row) else None for row in lines] for column in sorted(right)
    }

    def padding(column: int, line: int) -> str | None:
        digits, most = fractions[column][line], max((n for n in fractions[column] if n is not None), default=0)
        if digits is None or digits == most:
            return None
        # A digit is 1ch wide in tabular figures, and a decimal point about half of that.
        return f"--pad:{most - digits - (0 if digits else 0.5):g}ch"

    def cell(column: int, line: int, content: object) -> Html:
        if column in right:
            return element("td", content, class_="n", style=padding(column, line))
        is_long = not isinstance(content, Html) and len(str(content)) > _A_LINE
        return element("td", content, class_="long" if is_long else None)

    # A header cell must have text; the first of a table of named rows has none.
    titles = (
        element("th" if str(title) else "td", title, class_="n" if i in right else None) for i, title in enumerate(header)
    )
    head = element("thead", element("tr", *titles)) if header else Html()
    body = element(
        "tbody",
        *(
            element("tr", *(cell(i, j, content) for i, content in enumerate(row)), class_=kinds[j] if kinds else None)
            for j, row in enumerate(lines)
        ),
    )
    return element("div", element("table", head, body, class_=kind or None), class_="wide", tabindex=0)


def _number_columns(lines: Sequence[Sequence[object]]) -> list[int]:
    columns = range(min(map(len, lines), default=0))
    return [column for column in columns if all(_fraction(str(line[column])) is not None for line in lines)]


_NUMBER = re.compile(r"[-−+]?[\d,]+(\.\S*)?")


def _fraction(text: str) -> int | None:
    """The width of the decimal point and what follows it; None if the text is not one number."""
    found = _NUMBER.fullmatch(text)
    return None if found is None else len(found[1] or "")
