"""Every function: NumPy, Keras and ONNX Runtime agree, and gradients are those of finite differences."""

from __future__ import annotations

import zlib

import numpy as np
import pytest

from nnspec.functions.base import Function
from nnspec.functions.catalogue import FUNCTIONS
from nnspec.functions.elementwise import OPERATORS, UNARY_OPERATORS
from nnspec.functions.indexing import FUNCTIONS as INDEXING
from tests.conftest import FULL
from tests.functions.four_ways import found, gradient_errors

CASES = 8 if FULL else 2
ALL: dict[str, Function] = {
    **FUNCTIONS,
    **INDEXING,
    **{f"a {name} b": function for name, function in OPERATORS.items()},
    **{f"{name}a": function for name, function in UNARY_OPERATORS.items()},
}
NO_GRADIENT = frozenset({"stop_gradient", "in_training", "random_normal", "random_uniform", "random_bernoulli"})


def seed_of(name: str, number: int) -> np.random.Generator:
    return np.random.default_rng([zlib.crc32(name.encode()), number])


@pytest.mark.parametrize("name", ALL)
def test_numpy_keras_and_onnx_agree(name: str) -> None:
    for number in range(CASES):
        case = ALL[name].draw(seed_of(name, number))
        for free in (False, True):
            result = found(case, free=free)
            expected = result.numpy["y"]
            scale = max(1.0, float(np.abs(np.where(np.isfinite(expected), expected, 0)).max(initial=0.0)))
            for way, given in {"keras": result.keras["y"], **{f"opset {n}": y["y"] for n, y in result.onnx.items()}}.items():
                assert given.shape == expected.shape, (case.text, way, given.shape, expected.shape)
                assert given.dtype.kind == expected.dtype.kind, (case.text, way)
                np.testing.assert_allclose(
                    given.astype(float),
                    expected.astype(float),
                    rtol=2e-5,
                    atol=2e-6 * scale,
                    err_msg=f"{case.text} {way} {free}",
                )


@pytest.mark.parametrize("name", [name for name in ALL if name not in NO_GRADIENT])
def test_gradients_are_those_of_finite_differences(name: str) -> None:
    for number in range(CASES):
        rng = seed_of(name, number)
        case = ALL[name].draw(rng)
        for given, expected in gradient_errors(case, rng).values():
            assert given == pytest.approx(expected, rel=2e-3, abs=2e-3), case.text
