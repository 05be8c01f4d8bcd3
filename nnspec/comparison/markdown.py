"""A difference as Markdown, for a pull request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from nnspec.comparison.changes import Change, Difference, LayerChange, NetworkChange
from nnspec.comparison.difference import value_text
from nnspec.comparison.weights import Carried
from nnspec.printable import markdown_code, markdown_text

_MOST_ROWS = 20
"""Number of rows from which a table is folded."""


def as_markdown(difference: Difference) -> str:
    """Format a difference as Markdown: what changed in sizes and layers, in the sections, and which weights carry over."""
    first, second = difference.names
    title = markdown_code(second) if first == second else f"{markdown_code(first)} → {markdown_code(second)}"
    if difference.is_empty:
        return f"### {title}\n\nNo differences in meaning; all weights carry over.\n"
    parts = [f"### {title}"]
    for network in difference.networks:
        parts += _network(network)
    for name, changes in difference.sections.items():
        parts += [f"**{markdown_text(name)}**", _table(("key", "before", "after"), [*map(_row, changes)])]
    return "\n\n".join([*parts, *_weights(difference.weights)]) + "\n"


def _network(network: NetworkChange) -> Iterator[str]:
    name = "layers" if network.name == "main" else f"network {markdown_code(network.name)}"
    yield f"**{name}**" + ("" if network.kind == "changed" else f" ({network.kind})")
    if network.figures or network.ports:
        named = [replace(fact, path=fact.path.replace("_", " ")) for fact in network.figures]
        yield _table(("", "before", "after"), [*map(_row, [*named, *network.ports])])
    if network.layers:
        yield _table(("", "layer", "operation", "changes"), [*map(_layer, network.layers)])


def _layer(layer: LayerChange) -> tuple[str, ...]:
    sign = {"added": "+", "removed": "−", "changed": "~"}[layer.kind]
    changes = "; ".join(f"{markdown_text(c.path)}: {_value(c.before)} → {_value(c.after)}" for c in layer.changes)
    return sign, markdown_code(layer.name), markdown_text(layer.op), changes


def _row(change: Change) -> tuple[str, ...]:
    return markdown_text(change.path), _value(change.before), _value(change.after) + _share(change)


def _share(change: Change) -> str:
    before, after = change.before, change.after
    if isinstance(before, bool) or not isinstance(before, int) or not isinstance(after, int) or before <= 0:
        return ""
    return f" ({(after - before) / before:+.1%})"


def _value(value: object) -> str:
    return "" if value is None else markdown_code(value_text(value))


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    if len(rows) <= _MOST_ROWS:
        return table
    return f"<details>\n<summary>{len(rows)} rows</summary>\n\n{table}\n\n</details>"


def _weights(weights: Carried) -> Iterator[str]:
    total = len(weights.carried) + len(weights.started_anew)
    yield f"**weights**: {len(weights.carried)} of {total} carry over, {weights.parameters:,} parameters"
    rows = [(markdown_code(name), markdown_text(reason)) for name, reason in weights.started_anew.items()]
    rows += [(markdown_code(name), "not used in the second spec") for name in weights.left_behind]
    if rows:
        yield _table(("weight", "does not carry over"), rows)
