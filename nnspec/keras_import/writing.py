"""Writing of a spec, in the style of ``nnspec fmt``."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from nnspec.functions.names import CONSTANTS
from nnspec.keras_import.arguments import written
from nnspec.keras_import.folding import FoldedBlock
from nnspec.keras_import.planned import PlannedNetwork, PlannedStep
from nnspec.layers import snake_name
from nnspec.layers.base import Layer
from nnspec.layers.compute import Compute
from nnspec.spec.expand import default_name
from nnspec.spec.scalars import resolve_plain
from nnspec.types import TensorType
from nnspec.types.plain import plain

__all__ = ["document"]

_WIDTH = 128
_PLAIN = re.compile(r"\$?[A-Za-z_][A-Za-z0-9_./-]*")


def document(
    name: str, networks: Mapping[str, PlannedNetwork], blocks: Mapping[str, FoldedBlock] | None = None, *,
    description: str = "", weights: str | None = None,
) -> str:  # fmt: skip
    """Return the text of a spec.

    Args:
        name: The model's name.
        networks: Its networks by name, in dependency order; the model itself is ``main``.
        blocks: The blocks that they use.
        description: Its description.
        weights: The file with its initial weights.
    """
    lines = ["nnspec: 1", f"name: {_flow(name)}"]
    lines += [f"description: {_flow(description)}"] if description else []
    lines += [f"weights: {{file: {_flow(weights)}}}"] if weights else []
    lines += ["blocks:"] if blocks else []
    for block, held in (blocks or {}).items():
        lines += [f"  {block}:", *(f"    {line}" for line in _block(held))]
    others = [network for network in networks.values() if network.name != "main"]
    lines += ["networks:"] if others else []
    for network in others:
        lines += [f"  {network.name}:", *(f"    {line}" for line in _network(network))]
    return "\n".join([*lines, *_network(networks["main"])]) + "\n"


def _block(block: FoldedBlock) -> Iterator[str]:
    if block.params:
        yield f"params: {_flow(block.params)}"
    yield "layers:"
    for entry in _steps(block.network):
        yield from (f"  {line}" for line in entry)


def _network(network: PlannedNetwork) -> Iterator[str]:
    yield "inputs:"
    yield from (f"  {name}: {_flow(_type(type_))}" for name, type_ in network.inputs.items())
    yield "layers:"
    for entry in _steps(network):
        yield from (f"  {line}" for line in entry)
    outputs = network.outputs
    if list(outputs.values()) == [network.steps[-1].name] and list(outputs) == list(outputs.values()):
        return
    if list(outputs) == list(outputs.values()) and not set(outputs) & set(network.inputs):
        yield f"outputs: {_flow(list(outputs))}"
    else:
        yield f"outputs: {_flow(outputs)}"


def _type(type_: TensorType) -> Any:
    sizes = [size if isinstance(size, int) else str(size) for size in type_.shape]
    return sizes if type_.dtype == "float32" else {"shape": sizes, "dtype": type_.dtype}


def _steps(network: PlannedNetwork) -> Iterator[list[str]]:
    names = {step.name for step in network.steps} | set(network.inputs)
    ends = {text.partition(".")[0] for text in network.outputs.values()}
    numbers: dict[str, int] = {}
    above: PlannedStep | None = None
    for step in network.steps:
        of_network = "time_distributed" if step.every_step else step.network
        base = step.share or step.block or of_network or snake_name(type(step.layer).__name__)
        number = numbers.get(base, 0)
        names.discard(step.name)
        named = default_name(base, names, numbers) != step.name
        names.add(step.name)
        if named:
            numbers[base] = number
        if isinstance(step.layer, Compute):
            step = _in_scope(step, step.layer, above, network, ends)
            source: Any = dict(step.sources) or None
            yield _step(step, named, source["x"] if source and list(source) == ["x"] else source)
        else:
            yield _step(step, named, _source(step, above, network, ends))
        above = step


def _source(step: PlannedStep, above: PlannedStep | None, network: PlannedNetwork, ends: set[str]) -> Any:
    """Return the value of ``from``; None if it is the default."""
    sources = step.sources
    if isinstance(step.layer, Layer) and step.layer.ports.variadic:
        return [sources[str(number)] for number in range(len(sources))]
    implied = above.name if above is not None else next(iter(network.inputs)) if len(network.inputs) == 1 else None
    optional = step.layer.ports.optional if step.layer is not None else ()
    feeds_all = step.layer is not None and step.layer.ports.one_feeds_all and not set(optional) & set(sources)
    if not sources:
        return None
    if len(sources) == 1 or (feeds_all and len(set(sources.values())) == 1):
        [text] = set(sources.values())
        listed = above is not None and above.name in ends  # explicit if the step before is an output
        return None if text == implied and not listed else text
    return dict(sources)


def _in_scope(
    step: PlannedStep, layer: Compute, above: PlannedStep | None, network: PlannedNetwork, ends: set[str]
) -> PlannedStep:
    """Return a step whose expressions read earlier steps by their names, where possible; its sources become its ``from``."""
    implied = above.name if above is not None else next(iter(network.inputs)) if len(network.inputs) == 1 else None
    is_x = "x" in network.inputs or any(one.name == "x" for one in network.steps)
    if list(step.sources.values()) == [implied] and not is_x and not (above is not None and above.name in ends):
        return replace(step, layer=_renamed(layer, dict.fromkeys(step.sources, "x")), sources={})
    if all(_NAME.fullmatch(text) and text not in ("x", *CONSTANTS, *layer.results) for text in step.sources.values()):
        return replace(step, layer=_renamed(layer, step.sources), sources={})
    return step


_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)?")


def _renamed(layer: Compute, names: Mapping[str, str]) -> Compute:
    """Return expressions with other names of their tensors."""
    tensor = re.compile(rf"(?<![\w.'])({'|'.join(map(re.escape, names))})(?![\w(]| ?=[^=])")

    def renamed(text: str) -> str:
        parts = text.split("'")  # those at odd places are strings
        parts[::2] = [tensor.sub(lambda match: names[match[1]], part) for part in parts[::2]]
        return "'".join(parts)

    return Compute(results={result: renamed(text) for result, text in layer.results.items()}, reads=list(names.values()))


def _step(step: PlannedStep, named: bool, source: Any) -> list[str]:
    beside: dict[str, Any] = {"name": step.name} if named else {}
    beside |= {"from": source} if source is not None else {}
    beside |= {"repeat": step.repeat} if step.repeat > 1 else {}
    beside |= {"as": "i"} if step.counts else {}
    beside |= {"freeze": True} if step.frozen and step.share is None else {}
    if step.share is not None:
        lines = [f"- share: {_flow({'layer': step.share, **step.calling} if step.calling else step.share)}"]
    elif step.block is not None:
        lines = [f"- {step.block}: {_flow(step.arguments)}" if step.arguments else f"- {step.block}" + (":" if beside else "")]
    elif step.every_step:
        lines = [f"- TimeDistributed: {step.network}"]
    elif isinstance(step.layer, Compute):
        lines = list(_expressions(step.layer.results))
    elif step.layer is None:
        lines = [f"- {step.network}" + (":" if beside else "")]
    else:
        same = type(step.layer).__name__ == step.keras.kind
        order = list(step.keras.config) if same else list(type(step.layer).model_fields)
        lines = _operation(step.layer, order, bool(beside), step.arguments)
    for key, value in beside.items():
        lines += _entry(key, value)
    return lines


def _expressions(results: Mapping[str, str]) -> Iterator[str]:
    if list(results) == ["output"]:
        yield f"- Compute: {_expression(results['output'])}"
        return
    yield "- Compute:"
    yield from (f"    {name}: {_expression(text)}" for name, text in results.items())


def _expression(text: str) -> str:
    """Return an expression, quoted if YAML would read it as something else."""
    return (
        text if re.match(r"[A-Za-z0-9(~]|-[A-Za-z0-9(]", text) and ": " not in text and " #" not in text else json.dumps(text)
    )


def _operation(layer: Layer, order: list[str], beside: bool, params: Mapping[str, Any]) -> list[str]:
    """Return a layer with its non-default arguments, in the order of Keras's config or of the layer."""
    value = plain(layer)
    if isinstance(value, str) and not params:
        return [f"- {value}" + (":" if beside else "")]
    [(op, given)] = [(value, {})] if isinstance(value, str) else value.items()
    short = {**written(layer, given), **params}
    arguments = {name: short[name] for name in sorted(short, key=lambda n: order.index(n) if n in order else len(order))}
    main = layer.main_argument
    if main is not None and list(arguments) == [main] and not isinstance(arguments[main], dict):
        line = f"- {op}: {_flow(arguments[main])}"
    else:
        line = f"- {op}: {_flow(arguments)}"
    if len(line) + 2 <= _WIDTH:
        return [line]
    return [f"- {op}:", *(f"  {line}" for key, value in arguments.items() for line in _entry(key, value))]


def _entry(key: str, value: Any) -> list[str]:
    """Return ``key: value`` under a step's first line; a mapping that is too wide becomes a block."""
    line = f"  {key}: {_flow(value)}"
    if len(line) + 4 <= _WIDTH or not isinstance(value, dict):
        return [line]
    return [f"  {key}:", *(f"  {inner}" for name, item in value.items() for inner in _entry(name, item))]


def _flow(value: Any) -> str:
    """Return a value on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_flow(str(key))}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, float):
        return _float(value)
    text = str(value)
    if isinstance(value, int) or (_PLAIN.fullmatch(text) and isinstance(resolve_plain(text), str)):
        return text
    return json.dumps(text, ensure_ascii=False)


def _float(value: float) -> str:
    if not math.isfinite(value):
        return {math.inf: ".inf", -math.inf: "-.inf"}.get(value, ".nan")
    return repr(value)
