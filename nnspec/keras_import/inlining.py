"""Replacement of layers and models of custom classes by what their ``call`` computes.

Each is called on the symbolic tensors of its inputs, so that Keras records its operations and layers as a functional model.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from nnspec.diagnostics import Diagnostic, Span, SpecError
from nnspec.keras_import import problems as k
from nnspec.keras_import.batch_axis import is_moved
from nnspec.keras_import.live import live_config
from nnspec.keras_import.parts import Variable
from nnspec.keras_import.sizes import CHOICES, Differing, Sizes, merged
from nnspec.keras_import.stand_ins import StandIns
from nnspec.layers import snake_name

__all__ = ["Inlined", "inlined"]


@dataclass(frozen=True)
class Inlined:
    """A functional model without custom classes.

    Attributes:
        config: Its config.
        model: The model of the last trace, which has the layers.
        variables: The variables that its operations read, by the names of the inputs that stand for them.
        sizes: The names of the free sizes of its inputs, by input and axis.
    """

    config: Any
    model: Any
    variables: Mapping[str, Variable]
    sizes: Mapping[tuple[str, int], str]


@contextmanager
def inlined(model: Any, span: Span) -> Iterator[Iterator[Inlined]]:
    """Give functional models without custom classes that compute the same, to be tried in turn.

    They share the layers of the model, which is left as it was. Custom code is first traced with unknown sizes. If it computes
    with them, it is traced with three sets of concrete sizes, and what differs is what depends on a size.
    """
    tracing = _Tracing(model, span)
    with _restored(model):
        try:
            yield tracing.attempts()
        finally:
            tracing.restore()


class _Tracing:
    """Traces a model with unknown sizes, and with several known ones."""

    def __init__(self, model: Any, span: Span) -> None:
        self._model, self._span = model, span
        self._names: dict[int, tuple[Any, str]] = {}
        self._last = _Trace(span, self._names, None, {})

    def restore(self) -> None:
        """Leave the layers as they were."""
        self._last.restore()

    def attempts(self) -> Iterator[Inlined]:
        """Yield the traces.

        Raises:
            SpecError: If the code of a custom class cannot be traced.
        """
        failed: SpecError | None = None
        for attempt in self._attempts():
            try:
                found = attempt()
            except SpecError as error:
                failed = error
                continue
            except Differing as error:
                failed = SpecError([_refused(self._span, self._model, str(error))])
                continue
            yield found
            if attempt != self._unknown:
                return
        if failed is not None:
            raise failed

    def _attempts(self) -> Iterator[Callable[[], Inlined]]:
        yield self._unknown
        free = _free_axes(self._model)
        distinct = {place: f"{place[0]} {place[1]}" for place in free}
        by_axis = {place: f"axis {place[1]}" for place in free}
        several = len(set(by_axis.values())) < len(free)
        for choice in CHOICES if free else CHOICES[:1]:
            for names in [distinct, by_axis] if several else [distinct]:
                yield lambda names=names, choice=choice: self._known(names, choice)  # type: ignore[misc]

    def _unknown(self) -> Inlined:
        trace = self._traced(None, {})
        return Inlined(trace.config, trace.flat, trace.stand_ins.variables, {})

    def _known(self, names: Mapping[tuple[str, int], str], choice: Sequence[tuple[int, int, int]]) -> Inlined:
        several = Sizes.of(list(dict.fromkeys(names.values())), choice)
        traces = [self._traced(sizes, names) for sizes in several]
        config = merged([trace.config for trace in traces], several)
        return Inlined(config, traces[-1].flat, traces[-1].stand_ins.variables, names)

    def _traced(self, sizes: Sizes | None, names: Mapping[tuple[str, int], str]) -> _Trace:
        trace = _Trace(self._span, self._names, sizes, names)
        self._last.restore()
        self._last = trace
        try:
            trace.run(self._model)
        except SpecError:
            raise
        except Exception as error:
            raise SpecError([_refused(self._span, self._model, f"it cannot be traced: {_reason(error)}")]) from error
        return trace


def _input_name(x: Any) -> str:
    """Return the name of an input's layer, which without inlining is its name in the spec."""
    return str(x._keras_history.operation.name)


def _free_axes(model: Any) -> list[tuple[str, int]]:
    inputs = getattr(model, "inputs", None) or ()
    return [(_input_name(x), axis) for x in inputs for axis, size in enumerate(x.shape) if axis and size is None]


def _is_custom(operation: Any) -> bool:
    """Whether an operation runs code that neither Keras nor this package defines."""
    return type(operation).__name__ == "Lambda" or type(operation).__module__.partition(".")[0] not in ("keras", "nnspec")


class _Trace:
    """Traces custom classes until none is left.

    Args:
        span: The place of the model in diagnostics.
        names: The operations and their names, by their ids, which all traces share.
        sizes: The sizes of the inputs; None if they are unknown.
        axes: The names of the free sizes, by input and axis.
    """

    def __init__(
        self, span: Span, names: dict[int, tuple[Any, str]], sizes: Sizes | None, axes: Mapping[tuple[str, int], str]
    ) -> None:
        self._span, self._names, self._sizes, self._axes = span, names, sizes, axes
        self._kept: set[int] = set()
        self._owned: set[int] = set()
        self._activations: dict[int, tuple[Any, Any]] = {}
        self.flat: Any = None
        self.config: Any = None
        self.stand_ins: StandIns

    def run(self, model: Any) -> None:
        import keras

        graph = _graph(model)
        self._kept = set() if graph is None else {id(layer) for layer in graph.layers}
        self._owned = {id(layer) for layer in model._flatten_layers()}
        owners = _owners(model)
        given = self._inputs(model, graph)
        anchor = keras.tree.flatten(given)[0] if self._sizes is not None else None
        self.stand_ins = StandIns(
            lambda variable: owners.get(id(variable), variable.name), self._replaced, model._flatten_layers(), anchor
        )
        with self.stand_ins.used():
            if graph is None:
                outputs = self._call(model, *(given if isinstance(given, list) else [given]))
            else:
                outputs = graph._run_through_graph(keras.tree.flatten(given), operation_fn=_at_inference)
            if any(map(is_moved, keras.tree.flatten(outputs))):
                raise SpecError([self._refused(model, "its examples are not along the first axis of its outputs")])
            self.flat = self._model(given, outputs, model.name)
        left = next(filter(self._is_replaced, self.flat.layers), None)
        if left is not None:
            raise SpecError([self._refused(left, "it is called in a way that cannot be traced")])
        self.config = self._config()

    def _config(self) -> Any:
        """Return the config of the flat model, without the inputs that stand for variables."""
        config = live_config(self.flat)
        config["config"]["input_layers"] = config["config"]["input_layers"][0]
        return config

    def _inputs(self, model: Any, graph: Any) -> Any:
        """Return new inputs with the sizes, in the structure that the model takes."""
        import keras

        if graph is not None:
            return keras.tree.map_structure(self._input, graph._inputs_struct)
        shapes = getattr(model, "_build_shapes_dict", None) or {}
        found = [keras.Input(batch_shape=(self._batch, *shape[1:])) for shape in shapes.values() if isinstance(shape, tuple)]
        if hasattr(model, "inputs") and model.inputs:
            found = [self._input(x) for x in model.inputs]
        if not found or len(found) != len(shapes or found):
            raise SpecError([self._refused(model, "its input shape is unknown; call it on a batch first")])
        return found[0] if len(found) == 1 else found

    @property
    def _batch(self) -> int | None:
        return None if self._sizes is None else self._sizes.batch

    def _input(self, x: Any) -> Any:
        import keras

        shape = list(x.shape) if self._sizes is None else [self._batch, *x.shape[1:]]
        if self._sizes is not None:
            shape = [
                self._sizes.axes[self._axes[_input_name(x), axis]] if size is None else size for axis, size in enumerate(shape)
            ]
        return keras.Input(batch_shape=shape, dtype=x.dtype, name=_input_name(x))

    def restore(self) -> None:
        """Give the layers their activations, which are operations in the flat model."""
        for layer, activation in self._activations.values():
            layer.activation = activation

    def _is_replaced(self, layer: Any) -> bool:
        if _graph(layer) is None:
            return _is_custom(layer)
        return id(layer) not in self._kept or any(map(self._is_replaced, layer.layers))

    def _replaced(self, layer: Any, original: Any, *args: Any, **kwargs: Any) -> Any:
        """Call what replaces a layer; None if it stays."""
        import keras

        if self._is_replaced(layer):
            if (graph := _graph(layer)) is not None:
                return graph._run_through_graph(keras.tree.flatten(args[0]), operation_fn=_at_inference)
            return self._call(layer, *args, **kwargs)
        if type(layer) is keras.layers.Identity:
            return args[0]  # with some settings Keras cannot save it
        if isinstance(layer, keras.layers.Embedding) and _is_computed(args[0]) and "float" in args[0].dtype:
            return original(layer, keras.ops.cast(args[0], "int32"), *args[1:], **kwargs)  # as the layer does itself
        if isinstance(layer, keras.layers.ReversibleEmbedding):
            return _with_its_mask(layer, original, *args, **kwargs)
        if isinstance(layer, _masking()) and _is_masked(layer, args, kwargs):
            return self._call(layer, *args, **kwargs)
        is_custom = _is_custom_function(getattr(layer, "activation", None)) and not isinstance(layer, keras.layers.RNN)
        if is_custom and id(layer) not in self._activations:
            self._activations[id(layer)] = layer, layer.activation
            layer.activation = keras.activations.linear
        if id(layer) in self._activations:
            return self._activations[id(layer)][1](original(layer, *args, **kwargs))
        return None

    def _call(self, layer: Any, *args: Any, **kwargs: Any) -> Any:
        known = inspect.signature(layer.call).parameters
        kwargs = {name: value for name, value in kwargs.items() if name in known or "kwargs" in known}
        if "training" in known and kwargs.get("training") is None and len(args) <= list(known).index("training"):
            kwargs["training"] = False
        try:
            return _with_masks(layer, args, kwargs)
        except SpecError:
            raise
        except Exception as error:
            raise SpecError([self._refused(layer, f"its `call` cannot be traced: {_reason(error)}")]) from error

    def _refused(self, layer: Any, reason: str) -> Diagnostic:
        return _refused(self._span, layer, reason)

    def _model(self, given: Any, outputs: Any, name: str) -> Any:
        """Build a functional model, with names that are unique in it."""
        import keras

        taken: set[str] = {_input_name(tensor) for tensor in keras.tree.flatten(given)}
        for operation in _operations(outputs):
            if isinstance(operation, keras.layers.InputLayer):
                continue
            number = 1
            own = operation.name if id(operation) in self._owned else snake_name(type(operation).__name__)
            _, base = self._names.setdefault(id(operation), (operation, own))
            operation.name = base
            while operation.name in taken:
                number += 1
                operation.name = f"{base}_{number}"
            taken.add(operation.name)
        return keras.Model([given, self.stand_ins.tensors], outputs, name=name)


def _reason(error: Exception) -> str:
    """Return the first line of an error, without Keras's heading of the layer in which it was raised."""
    lines = [re.sub(r"\x1b\[\d+m", "", line).strip() for line in str(error).splitlines()]
    lines = [line for line in lines if line and not line.startswith("Exception encountered when calling")]
    return (lines or [type(error).__name__])[0][:200]


def _refused(span: Span, layer: Any, reason: str) -> Diagnostic:
    help = "compute with `keras.ops` and layers, without the values of tensors"
    return k.NoEqualLayer.at(span, layer.name, help=help, layer=layer.name, kind=type(layer).__name__, reason=reason)


def _owners(model: Any) -> dict[int, str]:
    """Return the name of each variable's step: its layer's and its own."""
    found = {}
    for layer in model._flatten_layers():
        for variable in layer._trainable_variables + layer._non_trainable_variables:
            found[id(variable)] = f"{layer.name}_{variable.name}"
    return found


def _with_masks(layer: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """Call a layer's `call` with the masks of its inputs, and set the masks of its outputs, as ``Layer.__call__`` does."""
    import keras
    from keras.src.backend.common.masking import get_keras_mask

    known = inspect.signature(layer.call)
    given = known.bind_partial(*args, **kwargs).arguments
    read = {name: value for name, value in given.items() if any(map(_is_tensor, keras.tree.flatten(value)))}
    targets = {"mask": next(iter(read), "")} if len(read) == 1 else {f"{name}_mask": name for name in read}
    for target, name in targets.items():
        if name and target in known.parameters and given.get(target) is None:
            kwargs[target] = keras.tree.map_structure(get_keras_mask, read[name])
    first = next(iter(given.values()), None)
    before = kwargs.get("mask")
    before = keras.tree.map_structure(get_keras_mask, first) if before is None else before
    outputs = layer.call(*args, **kwargs)
    if layer.supports_masking:
        layer._set_mask_metadata(first, outputs, before)
    return outputs


def _with_its_mask(layer: Any, original: Any, *args: Any, **kwargs: Any) -> Any:
    """Call a `ReversibleEmbedding`, which sets its mask within `call`, so that symbolic outputs lack it."""
    import keras
    from keras.src.backend.common.masking import set_keras_mask

    outputs = original(layer, *args, **kwargs)
    given = inspect.signature(layer.call).bind(*args, **kwargs).arguments
    if not given.get("reverse"):
        set_keras_mask(outputs, keras.layers.Embedding.compute_mask(layer, given["inputs"]))
    return outputs


def _at_inference(operation: Any) -> Any:
    """Return a call of an operation at inference, whatever was recorded when the model was built."""

    def call(*args: Any, **kwargs: Any) -> Any:
        if "training" in kwargs or "training" in inspect.signature(operation.call).parameters:
            kwargs["training"] = False
        return operation(*args, **kwargs)

    return call


def _is_tensor(value: Any) -> bool:
    import keras

    return isinstance(value, keras.KerasTensor)


def _is_computed(value: Any) -> bool:
    import keras

    return _is_tensor(value) and not isinstance(value._keras_history.operation, keras.layers.InputLayer)


def _is_custom_function(value: Any) -> bool:
    return inspect.isfunction(value) and value.__module__.partition(".")[0] != "keras"


def _masking() -> tuple[type, ...]:
    """Return the layers whose masks are computed by operations if they are arguments."""
    import keras

    names = ("MultiHeadAttention", "GroupQueryAttention", "Attention", "AdditiveAttention", "Softmax")
    return tuple(getattr(keras.layers, name) for name in names)


def _is_masked(layer: Any, args: Any, kwargs: Any) -> bool:
    given = inspect.signature(layer.call).bind_partial(*args, **kwargs).arguments
    return any(_is_tensor(value) for name, value in given.items() if name.endswith("mask"))


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
