"""Blocks and networks under TimeDistributed: what they stand for, and that both lowerings agree."""

from __future__ import annotations

import numpy as np
import pytest

from nnspec.exporting.keras_reference import keras_reference
from nnspec.graph.memory import peak_activation_bytes
from nnspec.graph.model import Graph
from nnspec.onnx_backend.emit import to_onnx
from nnspec.onnx_backend.parity import measure
from nnspec.onnx_backend.proof import verify
from nnspec.onnx_backend.proto import serialized
from nnspec.runtime.session import runner

from .nets import graph_of_text, random_weights

HEAD = "nnspec: 1\nname: net\n"
FRAME = """blocks:
  frame:
    params: {filters: int}
    layers:
      - Conv2D: {filters: $filters, kernel_size: 3, padding: 1}
      - BatchNormalization
      - ReLU
      - GlobalAveragePooling2D
"""
VIDEO = HEAD + FRAME + "inputs: {video: [T, 9, 8, 3]}\nlayers:\n  - TimeDistributed: {layer: {frame: {filters: 4}}}\n"
WORDS = """networks:
  word:
    inputs: {letters: {shape: [L], dtype: int32}}
    layers:
      - Embedding: {input_dim: 9, output_dim: 3, mask_zero: true}
      - GRU: {units: 4}
"""


def proven(graph: Graph) -> Graph:
    weights = random_weights(graph)
    model = to_onnx(graph, weights, masks=True)
    parity = verify(graph, weights, model, keras_reference(graph, weights, masks=True))
    assert parity.agrees, parity.text()
    return graph


def test_a_block_runs_at_every_step_with_weights_under_the_step() -> None:
    graph = proven(graph_of_text(VIDEO + "  - GRU: {units: 5}\n"))
    assert next(identity for identity, *_ in graph.weights()) == "time_distributed/conv2d/kernel"
    assert str(graph.nodes["time_distributed"].output) == "(T, 4)"


def test_what_runs_at_every_step_is_counted_at_every_step() -> None:
    whole = graph_of_text(VIDEO.replace("[T, 9", "[5, 9") + "  - Flatten\n")
    step = graph_of_text(HEAD + FRAME + "inputs: {image: [9, 8, 3]}\nlayers:\n  - frame: {filters: 4}\n")
    assert whole.nodes["time_distributed/conv2d"].macs() == 5 * step.nodes["frame/conv2d"].macs()
    [most], [of_a_step] = peak_activation_bytes(whole), peak_activation_bytes(step)
    assert isinstance(most, int)
    assert isinstance(of_a_step, int)
    assert 5 * of_a_step <= most


def test_a_network_runs_at_every_step_with_its_own_weights() -> None:
    text = HEAD + WORDS + "inputs: {text: {shape: [T, L], dtype: int32}, query: {shape: [L], dtype: int32}}\nlayers:\n"
    graph = proven(
        graph_of_text(
            text + "  - TimeDistributed: {layer: word}\n    from: text\n    name: words\n  - word:\n    from: query\n"
            "    name: asked\n  - Dot: {axes: [2, 1]}\n    from: [words, asked]\n"
        )
    )
    assert {identity.split("/")[0] for identity, *_ in graph.weights()} == {"word"}


def test_a_mask_inside_a_step_goes_in_and_comes_out() -> None:
    text = (
        HEAD
        + """networks:
  word:
    inputs: {letters: [L, 3]}
    layers:
      - GRU: {units: 4, return_sequences: true}
        name: read
      - GRU: {units: 5}
        name: whole
    outputs: [read, whole]
"""
    )
    graph = proven(
        graph_of_text(
            text + "inputs: {text: {shape: [T, L], dtype: int32}}\nlayers:\n"
            "  - Embedding: {input_dim: 9, output_dim: 3, mask_zero: true}\n  - TimeDistributed: {layer: word}\n    name: words\n"
            "outputs: {read: words.read, whole: words.whole}\n"
        )
    )
    assert graph.output_types["read"].mask == graph.inputs["text"].shape
    assert graph.output_types["whole"].mask is None


def test_a_mask_of_steps_comes_out_again() -> None:
    graph = proven(
        graph_of_text(
            HEAD + "blocks:\n  both:\n    layers:\n      - Dense: {units: 4}\n      - Dense: {units: 2}\n"
            "inputs: {text: {shape: [T], dtype: int32}}\nlayers:\n"
            "  - Embedding: {input_dim: 9, output_dim: 3, mask_zero: true}\n  - TimeDistributed: {layer: both}\n  - GRU: {units: 3}\n"
        )
    )
    assert graph.nodes["time_distributed"].output.mask == graph.inputs["text"].shape


def test_each_output_of_a_network_has_its_steps() -> None:
    text = (
        HEAD
        + """networks:
  both:
    inputs: {x: [4], y: [3]}
    layers:
      - Dense: {units: 2}
        from: x
        name: a
      - Dense: {units: 5}
        from: y
        name: b
    outputs: [a, b]
"""
    )
    graph = proven(
        graph_of_text(
            text + "inputs: {x: [T, 4], y: [T, 3]}\nlayers:\n  - TimeDistributed: {layer: both}\n    from: {x: x, y: y}\n"
            "    name: each\noutputs: {a: each.a, b: each.b}\n"
        )
    )
    assert {name: str(type_) for name, type_ in graph.output_types.items()} == {"a": "(T, 2)", "b": "(T, 5)"}


def test_a_parameter_at_every_step_counts_the_steps() -> None:
    text = (
        HEAD
        + """blocks:
  tokens:
    layers:
      - Parameter: [1, 3]
        name: token
      - Concatenate: {axis: 1}
        from: [token, x]
"""
    )
    graph = proven(graph_of_text(text + "inputs: {x: [T, 4, 3]}\nlayers:\n  - TimeDistributed: {layer: tokens}\n"))
    assert str(graph.nodes["time_distributed"].output) == "(T, 5, 3)"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{layer: {frame: {filters: 4}}, more: 1}", "unknown key `more` in `TimeDistributed`"),
        ("{layer: {frame: {filter: 4}}}", "unknown key `filter` in `frame`"),
        ("{layer: fram}", "unknown layer `fram`"),
    ],
)
def test_mistakes_in_what_runs_at_every_step_are_reported(checked, line: str, message: str) -> None:
    _, problems = checked(VIDEO.replace("{layer: {frame: {filters: 4}}}", line))
    assert message in [problem.message for problem in problems]


def test_inputs_run_at_every_step_alike_have_one_length(checked) -> None:
    text = HEAD + "networks:\n  add:\n    inputs: {a: [4], b: [4]}\n    layers:\n      - Add:\n        from: [a, b]\n"
    text += "inputs: {a: [T, 4], b: [S, 4]}\nlayers:\n  - TimeDistributed: {layer: add}\n    from: {a: a, b: b}\n"
    model, problems = checked(text)
    assert problems == []
    assert {name: str(type_) for name, type_ in model.main.inputs.items()} == {"a": "(T, 4)", "b": "(T, 4)"}
    _, [problem] = checked(text.replace("[T, 4]", "[5, 4]").replace("[S, 4]", "[6, 4]"))
    assert problem.message == "inputs must have the same number of time steps, got 5 (`a`) and 6 (`b`)"


def test_a_class_token_and_a_learned_state_are_exported() -> None:
    text = (
        HEAD
        + """inputs: {image: [8, 8, 3], tokens: {shape: [T], dtype: int32}}
layers:
  - Conv2D: {filters: 6, kernel_size: 4, strides: 4}
    from: image
  - Reshape: [4, 6]
    name: patches
  - Parameter: {shape: [1, 6], initializer: {TruncatedNormal: {stddev: 0.02}}}
    name: token
  - Concatenate: {axis: 1}
    from: [token, patches]
    name: sequence
  - MultiHeadAttention: {num_heads: 2, key_dim: 3}
  - Slice: {stop: 1}
    name: seen
  - Parameter: [4]
    name: begin
  - Embedding: {input_dim: 9, output_dim: 3, mask_zero: true}
    from: tokens
  - GRU: {units: 4}
    from: {x: embedding, state: begin}
    name: read
outputs: [seen, read]
"""
    )
    graph = proven(graph_of_text(text))
    assert "begin/value" in {identity for identity, *_ in graph.weights()}


def test_onnx_answers_for_any_number_of_steps() -> None:
    graph = graph_of_text(VIDEO)
    weights = random_weights(graph)
    run = runner(serialized(to_onnx(graph, weights)))
    cases = [{"video": np.random.default_rng(n).normal(size=(2, n, 9, 8, 3)).astype("float32")} for n in (1, 7)]
    assert measure(keras_reference(graph, weights), run, cases).agrees
