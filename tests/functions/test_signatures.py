"""The arguments of functions are those of `keras.ops`, in its order, with its names and defaults."""

from __future__ import annotations

import inspect

import keras
import pytest

from nnspec.functions.catalogue import FUNCTIONS

_OWN = frozenset({"in_training", "mask", "mish", "random_bernoulli", "random_normal", "random_uniform"})
"""Functions that `keras.ops` does not have."""

_LACKS = {
    **{key: {"alpha"} for key in ("celu", "elu")},  # activations have no arguments, as in `activation: elu`
    **{key: {"threshold"} for key in ("hard_shrink", "soft_shrink")},
    "leaky_relu": {"negative_slope"},
    "gelu": {"approximate"},
    "squareplus": {"b"},
    **{key: {"dtype"} for key in ("cumsum", "prod")},  # sums have the type of their operand
    **{key: {"initial"} for key in ("max", "min")},  # of no elements, which no axis has
    "linspace": {"endpoint", "retstep", "dtype", "axis"},  # a constant of floats along one axis
    "normalize": {"epsilon"},
    "one_hot": {"sparse"},
    "round": {"decimals"},
    "top_k": {"sorted"},
}
"""Arguments of Keras that functions do not have, and why."""

_OTHER = {
    "arange": {"step": 1},  # of None, as Keras computes it
    "pad": {"constant_values": 0},
    "squeeze": {"axis": inspect.Parameter.empty},
    "where": {"x1": inspect.Parameter.empty, "x2": inspect.Parameter.empty},  # Keras's indices are ragged
}
"""Defaults that differ."""


@pytest.mark.parametrize("name", sorted(FUNCTIONS.keys() - _OWN - {"einsum"}))
def test_a_function_has_the_arguments_of_keras(name: str) -> None:
    wanted = []
    for each in inspect.signature(getattr(keras.ops, name)).parameters.values():
        other = _OTHER.get(name, {}).get(each.name, each.default)
        if each.name not in _LACKS.get(name, ()):
            wanted.append(("x" if name == "stop_gradient" else each.name, other))  # Keras's is `variable`
    found = []
    for each in FUNCTIONS[name].parameters:
        default = inspect.Parameter.empty if each.is_required else each.default
        is_batch = each.name == "axis" and each.is_required  # where Keras's default is axis 0 or all axes
        found.append((each.name, dict(wanted).get("axis") if is_batch else default))
        if is_batch:
            assert dict(wanted)["axis"] in (None, 0, inspect.Parameter.empty)
    assert found == wanted


def test_functions_that_keras_does_not_have_are_known() -> None:
    assert {name for name in FUNCTIONS if not hasattr(keras.ops, name)} == _OWN
