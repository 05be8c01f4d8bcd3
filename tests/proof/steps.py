"""Lists of steps drawn at random: what a document says, and, beside it, what every step must come to.

A drawn step knows its entry in the document and how to infer its outputs from its inputs, by the layers alone. Nested lists,
repeats, blocks and networks are inferred here by running their lists in place, so that the compiler's own reading, expansion
and wiring have something independent to be held against.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from pydantic import ValidationError

from nnspec.layers import LAYERS, snake_name
from nnspec.layers.base import Layer, LayerError, Outputs
from nnspec.layers.interfaces import RemovesOffset
from nnspec.types import Dim, TensorType, product, substitute, symbols_of

__all__ = ["Drawer", "Env", "Misfit", "Param", "Part", "Steps", "run", "written"]

INPUT = "(input)"
_LARGEST_AXIS, _LARGEST = 80, 3000


class Misfit(Exception):
    """A drawn step does not go where it was to stand."""


@dataclass(frozen=True)
class Param:
    """An argument that is a param of the block around, or of the document; written ``$name``."""

    name: str


@dataclass(frozen=True)
class Env:
    """What a list of steps sees while it is inferred.

    Attributes:
        types: Tensors by their names in ``from``.
        params: Values of params by name.
        layers: The layers of earlier plain steps with the types they took, for those that share them.
    """

    types: dict[str, TensorType]
    params: Mapping[str, Any] = field(default_factory=dict)
    layers: dict[str, tuple[Layer, Mapping[str, TensorType]]] = field(default_factory=dict)


@dataclass(frozen=True)
class Part:
    """One step.

    Attributes:
        name: Its name.
        entry: Its entry in the document.
        size: How many layers it expands to.
        run: Its outputs, in an environment.
    """

    name: str
    entry: Any
    size: int
    run: Callable[[Env], Outputs]


def run(parts: list[Part], env: Env) -> TensorType | None:
    """Infers a list of steps, adding to the environment; the type of the last step's ``output``, where it has one."""
    last = env.types.get(INPUT)
    for part in parts:
        outputs = part.run(env)
        env.types.update({name_of(part.name, output): type for output, type in outputs.items()})
        last = outputs.get("output")
    return last


def name_of(step: str, output: str) -> str:
    return step if output == "output" else f"{step}.{output}"


def inferred(layer: Layer, types: Mapping[str, TensorType]) -> Outputs:
    """The layer's own inference; nothing that is too large to prove."""
    try:
        outputs = layer.output_types(types)
        layer.weights(types)
    except LayerError as error:
        raise Misfit from error
    if "momentum" not in type(layer).model_fields and _is_one_value(layer, types):
        raise Misfit  # A value less itself is nothing but Keras's rounding, some hundred times as large.
    if not all(_at_hand(a) == _at_hand(b) for a, b in layer.agreeing_sizes(types)):
        raise Misfit
    for output in outputs.values():
        if output.mask is not None and output.mask != output.shape[: output.rank - 1][: len(output.mask)]:
            raise Misfit  # The mask of a `TimeDistributed` whose layer changes the axes: what reads it fails in Keras.
        sizes = [size if isinstance(size, int) else 12 for size in output.shape]
        if not all(1 <= size <= _LARGEST_AXIS for size in sizes) or product(sizes) > _LARGEST:  # type: ignore[operator]
            raise Misfit
    return outputs


def _is_one_value(layer: Layer, types: Mapping[str, TensorType]) -> bool:
    """Whether the last axis is one value, and it subtracts it."""
    x = types.get("x")
    if x is None or x.shape[-1:] != (1,) or not isinstance(layer, RemovesOffset):
        return False
    return layer.removes_offset(x, x.rank - 1)


def _at_hand(size: int | Dim) -> int | Dim:
    """A size where all that is free is 24: what only fits other sizes is not drawn."""
    return substitute(size, dict.fromkeys(symbols_of(size), 24))


def built(op: str, arguments: Mapping[str, Any], params: Mapping[str, Any]) -> Layer:
    given = {name: params[value.name] if isinstance(value, Param) else value for name, value in arguments.items()}
    try:
        layer = LAYERS.get(op)(**given)
    except ValidationError as error:
        raise Misfit from error
    assert isinstance(layer, Layer)
    return layer


def written(value: Any) -> Any:
    """As YAML has it."""
    if isinstance(value, Param):
        return f"${value.name}"
    if isinstance(value, dict):
        return {name: written(inner) for name, inner in value.items()}
    return [written(item) for item in value] if isinstance(value, list) else value


@dataclass
class Drawer:
    """What all lists of one document share: what decides, how much is left, and what has been drawn so far.

    Attributes:
        expressions: How often a step is a `Compute`, against 12 for a layer.
        recurrences: How often a step is a recurrence of a cell, against 12 for a layer.
        cells: The blocks and networks that are cells.
        depth: How many cells are around what is drawn.
    """

    random: Random
    left: int
    ops: list[str]
    params: dict[str, Any]
    blocks: dict[str, Any] = field(default_factory=dict)
    networks: dict[str, Any] = field(default_factory=dict)
    expressions: int = 0
    recurrences: int = 0
    cells: dict[str, Any] = field(default_factory=dict)
    depth: int = 0

    def chance(self, share: float) -> bool:
        return self.random.random() < share


class Steps:
    """A list of steps under way.

    Args:
        drawer: What all lists share.
        inputs: What comes in, by the names that ``from`` knows; one without a name under ``(input)``.
        params: Values of the params of the block around, by name.

    Attributes:
        hides_x: Whether `x` is an input of a list around, and so not the step before in an expression.
    """

    def __init__(self, drawer: Drawer, inputs: Mapping[str, TensorType], params: Mapping[str, Any] | None = None) -> None:
        self.drawer = drawer
        self.random = drawer.random
        self.inputs = dict(inputs)
        self.params = drawer.params | dict(params or {})
        self.env = Env(dict(inputs), self.params)
        self.parts: list[Part] = []
        self.read: set[str] = set()
        self._names = set(inputs)
        self.hides_x = False

    @property
    def size(self) -> int:
        return sum(part.size for part in self.parts)

    def add(self, part: Part, reads: list[str]) -> None:
        """Appends a step, if it fits.

        Raises:
            Misfit: Where it does not.
        """
        if part.size > self.drawer.left + 3:
            raise Misfit
        outputs = part.run(self.env)
        self.env.types.update({name_of(part.name, output): type for output, type in outputs.items()})
        self.parts.append(part)
        self.read.update(reads)
        self._names.add(part.name)
        self.drawer.left -= part.size

    def default_name(self, op: str) -> str:
        """What a step is called that has no name."""
        base, count = snake_name(op), 0
        while (name := f"{base}_{count}" if count else base) in self._names:
            count += 1
        return name

    def named(self, op: str) -> tuple[str, dict[str, str]]:
        """A name for a step, and the key that gives it; often none, and the default."""
        if self.drawer.chance(0.6):
            return self.default_name(op), {}
        name = f"s{len(self._names)}"
        return name, {"name": name}

    @property
    def above(self) -> str | None:
        """What a step reads that has no ``from``."""
        if self.parts:
            return self.parts[-1].name if self.parts[-1].name in self.env.types else None
        return next(iter(self.inputs)) if len(self.inputs) == 1 else None

    def pick(self) -> str:
        """A tensor to read: mostly the one before, for chains are where things are folded."""
        if self.above is not None and self.drawer.chance(0.65):
            return self.above
        return self.random.choice(self.readable())

    def readable(self) -> list[str]:
        return [name for name in self.env.types if name != INPUT] or [INPUT]

    def source(self, reads: Mapping[str, str], layer: type[Layer]) -> dict[str, Any]:
        """The ``from`` of a step, in one of the ways it may be written.

        Raises:
            Misfit: Where it cannot be written: an input without a name is read by the first step alone.
        """
        names = list(reads.values())
        same = len(set(names)) == 1
        if not layer.ports.variadic and same and set(reads) == set(layer.ports.required):
            alone = len(reads) == 1 or layer.ports.one_feeds_all
            if alone and names[0] == self.above and (names[0] == INPUT or self.drawer.chance(0.7)):
                return {}
            if alone and names[0] != INPUT and self.drawer.chance(0.8):
                return {"from": names[0]}
        if INPUT in names:
            raise Misfit
        return {"from": names if layer.ports.variadic else dict(reads)}
