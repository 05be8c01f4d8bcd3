"""The catalogue against Keras's own: names, arguments, defaults, spellings."""

from __future__ import annotations

import inspect
from typing import Any, get_args

import keras
import pytest

from nnspec.layers import LAYERS, snake_name
from nnspec.layers.families import CONSTRAINTS, INITIALIZERS, REGULARIZERS
from nnspec.types import Config, Family
from nnspec.types.activation_names import ActivationName

NAMED_THINGS = [(INITIALIZERS, keras.initializers), (REGULARIZERS, keras.regularizers), (CONSTRAINTS, keras.constraints)]
EVERY_CLASS = [(LAYERS, keras.layers), *NAMED_THINGS]

each_class = pytest.mark.parametrize(
    ("family", "name", "theirs"), [(family, name, module) for family, module in EVERY_CLASS for name in family.names()]
)


OURS = {
    "AnchorBoxes",
    "ClipBoxes",
    "Compute",
    "DecodeBoxes",
    "EncodeBoxes",
    "MatchBoxes",
    "MaxPoolingWithIndices2D",
    "MaxUnpooling2D",
    "Mean",
    "NonMaxSuppression",
    "Parameter",
    "PositionEmbedding",
    "RoIAlign",
    "RoIPooling",
    "SampleProposals",
    "Sampling",
    "SinusoidalPositionEncoding",
    "Slice",
    "Sum",
}
"""Layers that Keras has not."""


def test_every_other_layer_is_one_of_keras() -> None:
    assert {name for name in LAYERS.names() if not hasattr(keras.layers, name)} == OURS


def parameters(theirs: Any) -> dict[str, Any]:
    """Keras's arguments and defaults; those of the classes above, where it hands them on."""
    found = {
        name: parameter.default
        for name, parameter in inspect.signature(theirs.__init__).parameters.items()
        if name != "self" and parameter.kind is parameter.POSITIONAL_OR_KEYWORD
    }
    recurrent = issubclass(theirs, (keras.layers.SimpleRNN, keras.layers.LSTM, keras.layers.GRU))
    return found | ({"zero_output_for_mask": False} if recurrent else {})


def default(config: type[Config], name: str) -> Any:
    """Our default as it is written."""
    return config.model_fields[name].get_default(call_default_factory=True)


@each_class
def test_arguments_and_defaults_are_those_of_keras(family: Family, name: str, theirs: Any) -> None:
    config = family.get(name)
    if name in OURS:
        return
    expected = {k: v for k, v in parameters(getattr(theirs, name)).items() if k not in config.unsupported}
    assert set(config.model_fields) - getattr(config, "beyond_keras", set()) == set(expected)
    for argument, value in expected.items():
        info = config.model_fields[argument]
        if value is inspect.Parameter.empty:
            assert info.is_required(), argument
            continue
        ours = default(config, argument)
        assert ours == (one_for_all(value) if not isinstance(ours, tuple) else value), argument


def one_for_all(value: Any) -> Any:
    """A number for each axis as the one number, where they are all the same."""
    while isinstance(value, tuple) and len(set(value)) == 1:
        value = value[0]
    return value


@each_class
def test_an_unsupported_argument_says_what_to_do(family: Family, name: str, theirs: Any) -> None:
    del theirs
    for argument, reason in family.get(name).unsupported.items():
        assert argument not in family.get(name).model_fields
        assert len(reason) > 20


@each_class
def test_a_class_documents_itself_and_each_argument(family: Family, name: str, theirs: Any) -> None:
    del theirs
    config = family.get(name)
    assert config.__doc__
    assert all(info.description for info in config.model_fields.values())


@pytest.mark.parametrize(("family", "theirs"), NAMED_THINGS, ids=lambda x: getattr(x, "kind", ""))
def test_keras_has_no_other_initializers_regularizers_and_constraints(family: Family, theirs: Any) -> None:
    base = getattr(theirs, family.kind.capitalize())
    classes = {thing.__name__ for thing in vars(theirs).values() if inspect.isclass(thing) and issubclass(thing, base)}
    assert classes - {base.__name__} == set(family.names())


@pytest.mark.parametrize(("family", "theirs"), NAMED_THINGS, ids=lambda x: getattr(x, "kind", ""))
def test_spellings_stand_for_what_keras_takes_them_for(family: Family, theirs: Any) -> None:
    for spelling, name in dict(family.spellings).items():
        if spelling == "l1l2":  # Keras writes l1_l2; this is what people write.
            continue
        found = getattr(theirs, spelling, None) or type(theirs.get(spelling))
        assert found.__name__ == name
        assert family.get(spelling).__name__ == name


def test_activations_are_those_of_keras_but_those_that_change_the_shape_or_need_arguments() -> None:
    from keras.src.activations import ALL_OBJECTS_DICT

    assert set(ALL_OBJECTS_DICT) - set(get_args(ActivationName)) == {"glu", "threshold"}
    assert set(get_args(ActivationName)) <= set(ALL_OBJECTS_DICT)


def test_an_alias_of_keras_is_the_layer_it_stands_for() -> None:
    for alias, name in dict(LAYERS.aliases).items():
        assert name in LAYERS.modules
        assert alias not in LAYERS
        if hasattr(keras.layers, alias):
            assert getattr(keras.layers, alias) is getattr(keras.layers, name)


def test_every_second_name_that_keras_has_for_a_layer_is_an_alias() -> None:
    second = {
        alias
        for alias, thing in vars(keras.layers).items()
        if inspect.isclass(thing) and thing.__name__ in LAYERS.modules and alias != thing.__name__
    }
    assert second <= set(LAYERS.aliases)


@pytest.mark.parametrize("op", [name for name in dir(keras.layers) if inspect.isclass(getattr(keras.layers, name))])
def test_a_step_without_a_name_is_called_as_keras_calls_it(op: str) -> None:
    from keras.src.utils.naming import to_snake_case

    theirs = to_snake_case(op).replace("p_re_lu", "prelu").replace("re_lu", "relu")
    assert snake_name(op) == theirs
