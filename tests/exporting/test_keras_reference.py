from __future__ import annotations

import numpy as np
import pytest

from nnspec.exporting.keras_reference import keras_reference
from nnspec.keras_backend import to_keras
from nnspec.keras_backend.run import keras_run


def test_a_batch_of_one_is_added_as_in_any_other_batch(checked):
    model, _ = checked(
        "nnspec: 1\nname: net\ninputs: {a: [4, 1], b: [4, 4]}\nlayers:\n  - Add:\n    from: [a, b]\n    name: sum\n"
    )
    answer = keras_run(to_keras(model.main))
    a, b = np.arange(4, dtype=np.float32).reshape(1, 4, 1), np.arange(16, dtype=np.float32).reshape(1, 4, 4)
    assert answer({"a": a, "b": b})["sum"].tolist() == (a + b).tolist()


def test_layers_behind_one_that_changes_pictures_do_not_train(checked):
    model, _ = checked("nnspec: 1\nname: net\ninputs: {x: [2, 2, 1]}\nlayers:\n  - AutoContrast\n  - BatchNormalization\n")
    answer = keras_run(to_keras(model.main))
    picture = np.arange(4, dtype=np.float32).reshape(1, 2, 2, 1)
    # The moving averages are still 0 and 1, and the statistics of the batch are others.
    np.testing.assert_allclose(answer({"x": picture})["batch_normalization"], picture * 85 / np.sqrt(1.001), rtol=1e-4)


def test_the_rounding_of_a_saturated_sigmoid_counts_as_the_error_of_keras(checked):
    """Neither inputs nor weights off by one unit move a sigmoid of 30, but a sum of 1 and its rounding does."""
    spec = "nnspec: 1\nname: net\ninputs: {x: [4]}\nlayers:\n  - Activation: sigmoid\n  - Rescaling: {scale: 1000, offset: -1000}\n"
    model, _ = checked(spec)
    reference = keras_reference(model.main, {})
    x = {"x": np.full((1, 4), 30, np.float32)}
    assert reference.rounded is not None
    assert np.ptp([reference(x)["rescaling"]]) == 0
    assert np.ptp(reference.rounded()(x)["rescaling"]) > 1e-5


@pytest.mark.parametrize(
    "layer", ["Dense: {units: 1, use_bias: false, activation: sigmoid}", "LSTM: {units: 1, use_bias: false}"]
)
def test_the_last_bit_of_a_nearly_shut_gate_is_one_of_1(checked, layer):
    """ONNX Runtime computes a sigmoid of −10 as 1/2 plus an odd function, to the last bit of 1/2."""
    shape = "[1]" if layer.startswith("Dense") else "[1, 1]"
    model, _ = checked(f"nnspec: 1\nname: net\ninputs: {{x: {shape}}}\nlayers:\n  - {layer}\n    name: y\n")
    weights = {name: np.ones(weight.shape, np.float32) for name, weight, _ in model.main.weights()}
    reference = keras_reference(model.main, weights)
    x = {"x": np.full((8, 1, 1)[: 2 + layer.startswith("LSTM")], -10, np.float32)}
    assert reference.rounded is not None
    off = np.abs(reference.rounded()(x)["y"] - reference(x)["y"])
    assert 1e-12 < off.max() < 5e-7
    assert off.max() / np.abs(reference(x)["y"]).max() > 1e-4
    np.testing.assert_array_equal(keras_reference(model.main, weights)(x)["y"], reference(x)["y"])


def test_what_each_step_of_a_recurrence_rounds_adds_up(checked):
    """An output off by one unit in the last place says nothing of the states before it."""
    layer = "SimpleRNN: {units: 1, use_bias: false, activation: relu}"
    model, _ = checked(f"nnspec: 1\nname: net\ninputs: {{x: [50, 1]}}\nlayers:\n  - {layer}\n    name: y\n")
    weights = {name: np.ones(weight.shape, np.float32) for name, weight, _ in model.main.weights()}
    reference = keras_reference(model.main, weights)
    x = {"x": np.ones((4, 50, 1), np.float32)}
    assert reference.rounded is not None
    off = np.abs(reference.rounded()(x)["y"] / reference(x)["y"] - 1)
    assert off.max() > 4 * np.finfo(np.float32).eps


def test_a_swish_far_below_zero_is_0_and_not_perturbed(checked):
    model, _ = checked("nnspec: 1\nname: net\ninputs: {x: [1]}\nlayers:\n  - Activation: swish\n    name: y\n")
    reference = keras_reference(model.main, {})
    assert reference.rounded is not None
    assert reference.rounded()({"x": np.full((2, 1), -1e30, np.float32)})["y"].tolist() == [[0], [0]]
