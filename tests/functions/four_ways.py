"""The four-way comparison of an expression: NumPy in float64, Keras, ONNX Runtime, and the gradient by finite differences."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray

from nnspec.diagnostics import Span
from nnspec.functions.base import Case
from nnspec.functions.evaluation import NumpyRun
from nnspec.functions.terms import FLOAT
from nnspec.functions.typing import input_term
from nnspec.graph.model import Graph, Node, Ref
from nnspec.keras_backend import to_keras
from nnspec.layers.compute import Compute
from nnspec.onnx_backend import to_onnx
from nnspec.types import TensorType, symbol

OPSETS = (17, 23)


@dataclass(frozen=True)
class Found:
    """The results of a case, by result."""

    numpy: dict[str, NDArray[Any]]
    keras: dict[str, NDArray[Any]]
    onnx: dict[int, dict[str, NDArray[Any]]]


def graph_of(case: Case, *, free: bool) -> Graph:
    """A network that computes the expression, with free sizes or fixed ones."""
    types = {}
    for name, array in case.inputs.items():
        sizes = tuple(symbol(f"{name}{axis}") if free else size for axis, size in enumerate(array.shape[1:], 1))
        types[name] = TensorType(sizes, str(array.dtype))
    layer = Compute(results={"y": case.text}, reads=list(types))
    outputs = layer.output_types(types)
    refs = {name: Ref(name) for name in types}
    node = Node("compute", layer, refs, types, outputs, (), "compute", False, Span.whole(""), "")
    return Graph("main", types, {"compute": node}, {"y": Ref("compute", "y")})


def found(case: Case, *, free: bool = False) -> Found:
    """Compute a case in all ways."""
    graph = graph_of(case, free=free)
    terms = graph.nodes["compute"].layer.typed(dict(graph.inputs)).results  # type: ignore[attr-defined]
    [reference] = NumpyRun(case.inputs)(*terms.values())
    model = to_keras(graph)
    by_keras = keras.ops.convert_to_numpy(model(dict(case.inputs))["y"])
    by_onnx = {}
    for opset in OPSETS:
        exported = to_onnx(graph, {}, opset=opset)
        onnx.checker.check_model(exported, full_check=True)
        session = ort.InferenceSession(exported.SerializeToString(), providers=["CPUExecutionProvider"])
        by_onnx[opset] = {"y": session.run(["y"], dict(case.inputs))[0]}
    return Found({"y": reference}, {"y": by_keras}, by_onnx)


def differentiable(case: Case) -> list[str]:
    """The float inputs on which a float result depends."""
    graph = graph_of(case, free=False)
    terms = graph.nodes["compute"].layer.typed(dict(graph.inputs)).results  # type: ignore[attr-defined]
    term = terms["y"]
    return [name for name in term.axes if term.dtype == FLOAT and case.inputs[name].dtype.kind == "f"]


def gradient(function: Callable[[Any], Any], x: NDArray[Any]) -> NDArray[Any]:
    """The gradient of a scalar function by Keras's backend."""
    if keras.backend.backend() == "jax":
        import jax

        return np.asarray(jax.grad(function)(keras.ops.convert_to_tensor(x)))
    import tensorflow as tf

    given = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(given)
        y = function(given)
    found = tape.gradient(y, given)
    return np.zeros_like(x) if found is None else np.asarray(tf.convert_to_tensor(found))


def gradient_errors(case: Case, rng: np.random.Generator) -> dict[str, tuple[float, float]]:
    """Directional derivatives by Keras and by central differences of NumPy in float64, for each float input."""
    graph = graph_of(case, free=False)
    terms = graph.nodes["compute"].layer.typed(dict(graph.inputs)).results  # type: ignore[attr-defined]
    model = to_keras(graph)
    [expected] = NumpyRun(case.inputs)(*terms.values())
    errors = {}
    for name in differentiable(case):
        direction = rng.normal(size=case.inputs[name].shape)
        weights = rng.normal(size=expected.shape)

        others = {key: keras.ops.convert_to_tensor(array) for key, array in case.inputs.items()}

        def loss(x: Any, name: str = name, weights: Any = weights, others: Any = others) -> Any:
            y = model({**others, name: x})["y"]
            return keras.ops.sum(y * keras.ops.convert_to_tensor(weights, y.dtype))

        own = float(np.sum(np.asarray(gradient(loss, case.inputs[name]), np.float64) * direction))

        def at(step: float, name: str = name, direction: Any = direction, weights: Any = weights) -> float:
            moved = {**case.inputs, name: case.inputs[name].astype(np.float64) + step * direction}
            [value] = NumpyRun(moved)(*terms.values())
            return float(np.sum(value * weights))

        step = 1e-5
        errors[name] = own, (at(step) - at(-step)) / (2 * step)
    return errors


__all__ = ["Found", "differentiable", "found", "gradient", "gradient_errors", "graph_of", "input_term"]
