"""What the written graphs look like: names, node types, nothing superfluous."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import onnx
import onnxruntime
import pytest

from nnspec.diagnostics import NnspecError
from nnspec.exporting.keras_reference import keras_reference
from nnspec.graph.model import Graph
from nnspec.layers import LAYERS
from nnspec.onnx_backend.emit import OPSETS, to_onnx
from nnspec.onnx_backend.lower import lowering_of
from nnspec.onnx_backend.proof import verify
from nnspec.onnx_backend.proto import serialized
from nnspec.onnx_backend.samples import draw
from nnspec.runtime.session import runner

from ..layers.cases import CASES
from .nets import graph_of, lenet, random_weights, tagger, types

GUARD = ["Shape", "Max", "Reshape"]
"""Before an operator that ends the process on a tensor without elements."""


def emitted(graph: Graph, **options: int) -> onnx.ModelProto:
    model = to_onnx(graph, random_weights(graph), **options)
    onnx.checker.check_model(model, full_check=True)
    return model


def proven(graph: Graph, **options: int) -> onnx.ModelProto:
    """The model, after it has answered as Keras does."""
    model = emitted(graph, **options)
    parity = verify(graph, random_weights(graph), model, keras_reference(graph, random_weights(graph)), **options)
    assert parity.agrees, parity.text()
    return model


def axes(value: onnx.ValueInfoProto) -> list[int | str]:
    return [dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim]


def test_every_layer_has_a_lowering() -> None:
    for op in LAYERS.names():
        case = next(case for case in CASES if case.op == op)
        assert callable(lowering_of(case.layer()))


def test_lenet_needs_no_transposition() -> None:
    assert "Transpose" not in types(proven(lenet()))


def test_a_picture_in_colour_is_transposed_once_and_its_features_never() -> None:
    graph = graph_of(
        """
  - Conv2D: {filters: 4, kernel_size: 3, use_bias: false}
  - BatchNormalization
  - ReLU
  - MaxPooling2D:
    name: pooled
  - Conv2D: {filters: 4, kernel_size: 3, padding: same}
  - Add:
    from: [conv2d_1, pooled]
  - Concatenate:
    from: [add, pooled]
  - Flatten
  - BatchNormalization
  - Dense: {units: 3}
""",
        "{image: [9, 10, 3]}",
    )
    assert types(proven(graph)).count("Transpose") == 1


def test_a_picture_that_goes_out_is_transposed_once_more() -> None:
    graph = graph_of(
        "  - Conv2D: {filters: 4, kernel_size: 3, padding: same}\n  - ReLU\n  - Conv2D: {filters: 2, kernel_size: 1}\n",
        "{x: [H, W, 3]}",
    )
    assert types(proven(graph)) == ["Transpose", "Conv", "Relu", "Conv", "Transpose"]


def test_flattened_pictures_side_by_side_keep_their_order() -> None:
    graph = graph_of(
        """
  - Conv2D: {filters: 3, kernel_size: 2}
    from: image
    name: a
  - Flatten:
    name: flat_a
  - Conv2D: {filters: 2, kernel_size: 3}
    from: image
    name: b
  - Flatten:
    name: flat_b
  - Concatenate:
    from: [flat_a, flat_b, more]
  - ReLU
  - Dense: {units: 3}
    name: y
  - Activation: softmax
    from: relu
    name: raw
""",
        "{image: [5, 4, 2], more: [3]}",
        "[y, raw]",
    )
    assert types(proven(graph)).count("Transpose") == 1


def test_batch_normalization_disappears_into_the_layer_before() -> None:
    graph = graph_of(
        """
  - Conv2D: {filters: 4, kernel_size: 3, use_bias: false}
  - Dropout: 0.2
  - BatchNormalization
  - BatchNormalization
  - Flatten
  - Dense: {units: 3}
  - BatchNormalization: {scale: false}
""",
        "{image: [6, 6, 2]}",
    )
    assert types(proven(graph)) == ["Transpose", "Conv", "Flatten", "Gemm"]


@pytest.mark.parametrize(
    "layers",
    [
        "  - Conv2D: {filters: 4, kernel_size: 3, activation: relu}\n  - BatchNormalization\n",
        "  - Conv2D: {filters: 4, kernel_size: 3}\n    name: c\n  - BatchNormalization\n  - Add:\n    from: [c, batch_normalization]\n",
        "  - Conv2D: {filters: 4, kernel_size: 3}\n  - BatchNormalization: {axis: 1}\n",
    ],
    ids=["behind an activation", "beside another reader", "over another axis"],
)
def test_batch_normalization_that_cannot_disappear_stays(layers: str) -> None:
    found = types(proven(graph_of(layers, "{image: [6, 6, 2]}")))
    assert "BatchNormalization" in found or {"Mul", "Add"} <= set(found)


def test_a_normalized_output_beside_what_it_normalizes_is_left_apart() -> None:
    graph = graph_of("  - Dense: {units: 3}\n    name: a\n  - BatchNormalization:\n    name: b\n", outputs="[a, b]")
    assert types(proven(graph)) == ["Gemm", "Mul", "Add"]


def test_a_shared_layer_is_written_with_one_kernel() -> None:
    model = proven(graph_of("  - Dense: {units: 4}\n    name: d\n  - share: d\n    name: again\n"))
    assert types(model) == ["Gemm", "Gemm"]
    assert [initializer.name for initializer in model.graph.initializer] == ["d/kernel", "d/bias"]


def test_a_tied_embedding_is_written_with_one_table() -> None:
    graph = graph_of(
        "  - ReversibleEmbedding: {input_dim: 9, output_dim: 4, mask_zero: true, logit_soft_cap: 3.0}\n    name: embedding\n"
        "  - GRU: {units: 4, return_sequences: true}\n"
        "  - share: {layer: embedding, reverse: true}\n    name: logits\n",
        "{tokens: {shape: [T], dtype: int32}}",
    )
    model = proven(graph)
    assert [tuple(c.dims) for c in model.graph.initializer].count((9, 4)) == 1
    assert [tuple(c.dims) for c in model.graph.initializer].count((4, 9)) == 0


def test_a_shared_layer_is_normalized_where_it_is_normalized_alone() -> None:
    graph = graph_of("  - Dense: {units: 4}\n    name: d\n  - share: d\n    name: again\n  - BatchNormalization\n")
    assert types(proven(graph)) == ["Gemm", "Gemm"]


def test_gru_and_lstm_are_one_operator_each_and_simple_rnn_a_scan() -> None:
    for kind, operator in (("GRU", "GRU"), ("LSTM", "LSTM"), ("SimpleRNN", "Scan")):
        found = types(
            emitted(graph_of(f"  - {kind}: {{units: 3, return_sequences: true}}\n  - {kind}: {{units: 3}}\n", "{x: [T, 4]}"))
        )
        assert found.count(operator) == 2
        assert "Loop" not in found


def test_two_gru_layers_hand_the_steps_over_as_they_lie() -> None:
    found = types(emitted(graph_of("  - GRU: {units: 3, return_sequences: true}\n  - GRU: {units: 3}\n", "{x: [T, 4]}")))
    assert found == ["Transpose", *GUARD, "GRU", "Squeeze", *GUARD, "GRU", "Squeeze"]


def test_both_directions_are_one_operator() -> None:
    found = types(proven(tagger()))
    assert found.count("LSTM") == 2
    assert not {"Loop", "Scan"} & set(found)
    assert found.count("TopK") == 1


def test_without_a_mask_nothing_of_a_mask_is_written() -> None:
    graph = graph_of("  - Embedding: {input_dim: 9, output_dim: 4}\n  - GRU: {units: 3}\n", "{t: {shape: [T], dtype: int32}}")
    assert types(emitted(graph)) == ["Gather", "Transpose", *GUARD, "GRU", "Squeeze"]


def test_a_convolution_over_time_is_one_over_a_picture_of_height_one() -> None:
    model = proven(
        graph_of("  - Conv1D: {filters: 3, kernel_size: 3, padding: causal}\n  - GlobalMaxPooling1D\n", "{x: [T, 4]}")
    )
    assert types(model) == ["Transpose", "Unsqueeze", "Conv", "GlobalMaxPool", "Flatten"]
    [conv] = [node for node in model.graph.node if node.op_type == "Conv"]
    attributes = {attribute.name: list(attribute.ints) for attribute in conv.attribute}
    assert attributes["kernel_shape"] == [1, 3]
    assert attributes["pads"] == [0, 2, 0, 0]


def test_padding_is_always_written_out() -> None:
    for case in CASES:
        if "Conv" in case.op or "Pooling" in case.op:
            graph = case.graph()
            for node in to_onnx(graph, case.weights(graph)).graph.node:
                assert "auto_pad" not in [attribute.name for attribute in node.attribute]


def test_a_free_size_that_the_stride_divides_needs_no_computed_padding() -> None:
    down = "  - Conv2D: {filters: 2, kernel_size: 3, strides: 2, padding: same}\n"
    assert "Pad" in types(proven(graph_of(down, "{x: [H, W, 3]}")))
    # Added to a picture half the size, the result must be half the size: H and W are even.
    halved = (
        down + "  - AveragePooling2D: {pool_size: 2}\n    from: x\n    name: half\n  - Concatenate:\n    from: [conv2d, half]\n"
    )
    assert "Pad" not in types(proven(graph_of(halved, "{x: [H, W, 3]}")))


def test_every_tensor_bears_its_layers_name() -> None:
    model = emitted(lenet())
    layers = set(lenet().nodes)
    names = [name for node in model.graph.node for name in (node.name, *node.output)] + [
        i.name for i in model.graph.initializer
    ]
    assert {name.partition("/")[0] for name in names} <= layers
    assert {"conv2d/output", "average_pooling2d_1/output", "dense/output", "digit"} <= set(names)
    assert {"conv2d/kernel", "conv2d/bias", "digit/kernel", "digit/bias"} <= set(names)


def test_inputs_outputs_and_axes_bear_the_specs_names() -> None:
    model = emitted(graph_of("  - MaxPooling1D:\n    name: y\n", "{series: [T, 3]}", "{pooled: y}"))
    [given], [output] = model.graph.input, model.graph.output
    assert (given.name, axes(given)) == ("series", ["batch", "T", 3])
    assert (output.name, axes(output)) == ("pooled", ["batch", "T//2", 3])


def test_an_axis_without_a_name_has_none() -> None:
    [given] = emitted(graph_of("  - Dense: {units: 2}\n", "{x: [null, 3]}")).graph.input
    assert axes(given) == ["batch", 0, 3]


def test_one_tensor_may_be_two_outputs() -> None:
    model = proven(
        graph_of("  - Dense: {units: 2}\n    name: a\n  - Dense: {units: 2}\n    name: b\n", outputs="{p: a, q: a, b: b}")
    )
    assert [output.name for output in model.graph.output] == ["p", "q", "b"]
    assert types(model).count("Identity") == 1


def test_an_input_that_goes_straight_out_is_copied() -> None:
    graph = graph_of("  - Dropout: 0.5\n    name: same\n")
    assert types(proven(graph)) == ["Identity"]


def test_an_output_that_bears_an_inputs_name_has_another_in_onnx() -> None:
    model = proven(graph_of("  - Dense: {units: 4}\n    name: y\n", outputs="{x: y, x_out: y}"))
    assert [output.name for output in model.graph.output] == ["x_out_out", "x_out"]


def test_what_no_output_needs_is_left_out() -> None:
    graph = graph_of("  - Dense: {units: 2}\n    name: a\n  - Dense: {units: 3}\n    from: x\n    name: b\n", outputs="[a, b]")
    alone = Graph(graph.name, graph.inputs, graph.nodes, {"a": graph.outputs["a"]})
    model = to_onnx(alone, {name: array for name, array in random_weights(graph).items() if name.startswith("a/")})
    assert [initializer.name for initializer in model.graph.initializer] == ["a/kernel", "a/bias"]


def test_the_same_graph_and_weights_give_the_same_bytes() -> None:
    code = (
        "import sys, hashlib; sys.path.insert(0, '.');"
        "from tests.onnx_backend.nets import tagger, random_weights;"
        "from nnspec.onnx_backend.emit import to_onnx; from nnspec.onnx_backend.proto import serialized;"
        "g = tagger(); print(hashlib.sha256(serialized(to_onnx(g, random_weights(g), metadata={'b': '1', 'a': '2'}))).hexdigest())"
    )
    run = lambda: subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120).stdout  # noqa: E731
    assert run() == run()


def test_the_emitter_loads_no_training_framework() -> None:
    code = "import sys, nnspec.onnx_backend.emit, nnspec.runtime.predictor; print({'tensorflow', 'keras', 'tf2onnx'} & set(sys.modules))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert result.stdout.strip() == "set()"


def test_only_the_families_in_use_are_imported() -> None:
    code = (
        "import sys; from nnspec.onnx_backend.lower import lowering_of; from nnspec.layers import LAYERS;"
        "lowering_of(LAYERS.get('Flatten')());"
        "print(sorted(m for m in sys.modules if m.startswith('nnspec.onnx_backend.lower.')))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert result.stdout.strip() == "['nnspec.onnx_backend.lower.shape']"


def test_metadata_and_producer_are_written() -> None:
    graph = graph_of("  - Conv1D: {filters: 2, kernel_size: 5}\n", "{x: [T, 3]}")
    model = to_onnx(graph, random_weights(graph), metadata={"nnspec.spec.hash": "abc"})
    reported = {entry.key: entry.value for entry in model.metadata_props}
    assert reported["nnspec.spec.hash"] == "abc"
    assert reported["nnspec.conditions"] == '{"T": {"at_least": 5}}'
    assert (model.producer_name, model.producer_version) == ("nnspec", reported["nnspec.version"])


@pytest.mark.parametrize("opset", [17, 18, 19, 20, 23, 26])
def test_every_operator_set_answers_the_same(opset: int) -> None:
    graph = graph_of(
        """
  - Embedding: {input_dim: 11, output_dim: 4, mask_zero: true}
    name: e
  - Bidirectional: {layer: {SimpleRNN: {units: 3, return_sequences: true, activation: gelu}}, merge_mode: ave}
  - Bidirectional: {layer: {GRU: {units: 2, activation: gelu}}, merge_mode: mul}
    name: a
  - Conv1D: {filters: 2, kernel_size: 3, padding: same, strides: 2, activation: mish}
    from: e
  - AveragePooling1D: {pool_size: 3, strides: 2, padding: same}
  - GlobalMaxPooling1D:
    name: b
  - GlobalAveragePooling1D:
    from: e
    name: c
  - Concatenate:
    from: [a, b]
    name: y
""",
        "{t: {shape: [T], dtype: int32}}",
        "[y, c]",
    )
    model = proven(graph, opset=opset)
    assert model.opset_import[0].version == opset
    assert model.ir_version <= 13


def test_the_operator_sets_are_those_that_onnx_runtime_reads() -> None:
    graph = graph_of("  - Dense: {units: 2}\n")
    runner(serialized(emitted(graph, opset=OPSETS[-1])))
    for opset in (OPSETS[0] - 1, OPSETS[-1] + 1):
        with pytest.raises(NnspecError, match=f"opset {opset} is not supported"):
            emitted(graph, opset=opset)


def test_onnx_runtime_has_nothing_to_warn_of(capfd: pytest.CaptureFixture[str]) -> None:
    for graph in (lenet(), tagger()):
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 2
        session = onnxruntime.InferenceSession(serialized(emitted(graph)), options, providers=["CPUExecutionProvider"])
        for inputs in draw(graph):
            session.run(None, inputs)
    assert "onnxruntime" not in capfd.readouterr().err


def test_missing_and_misshapen_weights_are_named() -> None:
    graph = graph_of("  - Dense: {units: 2}\n    name: y\n")
    weights = random_weights(graph)
    with pytest.raises(NnspecError, match="no `y/bias`, required by the layer `y`"):
        to_onnx(graph, {"y/kernel": weights["y/kernel"]})
    with pytest.raises(NnspecError, match=r"`y/bias` has the shape \(3,\); the layer `y` requires \(2,\)"):
        to_onnx(graph, {**weights, "y/bias": np.zeros(3)})


def test_a_tensor_and_the_same_with_its_axes_changed_are_both_outputs() -> None:
    steps = "  - Dense: {units: 3}\n    name: a\n  - Permute: [2, 1]\n    name: b\n"
    graph = graph_of(steps, "{x: [T, 4]}", "[a, b]")
    answer = runner(serialized(to_onnx(graph, random_weights(graph))))({"x": np.ones((1, 5, 4), np.float32)})
    assert np.array_equal(answer["a"].swapaxes(1, 2), answer["b"])
