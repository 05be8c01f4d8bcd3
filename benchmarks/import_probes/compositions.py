"""Models made of models: nesting, sharing, names, structures of inputs and outputs, precisions."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers as L  # noqa: N812

from benchmarks.import_probes.probe import probe

__all__: list[str] = []


def _tower(name: str, inner: Any = None, size: int = 4) -> Any:
    x = keras.Input((4,), name=f"{name}_in")
    y = inner(x) if inner is not None else x
    return keras.Model(x, L.Dense(size, name="d")(y), name=name)


@probe()
def nested_three_levels() -> Any:
    return _tower("a", _tower("b", _tower("c")))


@probe()
def nested_three_levels_of_one_name() -> Any:
    return _tower("m", _tower("m", _tower("m")))


@probe()
def siblings_of_one_name_on_two_levels() -> Any:
    x = keras.Input((4,))
    y = L.Dense(4, name="enc")(x)
    sub = keras.Sequential([keras.Input((4,)), _tower("enc"), L.Dense(3, name="dec")], name="sub")
    return keras.Model(x, L.Dense(2, name="sub_1")(sub(y)), name="enc")


@probe()
def names_that_networks_and_steps_both_want() -> Any:
    x = keras.Input((4,), name="model_1")
    y = _tower("layers")(L.Dense(4, name="model")(x))
    y = _tower("main")(L.Dense(4, name="main_1")(y))
    y = _tower("name")(L.Dense(4, name="main_network")(y))
    return keras.Model(x, L.Dense(3, name="from")(y), name="repeat")


@probe()
def names_with_spaces_slashes_unicode_capitals() -> Any:
    x = keras.Input((4,), name="Eingabe größe")
    y = L.Dense(4, name="Schicht Ä 1")(x)
    y = L.Dense(4, name="schicht_ä_1")(y)
    y = L.Dense(4, name="UPPER-case.dot")(y)
    y = L.Dense(4, name="1 starts with a digit")(y)
    y = _tower("Tower Of Babel")(_tower("tower of babel")(y))
    return keras.Model(x, L.Dense(2, name="日本語")(y), name="Mein Modell №5")


@probe()
def names_that_need_counting() -> Any:
    x = keras.Input((4,), name="x y")
    y = L.Dense(4, name="x_y")(x)
    y = L.Dense(4, name="x-y")(y)
    shared = L.Dense(4, name="dense")
    y = L.Dense(4, name="dense_1")(shared(shared(shared(y))))
    return keras.Model(x, L.Dense(4, name="dense_2")(y))


@probe()
def model_used_thrice() -> Any:
    tower = _tower("tower")
    a, b, c = (keras.Input((4,), name=n) for n in "abc")
    return keras.Model([a, b, c], [L.Add()([tower(a), tower(b)]), tower(c)])


@probe()
def same_model_inside_two_models() -> Any:
    shared = _tower("shared")
    x = keras.Input((4,))
    return keras.Model(x, L.Add()([_tower("p", shared)(x), _tower("q", shared)(x)]))


@probe()
def same_layer_inside_and_outside_a_model() -> Any:
    shared = L.Dense(4, name="both")
    inner = keras.Sequential([keras.Input((4,)), shared], name="inner")
    x = keras.Input((4,))
    return keras.Model(x, inner(L.ReLU()(shared(x))))


@probe()
def shared_layers_of_several_outputs() -> Any:
    x = keras.Input((5, 4))
    lstm = L.LSTM(3, return_sequences=True, return_state=True)
    a, h, c = lstm(x)
    b, *_ = lstm(x, initial_state=[h, c])
    return keras.Model(x, [a, b, h])


@probe()
def inputs_as_mapping() -> Any:
    inputs = {"zeta": keras.Input((4,), name="zeta"), "alpha": keras.Input((3,), name="alpha")}
    return keras.Model(inputs, L.Concatenate()([inputs["zeta"], inputs["alpha"]]))


@probe()
def inputs_as_mapping_of_other_names() -> Any:
    inputs = {"zeta": keras.Input((4,), name="one"), "alpha": keras.Input((3,), name="two")}
    return keras.Model(inputs, L.Dense(2)(L.Concatenate()([inputs["zeta"], inputs["alpha"]])))


@probe()
def nested_model_called_with_a_mapping() -> Any:
    inputs = {"zeta": keras.Input((4,), name="one"), "alpha": keras.Input((3,), name="two")}
    inner = keras.Model(inputs, L.Dense(2)(L.Concatenate()([inputs["zeta"], inputs["alpha"]])), name="inner")
    a, b = keras.Input((3,)), keras.Input((4,))
    return keras.Model([a, b], inner({"alpha": a, "zeta": b}))


@probe()
def nested_model_called_by_input_names() -> Any:
    p, q = keras.Input((4,), name="p"), keras.Input((4,), name="q")
    inner = keras.Model([p, q], L.Subtract()([p, q]), name="inner")
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    return keras.Model([a, b], inner([b, a]))


@probe()
def outputs_as_mapping() -> Any:
    x = keras.Input((4,))
    return keras.Model(x, {"b out": L.Dense(2)(x), "a": L.Dense(3)(x), "x": L.ReLU()(x)})


@probe()
def inputs_and_outputs_nested() -> Any:
    a, b, c = (keras.Input((4,), name=n) for n in ("one", "two", "three"))
    y = L.Add()([a, L.Multiply()([b, c])])
    return keras.Model({"p": [a, b], "q": {"r": c}}, {"s": [L.Dense(2)(y), y], "t": c})


@probe()
def output_twice_and_input_as_output() -> Any:
    x = keras.Input((4,), name="x")
    y = L.Dense(3, name="y")(x)
    return keras.Model(x, [y, y, x])


@probe()
def one_model_with_two_outputs_used_twice() -> Any:
    x = keras.Input((4,))
    two = keras.Model(x, [L.Dense(3, name="u")(x), L.Dense(4, name="v")(x)], name="two")
    a = keras.Input((4,))
    p, q = two(a)
    r, s = two(q)
    return keras.Model(a, [p, r, s])


@probe()
def model_with_mapping_outputs_inside() -> Any:
    x = keras.Input((4,))
    two = keras.Model(x, {"v": L.Dense(3, name="u")(x), "u": L.Dense(4, name="v")(x)}, name="two")
    a = keras.Input((4,))
    out = two(a)
    return keras.Model(a, [out["u"], out["v"]])


@probe()
def sequential_without_input_built_by_data() -> Any:
    model = keras.Sequential([L.Dense(4, activation="relu"), L.Dense(2)])
    model(keras.ops.zeros((2, 6)))
    return model


@probe()
def sequential_of_sequentials() -> Any:
    inner = keras.Sequential([L.Dense(4), L.BatchNormalization()], name="block")
    other = keras.Sequential([L.Dense(4), L.BatchNormalization()], name="block2")
    return keras.Sequential([keras.Input((6,)), inner, other, L.Dense(2)])


@probe()
def sequential_with_functional_first() -> Any:
    return keras.Sequential([_tower("first"), L.Dense(2)])


@probe()
def unused_branch_of_an_inner_model() -> Any:
    x = keras.Input((4,), name="x")
    body = L.Dense(4, name="body")(x)
    whole = keras.Model(x, [L.Dense(3, name="p")(body), L.Dense(3, name="q")(body)])
    return keras.Model(whole.inputs, whole.get_layer("q").output)


@probe()
def untrainable_parts() -> Any:
    inner = _tower("frozen")
    inner.trainable = False
    x = keras.Input((4,))
    bn = L.BatchNormalization()
    bn.trainable = False
    return keras.Model(x, bn(inner(x, training=False)))


@probe()
def layers_of_mixed_precision() -> Any:
    x = keras.Input((4,))
    return keras.Model(x, L.Dense(2, dtype="float32")(L.Dense(3, dtype="mixed_float16")(x)))


@probe()
def layers_of_double_precision() -> Any:
    x = keras.Input((4,), dtype="float64")
    return keras.Model(x, L.Dense(2, dtype="float64")(x))


@probe()
def policy_as_object() -> Any:
    x = keras.Input((4,))
    return keras.Model(x, L.Dense(2, dtype=keras.DTypePolicy("mixed_bfloat16"))(x))


@probe()
def free_sizes() -> Any:
    x = keras.Input((None, None, 3))
    return keras.Model(x, L.GlobalAveragePooling2D()(L.Conv2D(4, 3, padding="same")(x)))


@probe()
def fixed_batch() -> Any:
    x = keras.Input((4,), batch_size=3)
    return keras.Model(x, L.Dense(2)(x))


@probe()
def scalar_input() -> Any:
    x = keras.Input(())
    return keras.Model(x, L.Dense(2)(L.Reshape((1,))(x)))


@probe()
def only_an_input() -> Any:
    x = keras.Input((4,), name="x")
    return keras.Model(x, x)


@probe()
def sequential_of_identity_alone() -> Any:
    return keras.Sequential([keras.Input((4,)), L.Identity()])


@probe()
def nested_identity_model() -> Any:
    x = keras.Input((4,), name="x")
    same = keras.Model(x, x, name="same")
    a = keras.Input((4,), name="a")
    return keras.Model(a, L.Dense(2)(same(a)))


@probe()
def inner_model_ignores_an_input() -> Any:
    p, q = keras.Input((4,), name="p"), keras.Input((4,), name="q")
    inner = keras.Model([p, q], L.Dense(2)(p), name="inner")
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    return keras.Model([a, b], inner([a, b]))


@probe()
def outer_model_ignores_an_input() -> Any:
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    return keras.Model([a, b], L.Dense(2)(b))


@probe()
def transfer_learning() -> Any:
    base = keras.Sequential([keras.Input((12, 12, 3)), L.Conv2D(4, 3), L.BatchNormalization(), L.ReLU()], name="base")
    base.trainable = False
    x = keras.Input((12, 12, 3))
    y = L.RandomFlip("horizontal")(x)
    y = base(L.Rescaling(1 / 127.5, -1)(y), training=False)
    return keras.Model(x, L.Dense(2, activation="softmax")(L.Dropout(0.2)(L.GlobalAveragePooling2D()(y))))
