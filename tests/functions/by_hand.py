"""Expressions of tensors that are given by hand: their types, their values in NumPy, and their errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from nnspec.expressions.syntax import ExpressionError
from nnspec.functions.evaluation import NumpyRun
from nnspec.functions.terms import Term
from nnspec.functions.typing import Typing, input_term
from nnspec.types import Dim, symbol


def typing_of(**shapes: tuple[int | str, ...]) -> Typing:
    """Float tensors by name, with the shape of one example; a size may be a symbol."""
    sizes: dict[str, tuple[int | Dim, ...]] = {
        name: tuple(symbol(size) if isinstance(size, str) else size for size in shape) for name, shape in shapes.items()
    }
    return Typing({name: input_term(name, shape, "float32") for name, shape in sizes.items()})


def type_of(text: str, **shapes: tuple[int | str, ...]) -> Term:
    """The term of an expression."""
    return typing_of(**shapes).result(text)


def shape_of(text: str, **shapes: tuple[int | str, ...]) -> str:
    """The shape of one example."""
    return str(type_of(text, **shapes))


def value_of(text: str, **arrays: Any) -> NDArray[Any]:
    """The value of an expression of arrays, which have a batch axis."""
    given = {name: np.asarray(array) for name, array in arrays.items()}
    names: dict[str, Any] = {name: input_term(name, array.shape[1:], str(array.dtype)) for name, array in given.items()}
    return NumpyRun(given)(Typing(names).result(text))[0]


def error_of(text: str, **shapes: tuple[int | str, ...]) -> tuple[str, str]:
    """The message and the help of the error in an expression."""
    with pytest.raises(ExpressionError) as caught:
        type_of(text, **shapes)
    return str(caught.value), caught.value.help
