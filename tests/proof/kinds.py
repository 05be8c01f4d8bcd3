"""The kinds of steps that can be drawn: a layer, one repeated, one shared, nested lists, uses of blocks and networks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nnspec.layers import LAYERS
from nnspec.layers.base import Layer, Outputs
from nnspec.layers.compute import Compute
from nnspec.layers.recurrence import Recurrent
from nnspec.types import TensorType

from ..layers.arguments import draw_arguments
from .cells import draw_recurrence
from .expressions import drawn_expressions, tensors_of
from .steps import INPUT, Env, Misfit, Param, Part, Steps, built, inferred, run, written

__all__ = ["KINDS", "draw_plain", "fill", "plain"]

_COUNTS = ("units", "filters")
"""Arguments that become params."""

_KEEPING = ["BatchNormalization", "LayerNormalization", "Activation", "ReLU", "Dropout", "PReLU", "GaussianNoise", "Dense"]
"""Layers whose output has their input's shape, or can have."""


def fill(steps: Steps, count: int, kinds: Mapping[str, int] | None = None) -> None:
    """Draws steps until there are so many, or none is left; what does not fit is left out."""
    more = {"compute": steps.drawer.expressions, "recurrence": steps.drawer.recurrences}
    kinds = {**(kinds or _WEIGHTS), **{kind: weight for kind, weight in more.items() if weight}}
    names = list(kinds)
    weights = [kinds[name] for name in names]
    for _ in range(count * 3):
        if steps.size >= count or steps.drawer.left <= 0:
            return
        try:
            KINDS[steps.random.choices(names, weights)[0]](steps)
        except Misfit:
            continue


def draw_plain(steps: Steps, op: str | None = None, **given: Any) -> None:
    """One layer, with arguments drawn for what it reads; sometimes repeated or frozen."""
    drawer = steps.drawer
    op = op or steps.random.choice(drawer.ops)
    if op == "Compute":
        _compute(steps)
        return
    layer = LAYERS.get(op)
    assert issubclass(layer, Layer)
    reads = _reads(steps, layer)
    arguments = draw_arguments(steps.random, op, [steps.env.types[name] for name in reads.values()]) | given
    arguments = _with_params(steps, arguments)
    reads |= _states(steps, layer, arguments)
    name, keys = steps.named(op)
    keys |= steps.source(reads, layer)
    repeat = steps.random.randint(2, 3) if list(reads) == ["x"] and drawer.chance(0.06) else 1
    keys |= {"repeat": repeat} if repeat > 1 else {}
    keys |= {"freeze": True} if drawer.chance(0.05) else {}
    body = written(arguments)
    entry: Any = {op: body, **keys} if body or keys else op
    if not body and keys:
        entry = {op: None, **keys}
    if repeat > 1:
        steps.add(Part(name, entry, repeat, lambda env: _repeated(op, arguments, reads["x"], repeat, env)), [*reads.values()])
    else:
        steps.add(Part(name, entry, 1, lambda env: plain(name, op, arguments, reads, env)), [*reads.values()])


def plain(name: str, op: str, arguments: Mapping[str, Any], reads: Mapping[str, str], env: Env) -> Outputs:
    """What one layer gives."""
    layer, types = built(op, arguments, env.params), _types(reads, env)
    outputs = inferred(layer, types)
    env.layers[name] = (layer, types)
    return outputs


def _types(reads: Mapping[str, str], env: Env) -> dict[str, TensorType]:
    if not all(name in env.types for name in reads.values()):
        raise Misfit
    return {port: env.types[name] for port, name in reads.items()}


def _repeated(op: str, arguments: Mapping[str, Any], read: str, count: int, env: Env) -> Outputs:
    layer, outputs = built(op, arguments, env.params), {"output": env.types[read]}
    for _ in range(count):
        if set(outputs) != {"output"}:
            raise Misfit
        outputs = inferred(layer, {"x": outputs["output"]})
    return outputs


def _reads(steps: Steps, layer: type[Layer]) -> dict[str, str]:
    """What feeds the ports that must be fed."""
    first = steps.pick()
    if layer.ports.variadic:
        return {str(port): name for port, name in enumerate([first, *_fitting(steps, first, steps.random.randint(1, 2))])}
    if len(layer.ports.required) > 1:
        others = _fitting(steps, first, len(layer.ports.required) - 1)
        reads = dict(zip(layer.ports.required, [first, *others], strict=True))
        if "key" in layer.ports.optional and steps.drawer.chance(0.2):
            reads["key"] = _fitting(steps, reads["value"], 1)[0]
        return reads
    return dict.fromkeys(layer.ports.required, first)


def _fitting(steps: Steps, first: str, count: int) -> list[str]:
    """Other tensors, mostly of as many axes."""
    rank = steps.env.types[first].rank
    alike = [name for name in steps.readable() if name in steps.env.types and steps.env.types[name].rank == rank]
    same = [name for name in alike if steps.env.types[name].shape == steps.env.types[first].shape]
    pools = [pool for pool in (same, same, alike, steps.readable()) if pool]
    return [steps.random.choice(steps.random.choice(pools)) for _ in range(count)]


def _states(steps: Steps, layer: type[Layer], arguments: Mapping[str, Any]) -> dict[str, str]:
    """Initial states for a recurrent layer, where tensors of their size are about."""
    if not issubclass(layer, Recurrent) or steps.drawer.chance(0.5):
        return {}
    units = arguments["units"]
    size = steps.params[units.name] if isinstance(units, Param) else units
    vectors = [
        name for name, type in steps.env.types.items() if type.shape == (size,) and "float" in type.dtype and name != INPUT
    ]
    return {state: steps.random.choice(vectors) for state in layer.states} if vectors else {}


def _with_params(steps: Steps, arguments: dict[str, Any]) -> dict[str, Any]:
    """Some counts become params of the block around, or of the document."""
    for name in _COUNTS:
        if name in arguments and steps.params and arguments.get("groups", 1) == 1 and steps.drawer.chance(0.3):
            arguments[name] = Param(steps.random.choice(list(steps.params)))
    return arguments


def _share(steps: Steps) -> None:
    """An earlier layer once more, on another tensor of the size its weights are for."""
    owners = [
        name for name, (layer, types) in steps.env.layers.items() if list(layer.ports.required) == ["x"] and len(types) == 1
    ]
    if not owners:
        raise Misfit
    owner, read = steps.random.choice(owners), steps.pick()

    def again(env: Env) -> Outputs:
        layer, types = env.layers[owner]
        given = _types({"x": read}, env)
        if given["x"].rank != types["x"].rank or given["x"].is_integer != types["x"].is_integer:
            raise Misfit
        outputs = inferred(layer, given)
        if [w.shape for w in layer.weights(given)] != [w.shape for w in layer.weights(types)]:
            raise Misfit
        return outputs

    name = f"s{len(steps.env.types)}x"
    entry = {"share": owner, "name": name} | ({} if read == steps.above else {"from": read})
    if read == INPUT and read != steps.above:
        raise Misfit
    steps.add(Part(name, entry, 1, again), [read])


def _inner(steps: Steps, read: TensorType, count: int, keeping: bool = False) -> Steps:
    """A list of its own on an input without a name."""
    inner = Steps(steps.drawer, {INPUT: read}, steps.params)
    inner.hides_x = steps.hides_x or "x" in steps.inputs
    left = steps.drawer.left
    if keeping:
        for _ in range(count * 2):
            if inner.size < count:
                _keeping_step(inner, read)
    else:
        fill(inner, count, {"plain": 8, "residual": 1, "parallel": 1})
    steps.drawer.left = left
    if not inner.parts:
        raise Misfit
    return inner


def _keeping_step(steps: Steps, x: TensorType) -> None:
    last = x.shape[-1] if x.rank else None
    given: dict[str, dict[str, Any]] = {"Dense": {"units": last}}
    if x.rank in (2, 3, 4) and isinstance(last, int):
        conv = f"Conv{x.rank - 1}D"
        given[conv] = {"filters": last, "padding": "same", "strides": 1, "groups": 1}
    op = steps.random.choice([*_KEEPING, *(name for name in given if name != "Dense")])
    try:
        draw_plain(steps, op, **given.get(op, {}))
    except Misfit:
        return


def _nested(steps: Steps, op: str, body: Any, read: str, size: int, go: Callable[[TensorType, Env], TensorType]) -> None:
    """Appends a step that holds lists, repeated where its output is as its input."""
    name, keys = steps.named(op)
    if read != steps.above:
        keys |= {"from": read}
        if read == INPUT:
            raise Misfit
    repeat = steps.random.randint(2, 3) if steps.drawer.chance(0.1) else 1
    keys |= {"repeat": repeat} if repeat > 1 else {}
    keys |= {"freeze": True} if steps.drawer.chance(0.05) else {}

    def infer(env: Env) -> Outputs:
        type = _types({"x": read}, env)["x"]
        for _ in range(repeat):
            type = go(type, env)
        return {"output": type}

    steps.add(Part(name, {op: body, **keys}, size * repeat, infer), [read])


def _residual(steps: Steps) -> None:
    read = steps.pick()
    x = steps.env.types[read]
    shortcut = steps.drawer.chance(0.3)
    layers = _inner(steps, x, steps.random.randint(1, 3), keeping=not shortcut or steps.drawer.chance(0.5))
    around = _inner(steps, x, 1, keeping=True) if shortcut else None
    body = {"layers": [part.entry for part in layers.parts]}
    if around is not None:
        body["shortcut"] = [part.entry for part in around.parts]
    add = built("Add", {}, {})

    def go(type: TensorType, env: Env) -> TensorType:
        way = _through(layers, type, env)
        other = type if around is None else _through(around, type, env)
        return inferred(add, {"0": way, "1": other})["output"]

    _nested(steps, "Residual", body, read, layers.size + (around.size if around else 0) + 1, go)


def _through(inner: Steps, x: TensorType, env: Env) -> TensorType:
    last = run(inner.parts, Env({INPUT: x}, env.params))
    if last is None:
        raise Misfit
    return last


def _parallel(steps: Steps) -> None:
    read = steps.pick()
    x = steps.env.types[read]
    branches = [
        _inner(steps, x, steps.random.randint(1, 2), steps.drawer.chance(0.6)) for _ in range(steps.random.randint(2, 3))
    ]
    merge = steps.random.choice(
        ["Concatenate", "Concatenate", "Add", "Maximum", "Multiply", "Average", {"Concatenate": {"axis": 1}}]
    )
    op, arguments = (merge, {}) if isinstance(merge, str) else next(iter(merge.items()))
    layer = built(op, arguments, {})
    lists = [[part.entry for part in branch.parts] for branch in branches]
    body: dict[str, Any] = {"branches": lists}
    if steps.drawer.chance(0.3):
        body["branches"] = {f"way{number}": entries for number, entries in enumerate(lists)}
    if merge != "Concatenate" or steps.drawer.chance(0.5):
        body["merge"] = merge

    def go(type: TensorType, env: Env) -> TensorType:
        ways = {str(port): _through(branch, type, env) for port, branch in enumerate(branches)}
        return inferred(layer, ways)["output"]

    _nested(steps, "Parallel", body, read, sum(branch.size for branch in branches) + 1, go)


def _block(steps: Steps) -> None:
    """A use of a block: one that is there, or a new one."""
    drawer, read = steps.drawer, steps.pick()
    x = steps.env.types[read]
    if drawer.blocks and drawer.chance(0.6):
        name = steps.random.choice(list(drawer.blocks))
        inner, defaults, required = drawer.blocks[name]
    else:
        defaults = {"width": steps.random.randint(1, 4), "depth": steps.random.randint(1, 3)}
        required = steps.drawer.chance(0.5)
        inner = Steps(drawer, {"x": x}, defaults)
        left = drawer.left
        fill(inner, steps.random.randint(1, 4), {"plain": 8, "keep": 2, "residual": 1, "parallel": 1, "share": 1})
        drawer.left = left
        if not inner.parts:
            raise Misfit
        name = f"block{len(drawer.blocks)}"  # a cell in it may have brought blocks of its own
    given = {"width": steps.random.randint(1, 4)} if required or drawer.chance(0.3) else {}
    values = drawer.params | defaults | given
    known = name in drawer.blocks
    drawer.blocks[name] = (inner, defaults, required)
    try:
        _nested(steps, name, given or None, read, inner.size, lambda given_type, _: _block_run(inner, given_type, values))
    except Misfit:
        if not known:
            del drawer.blocks[name]
        raise


def _block_run(inner: Steps, x: TensorType, values: Mapping[str, Any]) -> TensorType:
    last = run(inner.parts, Env({"x": x}, values))
    if last is None:
        raise Misfit
    return last


def _network(steps: Steps) -> None:
    """A use of a network that is there: the same weights each time."""
    fitting = [
        (name, read)
        for name, net in steps.drawer.networks.items()
        for read in steps.readable()
        if net.takes(steps.env.types[read])
    ]
    if not fitting:
        raise Misfit
    op, read = steps.random.choice(fitting)
    net = steps.drawer.networks[op]
    name, keys = steps.named(op)
    if read == INPUT:
        raise Misfit
    keys |= {} if read == steps.above else {"from": read}

    def infer(env: Env) -> Outputs:
        return {"output": net.through(_types({"x": read}, env)["x"])}

    steps.add(Part(name, {op: None, **keys} if keys else op, net.steps.size, infer), [read])


def _keep(steps: Steps) -> None:
    _keeping_step(steps, steps.env.types[steps.above or steps.pick()])


def _compute(steps: Steps) -> None:
    """Expressions of up to three tensors: by their names, by others, or of the tensor before as ``x``."""
    random, drawer = steps.random, steps.drawer
    known = [name for name in steps.readable() if name != INPUT]
    chosen = list(dict.fromkeys([steps.pick(), *random.sample(known, min(len(known), random.randint(0, 2)))]))
    if INPUT in chosen or (len(chosen) == 1 and chosen[0] == steps.above and "x" not in known and drawer.chance(0.5)):
        if chosen[0] != steps.above or "x" in steps.params or steps.hides_x:
            raise Misfit
        reads, source = {"x": chosen[0]}, {}
    elif drawer.chance(0.4) and not {"x", *steps.params} & set(chosen):
        reads, source = {name: name for name in chosen}, {}
    else:
        reads = dict(zip("pqr", chosen, strict=False))
        source = {"from": dict(reads)}
    types = _types(reads, steps.env)
    results = drawn_expressions(random, types, steps.params, first="output" if drawer.chance(0.6) else "first")
    if results is None:
        raise Misfit
    used = tensors_of(results, types)
    source = {key: {name: read for name, read in given.items() if name in used} for key, given in source.items()}
    if list(results) == ["output"] and drawer.chance(0.8):
        body: Any = results["output"]
    else:
        body = results
    name, keys = steps.named("Compute")

    def infer(env: Env) -> Outputs:
        layer = Compute(results=results, reads=used, params=dict(env.params))
        return inferred(layer, _types({port: reads[port] for port in used}, env))

    steps.add(Part(name, {"Compute": body, **keys, **source}, 1, infer), [reads[port] for port in used])


KINDS: dict[str, Callable[[Steps], None]] = {
    "plain": draw_plain,
    "keep": _keep,
    "share": _share,
    "residual": _residual,
    "parallel": _parallel,
    "block": _block,
    "network": _network,
    "compute": _compute,
    "recurrence": lambda steps: draw_recurrence(steps, fill),
}

_WEIGHTS = {"plain": 12, "keep": 2, "share": 1, "residual": 1, "parallel": 1, "block": 1, "network": 2}
