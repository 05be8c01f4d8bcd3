"""Graphs that nobody thought of: layers over pictures, series and padded tokens in any order and any wiring."""

from __future__ import annotations

from typing import Any

import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nnspec.graph.model import Graph, Node, Ref
from nnspec.layers import LAYERS
from nnspec.layers.base import LayerError
from nnspec.onnx_backend.emit import to_onnx
from nnspec.onnx_backend.proof import prove
from nnspec.types import TensorType, symbol

from ..layers.cases import node
from .nets import in_keras, random_weights

_SIZES = st.integers(1, 3)
_ACTIVATIONS = st.sampled_from([None, None, "relu", "tanh", "softmax", "gelu"])
_PADDING = st.sampled_from(["valid", "same", "same", 1])


@st.composite
def _arguments(draw: st.DrawFn, op: str) -> dict[str, Any]:
    if op.startswith("Conv"):
        shape = {"filters": draw(st.sampled_from([2, 3, 8])), "kernel_size": draw(_SIZES), "strides": draw(st.integers(1, 2))}
        return {**shape, "padding": draw(_PADDING), "activation": draw(_ACTIVATIONS), "use_bias": draw(st.booleans())}
    if "Pooling" in op and "Global" not in op:
        return {"pool_size": draw(st.integers(2, 3)), "strides": draw(_SIZES), "padding": draw(_PADDING)}
    if op in _RECURRENT:
        flags = {flag: draw(st.booleans()) for flag in ("return_sequences", "go_backwards", "use_bias")}
        return {"units": draw(st.integers(1, 4)), **flags, "activation": draw(st.sampled_from(["tanh", "relu", "gelu"]))}
    if op == "Bidirectional":
        layer = {draw(st.sampled_from(_RECURRENT)): {"units": 2, "return_sequences": draw(st.booleans())}}
        return {"layer": layer, "merge_mode": draw(st.sampled_from(["concat", "sum", "mul", "ave"]))}
    if op == "Dense":
        return {"units": draw(st.integers(1, 4)), "activation": draw(_ACTIVATIONS)}
    if op == "Concatenate":
        return {"axis": draw(st.sampled_from([-1, -1, 1]))}
    if op == "BatchNormalization":
        return {"axis": draw(st.sampled_from([-1, -1, -1, 1])), "scale": draw(st.booleans())}
    return {"Dropout": {"rate": 0.3}, "Activation": {"activation": draw(_ACTIVATIONS.filter(bool))}}.get(op, {})


_OPS = ["BatchNormalization", "ReLU", "Activation", "Dropout", "Dense", "Add", "Concatenate", "Flatten"]
_OVER_PICTURES = ["Conv2D", "MaxPooling2D", "AveragePooling2D", "GlobalAveragePooling2D", "GlobalMaxPooling2D"]
_RECURRENT = ["GRU", "LSTM", "SimpleRNN"]
_OVER_TIME = [
    *_RECURRENT,
    "Bidirectional",
    "GlobalAveragePooling1D",
    "Conv1D",
    "MaxPooling1D",
    "AveragePooling1D",
    "GlobalMaxPooling1D",
]


@st.composite
def graphs(draw: st.DrawFn, favourite: str) -> Graph:
    """A graph of up to 10 layers over a picture, a series or tokens with padding; layers that would not fit are left out.

    Args:
        favourite: A layer that comes first, and often: Hypothesis alone draws some layers again and again, and others never.
    """
    over = "picture" if favourite in _OVER_PICTURES else draw(st.sampled_from(["series", "tokens", "tokens"]))
    channels = draw(st.sampled_from([1, 3, 8]))
    shape = {"picture": (7, 6, channels), "series": (9, channels), "tokens": (symbol("T"),)}[over]
    inputs = {"x": TensorType(shape, "int32" if over == "tokens" else "float32")}
    types: dict[Ref, TensorType] = {Ref("x"): inputs["x"]}
    nodes: dict[str, Node] = {}
    if over == "tokens":
        table = LAYERS.get("Embedding")(input_dim=7, output_dim=channels, mask_zero=True)
        nodes["table"] = node("table", table, {"x": Ref("x")}, {"x": inputs["x"]})
        types = {Ref("table"): nodes["table"].output}
    picture = over == "picture"
    ops = st.sampled_from([favourite, favourite, *_OPS, *(_OVER_PICTURES if picture else _OVER_TIME)])
    for number in range(draw(st.integers(2, 10))):
        op = draw(ops) if number else favourite
        layer = LAYERS.get(op)(**draw(_arguments(op)))
        # Mostly the tensor before: chains are where things are folded.
        last, refs = list(types)[-1], list(types)
        one = draw(st.sampled_from([last, last, last, *refs]))
        read = {"0": one, "1": draw(st.sampled_from(refs))} if op in ("Add", "Concatenate") else {"x": one}
        try:
            made = node(f"n{number}", layer, read, {port: types[ref] for port, ref in read.items()})
        except LayerError:
            continue
        nodes[made.name] = made
        types[Ref(made.name)] = made.output
    others = [ref for ref in types if ref.source != "x"] or [Ref("x")]
    chosen = dict.fromkeys([others[-1], *draw(st.lists(st.sampled_from(others), max_size=2))])
    outputs = {f"y{number}": ref for number, ref in enumerate(chosen)}
    return Graph("random", inputs, nodes, outputs).giving(outputs)


@pytest.mark.filterwarnings("ignore:.*softmax over axis -1 of a tensor of shape")
@pytest.mark.parametrize("favourite", [*_OVER_PICTURES, *_OVER_TIME])
@settings(max_examples=4, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_random_graph_answers_as_in_keras(favourite: str, data: st.DataObject) -> None:
    graph = data.draw(graphs(favourite))
    weights = random_weights(graph)
    model = to_onnx(graph, weights)
    onnx.checker.check_model(model, full_check=True)
    parity = prove(graph, weights, model, in_keras(graph, weights))
    assert parity.agrees, parity.text()
