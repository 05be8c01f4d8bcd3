"""One table of layers with arguments and inputs, for every proof that runs over all layers.

A proof over all layers is then one parametrized test, here "ONNX Runtime answers as Keras does":

    @pytest.mark.parametrize("case", CASES, ids=str)
    def test_onnx_runtime_answers_as_keras_does(case):
        check_onnx(case, zip((1, 5), SIZES, strict=True))

What a case is stands in ``nnspec.testing.case``. ``drawn(op)`` is a Hypothesis strategy of further cases.
A layer that is in the catalogue and not in this table fails ``test_completeness``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nnspec.testing.case import Case, Input, node

__all__ = ["CASES", "SIZES", "Case", "Input", "node"]

SIZES = ({"T": 7, "S": 2, "H": 9, "W": 8, "C": 3}, {"T": 4, "S": 5, "H": 6, "W": 11, "C": 1})
"""What the symbols of the cases stand for, twice."""


def _x(*shape: int | str, dtype: str = "float32", masked: bool = False) -> dict[str, Input]:
    return {"x": Input(shape, dtype, masked)}


def _several(*inputs: Input) -> dict[str, Input]:
    return {str(port): x for port, x in enumerate(inputs)}


def _cases() -> Iterator[Case]:
    from .picture_cases import picture_cases

    yield from _core()
    yield from _einsum_dense()
    yield from _parameter()
    yield from _spectral_normalization()
    yield from _reversible_embedding()
    yield from _elementwise()
    yield from _normalization()
    yield from _regularization()
    yield from _shape()
    yield from _convolution()
    yield from _transposed_convolution()
    yield from _separable_convolution()
    yield from _borders()
    yield from _pooling()
    yield from _adaptive_pooling()
    yield from _unpooling()
    yield from _boxes()
    yield from _regions()
    yield from _matching()
    yield from _suppression()
    yield from _resizing()
    yield from _merge()
    yield from _recurrent()
    yield from _gated_lstm()
    yield from _recurrent_cells()
    yield from _rnn()
    yield from _bidirectional()
    yield from _time_distributed()
    yield from _attention()
    yield from picture_cases()


_KERNEL_AND_BIAS = {
    "kernel_regularizer": {"L2": {"l2": 0.1}},
    "bias_regularizer": {"L1L2": {"l1": 0.1}},
    "activity_regularizer": "L1",
    "kernel_constraint": {"MaxNorm": {"max_value": 1}},
    "bias_constraint": "NonNeg",
    "kernel_initializer": "he_normal",
    "bias_initializer": {"Constant": {"value": 0.5}},
}


def _core() -> Iterator[Case]:
    yield Case("Dense", {"units": 3}, _x(4))
    yield Case("Dense", {"units": 3, "activation": "softmax", "use_bias": False}, _x("T", 4))
    yield Case("Dense", {"units": 2, "activation": "gelu"}, _x("T", 3, masked=True))
    yield Case("Dense", {"units": 2, **_KERNEL_AND_BIAS}, _x("H", "W", 5))
    yield Case("Dense", {"units": 2}, _x(4, dtype="float64"))
    yield Case("Dense", {"units": 2}, _x(1, 4, masked=True))
    yield Case("Embedding", {"input_dim": 7, "output_dim": 3}, _x("T", dtype="int32"))
    yield Case("Embedding", {"input_dim": 7, "output_dim": 3, "mask_zero": True}, _x("T", dtype="int64"))
    yield Case("Embedding", {"input_dim": 7, "output_dim": 3, "mask_zero": True}, _x("T", 5, dtype="uint8"))
    yield Case(
        "Embedding",
        {
            "input_dim": 7,
            "output_dim": 3,
            "embeddings_initializer": {"RandomNormal": {"stddev": 1}},
            "embeddings_regularizer": "l2",
            "embeddings_constraint": {"UnitNorm": {"axis": 1}},
        },
        _x(dtype="int32"),
    )


def _boxes() -> Iterator[Case]:
    yield Case("AnchorBoxes", {"sizes": [8, 12.5], "ratios": [0.5, 1, 2], "stride": 4}, _x(3, 5, 2))
    yield Case("AnchorBoxes", {"sizes": [8], "stride": 2.5}, _x("H", "W", 2))
    yield Case("AnchorBoxes", {"sizes": [8], "ratios": [2], "stride": 16}, _x("H", 3, 2))
    for by in ("offsets", "distances"):
        for rows in (5, "T"):
            for op, first in (("DecodeBoxes", "x"), ("EncodeBoxes", "boxes")):
                inputs = {first: Input((rows, 4)), "anchors": Input((rows, 4))}
                yield Case(op, {"by": by}, inputs)
                yield Case(op, {"by": by, "variance": [0.1, 0.1, 0.2, 0.3]}, inputs)
    yield Case("DecodeBoxes", {"max_scale": 1.5}, {"x": Input(("T", 4)), "anchors": Input(("T", 4))})
    yield Case("ClipBoxes", {}, {"boxes": Input((5, 4)), "image": Input((12, 20, 3))})
    yield Case("ClipBoxes", {}, {"boxes": Input(("T", 4)), "image": Input(("H", "W", 3))})
    for by in ("offsets", "distances"):
        for rows in (5, "T"):
            yield Case("DecodeBoxes", {"by": by}, {"x": Input((rows, 3, 4)), "anchors": Input((rows, 4))})
    yield Case("ClipBoxes", {}, {"boxes": Input(("T", 3, 4)), "image": Input(("H", "W", 3))})


def _regions() -> Iterator[Case]:
    for op in ("RoIAlign", "RoIPooling"):
        yield Case(op, {"size": 3}, {"x": Input((9, 13, 2)), "boxes": Input((6, 4))})
        yield Case(op, {"size": [2, 5], "stride": 4}, {"x": Input((8, 8, 3)), "boxes": Input((6, 4))})
        yield Case(op, {"size": 2, "stride": 2.5}, {"x": Input(("H", "W", 2)), "boxes": Input(("T", 4))})
    yield Case("RoIAlign", {"size": 7, "sampling": 1, "stride": 4}, {"x": Input((8, 8, 2)), "boxes": Input((6, 4))})
    yield Case("RoIAlign", {"size": 1, "sampling": 3, "stride": 8}, {"x": Input((4, "W", 2)), "boxes": Input((6, 4))})


def _matching() -> Iterator[Case]:
    for rows, count in ((12, 5), ("T", "S")):
        inputs = {"anchors": Input((rows, 4)), "boxes": Input((count, 4))}
        label, crowd = ({name: Input((count,), "int32")} for name in ("class", "crowd"))
        yield Case("MatchBoxes", {"foreground": 0.3, "background": 0.1}, inputs)
        yield Case("MatchBoxes", {"by": "iou", "foreground": 0.3, "background": 0.3, "keep_best": False}, inputs | label)
        yield Case("MatchBoxes", {"by": "center"}, inputs | label)
        yield Case("MatchBoxes", {"by": "center", "scales": [0.5, 1.0], "radius": 1.5}, inputs | label | crowd)
        yield Case("MatchBoxes", {"by": "grid", "background": 0.3}, inputs | label)
        yield Case("MatchBoxes", {"by": "iou"}, inputs | label | crowd)
        chosen = {"boxes": Input((rows, 4)), "class": Input((rows,), "int32")}
        yield Case("SampleProposals", {"count": 5, "share": 0.4}, chosen)
        yield Case("SampleProposals", {"count": 20, "seed": 3}, chosen)


def _suppression() -> Iterator[Case]:
    for rows in (40, "T"):
        for scores in ((rows,), (rows, 1), (rows, 3)):
            yield Case("NonMaxSuppression", {"keep": 8}, {"boxes": Input((rows, 4)), "scores": Input(scores)})
    many = {"boxes": Input((30, 4)), "scores": Input((30, 3))}
    yield Case("NonMaxSuppression", {"iou": 0.2, "score": -0.5, "keep": 20}, many)
    yield Case("NonMaxSuppression", {"iou": 0.3, "score": -0.5, "keep": 20, "class_agnostic": True}, many)
    yield Case("NonMaxSuppression", {"iou": 0, "score": 1, "keep": 200}, many)
    for rows in (30, "T"):
        own = {"boxes": Input((rows, 3, 4)), "scores": Input((rows, 3))}
        yield Case("NonMaxSuppression", {"iou": 0.3, "score": -0.5, "keep": 20}, own)
        yield Case("NonMaxSuppression", {"iou": 0.3, "score": -0.5, "keep": 20, "class_agnostic": True}, own)
    one = {"boxes": Input((9, 1, 4)), "scores": Input((9, 1))}
    yield Case("NonMaxSuppression", {"iou": 0.3, "score": -0.5, "keep": 12}, one)
    yield Case("NonMaxSuppression", {"score": 100.0, "keep": 5}, many)


def _reversible_embedding() -> Iterator[Case]:
    table = {"input_dim": 7, "output_dim": 3}
    yield Case("ReversibleEmbedding", table, _x("T", dtype="int32"))
    yield Case("ReversibleEmbedding", {**table, "mask_zero": True, "tie_weights": False}, _x("T", dtype="int64"))
    yield Case("ReversibleEmbedding", {**table, "reverse": True}, _x("T", 3))
    yield Case("ReversibleEmbedding", {**table, "reverse": True, "logit_soft_cap": 0.5}, _x(3))
    yield Case("ReversibleEmbedding", {**table, "reverse": True, "tie_weights": False}, _x("T", 3, masked=True))
    for dtype in ("float32", "float64"):
        yield Case(
            "ReversibleEmbedding",
            {**table, "mask_zero": True, "reverse": True, "reverse_dtype": dtype, "logit_soft_cap": 2.0},
            _x("T", 3, masked=True),
        )
    yield Case(
        "ReversibleEmbedding",
        {
            **table,
            "embeddings_initializer": {"RandomNormal": {"stddev": 1}},
            "embeddings_regularizer": "l2",
            "embeddings_constraint": {"UnitNorm": {"axis": 1}},
        },
        _x(5, 2, dtype="uint8"),
    )


def _spectral_normalization() -> Iterator[Case]:
    def case(op: str, arguments: dict[str, Any], *shape: int | str, masked: bool = False, **more: Any) -> Case:
        return Case("SpectralNormalization", {"layer": {op: arguments}, **more}, _x(*shape, masked=masked))

    yield case("Dense", {"units": 3, "activation": "relu"}, "T", 4, masked=True)
    yield case("Dense", {"units": 3, "use_bias": False}, 4, power_iterations=3)
    yield case("Conv2D", {"filters": 4, "kernel_size": 3, "padding": "same", "strides": 2}, "H", "W", 2)
    yield case("Conv2D", {"filters": 4, "kernel_size": 3, "padding": 1, **_KERNEL_AND_BIAS}, 8, 9, 2)
    yield case("Conv1D", {"filters": 4, "kernel_size": 3, "padding": "causal"}, "T", 3)
    yield case("Conv2DTranspose", {"filters": 4, "kernel_size": 4, "strides": 2, "padding": 1}, "H", "W", 2)
    yield case("DepthwiseConv2D", {"kernel_size": 3, "padding": "full"}, "H", "W", 2)
    yield case("EinsumDense", {"equation": "...x,xyz->...yz", "output_shape": [2, 3], "bias_axes": "yz"}, "T", 4)


def _parameter() -> Iterator[Case]:
    yield Case("Parameter", {"shape": [3]}, _x("T", dtype="int32"))
    yield Case("Parameter", {"shape": [2, 3]}, _x("T", 3, masked=True))
    yield Case("Parameter", {"shape": []}, _x("H", "W", 3))
    more = {"initializer": {"RandomNormal": {"stddev": 1}}, "regularizer": "l2", "constraint": {"UnitNorm": {"axis": 1}}}
    yield Case("Parameter", {"shape": [2, 3], **more}, _x(4))


def _einsum_dense() -> Iterator[Case]:
    def case(equation: str, output_shape: Any, *shape: int | str, **more: Any) -> Case:
        return Case("EinsumDense", {"equation": equation, "output_shape": output_shape, **more}, _x(*shape))

    yield case("ab,bc->ac", 3, 4, bias_axes="c")
    yield case("abc,cd->abd", [None, 3], "T", 4, bias_axes="d", activation="softmax")
    yield case("abc,cxy->abxy", [None, 2, 2], "T", 4, bias_axes="x")
    yield case("abc,cd->abd", [5, 3], 5, 4)
    yield case("...x,xy->...y", 3, 4, bias_axes="y")
    yield case("...x,xy->...y", 3, "H", 5, 4, bias_axes="y", activation="gelu")
    yield case("...ab,abcd->...cd", [2, 3], "T", 4, 5, bias_axes="cd")
    yield case("...ab,bc->...ac", 6, 5)
    yield case("ab...,bc->ac...", 6, 4, "H", 3, bias_axes="c")
    yield case("abc...,bcd->ad...", 6, 4, 5)
    yield case("abc,bd->acd", [None, 3], 4, "T", bias_axes="d")
    yield case("abc,bcd->abd", [None, 3], 4, 5, bias_axes="bd")
    yield case("abc,cd->ad", 3, "T", 4)
    yield case("abc,cd->adb", [3, None], "T", 4)
    yield case("abc,cde->abde", [None, 2, 3], "T", 4, bias_axes="e")
    yield case("abc,ced->abde", [None, 2, 3], "T", 4, bias_axes="d")
    yield case("abcd,cdf->abf", [None, 3], "T", 2, 4, bias_axes="f")
    yield case("abc,c->ab", [None], "T", 4)
    yield case("abc,d->abcd", [None, None, 3], "T", "S")
    yield case("AbC,Cd->Abd", [None, 3], "T", 4)
    with_all = {name: value for name, value in _KERNEL_AND_BIAS.items() if name != "activity_regularizer"}
    yield Case("EinsumDense", {"equation": "abc,cd->abd", "output_shape": [None, 2], "bias_axes": "d", **with_all}, _x(5, 3))
    yield Case("EinsumDense", {"equation": "abc,cd->abd", "output_shape": [None, 2], "bias_axes": "d"}, _x("T", 3, masked=True))


def _elementwise() -> Iterator[Case]:
    from typing import get_args

    from nnspec.types.activation_names import ActivationName

    for name in get_args(ActivationName):
        yield Case("Activation", {"activation": name}, _x("T", 4))
    yield Case("Activation", {"activation": "tanh"}, _x("T", 3, masked=True))
    yield Case("ReLU", {}, _x(4))
    yield Case("ReLU", {"max_value": 1.0, "negative_slope": 0.1, "threshold": 0.2}, _x("T", 3, masked=True))
    yield Case("LeakyReLU", {}, _x("T", 3, masked=True))
    yield Case("LeakyReLU", {"negative_slope": 0.2}, _x(4))
    yield Case("ELU", {}, _x("T", 3, masked=True))
    yield Case("ELU", {"alpha": 0.7}, _x(4))
    yield Case("PReLU", {}, _x(4, 3))
    yield Case("PReLU", {"shared_axes": 1}, _x("T", 3, masked=True))
    yield Case("PReLU", {"shared_axes": [1, 2], "alpha_initializer": "ones"}, _x("H", "W", 3))
    yield Case("PReLU", {"alpha_regularizer": "l2", "alpha_constraint": "NonNeg"}, _x(5))
    yield Case("Softmax", {}, _x("T", 4))
    yield Case("Softmax", {"axis": 1}, _x("T", 4))
    yield Case("Softmax", {"axis": [1, -1]}, _x("H", "W", 3))
    yield Case("Dropout", {"rate": 0.5}, _x("T", 3, masked=True))
    yield Case("Dropout", {"rate": 0.2, "noise_shape": [None, 1, 4], "seed": 3}, _x("T", 4))
    yield Case("BatchNormalization", {}, _x("H", "W", 3))
    yield Case("BatchNormalization", {"momentum": 0.9, "epsilon": 1e-5, "center": False}, _x("T", 3, masked=True))
    yield Case("BatchNormalization", {"axis": 1, "scale": False}, _x(4, "T"))
    yield Case(
        "BatchNormalization",
        {
            "beta_initializer": "ones",
            "gamma_initializer": {"RandomUniform": {"minval": 0.5, "maxval": 1.5}},
            "moving_mean_initializer": "ones",
            "moving_variance_initializer": {"Constant": {"value": 2}},
            "beta_regularizer": "L2",
            "gamma_regularizer": "L2",
            "beta_constraint": "NonNeg",
            "gamma_constraint": "NonNeg",
        },
        _x(5),
    )


_AFFINE = {
    "beta_initializer": "ones",
    "gamma_initializer": {"RandomUniform": {"minval": 0.5, "maxval": 1.5}},
    "beta_regularizer": "L2",
    "gamma_regularizer": "L2",
    "beta_constraint": "NonNeg",
    "gamma_constraint": "NonNeg",
}


def _normalization() -> Iterator[Case]:
    yield Case("LayerNormalization", {}, _x("T", 4, masked=True))
    yield Case("LayerNormalization", {"center": False, "epsilon": 1e-6}, _x("H", "W", 5))
    yield Case("LayerNormalization", {"axis": [1, -1]}, _x(3, 4))
    yield Case("LayerNormalization", {"axis": [1, 3], "scale": False}, _x(3, "W", 4))
    yield Case("LayerNormalization", {"axis": 1}, _x(3, "T"))
    yield Case("LayerNormalization", {"axis": [1, 2], "scale": False, "center": False}, _x("T", 4))
    yield Case("LayerNormalization", _AFFINE, _x(4))
    yield Case("RMSNormalization", {}, _x("T", 4, masked=True))
    yield Case("RMSNormalization", {"axis": [-2, 3], "epsilon": 1e-3}, _x("H", 3, 4))
    yield Case("UnitNormalization", {}, _x("T", 4, masked=True))
    yield Case("UnitNormalization", {"axis": [1, 2]}, _x("H", "W", 3))
    yield Case("GroupNormalization", {"groups": 2}, _x("H", "W", 4))
    yield Case("GroupNormalization", {"groups": -1, "epsilon": 1e-5, "center": False}, _x("T", 3, masked=True))
    yield Case("GroupNormalization", {"groups": 2, "axis": 1, "scale": False}, _x(4, "T"))
    yield Case("GroupNormalization", {"groups": 2, "axis": -2}, _x(5, 4, "W"))
    yield Case("GroupNormalization", {"groups": 1, **_AFFINE}, _x(4))
    yield Case("Normalization", {}, _x("T", 3, masked=True))
    yield Case("Normalization", {"axis": None, "invert": True}, _x("H", "W", 2))
    yield Case("Normalization", {"axis": [1, -1]}, _x(3, "W", 2))
    yield Case("Normalization", {"axis": 1, "mean": [1, 2, 3], "variance": [4, 0, 0.25]}, _x(3, "T", dtype="int32"))
    yield Case("Normalization", {"axis": [3, 1], "mean": 100.0, "variance": 0.01}, _x(3, "W", 2))
    yield Case("Normalization", {"mean": [1, 2], "variance": [4, 9], "invert": True}, _x(2, dtype="float64"))
    yield Case("Rescaling", {"scale": 0.5}, _x("T", 3, masked=True))
    yield Case("Rescaling", {"scale": 0.5, "offset": -1}, _x("H", "W", 3, dtype="uint8"))
    yield Case("Rescaling", {"scale": [0.5, 2, 1], "offset": [1, 2, 3]}, _x("H", "W", 3))
    yield Case("Masking", {}, _x("T", 3))
    yield Case("Masking", {"mask_value": 1.5}, _x("T", 3, masked=True))


def _regularization() -> Iterator[Case]:
    for rank, shape in ((1, ("T", 3)), (2, ("H", "W", 3)), (3, (4, "H", "W", 3))):
        yield Case(f"SpatialDropout{rank}D", {"rate": 0.3, "seed": 1}, _x(*shape))
    yield Case("SpatialDropout1D", {"rate": 0.3}, _x("T", 3, masked=True))
    yield Case("GaussianNoise", {"stddev": 0.3, "seed": 1}, _x("T", 3, masked=True))
    yield Case("GaussianDropout", {"rate": 0.3, "seed": 1}, _x("T", 3, masked=True))
    yield Case("AlphaDropout", {"rate": 0.3, "seed": 1, "noise_shape": [None, 1, 3]}, _x("T", 3, masked=True))
    yield Case("ActivityRegularization", {"l1": 0.1, "l2": 0.2}, _x("T", 3, masked=True))


def _shape() -> Iterator[Case]:
    yield Case("Flatten", {}, _x(4, 3, 2))
    yield Case("Flatten", {}, _x("T", 3, masked=True))
    yield Case("Flatten", {}, _x())
    yield Case("Flatten", {}, _x("T", 2, dtype="int32"))
    yield Case("Flatten", {}, _x(2, 2, dtype="float16"))
    yield Case("Reshape", {"target_shape": [3, 4]}, _x(12))
    yield Case("Reshape", {"target_shape": [-1, 2, 2]}, _x("T", 8))
    yield Case("Reshape", {"target_shape": [2, -1]}, _x(3, 4, dtype="int64"))
    yield Case("Reshape", {"target_shape": [-1]}, _x("T", 3, masked=True))
    yield Case("Reshape", {"target_shape": []}, _x(1))


def _borders() -> Iterator[Case]:
    for rank, shape in ((1, ("T", 3)), (2, ("H", 9, 2)), (3, (5, "H", "W", 2))):
        for op, argument in ((f"Cropping{rank}D", "cropping"), (f"ZeroPadding{rank}D", "padding")):
            yield Case(op, {}, _x(*shape))
            yield Case(op, {argument: 1}, _x(*shape))
            yield Case(op, {argument: [[0, 2]] * rank}, _x(*shape))
            yield Case(op, {argument: [[1, 0]] * rank}, _x(*shape, dtype="int32"))
        yield Case(f"UpSampling{rank}D", {}, _x(*shape))
        yield Case(f"UpSampling{rank}D", {"size": list(range(1, rank + 1))}, _x(*shape))
    for interpolation in ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"):
        yield Case("UpSampling2D", {"size": [2, 3], "interpolation": interpolation}, _x(6, 3, 2))
        yield Case("UpSampling2D", {"size": 2, "interpolation": interpolation}, _x(4, 5, 3))
    yield Case("UpSampling2D", {"size": [2, 8], "interpolation": "bilinear"}, _x("H", "W", 3))
    yield Case("UpSampling2D", {"size": [1, 4], "interpolation": "bilinear"}, _x("H", 5, 2))
    yield Case("ZeroPadding1D", {"padding": 2}, _x("T", 3, masked=True))
    for op in ("Sum", "Mean"):
        yield Case(op, {"axis": 1}, _x("T", 3))
        yield Case(op, {"axis": -1, "keepdims": True}, _x("T", 3))
        yield Case(op, {"axis": [1, 3]}, _x("H", 4, "W"))
    yield Case("Slice", {"stop": 1}, _x("T", 3))
    yield Case("Slice", {"start": -1}, _x("T", 3))
    yield Case("Slice", {"start": 1, "stop": -1, "step": 2}, _x("T", 3))
    yield Case("Slice", {"axis": -1, "start": 1, "stop": 3}, _x("T", 5, dtype="int32"))
    yield Case("Compute", {"results": {"y": "x * sigmoid(1.702 * x)"}}, _x("T", 3, masked=True))
    yield Case("Compute", {"results": {"low": "minimum(x, 0)", "high": "sum(x - low, axis=-1)"}}, _x("T", 3))
    yield Case("Compute", {"results": {"y": "where(mask(x), x[..., 0], -1e9)"}}, _x("T", 3, masked=True))
    for shape in ((4,), ("H", 3, 2)):
        for flag in (False, True):
            ports = {"mean": Input(shape), "log_variance": Input(shape)}
            yield Case("Sampling", {"seed": 1, "return_divergence": flag}, ports)
    yield Case("Permute", {"dims": [2, 1]}, _x("T", 3))
    yield Case("Permute", {"dims": [2, 3, 1]}, _x("H", 3, "W"))
    yield Case("Permute", {"dims": [2, 1]}, _x("T", 3, masked=True))
    yield Case("Identity", {}, _x("T", 3, masked=True))
    yield Case("Identity", {}, _x(4, dtype="int32"))
    yield Case("Identity", {}, _x(4, dtype="float64"))
    yield Case("RepeatVector", {"n": 3}, _x(4))
    yield Case("RepeatVector", {"n": 3}, _x(4, dtype="int32"))


def _convolution() -> Iterator[Case]:
    f1, f2 = {"filters": 4, "kernel_size": 3}, {"filters": 4, "kernel_size": 3}
    yield Case("Conv1D", f1, _x("T", 3))
    yield Case("Conv1D", {**f1, "strides": 2, "padding": "same", "activation": "relu"}, _x("T", 3))
    yield Case("Conv1D", {**f1, "padding": "causal", "dilation_rate": 2}, _x("T", 3, masked=True))
    yield Case("Conv1D", {**f1, "padding": "causal", "strides": 2}, _x("T", 3))
    yield Case("Conv1D", {**f1, "padding": "full", "use_bias": False}, _x("T", 3, masked=True))
    yield Case("Conv1D", {**f1, "padding": [[3, 1]], "kernel_size": [4], "strides": [3]}, _x("T", 3))
    yield Case("Conv1D", {**f1, "groups": 2, "padding": 1}, _x("T", 6))
    yield Case("Conv1D", {"filters": 2, "kernel_size": 2, **_KERNEL_AND_BIAS}, _x(9, 3))
    yield Case("Conv2D", f2, _x(8, 9, 3))
    yield Case("Conv2D", {**f2, "kernel_size": [3, 5], "strides": [2, 1], "padding": "same"}, _x("H", "W", 2))
    yield Case("Conv2D", {**f2, "strides": 2, "padding": "same"}, _x(8, 9, 2))
    yield Case("Conv2D", {**f2, "dilation_rate": [2, 1], "padding": "same", "activation": "tanh"}, _x("H", "W", 2))
    yield Case("Conv2D", {**f2, "padding": 2, "strides": 3}, _x("H", "W", 2))
    yield Case("Conv2D", {**f2, "padding": [[1, 0], 2]}, _x("H", "W", 2))
    yield Case("Conv2D", {**f2, "padding": "full", "dilation_rate": 2}, _x(5, 6, 2))
    yield Case("Conv2D", {**f2, "padding": 0, "groups": 4}, _x(5, 6, 4))
    yield Case("Conv2D", {"filters": 2, "kernel_size": 2, "use_bias": False}, _x("H", "W", 3))
    yield Case("Conv2D", {"filters": 2, "kernel_size": 2, **_KERNEL_AND_BIAS}, _x("T", 6, 3, masked=True))
    yield Case("Conv3D", {**f1, "activation": "relu"}, _x(5, "H", 6, 2))
    yield Case("Conv3D", {**f1, "strides": [1, 2, 3], "padding": "same"}, _x("H", 7, "W", 2))
    yield Case("Conv3D", {"filters": 2, "kernel_size": 1, "strides": 3, "padding": "same"}, _x(9, "H", "W", 2))
    yield Case("Conv3D", {**f1, "dilation_rate": 2, "padding": [1, [2, 1], 2], "use_bias": False}, _x(4, 4, "H", 2))
    yield Case("Conv3D", {**f1, "groups": 2, "padding": "full"}, _x(3, 4, 3, 4))
    yield Case("Conv3D", {"filters": 2, "kernel_size": 2, **_KERNEL_AND_BIAS}, _x(4, 4, 4, 3))


def _separable_convolution() -> Iterator[Case]:
    of_a_channel = {
        "depthwise_initializer": "he_normal",
        "depthwise_regularizer": "L2",
        "depthwise_constraint": "NonNeg",
        "bias_initializer": "ones",
        "bias_regularizer": "L1",
        "bias_constraint": "NonNeg",
        "activity_regularizer": "L1",
    }
    across = {"pointwise_initializer": "he_normal", "pointwise_regularizer": "L2", "pointwise_constraint": "NonNeg"}
    for rank, shape in ((1, ("T", 3)), (2, ("H", "W", 2))):
        for kind, f in (("DepthwiseConv", {}), ("SeparableConv", {"filters": 4})):
            op = f"{kind}{rank}D"
            yield Case(op, {**f, "kernel_size": 3}, _x(*shape))
            yield Case(op, {**f, "kernel_size": 3, "strides": 2, "padding": "same", "depth_multiplier": 2}, _x(*shape))
            yield Case(
                op,
                {**f, "kernel_size": 3, "dilation_rate": 2, "activation": "relu", "padding": "same", "use_bias": False},
                _x(*shape),
            )
            yield Case(op, {**f, "kernel_size": 2, "padding": [[1, 2]] * rank, "strides": 2}, _x(*shape))
            yield Case(op, {**f, "kernel_size": 3, "padding": "full"}, _x(*shape))
            yield Case(op, {**f, "kernel_size": 2, **of_a_channel, **(across if f else {})}, _x(*shape))


def _transposed_convolution() -> Iterator[Case]:
    for rank, shape in ((1, ("T", 3)), (2, ("H", "W", 2)), (3, (4, "H", "W", 2))):
        op = f"Conv{rank}DTranspose"
        f = {"filters": 4, "kernel_size": 3}
        yield Case(op, f, _x(*shape))
        yield Case(op, {**f, "kernel_size": 2, "strides": 2, "activation": "relu"}, _x(*shape))
        yield Case(op, {**f, "kernel_size": 2, "strides": 3, "use_bias": False}, _x(*shape))
        yield Case(op, {**f, "kernel_size": 5, "strides": 2, "padding": "same"}, _x(*shape))
        yield Case(op, {**f, "kernel_size": 2, "strides": 3, "padding": "same"}, _x(*shape))
        yield Case(op, {**f, "strides": 3, "output_padding": 1}, _x(*shape))
        yield Case(op, {**f, "strides": 2, "padding": "same", "output_padding": 0}, _x(*shape))
        yield Case(op, {**f, "kernel_size": 4, "strides": 3, "padding": "same", "output_padding": 2}, _x(*shape))
        yield Case(op, {**f, "strides": 2, "padding": 1}, _x(*shape))
        yield Case(
            op, {**f, "kernel_size": 4, "strides": 2, "padding": [[0, 2]] * rank, "output_padding": [1] * rank}, _x(*shape)
        )
        yield Case(op, {**f, "dilation_rate": 2, "activation": "softmax"}, _x(*shape))
        yield Case(op, {"filters": 2, "kernel_size": 2, **_KERNEL_AND_BIAS}, _x(*shape))
    yield Case("Conv1DTranspose", {"filters": 2, "kernel_size": 2}, _x("T", 3, masked=True))


def _pooling() -> Iterator[Case]:
    for op in ("MaxPooling1D", "AveragePooling1D"):
        yield Case(op, {"pool_size": 2}, _x("T", 3))
        yield Case(op, {"pool_size": 3, "strides": 2, "padding": "same"}, _x("T", 3))
        yield Case(op, {"pool_size": [4], "strides": [3], "padding": 2}, _x("T", 3, masked=True))
        yield Case(op, {"pool_size": 3, "strides": 1, "padding": [[2, 1]]}, _x("T", 3))
    for op in ("MaxPooling2D", "AveragePooling2D"):
        yield Case(op, {"pool_size": 2}, _x(8, 9, 2))
        yield Case(op, {"pool_size": [3, 2], "strides": [1, 2], "padding": "same"}, _x("H", "W", 2))
        yield Case(op, {"pool_size": 2, "strides": 3, "padding": "same"}, _x("H", "W", 2))
        yield Case(op, {"pool_size": 3, "strides": 2, "padding": 1}, _x("H", "W", 2))
        yield Case(op, {"pool_size": 3, "padding": [[0, 2], 1]}, _x(7, 9, 2))
        yield Case(op, {"pool_size": 2, "padding": 0}, _x(7, 9, 2))
    for op in ("MaxPooling3D", "AveragePooling3D"):
        yield Case(op, {"pool_size": 2}, _x(8, 9, 4, 2))
        yield Case(op, {"pool_size": [3, 2, 1], "strides": [1, 2, 1], "padding": "same"}, _x("H", "W", 4, 2))
        yield Case(op, {"pool_size": 3, "strides": 2, "padding": 1}, _x("H", 5, "W", 2))
        yield Case(op, {"pool_size": 1, "strides": 3, "padding": "same"}, _x("H", 9, "W", 2))
    for op in ("GlobalMaxPooling3D", "GlobalAveragePooling3D"):
        yield Case(op, {}, _x("H", "W", 4, 3))
        yield Case(op, {"keepdims": True}, _x(5, 4, 3, 3))
    yield Case("MaxPooling1D", {}, _x("T", 3, masked=True))
    yield Case("MaxPooling2D", {}, _x("H", "W", 3))
    for op in ("GlobalMaxPooling1D", "GlobalAveragePooling1D"):
        yield Case(op, {}, _x("T", 3))
        yield Case(op, {"keepdims": True}, _x(5, "C"))
    yield Case("GlobalMaxPooling1D", {}, _x("T", 3, masked=True))
    yield Case("GlobalAveragePooling1D", {}, _x(6, 3, masked=True), note="an empty row is 0 / 0")
    yield Case("GlobalAveragePooling1D", {"keepdims": True}, _x("T", 3, masked=True), note="an empty row is 0 / 0")
    for op in ("GlobalMaxPooling2D", "GlobalAveragePooling2D"):
        yield Case(op, {}, _x("H", "W", 3))
        yield Case(op, {"keepdims": True}, _x(5, 4, 3))


def _adaptive_pooling() -> Iterator[Case]:
    for kind in ("Average", "Max"):
        op = f"Adaptive{kind}Pooling"
        yield Case(f"{op}1D", {"output_size": 3}, _x(12, 3))
        yield Case(f"{op}1D", {"output_size": [5]}, _x(12, 3, masked=True))
        yield Case(f"{op}1D", {"output_size": 3}, _x("T", 3))
        yield Case(f"{op}1D", {"output_size": 1}, _x("T", 3))
        yield Case(f"{op}1D", {"output_size": 7}, _x(5, 3))
        yield Case(f"{op}2D", {"output_size": [4, 3]}, _x(8, 9, 2))
        yield Case(f"{op}2D", {"output_size": [3, 9]}, _x(8, 9, 8))
        yield Case(f"{op}2D", {"output_size": 5}, _x(7, 10, 2))
        yield Case(f"{op}2D", {"output_size": 1}, _x("H", "W", 3))
        yield Case(f"{op}2D", {"output_size": [1, 4]}, _x("H", "W", 3))
        yield Case(f"{op}2D", {"output_size": [12, 2]}, _x("H", 6, 3))
        yield Case(f"{op}3D", {"output_size": 2}, _x(4, 6, 8, 2))
        yield Case(f"{op}3D", {"output_size": [3, 2, 5]}, _x(5, 4, 8, 2))
        yield Case(f"{op}3D", {"output_size": 3}, _x("H", 4, "W", 2))


def _unpooling() -> Iterator[Case]:
    op = "MaxPoolingWithIndices2D"
    yield Case(op, {}, _x("H", "W", 3))
    yield Case(op, {"pool_size": 3, "strides": [2, 1]}, _x(8, 9, 2))
    yield Case(op, {"pool_size": 3, "strides": 2, "padding": "same"}, _x(8, 9, 2))
    yield Case(op, {"pool_size": [3, 2], "strides": 2, "padding": "same"}, _x("H", "W", 2))
    yield Case(op, {"pool_size": 2, "strides": 3, "padding": "same"}, _x("H", 8, 2))
    yield Case(op, {"pool_size": 3, "strides": 2, "padding": 1}, _x("H", "W", 1))
    yield Case(op, {"pool_size": [2, 4], "padding": [[0, 1], [3, 2]]}, _x(7, "W", 2))

    def found(*shape: int | str, dtype: str = "int32", **more: Input) -> dict[str, Input]:
        return {"x": Input(shape), "indices": Input(shape, dtype), **more}

    op = "MaxUnpooling2D"
    yield Case(op, {}, found(2, 3, 2))
    yield Case(op, {}, found("H", "W", 2, dtype="int64"))
    yield Case(op, {"pool_size": 3, "strides": 2, "padding": 1}, found("H", "W", 2))
    yield Case(op, {"pool_size": 3, "strides": [2, 3], "padding": "same"}, found("H", 4, 1))
    yield Case(op, {"output_size": [3, 4]}, found("H", "W", 3))
    yield Case(op, {}, found(4, 3, 2, like=Input(("H", "W", 3))))


def _resizing() -> Iterator[Case]:
    for interpolation in ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"):
        for more in ({}, {"antialias": True}, {"crop_to_aspect_ratio": True}, {"pad_to_aspect_ratio": True, "fill_value": 0.5}):
            yield Case("Resizing", {"height": 5, "width": 12, "interpolation": interpolation, **more}, _x(11, 7, 2))
            yield Case("Resizing", {"height": 9, "width": 4, "interpolation": interpolation, **more}, _x(6, 13, 3))
    for interpolation in ("nearest", "bilinear"):
        free = {"height": 7, "width": 8, "interpolation": interpolation}
        yield Case("Resizing", free, _x("H", "W", 3))
        yield Case("Resizing", free, _x("H", 5, 1))
        yield Case("Resizing", {**free, "fill_mode": "constant"}, _x(7, 8, 3))
    yield Case("Resizing", {"height": 6, "width": 10}, _x(12, 5, 3))
    yield Case("Resizing", {"height": 100, "width": 33}, _x(299, 80, 1))
    for more in ({}, {"crop_to_aspect_ratio": True}, {"pad_to_aspect_ratio": True, "fill_value": 3.0}):
        yield Case("Resizing", {"height": 6, "width": 10, "interpolation": "nearest", **more}, _x(11, 7, 3, dtype="uint8"))
    yield Case("CenterCrop", {"height": 5, "width": 4}, _x(8, 8, 2))
    yield Case("CenterCrop", {"height": 5, "width": 4}, _x("H", "W", 2))
    yield Case("CenterCrop", {"height": 5, "width": 4}, _x("H", 5, 2))
    yield Case("CenterCrop", {"height": 8, "width": 8}, _x(8, 9, 3, dtype="uint8"))
    yield Case("CenterCrop", {"height": 9, "width": 4}, _x(6, 13, 2))
    yield Case("CenterCrop", {"height": 9, "width": 30}, _x(11, 7, 2, dtype="int32"))


def _merge() -> Iterator[Case]:
    yield Case("Add", {}, _several(Input((4,)), Input((4,)), Input((4,))))
    yield Case("Add", {}, _several(Input(("T", 4)), Input((1, 4))))
    yield Case("Add", {}, _several(Input((4,)), Input((5, "T", 4))))
    yield Case("Add", {}, _several(Input(("T", 4), masked=True), Input(("T", 4), masked=True)))
    yield Case("Add", {}, _several(Input(("T", 4), masked=True), Input(("T", 4))))
    yield Case("Subtract", {}, _several(Input(("T", 4)), Input((1, 4))))
    yield Case("Subtract", {}, _several(Input(("T", 4), masked=True), Input(("T", 4), masked=True)))
    yield Case("Subtract", {}, _several(Input((4,)), Input((5, "T", 4))))
    yield Case("Dot", {"axes": 1}, _several(Input((4,)), Input((4,))))
    yield Case("Dot", {"axes": -1, "normalize": True}, _several(Input(("T", 4)), Input(("S", 4))))
    yield Case("Dot", {"axes": [2, 1]}, _several(Input(("T", 4)), Input((4, 3))))
    yield Case("Dot", {"axes": [2, 1]}, _several(Input((5, 4), masked=True), Input((4,))))
    for op in ("Average", "Maximum", "Minimum", "Multiply"):
        yield Case(op, {}, _several(Input((4,)), Input((4,)), Input((4,))))
        yield Case(op, {}, _several(Input(("T", 4)), Input((1, 4))))
        yield Case(op, {}, _several(Input((4,)), Input((5, "T", 4))))
        yield Case(op, {}, _several(Input(("T", 4), masked=True), Input(("T", 4), masked=True)))
        yield Case(op, {}, _several(Input(("T", 4), masked=True), Input(("T", 4))))
    yield Case("Concatenate", {}, _several(Input((4,)), Input((3,))))
    yield Case("Concatenate", {"axis": 1}, _several(Input(("T", 4)), Input((3, 4)), Input(("S", 4))))
    yield Case("Concatenate", {"axis": -2}, _several(Input((2, 4, "C")), Input((2, 3, "C"))))
    yield Case("Concatenate", {}, _several(Input(("T", 4), masked=True), Input(("T", 2), masked=True)))
    yield Case("Concatenate", {}, _several(Input(("T", 4)), Input(("T", 2), masked=True)))
    yield Case("Concatenate", {"axis": 1}, _several(Input(("T", 4), masked=True), Input((3, 4))))
    yield Case("Concatenate", {"axis": 1}, _several(Input(("T",), "int32"), Input(("S",), "int32")))


def _recurrent() -> Iterator[Case]:
    all_states = {"SimpleRNN": ("state",), "GRU": ("state",), "LSTM": ("state_h", "state_c")}
    for op, states in all_states.items():
        fed = {state: Input((4,)) for state in states}
        yield Case(op, {"units": 4}, _x("T", 3))
        yield Case(op, {"units": 4, "return_sequences": True, "use_bias": False}, _x(6, 3))
        yield Case(op, {"units": 4}, _x("T", 3, masked=True))
        yield Case(op, {"units": 4, "return_sequences": True, "return_state": True}, _x("T", 3, masked=True))
        yield Case(op, {"units": 4, "go_backwards": True, "return_sequences": True}, _x("T", 3, masked=True))
        yield Case(op, {"units": 4, "return_sequences": True, "zero_output_for_mask": True}, _x("T", 3, masked=True))
        yield Case(op, {"units": 4, "return_state": True}, {**_x("T", 3), **fed})
        yield Case(op, {"units": 4, "return_state": True, "return_sequences": True}, {**_x("T", 3, masked=True), **fed})
        yield Case(op, {"units": 4, "go_backwards": True, "return_state": True}, {**_x("T", 3), **fed})
        yield Case(op, {"units": 3, "activation": None, "dropout": 0.2, "recurrent_dropout": 0.1, "seed": 1}, _x("T", 2))
        yield Case(
            op,
            {
                "units": 3,
                **_KERNEL_AND_BIAS,
                "recurrent_initializer": {"Orthogonal": {"gain": 0.5}},
                "recurrent_regularizer": {"OrthogonalRegularizer": {"mode": "columns"}},
                "recurrent_constraint": {"MinMaxNorm": {"rate": 0.5}},
                "activation": "relu",
            },
            _x("T", 2),
        )
    for op in ("GRU", "LSTM"):
        yield Case(op, {"units": 3, "recurrent_activation": "hard_sigmoid", "activation": "softsign"}, _x("T", 2))
        yield Case(op, {"units": 3, "recurrent_activation": None, "activation": "sigmoid"}, _x("T", 2))
    yield Case("GRU", {"units": 3, "reset_after": False, "return_sequences": True}, _x("T", 2, masked=True))
    yield Case("GRU", {"units": 3, "reset_after": False, "use_bias": False}, _x("T", 2))
    yield Case("LSTM", {"units": 3, "unit_forget_bias": False}, _x("T", 2))


def _gated_lstm() -> Iterator[Case]:
    fed = {state: Input((4,)) for state in ("state_h", "state_c")}
    for gated in ({"peephole": True}, {"coupled_gates": True}, {"peephole": True, "coupled_gates": True}):
        sequences = {"units": 4, "return_sequences": True, "return_state": True, **gated}
        yield Case("LSTM", {"units": 4, **gated}, _x("T", 3))
        yield Case("LSTM", {**sequences, "use_bias": False}, _x("T", 3, masked=True))
        yield Case("LSTM", {**sequences, "zero_output_for_mask": True}, _x("T", 3, masked=True))
        yield Case("LSTM", {**sequences, "go_backwards": True}, {**_x("T", 3, masked=True), **fed})
        yield Case("LSTM", {**sequences, "recurrent_activation": "hard_sigmoid", "activation": "gelu"}, _x("T", 3))
        yield Case("LSTM", {"units": 3, **gated, **_KERNEL_AND_BIAS, "dropout": 0.2, "recurrent_dropout": 0.1}, _x("T", 2))
        yield Case("Bidirectional", {"layer": {"LSTM": sequences}}, _x("T", 3, masked=True))
        backward = {"LSTM": {**sequences, "coupled_gates": False, "peephole": False, "go_backwards": True}}
        yield Case("Bidirectional", {"layer": {"LSTM": sequences}, "backward_layer": backward}, _x("T", 3))


def _time_distributed() -> Iterator[Case]:
    conv = {"Conv2D": {"filters": 3, "kernel_size": 3, "padding": "same"}}
    yield Case("TimeDistributed", {"layer": {"Dense": {"units": 3, "activation": "softmax"}}}, _x("T", 3, masked=True))
    yield Case("TimeDistributed", {"layer": {"Dense": {"units": 3}}}, _x("T", "H", 4))
    yield Case("TimeDistributed", {"layer": "Flatten"}, _x("T", 4, 3))
    yield Case("TimeDistributed", {"layer": {"Activation": {"activation": "softmax"}}}, _x(5, 4))
    yield Case("TimeDistributed", {"layer": conv}, _x(4, 6, 5, 2))
    yield Case("TimeDistributed", {"layer": conv}, _x("T", "H", "W", 2))
    yield Case("TimeDistributed", {"layer": {"MaxPooling1D": {"padding": 1}}}, _x("T", 6, 2))
    yield Case("TimeDistributed", {"layer": {"GRU": {"units": 3}}}, _x(4, "T", 2))
    yield Case("TimeDistributed", {"layer": {"GRU": {"units": 3, "return_sequences": True}}}, _x(4, 5, 2, masked=True))
    yield Case("TimeDistributed", {"layer": {"LSTM": {"units": 3, "peephole": True}}}, _x(4, 5, 2))
    yield Case("TimeDistributed", {"layer": {"Embedding": {"input_dim": 100, "output_dim": 2}}}, _x("T", 5, dtype="int32"))
    yield Case("TimeDistributed", {"layer": "BatchNormalization"}, _x("T", 5, 3))


def _attention() -> Iterator[Case]:
    query, value = Input(("T", 4)), Input(("S", 4))
    masked = {"query": Input(("T", 4), masked=True), "value": Input(("S", 4), masked=True)}
    for more in ({}, {"use_scale": True}, {"score_mode": "concat"}, {"score_mode": "concat", "use_scale": True}):
        yield Case("Attention", more, {"query": query, "value": value})
        yield Case("Attention", {**more, "use_causal_mask": True, "dropout": 0.2, "seed": 1}, masked)
    yield Case("Attention", {}, {"query": query, "value": Input(("S", 3)), "key": value})
    yield Case("Attention", {}, masked)
    yield Case("Attention", {}, {"query": query, "value": masked["value"]})
    yield Case("Attention", {}, {"query": masked["query"], "value": Input((6, 3)), "key": Input((6, 4))})
    yield Case("Attention", {"use_causal_mask": True}, {"query": query, "value": Input(("T", 4))})
    yield Case("AdditiveAttention", {}, {"query": query, "value": value})
    yield Case("AdditiveAttention", {"use_scale": False, "dropout": 0.1, "use_causal_mask": True}, masked)
    yield Case("AdditiveAttention", {}, {"query": query, "value": Input(("S", 3)), "key": value})
    for op in ("Attention", "AdditiveAttention"):
        yield Case(op, {"return_attention_scores": True}, {"query": query, "value": Input((6, 3)), "key": Input((6, 4))})
        yield Case(op, {"return_attention_scores": True, "use_causal_mask": True}, masked)
    yield from _multi_head_attention()
    yield from _group_query_attention()
    yield Case("PositionEmbedding", {"max_length": 9}, _x("T", 3, masked=True))
    yield Case(
        "PositionEmbedding",
        {
            "max_length": 9,
            "embeddings_initializer": "ones",
            "embeddings_regularizer": "L2",
            "embeddings_constraint": "NonNeg",
        },
        _x(5, 4),
    )
    yield Case("SinusoidalPositionEncoding", {}, _x("T", 5, masked=True))
    yield Case("SinusoidalPositionEncoding", {"max_wavelength": 100.0}, _x(6, 4))


def _multi_head_attention() -> Iterator[Case]:
    query, value = Input(("T", 4)), Input(("S", 6))
    masked = {"query": Input(("T", 4), masked=True), "value": Input(("S", 6), masked=True)}
    two = {"num_heads": 2, "key_dim": 3}
    yield Case("MultiHeadAttention", two, {"query": query, "value": value})
    yield Case("MultiHeadAttention", {**two, "use_causal_mask": True}, {"query": query, "value": value})
    yield Case("MultiHeadAttention", {**two, "value_dim": 5, "output_shape": 7}, {"query": query, "value": value})
    yield Case("MultiHeadAttention", {**two, "use_bias": False}, {"query": query, "value": value, "key": Input(("S", 2))})
    yield Case("MultiHeadAttention", two, masked)
    yield Case("MultiHeadAttention", {**two, "use_causal_mask": True, "use_gate": True}, masked)
    yield Case("MultiHeadAttention", {**two, "sliding_window": 2, "dropout": 0.1, "seed": 1}, masked)
    yield Case("MultiHeadAttention", two, {"query": masked["query"], "value": value, "key": Input(("S", 6), masked=True)})
    yield Case(
        "MultiHeadAttention",
        {
            **two,
            "kernel_initializer": "he_normal",
            "bias_initializer": "ones",
            "kernel_regularizer": "L2",
            "bias_regularizer": "L1",
            "activity_regularizer": "L1",
            "kernel_constraint": "NonNeg",
            "bias_constraint": "NonNeg",
        },
        {"query": Input((5, 4)), "value": Input((6, 4))},
    )

    scored = {**two, "return_attention_scores": True}
    yield Case("MultiHeadAttention", scored, {"query": query, "value": Input((5, 6))})
    yield Case("MultiHeadAttention", {**scored, "use_causal_mask": True}, masked)
    yield Case("MultiHeadAttention", {**two, "output_shape": [2, 5]}, {"query": query, "value": value})
    picture, other = Input(("H", 5, 4)), Input(("W", 5, 6))
    yield Case("MultiHeadAttention", two, {"query": picture, "value": other})
    yield Case("MultiHeadAttention", {**scored, "output_shape": [2, 5]}, {"query": picture, "value": other})
    yield Case("MultiHeadAttention", {**scored, "attention_axes": 1}, {"query": picture, "value": other})
    yield Case(
        "MultiHeadAttention", {**two, "attention_axes": [-2]}, {"query": Input(("H", "T", 4)), "value": Input(("H", "W", 6))}
    )
    yield Case(
        "MultiHeadAttention", {**two, "attention_axes": 1, "use_causal_mask": True}, {"query": picture, "value": picture}
    )
    yield Case(
        "MultiHeadAttention",
        {**scored, "attention_axes": [1, 3]},
        {"query": Input((2, "H", 3, 4)), "value": Input(("W", "H", 2, 6))},
    )


def _group_query_attention() -> Iterator[Case]:
    op, query, value = "GroupQueryAttention", Input(("T", 4)), Input(("S", 4))
    masked = {"query": Input(("T", 4), masked=True), "value": Input(("S", 4), masked=True)}
    four = {"head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 2}
    yield Case(op, four, {"query": query, "value": value})
    yield Case(op, {**four, "num_key_value_heads": 1, "use_causal_mask": True}, {"query": query, "value": value})
    yield Case(
        op, {**four, "num_key_value_heads": 4, "use_bias": False}, {"query": query, "value": value, "key": Input(("S", 2))}
    )
    yield Case(op, four, masked)
    yield Case(op, {**four, "use_causal_mask": True, "use_gate": True}, masked)
    yield Case(op, {**four, "sliding_window": 2, "dropout": 0.1, "seed": 1}, masked)
    yield Case(op, four, {"query": masked["query"], "value": value, "key": Input(("S", 4), masked=True)})
    yield Case(op, {**four, "return_attention_scores": True}, {"query": query, "value": Input((5, 4))})
    yield Case(op, {**four, "return_attention_scores": True, "use_causal_mask": True}, masked)
    yield Case(
        op,
        {
            **four,
            "kernel_initializer": "he_normal",
            "bias_initializer": "ones",
            "kernel_regularizer": "L2",
            "bias_regularizer": "L1",
            "activity_regularizer": "L1",
            "kernel_constraint": "NonNeg",
            "bias_constraint": "NonNeg",
        },
        {"query": Input((5, 4)), "value": Input((6, 4))},
    )


def _bidirectional() -> Iterator[Case]:
    both = ("forward", "backward")
    for op, states in (("SimpleRNN", ("state",)), ("GRU", ("state",)), ("LSTM", ("state_h", "state_c"))):
        fed = {f"{way}_{state}": Input((4,)) for way in both for state in states}
        all_of_it = {op: {"units": 4, "return_sequences": True, "return_state": True}}
        yield Case("Bidirectional", {"layer": {op: {"units": 4}}}, _x("T", 3))
        yield Case("Bidirectional", {"layer": {op: {"units": 4, "return_sequences": True}}}, _x("T", 3, masked=True))
        yield Case("Bidirectional", {"layer": all_of_it}, {**_x("T", 3, masked=True), **fed})
        yield Case("Bidirectional", {"layer": all_of_it, "merge_mode": None}, _x("T", 3, masked=True))
    for mode in ("sum", "mul", "ave", None):
        yield Case("Bidirectional", {"layer": {"GRU": {"units": 4}}, "merge_mode": mode}, _x("T", 3, masked=True))
    backward = {"LSTM": {"units": 4, "activation": "relu", "go_backwards": True, "use_bias": False}}
    yield Case("Bidirectional", {"layer": {"LSTM": {"units": 4}}, "backward_layer": backward}, _x("T", 3))


_CELL_ARGUMENTS = {
    "use_bias": True,
    "kernel_initializer": "glorot_normal",
    "recurrent_initializer": "orthogonal",
    "bias_initializer": "zeros",
    "kernel_regularizer": {"L2": {"l2": 0.1}},
    "recurrent_regularizer": "L1",
    "bias_regularizer": "L1",
    "kernel_constraint": {"MaxNorm": {"max_value": 1}},
    "recurrent_constraint": "NonNeg",
    "bias_constraint": "NonNeg",
    "dropout": 0.2,
    "recurrent_dropout": 0.1,
    "seed": 3,
}


def _recurrent_cells() -> Iterator[Case]:
    state = {"state": Input((3,))}
    states = {"state_h": Input((3,)), "state_c": Input((3,))}
    yield Case("GRUCell", {"units": 3}, _x(4) | state)
    yield Case("GRUCell", {"units": 3, "reset_after": False, "recurrent_activation": "relu", **_CELL_ARGUMENTS}, _x(4) | state)
    yield Case("LSTMCell", {"units": 3, "unit_forget_bias": False, **_CELL_ARGUMENTS}, _x(4) | states)
    yield Case("LSTMCell", {"units": 3, "peephole": True, "coupled_gates": True, "recurrent_activation": None}, _x(4) | states)
    yield Case("LSTMCell", {"units": 3, "activation": "relu"}, _x(4) | states)
    yield Case("SimpleRNNCell", {"units": 3, "activation": "relu", **_CELL_ARGUMENTS}, _x(4) | state)
    yield Case("GRUCell", {"units": 3, "activation": None, "use_bias": False}, _x(4) | state)


def _rnn() -> Iterator[Case]:
    gru, lstm = {"GRUCell": {"units": 3}}, {"LSTMCell": {"units": 3}}
    yield Case("RNN", {"cell": gru}, _x("T", 4))
    yield Case("RNN", {"cell": gru, "return_sequences": True, "zero_output_for_mask": True}, _x("T", 4, masked=True))
    yield Case("RNN", {"cell": lstm, "return_sequences": True, "return_state": True, "go_backwards": True}, _x("T", 4))
    yield Case(
        "RNN", {"cell": lstm, "sequences": ["x"]}, _x("T", 4, masked=True) | {"state_h": Input((3,)), "state_c": Input((3,))}
    )


CASES = tuple(_cases())
