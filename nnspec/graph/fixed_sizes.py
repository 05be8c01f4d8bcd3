"""Evaluation of a model at fixed sizes, which replace its symbols in all shapes and values."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from nnspec.diagnostics import NnspecError, SpecError
from nnspec.graph.builder import Builder
from nnspec.graph.model import Graph, Model
from nnspec.spec import Collected, Network, Spec
from nnspec.spec.shapes import Input
from nnspec.types import Conditions, Dim, closest, listed, substitute, symbols_of

_FURTHER = (0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 32, 64)
_MOST_TRIED = 20_000


def sizes_from(settings: Sequence[str]) -> dict[str, int]:
    """Parse the sizes of ``--at``: ``H=572,W=572``.

    Raises:
        NnspecError: If a setting is not a symbol with a positive integer, or a symbol is given twice.

    Example:
        >>> sizes_from(["H=572,W=388"])
        {'H': 572, 'W': 388}
    """
    sizes: dict[str, int] = {}
    for setting in (part.strip() for text in settings for part in text.split(",")):
        name, equals, number = (part.strip() for part in setting.partition("="))
        if not equals or not name.isidentifier():
            what = f"got `{setting}`" if setting else "got an empty entry"
            example = f"{name}=572" if name.isidentifier() else "H=572,W=572"
            raise NnspecError(f"--at expects SYMBOL=N, {what}\n  = help: write `--at {example}`")
        digits = number.replace("_", "")
        if not (digits.isascii() and digits.isdecimal()):
            raise _no_size(name, number)
        if name in sizes:
            raise NnspecError(f"duplicate `{name}` in --at\n  = help: remove one of them")
        sizes[name] = int(digits[:20])
        _check_size(name, sizes[name])
    return sizes


_LARGEST = 10**12 - 1


def _check_size(name: str, size: Any) -> None:
    """Check that a value, which may come from Python code, is a valid size."""
    if type(size) is not int or not 1 <= size <= _LARGEST:
        raise _no_size(name, size)


def _no_size(name: str, given: object) -> NnspecError:
    shown = f"{given!r:.40}" if given != "" else "nothing"
    return NnspecError(
        f"`{name}` must be an integer from 1 to {_LARGEST:,}, not {shown}\n  = help: write only digits, as in `{name}=572`"
    )


def at_sizes(spec: Spec, model: Model, sizes: Mapping[str, int]) -> Model:
    """Return the model with its symbols replaced by numbers; other symbols remain.

    Args:
        spec: Spec of the model.
        model: Its graphs.
        sizes: Sizes by symbol, applied in every network that has it.

    Raises:
        NnspecError: If no network has a symbol, or if the sizes are invalid; the message suggests the next valid ones.
    """
    known = {name: free_sizes(graph) for name, graph in model.networks.items()}
    every = list(dict.fromkeys(itertools.chain.from_iterable(known.values())))
    for name, size in sizes.items():
        if name not in every:
            raise NnspecError(f"unknown free size `{name}`{_instead(name, every, model)}")
        _check_size(name, size)
    networks = dict(model.networks)
    for name, graph in model.networks.items():
        own = {symbol: size for symbol, size in sizes.items() if symbol in known[name]}
        if own:
            networks[name] = _fixed(spec, graph, own)
    return replace(model, networks=networks)


def _instead(name: str, every: Sequence[str], model: Model) -> str:
    if not every:
        return ": this spec has no free sizes\n  = help: use symbols in the shape of an input, `image: [H, W, 3]`"
    there = f": the free sizes are {listed(every)}"
    owner = next((graph.inputs[name] for graph in model.networks.values() if name in graph.inputs), None)
    own = sorted({symbol for size in owner.shape for symbol in symbols_of(size)} & {*every}) if owner is not None else []
    meant = closest(str(name), every)
    if own:
        return f"{there}; `{name}` is an input with the free sizes {listed(own)}"
    return f"{there}\n  = help: did you mean `{meant}`?" if meant else there


def free_sizes(graph: Graph) -> list[str]:
    """Return the names of a network's free sizes, including those that its layers bind."""
    free = (name for type_ in graph.inputs.values() for size in type_.shape for name in sorted(symbols_of(size)))
    return [name for name in dict.fromkeys((*graph.bound, *free)) if not name.startswith("?")]


def _fixed(spec: Spec, graph: Graph, sizes: Mapping[str, int]) -> Graph:
    """Build one network again with its inputs at these sizes."""
    free = _free(graph, sizes)
    wrong = graph.conditions.refusal(free)
    if wrong is not None:
        where = "" if graph.name == "main" else f" (in the network `{graph.name}`)"
        nearest = _nearest(graph.conditions, free)
        help = f"\n  = help: write `{','.join(f'{name}={size}' for name, size in nearest.items())}`" if nearest else ""
        raise NnspecError(f"invalid sizes{where}: {wrong}{_suggestion(graph.conditions, free)}{help}")
    network = spec.networks[graph.name]
    networks = {**spec.networks, graph.name: replace(network, inputs=dict(_inputs(network, graph, free)))}
    masks = {name: len(type_.mask) for name, type_ in graph.inputs.items() if type_.mask is not None}
    problems = Collected(spec.limits)
    found = Builder(networks, graph.name, {name: {} for name in networks}, problems).build(masks)
    if found.gaps:
        raise SpecError(problems)
    return found


def _free(graph: Graph, sizes: Mapping[str, int]) -> dict[str, int]:
    """Return the sizes of the symbols that remain in the graph; a bound symbol gives its size to the one it is bound to.

    Raises:
        NnspecError: If a symbol is bound to a different size.
    """
    free = {name: size for name, size in sizes.items() if name not in graph.bound}
    for name, size in sizes.items():
        bound = graph.bound.get(name, size)
        if isinstance(bound, Dim) and str(bound) in symbols_of(bound):  # bound to exactly another symbol
            free.setdefault(str(bound), size)
    for name, size in sizes.items():
        bound = substitute(graph.bound.get(name, size), free)
        if isinstance(bound, int) and bound != size:
            as_written = graph.bound[name]
            meaning = f"`{as_written}`, which is {bound} here" if isinstance(as_written, Dim) else str(bound)
            raise NnspecError(f"`{name}` must be {meaning}, not {size}, because the layers of this spec require it")
    return free


def _inputs(network: Network, graph: Graph, free: Mapping[str, int]) -> Iterator[tuple[str, Input | None]]:
    for name, declared in network.inputs.items():
        if declared is None or name not in graph.inputs:
            yield name, declared
            continue
        numbers = (substitute(size, free) for size in graph.inputs[name].shape)
        shape = tuple(now if isinstance(now, int) else was for now, was in zip(numbers, declared.type.shape, strict=True))
        yield name, replace(declared, type=replace(declared.type, shape=shape))


def _suggestion(conditions: Conditions, sizes: Mapping[str, int]) -> str:
    """Return the next larger sizes that satisfy the relations between several symbols; empty if none is near."""
    larger = _related(conditions, sizes)
    return "; the next valid sizes are " + " and ".join(f"{name}={size}" for name, size in larger.items()) if larger else ""


def _nearest(conditions: Conditions, sizes: Mapping[str, int]) -> Mapping[str, int] | None:
    """Return the nearest valid sizes that are at least as large; None if none is known."""
    each = {name: condition.next_fit(sizes[name]) if (condition := conditions.get(name)) else sizes[name] for name in sizes}
    found = {**each, **(_related(conditions, each) or {})}
    return found if conditions.refusal(found) is None else None


def _related(conditions: Conditions, sizes: Mapping[str, int]) -> Mapping[str, int] | None:
    concerned = [name for name in sizes if any(name in relation.symbols for relation in conditions.relations)]
    if len(concerned) < 2 or len(_FURTHER) ** len(concerned) > _MOST_TRIED:
        return None
    for further in sorted(itertools.product(_FURTHER, repeat=len(concerned)), key=sum):
        larger = {name: sizes[name] + more for name, more in zip(concerned, further, strict=True)}
        if conditions.refusal({**sizes, **larger}) is None:
            return larger
    return None
