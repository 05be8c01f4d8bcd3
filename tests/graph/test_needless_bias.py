"""NN241: a bias is called needless exactly where the network computes the same without it."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from nnspec.api import to_keras

CASES = Path(__file__).parent.parent / "cases"
VECTOR = "nnspec: 1\nname: net\ninputs: {x: [4]}\nlayers:\n"
IMAGE = "nnspec: 1\nname: net\ninputs: {x: [4, 4, 4]}\nlayers:\n"
STEPS = "nnspec: 1\nname: net\ninputs: {x: [5, 4]}\nlayers:\n"


def warned(checked, text):
    model, problems = checked(text)
    assert model is not None, problems
    return model, [p for p in problems if p.code == "NN241"]


def test_layer_normalization_keeps_what_the_biases_differ_by(checked):
    assert not warned(checked, (CASES / "layers" / "nn241.nnspec.yaml").read_text())[1]


def _output(built, x):
    [output] = built({"x": x}, training=True).values()
    return keras.ops.convert_to_numpy(output)


@pytest.mark.parametrize(
    ("text", "needless"),
    [
        (VECTOR + "  - Dense: {units: 4}\n  - BatchNormalization\n", True),
        (VECTOR + "  - Dense: {units: 4}\n  - BatchNormalization: {center: false, scale: false}\n", True),
        (STEPS + "  - Dense: {units: 4}\n  - BatchNormalization\n", True),
        (STEPS + "  - Dense: {units: 4}\n  - BatchNormalization: {axis: 1}\n", False),
        (STEPS + "  - Dense: {units: 1}\n  - BatchNormalization: {axis: 1}\n", True),
        (IMAGE + "  - Conv2D: {filters: 4, kernel_size: 3}\n  - BatchNormalization\n", True),
        (IMAGE + "  - Conv2DTranspose: {filters: 4, kernel_size: 3}\n  - BatchNormalization\n", True),
        (VECTOR + "  - Dense: {units: 4}\n  - LayerNormalization: {center: false}\n", False),
        (STEPS + "  - Dense: {units: 4}\n  - LayerNormalization: {axis: 1}\n", True),
        (STEPS + "  - Dense: {units: 4}\n  - LayerNormalization: {axis: [1, 2]}\n", False),
        (IMAGE + "  - Conv2D: {filters: 4, kernel_size: 3}\n  - LayerNormalization: {axis: [1, 2]}\n", True),
        (IMAGE + "  - Conv2D: {filters: 4, kernel_size: 3}\n  - GroupNormalization: {groups: 2}\n", False),
        (IMAGE + "  - Conv2D: {filters: 4, kernel_size: 3}\n  - GroupNormalization: {groups: 4}\n", True),
        (IMAGE + "  - Conv2D: {filters: 4, kernel_size: 3}\n  - GroupNormalization: {groups: -1}\n", True),
        (IMAGE + "  - Conv2D: {filters: 4, kernel_size: 3}\n  - GroupNormalization: {groups: -1, axis: 1}\n", False),
        (VECTOR + "  - Dense: {units: 4}\n  - RMSNormalization\n", False),
        (VECTOR + "  - Dense: {units: 4}\n  - UnitNormalization\n", False),
        (VECTOR + "  - Dense: {units: 4, activation: relu}\n  - BatchNormalization\n", False),
        (VECTOR + "  - Dense: {units: 4}\n  - ReLU\n  - BatchNormalization\n", False),
        (STEPS + "  - SimpleRNN: {units: 4, activation: linear, return_sequences: true}\n  - BatchNormalization\n", False),
    ],
)
def test_the_warning_agrees_with_what_is_computed(checked, text, needless):
    model, problems = warned(checked, text)
    assert bool(problems) is needless
    built = to_keras(model.main, seed=1)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(6, *built.inputs[0].shape[1:])).astype("float32")
    before = _output(built, x)
    [bias] = [v for v in built.trainable_variables if v.name == "bias"]
    bias.assign(rng.normal(size=bias.shape))
    after = _output(built, x)
    assert bool(np.allclose(before, after, atol=2e-3)) is needless


@pytest.mark.parametrize(
    "text",
    [
        # Read by something else, too.
        VECTOR + "  - Dense: {units: 4}\n  - BatchNormalization\n  - Add:\n    from: [dense, batch_normalization]\n",
        # Used once more, without a normalization.
        VECTOR + "  - Dense: {units: 4}\n  - BatchNormalization\n  - share: dense\n",
        # Frozen statistics subtract the same mean whatever the bias is.
        VECTOR + "  - Dense: {units: 4}\n  - BatchNormalization:\n    freeze: true\n",
        # What it gives is penalized.
        VECTOR + "  - Dense: {units: 4, activity_regularizer: L2}\n  - BatchNormalization\n",
    ],
)
def test_a_bias_that_something_else_depends_on_is_not_needless(checked, text):
    assert not warned(checked, text)[1]


def test_a_shared_layer_whose_every_use_is_normalized_has_a_needless_bias(checked):
    text = VECTOR + "  - Dense: {units: 4}\n  - BatchNormalization\n  - share: dense\n  - BatchNormalization\n"
    assert warned(checked, text)[1]
