"""Graphs with weights in float16 and with layers in 8-bit integers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from nnspec.graph.model import Graph
from nnspec.onnx_backend.emit import to_onnx
from nnspec.onnx_backend.passes import PASSES
from nnspec.onnx_backend.proto import serialized
from nnspec.onnx_backend.reduced.float16 import FLOAT16_PASSES, in_float16
from nnspec.onnx_backend.reduced.int8 import Int8, Observation
from nnspec.runtime.session import Arrays, runner

from .nets import graph_of, lenet, random_weights, tagger

RESIDUAL = """
  - Conv2D: {filters: 8, kernel_size: 3, padding: same, use_bias: false}
  - BatchNormalization
  - ReLU:
    name: stem
  - Conv2D: {filters: 8, kernel_size: 3, padding: same}
    name: branch
  - Add:
    from: [stem, branch]
  - ReLU
  - MaxPooling2D
  - GlobalAveragePooling2D
  - Dense: {units: 5}
    name: scores
"""


def residual() -> Graph:
    return graph_of(RESIDUAL, "{image: [8, 8, 3]}")


def inputs_of(graph: Graph, rows: int = 16) -> Arrays:
    random = np.random.default_rng(3)
    return {name: random.random((rows, *type.shape), np.float32) for name, type in graph.inputs.items()}


def int8_of(graph: Graph, weights: Mapping[str, np.ndarray], inputs: Arrays, *in_float: str) -> onnx.ModelProto:
    observation = Observation()
    ranges = observation.ranges(runner(serialized(to_onnx(graph, weights, passes=observation.passes))), [inputs])
    return to_onnx(graph, weights, passes=Int8(ranges, frozenset(in_float)).passes)


def operators_at_run_time(model: onnx.ModelProto, folder: Path) -> Counter[str]:
    """The operators after ONNX Runtime's own optimization."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.optimized_model_filepath = str(folder / "optimized.onnx")
    onnxruntime.InferenceSession(serialized(model), options, providers=["CPUExecutionProvider"])
    return Counter(node.op_type for node in onnx.load(folder / "optimized.onnx").graph.node)


@pytest.mark.parametrize(("net", "smaller"), [(lenet, 1.8), (residual, 1.1)])
def test_a_file_in_float16_computes_the_same_as_one_in_float32_with_the_rounded_weights(net, smaller) -> None:
    graph = net()
    weights = in_float16(random_weights(graph))
    exact, stored = (serialized(to_onnx(graph, weights, passes=passes)) for passes in (PASSES, FLOAT16_PASSES))
    inputs = inputs_of(graph)
    for name, array in runner(exact)(inputs).items():
        np.testing.assert_allclose(runner(stored)(inputs)[name], array, rtol=1e-5, atol=1e-6)
    assert len(exact) > smaller * len(stored)


def test_weights_inside_loops_and_recurrent_operators_are_stored_in_float16_too() -> None:
    graph = tagger()
    weights = in_float16(random_weights(graph))
    model = to_onnx(graph, weights, passes=FLOAT16_PASSES)
    tokens = {"tokens": np.random.default_rng(0).integers(1, 11, (3, 6)).astype(np.int32)}
    (exact,), (stored,) = (runner(serialized(each))(tokens).values() for each in (to_onnx(graph, weights), model))
    np.testing.assert_allclose(stored, exact, rtol=1e-6)
    large = [each for each in model.graph.initializer if each.data_type == onnx.TensorProto.FLOAT and np.prod(each.dims) >= 64]
    assert not large


def test_an_array_beyond_the_largest_float16_is_not_rounded() -> None:
    weights = {"large": np.float32([1e5, 0.1]), "small": np.float32([0.1]), "whole": np.int32([70_000])}
    rounded = in_float16(weights)
    assert rounded["large"] is weights["large"]
    assert rounded["whole"] is weights["whole"]
    assert rounded["small"] == np.float32(np.float16(0.1))


@pytest.mark.parametrize("net", [lenet, residual])
def test_a_network_in_int8_computes_nearly_the_same_in_a_third_of_the_size(net) -> None:
    graph = net()
    weights, inputs = random_weights(graph), inputs_of(graph)
    model = int8_of(graph, weights, inputs)
    onnx.checker.check_model(model)
    exact = runner(serialized(to_onnx(graph, weights)))(inputs)
    for name, array in runner(serialized(model))(inputs).items():
        assert np.sqrt(np.mean((array - exact[name]) ** 2)) < 0.05 * np.sqrt(np.mean(exact[name] ** 2))


def test_onnx_runtime_runs_all_of_a_residual_network_on_integers(tmp_path) -> None:
    graph = residual()
    found = operators_at_run_time(int8_of(graph, random_weights(graph), inputs_of(graph)), tmp_path)
    assert found["QLinearConv"] == 2
    assert found["QLinearAdd"] == found["QLinearGlobalAveragePool"] == found["QGemm"] == 1
    assert not {"Conv", "FusedConv", "Gemm", "Add", "Relu"} & found.keys()


def test_a_layer_that_is_to_stay_in_float32_does(tmp_path) -> None:
    graph = residual()
    model = int8_of(graph, random_weights(graph), inputs_of(graph), "branch")
    found = operators_at_run_time(model, tmp_path)
    assert found["QLinearConv"] == 1
    kernels = {
        each.name for each in model.graph.initializer if each.data_type == onnx.TensorProto.FLOAT and np.prod(each.dims) > 64
    }
    assert kernels == {"branch/kernel"}


def test_the_results_of_integers_do_not_depend_on_the_level_of_optimization() -> None:
    graph = lenet()
    inputs = inputs_of(graph)
    content = serialized(int8_of(graph, random_weights(graph), inputs))
    fused, plain = (runner(content, level=level)(inputs)["digit"] for level in ("all", "disabled"))
    assert np.abs(fused - plain).max() < 0.02


def test_kernels_have_seven_bits() -> None:
    graph = residual()
    model = int8_of(graph, random_weights(graph), inputs_of(graph))
    kernels = [onnx.numpy_helper.to_array(each) for each in model.graph.initializer if each.name.endswith("kernel_integers")]
    assert len(kernels) == 3
    assert all(kernel.dtype == np.int8 and np.abs(kernel.astype(int)).max() == 63 for kernel in kernels)


def test_equal_graphs_and_ranges_result_in_equal_bytes() -> None:
    graph = residual()
    weights, inputs = random_weights(graph), inputs_of(graph)
    assert serialized(int8_of(graph, weights, inputs)) == serialized(int8_of(graph, weights, inputs))
