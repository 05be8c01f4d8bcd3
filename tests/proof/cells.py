"""Recurrences drawn at random: cells that are blocks, networks or built in, and what each must come to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from nnspec.layers.base import Outputs
from nnspec.layers.compute import Compute
from nnspec.layers.recurrent_cells import CELLS
from nnspec.types import Dim, TensorType, same_size, symbol, symbols_of

from ..layers.arguments import draw_arguments
from .steps import INPUT, Drawer, Env, Misfit, Part, Steps, built, inferred, run

__all__ = ["DrawnCell", "declared", "draw_recurrence"]

_REFUSED = frozenset(
    {"BatchNormalization", "SpectralNormalization", "Normalization", "ActivityRegularization", "activity_regularizer"}
)
"""What cannot run in a cell."""

_KINDS = {"plain": 6, "keep": 3, "share": 1, "residual": 1, "parallel": 1, "block": 1, "network": 1}
_MERGES = {"concat": "Concatenate", "sum": "Add", "mul": "Multiply", "ave": "Average"}
_DEEPEST = 2


@dataclass(frozen=True)
class DrawnCell:
    """A block or network of the document that is a cell.

    Attributes:
        inputs: Its inputs with their declared types; None for a block that takes any.
        steps: Its steps, as they were drawn.
        states: The inputs that are states.
        outputs: The tensor of each output, by the names that ``from`` knows.
        params: Default values of its params.
        is_network: Whether it is a network.
    """

    inputs: dict[str, TensorType | None]
    steps: Steps
    states: tuple[str, ...]
    outputs: dict[str, str]
    params: dict[str, Any]
    is_network: bool

    @property
    def entry(self) -> dict[str, Any]:
        """The block or network as the document has it."""
        body = {"params": self.params} if self.params else {}
        kinds = {name: None if type_ is None else declared(type_) for name, type_ in self.inputs.items()}
        return body | {"inputs": kinds, "layers": [part.entry for part in self.steps.parts], "outputs": self.outputs}

    def step(self, given: Mapping[str, TensorType], params: Mapping[str, Any]) -> tuple[Outputs, Outputs]:
        """The types of the states before a step, and of all outputs after it.

        Raises:
            Misfit: If the cell does not take the inputs, or its states change their types.
        """
        sizes: dict[str, int | Dim] = {}
        for name, type_ in given.items():
            _bind(self.inputs[name], type_, sizes)
        states = {name: given.get(name) or _bound(self.inputs[name], sizes) for name in self.states}
        env = Env({name: given.get(name) or states[name] for name in self.inputs}, params)
        if run(self.steps.parts, env) is None:
            raise Misfit
        after = {output: env.types[name].masked(None) for output, name in self.outputs.items()}
        if any((after[name].shape, after[name].dtype) != (states[name].shape, states[name].dtype) for name in states):
            raise Misfit
        _check_sized([type_ for name, type_ in given.items() if name not in states], [*states.values(), *after.values()])
        return states, after


def _bind(wanted: TensorType | None, given: TensorType, sizes: dict[str, int | Dim]) -> None:
    if wanted is None:
        return
    if (wanted.rank, wanted.dtype) != (given.rank, given.dtype):
        raise Misfit
    for size, actual in zip(wanted.shape, given.shape, strict=True):
        if sizes.setdefault(str(size), actual if isinstance(size, Dim) else size) != actual:
            raise Misfit


def _bound(wanted: TensorType | None, sizes: Mapping[str, int | Dim]) -> TensorType:
    if wanted is None or any(str(size) not in sizes for size in wanted.shape if isinstance(size, Dim)):
        raise Misfit
    return TensorType(tuple(sizes[str(size)] if isinstance(size, Dim) else size for size in wanted.shape), wanted.dtype)


def _check_sized(known: list[TensorType], needed: list[TensorType]) -> None:
    """States and outputs that start from zeros have sizes of numbers, or of sequences and constants."""
    sizes = {str(size) for type_ in known for size in type_.shape}
    for type_ in needed:
        for size in type_.shape:
            if isinstance(size, Dim) and str(size) not in sizes and symbols_of(size) - sizes:
                raise Misfit


def declared(type_: TensorType) -> Any:
    """A type as inputs declare it."""
    shape = [size if isinstance(size, int) else str(size) for size in type_.shape]
    return shape if type_.dtype == "float32" else {"shape": shape, "dtype": type_.dtype}


def draw_recurrence(steps: Steps, fill: Any) -> None:
    """A recurrence of a cell: one that is there, a new one, or a built-in one; in one direction or two, or at each step.

    Args:
        steps: The list that it goes to.
        fill: What draws the steps of a cell.
    """
    drawer, random = steps.drawer, steps.random
    if drawer.depth >= _DEEPEST:
        raise Misfit
    read = _sequence(steps)
    x = steps.env.types[read]
    way = random.choice(["RNN"] * 6 + ["Bidirectional"] * 2 + ["TimeDistributed"])
    if way == "TimeDistributed":
        if x.rank < 2 or (x.mask is not None and len(x.mask) > 1):
            raise Misfit
        x = TensorType(x.shape[1:], x.dtype)
    reads = {"x": read}
    if random.random() < 0.3:
        cell: DrawnCell | str = random.choice(list(CELLS.modules))
        arguments = draw_arguments(random, str(cell), [x])
    else:
        name, cell, extra = _cell(steps, x, fill, alone=way == "TimeDistributed")
        reads |= extra
        arguments = {"width": random.randint(1, 4)} if cell.params and drawer.chance(0.3) else {}
    op = cell if isinstance(cell, str) else name
    _draw_run(steps, op, cell, arguments, reads, way)


def _draw_run(steps: Steps, op: str, cell: DrawnCell | str, arguments: dict[str, Any], reads: dict[str, str], way: str) -> None:
    drawer = steps.drawer
    flags = {name: True for name, share in _FLAGS.items() if drawer.chance(share)}
    if way != "RNN":
        flags.pop("go_backwards", None)
    if way == "TimeDistributed":
        flags.pop("return_state", None)
    sequences = [name for name in reads if name in ("x", "z")]
    body: dict[str, Any] = {"cell": {op: arguments} if arguments else op, **flags}
    if len(sequences) > 1 or drawer.chance(0.1):
        body["sequences"] = sequences
    merge = steps.random.choice([*_MERGES, None])
    states = _initial(steps, cell, arguments, way) if way != "TimeDistributed" else {}
    name, keys = steps.named("RNN" if way == "RNN" else way)
    if [*reads, *states] != ["x"] or reads["x"] != steps.above:
        keys |= {"from": {**reads, **states}}
    entry = {"RNN": body} if way == "RNN" else {way: {"layer": {"RNN": body}}}
    if way == "Bidirectional":
        entry[way]["merge_mode"] = merge

    def infer(env: Env) -> Outputs:
        given = {port: env.types[read] for port, read in reads.items() if read in env.types}
        if len(given) < len(reads):
            raise Misfit
        if way == "TimeDistributed":
            return _time_distributed(cell, arguments, given["x"], flags, env)
        if way == "RNN":
            fed = {port: env.types[read].masked(None) for port, read in states.items()}
            outputs, ends = _run(cell, arguments, given | fed, flags, env)
            return outputs | (ends if "return_state" in flags else {})
        made = {
            side: _run(cell, arguments, given | _of_side(side, states, env), flags, env) for side in ("forward", "backward")
        }
        return _merged(made, merge, "return_state" in flags)

    size = 1 if isinstance(cell, str) else cell.steps.size + 1
    steps.add(Part(name, {**entry, **keys}, size, infer), [*reads.values(), *states.values()])


_FLAGS = {"return_sequences": 0.6, "return_state": 0.3, "go_backwards": 0.2, "zero_output_for_mask": 0.2}


def _of_side(side: str, states: Mapping[str, str], env: Env) -> dict[str, TensorType]:
    own = {port.removeprefix(f"{side}_"): read for port, read in states.items() if port.startswith(side)}
    return {port: env.types[read].masked(None) for port, read in own.items()}


def _merged(made: dict[str, tuple[Outputs, Outputs]], merge: str | None, with_states: bool) -> Outputs:
    ends = {f"{side}_{name}": type_ for side, (_, found) in made.items() for name, type_ in found.items() if with_states}
    if merge is None:
        return {f"{side}_{name}": type_ for side, (found, _) in made.items() for name, type_ in found.items()} | ends
    layer = built(_MERGES[merge], {}, {})
    (forward, _), (backward, _) = made["forward"], made["backward"]
    return {name: inferred(layer, {"0": forward[name], "1": backward[name]})["output"] for name in forward} | ends


def _time_distributed(
    cell: DrawnCell | str, arguments: Mapping[str, Any], x: TensorType, flags: Mapping[str, bool], env: Env
) -> Outputs:
    outputs, _ = _run(cell, arguments, {"x": TensorType(x.shape[1:], x.dtype)}, flags, env)
    if len(outputs) > 1:
        raise Misfit
    [(name, at_step)] = outputs.items()
    return {name: TensorType((x.shape[0], *at_step.shape), at_step.dtype, x.mask)}


def _run(
    cell: DrawnCell | str,
    arguments: Mapping[str, Any],
    given: Mapping[str, TensorType],
    flags: Mapping[str, bool],
    env: Env,
) -> tuple[Outputs, Outputs]:
    """The outputs of a recurrence that are no states, and the last states."""
    sequences = [given[name] for name in ("x", "z") if name in given]
    masks = [type_.mask for type_ in sequences if type_.mask is not None]
    counts = [type_.shape[0] for type_ in sequences if type_.rank]
    if len(counts) < len(sequences) or any(len(mask) != 1 for mask in masks) or any(each != counts[0] for each in counts):
        raise Misfit
    at_step = {name: TensorType(type_.shape[1:], type_.dtype) if name in ("x", "z") else type_ for name, type_ in given.items()}
    if isinstance(cell, str):
        layer = built(cell, arguments, env.params)
        states: Outputs = layer.state_types()  # type: ignore[attr-defined]
        if any(same_size(given[name].shape[-1], states[name].shape[0]) is not True for name in states if name in given):
            raise Misfit
        after = inferred(layer, {**states, **at_step})
    else:
        states, after = cell.step(at_step, cell.steps.drawer.params | cell.params | dict(arguments))
    outputs = {name: type_ for name, type_ in after.items() if name not in states}
    if "return_sequences" in flags:
        mask = masks[0] if masks else None
        outputs = {name: TensorType((counts[0], *t.shape), t.dtype, mask) for name, t in outputs.items()}
    return outputs, dict(states)


# --- a new cell ---------------------------------------------------------------------------------------------------------


def _sequence(steps: Steps) -> str:
    """A tensor with a time axis: mostly the one before, one with a mask, or one whose steps are not numbers."""
    known = {
        name: steps.env.types[name] for name in {steps.pick(), *steps.readable()} if name in steps.env.types and name != INPUT
    }
    fits = sorted(name for name, type_ in known.items() if type_.rank and (type_.mask is None or len(type_.mask) == 1))
    series = [name for name in fits if known[name].rank > 1]
    if not fits:
        raise Misfit
    if steps.above in series and steps.drawer.chance(0.4):
        return str(steps.above)
    masked = [name for name in series if known[name].mask is not None]
    if masked and steps.drawer.chance(0.5):
        return steps.random.choice(masked)
    return steps.random.choice(series if series and steps.drawer.chance(0.9) else fits)


def _cell(steps: Steps, x: TensorType, fill: Any, *, alone: bool) -> tuple[str, DrawnCell, dict[str, str]]:
    """A cell, its name, and what its other inputs read."""
    drawer, random = steps.drawer, steps.random
    at_step = TensorType(x.shape[1:], x.dtype)
    extra: dict[str, str] = {}
    types = {"x": at_step}
    names = [] if alone else [name for name in steps.readable() if name != INPUT]
    others = [
        name for name in names if steps.env.types[name].shape[:1] == x.shape[:1] and len(steps.env.types[name].mask or "1") == 1
    ]
    if others and drawer.chance(0.3):
        extra["z"] = random.choice(others)
        types["z"] = TensorType(steps.env.types[extra["z"]].shape[1:], steps.env.types[extra["z"]].dtype)
    if names and drawer.chance(0.35):
        masked = [name for name in names if steps.env.types[name].mask is not None]
        extra["memory"] = random.choice(masked if masked and drawer.chance(0.5) else names)
        types["memory"] = steps.env.types[extra["memory"]]
    fitting = [name for name, cell in drawer.cells.items() if _takes(cell, types)]
    if fitting and drawer.chance(0.4):
        name = random.choice(fitting)
        return name, drawer.cells[name], extra
    drawer.depth += 1
    left = drawer.left
    try:
        cell = _new_cell(steps, types, fill)
    finally:
        drawer.depth -= 1
        drawer.left = left
    name = f"cell{len(drawer.cells)}"
    drawer.cells[name] = cell
    return name, cell, extra


def _takes(cell: DrawnCell, types: Mapping[str, TensorType]) -> bool:
    try:
        cell.step(types, cell.steps.drawer.params | cell.params)
    except (Misfit, KeyError):
        return False
    return {*cell.inputs} - {*cell.states} == {*types}


def _new_cell(steps: Steps, types: dict[str, TensorType], fill: Any) -> DrawnCell:
    drawer, random = steps.drawer, steps.random
    is_network = drawer.chance(0.25)
    inputs: dict[str, TensorType | None] = {}
    names: dict[str, Dim] = {}
    for name, type_ in types.items():
        shape = [
            size if isinstance(size, int) else names.setdefault(str(size), symbol(f"C{len(names)}")) for size in type_.shape
        ]
        inputs[name] = TensorType(tuple(shape), type_.dtype)
    states, like = _states(steps, inputs["x"], "float" in types["x"].dtype)
    for name in types:
        if not is_network and not (like and name == "x") and drawer.chance(0.5):
            inputs[name] = None
    params = {"width": random.randint(1, 4)} if not is_network and drawer.chance(0.4) else {}
    shapes = {name: types["x"] if like and name == "h" else type_ for name, type_ in states.items()}
    inner = Steps(drawer, {**types, **shapes}, params)
    count = random.randint(1, 4)
    fill(inner, count, _KINDS)
    outputs = {name: _update(inner, name, states, like) for name in states}
    made = [name for name, type_ in inner.env.types.items() if name not in inner.inputs and type_.rank <= 3]
    results = {"output": random.choice([made[-1], random.choice(made)])}
    if drawer.chance(0.2):
        results["seen"] = random.choice(made)
    if _REFUSED & set(_words(drawer, [part.entry for part in inner.parts])):
        raise Misfit
    return DrawnCell({**inputs, **states}, inner, tuple(states), {**results, **outputs}, params, is_network)


def _states(steps: Steps, x: TensorType | None, is_float: bool) -> tuple[dict[str, TensorType], bool]:
    """The declared states, and whether the first is like a step of the sequence."""
    random = steps.random
    like = is_float and x is not None and steps.drawer.chance(0.2)
    states = {"h": x if like and x is not None else TensorType((random.randint(1, 4),))}
    if steps.drawer.chance(0.25):
        states["c"] = TensorType(states["h"].shape) if not like else TensorType((random.randint(1, 4),))
    if steps.drawer.chance(0.15):
        states["n"] = TensorType((), "int32")
    return states, like


def _update(inner: Steps, state: str, states: Mapping[str, TensorType], like: bool) -> str:
    """Appends the steps of a state's new value; its name."""
    random = inner.random
    name = f"new_{state}"
    if states[state].dtype != "float32":
        return _computed(inner, name, "a + 1", {"a": state})
    if like and state == "h":
        return _computed(inner, name, random.choice(["0.5 * a + 0.5 * tanh(b)", "maximum(a, b)"]), {"a": "h", "b": "x"})
    units = states[state].shape[0]
    vector = _vector(inner, f"{state}_seen")
    kind = random.choice(["dense", "gru", "simple", "compute"])
    if kind == "compute":
        text = random.choice(["0.7 * a + 0.3 * tanh(mean(b, -1, true))", "where(mean(b, -1, true) > 0.123, a, 0.5 * a + 1)"])
        return _computed(inner, name, text, {"a": state, "b": vector})
    if kind == "dense":
        _layer(inner, f"{state}_both", "Concatenate", {}, [vector, state])
        return _layer(inner, name, "Dense", {"units": units, "activation": "tanh"}, {"x": f"{state}_both"})
    cell = "GRUCell" if kind == "gru" else "SimpleRNNCell"
    return _layer(inner, name, cell, {"units": units}, {"x": vector, "state": state})


def _vector(inner: Steps, name: str) -> str:
    """Appends what makes a vector of a fixed size of a tensor: mostly of the last."""
    made = [each for each, type_ in inner.env.types.items() if each not in ("h", "c", "n")]
    read = made[-1] if inner.drawer.chance(0.6) else inner.random.choice(made)
    type_ = inner.env.types[read]
    text = "a" if type_.dtype == "float32" else "cast(a, 'float32')"
    fixed = type_.rank > 0 and isinstance(type_.shape[-1], int)
    if reduced := list(range(1, type_.rank if fixed else type_.rank + 1)):
        text = f"mean({text}, {reduced})"
    return _computed(inner, name, text if fixed else f"expand_dims({text}, 1)", {"a": read})


def _computed(inner: Steps, name: str, text: str, reads: dict[str, str]) -> str:
    def infer(env: Env) -> Outputs:
        layer = Compute(results={"output": text}, reads=list(reads), params={})
        return inferred(layer, {port: env.types[read] for port, read in reads.items()})

    inner.add(Part(name, {"Compute": text, "name": name, "from": reads}, 1, infer), [*reads.values()])
    return name


def _layer(inner: Steps, name: str, op: str, arguments: dict[str, Any], reads: dict[str, str] | list[str]) -> str:
    ports = reads if isinstance(reads, dict) else {str(port): read for port, read in enumerate(reads)}

    def infer(env: Env) -> Outputs:
        return inferred(built(op, arguments, env.params), {port: env.types[read] for port, read in ports.items()})

    inner.add(Part(name, {op: arguments or None, "name": name, "from": reads}, 1, infer), [*ports.values()])
    return name


def _words(drawer: Drawer, value: Any) -> Iterator[str]:
    """All words of entries, and of the blocks and networks that they use."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _words(drawer, key)
            yield from _words(drawer, inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _words(drawer, inner)
    elif isinstance(value, str):
        yield value
        lists = [drawer.blocks[value][0]] if value in drawer.blocks else []
        lists += [drawer.networks[value].steps] if value in drawer.networks else []
        lists += [drawer.cells[value].steps] if value in drawer.cells else []
        for steps in lists:
            yield from _words(drawer, [part.entry for part in steps.parts])


def _initial(steps: Steps, cell: DrawnCell | str, arguments: Mapping[str, Any], way: str) -> dict[str, str]:
    """Tensors of the size of the states, where they are about."""
    if steps.drawer.chance(0.5):
        return {}
    if isinstance(cell, str):
        wanted: Mapping[str, TensorType | None] = built(cell, arguments, steps.params).state_types()  # type: ignore[attr-defined]
    else:
        wanted = {name: cell.inputs[name] for name in cell.states}
    found: dict[str, str] = {}
    for side in ("",) if way == "RNN" else ("forward_", "backward_"):
        for name, type_ in wanted.items():
            if type_ is None or any(isinstance(size, Dim) for size in type_.shape) or steps.drawer.chance(0.3):
                continue
            fits = [
                each
                for each, given in steps.env.types.items()
                if (given.shape, given.dtype) == (type_.shape, type_.dtype) and each != INPUT
            ]
            if fits:
                found[side + name] = steps.random.choice(fits)
    return found
