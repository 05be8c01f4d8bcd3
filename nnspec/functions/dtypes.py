"""The argument `dtype` of functions."""

from __future__ import annotations

from dataclasses import replace

from nnspec.functions.base import Call, Function, parameters
from nnspec.functions.elementwise import CAST
from nnspec.functions.terms import Term


def with_dtype(function: Function) -> Function:
    """Return a function that also takes the dtype of its result."""

    def rule(call: Call) -> Term:
        result = function.rule(call)
        assert isinstance(result, Term)
        if call["dtype"] is None:
            return result
        found = CAST.rule(replace(call, function=CAST, arguments={"x": result, "dtype": call["dtype"]}, shown=function.name))
        assert isinstance(found, Term)
        return found

    return replace(function, parameters=(*function.parameters, *parameters("dtype: text = None")), rule=rule)
