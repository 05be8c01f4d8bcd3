"""Expressions with results that are worked out by hand, and expressions that are errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray

from nnspec.expressions.syntax import ExpressionError
from nnspec.functions.base import Case
from nnspec.functions.terms import Term
from nnspec.functions.typing import Typing, input_term
from nnspec.types import TensorType, symbol
from tests.functions.four_ways import found

__all__ = ["check", "error_of", "floats", "term_of"]


def _array(value: ArrayLike) -> NDArray[Any]:
    array = np.asarray(value)
    return array.astype({"f": np.float32, "i": np.int32, "b": np.bool_}[array.dtype.kind])


def check(text: str, expected: ArrayLike, *, free: bool = False, **inputs: ArrayLike) -> None:
    """Assert that NumPy, Keras and ONNX Runtime compute a value; inputs have the batch axis."""
    result = found(Case(text, {name: _array(value) for name, value in inputs.items()}), free=free)
    wanted = _array(expected)
    for way, value in {"numpy": result.numpy, "keras": result.keras, **result.onnx}.items():
        assert value["y"].shape == wanted.shape, (way, value["y"])
        assert value["y"].dtype.kind == wanted.dtype.kind, (way, value["y"])
        np.testing.assert_allclose(value["y"].astype(float), wanted.astype(float), rtol=1e-5, atol=1e-6, err_msg=str(way))


def floats(*sizes: int | str) -> TensorType:
    """The type of a float tensor, with the shape of one example; a size may be a symbol."""
    return TensorType(tuple(symbol(size) if isinstance(size, str) else size for size in sizes), "float32")


def term_of(text: str, **types: TensorType) -> tuple[Term, Typing]:
    """The term of an expression, and what its types were found with; the mask of each input covers its first axis."""
    names = {name: input_term(name, type.shape, type.dtype, mask=1 if type.shape else None) for name, type in types.items()}
    typing = Typing({**names})
    return typing.result(text), typing


def error_of(text: str, **types: TensorType) -> str:
    """The message and the help of an expression that is an error."""
    types = types or {
        "x": TensorType((symbol("T"), 4), "float32"),
        "i": TensorType((3,), "int32"),
        "m": TensorType((5,), "bool"),
    }
    with pytest.raises(ExpressionError) as caught:
        term_of(text, **types)
    return f"{caught.value}; {caught.value.help}"
