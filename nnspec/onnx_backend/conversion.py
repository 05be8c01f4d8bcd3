"""Converts layers without a `to_onnx` with tf2onnx, and inserts the result into the graph.

Weights keep their names if the conversion keeps their elements, in any axis order.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper, version_converter

from nnspec.diagnostics import Span
from nnspec.extras import require
from nnspec.graph.model import Graph, Node, Ref
from nnspec.layers.base import Layer
from nnspec.layers.plugin import whose
from nnspec.onnx_backend.builder import Body, Builder
from nnspec.onnx_backend.call import Array, Call
from nnspec.onnx_backend.layout import declared
from nnspec.onnx_backend.value import Value
from nnspec.types import PluginError
from nnspec.types.plugins import reason_of

_NEWEST = 18
"""The newest opset that tf2onnx 1.17 writes."""


def convert(b: Builder, call: Call[Layer]) -> Mapping[str, Value]:
    """Write a layer as tf2onnx converts its Keras layer.

    Raises:
        NnspecError: If TensorFlow or tf2onnx is not installed, or they cannot convert the layer.
    """
    require("train", "export")
    values = {port: declared(b, value) for port, value in call.inputs.items()}
    takes_masks = call.layer.uses_mask or (call.output.mask is not None and not call.layer.passes_mask)
    gives_mask = call.output.mask is not None and not call.layer.passes_mask
    alone = _alone(call, values if takes_masks else {port: _unmasked(value) for port, value in values.items()})
    try:
        converted = _by_tf2onnx(alone, call.weights, b.opset, mask=gives_mask)
    except PluginError:
        raise
    except Exception as error:  # tf2onnx's exceptions have no common class
        raise PluginError(f"{_cannot(call)} ({reason_of(error)}){_HELP}") from error
    if foreign := sorted({node.op_type for node in _nodes(converted.graph) if not _is_known(node, b.opset)}):
        raise PluginError(f"{_cannot(call)}: ONNX has no operator {', '.join(foreign)}{_HELP}")
    return _spliced(b, call, converted.graph, list(_fed(alone, values)), mask=gives_mask)


_HELP = "\n  = help: give the layer a `to_onnx` method (docs/plugins.md)"


def _cannot(call: Call[Layer]) -> str:
    return f"tf2onnx cannot convert {whose(call.layer)}"


def _unmasked(value: Value) -> Value:
    return replace(value, mask=None, type=value.type.masked(None))


def _alone(call: Call[Layer], values: Mapping[str, Value]) -> Graph:
    """The graph of the single layer."""
    types = {port: value.type for port, value in values.items()}
    refs = {port: Ref(f"in_{port}") for port in types}
    weights = call.layer.weights(types)
    nowhere = Span.whole("")
    node = Node("layer", call.layer, refs, types, call.outputs, weights, "layer", False, nowhere, "")
    outputs = {output: Ref("layer", output) for output in call.outputs}
    return Graph("layer", {f"in_{port}": kind for port, kind in types.items()}, {"layer": node}, outputs)


def _fed(alone: Graph, values: Mapping[str, Value]) -> Iterator[str]:
    """Our tensors for the converted graph's inputs, in order: each input, followed by its mask."""
    for port, value in values.items():
        yield value.name
        if alone.inputs[f"in_{port}"].mask is not None:
            assert value.mask is not None
            yield value.mask


def _by_tf2onnx(alone: Graph, weights: Mapping[str, Array], opset: int, *, mask: bool) -> onnx.ModelProto:
    import keras
    import tensorflow as tf

    from nnspec.keras_backend import set_weight_arrays, to_keras

    if keras.backend.backend() != "tensorflow":
        raise PluginError(f"tf2onnx requires Keras's TensorFlow backend; Keras runs on {keras.backend.backend()}")
    model = to_keras(alone)
    set_weight_arrays(model, alone, {f"layer/{name}": array for name, array in weights.items()})
    signature = [tf.TensorSpec(tensor.shape, tensor.dtype, name=name) for name, tensor in model.input.items()]

    def run(*tensors: Any) -> Any:
        outputs = list(model(dict(zip(model.input, tensors, strict=True))).values())
        return [*outputs, outputs[0]._keras_mask] if mask else outputs

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tf2onnx uses deprecated parts of NumPy and onnx
        import tf2onnx

        function = tf.function(run, input_signature=signature)
        converted: onnx.ModelProto
        converted, _ = tf2onnx.convert.from_function(function, input_signature=signature, opset=min(opset, _NEWEST))
        return converted if opset <= _NEWEST else version_converter.convert_version(converted, opset)


def _nodes(graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                yield from _nodes(attribute.g)


def _is_known(node: onnx.NodeProto, opset: int) -> bool:
    return node.domain in ("", "ai.onnx") and bool(onnx.defs.has(node.op_type, opset, ""))


def _spliced(b: Builder, call: Call[Layer], graph: onnx.GraphProto, fed: Sequence[str], *, mask: bool) -> dict[str, Value]:
    """Insert the converted graph's nodes into ours."""
    names = {given.name: handle for given, handle in zip(graph.input, fed, strict=True)}
    _Splice(b, call.weights).take(graph, names)
    made = [names[output.name] for output in graph.output]
    masked = made.pop() if mask else None
    pairs = zip(call.outputs.items(), made, strict=True)
    found = {output: Value.declared(tensor, type_) for (output, type_), tensor in pairs}
    first = next(iter(found))
    return {**found, first: replace(found[first], mask=masked)}


class _Splice:
    """Inserts converted graphs into ours, under the current layer's names."""

    def __init__(self, b: Builder, weights: Mapping[str, Array]) -> None:
        self._b = b
        self._weights = weights

    def take(self, graph: onnx.GraphProto, names: dict[str, str]) -> None:
        """Add a graph's constants and nodes; their outputs are added to ``names``, from their names to ours."""
        for constant in graph.initializer:
            names[constant.name] = self._constant(numpy_helper.to_array(constant))
        for node in graph.node:
            given = {attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in node.attribute}
            if node.op_type == "Constant" and "value" in given:
                names[node.output[0]] = self._constant(numpy_helper.to_array(given["value"]))
            else:
                self._add(node, given, names)

    def _add(self, node: onnx.NodeProto, given: Mapping[str, Any], names: dict[str, str]) -> None:
        bodies = {key: self._body(value, names) for key, value in given.items() if isinstance(value, onnx.GraphProto)}
        plain = {key: _plain(value) for key, value in given.items() if key not in bodies}
        inputs = [names[tensor] if tensor else "" for tensor in node.input]
        outputs = self._b.ops(node.op_type, inputs, [bool(name) for name in node.output], bodies=bodies, **plain)
        names |= dict(zip(node.output, outputs, strict=True))

    def _body(self, graph: onnx.GraphProto, around: Mapping[str, str]) -> Body:
        names = dict(around)
        with self._b.body() as body:
            for given in graph.input:
                names[given.name] = self._b.name("step")
                body.inputs.append((names[given.name], given.type))
            self.take(graph, names)
            body.outputs += ((names[output.name], output.type) for output in graph.output)
        return body

    def _constant(self, array: np.ndarray[Any, Any]) -> str:
        return self._b.constant(array, self._weight(array) or "constant")

    def _weight(self, array: np.ndarray[Any, Any]) -> str | None:
        """The weight with the same elements, if any."""
        alike = [name for name, weight in self._weights.items() if weight.size == array.size and weight.dtype == array.dtype]
        same = [name for name in alike if np.array_equal(self._weights[name], array)]
        return next(iter([*same, *(n for n in alike if np.array_equal(_sorted(self._weights[n]), _sorted(array)))]), None)


def _sorted(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return np.sort(array, axis=None)


def _plain(value: Any) -> Any:
    if isinstance(value, onnx.TensorProto):
        return numpy_helper.to_array(value)
    return value
