"""Custom layers and models of a live model, replaced by what their ``call`` computes."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers as L  # noqa: N812
from keras import ops

import nnspec
from nnspec import from_keras
from nnspec.diagnostics import SpecError
from nnspec.keras_backend import set_weight_arrays
from nnspec.keras_backend.run import keras_run


class Gate(L.Layer):
    def build(self, shape: Any) -> None:
        self.kernel = self.add_weight(shape=(shape[-1], shape[-1]), name="kernel")
        self.scale = self.add_weight(shape=(shape[-1],), name="scale", initializer="random_normal")

    def call(self, x: Any) -> Any:
        return self.scale * ops.sigmoid(x @ self.kernel) + x * self.scale


class Unit(L.Layer):
    def __init__(self, width: int, **more: Any) -> None:
        super().__init__(**more)
        self.normalized, self.projected = L.LayerNormalization(name="norm"), L.Dense(width, name="projection")
        self.gate, self.dropped = Gate(name="gate"), L.Dropout(0.1)

    def build(self, shape: Any) -> None:
        pass

    def call(self, x: Any, training: Any = None) -> Any:
        return x + self.dropped(self.gate(self.projected(self.normalized(x))), training=training)


class Net(keras.Model):
    def __init__(self) -> None:
        super().__init__()
        self.units, self.head = [Unit(4, name="unit"), Unit(4, name="unit")], L.Dense(2)

    def call(self, x: Any) -> Any:
        for unit in self.units:
            x = unit(x)
        return self.head(ops.mean(x, axis=1))


def functional() -> keras.Model:
    x = keras.Input((5, 4), name="image")
    return keras.Model(x, L.Dense(3)(Unit(4, name="one")(Unit(4, name="two")(x))))


def sequential() -> keras.Model:
    return keras.Sequential([keras.Input((5, 4)), Unit(4), L.Flatten()])


def within_a_model() -> keras.Model:
    x = keras.Input((5, 4), name="image")
    return keras.Model(x, L.Dense(3)(sequential()(x)))


def subclass() -> keras.Model:
    model = Net()
    model(np.zeros((2, 5, 4), "float32"))
    return model


@pytest.mark.parametrize("build", [functional, sequential, within_a_model, subclass])
def test_a_model_of_custom_layers_computes_the_same(build, tmp_path):
    model, x = build(), np.random.default_rng(0).normal(size=(3, 5, 4)).astype("float32")
    wanted = np.asarray(model(x))
    imported = from_keras(model, inline=True)
    imported.write(tmp_path / "net.nnspec.yaml")
    graph = nnspec.compile(nnspec.load(tmp_path / "net.nnspec.yaml", root=tmp_path)).main
    ours = nnspec.to_keras(graph)
    set_weight_arrays(ours, graph, imported.weights)
    [given] = keras_run(ours)({next(iter(graph.inputs)): x}).values()
    np.testing.assert_allclose(given, wanted, atol=1e-5)
    assert imported.parameters == model.count_params()


class Averaging(L.Layer):
    """Embeds tokens with the mask that `ReversibleEmbedding` sets within its `call`, and averages the others."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.embedding = L.ReversibleEmbedding(20, 4, mask_zero=True, name="embedding")

    def build(self, shape: Any) -> None:
        self.embedding.build(shape)

    def call(self, tokens: Any) -> Any:
        vectors = self.embedding(tokens)
        weights = ops.cast(vectors._keras_mask, "float32")[..., None]
        return ops.sum(vectors * weights, axis=1) / ops.sum(weights, axis=1)

    def compute_output_spec(self, tokens: Any) -> Any:
        return keras.KerasTensor((tokens.shape[0], 4))


def test_the_mask_of_a_reversible_embedding_reaches_custom_code(tmp_path):
    tokens = keras.Input((6,), dtype="int32", name="tokens")
    model = keras.Model(tokens, Averaging()(tokens))
    x = np.array([[3, 4, 5, 0, 0, 0], [7, 8, 9, 1, 2, 3]], "int32")
    imported = from_keras(model, inline=True)
    imported.write(tmp_path / "net.nnspec.yaml")
    graph = nnspec.compile(nnspec.load(tmp_path / "net.nnspec.yaml", root=tmp_path)).main
    ours = nnspec.to_keras(graph)
    set_weight_arrays(ours, graph, imported.weights)
    [given] = keras_run(ours)({"tokens": x}).values()
    np.testing.assert_allclose(given, np.asarray(model(x)), atol=1e-6)


def test_a_reversible_embedding_of_the_model_itself_imports():
    tokens = keras.Input((6,), dtype="int32", name="tokens")
    embedded = L.ReversibleEmbedding(20, 4, mask_zero=True, name="embedding")(tokens)
    text = from_keras(keras.Model(tokens, Gate(name="gate")(embedded)), inline=True).text()
    assert "ReversibleEmbedding: {input_dim: 20, output_dim: 4, mask_zero: true}" in text


def test_the_model_is_left_as_it_was():
    model = functional()
    before = model.to_json(), [layer.name for layer in model._flatten_layers()]
    from_keras(model, inline=True)
    assert (model.to_json(), [layer.name for layer in model._flatten_layers()]) == before


def test_a_variable_becomes_a_trained_parameter_under_its_name():
    text = from_keras(functional(), inline=True).text()
    assert "name: gate_kernel" in text and "freeze" not in text


def test_a_variable_that_two_operations_read_is_one_parameter():
    assert from_keras(sequential(), inline=True).text().count("name: gate_scale") == 1


class Scaled(L.Layer):
    """Has a scalar variable, and a merge layer that it creates in each call."""

    def build(self, shape: Any) -> None:
        self.scale = self.add_weight(shape=(), name="scale", initializer="ones")

    def call(self, x: Any) -> Any:
        return L.add([x, x * self.scale])


def test_a_scalar_variable_and_layers_made_in_call_import():
    x = keras.Input((4,), name="x")
    text = from_keras(keras.Model(x, Scaled(name="scaled")(x)), inline=True).text()
    assert "Parameter: {shape: [1]" in text and "name: add_" not in text


class Branching(L.Layer):
    def call(self, x: Any) -> Any:
        return x if float(ops.sum(x)) > 0 else -x

    def compute_output_shape(self, shape: Any) -> Any:
        return shape


def test_code_that_reads_values_is_refused_with_its_class_and_the_fix():
    x = keras.Input((5, 4))
    with pytest.raises(SpecError) as raised:
        from_keras(keras.Model(x, Branching(name="branch")(x)), inline=True)
    [problem] = raised.value.diagnostics
    assert "`branch` (Branching)" in problem.message and "cannot be traced" in problem.message and "keras.ops" in problem.help


def test_a_file_cannot_be_inlined(tmp_path):
    with pytest.raises(ValueError, match="needs a live model"):
        from_keras(tmp_path / "m.keras", inline=True)


class Holding(L.Layer):
    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.inner = keras.Sequential([L.Dense(8, activation="relu"), L.Dense(4)])

    def build(self, shape: Any) -> None:
        self.inner.build(shape)

    def call(self, x: Any) -> Any:
        return x + self.inner(x)


def test_a_model_in_a_custom_layer_is_inlined_and_one_of_the_model_itself_stays_a_network():
    x = keras.Input((5, 4), name="image")
    own = keras.Sequential([keras.Input((5, 4)), L.Dense(4)], name="own")
    text = from_keras(keras.Model(x, own(Holding()(x))), inline=True).text()
    assert "  - own" in text and text.count("Dense: {units: 8, activation: relu}") == 1 and text.count("inputs:") == 2
