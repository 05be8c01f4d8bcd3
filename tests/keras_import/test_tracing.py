"""Custom code that computes with sizes and variables."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

import nnspec
from nnspec.diagnostics import SpecError
from nnspec.exporting.keras_reference import keras_run
from nnspec.keras_backend import set_weight_arrays
from nnspec.keras_import.imported import from_keras

L = keras.layers


class Positions(L.Layer):
    """Adds the first positions of a table."""

    def build(self, shape: Any) -> None:
        self.table = self.add_weight(name="table", shape=(12, shape[-1]), initializer="random_normal")

    def call(self, x: Any) -> Any:
        length, width = ops.shape(x)[1], ops.shape(x)[2]
        return x + ops.broadcast_to(ops.slice(ops.convert_to_tensor(self.table), (0, 0), (length, width)), ops.shape(x))


class Rotations(L.Layer):
    """Multiplies by the cosines of position times frequency."""

    def call(self, x: Any) -> Any:
        positions = ops.arange(ops.shape(x)[1], dtype="float32")
        frequencies = 1 / 10 ** (ops.arange(0, ops.shape(x)[-1], dtype="float32") / ops.shape(x)[-1])
        return x * ops.cos(ops.expand_dims(ops.einsum("i,j->ij", positions, frequencies), 0))


class Causal(L.Layer):
    """Attends to earlier positions with a mask of its own."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.attention = L.MultiHeadAttention(2, 4)

    def build(self, shape: Any) -> None:
        self.attention.build(shape, shape)

    def call(self, x: Any) -> Any:
        i = ops.arange(ops.shape(x)[1])
        mask = ops.broadcast_to(
            ops.expand_dims(i, 1) >= ops.expand_dims(i, 0), (ops.shape(x)[0], ops.shape(x)[1], ops.shape(x)[1])
        )
        return self.attention(x, x, attention_mask=mask)


class Token(L.Layer):
    """Puts a trained token before the others, and adds it to them."""

    def build(self, shape: Any) -> None:
        self.token = self.add_weight(name="token", shape=(1, 1, shape[-1]), initializer="random_normal")

    def call(self, x: Any) -> Any:
        first = ops.broadcast_to(self.token * 2.0, (ops.shape(x)[0], 1, x.shape[-1]))
        return ops.concatenate([first, x + self.token], axis=1)


class Heads(L.Layer):
    """Reshapes to heads and back."""

    def call(self, x: Any) -> Any:
        batch, length, width = ops.shape(x)
        heads = ops.transpose(ops.reshape(x, (batch, length, 2, width // 2)), (0, 2, 1, 3))
        return ops.reshape(ops.transpose(heads * 2.0, (0, 2, 1, 3)), (batch, length, width))


class Table(L.Layer):
    """Looks up all positions in an embedding."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.table = L.Embedding(12, 8)

    def build(self, shape: Any) -> None:
        self.table.build(shape)

    def call(self, x: Any) -> Any:
        return x + self.table(ops.expand_dims(ops.arange(ops.shape(x)[1]), 0))


def gentle(x: Any) -> Any:
    return ops.tanh(x) * 0.5


def custom_activation() -> Any:
    return L.Dense(8, activation=gentle)


def _equal(model: Any, folder: Any, lengths: tuple[int, ...] = (5, 9)) -> Any:
    imported = from_keras(model, inline=True)
    imported.write(folder / "net.nnspec.yaml")
    graph = nnspec.compile(nnspec.load(folder / "net.nnspec.yaml", root=folder)).main
    ours = nnspec.to_keras(graph)
    if imported.weights:
        set_weight_arrays(ours, graph, imported.weights)
    for length in lengths:
        x = np.random.default_rng(length).normal(size=(3, length, 8)).astype("float32")
        [given] = keras_run(ours)({next(iter(graph.inputs)): x}).values()
        np.testing.assert_allclose(given, np.asarray(model(x)), atol=1e-5)
    return imported


@pytest.mark.parametrize("layer", [Positions, Rotations, Causal, Token, Heads, Table, custom_activation])
def test_code_that_computes_with_a_free_size_is_equal_at_several_lengths(layer, tmp_path):
    x = keras.Input((None, 8), name="x")
    model = keras.Model(x, layer()(x))
    assert _equal(model, tmp_path).parameters == model.count_params()


def test_what_is_computed_from_a_variable_stays_trained(tmp_path):
    x = keras.Input((4, 8), name="x")
    text = from_keras(keras.Model(x, Token()(x)), inline=True).text()
    assert text.count("Parameter") == 1 and "freeze" not in text


def test_activations_are_left_as_they_were():
    x = keras.Input((4, 8), name="x")
    layer = custom_activation()
    from_keras(keras.Model(x, layer(x)), inline=True)
    assert layer.activation is gentle


class Reading(L.Layer):
    def build(self, shape: Any) -> None:
        self.scale = self.add_weight(name="scale", shape=(shape[-1],))

    def call(self, x: Any) -> Any:
        return x * np.asarray(self.scale)

    def compute_output_shape(self, shape: Any) -> Any:
        return shape


def test_code_that_turns_a_variable_into_a_constant_is_refused():
    x = keras.Input((4, 8), name="x")
    with pytest.raises(SpecError) as raised:
        from_keras(keras.Model(x, Reading()(x)), inline=True)
    [problem] = raised.value.diagnostics
    assert "the value of the variable `scale` is read by another library" in problem.message


class Counting(L.Layer):
    def call(self, x: Any) -> Any:
        batch, length, width = ops.shape(x)
        return ops.reshape(ops.reshape(x, (batch * length, width)) * 2.0, (batch, length, width))


def test_a_size_that_is_the_number_of_examples_times_another_is_refused():
    x = keras.Input((None, 8), name="x")
    with pytest.raises(SpecError) as raised:
        from_keras(keras.Model(x, Counting()(x)), inline=True)
    assert "the number of examples times another" in raised.value.diagnostics[0].message
