"""Facts that no other program says: multiply–accumulates, windows, symbolic sizes; and what the layers' arguments are."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from pydantic import ValidationError

from nnspec.layers import LAYERS
from nnspec.layers.base import EVERYTHING, Layer, Window
from nnspec.types import TensorType, symbol

T, H, W = symbol("T"), symbol("H"), symbol("W")


def layer(op: str, **arguments: Any) -> Layer:
    built = LAYERS.get(op)(**arguments)
    assert isinstance(built, Layer)
    return built


def macs(op: str, *shape: Any, **arguments: Any) -> str:
    return str(layer(op, **arguments).macs({"x": TensorType(shape)}))


@pytest.mark.parametrize(
    ("op", "shape", "arguments", "expected"),
    [
        # LeNet-5: every one of its layers, 416,520 in all.
        ("Conv2D", (28, 28, 1), {"filters": 6, "kernel_size": 5, "padding": "same"}, 28 * 28 * 6 * 25),
        ("Conv2D", (14, 14, 6), {"filters": 16, "kernel_size": 5}, 10 * 10 * 16 * 25 * 6),
        ("Dense", (400,), {"units": 120}, 400 * 120),
        ("Conv2D", (8, 8, 4), {"filters": 6, "kernel_size": [3, 1], "groups": 2, "strides": 2}, 3 * 4 * 6 * 3 * 2),
        ("Conv1D", (T, 4), {"filters": 6, "kernel_size": 3, "padding": "same"}, "72*T"),
        ("Conv1D", (T, 4), {"filters": 2, "kernel_size": 3}, "24*T - 48"),
        ("Dense", (T, 4), {"units": 3}, "12*T"),
        ("SimpleRNN", (10, 3), {"units": 5}, 10 * 5 * (3 + 5)),
        ("GRU", (10, 3), {"units": 5, "reset_after": False}, 10 * 3 * 5 * (3 + 5)),
        ("LSTM", (T, 3), {"units": 5, "use_bias": False}, f"{4 * 5 * 8}*T"),
        ("Bidirectional", (T, 3), {"layer": {"LSTM": {"units": 5}}}, f"{2 * 4 * 5 * 8}*T"),
        ("LSTM", (10, 3), {"units": 5, "peephole": True}, 10 * (4 * 5 * 8 + 3 * 5)),
        ("LSTM", (10, 3), {"units": 5, "coupled_gates": True}, 10 * 3 * 5 * 8),
        ("Conv3D", (4, 4, 4, 2), {"filters": 3, "kernel_size": 2}, 27 * 8 * 2 * 3),
        (
            "Conv2DTranspose",
            (7, 7, 128),
            {"filters": 64, "kernel_size": 5, "strides": 2, "padding": "same"},
            49 * 128 * 25 * 64,
        ),
        ("DepthwiseConv2D", (8, 8, 4), {"kernel_size": 3, "padding": "same", "depth_multiplier": 2}, 64 * 9 * 8),
        ("SeparableConv2D", (8, 8, 4), {"kernel_size": 3, "padding": "same", "filters": 6}, 64 * 9 * 4 + 64 * 4 * 6),
        ("TimeDistributed", (T, 4), {"layer": {"Dense": {"units": 3}}}, "12*T"),
        ("EinsumDense", (T, 4), {"equation": "abc,cde->abde", "output_shape": [None, 2, 3]}, "24*T"),
        ("EinsumDense", (5, 4), {"equation": "...bc,bd->...cd", "output_shape": [None, 3]}, 5 * 4 * 3),
        ("ReversibleEmbedding", (T, 4), {"input_dim": 9, "output_dim": 4, "reverse": True}, "36*T"),
        ("SpectralNormalization", (8, 8, 4), {"layer": {"Conv2D": {"filters": 2, "kernel_size": 3}}}, 36 * 2 * 9 * 4),
        ("Parameter", (T, 4), {"shape": [3]}, 0),
        ("MaxPooling2D", (8, 8, 4), {}, 0),
        ("BatchNormalization", (8, 8, 4), {}, 0),
    ],
)
def test_macs_are_counted_by_hand(op: str, shape: Any, arguments: dict[str, Any], expected: int | str) -> None:
    assert macs(op, *shape, **arguments) == str(expected)


@pytest.mark.parametrize(
    ("op", "shape", "arguments", "expected"),
    [
        ("Conv2D", (9, 9, 1), {"filters": 1, "kernel_size": [3, 5], "strides": 2}, Window((3, 5), (2, 2))),
        ("Conv1D", (9, 1), {"filters": 1, "kernel_size": 3, "dilation_rate": 4}, Window((9,), (1,))),
        ("MaxPooling2D", (9, 9, 1), {}, Window((2, 2), (2, 2))),
        (
            "Conv2DTranspose",
            (9, 9, 1),
            {"filters": 1, "kernel_size": 5, "strides": 2},
            Window((3, 3), (Fraction(1, 2), Fraction(1, 2)), (-2, -2)),
        ),
        ("UpSampling1D", (9, 1), {"size": 3}, Window((Fraction(5, 3),), (Fraction(1, 3),), (Fraction(-2, 3),))),
        (
            "UpSampling2D",
            (9, 9, 1),
            {"interpolation": "bilinear"},
            Window((Fraction(5, 2),) * 2, (Fraction(1, 2),) * 2, (-1, -1)),
        ),
        ("ZeroPadding1D", (9, 1), {"padding": [2, 0]}, Window((1,), (1,), (-2,))),
        ("Cropping1D", (9, 1), {"cropping": [2, 0]}, Window((1,), (1,), (2,))),
        ("TimeDistributed", (4, 9, 9, 1), {"layer": {"MaxPooling2D": {}}}, Window((1, 2, 2), (1, 2, 2))),
        ("AveragePooling1D", (9, 1), {"pool_size": 3, "strides": 1}, Window((3,), (1,))),
        ("GlobalMaxPooling2D", (9, 9, 1), {}, EVERYTHING),
        ("LSTM", (T, 3), {"units": 2}, EVERYTHING),
        ("Flatten", (9, 9, 1), {}, EVERYTHING),
        ("Dense", (9,), {"units": 2}, EVERYTHING),
        ("Dense", (T, 9), {"units": 2}, None),
        ("ReLU", (9, 9, 1), {}, None),
        ("BatchNormalization", (9, 9, 1), {}, None),
    ],
)
def test_window_is_what_an_output_sees(op: str, shape: Any, arguments: dict[str, Any], expected: Window | None) -> None:
    assert layer(op, **arguments).receptive_field({"x": TensorType(shape)}) == expected


@pytest.mark.parametrize(
    ("op", "shape", "arguments", "expected"),
    [
        ("Conv1D", (T, 3), {"filters": 2, "kernel_size": 3}, "(T - 2, 2)"),
        ("Conv1D", (T, 3), {"filters": 2, "kernel_size": 3, "strides": 2, "padding": "same"}, "((T + 1)//2, 2)"),
        ("Conv2D", (H, W, 3), {"filters": 2, "kernel_size": 3, "padding": 1, "strides": 2}, "((H + 1)//2, (W + 1)//2, 2)"),
        ("MaxPooling2D", (H, 6, 3), {}, "(H//2, 3, 3)"),
        ("Flatten", (T, 3, 2), {}, "(6*T,)"),
        ("Reshape", (T, 8), {"target_shape": [-1, 2, 2]}, "(2*T, 2, 2)"),
        ("Reshape", (T,), {"target_shape": [-1, 2]}, "(T//2, 2)"),
        ("Conv2DTranspose", (H, 4, 3), {"filters": 2, "kernel_size": 2, "strides": 2}, "(2*H, 8, 2)"),
        ("Conv1DTranspose", (T, 3), {"filters": 2, "kernel_size": 3, "strides": 2, "padding": 1}, "(2*T - 1, 2)"),
        ("Cropping1D", (T, 3), {"cropping": [1, 2]}, "(T - 3, 3)"),
        ("Slice", (T, 3), {"start": 1, "stop": -1, "step": 2}, "((T + 1)//2 - 1, 3)"),
        ("LSTM", (T, 3), {"units": 2, "return_sequences": True}, "(T, 2)"),
    ],
)
def test_symbols_are_carried(op: str, shape: Any, arguments: dict[str, Any], expected: str) -> None:
    assert str(layer(op, **arguments).infer({"x": TensorType(shape)})["output"]) == expected


def test_products_of_attention_are_counted() -> None:
    both = {"query": TensorType((T, 4)), "value": TensorType((6, 4))}
    assert str(layer("Attention").macs(both)) == "48*T"
    heads = layer("MultiHeadAttention", num_heads=2, key_dim=3)
    assert str(heads.macs({"query": TensorType((5, 4)), "value": TensorType((6, 4))})) == str(
        5 * 4 * 6 + 2 * 6 * 4 * 6 + 2 * 5 * 6 * 2 * 3 + 5 * 6 * 4
    )


def test_heads_of_a_group_project_their_key_and_value_once() -> None:
    heads = layer("GroupQueryAttention", head_dim=3, num_query_heads=4, num_key_value_heads=2)
    both = {"query": TensorType((5, 4)), "value": TensorType((6, 4))}
    assert heads.macs(both) == 2 * 5 * 4 * 12 + 2 * 6 * 4 * 6 + 2 * 5 * 6 * 12


def test_the_gates_of_an_lstm_are_counted() -> None:
    x = {"x": TensorType((T, 3))}
    sizes = {w.name: w.shape for w in layer("LSTM", units=5, peephole=True, coupled_gates=True).weights(x)}
    assert sizes == {"kernel": (3, 15), "recurrent_kernel": (5, 15), "bias": (15,), "peephole_kernel": (2, 5)}


def test_a_known_size_is_kept_where_merged_with_a_symbol() -> None:
    inputs = {"0": TensorType((T, 3)), "1": TensorType((8, 3))}
    assert str(layer("Add").infer(inputs)["output"]) == "(8, 3)"
    assert str(layer("Concatenate").infer(inputs)["output"]) == "(8, 6)"


def test_reshape_says_that_elements_stay_as_many() -> None:
    assert [tuple(map(str, p)) for p in layer("Reshape", target_shape=[-1, 2]).agreeing_sizes({"x": TensorType((T,))})] == [
        ("T", "2*(T//2)")
    ]


def test_merged_sizes_must_agree_pair_by_pair_but_those_that_are_repeated() -> None:
    inputs = {"0": TensorType((1, 3)), "1": TensorType((T, 3)), "2": TensorType((H, 1))}
    assert layer("Add").agreeing_sizes(inputs) == ((T, H),)


def test_tokens_choose_rows_of_a_table_and_positions_places_of_a_picture() -> None:
    tokens, pooled = TensorType((T,), "int32"), {"x": TensorType((H, W, 2)), "indices": TensorType((H, W, 2), "int32")}
    assert layer("Embedding", input_dim=9, output_dim=2).choices({"x": tokens}) == {"x": 9}
    assert layer("ReversibleEmbedding", input_dim=9, output_dim=2, reverse=True).choices({"x": TensorType((T, 2))}) == {}
    assert layer("MaxUnpooling2D", pool_size=1).choices(pooled) == {"indices": H * W}


def test_what_attention_does_along_time_depends_on_what_runs_along_it() -> None:
    x = TensorType((T, 4))
    inputs, alone = {"query": x, "value": x}, {"query": "tokens", "value": "tokens"}
    causal = layer("MultiHeadAttention", num_heads=2, key_dim=3, use_causal_mask=True)
    itself = causal.time_dependence(inputs, alone, {"query", "value"})
    assert (list(itself.keeps), itself.obstacle, itself.sees_ahead) == (["past_key", "past_value"], None, False)
    assert itself.keeps["past_key"].shape[1] == itself.keeps["past_value"].shape[1]
    memory = causal.time_dependence(inputs, {"query": "tokens", "value": "memory"}, {"query"})
    assert memory.obstacle is not None
    assert "two sequences" in memory.obstacle[0]
    assert layer("Attention").time_dependence(inputs, alone, {"query", "value"}).sees_ahead
    assert layer("Attention").time_dependence(inputs, alone, {"value"}).outputs == ()


@pytest.mark.parametrize("value", [True, "3", 3.0, 0, -1, None, [3]])
def test_a_size_is_a_positive_integer_and_nothing_that_looks_like_one(value: Any) -> None:
    with pytest.raises(ValidationError):
        layer("Dense", units=value)


@pytest.mark.parametrize("value", ["0.5", True, float("nan"), float("inf"), -0.1, 1.1])
def test_a_share_is_a_number_from_0_to_1(value: Any) -> None:
    with pytest.raises(ValidationError):
        layer("Dropout", rate=value)


@pytest.mark.parametrize("value", [1, 0, "true", "no"])
def test_a_switch_is_true_or_false(value: Any) -> None:
    with pytest.raises(ValidationError):
        layer("Dense", units=3, use_bias=value)


def test_an_integer_is_a_number() -> None:
    assert layer("Dropout", rate=0) == layer("Dropout", rate=0.0)


def test_sizes_are_one_for_all_axes_or_a_list() -> None:
    assert layer("Conv2D", filters=1, kernel_size=3) == layer("Conv2D", filters=1, kernel_size=[3, 3])
    assert layer("Conv1D", filters=1, kernel_size=3) == layer("Conv1D", filters=1, kernel_size=[3])


@pytest.mark.parametrize("value", [[3], [3, 3, 3], [3, 0], [3, True], 0, "3", {"height": 3}])
def test_sizes_that_are_not_one_for_each_axis_are_refused(value: Any) -> None:
    with pytest.raises(ValidationError, match="kernel_size"):
        layer("Conv2D", filters=1, kernel_size=value)


@pytest.mark.parametrize("value", ["SAME", "causal", -1, True, [1], [[1, 2, 3], 1], [[1, -1], 1], None, 1.0])
def test_padding_is_a_name_or_numbers(value: Any) -> None:
    with pytest.raises(ValidationError, match="`padding` must be `valid`, `same`"):
        layer("Conv2D", filters=1, kernel_size=3, padding=value)


def test_an_initializer_is_the_same_in_both_spellings() -> None:
    assert layer("Dense", units=1, kernel_initializer="he_normal") == layer(
        "Dense", units=1, kernel_initializer={"HeNormal": {}}
    )


def test_a_name_that_is_no_recurrent_layer_cannot_be_wrapped() -> None:
    with pytest.raises(ValidationError, match="unknown recurrent layer `Dense`"):
        layer("Bidirectional", layer={"Dense": {"units": 3}})
