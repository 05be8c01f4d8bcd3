"""Every layer class of Keras, with several arguments, called in several ways."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import keras
from keras import layers as L  # noqa: N812

from benchmarks.import_probes.probe import Probe

__all__ = ["single_layer_probes"]

V, S, I2, I3 = (6,), (5, 4), (12, 12, 3), (4, 6, 6, 2)
IMAGE = (16, 20, 3)

LAYERS: list[tuple[str, list[dict[str, Any]], Any]] = [
    ("Activation", [{"activation": n} for n in (
        "relu", "gelu", "swish", "linear", "softmax", "mish", "celu", "elu", "selu", "tanh", "sparse_plus", "squareplus", "glu",
        "hard_shrink", "soft_shrink", "tanh_shrink", "threshold", "sparsemax", "log_softmax", "leaky_relu", "relu6", "exponential",
        "hard_sigmoid", "hard_tanh", "log_sigmoid", "softsign", "softplus", "sparse_sigmoid")], V),
    ("ActivityRegularization", [{"l2": 0.1}], V),
    *((f"Adaptive{k}Pooling{r}D", [{"output_size": 2}, {"output_size": (3,) * r}], s)
      for k in ("Average", "Max") for r, s in ((1, S), (2, I2), (3, I3))),
    *((k, [{}], [V, V]) for k in ("Add", "Average", "Maximum", "Minimum", "Multiply", "Subtract")),
    *((k, [{}], [V, V, (1,)]) for k in ("Add", "Average", "Maximum", "Minimum", "Multiply")),
    *((k, [{}], [V]) for k in ("Add", "Average", "Maximum", "Minimum", "Multiply", "Concatenate")),
    ("Concatenate", [{}, {"axis": 1}], [S, S]),
    ("Dot", [{"axes": 1}, {"axes": -1, "normalize": True}], [V, V]),
    ("Dot", [{"axes": (2, 1)}], [(3, 4), (4, 5)]),
    ("Attention", [{}, {"use_scale": True, "score_mode": "concat"}, {"dropout": 0.1}], [S, S]),
    ("AdditiveAttention", [{}, {"use_scale": False}], [S, S, S]),
    *((k, [{"rate": 0.3}], S) for k in ("AlphaDropout", "Dropout", "GaussianDropout", "SpatialDropout1D")),
    ("Dropout", [{"rate": 0.3, "noise_shape": (None, 1, 4), "seed": 3}], S),
    ("SpatialDropout2D", [{"rate": 0.3}], I2), ("SpatialDropout3D", [{"rate": 0.3}], I3),
    ("GaussianNoise", [{"stddev": 0.3}], V),
    *((f"{k}Pooling{r}D", [{"pool_size": 2}, {"pool_size": 3, "strides": 1, "padding": "same"}, {"pool_size": (2,) * r, "strides": 3}], s)
      for k in ("Average", "Max") for r, s in ((1, (9, 4)), (2, I2), (3, I3))),
    *((f"Global{k}Pooling{r}D", [{}, {"keepdims": True}], s) for k in ("Average", "Max") for r, s in ((1, S), (2, I2), (3, I3))),
    ("BatchNormalization", [{}, {"axis": 1}, {"scale": False, "center": False, "epsilon": 0.1}], I2),
    ("GroupNormalization", [{"groups": 2}, {"groups": -1}, {"groups": 1, "axis": -1, "scale": False}], (5, 4)),
    ("LayerNormalization", [{}, {"axis": [1, 2]}, {"axis": 1, "epsilon": 0.1}, {"center": False}], S),
    ("RMSNormalization", [{}, {"axis": 1}], S),
    ("UnitNormalization", [{}, {"axis": 1}, {"axis": [1, 2]}], S),
    ("Dense", [{"units": 3}, {"units": 3, "activation": "relu", "use_bias": False},
               {"units": 3, "kernel_regularizer": "l2", "bias_constraint": "non_neg", "kernel_initializer": "he_normal"},
               {"units": 2, "activity_regularizer": "l1", "activation": "softmax"}], V),
    ("Dense", [{"units": 3}], I2),
    ("EinsumDense", [{"equation": "abc,cd->abd", "output_shape": (None, 3), "bias_axes": "d"},
                     {"equation": "...x,xy->...y", "output_shape": (3,), "activation": "relu"}], S),
    *((f"Conv{r}D", [{"filters": 4, "kernel_size": 3}, {"filters": 4, "kernel_size": 2, "strides": 2, "padding": "same"},
                     {"filters": 4, "kernel_size": 2, "dilation_rate": 2, "groups": 2, "activation": "elu", "use_bias": False}], s)
      for r, s in ((1, (9, 4)), (2, (9, 9, 4)), (3, (6, 6, 6, 4)))),
    ("Conv1D", [{"filters": 4, "kernel_size": 3, "padding": "causal", "dilation_rate": 2}], (9, 4)),
    *((f"Conv{r}DTranspose", [{"filters": 4, "kernel_size": 3}, {"filters": 3, "kernel_size": 3, "strides": 2, "padding": "same"},
                              {"filters": 3, "kernel_size": 3, "strides": 2, "output_padding": 1}], s)
      for r, s in ((1, (5, 4)), (2, (5, 5, 4)), (3, (3, 3, 3, 4)))),
    *((f"DepthwiseConv{r}D", [{"kernel_size": 3}, {"kernel_size": 3, "depth_multiplier": 2, "strides": 2, "padding": "same"}], s)
      for r, s in ((1, (9, 4)), (2, I2))),
    *((f"SeparableConv{r}D", [{"filters": 5, "kernel_size": 3}, {"filters": 5, "kernel_size": 3, "depth_multiplier": 2, "padding": "same"}], s)
      for r, s in ((1, (9, 4)), (2, I2))),
    *((f"ConvLSTM{r}D", [{"filters": 2, "kernel_size": 3}], (3, *s)) for r, s in ((1, (9, 2)), (2, (6, 6, 2)))),
    ("Cropping1D", [{"cropping": 1}, {"cropping": (0, 2)}], S), ("Cropping2D", [{"cropping": ((1, 2), (0, 1))}], I2),
    ("Cropping3D", [{"cropping": 1}], I3),
    ("ZeroPadding1D", [{"padding": 1}, {"padding": (0, 2)}], S), ("ZeroPadding2D", [{}, {"padding": ((1, 2), (0, 1))}], I2),
    ("ZeroPadding3D", [{"padding": 1}], I3),
    ("UpSampling1D", [{"size": 2}], S), ("UpSampling2D", [{"size": (2, 3)}, {"interpolation": "bilinear"}, {"interpolation": "bicubic"}], I2),
    ("UpSampling3D", [{"size": 2}], I3),
    ("ELU", [{"alpha": 0.5}], V), ("LeakyReLU", [{"negative_slope": 0.1}], V), ("Softmax", [{}, {"axis": 1}, {"axis": [1, 2]}], S),
    ("ReLU", [{}, {"max_value": 1.0, "negative_slope": 0.1, "threshold": 0.2}], V),
    ("PReLU", [{}, {"shared_axes": [1]}], S),
    ("Flatten", [{}], I2), ("Flatten", [{}], V), ("Permute", [{"dims": (2, 1)}], S), ("RepeatVector", [{"n": 3}], V),
    ("Reshape", [{"target_shape": (3, 2)}, {"target_shape": (-1, 3)}], V), ("Identity", [{}], V), ("Masking", [{"mask_value": 0.5}], S),
    ("Rescaling", [{"scale": 0.5, "offset": 1}, {"scale": [1.0, 2.0, 3.0]}], I2),
    ("Normalization", [{"mean": 1.0, "variance": 4.0}, {"mean": [1.0, 2, 3], "variance": [1.0, 2, 3], "invert": True},
                       {"axis": None, "mean": 2.0, "variance": 0.25}, {"axis": (1, 3)}, {"axis": None}, {"axis": 1}], I2),
    ("SimpleRNN", [{"units": 3}, {"units": 3, "return_sequences": True, "go_backwards": True, "activation": "relu"}], S),
    ("LSTM", [{"units": 3}, {"units": 3, "return_state": True, "return_sequences": True}, {"units": 3, "use_bias": False, "unroll": True}], S),
    ("GRU", [{"units": 3}, {"units": 3, "reset_after": False, "go_backwards": True}, {"units": 3, "dropout": 0.2, "recurrent_dropout": 0.1, "use_bias": False}], S),
    ("Embedding", [{"input_dim": 7, "output_dim": 3}, {"input_dim": 7, "output_dim": 3, "mask_zero": True}], "tokens"),
    ("Embedding", [{"input_dim": 7, "output_dim": 3}, {"input_dim": 7, "output_dim": 3, "mask_zero": True}], "whole floats"),
    ("ReversibleEmbedding", [{"input_dim": 7, "output_dim": 3}, {"input_dim": 7, "output_dim": 3, "tie_weights": False}], "tokens"),
    ("MultiHeadAttention", [{"num_heads": 2, "key_dim": 3}, {"num_heads": 2, "key_dim": 3, "value_dim": 4, "output_shape": 5, "use_bias": False}], [S, S]),
    ("MultiHeadAttention", [{"num_heads": 2, "key_dim": 3}], [S, (7, 4), (7, 4)]),
    ("GroupQueryAttention", [{"head_dim": 4, "num_query_heads": 4, "num_key_value_heads": 2}, {"head_dim": 4, "num_query_heads": 2, "num_key_value_heads": 1, "use_bias": False}], [(5, 8), (5, 8)]),
    ("CenterCrop", [{"height": 8, "width": 9}, {"height": 24, "width": 18}], IMAGE),
    ("Resizing", [{"height": 8, "width": 9}, {"height": 24, "width": 18, "interpolation": "nearest"},
                  {"height": 9, "width": 9, "crop_to_aspect_ratio": True}, {"height": 9, "width": 9, "pad_to_aspect_ratio": True}], IMAGE),
    ("AutoContrast", [{}], "pixels"),
    *((k, [c], "pixels") for k, c in {
        "RandAugment": {}, "RandomBrightness": {"factor": 0.2}, "RandomColorDegeneration": {"factor": 0.2}, "RandomColorJitter": {"brightness_factor": 0.2},
        "RandomContrast": {"factor": 0.2}, "RandomCrop": {"height": 8, "width": 9}, "RandomElasticTransform": {}, "RandomErasing": {}, "RandomFlip": {},
        "RandomGaussianBlur": {}, "RandomGrayscale": {}, "RandomHue": {"factor": 0.2}, "RandomInvert": {}, "RandomPerspective": {},
        "RandomPosterization": {"factor": 4}, "RandomRotation": {"factor": 0.2}, "RandomSaturation": {"factor": 0.2}, "RandomSharpness": {"factor": 0.2},
        "RandomShear": {"x_factor": 0.2}, "RandomTranslation": {"height_factor": 0.2, "width_factor": 0.1}, "RandomZoom": {"height_factor": 0.2},
        "Solarization": {"addition_factor": 0.2}, "AugMix": {}, "CutMix": {}, "MixUp": {}, "ContrastLimitedAdaptiveHistogramEqualization": {}}.items()),
    ("RandomFlip", [{"mode": "horizontal", "seed": 3}], IMAGE), ("RandomZoom", [{"height_factor": (-0.2, 0.1), "fill_mode": "constant"}], IMAGE),
    ("RandomTranslation", [{"height_factor": 0.2, "width_factor": (-0.1, 0.1), "interpolation": "nearest"}], IMAGE),
    ("CategoryEncoding", [{"num_tokens": 7}], "tokens"), ("Discretization", [{"bin_boundaries": [0.0, 1.0]}], V), ("Hashing", [{"num_bins": 3}], "tokens"),
    ("IntegerLookup", [{"vocabulary": [1, 2, 3]}], "tokens"), ("STFTSpectrogram", [{"frame_length": 8, "fft_length": 8}], (32, 1)),
    ("MelSpectrogram", [{"fft_length": 16, "sequence_stride": 8, "num_mel_bins": 4}], (64,)),
]  # fmt: skip

_WITHOUT_EQUAL = ("activation=glu", "activation=threshold", "axis=1")
"""Arguments of which the language says that it has not them; if one is imported all the same, it must be equal."""

UNPROMISED = {
    "ConvLSTM1D", "ConvLSTM2D", "AugMix", "CutMix", "MixUp", "Equalization", "ContrastLimitedAdaptiveHistogramEqualization", "CategoryEncoding",
    "Discretization", "Hashing", "IntegerLookup", "STFTSpectrogram", "MelSpectrogram", "sparse_sigmoid",
}  # fmt: skip
"""Classes that docs/keras.md says are not layers of the language."""


def single_layer_probes() -> Iterator[Probe]:
    """A probe for each layer, each set of arguments, each way to call it."""
    for kind, settings, shapes in LAYERS:
        for config in settings:
            for way in _ways(kind, shapes):
                text = ", ".join(f"{key}={value}" for key, value in config.items())
                refused = "" if kind in UNPROMISED else None
                if way == "training" and (kind in ("Dropout", "BatchNormalization") or "dropout" in text):
                    refused = "training=True"
                if kind == "RandomCrop" or text in _WITHOUT_EQUAL:
                    refused = ""
                yield Probe(
                    f"{kind}({text}) {shapes} {way}".strip(),
                    lambda k=kind, c=config, s=shapes, w=way: _model(k, c, s, w),
                    refused,
                )


def _ways(kind: str, shapes: Any) -> list[str]:
    """How the layer is called beside the plain way."""
    names = list(inspect.signature(getattr(L, kind).call).parameters)[1:]
    ways = [""]
    if names[0] == "data":
        return [*ways, "training"] if kind in ("RandomFlip", "Resizing") else ways  # Keras 3.15 takes `data` by position alone
    if kind in ("Dropout", "BatchNormalization", "RandomFlip", "Resizing", "LSTM", "Attention", "MultiHeadAttention"):
        ways += ["training", "no training"]
    if not isinstance(shapes, list):
        ways.append("keyword")
    elif names[0] != "inputs":
        ways.append("keywords")
    return ways


def _model(kind: str, config: dict[str, Any], shapes: Any, way: str) -> Any:
    layer = getattr(L, kind)(**config)
    several = isinstance(shapes, list)
    given = [_input(shape, f"i{number}") for number, shape in enumerate(shapes if several else [shapes])]
    names = list(inspect.signature(layer.call).parameters)
    more = {"training": {"training": True}, "no training": {"training": False}}.get(way, {})
    if way == "keyword":
        out = layer(**{names[0]: given[0]})
    elif way == "keywords":
        out = layer(**dict(reversed(list(zip(names, given, strict=False)))))
    elif several and names[0] != "inputs":
        out = layer(*given, **more)
    else:
        out = layer(given if several else given[0], **more)
    return keras.Model(given if several else given[0], out)


def _input(shape: Any, name: str) -> Any:
    if shape == "tokens":
        return keras.Input((5,), dtype="int32", name=name)
    if shape == "whole floats":
        return keras.Input((5,), name=f"whole_{name}")
    return keras.Input(IMAGE if shape == "pixels" else shape, name=f"pixels_{name}" if shape == "pixels" else name)
