"""Operators and ``keras.ops`` between layers, masks, recurrent cells, wrappers, casts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
from keras import layers as L  # noqa: N812
from keras import ops

from benchmarks.import_probes.probe import Probe, probe

__all__ = ["operation_probes"]

SINGLE: dict[str, Callable[[Any], Any]] = {
    "x + 1": lambda x: x + 1, "1 + x": lambda x: 1 + x, "x - 1": lambda x: x - 1, "1 - x": lambda x: 1 - x, "x * 2": lambda x: x * 2,
    "2 * x": lambda x: 2 * x, "x / 2": lambda x: x / 2, "-x": lambda x: -x, "abs(x)": abs, "x ** 2": lambda x: x**2,
    "x + x": lambda x: x + x, "x * x": lambda x: x * x, "x - x*2": lambda x: x - x * 2, "x[:, 0]": lambda x: x[:, 0], "x[:, -1]": lambda x: x[:, -1],
    "x[:, 1:3]": lambda x: x[:, 1:3], "x[:, ::2]": lambda x: x[:, ::2], "x[..., 0]": lambda x: x[..., 0], "x[:, :, 1:]": lambda x: x[:, :, 1:],
    "x[:, 0, 1:]": lambda x: x[:, 0, 1:], "x[:, :-1]": lambda x: x[:, :-1], "x[:, -3:]": lambda x: x[:, -3:], "x[:, None]": lambda x: x[:, None],
    "x + array": lambda x: x + np.arange(4, dtype="float32"),
    "x / array": lambda x: x / np.arange(1, 5).astype("float32"),
    "relu": ops.relu, "gelu exact": lambda x: ops.gelu(x, approximate=False), "softmax": ops.softmax,
    "softmax axis 1": lambda x: ops.softmax(x, axis=1), "leaky": lambda x: ops.leaky_relu(x, 0.3), "elu": ops.elu, "exp": ops.exp, "square": ops.square,
    "mean 1": lambda x: ops.mean(x, axis=1), "mean -1": lambda x: ops.mean(x, axis=-1, keepdims=True), "mean (1, 2)": lambda x: ops.mean(x, axis=(1, 2)),
    "sum": lambda x: ops.sum(x, axis=2), "reshape": lambda x: ops.reshape(x, (-1, 20)), "reshape 2": lambda x: ops.reshape(x, (-1, 10, 2)),
    "transpose": lambda x: ops.transpose(x, (0, 2, 1)), "expand": lambda x: ops.expand_dims(x, 1), "expand -1": lambda x: ops.expand_dims(x, -1),
    "squeeze": lambda x: ops.squeeze(ops.expand_dims(x, 2), 2), "pad": lambda x: ops.pad(x, [[0, 0], [1, 2], [0, 0]]),
    "maximum 0": lambda x: ops.maximum(x, 0), "maximum 0.0": lambda x: ops.maximum(x, 0.0), "0 maximum": lambda x: ops.maximum(0.0, x), "clip": lambda x: ops.clip(x, 0, 1.5),
    "concatenate": lambda x: ops.concatenate([x, x * 2], axis=1), "concatenate one": lambda x: ops.concatenate([x], axis=1), "take": lambda x: ops.take(x, [1], axis=1),
    "take int": lambda x: ops.take(x, 1, axis=1), "cast to itself": lambda x: ops.cast(x, "float32"), "copy": ops.copy, "add keywords": lambda x: ops.add(x2=x, x1=x * 2),
    "subtract keywords": lambda x: ops.subtract(x2=x, x1=x * 2 + 1), "divide": lambda x: ops.divide(x, 3.0), "true_divide": lambda x: ops.true_divide(x, 3.0),
    "silu": ops.silu, "sigmoid": ops.sigmoid, "tanh": ops.tanh, "relu6": ops.relu6, "hard_silu": ops.hard_silu, "softplus": ops.softplus, "log_softmax": ops.log_softmax,
    "negative": ops.negative, "identity": lambda x: ops.identity(3) if False else L.Identity()(x), "average of two": lambda x: (x + x[:, ::-1]) / 2 if False else (x + x) / 2,
    "x ** 2.0": lambda x: ops.power(x, 2.0), "2 * (x, 1 axis)": lambda x: x[:, 0] * 2, "broadcast of (5, 1)": lambda x: x * ops.mean(x, axis=-1, keepdims=True),
    "mean of all but batch": lambda x: ops.mean(x, axis=[-1, -2], keepdims=True) + x, "x + 1e-3 int array": lambda x: x + np.array([1, 2, 3, 4]),
    "subtract one": lambda x: ops.subtract(1.0, x), "multiply keyword": lambda x: ops.multiply(x, x2=3.0), "x + True": lambda x: x + np.float32(2),
    "reshape with free size": lambda x: ops.reshape(x, (-1, 2, 10)), "celu": ops.celu if hasattr(ops, "celu") else ops.relu,
}  # fmt: skip

WITHOUT_EQUAL: dict[str, Callable[[Any], Any]] = {
    "gelu": ops.gelu, "x * [array of time]": lambda x: x * np.arange(5, dtype="float32")[:, None],
    "x ** 3": lambda x: x**3, "2 / x": lambda x: 2 / x, "log": lambda x: ops.log(ops.abs(x) + 1), "cumsum": lambda x: ops.cumsum(x, axis=1), "x @ y": lambda x: x @ ops.transpose(x, (0, 2, 1)),
    "x > 0": lambda x: ops.cast(x > 0, "float32"), "where": lambda x: ops.where(x > 0, x, 0.0), "einsum": lambda x: ops.einsum("btf,bsf->bts", x, x), "roll": lambda x: ops.roll(x, 1, axis=1),
    "x[:, ::-1]": lambda x: x[:, ::-1], "cast to int": lambda x: ops.cast(x, "int32"), "mean of batch": lambda x: x - ops.mean(x, axis=0), "clip below 0": lambda x: ops.clip(x, -1, 1),
    "maximum 1": lambda x: ops.maximum(x, 1.0), "l2": ops.normalize, "max": lambda x: ops.max(x, axis=1), "stack": lambda x: ops.stack([x, x], axis=1), "sqrt": lambda x: ops.sqrt(ops.abs(x) + 1),
    "concatenate batch": lambda x: ops.concatenate([x, x], axis=0), "pad reflect": lambda x: ops.pad(x, [[0, 0], [1, 1], [0, 0]], mode="reflect"), "reshape batch": lambda x: ops.reshape(x, (-1, 4)),
}  # fmt: skip
"""Some may be written with layers all the same: imported, they must be equal."""


def operation_probes() -> Iterator[Probe]:
    """A model with a layer before and after each operation."""
    for table, refused in ((SINGLE, None), (WITHOUT_EQUAL, "")):
        for name, compute in table.items():
            yield Probe(f"op {name}", lambda compute=compute: _between(compute), refused)
            if refused is None and name in ("x + 1", "x[:, 0]", "abs(x)", "x * x"):
                yield Probe(f"op {name} at the input", lambda compute=compute: _at_the_input(compute), refused)


def _between(compute: Callable[[Any], Any]) -> Any:
    x = keras.Input((5, 4))
    return keras.Model(x, compute(L.Dense(4)(x)))


def _at_the_input(compute: Callable[[Any], Any]) -> Any:
    x = keras.Input((5, 4))
    return keras.Model(x, compute(x))


def _tokens(length: int | None = 6, name: str = "tokens") -> Any:
    return keras.Input((length,), dtype="int32", name=name)


@probe()
def mask_through_recurrent_layers() -> Any:
    t = _tokens()
    x = L.Embedding(5, 4, mask_zero=True)(t)
    x = L.LSTM(3, return_sequences=True)(x)
    return keras.Model(t, [L.GRU(3)(L.Dropout(0.1)(x)), x])


@probe()
def mask_through_everything_that_passes_it() -> Any:
    t = _tokens()
    x = L.Embedding(5, 4, mask_zero=True)(t)
    x = L.LayerNormalization()(L.Dense(4)(x))
    x = L.Add()([x, L.Activation("relu")(x)])
    x = L.Concatenate()([x, L.TimeDistributed(L.Dense(2))(x)])
    return keras.Model(t, L.GlobalAveragePooling1D()(x))


@probe(refused="mask")
def mask_given_by_hand() -> Any:
    t, x = keras.Input((5,), dtype="bool", name="mask"), keras.Input((5, 4), name="x")
    return keras.Model([x, t], L.LSTM(3)(x, mask=t))


@probe(refused="mask")
def attention_with_explicit_masks() -> Any:
    q, v = keras.Input((5, 4), name="q"), keras.Input((6, 4), name="v")
    m = keras.Input((6,), dtype="bool", name="m")
    return keras.Model([q, v, m], L.Attention()([q, v], mask=[None, m]))


@probe(refused="mask")
def multi_head_attention_with_a_mask() -> Any:
    q, m = keras.Input((5, 4), name="q"), keras.Input((5, 5), dtype="bool", name="m")
    return keras.Model([q, m], L.MultiHeadAttention(2, 3)(q, q, attention_mask=m))


@probe(refused="mask")
def multi_head_attention_with_a_padding_mask() -> Any:
    q, m = keras.Input((5, 4), name="q"), keras.Input((5,), dtype="bool", name="m")
    return keras.Model([q, m], L.MultiHeadAttention(2, 3)(q, q, query_mask=m, value_mask=m))


@probe(refused="mask")
def grouped_attention_with_a_padding_mask() -> Any:
    q, m = keras.Input((5, 4), name="q"), keras.Input((5,), dtype="bool", name="m")
    return keras.Model([q, m], L.GroupQueryAttention(2, 4, 2)(q, q, value_mask=m))


@probe(refused="mask")
def softmax_with_a_mask() -> Any:
    x, m = keras.Input((5,), name="x"), keras.Input((5,), dtype="bool", name="m")
    return keras.Model([x, m], L.Softmax()(x, mask=m))


@probe(refused="mask")
def pooling_with_a_mask() -> Any:
    x, m = keras.Input((5, 4), name="x"), keras.Input((5,), dtype="bool", name="m")
    return keras.Model([x, m], L.GlobalAveragePooling1D()(x, mask=m))


@probe(refused="mask")
def batch_normalization_with_a_mask() -> Any:
    x, m = keras.Input((5, 4), name="x"), keras.Input((5,), dtype="bool", name="m")
    return keras.Model([x, m], L.BatchNormalization()(x, mask=m))


@probe(refused="mask")
def product_that_ignores_a_mask() -> Any:
    t = _tokens()
    x = L.Embedding(5, 4, mask_zero=True)(t)
    return keras.Model(t, x * L.Dense(4)(x))


@probe(refused="mask")
def attention_after_an_operation_that_drops_the_mask() -> Any:
    t = _tokens()
    x = L.Embedding(5, 4, mask_zero=True)(t) * 2
    return keras.Model(t, L.MultiHeadAttention(2, 3)(x, x))


@probe()
def layer_product_of_masked_tensors() -> Any:
    t = _tokens()
    x = L.Embedding(5, 4, mask_zero=True)(t)
    return keras.Model(t, L.Multiply()([x, L.Dense(4)(x)]))


@probe(refused="mask")
def mask_of_another_number() -> Any:
    t = _tokens()
    x = L.Embedding(5, 4, mask_zero=True)(t)
    return keras.Model(t, L.LSTM(3)(x, mask=ops.not_equal(t, 1)))


@probe(refused="mask")
def mask_turned_round() -> Any:
    t = _tokens()
    x = L.Embedding(5, 4, mask_zero=True)(t)
    return keras.Model(t, L.LSTM(3)(x, mask=ops.logical_not(ops.not_equal(t, 0))))


@probe(refused="mask")
def mask_given_to_a_model() -> Any:
    t, m = _tokens(), keras.Input((6,), dtype="bool", name="m")
    inner = keras.Sequential([keras.Input((6, 4)), L.LSTM(3)])
    return keras.Model([t, m], inner(L.Embedding(5, 4)(t), mask=m))


@probe()
def mask_through_a_model() -> Any:
    t = _tokens()
    inner = keras.Sequential([keras.Input((6, 4)), L.Dense(4), L.LSTM(3, return_sequences=True)])
    return keras.Model(t, L.GRU(2)(inner(L.Embedding(5, 4, mask_zero=True)(t))))


@probe()
def masking_layer() -> Any:
    x = keras.Input((5, 4), name="whole_x")
    y = L.Masking(2.0)(x)
    return keras.Model(x, L.LSTM(3)(L.Dense(4)(y)))


@probe()
def attention_shared_with_another_causality() -> Any:
    q = keras.Input((5, 8), name="q")
    mha = L.MultiHeadAttention(2, 3)
    return keras.Model(q, [mha(q, q), mha(q, q, use_causal_mask=True)])


@probe(refused="training=True")
def model_called_in_training() -> Any:
    inner = keras.Sequential([keras.Input((4,)), L.Dense(4), L.Dropout(0.5)], name="inner")
    x = keras.Input((4,))
    return keras.Model(x, inner(x, training=True))


@probe()
def model_without_dropout_called_in_training() -> Any:
    inner = keras.Sequential([keras.Input((4,)), L.Dense(4)], name="inner")
    x = keras.Input((4,))
    return keras.Model(x, inner(x, training=True))


@probe()
def cast_tokens_into_operations() -> Any:
    t = _tokens()
    return keras.Model(t, ops.cast(t, "float32") * 0.5 + 1)


@probe()
def booleans_cast_to_floats() -> Any:
    t = keras.Input((6,), dtype="bool", name="b")
    return keras.Model(t, L.Dense(2)(ops.cast(t, "float32")))


@probe(refused="casts")
def floats_cast_to_integers() -> Any:
    x = keras.Input((6,), name="x")
    return keras.Model(x, L.Embedding(5, 2)(ops.cast(L.ReLU()(x), "int32")))


@probe()
def self_attention_of_embedded_tokens() -> Any:
    t = _tokens()
    x = L.Embedding(5, 4, mask_zero=True)(t)
    x = L.MultiHeadAttention(2, 3)(x, x)
    return keras.Model(t, L.Dense(2)(x))


@probe()
def attention_in_keywords() -> Any:
    q, v = keras.Input((5, 4), name="q"), keras.Input((6, 4), name="v")
    return keras.Model([q, v], L.MultiHeadAttention(2, 3)(value=v, query=q, use_causal_mask=False))


@probe()
def causal_attention() -> Any:
    q = keras.Input((5, 8), name="q")
    a = L.MultiHeadAttention(2, 3)(q, q, use_causal_mask=True)
    b = L.Attention()([q, q], use_causal_mask=True)
    return keras.Model(q, [a, b, L.GroupQueryAttention(4, 2, 1)(q, q, use_causal_mask=True)])


@probe()
def attention_scores() -> Any:
    q = keras.Input((5, 4), name="q")
    return keras.Model(q, L.MultiHeadAttention(2, 3)(q, q, return_attention_scores=True))


@probe()
def reversible_embedding_both_ways() -> Any:
    t = _tokens()
    table = L.ReversibleEmbedding(7, 4)
    x = L.Dense(4)(table(t))
    return keras.Model(t, table(x, reverse=True))


@probe()
def reversible_embedding_untied() -> Any:
    t = _tokens()
    table = L.ReversibleEmbedding(7, 4, tie_weights=False, logit_soft_cap=2.0)
    return keras.Model(t, table(L.Dense(4)(table(t)), reverse=True))


@probe()
def reversible_embedding_reverse_only() -> Any:
    x = keras.Input((5, 4))
    return keras.Model(x, L.ReversibleEmbedding(7, 4)(x, reverse=True))


@probe()
def integers_cast_to_floats() -> Any:
    t = _tokens()
    return keras.Model(t, L.Dense(2)(ops.cast(t, "float32")))


@probe()
def integers_into_a_dense_layer() -> Any:
    t = _tokens()
    return keras.Model(t, L.Dense(2)(t))


@probe()
def pixels_of_eight_bits() -> Any:
    x = keras.Input((6, 6, 3), dtype="uint8")
    return keras.Model(x, L.Conv2D(2, 3)(L.Rescaling(1 / 255)(x)))


@probe()
def integers_cast_and_embedded() -> Any:
    t = keras.Input((6,), dtype="int64", name="tokens")
    return keras.Model(t, L.Dense(2)(L.Embedding(5, 3)(ops.cast(t, "int32"))))


@probe()
def whole_floats_embedded_and_used() -> Any:
    t = keras.Input((6,), name="whole_t")
    return keras.Model(t, [L.Embedding(5, 3)(t), L.Embedding(5, 2, mask_zero=True)(t)])


@probe(refused="whole numbers")
def whole_floats_embedded_and_computed_with() -> Any:
    t = keras.Input((6,), name="whole_t")
    return keras.Model(t, [L.Embedding(5, 3)(t), L.Dense(2)(t)])


@probe()
def whole_floats_into_a_nested_embedding() -> Any:
    inner = keras.Sequential([keras.Input((6,)), L.Embedding(5, 3)], name="table")
    t = keras.Input((6,), name="whole_t")
    return keras.Model(t, L.GRU(2)(inner(t)))


@probe()
def sequential_embedding() -> Any:
    return keras.Sequential([keras.Input((6,), name="whole_t"), L.Embedding(5, 4, mask_zero=True), L.LSTM(3), L.Dense(1)])


@probe(refused="")
def positions_of_ones() -> Any:
    t = _tokens()
    x = L.Embedding(5, 4)(t)
    return keras.Model(t, x + np.random.default_rng(0).normal(size=(6, 4)).astype("float32"))


@probe(refused="mask")
def operation_in_a_model_that_drops_a_mask() -> Any:
    t, z = _tokens(), keras.Input((6, 4))
    inner = keras.Model(z, L.LSTM(3)(L.Dense(4)(z) * 2), name="inner")
    return keras.Model(t, inner(L.Embedding(5, 4, mask_zero=True)(t)))
