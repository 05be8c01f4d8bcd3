"""HTML elements of a page. Text is always escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from nnspec.printable import html_text

_A_LINE = 40
"""The most characters of a table cell that are not wrapped."""


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


def figure(content: Html, caption: object = "") -> Html:
    """A figure with a caption."""
    return element("figure", content, element("figcaption", caption) if caption else Html())


def table(header: Sequence[object], rows: Iterable[Sequence[object]], *, numbers: Iterable[int] = (), kind: str = "") -> Html:
    """A table that scrolls horizontally if it is wider than the page, also with the arrow keys.

    Args:
        header: The column headers; empty for none.
        rows: The cells.
        numbers: The columns to align right.
        kind: A CSS class.
    """
    right = frozenset(numbers)

    def line(cells: Sequence[object], name: str) -> Html:
        return element("tr", *(element(name, cell, class_=kind_of(i, cell)) for i, cell in enumerate(cells)))

    def kind_of(column: int, cell: object) -> str | None:
        return "n" if column in right else "long" if not isinstance(cell, Html) and len(str(cell)) > _A_LINE else None

    head = element("thead", line(header, "th")) if header else Html()
    body = element("tbody", *(line(cells, "td") for cells in rows))
    return element("div", element("table", head, body, class_=kind or None), class_="wide", tabindex=0)
