"""What the names of modules say about their order and grouping."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from nnspec.transfer.modules import Module

Scoring = Literal["path", "order", "none"]


@dataclass(frozen=True)
class Chain:
    """Modules or scopes with numbers, such as ``conv1`` and ``conv2``: no later one feeds an earlier one.

    Attributes:
        groups: The modules of each, in order, as bits.
        scoring: What is preferred: ``path`` if each feeds the next, else that they follow the order of the steps.
    """

    groups: tuple[int, ...]
    scoring: Scoring


@dataclass(frozen=True)
class Reading:
    """One interpretation of the names.

    Attributes:
        scopes: For each module, the scopes that it is in, from the innermost, as bits; the last one has all modules.
        chains: The chains.
    """

    scopes: tuple[tuple[int, ...], ...]
    chains: tuple[Chain, ...]


def readings(modules: Sequence[Module], framework: str) -> Iterator[Reading]:
    """Yield the interpretations of names, the most informative first.

    Args:
        modules: The modules.
        framework: ``Keras`` or ``PyTorch``.
    """
    stated = list(_stated(modules))
    parts = [_parts(module, framework) for module in modules]
    every = (1 << len(modules)) - 1
    scopes: dict[tuple[str, ...], int] = {}
    for index, names in enumerate(parts):
        for length in range(len(names) + 1):
            scopes[names[:length]] = scopes.get(names[:length], 0) | 1 << index
    siblings: dict[tuple[tuple[str, ...], str], dict[str, int]] = {}
    for scope, inside in scopes.items():
        if scope and re.search(r"\d", scope[-1]):
            siblings.setdefault((scope[:-1], _stem(scope[-1])), {})[scope[-1]] = inside
    numbered = [group for group in siblings.values() if len(group) > 1]
    chains = [Chain(tuple(group[name] for name in sorted(group, key=natural)), "path") for group in numbered]
    automatic = list(_automatic(modules)) if framework == "Keras" else []
    nested = tuple(tuple(scopes[names[:length]] for length in range(len(names), -1, -1)) for names in parts)
    yield Reading(nested, (*stated, *chains, *automatic))
    yield Reading(((every,),) * len(modules), (*stated, *automatic))


def natural(text: str) -> tuple[tuple[int, int, str], ...]:
    """Return a key that sorts numbers in names by their values.

    Example:
        >>> sorted(["conv10", "conv2", "conv2b"], key=natural)
        ['conv2', 'conv2b', 'conv10']
    """
    return tuple((0, int(part), "") if part.isascii() and part.isdigit() else (1, 0, part) for part in _split(text))


def _split(text: str) -> list[str]:
    return [part for part in re.split(r"(\d{1,9})", text) if part]


def _stem(text: str) -> str:
    """Return a name without its numbers, and without the letter that may follow the last one, as in ``block2b``."""
    return re.sub(r"(?<=#)[a-z]$", "@", re.sub(r"\d+", "#", text))


def _parts(module: Module, framework: str) -> tuple[str, ...]:
    """Return the parts of a name; in Keras, also those between underscores."""
    if framework != "Keras":
        return module.parts
    if _automatic_name(module):
        return module.parts
    return tuple(part for name in module.parts for part in name.split("_") if part)


_AUTOMATIC = re.compile(
    r"(?P<stem>conv[123]d|conv[123]d_transpose|depthwise_conv[12]d|separable_conv[12]d|batch_normalization|"
    r"layer_normalization|group_normalization|dense|embedding|p_re_lu|lstm|gru|simple_rnn|bidirectional|"
    r"multi_head_attention|normalization)(?:_(?P<number>\d{1,9}))?"
)
"""Names that Keras makes from the class and the order in which layers were created."""


def _automatic_name(module: Module) -> re.Match[str] | None:
    return _AUTOMATIC.fullmatch(module.parts[-1])


def _automatic(modules: Sequence[Module]) -> Iterator[Chain]:
    found: dict[tuple[tuple[str, ...], str], dict[int, int]] = {}
    for index, module in enumerate(modules):
        match = _automatic_name(module)
        if match is not None:
            group = found.setdefault((module.parts[:-1], match["stem"]), {})
            number = int(match["number"] or 0)
            group[number] = group.get(number, 0) | 1 << index
    for group in found.values():
        if len(group) > 1:
            yield Chain(tuple(group[number] for number in sorted(group)), "order")


def _stated(modules: Sequence[Module]) -> Iterator[Chain]:
    """Yield the orders of execution that the file states."""
    found: dict[str, dict[int, int]] = {}
    for index, module in enumerate(modules):
        for order, rank in module.ranks.items():
            group = found.setdefault(order, {})
            group[rank] = group.get(rank, 0) | 1 << index
    for group in found.values():
        if len(group) > 1:
            yield Chain(tuple(group[rank] for rank in sorted(group)), "none")
