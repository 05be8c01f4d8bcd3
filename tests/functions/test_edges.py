"""Values at the edges: signs, halves, ranges, rows without anything, axes of size 0 and 1."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray

from nnspec.functions.base import Case
from nnspec.functions.evaluation import NumpyRun
from nnspec.keras_backend import to_keras
from nnspec.layers.compute import Compute
from nnspec.onnx_backend import to_onnx
from tests.functions.four_ways import graph_of
from tests.functions.hand_checked import check

INF, NAN = float("inf"), float("nan")


@pytest.mark.parametrize(
    ("text", "x", "expected"),
    [
        ("x // 2", [-3, -2, -1, 0, 1, 3], [-2, -1, -1, 0, 0, 1]),
        ("x // -2", [-3, -1, 1, 3], [1, 0, -1, -2]),
        ("x % 3", [-4, -3, -1, 0, 4], [2, 0, 2, 0, 1]),
        ("x % -3", [-4, -3, 1, 4], [-1, 0, -2, -2]),
        ("x // 2", [-3.5, -0.5, 0.5, 3.5], [-2.0, -1.0, 0.0, 1.0]),
        ("x % 2", [-3.5, -0.5, 0.5, 3.5], [0.5, 1.5, 0.5, 1.5]),
        ("x % -2", [-3.5, -0.5, 0.5, 3.5], [-1.5, -0.5, -1.5, -0.5]),
        ("round(x)", [-2.5, -1.5, -0.5, 0.5, 1.5, 2.5], [-2.0, -2.0, 0.0, 0.0, 2.0, 2.0]),
        ("cast(x, 'int32')", [-2.7, -0.5, 0.5, 2.7], [-2, 0, 0, 2]),
        ("cast(x, 'bool')", [-0.5, 0.0, 2.0], [True, False, True]),
        ("cast(x, 'float32')", [True, False], [1.0, 0.0]),
        ("cast(x, 'int32') + 1", [True, False], [2, 1]),
        ("~x", [True, False], [False, True]),
        ("x & (x == true)", [True, False], [True, False]),
        ("x | ~x", [True, False], [True, True]),
        ("x != ~x", [True, False], [True, True]),
        ("sign(x)", [-2.0, 0.0, 3.0], [-1.0, 0.0, 1.0]),
        ("isnan(x)", [NAN, INF, -INF, 0.0], [True, False, False, False]),
        ("where(isnan(x), 0, x)", [NAN, 1.0, -INF], [0.0, 1.0, -INF]),
        ("x == x", [NAN, INF, 1.0], [False, True, True]),
        ("x * 2000000000", [1, -1, 0], [2000000000, -2000000000, 0]),
        ("x ** 9", [100, 7, -3], [-1486618624, 40353607, -19683]),
        ("x ** 2 + x ** 1 + x ** 0", [46341, 3, 0], [-2147432673, 13, 1]),
        ("7 // x", [0, 2, -2], [0, 3, -4]),
        ("7 % x", [0, 2, -2], [0, 1, -1]),
        ("x // arange(3)", [5, 5, 5], [0, 5, 2]),
    ],
)
def test_each_way_computes_the_values_of_the_contract(text: str, x: list[Any], expected: list[Any]) -> None:
    for free in (False, True):
        check(text, [expected], free=free, x=[x])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("argmax(x, 1)", [0]),
        ("argmin(x, 1)", [0]),
        ("argsort(x, 1)", [[0, 1, 2]]),
        ("top_k(x, 2)[1]", [[0, 1]]),
        ("softmax(x)", [[1 / 3] * 3]),
        ("softmax(where(x > 5, x, -1e9))", [[1 / 3] * 3]),
        ("logsumexp(where(x > 5, x, -1e9), 1)", [-1e9]),
    ],
)
def test_ties_go_to_the_lowest_index_and_a_masked_row_is_uniform(text: str, expected: list[Any]) -> None:
    check(text, expected, x=[[2.0, 2.0, 2.0]])


def in_half(text: str, x: NDArray[Any]) -> NDArray[Any]:
    """An expression computed by Keras in float16."""
    graph = graph_of(Case(text, {"x": x}), free=False)
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        return np.asarray(keras.ops.convert_to_numpy(to_keras(graph)({"x": x})["y"]))
    finally:
        keras.config.set_dtype_policy(before)


@pytest.mark.parametrize(
    "text",
    [
        "where(x > 0, x, -1e9)",
        "x * 0 - 1e9",
        "maximum(x, -1e9)",
        "full_like(x, -1e9)",
        "clip(x, -1e9, 1e9)",
        "pad(x, [[0, 1]], constant_values=-1e9)",
        "where(x > 0, x, [-1e9, -1e9, -1e9])",
        "zeros_like(x) + -1e9",
    ],
)
def test_a_masked_score_is_finite_in_half_precision(text: str) -> None:
    found = in_half(text, np.array([[-1.0, 2.0, -3.0]], np.float32))
    assert np.isfinite(found).all(), found
    assert found.dtype == np.float16


def test_a_fully_masked_row_is_uniform_in_half_precision() -> None:
    found = in_half("softmax(where(x > 5, x, -1e9))", np.array([[-1.0, 2.0, -3.0]], np.float32))
    np.testing.assert_allclose(found, 1 / 3, rtol=1e-3)


EMPTY = (
    "x * 2", "softmax(x)", "sum(x, 1)", "sum(x, 2)", "cumsum(x, 1)", "sort(x, 1)", "argsort(x, 1)", "flip(x, 1)",
    "x[:, ::-1]", "concatenate([x, x], 1)", "concatenate([x, x], 2)", "stack([x, x], 1)", "x @ swapaxes(x, 1, 2)",
    "swapaxes(x, 1, 2) @ x", "einsum('btc,bsc->bts', x, x)", "one_hot(argmax(x, 2), 4)", "any(x > 0, 1)", "all(x > 0, 1)",
    "prod(x, 1)", "repeat(x, 2, 1)", "tile(x, [2, 1])", "roll(x, 1, 1)", "pad(x, [[1, 2], [0, 0]])", "tril(x)",
    "reshape(x, [x.shape[1] * 2, 2])", "reshape(x, [-1, 2])", "transpose(x, [0, 2, 1])", "expand_dims(x, 1)",
    "where(x > 0, x, 0)", "normalize(x)", "norm(x, axis=2)", "take(x, [0, 1], 2)", "top_k(x, 2)[0]", "cast(x, 'int32')",
    "x + cast(expand_dims(arange(x.shape[1]), 1), 'float32')", "x // 2", "x % 2", "gelu(x)", "mean(x, 2)", "var(x, 2)",
    "logsumexp(x, 2)", "broadcast_to(x[:, :, :1], [x.shape[1], 3])", "zeros_like(x) + x", "argmax(x, 2)", "triu(x, 1)",
)  # fmt: skip


@pytest.mark.parametrize("size", [0, 1])
@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("text", EMPTY)
def test_axes_of_size_0_and_1_are_computed(text: str, batch: int, size: int) -> None:
    """Keras runs at sizes from 1, as conditions demand; an exported file also takes what has no position."""
    if text.startswith("einsum") and not size:
        pytest.skip("ONNX Runtime's `Einsum` raises for an axis without positions")
    x = np.random.default_rng(0).normal(size=(batch, size, 4)).astype(np.float32)
    graph = graph_of(Case(text, {"x": np.zeros((batch, 3, 4), np.float32)}), free=True)
    layer = graph.nodes["compute"].layer
    assert isinstance(layer, Compute)
    [expected] = NumpyRun({"x": x})(*layer.typed(dict(graph.inputs)).results.values())
    session = onnxruntime.InferenceSession(to_onnx(graph, {}).SerializeToString(), providers=["CPUExecutionProvider"])
    found = [session.run(["y"], {"x": x})[0]]
    if size:
        found.append(np.asarray(keras.ops.convert_to_numpy(to_keras(graph)({"x": x})["y"])))
    for given in found:
        assert given.shape == expected.shape
        np.testing.assert_allclose(given.astype(float), expected.astype(float), rtol=1e-4, atol=1e-5)
