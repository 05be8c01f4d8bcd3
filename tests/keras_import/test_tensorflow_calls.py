"""Custom code that computes with TensorFlow's functions, and with lambdas."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import nnspec
from nnspec import from_keras
from nnspec.diagnostics import SpecError
from nnspec.keras_backend import set_weight_arrays
from nnspec.keras_backend.run import keras_run

L = keras.layers


class Written(L.Layer):
    """A layer of one expression."""

    def __init__(self, compute: Any) -> None:
        super().__init__()
        self.compute = compute

    def build(self, shape: Any) -> None:
        self.kernel = self.add_weight(name="kernel", shape=(shape[-1], shape[-1]), initializer="random_normal")

    def call(self, x: Any) -> Any:
        return self.compute(x, self.kernel)


CASES = {
    "antirectifier": lambda x, w: tf.matmul(tf.nn.relu(-(x - tf.reduce_mean(x, axis=-1, keepdims=True))), w),
    "attention": lambda x, w: tf.matmul(tf.nn.softmax(tf.matmul(x, x @ w, transpose_b=True), axis=-1), x),
    "as NumPy": lambda x, w: tf.experimental.numpy.maximum(tf.experimental.numpy.matmul(x, w), 0.0),
    "concat and split": lambda x, w: tf.concat(tf.split(x, [3, 5], axis=-1)[::-1], axis=2),
    "einsum with capital letters": lambda x, w: tf.einsum("blc, bLc->blL", x, x @ w),
    "heads": lambda x, w: tf.transpose(tf.reshape(x, shape=(-1, tf.shape(x)[1], 2, 4)), perm=[0, 2, 1, 3]),
    "keywords": lambda x, w: tf.reduce_sum(input_tensor=tf.expand_dims(tf.square(x), axis=-1), axis=[2, 3]),
    "normalized": lambda x, w: tf.math.l2_normalize(tf.math.l2_normalize(x, axis=-1) * tf.sqrt(tf.abs(x)), axis=1),
    "positions": lambda x, w: x + tf.cast(tf.range(tf.shape(x)[1]), tf.float32)[:, None],
    "rolled": lambda x, w: tf.roll(x, shift=[-2, 1], axis=[1, 2]),
    "table": lambda x, w: x + tf.gather(w, tf.range(start=0, limit=tf.shape(x)[1], delta=1) % 8),
    "where": lambda x, w: tf.where(tf.math.not_equal(x > 0, x < -1), tf.clip_by_value(x, -0.5, 0.5), tf.zeros_like(x)),
}


def _equal(model: Any, folder: Any, length: int = 6) -> None:
    imported = from_keras(model, inline=True)
    imported.write(folder / "net.nnspec.yaml")
    graph = nnspec.compile(nnspec.load(folder / "net.nnspec.yaml", root=folder)).main
    ours = nnspec.to_keras(graph)
    if imported.weights:
        set_weight_arrays(ours, graph, imported.weights)
    x = np.random.default_rng(1).normal(size=(3, length, 8)).astype("float32")
    [given] = keras_run(ours)({next(iter(graph.inputs)): x}).values()
    np.testing.assert_allclose(given, np.asarray(model(x)), atol=1e-5)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("length", [6, None], ids=["known length", "free length"])
def test_functions_of_tensorflow_in_custom_code_are_those_of_keras(name, length, tmp_path):
    x = keras.Input((length, 8), name="x")
    _equal(keras.Model(x, Written(CASES[name])(x)), tmp_path)


def test_a_lambda_of_a_live_model_is_what_it_computes(tmp_path):
    x = keras.Input((6, 8), name="x")
    _equal(keras.Model(x, L.Lambda(lambda x, by: tf.exp(x) * by, arguments={"by": 2.0})(L.Dense(8)(x))), tmp_path)


class Holding(L.Layer):
    """Holds a function of TensorFlow, also as the activation of a layer."""

    def __init__(self) -> None:
        super().__init__()
        self.passed, self.dense = tf.identity, L.Dense(8, activation=tf.nn.gelu)

    def build(self, shape: Any) -> None:
        self.dense.build(shape)

    def call(self, x: Any) -> Any:
        return self.passed(self.dense(x))


def test_functions_of_tensorflow_that_layers_hold_are_replaced(tmp_path):
    x = keras.Input((6, 8), name="x")
    _equal(keras.Model(x, Holding()(x)), tmp_path)


class Noisy(L.Layer):
    """Draws in training, which is its default."""

    def call(self, x: Any, training: bool = True) -> Any:
        return x + tf.random.normal(tf.shape(x), seed=1) if training else x


def test_a_layer_recorded_in_training_is_imported_at_inference(tmp_path):
    model = keras.Sequential([keras.Input((6, 8)), keras.Sequential([keras.Input((6, 8)), Noisy()]), L.Dense(3)])
    imported = from_keras(model, inline=True)
    assert "random" not in imported.text()


def test_code_that_draws_random_numbers_is_refused():
    x = keras.Input((6, 8), name="x")
    with pytest.raises(SpecError, match="draws random numbers"):
        from_keras(keras.Model(x, Written(lambda x, w: x + tf.random.normal(tf.shape(x), seed=1))(x)), inline=True)


def test_functions_of_tensorflow_are_left_as_they_were():
    before = tf.reshape, tf.nn.relu, tf.math.square
    x = keras.Input((6, 8), name="x")
    from_keras(keras.Model(x, Written(CASES["attention"])(x)), inline=True)
    assert (tf.reshape, tf.nn.relu, tf.math.square) == before
