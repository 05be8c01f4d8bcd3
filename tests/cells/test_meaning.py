"""What a recurrence computes: against NumPy, and against the built-in layers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import keras
import numpy as np
import pytest

from nnspec.graph.model import Graph
from nnspec.keras_backend import set_weight_arrays, to_keras, weight_arrays
from nnspec.onnx_backend.emit import to_onnx
from nnspec.onnx_backend.proto import serialized
from nnspec.runtime.session import runner

from ..onnx_backend.nets import graph_of_text, random_weights
from .specs import TOKENS, document

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras, as it saves

Arrays = Mapping[str, np.ndarray]
ON_TENSORFLOW = keras.backend.backend() == "tensorflow"
if ON_TENSORFLOW:
    import tensorflow as tf
ALL = "  - RNN: {cell: {minimal_gated: {units: 3}}, return_sequences: true, return_state: true}\noutputs: {all: rnn.output, h: rnn.h}"
GATED = document("{x: [T, 4]}", ALL, "minimal_gated")
MASKS = np.array([[1, 1, 1, 0, 0], [0, 0, 1, 1, 1], [1, 0, 1, 0, 1], [0, 0, 0, 0, 0], [1, 1, 1, 1, 1]], bool)


def keras_of(graph: Graph, weights: Arrays) -> Callable[[Arrays], dict[str, np.ndarray]]:
    model = to_keras(graph, seed=1)
    set_weight_arrays(model, graph, weights)
    return lambda inputs: {name: np.asarray(value) for name, value in model(inputs).items()}


def sigmoid(x: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-x)))


def minimal_gated(x: np.ndarray, weights: Arrays, mask: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """The outputs of all steps, and the last state (Zhou et al. 2016)."""
    h, outputs = np.zeros((len(x), 3)), []
    output = h
    for step in range(x.shape[1]):
        at = x[:, step]
        forget = sigmoid(np.concatenate([at, h], 1) @ weights["rnn/forget/kernel"] + weights["rnn/forget/bias"])
        seen = np.concatenate([at, forget * h], 1)
        new = (1 - forget) * h + forget * np.tanh(seen @ weights["rnn/candidate/kernel"] + weights["rnn/candidate/bias"])
        kept = np.ones((len(x), 1), bool) if mask is None else mask[:, step, None]
        h, output = np.where(kept, new, h), np.where(kept, new, output)
        outputs.append(output)
    return np.stack(outputs, 1), h


def test_a_minimal_gated_unit_computes_what_its_paper_defines() -> None:
    graph = graph_of_text(GATED)
    weights = random_weights(graph)
    x = np.random.default_rng(1).normal(size=(5, 6, 4)).astype("float32")
    steps, last = minimal_gated(x, weights)
    for run in (keras_of(graph, weights), runner(serialized(to_onnx(graph, weights)))):
        found = run({"x": x})
        np.testing.assert_allclose(found["all"], steps, atol=1e-6)
        np.testing.assert_allclose(found["h"], last, atol=1e-6)


def test_a_masked_step_keeps_the_state_and_repeats_the_output() -> None:
    graph = graph_of_text(
        document(TOKENS, "  - Embedding: {input_dim: 30, output_dim: 4, mask_zero: true}\n" + ALL, "minimal_gated")
    )
    weights = random_weights(graph)
    tokens = np.where(MASKS, np.arange(1, 26).reshape(5, 5), 0).astype("int32")
    steps, last = minimal_gated(weights["embedding/embeddings"][tokens], weights, MASKS)
    for run in (keras_of(graph, weights), runner(serialized(to_onnx(graph, weights)))):
        found = run({"tokens": tokens})
        np.testing.assert_allclose(found["all"], steps, atol=1e-6)
        np.testing.assert_allclose(found["h"], last, atol=1e-6)


@pytest.mark.parametrize(
    ("layer", "cell"),
    [
        ("GRU: {units: 3", "GRUCell: {units: 3"),
        ("GRU: {units: 3, reset_after: false", "GRUCell: {units: 3, reset_after: false"),
        ("LSTM: {units: 3", "LSTMCell: {units: 3"),
        ("LSTM: {units: 3, peephole: true, coupled_gates: true", "LSTMCell: {units: 3, peephole: true, coupled_gates: true"),
        ("SimpleRNN: {units: 3", "SimpleRNNCell: {units: 3"),
    ],
)
@pytest.mark.parametrize("backwards", [False, True])
def test_a_built_in_cell_computes_what_its_layer_does_with_weights_of_the_same_names(
    layer: str, cell: str, backwards: bool
) -> None:
    loop = f", return_sequences: true, return_state: true, go_backwards: {str(backwards).lower()}"
    embedded = "  - Embedding: {input_dim: 30, output_dim: 4, mask_zero: true}\n"
    last = "state_c" if "LSTM" in layer else "state"
    texts = [
        document(TOKENS, f"{embedded}  - {step}\n    name: rnn\noutputs: {{all: rnn.output, last: rnn.{last}}}")
        for step in (f"{layer}{loop}}}", f"RNN: {{cell: {{{cell}}}}}{loop}}}")
    ]
    first, second = map(graph_of_text, texts)
    weights = random_weights(first)
    assert {name: w.shape for name, w, _ in first.weights()} == {name: w.shape for name, w, _ in second.weights()}
    tokens = np.where(MASKS, np.arange(1, 26).reshape(5, 5), 0).astype("int32")
    wanted, found = keras_of(first, weights)({"tokens": tokens}), keras_of(second, weights)({"tokens": tokens})
    for name in wanted:
        np.testing.assert_allclose(found[name], wanted[name], atol=1e-6)


def test_dropout_in_a_cell_draws_anew_at_each_step() -> None:
    block = (
        "blocks:\n  noisy:\n    inputs: {x: null, h: [50]}\n    layers:\n      - Dropout: {rate: 0.5}\n        from: x\n"
        "      - Add:\n        from: [dropout, h]\n    outputs: {seen: dropout, h: add}\n"
    )
    graph = graph_of_text(document("{x: [T, 50]}", "  - RNN: {cell: noisy, return_sequences: true}", more=block))
    model = to_keras(graph, seed=1)
    x = np.ones((2, 4, 50), "float32")
    run = lambda x: model({"x": x}, training=True)  # noqa: E731
    compiled = tf.function(run) if ON_TENSORFLOW else run  # JAX compiles the loop in any case
    [drawn], [again] = compiled(x).values(), run(x).values()
    steps = [*np.asarray(drawn)[0], *np.asarray(again)[0]]
    assert len({step.tobytes() for step in steps}) == len(steps)
    assert np.array_equal(model({"x": x})["rnn"], x)


@pytest.mark.parametrize("cell", ["GRUCell", "LSTMCell", "SimpleRNNCell"])
def test_dropout_of_a_built_in_cell_draws_anew_at_each_step(cell: str) -> None:
    layers = f"  - RNN: {{cell: {{{cell}: {{units: 40, dropout: 0.5, recurrent_dropout: 0.5}}}}, return_sequences: true}}"
    graph = graph_of_text(document("{x: [T, 20]}", layers))
    model = to_keras(graph, seed=1)
    x = np.ones((1, 6, 20), "float32")
    runs = [np.asarray(model({"x": x}, training=training)["rnn"]) for training in (True, True, False)]
    assert not np.allclose(runs[0], runs[1])
    assert not np.allclose(runs[0], runs[2])


def test_the_keras_model_is_saved_and_loaded(tmp_path: Path) -> None:
    text = document(
        "{x: [T, 3], memory: [S, 4]}",
        "  - RNN: {cell: {attending: {units: 4}}}\n    from: {x: x, memory: memory}\n"
        "  - RNN: {cell: {conv_lstm: {filters: 2}}}\n    from: images\n    name: films\n"
        "outputs: {last: rnn.output, seen: rnn.context, films: films}",
        "attending",
        "conv_lstm",
    ).replace("memory: [S, 4]}\n", "memory: [S, 4], images: [T, H, W, 2]}\n")
    graph = graph_of_text(text)
    model = to_keras(graph, seed=4)
    set_weight_arrays(model, graph, random_weights(graph))
    file = tmp_path / "model.keras"
    model.save(file)
    loaded = keras.models.load_model(file)
    random = np.random.default_rng(1)
    shapes = {"x": (2, 5, 3), "memory": (2, 4, 4), "images": (2, 5, 4, 3, 2)}
    inputs = {name: random.normal(size=shape).astype("float32") for name, shape in shapes.items()}
    wanted, found = model(inputs), loaded(inputs)
    assert all(np.array_equal(found[name], wanted[name]) for name in wanted)


def test_a_network_in_a_cell_and_outside_has_one_copy() -> None:
    networks = (
        "networks:\n  embed:\n    inputs: {x: [4]}\n    layers:\n      - Dense: {units: 3}\n"
        "blocks:\n  cell:\n    inputs: {x: null, h: [3]}\n    layers:\n      - embed:\n        from: x\n"
        "      - Add:\n        from: [embed, h]\n    outputs: {output: add, h: add}\n"
    )
    layers = "  - RNN: {cell: cell}\n    from: x\n  - embed:\n    from: y\n  - Add:\n    from: [rnn, embed]\n"
    graph = graph_of_text(document("{x: [T, 4], y: [4]}", layers, more=networks))
    assert [name for name, *_ in graph.weights()] == ["embed/dense/kernel", "embed/dense/bias"]
    model = to_keras(graph, seed=4)
    assert len(model.trainable_variables) == 2
    found = keras_of(graph, random_weights(graph))({"x": np.ones((2, 3, 4), "float32"), "y": np.ones((2, 4), "float32")})
    assert np.isfinite(found["add"]).all()


def test_an_empty_sequence_returns_zeros_and_the_initial_state() -> None:
    for masked in (False, True):
        inputs = "{x: {shape: [T], dtype: int32}, start: [3]}" if masked else "{x: [T, 4], start: [3]}"
        embedded = "  - Embedding: {input_dim: 30, output_dim: 4, mask_zero: true}\n    from: x\n" if masked else ""
        text = document(
            inputs,
            f"{embedded}  - RNN: {{cell: {{minimal_gated: {{units: 3}}}}, return_state: true}}\n"
            f"    from: {{x: {'embedding' if masked else 'x'}, h: start}}\noutputs: {{last: rnn.output, h: rnn.h}}",
            "minimal_gated",
        )
        graph = graph_of_text(text)
        weights = random_weights(graph)
        start = np.full((2, 3), 0.5, "float32")
        given = {"x": np.zeros((2, 0), "int32") if masked else np.zeros((2, 0, 4), "float32"), "start": start}
        for run in (keras_of(graph, weights), runner(serialized(to_onnx(graph, weights)))):
            found = run(given)
            assert np.array_equal(found["last"], np.zeros((2, 3)))
            assert np.array_equal(found["h"], start)


def test_initial_weights_depend_on_the_seed_and_the_name_alone() -> None:
    graph = graph_of_text(GATED)
    first, again, other = (weight_arrays(to_keras(graph, seed=seed), graph) for seed in (1, 1, 2))
    assert all(np.array_equal(first[name], again[name]) for name in first)
    assert not np.array_equal(first["rnn/forget/kernel"], other["rnn/forget/kernel"])
    assert not np.array_equal(first["rnn/forget/kernel"], first["rnn/candidate/kernel"])


@pytest.mark.skipif(not ON_TENSORFLOW, reason="it compiles with TensorFlow; JAX compiles every loop")
def test_compiled_gradients_are_those_of_plain_execution() -> None:
    graph = graph_of_text(
        document(TOKENS, "  - Embedding: {input_dim: 30, output_dim: 4, mask_zero: true}\n" + ALL, "minimal_gated")
    )
    model = to_keras(graph, seed=1)
    tokens = np.where(MASKS, np.arange(1, 26).reshape(5, 5), 0).astype("int32")

    def gradients() -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            found = model({"tokens": tokens}, training=True)
            value = tf.reduce_sum(found["all"] ** 2) + tf.reduce_sum(found["h"])
        return [tf.convert_to_tensor(g) for g in tape.gradient(value, [v.value for v in model.trainable_variables])]

    for plain, compiled in zip(gradients(), tf.function(gradients, jit_compile=True)(), strict=True):
        np.testing.assert_allclose(compiled, plain, atol=1e-5)


def test_penalties_on_the_weights_of_a_cell_count_once() -> None:
    text = GATED.replace("activation: tanh}", "activation: tanh, kernel_regularizer: {L2: {l2: 0.5}}}")
    graph = graph_of_text(text)
    model = to_keras(graph, seed=1)
    [loss] = model.losses
    np.testing.assert_allclose(loss, 0.5 * np.sum(weight_arrays(model, graph)["rnn/candidate/kernel"] ** 2), rtol=1e-6)
