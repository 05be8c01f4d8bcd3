"""What is reported where inputs do not fit: what came in, what was needed, and the fix."""

from __future__ import annotations

from typing import Any

import pytest

from nnspec.layers import LAYERS
from nnspec.layers.base import Layer, LayerError
from nnspec.types import TensorType, symbol, unknown

T = symbol("T")


def error(op: str, arguments: dict[str, Any], **inputs: TensorType) -> LayerError:
    built = LAYERS.get(op)(**arguments)
    ports = {port.removeprefix("_"): x for port, x in inputs.items()}
    assert isinstance(built, Layer)
    with pytest.raises(LayerError) as caught:
        _ = built.output_types(ports), built.weights(ports)
    assert caught.value.help, "every error says what to do"
    return caught.value


def x(*shape: Any, dtype: str = "float32", mask: Any = None) -> TensorType:
    return TensorType(shape, dtype, mask)


K3 = {"filters": 2, "kernel_size": 3}


@pytest.mark.parametrize(
    ("op", "arguments", "inputs", "message"),
    [
        ("Conv2D", K3, {"x": x(10)}, "Conv2D takes (height, width, channels), got (10,)"),
        ("Conv2D", K3, {"x": x(2, 9, 9, 3)}, "Conv2D takes (height, width, channels), got (2, 9, 9, 3)"),
        ("Conv2D", {**K3, "kernel_size": 5}, {"x": x(3, 3, 1)}, "a 5×5 kernel does not fit a 3×3 input"),
        ("Conv2D", {**K3, "kernel_size": 9, "padding": 1}, {"x": x(5, T, 1)}, "a 9×9 kernel does not fit a 5×T input, padded to 7×T + 2"),
        ("Conv1D", {**K3, "dilation_rate": 4}, {"x": x(8, 1)}, "a kernel of size 9 does not fit 8 positions"),
        ("MaxPooling2D", {"pool_size": 2}, {"x": x(1, 4, 3)}, "a 2×2 window does not fit a 1×4 input"),
        ("Conv2D", K3, {"x": x(9, 9, T)}, "Conv2D has weights along the last axis, so its size must be fixed, got (9, 9, T)"),
        ("Conv2D", K3, {"x": x(9, 9, unknown())}, "Conv2D has weights along the last axis, so its size must be fixed, got (9, 9, ?)"),
        ("Conv2D", K3, {"x": x(9, 9, 3, dtype="uint8")}, "Conv2D takes floats, got uint8"),
        ("Conv2D", {**K3, "groups": 2}, {"x": x(9, 9, 3)}, "3 input channels cannot be split into 2 groups"),
        ("Conv2D", {**K3, "groups": 3}, {"x": x(9, 9, 3)}, "2 filters cannot be split into 3 groups"),
        ("Conv2D", {**K3, "strides": 2, "dilation_rate": [1, 2]}, {"x": x(9, 9, 3)}, "strides [2, 2] and dilation_rate [1, 2] cannot both exceed 1"),
        ("AveragePooling1D", {"pool_size": 2, "padding": 2}, {"x": x(9, 3)}, "padding of 2 with a window of 2 creates windows that contain only padding"),
        ("AnchorBoxes", {"sizes": [8], "stride": 4}, {"x": x(9, 4)}, "AnchorBoxes takes (height, width, channels), got (9, 4)"),
        ("DecodeBoxes", {}, {"x": x(9, 5), "anchors": x(9, 4)}, "DecodeBoxes takes rows of 4 numbers, (rows, 4) or (rows, classes, 4), as `x`, got (9, 5)"),
        ("DecodeBoxes", {}, {"x": x(9, 4), "anchors": x(3, 3, 4)}, "DecodeBoxes takes rows of 4 numbers, (rows, 4), as `anchors`, got (3, 3, 4)"),
        ("DecodeBoxes", {}, {"x": x(9, 4), "anchors": x(8, 4)}, "`x` and `anchors` must have the same number of rows, got (9, 4) and (8, 4)"),
        ("NonMaxSuppression", {}, {"boxes": x(9, 4, 4), "scores": x(9, 3)}, "`boxes` and `scores` must have the same number of classes, got (9, 4, 4) and (9, 3)"),
        ("NonMaxSuppression", {}, {"boxes": x(9, 3, 4), "scores": x(9)}, "`boxes` and `scores` must have the same number of classes, got (9, 3, 4) and (9,)"),
        ("NonMaxSuppression", {}, {"boxes": x(9, 4), "scores": x(8, 3)}, "`boxes` and `scores` must have the same number of rows, got (9, 4) and (8, 3)"),
        ("NonMaxSuppression", {}, {"boxes": x(9, 4), "scores": x(9, T)}, "NonMaxSuppression needs a fixed number of classes, got scores (9, T)"),
        ("NonMaxSuppression", {}, {"boxes": x(9, 4), "scores": x(3, 3, 2)}, "NonMaxSuppression takes scores (rows, classes) or (rows), got (3, 3, 2)"),
        ("NonMaxSuppression", {}, {"boxes": x(9, 4), "scores": x(9, dtype="int32")}, "NonMaxSuppression takes floats, got int32"),
        ("RoIAlign", {"size": 7}, {"x": x(9, 9, 3), "boxes": x(4)}, "RoIAlign takes rows of 4 numbers, (rows, 4), as `boxes`, got (4,)"),
        ("MatchBoxes", {}, {"anchors": x(9, 4), "boxes": x(5, 4), "class": x(5)}, "MatchBoxes takes integers as `class`, got float32"),
        ("MatchBoxes", {}, {"anchors": x(9, 4), "boxes": x(5, 4), "class": x(6, dtype="int32")}, "`class` must have one integer for each row of `boxes`, got (6,) and (5, 4)"),
        ("Dense", {"units": 2}, {"x": x()}, "Dense takes at least one axis, got a scalar ()"),
        ("Dense", {"units": 2}, {"x": x(3, T)}, "Dense has weights along the last axis, so its size must be fixed, got (3, T)"),
        ("Dense", {"units": 2, "bias_initializer": "orthogonal"}, {"x": x(3)}, "`Orthogonal` initializes only arrays of two or more axes, but `bias` has the shape 2"),
        ("Dense", {"units": 2, "bias_constraint": {"MaxNorm": {"axis": 1}}}, {"x": x(3)}, "`MaxNorm` uses an axis that an array of 1 axes does not have, but `bias` has the shape 2"),
        ("Conv2D", {**K3, "kernel_regularizer": "OrthogonalRegularizer"}, {"x": x(9, 9, 3)}, "`OrthogonalRegularizer` penalizes only matrices, but `kernel` has the shape 3 × 3 × 3 × 2"),
        ("Dense", {"units": 2, "activity_regularizer": "orthogonal_regularizer"}, {"x": x(T, 3)}, "`OrthogonalRegularizer` penalizes only matrices, but the output is a batch of (T, 2)"),
        ("Embedding", {"input_dim": 3, "output_dim": 2}, {"x": x(T)}, "Embedding takes integers, got float32"),
        ("EinsumDense", {"equation": "abc,cd->abd", "output_shape": [None, 2]}, {"x": x(4)}, "the equation `abc,cd->abd` takes 3 axes, including the batch axis, got (batch, 4)"),
        ("EinsumDense", {"equation": "abc,cd->abd", "output_shape": 2}, {"x": x(T, 4)}, "the output of `abc,cd->abd` has 2 axes besides the batch axis, but `output_shape` has 1"),
        ("EinsumDense", {"equation": "abc,cd->abd", "output_shape": [5, None]}, {"x": x(5, 4)}, "the size of `d` in `abc,cd->abd` cannot be inferred from the input"),
        ("EinsumDense", {"equation": "abc,bd->acd", "output_shape": [None, 2]}, {"x": x(T, 4)}, "EinsumDense has weights along `b` of `abc,bd->acd`, so its size must be fixed, got (T, 4)"),
        ("EinsumDense", {"equation": "ab,bc->ac", "output_shape": 2, "bias_axes": "b"}, {"x": x(4)}, "`bias_axes` must name output axes of `ab,bc->ac` other than the batch axis, got `b`"),
        ("EinsumDense", {"equation": "ab,bc->ca", "output_shape": 2}, {"x": x(4)}, "the batch axis, `a` in `ab,bc->ca`, must be first in the output and must not be in the kernel"),
        ("ReversibleEmbedding", {"input_dim": 3, "output_dim": 2}, {"x": x(T)}, "ReversibleEmbedding takes integers, got float32"),
        ("ReversibleEmbedding", {"input_dim": 3, "output_dim": 2, "reverse": True}, {"x": x(T, 4)}, "in reverse, ReversibleEmbedding takes vectors of size 2, got 4: (T, 4)"),
        ("GroupQueryAttention", {"head_dim": 2, "num_query_heads": 4, "num_key_value_heads": 3}, {"query": x(T, 4), "value": x(T, 4)}, "4 query heads are not divisible by 3 key and value heads"),
        ("GroupQueryAttention", {"head_dim": 2, "num_query_heads": 4, "num_key_value_heads": 2}, {"query": x(T, 4), "value": x(T, 5)}, "GroupQueryAttention needs a query and a value with the same number of features, got (T, 4) and (T, 5)"),
        ("MultiHeadAttention", {"num_heads": 2, "key_dim": 2, "attention_axes": 3}, {"query": x(T, 5, 4), "value": x(T, 5, 4)}, "`attention_axes` is [3], but the axes of (T, 5, 4) before the features are 1 to 2"),
        ("MultiHeadAttention", {"num_heads": 2, "key_dim": 2, "use_causal_mask": True}, {"query": x(T, 5, 4), "value": x(T, 5, 4)}, "`use_causal_mask` needs attention over the first axis only, but the attention axes are 1, 2"),
        ("MultiHeadAttention", {"num_heads": 2, "key_dim": 2, "attention_axes": 1}, {"query": x(T, 5, 4), "value": x(T, 6, 4)}, "axis 2 is not an attention axis, so (T, 5, 4) and (T, 6, 4) must have the same size there"),
        ("Activation", {"activation": "softmax"}, {"x": x()}, "`softmax` needs at least one axis, got a scalar ()"),
        ("Dropout", {"rate": 0.5, "noise_shape": [1, 4]}, {"x": x(5)}, "`noise_shape` [1, 4] does not fit (batch, 5)"),
        ("BatchNormalization", {"axis": 3}, {"x": x(T, 5)}, "the input has no axis 3 to normalize: its axes are 1 to 2, or −2 to −1"),
        ("BatchNormalization", {"axis": 0}, {"x": x(T, 5)}, "the input has no axis 0 to normalize: its axes are 1 to 2, or −2 to −1"),
        ("BatchNormalization", {"axis": 1}, {"x": x(T, 5)}, "BatchNormalization has weights along axis 1, so its size must be fixed, got (T, 5)"),
        ("BatchNormalization", {}, {"x": x(T, 5, 3, mask=(T,))}, "BatchNormalization needs a mask with one axis less than its input (T, 5, 3), got one of 1 axes"),
        ("Reshape", {"target_shape": [5, 2]}, {"x": x(12)}, "cannot reshape (12,) to [5, 2]: it has 12 elements, not 10"),
        ("Reshape", {"target_shape": [-1, 5]}, {"x": x(3, 4)}, "cannot reshape (3, 4) to [-1, 5]: 12 elements are not divisible by 5"),
        ("Add", {}, {"_0": x(3, 4), "_1": x(3, 5)}, "Add needs inputs of equal shape, got (3, 4) and (3, 5)"),
        ("Add", {}, {"_0": x(3, dtype="int32"), "_1": x(3)}, "Add takes floats, got int32"),
        ("Add", {}, {"_0": x(T, 4, mask=(T,)), "_1": x(T, 3, 4, mask=(T, 3))}, "Add cannot combine the masks of its inputs: they are (T,) and (T, 3), of (T, 4) and (T, 3, 4)"),
        ("Concatenate", {}, {"_0": x(3, 4), "_1": x(5, 4)}, "Concatenate along axis -1 needs inputs with equal sizes on all other axes, got (3, 4) and (5, 4): 3 is not 5 on axis 1"),
        ("Concatenate", {}, {"_0": x(4), "_1": x(5, 4)}, "Concatenate along axis -1 needs inputs with equal sizes on all other axes, got (4,) and (5, 4): 1 axes are not 2"),
        ("Concatenate", {"axis": 3}, {"_0": x(3, 4), "_1": x(3, 4)}, "Concatenate got axis 3 for the input (3, 4): its axes are 1 to 2, or −2 to −1"),
        ("Concatenate", {}, {"_0": x(3, dtype="int32"), "_1": x(3)}, "Concatenate needs inputs of the same dtype, got int32 and float32"),
        ("Subtract", {}, {"_0": x(3), "_1": x(3), "_2": x(3)}, "Subtract takes two inputs, got 3"),
        ("Conv2DTranspose", {**K3, "output_padding": 1}, {"x": x(4, 4, 3)}, "`output_padding` must be less than the stride, 1; got 1"),
        ("TimeDistributed", {"layer": "Add"}, {"x": x(4, 3)}, "TimeDistributed takes a layer with one input, which Add is not"),
        ("TimeDistributed", {"layer": {"Dense": {"units": 2}}}, {"x": x(3)}, "TimeDistributed takes (time, …), at least two axes, got (3,)"),
        ("Attention", {}, {"query": x(T, 3), "value": x(T, 4)}, "Attention got a query of size 3 and a value of size 4: (T, 3) and (T, 4)"),
        ("LSTM", {"units": 2, "coupled_gates": True, "unit_forget_bias": True}, {"x": x(T, 3)}, "`unit_forget_bias` has no effect with `coupled_gates`: there is no forget gate"),
        ("GroupNormalization", {}, {"x": x(T, 48)}, "48 channels cannot be split into 32 groups"),
        ("Softmax", {"axis": 3}, {"x": x(T, 4)}, "Softmax got axis 3, but the axes of (T, 4) are 1 to 2"),
        ("Dot", {"axes": 1}, {"_0": x(3), "_1": x(4)}, "Dot needs axes of equal size, got axis 1 of (3,) and axis 1 of (4,)"),
        ("Permute", {"dims": [1]}, {"x": x(3, 4)}, "`dims` [1] is not a permutation of the axes of (3, 4)"),
        ("Cropping1D", {"cropping": 2}, {"x": x(4, 3)}, "cropping (4, 3) by [[2, 2]] leaves no positions"),
        ("Masking", {}, {"x": x(3)}, "Masking takes (time, …, features), at least two axes, got (3,)"),
        ("LSTM", {"units": 2}, {"x": x(5)}, "LSTM takes (time, features), got (5,)"),
        ("LSTM", {"units": 2}, {"x": x(5, T)}, "LSTM has weights along the last axis, so its size must be fixed, got (5, T)"),
        ("GRU", {"units": 2}, {"x": x(T, 5), "state": x(3)}, "the state `state` must have the shape (2,), got (3,)"),
        ("LSTM", {"units": 2}, {"x": x(T, 5), "state_h": x(2)}, "LSTM got an initial `state_h` but no `state_c`"),
        ("Bidirectional", {"layer": {"GRU": {"units": 2}}}, {"x": x(T, 5), "forward_state_h": x(2)}, "Bidirectional has no state `forward_state_h`"),
        ("Bidirectional", {"layer": {"GRU": {"units": 2, "go_backwards": True}}}, {"x": x(T, 5)}, "the forward layer has `go_backwards: true`"),
        ("Bidirectional", {"layer": {"GRU": {"units": 2}}, "backward_layer": {"GRU": {"units": 2}}}, {"x": x(T, 5)}, "the backward layer does not have `go_backwards: true`"),
        ("Bidirectional", {"layer": {"GRU": {"units": 2}}, "backward_layer": {"GRU": {"units": 3, "go_backwards": True}}}, {"x": x(T, 5)}, "`layer` and `backward_layer` differ in `units`: 2 and 3"),
        ("Bidirectional", {"layer": {"GRU": {"units": 2}}, "backward_layer": {"LSTM": {"units": 2, "go_backwards": True}}}, {"x": x(T, 5)}, "`layer` is a GRU but `backward_layer` is a LSTM"),
    ],
)  # fmt: skip
def test_message(op: str, arguments: dict[str, Any], inputs: dict[str, TensorType], message: str) -> None:
    assert error(op, arguments, **inputs).message == message


def test_an_error_about_an_argument_names_it() -> None:
    assert error("Conv2D", {**K3, "groups": 2}, x=x(9, 9, 3)).argument == "groups"
    assert error("Dense", {"units": 2, "bias_initializer": "identity"}, x=x(3)).argument == "bias_initializer"


def test_an_error_about_an_input_names_its_port() -> None:
    assert error("Add", {}, _0=x(3, 4), _1=x(3, 4), _2=x(5, 4)).port == "2"
    assert error("GRU", {"units": 2}, x=x(T, 5), state=x(3)).port == "state"


def test_a_layer_after_one_that_gave_a_single_step_is_reported_about_return_sequences() -> None:
    assert "return_sequences: true" in error("GRU", {"units": 2}, x=x(8)).help


def test_four_rows_in_place_of_four_numbers_are_advised_on_the_axes_of_expressions():
    sliced = error("DecodeBoxes", {}, x=x(4, 13), anchors=x(9, 4))
    assert sliced.help.endswith("the first four numbers of each row are `x[:, :, :4]`")
    assert "expressions" not in error("DecodeBoxes", {}, x=x(9, 13), anchors=x(9, 4)).help
