"""Each pass states what it requires and ensures, and ensures it for a graph of every kind."""

from __future__ import annotations

from collections.abc import Iterator

import onnx
import pytest

from nnspec.onnx_backend.emit import to_onnx
from nnspec.onnx_backend.passes import PASSES, Pass
from nnspec.onnx_backend.passes.guard_empty_tensors import UNSAFE

from .nets import graph_of, random_weights
from .test_nonempty import NETS


@pytest.mark.parametrize("each", PASSES, ids=lambda each: each.__name__)
def test_a_pass_states_what_it_requires_and_ensures(each: Pass) -> None:
    assert "Requires:" in (each.__doc__ or "")
    assert "Ensures:" in (each.__doc__ or "")


def nodes_of(graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                yield from nodes_of(attribute.g)


@pytest.mark.parametrize("name", NETS)
def test_every_unsafe_operator_reads_a_guarded_tensor(name: str) -> None:
    graph = graph_of(*NETS[name])
    model = to_onnx(graph, random_weights(graph))
    constants = {initializer.name for initializer in model.graph.initializer}
    nodes = list(nodes_of(model.graph))
    makers = {output: node for node in nodes for output in node.output}
    unsafe = [node for node in nodes if node.op_type in UNSAFE]
    assert unsafe
    for node in unsafe:
        for tensor in node.input[: UNSAFE[node.op_type]]:
            assert tensor in constants or (
                makers[tensor].op_type == "Reshape" and makers[makers[tensor].input[1]].op_type == "Max"
            )
