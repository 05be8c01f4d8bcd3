"""A layer's main argument alone: `MaxPooling2D: 3`."""

from __future__ import annotations

import pytest

from nnspec.layers import LAYERS

_ALL = sorted(LAYERS.names())
_NO_SHORTHAND = {"Bidirectional"}  # its layer needs arguments, and a mapping is read as the arguments of `Bidirectional`


@pytest.mark.parametrize("name", _ALL)
def test_a_layer_with_a_single_required_argument_takes_it_alone(name):
    config = LAYERS.get(name)
    required = [field for field, info in config.model_fields.items() if info.is_required()]
    if len(required) == 1 and name not in _NO_SHORTHAND:
        assert config.main_argument == required[0]
    if len(required) > 1:
        assert config.main_argument in (None, "height_factor")  # `RandomZoom: 0.2` zooms both axes


@pytest.mark.parametrize(
    ("written", "argument", "value"),
    [
        ("AveragePooling2D: 2", "pool_size", (2, 2)),
        ("MaxPooling2D: 3", "pool_size", (3, 3)),
        ("MaxPooling2D: [3, 2]", "pool_size", (3, 2)),
        ("LeakyReLU: 0.2", "negative_slope", 0.2),
        ("ReLU: 6", "max_value", 6),
        ("ELU: 0.5", "alpha", 0.5),
        ("ZeroPadding2D: 1", "padding", ((1, 1), (1, 1))),
        ("ZeroPadding2D: [1, 2]", "padding", ((1, 1), (2, 2))),
        ("Cropping2D: 1", "cropping", ((1, 1), (1, 1))),
        ("UpSampling2D: 2", "size", (2, 2)),
        ("Dense: 4", "units", 4),
        ("DepthwiseConv2D: 3", "kernel_size", (3, 3)),
        ("GroupNormalization: 3", "groups", 3),
        ("UnitNormalization: 1", "axis", 1),
        ("AutoContrast: [0, 1]", "value_range", (0, 1)),
        ("RandomZoom: 0.1", "height_factor", None),
    ],
)
def test_a_main_argument_is_written_alone(checked, written, argument, value):
    model, problems = checked(f"nnspec: 1\nname: net\ninputs: {{x: [8, 8, 3]}}\nlayers:\n  - {written}\n    name: y\n")
    assert not [d.message for d in problems if d.is_error]
    found = getattr(model.main.nodes["y"].layer, argument)
    assert value is None or found == value


@pytest.mark.parametrize("layer", ["LSTM", "GRU", "SimpleRNN"])
def test_a_recurrent_layer_takes_its_units_alone(checked, layer):
    text = f"nnspec: 1\nname: net\ninputs: {{x: [T, 3]}}\nlayers:\n  - {layer}: 4\n    name: y\n"
    model, problems = checked(text.replace("y\n", "y\n  - Dense: 2\n"))
    assert not problems
    assert model.main.nodes["y"].layer.units == 4


@pytest.mark.parametrize(
    ("written", "message", "help"),
    [
        ("Dropout: x", "`rate` of `Dropout` must be a number, not the string 'x'", "write a number"),
        ("Dense: relu", "`units` of `Dense` must be an integer, not the string 'relu'", "write `Dense: {activation: relu}`"),
        (
            "MaxPooling2D: same",
            "`pool_size` must be a positive integer or a list of 2",
            "write `MaxPooling2D: {padding: same}`",
        ),
        ("LeakyReLU: [1]", "`negative_slope` of `LeakyReLU` must be a number, not a list", "write `1`"),
        ("ZeroPadding2D: -1", "`padding` must be an integer P, or a list", ""),
        ("Conv2D: 3", "`Conv2D` must be a mapping, not 3", "write `Conv2D: {kernel_size: …, filters: …}`"),
    ],
)
def test_a_wrong_value_alone_names_the_argument(checked, written, message, help):
    _, problems = checked(f"nnspec: 1\nname: net\ninputs: {{x: [8, 8, 3]}}\nlayers:\n  - {written}\n")
    [found] = [d for d in problems if d.is_error]
    assert message in found.message
    assert help in found.help
