"""Joining of `Compute` steps that feed one another to one expression."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from nnspec.keras_import.planned import PlannedNetwork, PlannedStep
from nnspec.layers.compute import Compute

__all__ = ["join_chains", "renamed"]

_LONGEST = 90
"""The longest expression that is joined, in characters."""


def join_chains(network: PlannedNetwork) -> None:
    """Write an expression into the only one that reads its result."""
    readers = Counter(text for step in network.steps for text in step.sources.values())
    ends = {text.partition(".")[0] for text in network.outputs.values()}
    shared = {step.share for step in network.steps}
    kept: dict[str, PlannedStep] = {}
    for step in network.steps:
        for text in list(step.sources.values()):
            inner = kept.get(text)
            if inner is not None and readers[text] == 1 and text not in ends and text not in shared:
                joined = _joined(step, inner)
                if joined is not None:
                    step = joined
                    del kept[text]
        kept[step.name] = step
    network.steps[:] = kept.values()


def _joined(step: PlannedStep, inner: PlannedStep) -> PlannedStep | None:
    """Return a step with another one's expression in place of its name; None if that is not possible."""
    outer, layer = step.layer, inner.layer
    if not isinstance(outer, Compute) or not isinstance(layer, Compute) or list(layer.results) != ["output"]:
        return None
    sources = dict(step.sources)
    [port] = [port for port, text in sources.items() if text == inner.name]
    del sources[port]
    names: dict[str, str] = {}
    free = (letter for letter in "xyzabcdefghjklmnopqrstuvw" if letter not in sources)
    for own, text in inner.sources.items():
        known = next((name for name, other in sources.items() if other == text), None)
        if known is None and (known := next(free, None)) is None:
            return None
        names[own] = known
        sources[known] = text
    text = renamed(layer.results["output"], names)
    places = [(name, match) for name, result in outer.results.items() for match in _matches(result, port)]
    if len(places) != 1:
        return None
    [(name, match)] = places
    before, after = match.string[: match.start()], match.string[match.end() :]
    is_whole = re.search(r"(^|[(,]|\w=) ?$", before) is not None and after[:1] in ("", ")", ",")
    text = text if is_whole or _is_atom(text) else f"({text})"
    results = {**outer.results, name: f"{before}{text}{after}"}
    if len(results[name]) > _LONGEST:
        return None
    reads = [name for name in sources if any(_matches(result, name) for result in results.values())]
    made = outer.model_copy(update={"results": results, "reads": reads})
    return replace(step, layer=made, sources={name: sources[name] for name in reads})


def renamed(text: str, names: Mapping[str, str]) -> str:
    """Return an expression with other names, or texts, in place of its tensors."""
    tensor = re.compile(_pattern(names))
    parts = text.split("'")  # those at odd places are strings
    parts[::2] = [tensor.sub(lambda match: names[match[1]], part) for part in parts[::2]]
    return "'".join(parts)


def _matches(text: str, name: str) -> list[re.Match[str]]:
    """Return where an expression reads a tensor."""
    found = re.finditer(_pattern([name]), text)
    return [match for match in found if text.count("'", 0, match.start()) % 2 == 0]  # not within a string


def _is_atom(text: str) -> bool:
    """Whether it is a name, a number or a call, which needs no parentheses."""
    name = re.match(r"\w[\w.]*", text)
    depth = 0
    for place in range(name.end() if name else 0, len(text)):
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(text[place], 0)
        if depth == 0 and place < len(text) - 1 and text[place + 1] not in "[":
            return False
    return name is not None and (name.end() == len(text) or text[name.end()] in "([")


def _pattern(names: Mapping[str, str] | list[str]) -> str:
    return rf"(?<![\w.'])({'|'.join(map(re.escape, names))})(?![\w(']| ?=[^=])"
