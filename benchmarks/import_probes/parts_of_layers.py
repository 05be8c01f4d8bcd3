"""Layers in layers: cells, wrappers, activations that are layers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
from keras import layers as L  # noqa: N812

from benchmarks.import_probes.probe import Probe, probe

__all__ = ["wrapper_probes"]


def _over(layer: Any, shape: tuple[int | None, ...] = (5, 4)) -> Any:
    x = keras.Input(shape)
    return keras.Model(x, layer(x))


def _of(make: Any, shape: tuple[int | None, ...]) -> Any:
    return _over(make(), shape)


S, V = (5, 4), (6,)
IMAGES = (3, 8, 8, 2)

WRAPPED: dict[str, tuple[Any, tuple[int | None, ...], str | None]] = {
    "spectral dense": (lambda: L.SpectralNormalization(L.Dense(4)), V, None),
    "spectral dense without bias": (lambda: L.SpectralNormalization(L.Dense(4, use_bias=False)), V, None),
    "spectral conv": (lambda: L.SpectralNormalization(L.Conv2D(4, 3, activation="relu"), power_iterations=3), (8, 8, 2), None),
    "spectral transposed": (lambda: L.SpectralNormalization(L.Conv2DTranspose(4, 3)), (8, 8, 2), None),
    "spectral depthwise": (lambda: L.SpectralNormalization(L.DepthwiseConv2D(3)), (8, 8, 2), ""),
    "spectral einsum": (lambda: L.SpectralNormalization(L.EinsumDense("abc,cd->abd", (None, 3), bias_axes="d")), S, None),
    "time distributed dense": (lambda: L.TimeDistributed(L.Dense(3, activation="tanh")), S, None),
    "time distributed conv": (lambda: L.TimeDistributed(L.Conv2D(3, 3)), IMAGES, None),
    "time distributed batch normalization": (lambda: L.TimeDistributed(L.BatchNormalization()), IMAGES, None),
    "time distributed flatten": (lambda: L.TimeDistributed(L.Flatten()), IMAGES, None),
    "time distributed lstm": (lambda: L.TimeDistributed(L.LSTM(3)), (2, 5, 4), None),
    "time distributed bidirectional": (lambda: L.TimeDistributed(L.Bidirectional(L.GRU(3))), (2, 5, 4), None),
    "time distributed twice": (lambda: L.TimeDistributed(L.TimeDistributed(L.Dense(3))), (2, 5, 4), None),
    "time distributed pooling": (lambda: L.TimeDistributed(L.GlobalMaxPooling2D()), IMAGES, None),
    "time distributed spectral": (lambda: L.TimeDistributed(L.SpectralNormalization(L.Dense(3))), S, None),
    "time distributed sequential": (lambda: L.TimeDistributed(keras.Sequential([keras.Input((8, 8, 2)), L.Conv2D(2, 3), L.Flatten(), L.Dense(3)])), IMAGES, None),
    "time distributed rnn of cell": (lambda: L.TimeDistributed(L.RNN(L.GRUCell(3))), (2, 5, 4), None),
    "time distributed activation layer": (lambda: L.TimeDistributed(L.Dense(3, activation=L.LeakyReLU(0.2))), S, None),
    "bidirectional lstm": (lambda: L.Bidirectional(L.LSTM(3, return_sequences=True)), S, None),
    "bidirectional backward layer": (lambda: L.Bidirectional(L.GRU(3), backward_layer=L.GRU(3, go_backwards=True, activation="relu")), S, None),
    "bidirectional of two kinds": (lambda: L.Bidirectional(L.LSTM(3), backward_layer=L.GRU(3, go_backwards=True)), S, ""),
    "bidirectional sum": (lambda: L.Bidirectional(L.SimpleRNN(3), merge_mode="sum"), S, None),
    "bidirectional unmerged": (lambda: L.Bidirectional(L.GRU(3, return_sequences=True), merge_mode=None), S, None),
    "bidirectional states": (lambda: L.Bidirectional(L.LSTM(3, return_state=True)), S, None),
    "bidirectional backwards": (lambda: L.Bidirectional(L.LSTM(3, return_sequences=True, zero_output_for_mask=True)), S, None),
    "bidirectional rnn of cell": (lambda: L.Bidirectional(L.RNN(L.LSTMCell(3))), S, None),
    "bidirectional rnn of stacked cells": (lambda: L.Bidirectional(L.RNN(L.StackedRNNCells([L.LSTMCell(3), L.LSTMCell(2)]))), S, ""),
    "rnn of gru cell": (lambda: L.RNN(L.GRUCell(3, reset_after=False), return_sequences=True), S, None),
    "rnn of simple cell": (lambda: L.RNN(L.SimpleRNNCell(3, activation="relu"), go_backwards=True), S, None),
    "rnn of lstm cell": (lambda: L.RNN(L.LSTMCell(3, unit_forget_bias=False), return_state=True), S, None),
    "rnn of a list of cells": (lambda: L.RNN([L.LSTMCell(3), L.GRUCell(2)]), S, None),
    "rnn of stacked cells": (lambda: L.RNN(L.StackedRNNCells([L.GRUCell(3), L.GRUCell(2), L.SimpleRNNCell(4)]), return_sequences=True), S, None),
    "rnn of one stacked cell": (lambda: L.RNN(L.StackedRNNCells([L.GRUCell(3)])), S, None),
    "rnn of stacked cells backwards": (lambda: L.RNN(L.StackedRNNCells([L.GRUCell(3), L.GRUCell(2)]), go_backwards=True), S, None),
    "rnn of stacked cells with states": (lambda: L.RNN(L.StackedRNNCells([L.LSTMCell(3), L.GRUCell(2)]), return_state=True), S, None),
    "dense with a leaky relu layer": (lambda: L.Dense(3, activation=L.LeakyReLU(0.2)), V, None),
    "dense with a relu layer": (lambda: L.Dense(3, activation=L.ReLU(max_value=1.0)), V, None),
    "dense with an activation layer": (lambda: L.Dense(3, activation=L.Activation("gelu")), V, None),
    "dense with a prelu layer": (lambda: L.Dense(3, activation=L.PReLU()), V, "no weights"),
    "dense with a softmax layer": (lambda: L.Dense(3, activation=L.Softmax()), V, None),
    "conv with a leaky relu layer": (lambda: L.Conv2D(3, 3, activation=L.LeakyReLU(0.2)), (8, 8, 2), None),
    "separable with an elu layer": (lambda: L.SeparableConv1D(3, 3, activation=L.ELU(0.5)), (9, 2), None),
    "activation of a layer": (lambda: L.Activation(L.LeakyReLU(0.2)), V, None),
    "gru with a relu layer": (lambda: L.GRU(3, activation=L.ReLU()), S, ""),
    "dense with keras.activations.relu": (lambda: L.Dense(3, activation=keras.activations.relu), V, None),
    "dense with keras.ops.gelu": (lambda: L.Dense(3, activation=keras.ops.gelu), V, ""),
}  # fmt: skip


def wrapper_probes() -> Iterator[Probe]:
    """A model of each."""
    for name, (make, shape, refused) in WRAPPED.items():
        yield Probe(name, lambda make=make, shape=shape: _of(make, shape), refused)


@probe()
def stacked_cells_with_a_mask() -> Any:
    t = keras.Input((5,), dtype="int32", name="tokens")
    x = L.Embedding(5, 4, mask_zero=True)(t)
    return keras.Model(t, L.RNN([L.LSTMCell(3), L.GRUCell(2)], return_sequences=True)(x))


@probe()
def stacked_cells_with_first_states() -> Any:
    x, a, b = keras.Input((5, 4), name="x"), keras.Input((3,), name="a"), keras.Input((2,), name="b")
    return keras.Model([x, a, b], L.RNN([L.GRUCell(3), L.GRUCell(2)])(x, initial_state=[a, b]))


@probe()
def shared_stacked_cells() -> Any:
    x, y = keras.Input((5, 4), name="x"), keras.Input((5, 4), name="y")
    rnn = L.RNN([L.GRUCell(3), L.GRUCell(2)])
    return keras.Model([x, y], [rnn(x), rnn(y)])


@probe(refused="no weights")
def shared_dense_with_an_activation_layer() -> Any:
    x, y = keras.Input((4,), name="x"), keras.Input((4,), name="y")
    dense = L.Dense(3, activation=L.PReLU())
    return keras.Model([x, y], [dense(x), dense(y)])


@probe()
def encoder_and_decoder_with_states() -> Any:
    x, y = keras.Input((5, 4), name="x"), keras.Input((6, 4), name="y")
    _, h, c = L.LSTM(3, return_state=True)(x)
    out = L.LSTM(3, return_sequences=True)(y, initial_state=[h, c])
    return keras.Model([x, y], L.Dense(2)(out))


@probe()
def bidirectional_with_first_states() -> Any:
    x, a, b = keras.Input((5, 4), name="x"), keras.Input((3,), name="a"), keras.Input((3,), name="b")
    return keras.Model([x, a, b], L.Bidirectional(L.GRU(3))(x, initial_state=[a, b]))


@probe()
def recurrent_states_given_positionally() -> Any:
    x, a = keras.Input((5, 4), name="x"), keras.Input((3,), name="a")
    return keras.Model([x, a], L.GRU(3)(x, a))


@probe()
def time_distributed_functional_model_with_shared_weights() -> Any:
    inner = keras.Sequential([keras.Input((4,)), L.Dense(3)], name="inner")
    x = keras.Input((5, 4))
    return keras.Model(x, L.Add()([L.TimeDistributed(inner)(x), L.TimeDistributed(inner)(x)]))
