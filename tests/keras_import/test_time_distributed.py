"""``TimeDistributed`` of a Keras model: a network that is applied at every time step."""

from __future__ import annotations

from typing import Any

import keras
import pytest
from keras import layers as L  # noqa: N812

from nnspec.diagnostics import SpecError
from nnspec.keras_import import from_keras, import_file

from .test_models import said_of, shown_equal, written

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def frame() -> keras.Model:
    x = keras.Input((8, 8, 2), name="image")
    y = L.BatchNormalization()(L.Conv2D(3, 3, activation="relu", name="edges")(x))
    return keras.Model(x, L.GlobalAveragePooling2D()(y), name="frame")


def over(shape: tuple[int | None, ...], inner: Any) -> keras.Model:
    x = keras.Input(shape, name="x")
    return keras.Model(x, L.GRU(3, name="read")(L.TimeDistributed(inner, name="each")(x)))


def test_a_functional_model_is_a_network_at_every_step(tmp_path) -> None:
    model = over((5, 8, 8, 2), frame())
    assert "- TimeDistributed: frame\n    name: each\n" in written(model)
    shown_equal(model, tmp_path, x=(5, 8, 8, 2))


def test_a_sequential_model_of_models_is_a_network_at_every_step(tmp_path) -> None:
    inner = keras.Sequential([keras.Input((8, 8, 2)), frame(), L.Dense(4, activation=L.LeakyReLU(0.2))], name="inner")
    shown_equal(over((5, 8, 8, 2), inner), tmp_path, x=(5, 8, 8, 2))


def test_one_model_at_every_step_and_on_its_own_is_one_network(tmp_path) -> None:
    inner = frame()
    x, y = keras.Input((5, 8, 8, 2), name="x"), keras.Input((8, 8, 2), name="y")
    each = [L.TimeDistributed(inner)(x), L.TimeDistributed(inner)(x)]
    model = keras.Model([x, y], L.Dot((2, 1))([L.Add()(each), inner(y)]))
    shown_equal(model, tmp_path, x=(5, 8, 8, 2), y=(8, 8, 2))
    model.save(tmp_path / "model.keras")
    assert import_file(tmp_path / "model.keras").text().count("Conv2D") == 1


def test_a_mask_of_steps_that_a_layer_of_the_model_reads_is_refused() -> None:
    x, tokens = keras.Input((5, 4, 3), name="x"), keras.Input((5,), dtype="int32", name="tokens")
    letters = keras.Input((4, 3))
    inner = keras.Model(letters, L.Multiply(name="square")([letters, letters]), name="word")
    mask = L.Embedding(9, 3, mask_zero=True).compute_mask(tokens)
    assert any("NN606" in reported for reported in said_of(keras.Model([x, tokens], L.TimeDistributed(inner)(x, mask=mask))))


def test_a_mask_that_the_model_makes_for_itself_is_not_passed_on_in_keras() -> None:
    inner = keras.Sequential([keras.Input((6,), dtype="int32"), L.Embedding(9, 3, mask_zero=True, name="letters")], name="word")
    x = keras.Input((5, 6), dtype="int32", name="x")
    pooled = L.TimeDistributed(L.GRU(2), name="pool")(L.TimeDistributed(inner, name="each")(x))
    assert any(reported.startswith("NN606 `pool`") for reported in said_of(keras.Model(x, pooled)))


@pytest.mark.parametrize(
    ("inner", "reason"),
    [
        (L.Lambda(lambda x: x * 2, name="double"), "for its layer `double` (Lambda), its function"),
        (L.TimeDistributed(keras.Sequential([keras.Input((2,)), L.Dense(2)], name="deep")), "it wraps a model, `deep`"),
    ],
)
def test_what_cannot_be_applied_at_every_step_is_named(inner: keras.Layer, reason: str) -> None:
    x = keras.Input((5, 3, 2))
    [reported] = said_of(keras.Model(x, L.TimeDistributed(inner)(x)))
    assert reason in reported


def test_an_input_layer_of_a_custom_class_is_named_with_the_fix() -> None:
    class Mine(L.InputLayer):
        pass

    given = Mine(shape=(4,), name="mine")
    model = keras.Model(given.output, L.Dense(2)(given.output))
    with pytest.raises(SpecError) as raised:
        from_keras(model)
    [problem] = raised.value.diagnostics
    assert problem.message == "`mine` (Mine) has no equivalent: it is an input layer of a custom class"
    assert problem.help == "use `keras.Input`, and save the model again"
