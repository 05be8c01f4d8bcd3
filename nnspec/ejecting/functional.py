"""A functional Keras model as a Python function that builds it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

import keras
from keras.src.backend.common.masking import get_keras_mask

from nnspec.diagnostics import NnspecError
from nnspec.ejecting.blocks import Block, Step, definition, ordered, repeated, within
from nnspec.ejecting.blocks import parameters as block_parameters
from nnspec.ejecting.layout import WIDTH, Code, Group, call, flat, literal, structure, text
from nnspec.ejecting.names import Names, identifier
from nnspec.ejecting.own_layers import every_name, is_own
from nnspec.keras_backend.layers import Compute, Recurrence
from nnspec.printable import on_one_line

__all__ = ["Function", "calls"]


class Function:
    """The function that builds a model.

    Args:
        model: The model.
        constructed: Returns the code that constructs a layer from the layer and what closes the call.
        names: The names of the function's scope.
        shared: The layers that several models run, by id. An inner function takes them as parameters.
        inner: Whether it builds a model that a layer runs.
        define: Defines a function of a wanted name and its text, and returns its name.
        path: The path of the block whose layers it builds; empty if it builds the model.
    """

    def __init__(
        self,
        model: keras.Model,
        constructed: Callable[[Any, str | Group], Code],
        names: Names,
        shared: AbstractSet[int],
        inner: bool,
        define: Callable[[str, str], str],
        path: str = "",
    ) -> None:
        self._model, self._constructed, self._names = model, constructed, names
        self._shared, self._inner, self._define, self._path = shared, inner, define, path
        self.parameters: dict[str, Any] = {}
        self._tensors: dict[int, str] = {}
        self._layers: dict[int, str] = {}
        self._calls: dict[int, int] = {}
        self._steps: list[Step] = []
        self._group = ""
        self._read: set[int] = set()
        self._several: set[int] = set()
        self._alone = {layer.name for layer in model.layers}

    def lines(self) -> list[str]:
        """The statements that build the model and return it."""
        for tensor in _inputs(self._model):
            layer = tensor._keras_history.operation
            variable = self._names.new(identifier(layer.name))
            self._tensors[id(tensor)] = variable
            named = {"dtype": text(keras.backend.standardize_dtype(tensor.dtype))}
            if named["dtype"] == '"float32"':
                named = {}
            code = call("keras.Input", [literal(tuple(tensor.shape[1:]))], {**named, "name": text(layer.name)})
            self._steps.append(Step(f"{variable} = ", code))
        nodes = calls(self._model)
        given = [_arguments(node) for node in nodes]
        self._read = {id(tensor) for tensor in _tensors([given, self._model.output])}
        self._several = {id(node.operation) for node in nodes if len(node.outputs) > 1}
        for node in nodes:
            self._calls[id(node.operation)] = self._calls.get(id(node.operation), 0) + 1
        self._write_all(nodes)
        made = [self._of(value) for value in (self._model.input, self._model.output)]
        result = call("keras.Model", made, {"name": text(self._model.name)})
        self._steps.append(Step("return ", result))
        return [step.line() for step in self._steps]

    def _write_all(self, nodes: list[Any]) -> None:
        """Write the calls, and functions of blocks that occur several times."""
        functions: dict[int, tuple[Block, str, str, Mapping[str, str]]] = {}
        for blocks in repeated(nodes, self._is_alone, lambda path, inside: self._block(path, inside, nodes)):
            name, body, arguments = definition(blocks)
            for block, own in zip(blocks, arguments, strict=True):
                functions |= {id(each): (block, name, body, own) for each in block.calls}
        items = list(
            {id(item): item for item in (functions[id(node)][0] if id(node) in functions else node for node in nodes)}.values()
        )
        made = {id(tensor): place for place, item in enumerate(items) for tensor in item.outputs}
        for item in ordered(items, made, _read_by) or nodes:
            if isinstance(item, Block):
                _, name, body, given = functions[id(item.calls[0])]
                self._write_block(item, self._define(name, body), given)
            else:
                self._write(item)

    def _is_alone(self, node: Any) -> bool:
        """Whether a call cannot be part of a function: its layer is called elsewhere, or runs a model."""
        layer = node.operation
        runs = any(isinstance(getattr(layer, name, None), keras.Model) for name in ("cell", "layer"))
        return self._calls[id(layer)] > 1 or id(layer) in self._shared or runs

    def _block(self, path: str, inside: list[Any], nodes: list[Any]) -> Block | None:
        """The block of a path."""
        made = {id(tensor) for node in inside for tensor in node.outputs}
        own = {id(node) for node in inside}
        read = {id(x) for node in nodes if id(node) not in own for x in _tensors(_arguments(node))}
        read |= {id(tensor) for tensor in _tensors(self._model.output)}
        inputs = {id(x): x for node in inside for x in _tensors(_arguments(node)) if id(x) not in made}
        outputs = [tensor for node in inside for tensor in node.outputs if id(tensor) in read]
        if not inputs or not outputs:
            return None
        taken = block_parameters(len(inputs))
        names = Names({*taken, "name", "keras", "ops", *every_name()})
        writer = Function(self._model, self._constructed, names, self._shared, self._inner, self._define, path)
        writer._tensors = dict(zip(inputs, taken, strict=True))
        writer._read, writer._several, writer._calls = self._read, self._several, self._calls
        for node in inside:
            writer._write(node)
        returned = tuple(writer._tensors[id(tensor)] for tensor in outputs)
        return Block(path, tuple(inside), tuple(inputs.values()), tuple(outputs), tuple(writer._steps), returned)

    def _write_block(self, block: Block, function: str, arguments: Mapping[str, str]) -> None:
        self._heading("")
        base = identifier(block.path)
        names = [base] if len(block.outputs) == 1 else [f"{base}_{name}" for name in block.returned]
        targets = [self._names.new(name) for name in names]
        self._tensors |= dict(zip(map(id, block.outputs), targets, strict=True))
        given = [self._tensors[id(tensor)] for tensor in block.inputs]
        self._steps.append(Step(f"{', '.join(targets)} = ", call(function, [*given, text(block.path)], {**arguments})))

    def _write(self, node: Any) -> None:
        operation = node.operation
        arguments, named = _arguments(node)
        if isinstance(operation, keras.layers.Layer):
            self._heading(operation.name)
            shown = [self._of(each) for each in arguments]
            kept = {name: self._of(each) for name, each in named.items()}
            code = self._layer_call(node, shown, kept)
        else:
            code = self._operation(operation, arguments, named)
        targets = [self._target(tensor, operation, place) for place, tensor in enumerate(node.outputs)]
        before = ", ".join(targets)
        if len(targets) == 1 and _returns_list(node):
            before = f"[{before}]"
        elif len(targets) > 1 and len(before) > WIDTH // 2:
            before = "(\n" + "".join(f"        {target},\n" for target in targets) + "    )"
        self._steps.append(Step(f"{before} = ", code))
        if not isinstance(operation, keras.layers.Layer) and self._may_clash(operation):
            self._steps.append(Step(f"{targets[0]}._keras_history.operation.name = ", text(operation.name)))

    def _target(self, tensor: Any, operation: Any, place: int) -> str:
        """The variable of an output."""
        if id(tensor) not in self._read:
            return "_"
        own = operation.name.removeprefix(f"{self._path}.") if self._path else operation.name
        wanted = identifier(own) if isinstance(operation, keras.layers.Layer) else f"{_function(operation)}_1"
        if id(operation) in self._several and (results := _result_names(operation)):
            wanted = f"{wanted}_{identifier(results[place])}"
        elif place or id(operation) in self._several:
            wanted = f"{wanted}_{place + 1}"
        self._tensors[id(tensor)] = self._names.new(wanted)
        return self._tensors[id(tensor)]

    def _may_clash(self, operation: Any) -> bool:
        """Whether the name that Keras gives an operation may be that of a layer."""
        pattern = re.compile(rf"{_function(operation)}(_\d+)?")
        return any(pattern.fullmatch(layer.name) for layer in self._model.layers)

    def _layer_call(self, node: Any, shown: list[Code], named: dict[str, Code]) -> Code:
        """A call of a layer, which is constructed in place, or before its first call if it is called several times."""
        layer = node.operation
        if self._calls[id(layer)] > 1 or id(layer) in self._shared:
            return call(self.variable_of(layer), shown, named)
        code = self._constructed(layer, call(")", shown, named))
        return within(code, layer.name, self._path) if self._path else code

    def variable_of(self, layer: Any) -> str:
        """The variable of a layer: constructed before its first use, or a parameter."""
        if id(layer) not in self._layers:
            self._layers[id(layer)] = variable = self._names.new(f"{identifier(layer.name)}_layer")
            if self._inner and id(layer) in self._shared:
                self.parameters[variable] = layer
            else:
                self._steps.append(Step(f"{variable} = ", self._constructed(layer, ")")))
        return self._layers[id(layer)]

    def _operation(self, operation: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> Code:
        kind = type(operation).__name__
        if kind == "GetItem":
            x, key = arguments
            return f"{flat(self._of(x))}[{_index(key, self._of)}]"
        function = _function(operation)
        made = getattr(keras.ops, function, None)
        config = {} if operation._auto_config is None else dict(operation._auto_config.config)
        needs = inspect.signature(type(operation).__init__).parameters.keys() - {"self", "name"}
        if made is None or (operation._auto_config is None and needs):
            raise NnspecError(f"cannot eject the operation `{operation.name}`: no function of `keras.ops` has its settings")
        accepted = inspect.signature(made).parameters
        settings = {name: value for name, value in config.items() if name in accepted and accepted[name].default != value}
        positional = [self._of(each) for each in arguments]
        return call(f"ops.{function}", positional, {key: self._of(each) for key, each in {**settings, **named}.items()})

    def _of(self, value: Any) -> Code:
        """The code of an argument or of the model's inputs or outputs."""

        def leaf(each: Any) -> Code:
            if isinstance(each, keras.KerasTensor):
                return self._tensors[id(each)]
            return literal(each)

        return structure(value, leaf)

    def _heading(self, name: str) -> None:
        """A comment where the layers of another block begin."""
        if self._path:
            return
        group, _, rest = name.partition(".")
        group = group if rest and group not in self._alone else ""
        if group != self._group:
            self._steps.append(Step(f"\n    # {on_one_line(group)}" if group else ""))
        self._group = group


def _tensors(value: Any) -> list[Any]:
    return [each for each in keras.tree.flatten(value) if isinstance(each, keras.KerasTensor)]


def _read_by(item: Any) -> list[int]:
    """The ids of the tensors that a call or a block reads."""
    return [id(tensor) for tensor in (item.inputs if isinstance(item, Block) else _tensors(_arguments(item)))]


def _inputs(model: keras.Model) -> list[Any]:
    given = model.input
    return list(given.values()) if isinstance(given, dict) else keras.tree.flatten(given)


def calls(model: keras.Model) -> list[Any]:
    """The calls that the outputs of a model need, each after those that it needs."""
    done = {id(tensor._keras_history.operation) for tensor in _inputs(model)}
    found: dict[int, Any] = {}
    stack = [(_node(tensor), False) for tensor in reversed(keras.tree.flatten(model.output))]
    while stack:
        node, ready = stack.pop()
        if id(node) in found or id(node.operation) in done:
            continue
        if ready:
            found[id(node)] = node
            continue
        stack.append((node, True))
        stack.extend((_node(tensor), False) for tensor in reversed(_tensors(_arguments(node))))
    return list(found.values())


def _result_names(layer: Any) -> list[str]:
    """The names of what a layer returns, if they have names."""
    if isinstance(layer, Recurrence):
        return [*layer.outputs, *(layer.states if layer.return_state else ())]
    return list(layer.results) if isinstance(layer, Compute) else []


def _function(operation: Any) -> str:
    """The name of the function of ``keras.ops`` that makes an operation."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", type(operation).__name__).lower()


def _node(tensor: Any) -> Any:
    operation, index, _ = tensor._keras_history
    return operation._inbound_nodes[index]


def _arguments(node: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments of a call, without the masks that Keras passes by itself."""
    arguments, named = node.arguments.args, dict(node.arguments.kwargs)
    if isinstance(node.operation, keras.layers.Layer):
        own = _masks(node.operation, arguments, named)
        defaults = {name: each.default for name, each in inspect.signature(node.operation.call).parameters.items()}
        named = {
            name: value
            for name, value in named.items()
            if value is not None and not _is_default(value, defaults.get(name)) and not _same(value, own.get(name, own))
        }
    return arguments, named


def _masks(layer: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> dict[str, Any]:
    """The masks that Keras passes to a call of a layer."""
    parameters = list(inspect.signature(layer.call).parameters)
    bound = {**dict(zip(parameters, arguments, strict=False)), **named}
    tensors = {
        name: value
        for name, value in bound.items()
        if any(isinstance(each, keras.KerasTensor) for each in keras.tree.flatten(value)) and not name.endswith("mask")
    }
    if len(tensors) == 1:
        [value] = tensors.values()
        return {"mask": keras.tree.map_structure(get_keras_mask, value)}
    return {f"{name}_mask": keras.tree.map_structure(get_keras_mask, value) for name, value in tensors.items()}


def _same(value: Any, other: Any) -> bool:
    ours, theirs = keras.tree.flatten(value), keras.tree.flatten(other)
    return len(ours) == len(theirs) and all(a is b for a, b in zip(ours, theirs, strict=True))


def _is_default(value: Any, default: Any) -> bool:
    return isinstance(value, bool | int | float | str) and type(value) is type(default) and value == default


def _returns_list(node: Any) -> bool:
    """Whether a call with one output returns a list of it, as own layers do."""
    if not is_own(type(node.operation)) or isinstance(node.operation, Compute):
        return False
    arguments, named = _arguments(node)
    return isinstance(node.operation.compute_output_spec(*arguments, **named), list | tuple)


def _index(key: Any, code: Callable[[Any], Code]) -> str:
    def one(part: Any) -> str:
        if isinstance(part, slice):
            ends = [part.start, part.stop, *([part.step] if part.step is not None else [])]
            return ":".join("" if each is None else flat(code(each)) for each in ends)
        return flat(code(part))

    if isinstance(key, tuple):
        return ", ".join(map(one, key)) + ("," if len(key) == 1 else "")
    return one(key)
