"""The frame of what a notebook shows of an object: markup without scripts, with a style of its own."""

from __future__ import annotations

from nnspec.html_elements import Html, element

_STYLE = """
.nnspec { --ink: currentColor; --soft: color-mix(in srgb, currentColor 65%, transparent);
  --line: color-mix(in srgb, currentColor 20%, transparent); --card: color-mix(in srgb, currentColor 5%, transparent);
  --good: #1a7f37; --look: #9a6700; --bad: #cf222e; font-size: 13px; line-height: 1.5; max-width: 900px; }
.nnspec h2, .nnspec h3 { margin: 10px 0 4px; font-size: 14px; }
.nnspec p { margin: 2px 0 6px; }
.nnspec .note, .nnspec figcaption { color: var(--soft); }
.nnspec table { border-collapse: collapse; margin: 4px 0; color: inherit; }
.nnspec th, .nnspec td { padding: 2px 10px; text-align: left; border: 0; border-bottom: 1px solid var(--line);
  background: none; white-space: nowrap; }
.nnspec th.n, .nnspec td.n { text-align: right; font-variant-numeric: tabular-nums;
  padding-right: calc(10px + var(--pad, 0ch)); }
.nnspec tr.baseline td { color: var(--soft); }
.nnspec .wide { overflow-x: auto; }
.nnspec summary { cursor: pointer; }
.nnspec details { margin: 4px 0; }
.nnspec .facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); margin: 4px 0; }
.nnspec .facts div { padding: 2px 10px 2px 0; }
.nnspec .facts dt { color: var(--soft); font-size: 11px; font-weight: 400; }
.nnspec .facts dd { margin: 0; font-weight: 600; overflow-wrap: anywhere; }
.nnspec ul.findings { list-style: none; margin: 0; padding: 0; }
.nnspec ul.findings li { border-left: 3px solid var(--line); background: var(--card); margin: 0 0 4px; padding: 3px 10px; }
.nnspec ul.findings li.look { border-color: var(--look); }
.nnspec ul.findings li.bad { border-color: var(--bad); }
.nnspec ul.findings li.good { border-color: var(--good); }
.nnspec .plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(220px, 1fr)); gap: 10px; }
.nnspec figure { margin: 0; }
.nnspec svg { max-width: 100%; height: auto; }
.nnspec svg text { fill: currentColor; }
.nnspec pre { margin: 2px 0; white-space: pre-wrap; }
"""


def fragment(*content: object) -> str:
    """Return the markup of an object for ``_repr_html_``. Content that is not markup is escaped.

    Example:
        >>> fragment("a < b").endswith('<div>a &lt; b</div></div>')
        True
    """
    return element("div", element("style", Html(_STYLE)), element("div", *content), class_="nnspec")
