"""Small models that are served in tests, made without a framework."""

from __future__ import annotations

import json

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from nnspec.files import write_whole
from nnspec.onnx_backend.proto import sealed
from nnspec.runtime.metadata import ANSWERS, CLASSES, DATA, DETECTIONS, SPEC_NAME

PROVEN = {"outputs": {"y": {"error": 0.0, "tolerance": 1e-5, "sensitivity": 0.0}}, "cases": 1, "examples": 1}
_OPSET = [helper.make_opsetid("", 21)]


def _model(nodes, inputs, outputs, constants, **reported):
    graph = helper.make_graph(nodes, "g", inputs, outputs, [numpy_helper.from_array(v, k) for k, v in constants.items()])
    model = helper.make_model(graph, opset_imports=_OPSET, ir_version=10)
    helper.set_model_props(model, {SPEC_NAME: "scale", **reported})
    return model


def port(name, shape, element=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, element, shape)


def scale(factor=2.0, name="scale", **reported) -> onnx.ModelProto:
    """``y = factor · x``, of (batch, 3)."""
    node = helper.make_node("Mul", ["x", "k"], ["y"])
    batch = ["batch", 3]
    return _model(
        [node], [port("x", batch)], [port("y", batch)], {"k": np.array(factor, np.float32)}, **{SPEC_NAME: name}, **reported
    )


def table() -> onnx.ModelProto:
    """``y = table[t]``, t of (batch, T) below 4: another number is refused by ONNX Runtime."""
    node = helper.make_node("Gather", ["k", "t"], ["y"])
    return _model(
        [node],
        [port("t", ["batch", "T"], TensorProto.INT64)],
        [port("y", ["batch", "T", 2])],
        {"k": np.arange(8, dtype=np.float32).reshape(4, 2)},
        **{SPEC_NAME: "table"},
    )


def iris(reader=None) -> onnx.ModelProto:
    """Two columns, stacked, of (batch, 2) and three classes."""
    node = helper.make_node("MatMul", ["x", "k"], ["kind"])
    recipe = {"inputs": {"x": {"columns": ["length", "width"], "stacked": True, "transforms": [], "missing": False}}}
    recipe |= {"reader": reader} if reader else {}
    return _model(
        [node],
        [port("x", ["batch", 2])],
        [port("kind", ["batch", 3])],
        {"k": np.array([[1, 0, 0], [0, 1, 0]], np.float32)},
        **{
            SPEC_NAME: "iris",
            DATA: json.dumps(recipe),
            CLASSES: json.dumps({"kind": ["long", "wide", "<b>neither</b>"]}),
            ANSWERS: json.dumps({"kind": {"kind": "class", "above": 0.5}}),
        },
    )


def picture(dtype=TensorProto.UINT8, reader=None, transforms=(), **facts) -> onnx.ModelProto:
    """The mean of the left and of the right half of a picture of 4 × 4."""
    nodes = [
        helper.make_node(
            "Cast",
            [
                "image",
            ],
            ["f"],
            to=TensorProto.FLOAT,
        ),
        helper.make_node("Reshape", ["f", "s"], ["r"]),
        helper.make_node("ReduceMean", ["r", "a"], ["side"], keepdims=0),
    ]
    reported = {"columns": ["image"], "stacked": False, "transforms": list(transforms), "missing": False, **facts}
    recipe = {"inputs": {"image": reported}} | ({"reader": reader} if reader else {})
    constants = {"s": np.array([-1, 4, 2, 2], np.int64), "a": np.array([1, 3], np.int64)}
    return _model(
        nodes,
        [port("image", ["batch", 4, 4, 1], dtype)],
        [port("side", ["batch", 2])],
        constants,
        **{SPEC_NAME: "side", DATA: json.dumps(recipe), CLASSES: json.dumps({"side": ["left", "right"]})},
    )


def detector() -> onnx.ModelProto:
    """Two boxes, of any image of 4 × 4: its left half and its lower right quarter."""
    found = {
        "boxes": np.array([[0, 0, 2, 4], [2, 2, 4, 4], [-1] * 4], np.float32),
        "scores": np.array([0.875, 0.25, -1], np.float32),
        "class": np.array([1, 0, -1], np.int32),
    }
    nodes = [helper.make_node("Shape", ["image"], ["n"], start=0, end=1)]
    constants, outputs = {}, []
    for name, values in found.items():
        size = f"{name}_size"
        constants |= {f"{name}_one": values[None], f"{name}_rest": np.array(values.shape, np.int64)}
        nodes.append(helper.make_node("Concat", ["n", f"{name}_rest"], [size], axis=0))
        nodes.append(helper.make_node("Expand", [f"{name}_one", size], [name]))
        element = TensorProto.INT32 if name == "class" else TensorProto.FLOAT
        outputs.append(port(name, ["batch", *values.shape], element))
    recipe = {"inputs": {"image": {"columns": ["image"], "stacked": False, "transforms": [], "missing": False, "white": 255}}}
    reported = {"boxes": "boxes", "scores": "scores", "classes": "class", "image": "image"}
    facts = {SPEC_NAME: "halves", DATA: json.dumps(recipe), CLASSES: json.dumps({"class": ["<b>low</b>", "left"]})}
    image = port("image", ["batch", 4, 4, 1], TensorProto.UINT8)
    return _model(nodes, [image], outputs, constants, **facts, **{DETECTIONS: json.dumps(reported)})


def regions() -> onnx.ModelProto:
    """The two boxes that are given with any image of 4 × 4; rows of −1 are none."""
    nodes = [
        helper.make_node("Identity", ["proposals"], ["boxes"]),
        helper.make_node("ReduceMin", ["proposals", "last"], ["least"], keepdims=0),
        helper.make_node("GreaterOrEqual", ["least", "zero"], ["there"]),
        helper.make_node("Where", ["there", "score", "none"], ["scores"]),
        helper.make_node("Floor", ["scores"], ["kinds"]),
        helper.make_node("Cast", ["kinds"], ["class"], to=TensorProto.INT32),
    ]
    constants = {
        "last": np.array([2], np.int64),
        "zero": np.array(0, np.float32),
        "score": np.array(0.75, np.float32),
        "none": np.array(-1, np.float32),
    }
    image = {"columns": ["image"], "stacked": False, "transforms": [], "missing": False, "white": 255}
    steps = [
        {"transform": "boxes", "arguments": {"of": "image"}, "learned": {}},
        {"transform": "pad", "arguments": {"length": 2, "value": -1.0}, "learned": {"length": 2}},
    ]
    proposals = {"columns": ["proposals"], "stacked": False, "transforms": steps, "missing": False}
    reported = {"boxes": "boxes", "scores": "scores", "classes": "class", "image": "image"}
    facts = {SPEC_NAME: "regions", DATA: json.dumps({"inputs": {"image": image, "proposals": proposals}})}
    inputs = [port("image", ["batch", 4, 4, 1], TensorProto.UINT8), port("proposals", ["batch", 2, 4])]
    outputs = [port("boxes", ["batch", 2, 4]), port("scores", ["batch", 2]), port("class", ["batch", 2], TensorProto.INT32)]
    facts |= {CLASSES: json.dumps({"class": ["part"]}), DETECTIONS: json.dumps(reported)}
    return _model(nodes, inputs, outputs, constants, **facts)


def mask() -> onnx.ModelProto:
    """The picture of 4 × 4 itself, as an output that is an image."""
    recipe = {"inputs": {"image": {"columns": ["image"], "stacked": False, "transforms": [], "missing": False, "white": 1}}}
    shape = ["batch", 4, 4, 1]
    node = helper.make_node("Identity", ["image"], ["mask"])
    reported = {SPEC_NAME: "mask", DATA: json.dumps(recipe), ANSWERS: json.dumps({"mask": {"kind": "yes_or_no", "above": 0.5}})}
    return _model([node], [port("image", shape)], [port("mask", shape)], {}, **reported)


def endless(turns=2**62) -> onnx.ModelProto:
    """``y = x``, of (batch, 3), after as many turns of a loop as it says, or as its first value says where that is None."""
    turn = helper.make_graph(
        [helper.make_node("Identity", ["on"], ["still"]), helper.make_node("Identity", ["v"], ["w"])],
        "turn",
        [port("i", [], TensorProto.INT64), port("on", [], TensorProto.BOOL), port("v", ["batch", 3])],
        [port("still", [], TensorProto.BOOL), port("w", ["batch", 3])],
    )
    reported = [
        helper.make_node("GatherND", ["x", "first"], ["value"]),
        helper.make_node("Cast", ["value"], ["n"], to=TensorProto.INT64),
    ]
    constants = {"yes": np.array(True)} | ({"first": np.array([0, 0])} if turns is None else {"n": np.array(turns)})
    batch = ["batch", 3]
    loop = helper.make_node("Loop", ["n", "yes", "x"], ["y"], body=turn)
    return _model([*(reported if turns is None else []), loop], [port("x", batch)], [port("y", batch)], constants)


def write(path, model, record=PROVEN):
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_whole(path, sealed(model, record) if record else model.SerializeToString())
