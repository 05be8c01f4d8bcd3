"""Replacement of layers and models of custom classes by what their ``call`` computes.

Each is called on the symbolic tensors of its inputs, so that Keras records its operations and layers as a functional model.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from nnspec.diagnostics import Diagnostic, Span, SpecError
from nnspec.keras_import import problems as k
from nnspec.keras_import.parts import Variable

__all__ = ["inlined"]

_DEPTH = 20
"""The most custom layers within each other."""

_OPERATORS = {"add": "add", "sub": "subtract", "mul": "multiply", "truediv": "divide", "matmul": "matmul", "pow": "power"}


@contextmanager
def inlined(model: Any, span: Span, problems: list[Diagnostic]) -> Iterator[tuple[Any, Sequence[Variable]]]:
    """Give a functional model without custom classes that computes the same, and the variables that its operations read.

    It shares the layers of the model, which is left as it was.

    Args:
        model: The model.
        span: The place of the model in diagnostics.
        problems: Problems are appended here.

    Raises:
        SpecError: If the code of a custom class cannot be traced.
    """
    with _restored(model), _symbolic_variables():
        trace = _Trace(span)
        flat = trace.run(model)
        yield flat, _marked(flat, trace.owners(model))


def _is_custom(operation: Any) -> bool:
    """Whether an operation is of a class that neither Keras nor this package defines."""
    kind = type(operation)
    return kind.__module__.partition(".")[0] not in ("keras", "nnspec")


class _Trace:
    """Traces custom classes until none is left."""

    def __init__(self, span: Span) -> None:
        self._span = span

    def run(self, model: Any) -> Any:
        import keras

        given, outputs = self._ends(model)
        for _ in range(_DEPTH):
            flat = self._model(given, outputs, model.name)
            if not any(map(self._is_replaced, flat.layers)):
                return flat
            outputs = flat._run_through_graph(keras.tree.flatten(given), operation_fn=self._called)
        raise SpecError([self._refused(model, f"custom layers are nested more than {_DEPTH} deep")])

    def _ends(self, model: Any) -> tuple[Any, Any]:
        """Return a model's inputs, and its outputs with its own ``call`` traced."""
        import keras

        if (graph := _graph(model)) is not None:
            return graph._inputs_struct, graph._outputs_struct
        shapes = getattr(model, "_build_shapes_dict", None) or {}
        found = [keras.Input(batch_shape=(None, *shape[1:])) for shape in shapes.values() if isinstance(shape, tuple)]
        if hasattr(model, "inputs") and model.inputs:
            found = [keras.Input(batch_shape=x.shape, dtype=x.dtype, name=x.name) for x in model.inputs]
        if not found or len(found) != len(shapes or found):
            raise SpecError([self._refused(model, "its input shape is unknown; call it on a batch first")])
        return (found[0] if len(found) == 1 else found), self._call(model, *found)

    def _is_replaced(self, layer: Any) -> bool:
        return _is_custom(layer) or (_graph(layer) is not None and any(map(self._is_replaced, layer.layers)))

    def _called(self, operation: Any) -> Any:
        if not self._is_replaced(operation):
            return operation
        if (graph := _graph(operation)) is not None:
            return lambda *args, **kwargs: graph._run_through_graph(args[0], operation_fn=self._called)
        return lambda *args, **kwargs: self._call(operation, *args, **kwargs)

    def _call(self, layer: Any, *args: Any, **kwargs: Any) -> Any:
        known = inspect.signature(layer.call).parameters
        kwargs = {name: value for name, value in kwargs.items() if name in known or "kwargs" in known}
        try:
            return layer.call(*args, **kwargs)
        except Exception as error:
            first = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise SpecError([self._refused(layer, f"its `call` cannot be traced: {first[:200]}")]) from error

    def _refused(self, layer: Any, reason: str) -> Diagnostic:
        help = "compute with `keras.ops` and layers, without the values of tensors"
        return k.NoEqualLayer.at(self._span, layer.name, help=help, layer=layer.name, kind=type(layer).__name__, reason=reason)

    def _model(self, given: Any, outputs: Any, name: str) -> Any:
        """Build a functional model, with names that are unique in it."""
        import keras

        taken: set[str] = set()
        for operation in _operations(outputs):
            base, number = operation.name, 1
            while operation.name in taken:
                number += 1
                operation.name = f"{base}_{number}"
            taken.add(operation.name)
        return keras.Model(given, outputs, name=name)

    def owners(self, model: Any) -> dict[int, str]:
        """Return the name of each variable's step: its layer's and its own."""
        found = {}
        for layer in model._flatten_layers():
            for variable in layer._trainable_variables + layer._non_trainable_variables:
                found[id(variable)] = f"{layer.name}_{variable.name}"
        return found


def _graph(model: Any) -> Any:
    """Return the functional model that a model computes; None if it is a layer, or its class overrides ``call``."""
    import keras

    if not isinstance(model, keras.Model):
        return None
    kind = next((base for base in type(model).__mro__ if "call" in vars(base)), type(model))
    if kind.__module__.partition(".")[0] != "keras":
        return None
    graph = getattr(model, "_functional", None) if isinstance(model, keras.Sequential) else model
    return graph if hasattr(graph, "_run_through_graph") else None


def _operations(outputs: Any) -> list[Any]:
    """Return the operations that compute tensors, each once, those of the inputs first."""
    import keras

    found: dict[int, Any] = {}
    done: set[int] = set()
    waiting = [(tensor, False) for tensor in reversed(keras.tree.flatten(outputs))]
    while waiting:
        tensor, ready = waiting.pop()
        operation, index, _ = tensor._keras_history
        node = operation._inbound_nodes[index]
        if ready:
            found.setdefault(id(operation), operation)
        elif id(node) not in done:
            done.add(id(node))
            waiting.append((tensor, True))
            waiting.extend((read, False) for read in reversed(node.input_tensors))
    return list(found.values())


def _marked(model: Any, names: dict[int, str]) -> list[Variable]:
    """Replace variables among the arguments of operations by their numbers, and return them."""
    import keras

    found: dict[int, tuple[int, Variable]] = {}

    def marked(value: Any) -> Any:
        if not isinstance(value, keras.Variable):
            return value
        if id(value) not in found:
            variable = Variable(names.get(id(value), value.name), value.numpy(), bool(value.trainable))
            found[id(value)] = len(found), variable
        return {"__variable__": found[id(value)][0]}

    for model_ in _functional_models(model):
        for nodes in model_._nodes_by_depth.values():
            for node in nodes:
                arguments = node.arguments
                arguments.args = keras.tree.map_structure(marked, arguments.args)
                arguments.kwargs = keras.tree.map_structure(marked, arguments.kwargs)
    return [variable for _, variable in found.values()]


def _functional_models(model: Any) -> Iterator[Any]:
    yield model
    for layer in model.layers:
        if hasattr(layer, "_nodes_by_depth"):
            yield from _functional_models(layer)


@contextmanager
def _restored(model: Any) -> Iterator[None]:
    """Restore the names and the recorded calls of a model's layers."""
    operations = {id(one): one for one in (*model._flatten_layers(), *getattr(model, "operations", ()))}
    kept = [(one, one.name, list(one._inbound_nodes), list(one._outbound_nodes)) for one in operations.values()]
    try:
        yield
    finally:
        for one, name, inbound, outbound in kept:
            one.name = name
            one._inbound_nodes[:], one._outbound_nodes[:] = inbound, outbound


@contextmanager
def _symbolic_variables() -> Iterator[None]:
    """Let ``variable * tensor`` record an operation, as ``tensor * variable`` does."""
    import keras

    holder = next(base for base in keras.Variable.__mro__ if "__add__" in vars(base))
    kept = {name: getattr(holder, f"__{name}__") for name in _OPERATORS}

    def operator(name: str) -> Any:
        def compute(self: Any, other: Any) -> Any:
            if isinstance(other, keras.KerasTensor):
                return getattr(keras.ops, _OPERATORS[name])(self, other)
            return kept[name](self, other)

        return compute

    for name in _OPERATORS:
        setattr(holder, f"__{name}__", operator(name))
    try:
        yield
    finally:
        for name, original in kept.items():
            setattr(holder, f"__{name}__", original)
