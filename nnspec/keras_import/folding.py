"""Folding of an imported spec: repeated steps become blocks and `repeat`, names their defaults.

The longest savings are taken first, and blocks can contain blocks. `Imported.folded` proves the result equal to the flat spec.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from nnspec.keras_import.arguments import written
from nnspec.keras_import.model import KerasModel
from nnspec.keras_import.planned import PlannedNetwork, PlannedStep
from nnspec.layers import snake_name
from nnspec.layers.base import Layer
from nnspec.layers.compute import Compute
from nnspec.layers.parameter import Parameter
from nnspec.spec.draft import STEP_KEYS
from nnspec.spec.expand import default_name
from nnspec.spec.shapes import NAME
from nnspec.types import TensorType
from nnspec.types.plain import plain

__all__ = ["FoldedBlock", "folded"]

_LONGEST = 60
"""The most steps of a block."""

_MOST_PARAMS = 6

_MOST_STEPS = 5_000
"""The most steps of a document that is folded; NASNetLarge has about a thousand."""

_LEAST = 4
"""The fewest lines that a block must save."""

Source = tuple[int | str, str]
"""The number of an item, or the name of an input, and an output of it (empty for the only one)."""


@dataclass(frozen=True)
class FoldedBlock:
    """A block of a folded spec.

    Attributes:
        network: Its steps; its input is ``x``.
        params: Its params: a default, or a type.
    """

    network: PlannedNetwork
    params: Mapping[str, Any]


@dataclass(frozen=True)
class _Item:
    """A step, or a use of a block.

    Attributes:
        number: Its number; a use of a block has that of its last step.
        step: The step; for a use of a block, what is written.
        key: What must be equal in all places of a block.
        arguments: What can be a param.
        sources: Its sources by port.
        is_fixed: Whether it cannot be in a block.
    """

    number: int
    step: PlannedStep
    key: Hashable
    arguments: Mapping[str, Any]
    sources: Mapping[str, Source]
    is_fixed: bool = False


@dataclass
class _Folding:
    """The blocks that all networks of a document share."""

    names: set[str]
    blocks: dict[str, FoldedBlock] = field(default_factory=dict)


def folded(networks: Mapping[str, PlannedNetwork]) -> tuple[dict[str, PlannedNetwork], dict[str, FoldedBlock]]:
    """Fold networks: returns them with uses of blocks and default names, and the blocks."""
    if sum(len(network.steps) for network in networks.values()) > _MOST_STEPS:
        return dict(networks), {}
    folding = _Folding({*networks, *STEP_KEYS})
    found = {name: _network(network, folding) for name, network in networks.items()}
    return found, folding.blocks


def _network(network: PlannedNetwork, folding: _Folding) -> PlannedNetwork:
    shown = {text.partition(".")[0] for text in network.outputs.values()}
    items = _items(network)
    ends = {item.number for item in items if item.step.name in shown}
    while (found := _best(items, ends, folding)) is not None:
        items = _joined(_replaced(items, *found, folding), ends)
    return _named(network, _counted(items, ends), shown)


def _items(network: PlannedNetwork) -> list[_Item]:
    numbers = {step.name: number for number, step in enumerate(network.steps)}
    shared = {step.share for step in network.steps if step.share is not None}

    def source(text: str) -> Source:
        name, _, output = text.partition(".")
        return (numbers[name], output) if name in numbers else (name, output)

    items = []
    for number, step in enumerate(network.steps):
        sources = {port: source(text) for port, text in step.sources.items()}
        is_fixed = step.layer is None or step.share is not None or step.name in shared or isinstance(step.layer, Parameter)
        given = {} if step.layer is None or isinstance(step.layer, Compute) else _given(step.layer)
        arguments = {name: value for name, value in given.items() if _can_be_param(value)}
        rest = tuple((name, repr(value)) for name, value in given.items() if name not in arguments)
        text = tuple(step.layer.results.items()) if isinstance(step.layer, Compute) else ()
        optional = (
            () if step.layer is None else tuple(sorted(n for n in arguments if not _can_be_param(_default(step.layer, n))))
        )
        key = (type(step.layer).__name__, rest, optional, text, step.frozen, step.every_step, step.network)
        items.append(_Item(number, step, key, arguments, sources, is_fixed))
    return items


def _given(layer: Layer, *, defaults: bool = False) -> dict[str, Any]:
    value = plain(layer, defaults=defaults)
    [given] = value.values() if isinstance(value, dict) else [{}]
    return written(layer, given)


def _default(layer: Layer, name: str) -> Any:
    """Return the default of an argument; None if it has none."""
    kind = type(layer).model_fields[name]
    return None if kind.is_required() else plain(kind.default)


def _can_be_param(value: Any) -> bool:
    is_list = isinstance(value, list) and all(type(item) is int for item in value)
    return is_list or isinstance(value, bool | int | float | str)


# --- finding -------------------------------------------------------------------------------------------------------------


def _best(items: list[_Item], ends: set[int], folding: _Folding) -> tuple[list[int], int, list[dict[str, Any]]] | None:
    """Return the places, the length, and the differing arguments of the block that saves most; None if none does."""
    places = {item.number: place for place, item in enumerate(items)}
    last_reader = dict.fromkeys(range(len(items)), -1)
    for place, item in enumerate(items):
        for source, _ in item.sources.values():
            if isinstance(source, int):
                last_reader[places[source]] = place
    keys: dict[Hashable, int] = {}
    numbers = [keys.setdefault(item.key, len(keys)) for item in items]
    best, most = None, _LEAST - 1
    for length, starts in _alike(items, numbers, places, last_reader, ends):
        chosen = _apart(starts, length)
        if len(chosen) < 2 or _repeats(numbers[chosen[0] : chosen[0] + length]):
            continue
        lines = sum(_lines(items[place]) for place in range(chosen[0], chosen[0] + length))
        if (len(chosen) - 1) * lines - 5 <= most:
            continue
        params = _params(items, chosen, length)
        if len(params[0]) > _MOST_PARAMS:
            continue
        uses = 1 + sum(not (chosen[n] == chosen[n - 1] + length and params[n] == params[n - 1]) for n in range(1, len(chosen)))
        saved = (len(chosen) - 1) * lines - 3 - len(params[0]) - 2 * uses
        if saved > most:
            best, most = (chosen, length, params), saved
    return best


def _alike(
    items: list[_Item], numbers: list[int], places: Mapping[int, int], last_reader: Mapping[int, int], ends: set[int]
) -> Iterator[tuple[int, list[int]]]:
    """Yield the segments that can be a block, in groups of equal structure: their length and where they start.

    A segment has one source outside, and only its last step is read from outside.
    """
    prefixes: dict[tuple[int, Hashable], int] = {}
    found: dict[int, tuple[int, list[int]]] = {}
    for start in range(len(items)):
        outer: set[Source] = set()
        prefix, read = -1, -1
        for place in range(start, min(len(items), start + _LONGEST)):
            item = items[place]
            if item.is_fixed or len(outer) > 1:
                break
            relative = []
            for port, (source, output) in item.sources.items():
                at = places[source] if isinstance(source, int) else -1
                if at < start:
                    outer.add((source, output))
                relative.append((port, at - start, output) if at >= start else (port, "x", ""))
            prefix = prefixes.setdefault((prefix, (numbers[place], tuple(relative))), len(prefixes))
            if place > start and len(outer) == 1 and read <= place and not _has_outputs(item):
                found.setdefault(prefix, (place - start + 1, []))[1].append(start)
            if item.number in ends:
                break
            read = max(read, last_reader[place])
    yield from found.values()


def _repeats(numbers: list[int]) -> bool:
    """Whether a segment is a shorter one several times."""
    length = len(numbers)
    return any(numbers == numbers[:part] * (length // part) for part in range(1, length // 2 + 1) if length % part == 0)


def _has_outputs(item: _Item) -> bool:
    return len(item.step.gives) > 1


def _apart(starts: list[int], length: int) -> list[int]:
    chosen: list[int] = []
    for start in starts:
        if not chosen or start >= chosen[-1] + length:
            chosen.append(start)
    return chosen


def _lines(item: _Item) -> int:
    """About how many lines a step has."""
    given = {} if item.step.layer is None or isinstance(item.step.layer, Compute) else _given(item.step.layer)
    return 1 + (len(item.sources) > 1) + (len(given) if len(str(given)) > 100 else 0)


def _params(items: list[_Item], starts: list[int], length: int) -> list[dict[str, Any]]:
    """Return the arguments that differ, ``place.name``, in each place."""
    found: list[dict[str, Any]] = [{} for _ in starts]
    for offset in range(length):
        here = [items[start + offset] for start in starts]
        names = dict.fromkeys(name for item in here for name in item.arguments)
        for name in names:
            values = [_argument(item, name) for item in here]
            if any(value != values[0] for value in values):
                for each, value in zip(found, values, strict=True):
                    each[f"{offset}.{name}"] = value
    vectors: dict[str, str] = {}
    for name in found[0]:
        vectors.setdefault(repr([each[name] for each in found]), name)
    kept = set(vectors.values())
    return [{name: value for name, value in each.items() if name in kept} for each in found]


def _argument(item: _Item, name: str) -> Any:
    if name in item.arguments:
        return item.arguments[name]
    assert item.step.layer is not None
    return _given(item.step.layer, defaults=True).get(name)


# --- replacing -----------------------------------------------------------------------------------------------------------


def _replaced(
    items: list[_Item], starts: list[int], length: int, params: list[dict[str, Any]], folding: _Folding
) -> list[_Item]:
    """Replace segments by uses of a new block."""
    first = items[starts[0] : starts[0] + length]
    called = _param_names(first, params[0])
    inside = {item.number for item in first}
    values = {f"{offset}.{name}": [_argument(items[start + offset], name) for start in starts]
              for offset, item in enumerate(first) for name in _all_names(items, starts, offset)}  # fmt: skip
    by_vector = {repr([each[key] for each in params]): called[key] for key in called}
    body = []
    for offset, item in enumerate(first):
        own = {
            name: f"${by_vector[repr(values[f'{offset}.{name}'])]}"
            for name in _all_names(items, starts, offset)
            if repr(values[f"{offset}.{name}"]) in by_vector and len({repr(v) for v in values[f"{offset}.{name}"]}) > 1
        }
        sources = {port: source if source[0] in inside else ("x", "") for port, source in item.sources.items()}
        step = replace(item.step, arguments={**item.step.arguments, **own})
        body.append(replace(item, step=step, sources=sources))
    name = _block_name(first, folding)
    inner = PlannedNetwork(name, _NO_MODEL, inputs={"x": TensorType((), "float32")})
    network = _named(inner, body, set())
    defaults = {key: _common([each[key] for each in params]) for key in called}
    folding.blocks[name] = FoldedBlock(network, {called[key]: _declared(defaults[key], params[0][key]) for key in called})
    folding.names.add(name)
    made: list[_Item] = []
    place = 0
    for start, given in zip(starts, params, strict=True):
        made += items[place:start]
        place = start + length
        arguments = {called[key]: value for key, value in given.items() if value != defaults[key] or defaults[key] is None}
        full = {called[key]: value for key, value in given.items()}
        outer = next(s for item in items[start:place] for s in item.sources.values() if not _within(s, items[start:place]))
        step = replace(
            items[place - 1].step, layer=None, network=None, block=name, arguments=arguments, frozen=False, gives={}, repeat=1
        )
        made.append(_Item(items[place - 1].number, step, ("block", name), full, {"x": outer}))
    return made + items[place:]


_NO_MODEL = KerasModel("", {}, {}, {})


def _within(source: Source, items: list[_Item]) -> bool:
    return any(item.number == source[0] for item in items)


def _all_names(items: list[_Item], starts: list[int], offset: int) -> list[str]:
    return list(dict.fromkeys(name for start in starts for name in items[start + offset].arguments))


def _param_names(items: list[_Item], given: Mapping[str, Any]) -> dict[str, str]:
    """Return a name for each param: its argument's, with its layer's if that is taken."""
    found: dict[str, str] = {}
    for key in given:
        offset, _, name = key.partition(".")
        item = items[int(offset)]
        base = item.step.block or snake_name(type(item.step.layer).__name__)
        number, legal = 1, name if name not in STEP_KEYS else f"{base}_{name}"
        while legal in found.values():
            number += 1
            legal = f"{base}_{name}" if number == 2 else f"{base}_{name}_{number - 1}"
        found[key] = legal
    return found


def _common(values: list[Any]) -> Any:
    """Return the value of at least half of the uses; None if there is none."""
    counts = Counter(map(repr, values))
    text, count = counts.most_common(1)[0]
    return next(value for value in values if repr(value) == text) if 2 * count >= len(values) and count > 1 else None


def _declared(default: Any, value: Any) -> Any:
    if default is not None:
        return default
    if isinstance(value, list):
        return ["int"] * len(value)
    return {bool: "bool", int: "int", float: "float"}.get(type(value), "str")


_SHORT = {
    "batch_normalization": "norm", "layer_normalization": "norm", "depthwise_conv2d": "depthwise", "conv2d": "conv",
    "multi_head_attention": "attention", "global_average_pooling2d": "pool", "activation": "act", "re_lu": "relu",
}  # fmt: skip


def _block_name(items: list[_Item], folding: _Folding) -> str:
    """Return a name that tells what a block does."""
    kinds = [item.step.block or snake_name(type(item.step.layer).__name__) for item in items]
    joins = {kind for item, kind in zip(items, kinds, strict=True) if len(item.sources) > 1}
    if "add" in joins:
        base = "residual"
    elif "concatenate" in joins:
        base = "concatenated"
    elif "multiply" in joins:
        base = "gated"
    else:
        parts = list(dict.fromkeys(_SHORT.get(kind, kind) for kind in kinds))
        base = "_".join(parts) if len(parts) <= 3 else f"{parts[0]}_block"
    base = re.sub(r"[^a-z0-9_]", "", base)
    name, number = base, 1
    while name in folding.names:
        number += 1
        name = f"{base}_{number}"
    return name


def _joined(items: list[_Item], ends: set[int]) -> list[_Item]:
    """Join uses of a block that follow each other with the same arguments to one with `repeat`."""
    readers = Counter(source for item in items for source, _ in dict.fromkeys(item.sources.values()))
    made: list[_Item] = []
    for item in items:
        before = made[-1] if made else None
        if (
            before is not None and item.step.block is not None and item.step.block == before.step.block
            and dict(item.arguments) == dict(before.arguments) and item.sources == {"x": (before.number, "")}
            and readers[before.number] == 1 and before.number not in ends
        ):  # fmt: skip
            repeat = before.step.repeat + item.step.repeat
            step = replace(item.step, repeat=repeat)
            made[-1] = replace(item, step=step, sources=before.sources, key=("block", item.step.block, repeat))
        else:
            made.append(item)
    return made


def _counted(items: list[_Item], ends: set[int]) -> list[_Item]:
    """Join uses of a block in a row whose floats are in proportion to a counter, such as rates of dropout."""
    readers = Counter(source for item in items for source, _ in dict.fromkeys(item.sources.values()))
    made: list[_Item] = []
    place = 0
    while place < len(items):
        run = [items[place]]
        for item in items[place + 1 :]:
            before = run[-1]
            follows = item.step.block is not None and item.key == before.key and item.sources == {"x": (before.number, "")}
            if (
                not follows
                or readers[before.number] != 1
                or before.number in ends
                or item.arguments.keys() != before.arguments.keys()
            ):
                break
            run.append(item)
        while len(run) > 2 and (found := _by_counter([item.step.arguments for item in run])) is None:
            run.pop()
        if len(run) > 2 and found is not None:
            step = replace(run[-1].step, arguments=found, repeat=len(run), counts=True)
            made.append(replace(run[-1], step=step, sources=run[0].sources))
            place += len(run)
        else:
            made.append(items[place])
            place += 1
    return made


def _by_counter(given: list[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Return arguments as expressions of the counter `i`; None if there are none for all of them."""
    if any(each.keys() != given[0].keys() for each in given):
        return None
    found = {}
    for name in given[0]:
        values = [each[name] for each in given]
        if all(value == values[0] for value in values):
            found[name] = values[0]
        elif (text := _proportion(values)) is None:
            return None
        else:
            found[name] = text
    return found


def _proportion(values: list[Any]) -> str | None:
    """Return an expression ``a * (i + b) / n`` that gives exactly these floats for i = 0, 1, …"""
    if not all(isinstance(value, float) for value in values):
        return None
    step = (values[-1] - values[0]) / (len(values) - 1)
    first = round(values[0] / step) if step else 0
    for whole in range(1, 500):
        factor = round(step * whole, 6)
        if factor and all(factor * (place + first) / whole == value for place, value in enumerate(values)):
            counter = "i" if first == 0 else f"(i + {first})" if first > 0 else f"(i - {-first})"
            return f"${{{factor!r} * {counter} / {whole}}}"
    return None


# --- naming --------------------------------------------------------------------------------------------------------------


def _named(network: PlannedNetwork, items: list[_Item], shown: set[str]) -> PlannedNetwork:
    """Return a network of items with default names; outputs keep theirs."""
    used = {*network.inputs, *(name for name in shown if NAME.fullmatch(name))}
    numbers: dict[str, int] = {}
    names: dict[int, str] = {}
    shares: dict[str, str] = {}
    steps = []
    for item in items:
        step = item.step
        share = shares.get(step.share, step.share) if step.share is not None else None
        of_network = "time_distributed" if step.every_step else step.block or step.network
        base = share or of_network or snake_name(type(step.layer).__name__)
        name = step.name if step.name in used and step.name in shown else default_name(base, used, numbers)
        used.add(name)
        shares[step.name] = name
        names[item.number] = name
        sources = {
            port: (names[source] if isinstance(source, int) else source) + (f".{output}" if output else "")
            for port, (source, output) in item.sources.items()
        }
        steps.append(replace(step, name=name, share=share, sources=sources))
    outputs = {}
    for key, text in network.outputs.items():
        name, dot, output = text.partition(".")
        outputs[key] = shares.get(name, name) + dot + output
    return replace(network, steps=steps, outputs=outputs)
