"""The functional model: names, seeds, sharing, freezing, padding by numbers, masks beside states, and that Keras alone loads it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from nnspec.graph.model import Graph, Node, Ref
from nnspec.keras_backend import set_weight_arrays, to_keras, weight_arrays
from nnspec.layers import LAYERS
from nnspec.onnx_backend.emit import to_onnx
from nnspec.onnx_backend.proto import serialized
from nnspec.runtime.session import runner
from nnspec.types import TensorType, symbol
from tests.conftest import FULL
from tests.layers.cases import CASES, Case, Input, node

T = symbol("T")


def graph(inputs: dict[str, TensorType], *steps: tuple[Any, ...], outputs: dict[str, Ref] | None = None) -> Graph:
    """A graph of ``(name, op, arguments, sources, more)``; it gives its last node."""
    nodes: dict[str, Node] = {}
    for name, op, arguments, sources, *more in steps:
        layer = LAYERS.get(op)(**arguments)
        ports = [str(i) for i in range(len(sources))] if len(sources) > 1 and op in ("Add", "Concatenate") else ["x", "state"]
        refs = {port: source if isinstance(source, Ref) else Ref(source) for port, source in zip(ports, sources, strict=False)}
        types = {p: nodes[r.source].outputs[r.output] if r.source in nodes else inputs[r.source] for p, r in refs.items()}
        nodes[name] = node(name, layer, refs, types, **(more[0] if more else {}))
    last = list(nodes)[-1:]
    return Graph("main", inputs, nodes, outputs or {name: Ref(name) for name in last})


def dense(name: str, source: str, units: int = 3, **more: Any) -> tuple[Any, ...]:
    return (name, "Dense", {"units": units}, [source], more)


X = {"x": TensorType((4,))}


# --- names ------------------------------------------------------------------------------------------------------------


def test_layers_bear_their_nodes_names_with_a_point_for_a_slash() -> None:
    model = to_keras(graph(X, dense("enc/dense", "x"), dense("out", "enc/dense")))
    assert [layer.name for layer in model.layers] == ["x", "enc.dense", "out"]
    assert model.name == "main"


def test_inputs_and_outputs_are_dicts_by_the_specs_names_also_where_there_is_one() -> None:
    model = to_keras(graph(X, dense("a", "x"), outputs={"logits": Ref("a")}))
    answer = model({"x": np.zeros((2, 4), "float32")})
    assert list(answer) == ["logits"]


def test_outputs_keep_their_order() -> None:
    outputs = {"z": Ref("a"), "b": Ref("b"), "a": Ref("a")}
    model = to_keras(graph(X, dense("a", "x"), dense("b", "x"), outputs=outputs))
    assert list(model({"x": np.zeros((2, 4), "float32")})) == ["z", "b", "a"]


def test_an_input_may_be_an_output() -> None:
    model = to_keras(graph(X, dense("a", "x"), outputs={"same": Ref("x"), "a": Ref("a")}))
    x = np.ones((2, 4), "float32")
    assert np.array_equal(model({"x": x})["same"], x)


def test_a_layer_may_be_called_as_keras_calls_an_operation_of_a_mask() -> None:
    tokens = {"x": TensorType((T,), "int32")}
    embedding = ("embedding", "Embedding", {"input_dim": 5, "output_dim": 3, "mask_zero": True}, ["x"])
    model = to_keras(graph(tokens, embedding, ("not_equal", "LSTM", {"units": 2}, ["embedding"])))
    assert [op.name for op in model.operations] == ["x", "embedding", "notequal.0", "not_equal"]


def test_operations_between_layers_have_the_same_names_in_every_build() -> None:
    case = Case("AveragePooling2D", {"pool_size": 3, "padding": 1}, {"x": Input((7, 7, 2))})
    assert [op.name for op in to_keras(case.graph()).operations] == [op.name for op in to_keras(case.graph()).operations]


# --- seeds ------------------------------------------------------------------------------------------------------------


def test_a_seed_makes_first_weights_repeatable() -> None:
    net = graph(X, dense("a", "x"), dense("b", "a"))
    first, again, other = (weight_arrays(to_keras(net, seed=seed), net) for seed in (7, 7, 8))
    assert all(np.array_equal(first[name], again[name]) for name in first)
    assert not np.array_equal(first["a/kernel"], other["a/kernel"])


@pytest.mark.parametrize("op", LAYERS.names())
def test_a_seed_makes_first_weights_of_every_layer_repeatable(op: str) -> None:
    net = next(case for case in CASES if case.op == op).graph()
    first, again = (weight_arrays(to_keras(net, seed=7), net) for _ in range(2))
    assert all(np.array_equal(first[name], again[name]) for name in first)


def test_without_a_seed_first_weights_differ_from_build_to_build() -> None:
    net = graph(X, dense("a", "x"))
    first, again = (weight_arrays(to_keras(net), net)["a/kernel"] for _ in range(2))
    assert not np.array_equal(first, again)


def test_a_layers_first_weights_stay_when_others_come_and_go() -> None:
    short = graph(X, dense("a", "x"), dense("out", "a"))
    long = graph(X, dense("a", "x"), dense("between", "a"), dense("out", "between"))
    before, after = (weight_arrays(to_keras(net, seed=7), net) for net in (short, long))
    assert all(np.array_equal(before[name], after[name]) for name in before)


def test_layers_and_weights_of_one_shape_start_differently() -> None:
    shape = ("c", "Reshape", {"target_shape": [2, 2]}, ["b"])
    net = graph(X, dense("a", "x", 4), dense("b", "a", 4), shape, rnn("d", "c"), rnn("e", "d"))
    arrays = weight_arrays(to_keras(net, seed=7), net)
    squares = [array.tobytes() for name, array in arrays.items() if name.endswith("kernel")]
    assert len(set(squares)) == len(squares)


def rnn(name: str, source: str) -> tuple[Any, ...]:
    return (name, "SimpleRNN", {"units": 2, "return_sequences": True}, [source])


def test_the_two_directions_start_differently() -> None:
    net = Case("Bidirectional", {"layer": {"GRU": {"units": 4}}}, {"x": Input(("T", 3))}).graph()
    arrays = weight_arrays(to_keras(net, seed=7), net)
    assert not np.array_equal(arrays["layer/forward/kernel"], arrays["layer/backward/kernel"])


def test_a_seed_of_the_initializer_itself_comes_first() -> None:
    fixed = {"units": 3, "kernel_initializer": {"GlorotUniform": {"seed": 1}}}
    net = graph(X, ("a", "Dense", fixed, ["x"]), ("b", "Dense", fixed, ["x"]))
    net = Graph("main", net.inputs, net.nodes, {"a": Ref("a"), "b": Ref("b")})
    arrays = weight_arrays(to_keras(net, seed=7), net)
    assert np.array_equal(arrays["a/kernel"], arrays["b/kernel"])


@pytest.mark.parametrize(
    ("op", "arguments", "shape"), [("Dropout", {"rate": 0.5}, (50,)), ("GRU", {"units": 8, "dropout": 0.5}, (3, 9))]
)
def test_a_seed_makes_dropout_repeatable(op: str, arguments: dict[str, Any], shape: tuple[int, ...]) -> None:
    case = Case(op, arguments, {"x": Input(shape)})
    data = case.data(2, {})
    first, again, other = (np.array(to_keras(case.graph(), seed=s)(data, training=True)["output"]) for s in (7, 7, 8))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


# --- weights ----------------------------------------------------------------------------------------------------------


def test_a_shared_layer_is_one_layer_applied_again() -> None:
    net = graph(X, dense("a", "x", 4), dense("b", "a", 4, weights_at="a"))
    model = to_keras(net, seed=7)
    arrays = weight_arrays(model, net)
    assert list(arrays) == ["a/kernel", "a/bias"]
    assert model.count_params() == net.parameters == 20
    x = np.ones((2, 4), "float32")
    assert np.allclose(model({"x": x})["b"], x @ arrays["a/kernel"] @ arrays["a/kernel"], atol=1e-6)


def test_a_spectral_norm_is_held_in_training_and_exported_as_it_is() -> None:
    normalized = {"layer": {"Dense": {"units": 3}}, "power_iterations": 20}
    net = graph(X, ("sn", "SpectralNormalization", normalized, ["x"]))
    model = to_keras(net, seed=7)
    x = np.ones((2, 4), "float32")
    model({"x": x}, training=True)
    arrays = weight_arrays(model, net)
    assert np.linalg.norm(arrays["sn/kernel"], 2) == pytest.approx(1, abs=1e-3)
    served = runner(serialized(to_onnx(net, arrays)))({"x": x})
    assert np.allclose(served["sn"], model({"x": x})["sn"], atol=1e-6)


def test_a_frozen_layer_is_not_trained() -> None:
    net = graph(X, dense("a", "x", frozen=True), dense("b", "a"))
    model = to_keras(net)
    assert [weight.path for weight in model.trainable_weights] == ["b/kernel", "b/bias"]


def test_a_frozen_batch_normalization_infers_in_training() -> None:
    net = graph(X, ("bn", "BatchNormalization", {}, ["x"], {"frozen": True}))
    model = to_keras(net)
    x = np.full((2, 4), 5, "float32")
    assert np.allclose(model({"x": x}, training=True)["bn"], 5 / np.sqrt(1.001), atol=1e-5)
    assert not np.any(weight_arrays(model, net)["bn/moving_mean"])


def test_weights_that_are_set_are_the_weights_there_are() -> None:
    case = next(case for case in CASES if case.op == "Bidirectional")
    net = case.graph()
    model = to_keras(net)
    wanted = case.weights(net)
    set_weight_arrays(model, net, wanted)
    found = weight_arrays(model, net)
    assert list(found) == list(wanted)
    assert all(np.array_equal(found[name], wanted[name]) for name in wanted)


# --- padding ----------------------------------------------------------------------------------------------------------


def one(op: str, arguments: dict[str, Any], x: np.ndarray, weights: dict[str, np.ndarray] | None = None) -> np.ndarray:
    case = Case(op, arguments, {"x": Input(x.shape[1:])})
    model = to_keras(case.graph())
    set_weight_arrays(model, case.graph(), weights or {})
    return np.array(model({"in_x": x})["output"])


def test_padding_never_wins_a_maximum() -> None:
    x = np.full((1, 4, 4, 1), -7, "float32")
    assert np.array_equal(one("MaxPooling2D", {"pool_size": 3, "strides": 1, "padding": 1}, x), x)


def test_padding_does_not_count_in_an_average() -> None:
    x = np.array([[[2.0], [4.0], [9.0]]], "float32")
    assert np.allclose(one("AveragePooling1D", {"pool_size": 3, "strides": 1, "padding": 1}, x)[0, :, 0], [3, 5, 6.5])


def test_full_padding_is_the_whole_convolution() -> None:
    random = np.random.default_rng(1)
    signal, kernel = random.normal(size=9).astype("float32"), random.normal(size=4).astype("float32")
    weights = {"layer/kernel": kernel[::-1].reshape(4, 1, 1)}
    arguments = {"filters": 1, "kernel_size": 4, "padding": "full", "use_bias": False}
    assert np.allclose(
        one("Conv1D", arguments, signal.reshape(1, 9, 1), weights)[0, :, 0], np.convolve(signal, kernel), atol=1e-5
    )


def test_padding_by_numbers_is_that_many_zeros_on_each_side() -> None:
    x = np.ones((1, 3, 2, 1), "float32")
    weights = {"layer/kernel": np.ones((1, 1, 1, 1), "float32")}
    arguments = {"filters": 1, "kernel_size": 1, "padding": [[1, 2], 1], "use_bias": False}
    assert np.array_equal(one("Conv2D", arguments, x, weights)[0, :, :, 0], np.pad(x[0, :, :, 0], ((1, 2), (1, 1))))


# --- masks ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("op", ["GRU", "SimpleRNN", "LSTM"])
def test_a_mask_is_kept_to_beside_an_initial_state(op: str) -> None:
    states = ["state_h", "state_c"] if op == "LSTM" else ["state"]
    case = Case(op, {"units": 4}, {"x": Input(("T", 3), masked=True), **{s: Input((4,)) for s in states}})
    model = to_keras(case.graph(), seed=1)
    state = {f"in_{s}": np.ones((1, 4), "float32") for s in states}
    whole = model({"in_x": np.array([[3, 5, 2]]), **state})["output"]
    padded = model({"in_x": np.array([[3, 5, 2, 0, 0]]), **state})["output"]
    assert np.allclose(whole, padded, atol=1e-6)


def test_a_mask_that_a_layer_drops_is_dropped_without_a_warning() -> None:
    case = Case("Conv1D", {"filters": 2, "kernel_size": 2}, {"x": Input(("T", 3), masked=True)})
    model = to_keras(case.graph())  # Warnings are errors here.
    assert getattr(model(case.data(2, {"T": 5}))["output"], "_keras_mask", None) is None


# --- what is saved ----------------------------------------------------------------------------------------------------

# Keras, as it saves, makes NumPy 2 arrays of its variables in a way that NumPy calls out of date.
saves = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

SAVED = [case for case in CASES if case.op not in ("Activation", "ReLU", "Dense")]
if not FULL:
    ENDS = {**{case.op: case for case in SAVED[::-1]}, **{f"last {case.op}": case for case in SAVED}}
    SAVED = [case for case in SAVED if case in ENDS.values()]


@saves
@pytest.mark.parametrize("case", SAVED, ids=str)
def test_the_saved_model_answers_the_same(case: Case, tmp_path: Path) -> None:
    net = case.graph()
    model = to_keras(net, seed=1)
    set_weight_arrays(model, net, case.weights(net))
    model.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    data = case.data(5, {"T": 7, "S": 2, "H": 9, "W": 8, "C": 3})
    wanted, got = model(data), loaded(data)
    assert list(got) == list(wanted)
    assert all(np.array_equal(got[name], wanted[name], equal_nan=True) for name in wanted)


@saves
def test_the_saved_model_loads_in_keras_alone(tmp_path: Path) -> None:
    case = Case("AveragePooling2D", {"pool_size": 3, "padding": 1}, {"x": Input((7, 7, 2))})
    to_keras(case.graph()).save(tmp_path / "m.keras")
    code = f"import sys, keras; keras.saving.load_model({str(tmp_path / 'm.keras')!r}); assert 'nnspec' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120, cwd=tmp_path)


SAVED_CLASSES = {
    "AdaptivePooling",
    "AnchorBoxes",
    "Apart",
    "BatchToSteps",
    "BroadcastAdd",
    "BroadcastAverage",
    "CenterCrop",
    "ClipBoxes",
    "Compute",
    "DecodeBoxes",
    "DilatedConv1DTranspose",
    "DilatedConv2DTranspose",
    "DilatedConv3DTranspose",
    "EinsumDense",
    "EncodeBoxes",
    "EveryStep",
    "GRUStep",
    "GatedLSTMCell",
    "GroupQueryAttention",
    "KnownSizes",
    "LSTMStep",
    "Masked",
    "MatchBoxes",
    "MaxPoolingWithIndices2D",
    "MaxUnpooling2D",
    "MultiHeadAttention",
    "NonMaxSuppression",
    "Normalization",
    "Parameter",
    "PositionEmbedding",
    "RandomCrop",
    "RandomShear",
    "Recurrence",
    "ReversibleEmbedding",
    "RoIAlign",
    "RoIPooling",
    "Rows",
    "SampleProposals",
    "Sampling",
    "SimpleRNNStep",
    "SinusoidalPositionEncoding",
    "StepsToBatch",
    "UpSampling2D",
}


def test_classes_of_saved_models_keep_their_names_and_are_registered_when_the_backend_is_imported() -> None:
    code = (
        "import keras, nnspec.keras_backend; objects = keras.saving.get_custom_objects()\n"
        "print(*(f'{name} {kind.__name__}' for name, kind in objects.items() if name.startswith('nnspec>')), sep='\\n')"
    )
    run = subprocess.run([sys.executable, "-c", code], check=True, timeout=120, capture_output=True, text=True)
    # Keras finds a class by its registered name, and the weights of its layers by the class's own name.
    assert set(run.stdout.splitlines()) == {f"nnspec>{name} {name}" for name in SAVED_CLASSES}


def test_the_backend_is_made_of_keras_and_of_no_backend_of_it() -> None:
    folder = Path(sys.modules["nnspec.keras_backend"].__path__[0])
    # A recurrence needs a loop of each backend, and a compiled call its compiler; only their modules may name them.
    text = "".join(file.read_text() for file in folder.rglob("*.py") if file.name not in ("loops.py", "run.py"))
    assert "tensorflow" not in text
    assert "jax" not in text
