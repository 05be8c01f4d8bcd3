"""Blocks that occur several times, as functions: what differs between them becomes parameters."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import keras

from nnspec.ejecting.layout import Code, Group, Named, flat, statement, text
from nnspec.ejecting.names import Names, identifier

__all__ = ["Block", "Step", "definition", "ordered", "repeated", "within"]

_MOST_PARAMETERS = 6
_LEAST_LINES = 6
"""Blocks with fewer statements in total are not worth a function."""


@dataclass(frozen=True)
class Step:
    """A statement.

    Attributes:
        before: The text before the expression, such as ``x = ``; a statement without an expression.
        code: The expression; None for none.
    """

    before: str
    code: Code | None = None

    def line(self) -> str:
        """The statement's text, indented."""
        return self.before if self.code is None else statement(self.before, self.code)


@dataclass(frozen=True)
class Block:
    """The calls of the layers whose names begin with a path.

    Attributes:
        path: The path.
        calls: The calls, in order.
        inputs: The tensors that they read.
        outputs: The tensors that others read.
        steps: The statements of the function that makes them, with the names relative to ``name``.
        returned: The variables of the outputs.
    """

    path: str
    calls: tuple[Any, ...]
    inputs: tuple[Any, ...]
    outputs: tuple[Any, ...]
    steps: tuple[Step, ...]
    returned: tuple[str, ...]

    @property
    def shape(self) -> tuple[Any, ...]:
        """What equal blocks have in common: everything except the arguments of constructors."""
        steps = tuple((step.before, step.code and _skeleton(step.code)) for step in self.steps)
        return steps, self.returned, len(self.inputs)


def within(code: Code, layer: str, path: str) -> Code:
    """The construction of a layer with its name relative to that of its block.

    Args:
        code: The code.
        layer: The layer's name.
        path: The path of the block.
    """
    rest = layer.removeprefix(f"{path}.")
    assert isinstance(code, Group)
    assert re.fullmatch(r"[\w.-]+", rest)
    items = tuple(Named("name=", f'f"{{name}}.{rest}"') if item == Named("name=", text(layer)) else item for item in code.items)
    return replace(code, items=items)


def repeated(
    nodes: Sequence[Any], alone: Callable[[Any], bool], block: Callable[[str, list[Any]], Block | None]
) -> list[list[Block]]:
    """Find equal blocks, the outermost ones.

    Args:
        nodes: The calls of a model, in order.
        alone: Whether a call must not be part of a block.
        block: Makes a block of a path and its calls.
    """
    covered: set[int] = set()
    equal: dict[Any, list[Block]] = {}
    accepted: set[Any] = set()
    names = [node.operation.name if isinstance(node.operation, keras.layers.Layer) else "" for node in nodes]
    for depth in range(1, max((name.count(".") for name in names), default=0) + 1):
        own: dict[str, list[Any]] = {}
        for name, node in zip(names, nodes, strict=True):
            if name.count(".") >= depth and id(node) not in covered:
                own.setdefault(".".join(name.split(".")[:depth]), []).append(node)
        for path, inside in own.items():
            plain = re.fullmatch(r"[\w.-]+", path) and not any(map(alone, inside))
            if plain and len(inside) > 1 and _is_unit(inside, nodes) and (made := block(path, inside)) is not None:
                equal.setdefault(made.shape, []).append(made)
        for shape, blocks in equal.items():
            if shape not in accepted:  # a block that equalled no other may by now be partly in functions
                blocks[:] = [each for each in blocks if not any(id(node) in covered for node in each.calls)]
            if _is_worth_it(blocks):
                accepted.add(shape)
                covered |= {id(node) for each in blocks for node in each.calls}
    place = {id(node): number for number, node in enumerate(nodes)}
    return [sorted(equal[shape], key=lambda each: place[id(each.calls[0])]) for shape in equal if shape in accepted]


def _is_worth_it(blocks: Sequence[Block]) -> bool:
    enough = len(blocks) > 1 and len(blocks) * len(blocks[0].steps) >= _LEAST_LINES
    return enough and len(_columns(blocks)) <= _MOST_PARAMETERS


def _is_unit(inside: Sequence[Any], nodes: Sequence[Any]) -> bool:
    """Whether calls can follow each other: none reads what another call computes from one of them."""
    own, later = {id(node) for node in inside}, set[int]()
    made: set[int] = set()
    for node in nodes:
        read = {id(tensor) for tensor in keras.tree.flatten(node.arguments.args) + keras.tree.flatten(node.arguments.kwargs)}
        if id(node) in own:
            if read & later:
                return False
            made |= set(map(id, node.outputs))
        elif read & (made | later):
            later |= set(map(id, node.outputs))
    return True


def ordered(items: Sequence[Any], made: Mapping[int, int], needs: Callable[[Any], list[int]]) -> list[Any] | None:
    """Items, each after those that it needs; None if some need each other.

    Args:
        items: Calls and blocks.
        made: The place of the item that makes a tensor, by the tensor's id.
        needs: The ids of the tensors that an item reads.
    """
    done: list[int] = []
    state: dict[int, int] = {}
    for start in range(len(items)):
        stack = [start]
        while stack:
            place = stack[-1]
            if state.get(place) == 2:
                stack.pop()
                continue
            waiting = [made[each] for each in needs(items[place]) if each in made and state.get(made[each]) != 2]
            if state.get(place) == 1 and not waiting:
                state[place] = 2
                done.append(place)
                stack.pop()
            elif any(state.get(each) == 1 for each in waiting):
                return None
            else:
                state[place] = 1
                stack.extend(waiting)
    return [items[place] for place in done]


def definition(blocks: Sequence[Block]) -> tuple[str, str, list[dict[str, str]]]:
    """The function of equal blocks.

    Returns:
        The name that it should have, its text with ``{}`` for the name, and the arguments of each block.
    """
    first, columns = blocks[0], _columns(blocks)
    names = Names({"name", *parameters(len(first.inputs))})
    chosen = {values: names.new(identifier(key)) for values, key in columns.items()}
    steps, place = [], 0
    leaves = [_leaves(block.steps) for block in blocks]
    for step in first.steps:
        if step.code is None:
            steps.append(step)
            continue
        count = len(_leaves([step]))
        values = [tuple(own[at][1] for own in leaves) for at in range(place, place + count)]
        steps.append(replace(step, code=_filled(step.code, iter([chosen.get(each, each[0]) for each in values]))))
        place += count
    taken = ", ".join([*parameters(len(first.inputs)), "name", *chosen.values()])
    body = "\n".join(step.line() for step in steps)
    summary = f'    """Build the layers of a block, such as `{first.path}`."""'
    arguments = [{name: values[at] for values, name in chosen.items()} for at in range(len(blocks))]
    wanted = [re.sub(r"[\d_-]+$", "", part) for part in first.path.split(".")]
    base = next((part for part in reversed(wanted) if part), "repeated")
    return f"{identifier(base)}_block", f"({taken}):\n{summary}\n{body}\n    return {', '.join(first.returned)}", arguments


def parameters(count: int) -> list[str]:
    """The names of the tensors that the function of a block takes."""
    return ["x"] if count == 1 else [f"x{number}" for number in range(1, count + 1)]


def _columns(blocks: Sequence[Block]) -> dict[tuple[str, ...], str]:
    """The values that differ between blocks, each with the name of its argument."""
    leaves = [_leaves(block.steps) for block in blocks]
    found: dict[tuple[str, ...], str] = {}
    for column in zip(*leaves, strict=True):
        values = tuple(value for _, value in column)
        if len(set(values)) > 1:
            found.setdefault(values, column[0][0])
    return found


def _leaves(steps: Sequence[Step]) -> list[tuple[str, str]]:
    """The arguments of constructors, by name."""
    found: list[tuple[str, str]] = []

    def visit(code: Code, key: str) -> None:
        if isinstance(code, Named):
            visit(code.value, code.name.rstrip("="))
        elif isinstance(code, str) or code.head in ("(", "[", "{"):
            found.append((key, flat(code)))
        else:
            for item in code.items:
                visit(item, key)

    for step in steps:
        if isinstance(step.code, Group):
            visit(step.code, "value")
    return found


def _skeleton(code: Code) -> Any:
    """A construction without its arguments, with the arguments of the call."""
    if isinstance(code, Named):
        return code.name, _skeleton(code.value)
    if isinstance(code, str) or code.head in ("(", "[", "{"):
        return None
    return code.head, tuple(map(_skeleton, code.items)), flat(code.tail)


def _filled(code: Code, values: Any) -> Code:
    """A construction with other arguments."""
    if isinstance(code, Named):
        return Named(code.name, _filled(code.value, values))
    if isinstance(code, str) or code.head in ("(", "[", "{"):
        value = next(values)
        return code if value == flat(code) else value
    return replace(code, items=tuple(_filled(item, values) for item in code.items))
