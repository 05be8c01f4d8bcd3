"""Operations of ``keras.ops`` as `Compute` steps."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers as L  # noqa: N812
from keras import ops

from nnspec import from_keras
from nnspec.diagnostics import SpecError


def steps_of(compute: Any, **inputs: Any) -> list[str]:
    """The lines of the steps of a model with the inputs `x`, of shape (5, 4), and those given."""
    given = [
        keras.Input((5, 4), name="image"),
        *(keras.Input(shape, **more, name=name) for name, (shape, more) in inputs.items()),
    ]
    keras.backend.clear_session()
    text = from_keras(keras.Model(given, compute(*given))).text()
    return text.partition("layers:\n")[2].partition("outputs:")[0].splitlines()


def said_of(compute: Any, **inputs: Any) -> str:
    with pytest.raises(SpecError) as raised:
        steps_of(compute, **inputs)
    return "\n".join(f"{d.code} {d.message} [{d.help}]" for d in raised.value.diagnostics)


def test_an_operation_on_the_previous_step_reads_x():
    assert steps_of(lambda x: ops.cumsum(L.Dense(4)(x), axis=1))[-2] == "  - Compute: cumsum(x, axis=1)"


def test_an_operation_on_several_tensors_reads_them_by_name():
    assert "  - Compute: where(greater, image, other)" in steps_of(lambda x, y: ops.where(x > y, x, y), other=((5, 4), {}))


def test_integers_are_cast_where_keras_promotes_them():
    text = steps_of(lambda x, t: x * ops.expand_dims(t, -1), tokens=((5,), {"dtype": "int32"}))
    assert "  - Compute: image * cast(expand_dims, 'float32')" in text


def test_a_small_constant_is_written_in_the_axes_of_an_example():
    assert steps_of(lambda x: x + np.array([1, 2, 3, 4], "float32")) == [
        "  - Compute: x + [[1.0, 2.0, 3.0, 4.0]]",
        "    name: add",
    ]


def test_a_large_constant_is_a_frozen_parameter_with_its_value():
    x = keras.Input((5, 4), name="image")
    table = np.arange(20, dtype="float32").reshape(5, 4)
    imported = from_keras(keras.Model(x, ops.add(x, table)))
    [(name, array)] = imported.weights.items()
    assert np.array_equal(array, table) and "freeze: true" in imported.text() and name.endswith("_value/value")


def test_several_results_are_named_outputs():
    assert steps_of(lambda x: ops.split(x, [2], axis=1))[:3] == [
        "  - Compute:",
        "      part_0: x[:, :2]",
        "      part_1: x[:, 2:]",
    ]


@pytest.mark.parametrize(
    ("compute", "reason"),
    [
        (lambda x: ops.mean(x, axis=0), "0 is the batch axis"),
        (ops.max, "it covers all axes, including the batch axis"),
        (lambda x: ops.tile(x, (2, 1, 1)), "it repeats the batch axis"),
        (lambda x: ops.transpose(x, (1, 0, 2)), "it moves the batch axis"),
        (lambda x: ops.cumprod(x, axis=1), "neither a layer nor a function computes `keras.ops.cumprod`"),
    ],
)
def test_what_touches_the_batch_axis_or_has_no_function_is_refused_with_the_reason(compute, reason):
    assert reason in said_of(compute)


def test_a_large_constant_without_a_file_of_weights_is_refused(tmp_path):
    x = keras.Input((5, 4), name="image")
    model = keras.Model(x, ops.add(x, np.arange(20, dtype="float32").reshape(5, 4)))
    (tmp_path / "m.json").write_text(model.to_json())
    with pytest.raises(SpecError) as raised:
        from_keras(tmp_path / "m.json")
    assert "a constant of 20 numbers needs a file of weights" in raised.value.diagnostics[0].message
