"""Converts a finished graph to an ONNX `ModelProto`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from nnspec.diagnostics import NnspecError
from nnspec.onnx_backend.builder import Body, Builder, Operation
from nnspec.onnx_backend.passes import PASSES, Pass
from nnspec.runtime.metadata import PARITY, RUNTIME
from nnspec.runtime.seal import CONSTANTS, DIGEST, checksums_of, digest_of
from nnspec.runtime.versions import oldest_runtime_of
from nnspec.types import Dim, TensorType

ELEMENT: Mapping[str, int] = {
    name: getattr(onnx.TensorProto, code)
    for name, code in (
        ("float32", "FLOAT"),
        ("float64", "DOUBLE"),
        ("float16", "FLOAT16"),
        ("bfloat16", "BFLOAT16"),
        ("bool", "BOOL"),
    )
} | {
    f"{sign}int{bits}": getattr(onnx.TensorProto, f"{sign}int{bits}".upper()) for sign in ("", "u") for bits in (8, 16, 32, 64)
}
"""ONNX's element types, by Keras's names."""


def finish(
    b: Builder,
    inputs: Mapping[str, TensorType | onnx.TypeProto],
    outputs: Mapping[str, TensorType],
    *,
    name: str,
    metadata: Mapping[str, str],
    version: str,
    passes: Sequence[Pass] | None = None,
) -> onnx.ModelProto:
    """Build the model of a graph.

    Args:
        b: The graph, with the tensors of its outputs.
        inputs: The input types, by name. An ONNX type does not include the batch axis. An input that is also a constant is
            optional, with the constant as its default.
        outputs: The output types, by name; outputs that passes add have none.
        name: The graph's name.
        metadata: The metadata of the model.
        version: The version of nnspec.
        passes: The rewrites of the graph; by default all.
    """
    for each in PASSES if passes is None else passes:
        each.run(b)
    names = _settled(b, inputs)
    graph = helper.make_graph(
        [_node(operation, names) for operation in b.operations],
        name,
        [_value(key, type) for key, type in inputs.items()],
        [
            *(_value(key, type) for key, type in outputs.items()),
            *(helper.make_empty_tensor_value_info(key) for key in b.outputs if key not in outputs),
        ],
        [numpy_helper.from_array(array, names[key]) for key, array in b.constants.items()],
    )
    opsets = [helper.make_opsetid("", b.opset)]
    model = helper.make_model(graph, opset_imports=opsets, producer_name="nnspec", producer_version=version)
    model.ir_version = helper.find_min_ir_version_for(opsets)
    helper.set_model_props(model, dict(sorted({**metadata, RUNTIME: oldest_runtime_of(b.opset)}.items())))
    return model


def serialized(model: onnx.ModelProto) -> bytes:
    """Serialize a model deterministically.

    Raises:
        NnspecError: If it exceeds protobuf's limit.
    """
    try:
        return bytes(model.SerializeToString(deterministic=True))
    except ValueError as error:
        raise NnspecError("the model is larger than 2 GB, the limit of an ONNX file") from error


def sealed(model: onnx.ModelProto, record: Mapping[str, Any]) -> bytes:
    """Serialize a model with its parity record, the digest that binds the record to the model, and checksums of constants.

    Args:
        model: The model; the record is added to its metadata.
        record: The parity record, as plain values.
    """
    metadata = {entry.key: entry.value for entry in model.metadata_props if entry.key != PARITY}
    helper.set_model_props(model, dict(sorted(metadata.items())))
    content = serialized(model)
    record = {**record, CONSTANTS: checksums_of(content), DIGEST: digest_of(content)}
    helper.set_model_props(model, dict(sorted({**metadata, PARITY: json.dumps(record)}.items())))
    return serialized(model)


def _settled(b: Builder, inputs: Iterable[str]) -> dict[str, str]:
    """The final name of each handle: the requested one, with a number if it is taken."""
    names = {key: key for key in inputs} | {tensor: name for name, tensor in b.outputs.items()}
    taken, nodes = set(names.values()), set[str]()

    def settle(handle: str, among: set[str]) -> None:
        if handle and handle not in names:
            wanted = free = b.wanted(handle)
            count = 0
            while free in among:
                count += 1
                free = f"{wanted}_{count}"
            among.add(free)
            names[handle] = free

    def visit(operations: Iterable[Operation]) -> None:
        for operation in operations:
            settle(operation.name, nodes)
            for body in operation.bodies.values():
                for handle, _ in body.inputs:
                    settle(handle, taken)
                visit(body.operations)
            for handle in operation.outputs:
                settle(handle, taken)

    for handle in b.constants:
        settle(handle, taken)
    visit(b.operations)
    return names


def _node(operation: Operation, names: Mapping[str, str]) -> onnx.NodeProto:
    attributes: dict[str, Any] = {
        key: numpy_helper.from_array(value) if isinstance(value, np.ndarray) else value
        for key, value in operation.attributes.items()
    }
    attributes |= {key: _body(body, names, names[operation.name]) for key, body in operation.bodies.items()}
    inputs = [names[tensor] if tensor else "" for tensor in operation.inputs]
    outputs = [names[tensor] if tensor else "" for tensor in operation.outputs]
    while outputs and not outputs[-1]:
        outputs.pop()
    while inputs and not inputs[-1]:
        inputs.pop()
    return helper.make_node(operation.type, inputs, outputs, names[operation.name], **attributes)


def _body(body: Body, names: Mapping[str, str], name: str) -> onnx.GraphProto:
    return helper.make_graph(
        [_node(operation, names) for operation in body.operations],
        name,
        # Steps can be merged into the batch, as in `TimeDistributed`. ONNX Runtime reuses memory by names of axes, so a name
        # with another size elsewhere fails.
        [_value(names[key], type, batch=None) for key, type in body.inputs],
        [_value(names[key], type, batch=None) for key, type in body.outputs],
    )


def _value(name: str, type: TensorType | onnx.TypeProto, batch: str | None = "batch") -> onnx.ValueInfoProto:
    """A declared type. A free axis is named by its symbol; other unknown axes are unnamed."""
    if isinstance(type, onnx.TypeProto):
        return helper.make_value_info(name, type)
    sizes = [batch, *(_size(size) for size in type.shape)]
    return helper.make_tensor_value_info(name, ELEMENT[type.dtype], sizes)


def _size(size: int | Dim) -> int | str | None:
    return size if isinstance(size, int) else str(size) if size.is_known else None
