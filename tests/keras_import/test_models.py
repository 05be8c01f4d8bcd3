"""A Keras model and the spec it becomes: the same parameters, the same answers, in Keras and in ONNX Runtime."""

from __future__ import annotations

import json
from typing import Any

import keras
import numpy as np
import pytest
from click.testing import CliRunner
from keras import layers as L  # noqa: N812
from keras import ops

import nnspec
from benchmarks.imports import MODELS, Result, application, compared, disturb
from nnspec.cli import main
from nnspec.diagnostics import SpecError
from nnspec.keras_import import from_keras, import_file

# Keras writes a variable by `np.array`, which NumPy 2 warns of where TensorFlow holds it.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def shown_equal(model: keras.Model, tmp_path, **shapes: tuple[int, ...]) -> Result:
    random = np.random.default_rng(3)
    inputs = {name: random.normal(size=(4, *shape)).astype("float32") for name, shape in shapes.items()}
    batch = list(inputs.values())
    disturb(model, batch if len(batch) > 1 else batch[0])
    result = compared(model, tmp_path, inputs)
    assert result.verdict.startswith("equal"), result
    return result


def said_of(model: keras.Model) -> list[str]:
    with pytest.raises(SpecError) as raised:
        from_keras(model)
    return [f"{d.code} {d.message}" for d in raised.value.diagnostics]


def written(model: keras.Model) -> str:
    return from_keras(model).text()


def siamese() -> keras.Model:
    tower = keras.Sequential([keras.Input((8,)), L.Dense(6, activation="relu", name="hidden"), L.Dense(4)], name="tower")
    a, b = keras.Input((8,), name="a"), keras.Input((8,), name="b")
    head = L.Dense(3, name="shared head")
    distance = ops.absolute(tower(a) - tower(b))
    joined = L.Concatenate()([head(distance), head(distance * 2 + 1)])
    return keras.Model([a, b], {"score": L.Dense(1, activation="sigmoid")(joined[:, 1:])})


# --- the same answers -------------------------------------------------------------------------------------------------


def test_mobilenet(tmp_path):
    keras.utils.set_random_seed(1)
    model = keras.applications.MobileNetV2(weights=None, input_shape=(96, 96, 3), alpha=0.35, classifier_activation=None)
    pictures = np.random.default_rng(2).uniform(-1, 1, (4, 96, 96, 3)).astype("float32")
    disturb(model, pictures)
    result = compared(model, tmp_path, {"x": pictures[:2]})
    assert result.theirs == result.ours == model.count_params()
    assert max(result.keras, result.onnx) <= 1e-4 < result.spread


def test_a_sequential_model(tmp_path):
    model = keras.Sequential(
        [
            L.Rescaling(1 / 255),
            L.Conv2D(4, 3, padding="same", use_bias=False),
            L.BatchNormalization(scale=False),
            L.ReLU(max_value=6),
            L.SeparableConv2D(6, 3, strides=2, activation="swish"),
            L.SpatialDropout2D(0.2),
            L.GlobalAveragePooling2D(keepdims=True),
            L.Flatten(),
            L.Dense(3),
        ]
    )
    model.build((None, 12, 12, 2))
    shown_equal(model, tmp_path, image=(12, 12, 2))


def test_a_siamese_model_with_a_shared_tower_and_a_shared_layer(tmp_path):
    result = shown_equal(siamese(), tmp_path, a=(8,), b=(8,))
    assert result.ours == 8 * 6 + 6 + 6 * 4 + 4 + 4 * 3 + 3 + 5 + 1


def test_operations_between_layers_become_layers_and_expressions(tmp_path):
    x = keras.Input((6, 4), name="x")
    y = ops.relu(x) + ops.gelu(x, approximate=False) - ops.sigmoid(x) * ops.mean(x, axis=-1, keepdims=True)
    y = (1.0 - ops.square(y)) / 2.0 + np.array([0.5, 1.0, 1.5, 2.0], "float32")
    y = ops.transpose(ops.pad(ops.leaky_relu(y, 0.1), ((0, 0), (1, 2), (0, 0))), (0, 2, 1))
    y = ops.squeeze(ops.expand_dims(ops.maximum(ops.reshape(y, (-1, 6, 6)), 0), 1), 1)
    y = ops.concatenate([y[:, 1:4], y[:, -2:, :], y[..., 0:1, :], ops.take(y, [-1], axis=1), ops.clip(y, 0, 2)], axis=1)
    model = keras.Model(x, [ops.softmax(y[:, 2]), ops.sum(ops.tanh(-y), axis=[1, 2])])
    shown_equal(model, tmp_path, x=(6, 4))


def test_recurrent_layers_masks_and_attention(tmp_path):
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    x = L.Embedding(10, 6, mask_zero=True)(tokens)
    x, *states = L.Bidirectional(L.LSTM(3, return_sequences=True, return_state=True))(x)
    attended = L.MultiHeadAttention(2, 3, value_dim=5)(L.Dense(6)(x), L.Dense(6)(x), use_causal_mask=True)
    y = L.TimeDistributed(L.Dense(4, activation="tanh"))(attended)
    y = L.GRU(5, return_sequences=True)(y)
    model = keras.Model(tokens, [L.SimpleRNN(3)(y), L.Concatenate()(states)])
    imported = from_keras(model)
    imported.write(tmp_path / "net.nnspec.yaml")
    graph = nnspec.compile(nnspec.load(tmp_path / "net.nnspec.yaml")).main
    ours = nnspec.to_keras(graph)
    from nnspec.keras_backend import set_weight_arrays

    set_weight_arrays(ours, graph, imported.weights)
    data = np.array([[1, 2, 3, 4, 5], [3, 4, 0, 0, 0], [7, 0, 8, 0, 9]], "int32")
    for a, b in zip(ours({"tokens": data}).values(), model(data), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


@pytest.mark.parametrize("invert", [False, True])
def test_a_normalization_becomes_a_factor_and_an_offset(invert, tmp_path):
    learned = L.Normalization(invert=invert)
    learned.adapt(np.random.default_rng(1).normal(3, 2, (50, 4)).astype("float32"))
    given = L.Normalization(mean=[1.0, 2.0, 3.0, 4.0], variance=[1.0, 4.0, 0.25, 2.0])
    x = keras.Input((4,), name="x")
    model = keras.Model(x, L.Dense(3)(given(learned(x))))
    arrays = np.random.default_rng(2).normal(size=(5, 4)).astype("float32")
    result = compared(model, tmp_path, {"x": arrays})
    assert result.verdict == "equal; 9 statistics are constants"


def test_the_weights_of_a_file_are_those_of_the_live_model(tmp_path):
    model = siamese()
    model.save(tmp_path / "m.keras")
    live, read = from_keras(model), import_file(tmp_path / "m.keras")
    assert live.text() == read.text()
    assert list(live.weights) == list(read.weights)
    assert all((live.weights[name] == read.weights[name]).all() for name in read.weights)


@pytest.mark.full
@pytest.mark.parametrize("name", MODELS)
def test_every_model_of_keras_applications(name, tmp_path):
    model, inputs = application(name)
    assert compared(model, tmp_path, inputs).verdict.startswith("equal")
    keras.backend.clear_session()


# --- how it is written ------------------------------------------------------------------------------------------------


def test_a_spec_says_no_more_than_it_must():
    x = keras.Input((16, 16, 3), name="image")
    y = L.ReLU(name="relu")(L.BatchNormalization(axis=3, name="bn")(L.Conv2D(8, (3, 3), padding="same", name="conv2d")(x)))
    y = L.Add(name="sum")([L.Conv2D(8, (1, 3), padding="same", strides=[1, 1], name="side")(x), y])
    y = L.Dense(2, activation="softmax", name="label")(
        L.Flatten(name="flatten")(L.ZeroPadding2D(((0, 1), (0, 1)), name="pad")(y))
    )
    assert (
        written(keras.Model(x, y, name="net"))
        == """nnspec: 1
name: net
inputs:
  image: [16, 16, 3]
layers:
  - Conv2D: {filters: 8, kernel_size: [1, 3], padding: same}
    name: side
  - Conv2D: {filters: 8, kernel_size: 3, padding: same}
    from: image
  - BatchNormalization:
    name: bn
  - ReLU
  - Add:
    name: sum
    from: [side, relu]
  - ZeroPadding2D: [[0, 1], [0, 1]]
    name: pad
  - Flatten
  - Dense: {units: 2, activation: softmax}
    name: label
"""
    )


def test_what_is_imported_is_in_the_canonical_form(tmp_path):
    pytest.importorskip("ruamel.yaml")
    from nnspec.formatting import formatted

    model = keras.applications.ConvNeXtTiny(weights=None, input_shape=(32, 32, 3))
    file = tmp_path / "net.nnspec.yaml"
    file.write_text(from_keras(model).text("w.safetensors"), encoding="utf-8")
    before, after = formatted(file)
    assert before == after


def test_names_that_are_not_legal_are_made_legal_and_reported():
    x = keras.Input((4,), name="my input")
    model = keras.Model(x, L.Dense(2, name="1st")(L.Dense(3, name="hidden layer")(x)), name="My Model")
    imported = from_keras(model)
    assert imported.name == "my_model"
    assert imported.renamed == {"my input": "my_input", "hidden layer": "hidden_layer", "1st": "layer_1st"}
    assert sorted(imported.weights) == ["hidden_layer/bias", "hidden_layer/kernel", "layer_1st/bias", "layer_1st/kernel"]


def test_layers_that_are_not_trained_are_frozen():
    frozen = L.Dense(3, name="body")
    frozen.trainable = False
    assert "name: body\n    freeze: true" in written(keras.Sequential([keras.Input((4,)), frozen, L.Dense(2)]))


# --- what has no equivalent ------------------------------------------------------------------------------------------------


def test_a_lambda_and_a_class_of_ones_own_are_refused_by_name():
    class Mine(L.Layer):
        def call(self, x):
            return x * 2

    x = keras.Input((4,), name="x")
    model = keras.Model(x, Mine(name="mine")(L.Lambda(ops.abs, name="evil")(x)))
    assert [text.partition(":")[0] for text in said_of(model)] == [
        "NN602 `evil` (Lambda) has no equivalent",
        "NN602 `mine` (Mine) has no equivalent",
    ]


def test_a_mask_that_keras_forgets_is_refused():
    tokens, state = keras.Input((None,), dtype="int32", name="tokens"), keras.Input((3,), name="state")
    x = L.Embedding(10, 6, mask_zero=True)(tokens)
    model = keras.Model([tokens, state], L.GRU(3, name="gru")(x, initial_state=state))
    assert said_of(model) == ["NN606 `gru` (GRU) gets no mask in Keras, but the mask of `tokens` in the spec"]


def test_a_mask_given_by_hand_is_refused():
    tokens, other = keras.Input((None,), dtype="int32", name="tokens"), keras.Input((None,), dtype="int32", name="other")
    x = L.Embedding(10, 6, mask_zero=True)(tokens)
    model = keras.Model([tokens, other], L.LSTM(3, name="lstm")(x, mask=ops.not_equal(other, 0)))
    assert any("gets the mask of `other` in Keras, but the mask of `tokens` in the spec" in text for text in said_of(model))


def test_settings_without_an_equal_are_refused():
    x = keras.Input((16, 2), batch_size=1, name="x")
    y = L.LSTM(2, stateful=True, name="carried")(L.Dropout(0.5, name="on")(x, training=True))
    assert [text.partition(":")[0] for text in said_of(keras.Model(x, y))] == ["NN603 `on` (Dropout)", "NN603 `carried` (LSTM)"]


def test_another_precision_is_reported():
    model = keras.Sequential([keras.Input((4,)), L.Dense(3, dtype="mixed_float16"), L.Dense(2, dtype="mixed_float16")])
    assert [(d.code, d.severity) for d in from_keras(model).diagnostics] == [("NN622", "warning")]


def test_an_initializer_of_ones_own_is_reported_and_left_out():
    class Mine(keras.initializers.Initializer):
        def __call__(self, shape, dtype=None):
            return ops.ones(shape, dtype)

    imported = from_keras(keras.Sequential([keras.Input((4,)), L.Dense(3, kernel_initializer=Mine(), name="dense")]))
    assert [d.code for d in imported.diagnostics] == ["NN621"]
    assert imported.text().endswith("- Dense: 3\n")


def test_a_mask_that_attention_takes_off_for_others_is_reported():
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    x = L.Embedding(10, 6, mask_zero=True, name="table")(tokens)
    y = L.Add()([x, L.MultiHeadAttention(2, 3, name="mha")(x, x)])
    reported = from_keras(keras.Model(tokens, y)).diagnostics
    assert [d.code for d in reported] == ["NN623"] and "`table` when `mha` reads it" in reported[0].message


# --- the command ------------------------------------------------------------------------------------------------------


def test_the_command_writes_a_spec_and_its_weights(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    siamese().save("pair.keras")
    run = CliRunner().invoke(main, ["import", "pair.keras"])
    assert run.exit_code == 0, run.output
    assert run.stdout.splitlines()[:3] == [
        "`shared head` was renamed `shared_head`",
        "pair.nnspec.yaml",
        "pair.safetensors",
    ]
    assert "weights: {file: pair.safetensors}" in (tmp_path / "pair.nnspec.yaml").read_text()
    again = CliRunner().invoke(main, ["import", "pair.keras"])
    assert again.exit_code == 1 and "already exists" in again.stderr
    forced = CliRunner().invoke(main, ["import", "pair.keras", "--force", "--format", "json"])
    assert json.loads(forced.stdout)["renamed"] == {"shared head": "shared_head"}
    assert CliRunner().invoke(main, ["validate", "pair.nnspec.yaml"]).exit_code == 0


def test_the_command_writes_nothing_where_something_has_no_equal(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    x = keras.Input((4,), name="x")
    (tmp_path / "m.json").write_text(keras.Model(x, L.UnitNormalization()(ops.cumprod(x, axis=1))).to_json())
    run: Any = CliRunner().invoke(main, ["import", "m.json", "-o", "out.nnspec.yaml"])
    assert run.exit_code == 1 and "error[NN602]" in run.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["m.json"]
