"""Custom code that computes with sizes and variables."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

import nnspec
from nnspec.diagnostics import SpecError
from nnspec.keras_backend import set_weight_arrays
from nnspec.keras_backend.run import keras_run
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


@pytest.mark.parametrize("padding", ["same", "valid"])
def test_code_that_computes_with_half_of_a_size_is_equal_at_several_lengths(padding, tmp_path):
    x = keras.Input((None, 8), name="x")
    halved = L.Conv1D(8, 3, strides=2, padding=padding)(x)
    _equal(keras.Model(x, Positions()(halved)), tmp_path, (5, 8, 9))


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


class Elsewhere(L.Layer):
    """Computes with examples that are not along the first axis."""

    def __init__(self, compute: Any) -> None:
        super().__init__()
        self.compute, self.inner, self.attention = compute, L.Dense(8), L.MultiHeadAttention(2, 4)

    def build(self, shape: Any) -> None:
        self.inner.build(shape)
        self.attention.build(shape, shape)
        self.kernel = self.add_weight(name="kernel", shape=(3, 8, 8), initializer="random_normal")

    def call(self, x: Any) -> Any:
        return self.compute(self, x)


def tokens(layer: Any, x: Any) -> Any:
    batch, length, width = ops.shape(x)
    rows = ops.softmax(layer.inner(ops.reshape(x, (-1, width))) - ops.ones((1, width)))
    return ops.reshape(rows * 2.0, (batch, length, width))


def experts(layer: Any, x: Any) -> Any:
    rows = ops.reshape(x, (-1, 8))
    out = ops.silu(ops.einsum("th,ehm->etm", rows, layer.kernel))
    weight, chosen = ops.top_k(ops.softmax(rows[:, :3]), k=2)
    shares = ops.transpose(ops.sum(ops.one_hot(chosen, 3) * weight[..., None], axis=1), (1, 0))
    return ops.reshape(ops.sum(out * shares[:, :, None], axis=0), ops.shape(x))


def windows(layer: Any, x: Any) -> Any:
    batch = ops.shape(x)[0]
    parts = ops.transpose(ops.reshape(x, (batch, -1, 2, 2, 4)), (0, 3, 1, 2, 4))
    rows = ops.reshape(parts, (-1, ops.shape(x)[1], 4))
    rows = rows + ops.reshape(ops.matmul(rows, ops.swapaxes(rows, 1, 2))[:, :, :1], (-1, ops.shape(x)[1], 1))
    parts = ops.reshape(rows, (-1, 2, ops.shape(x)[1] // 2, 2, 4))
    return ops.reshape(ops.transpose(parts, (0, 2, 3, 1, 4)), ops.shape(x))


def heads_first(layer: Any, x: Any) -> Any:
    batch, length, _ = ops.shape(x)
    many = ops.transpose(ops.reshape(x, (batch, length, 1, 2, 4)), (2, 0, 3, 1, 4))
    q = ops.reshape(many, (1, batch * 2, length, 4))[0]
    out = ops.softmax((q * 0.5) @ ops.transpose(q, (0, 2, 1))) @ q
    return ops.reshape(ops.transpose(ops.reshape(out, (batch, 2, length, 4)), (0, 2, 1, 3)), (batch, length, 8))


def time_first(layer: Any, x: Any) -> Any:
    steps = layer.inner(ops.transpose(x, (1, 0, 2)))
    steps = ops.concatenate([steps[..., 4:], steps[..., :4]], axis=-1) + ops.mean(steps, axis=0, keepdims=True)
    return ops.transpose(ops.squeeze(ops.expand_dims(steps, 0), 0), (1, 0, 2))


def attended_windows(layer: Any, x: Any) -> Any:
    rows = ops.reshape(x, (-1, 2, 8))
    return ops.reshape(layer.attention(rows, rows), ops.shape(x))


@pytest.mark.parametrize("compute", [tokens, experts, windows, heads_first, time_first, attended_windows])
def test_code_whose_examples_are_not_along_the_first_axis_is_equal(compute, tmp_path):
    x = keras.Input((6, 8), name="x")
    _equal(keras.Model(x, Elsewhere(compute)(x)), tmp_path, (6,))


@pytest.mark.parametrize("compute", [tokens, experts, heads_first, time_first])
def test_code_whose_examples_are_not_along_the_first_axis_is_equal_at_several_lengths(compute, tmp_path):
    x = keras.Input((None, 8), name="x")
    _equal(keras.Model(x, Elsewhere(compute)(x)), tmp_path)


@pytest.mark.parametrize(
    "compute",
    [
        lambda layer, x: x - ops.mean(ops.transpose(x, (1, 0, 2)), axis=1)[None],
        lambda layer, x: ops.reshape(ops.reshape(x, (-1, 8))[1:], (-1, 8))[:1] + x,
        lambda layer, x: ops.reshape(x, (ops.shape(x)[1], ops.shape(x)[0], 8)),
        lambda layer, x: ops.reshape(ops.softmax(ops.reshape(x, (-1, 8)), axis=0), ops.shape(x)),
    ],
)
def test_code_that_combines_examples_is_refused(compute):
    x = keras.Input((6, 8), name="x")
    with pytest.raises(SpecError, match=r"combines examples|not along the first axis"):
        from_keras(keras.Model(x, Elsewhere(compute)(x)), inline=True)


class Written(L.Layer):
    def __init__(self, compute: Any) -> None:
        super().__init__()
        self.compute = compute

    def build(self, shape: Any) -> None:
        self.table = self.add_weight(name="table", shape=(6, 8), initializer="random_normal")

    def call(self, x: Any) -> Any:
        return self.compute(x, self.table)


DECOMPOSED = {
    "fft2": lambda x, w: ops.fft2((x, ops.zeros_like(x)))[0],
    "einsum of all axes before": lambda x, w: ops.einsum("...i,ij->...j", x, ops.transpose(w)),
    "fft": lambda x, w: ops.add(*ops.fft((x, x * 0.5))),
    "normalized table": lambda x, w: x + ops.layer_normalization(w, gamma=w[0], beta=w[1]),
    "outer": lambda x, w: x * ops.outer(ops.arange(ops.shape(x)[1], dtype="float32"), w[0]),
    "patches": lambda x, w: ops.image.extract_patches(ops.reshape(x, (-1, 6, 4, 2)), (3, 2), padding="valid"),
    "patches that overlap": lambda x, w: ops.image.extract_patches(ops.reshape(x, (-1, 6, 4, 2)), 3, strides=1, padding="same"),
    "a product with a computed table": lambda x, w: ops.matmul(x[:, 0], ops.softmax(ops.transpose(w))),
    "a stack along the first axis": lambda x, w: ops.softmax(ops.stack([x, x * 0.5]), axis=0)[1],
    "a convolution with a standardized kernel": lambda x, w: ops.conv(
        ops.reshape(x, (-1, 6, 4, 2)),
        ops.reshape(w - ops.mean(w, axis=1, keepdims=True), (3, 2, 2, 4)),
        strides=(2, 1),
        padding="same",
    ),
    "an updated slice": lambda x, w: ops.slice_update(x, [0, 1, 2], x[:, :2, :2] * 2),
    "a slice of a constant": lambda x, w: x * ops.slice_update(ops.ones((1, *x.shape[1:])), [0, 1, 0], ops.zeros((1, 2, 1))),
    "tensordot": lambda x, w: ops.tensordot(x, w, axes=[[2], [1]]),
    "smaller size": lambda x, w: x + w[: ops.minimum(ops.shape(x)[1], 6)],
    "key of a new axis": lambda x, w: x + w[None],
    "keys in a list": lambda x, w: x[[slice(None), None, slice(1, None)]][:, 0],
}


def banded(x: Any, w: Any) -> Any:
    length = ops.shape(x)[1]
    width = ops.cast(ops.minimum(length, 2), "int32")
    return ops.cast(tf.linalg.band_part(ops.ones((length, length), "bool"), width, width), "float32") @ x


OF_SIZES = {
    "band": banded,
    "slice": lambda x, w: x + ops.tile(w, (2, 1))[: ops.shape(x)[1]],
    "slice that all examples share": lambda x, w: x + ops.tile(w, (2, 1))[None][:, : ops.shape(x)[1]],
    "repetition": lambda x, w: x @ ops.transpose(ops.repeat(w[:1], ops.shape(x)[1], axis=0)),
    "fft2": lambda x, w: ops.fft2((x, ops.zeros_like(x)))[0],
}


@pytest.mark.parametrize("name", OF_SIZES)
def test_operations_whose_arguments_are_sizes_are_equal_at_several_lengths(name, tmp_path):
    x = keras.Input((None, 8), name="x")
    _equal(keras.Model(x, Written(OF_SIZES[name])(x)), tmp_path)


@pytest.mark.parametrize("name", DECOMPOSED)
def test_operations_without_a_function_are_others(name, tmp_path):
    x = keras.Input((6, 8), name="x")
    _equal(keras.Model(x, Written(DECOMPOSED[name])(x)), tmp_path, (6,))


def test_floats_that_are_embedded_are_cast(tmp_path):
    x = keras.Input((6, 8), name="x")
    table = L.Embedding(9, 2)
    table.build(())
    _equal(keras.Model(x, Written(lambda x, w: table(ops.abs(x[:, 0])))(x)), tmp_path, (6,))
