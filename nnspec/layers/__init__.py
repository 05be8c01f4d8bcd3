"""The registry of built-in layers.

It maps names to modules; a layer's module is imported when a spec first uses the layer.
"""

from __future__ import annotations

import re
from typing import Any

from nnspec.layers.replacements import REPLACEMENTS
from nnspec.layers.unsupported_layers import UNSUPPORTED
from nnspec.types import Family, Plugins

__all__ = ["LAYERS", "UNSUPPORTED", "snake_name"]

_MODULES = {
    "activations": ("Activation", "ELU", "LeakyReLU", "PReLU", "ReLU", "Softmax"),
    "adaptive_pooling": (
        "AdaptiveAveragePooling1D",
        "AdaptiveAveragePooling2D",
        "AdaptiveAveragePooling3D",
        "AdaptiveMaxPooling1D",
        "AdaptiveMaxPooling2D",
        "AdaptiveMaxPooling3D",
    ),
    "attention": (
        "AdditiveAttention",
        "Attention",
        "MultiHeadAttention",
        "GroupQueryAttention",
    ),
    "auto_contrast": ("AutoContrast",),
    "bidirectional": ("Bidirectional",),
    "boxes": ("AnchorBoxes", "ClipBoxes", "DecodeBoxes", "EncodeBoxes"),
    "compute": ("Compute",),
    "convolution": ("Conv1D", "Conv2D", "Conv3D"),
    "borders": ("Cropping1D", "Cropping2D", "Cropping3D", "ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D"),
    "core": ("Dense", "Embedding"),
    "dot": ("Dot",),
    "einsum_dense": ("EinsumDense",),
    "identity": ("Identity",),
    "matching": ("MatchBoxes", "SampleProposals"),
    "merge": ("Add", "Average", "Concatenate", "Maximum", "Minimum", "Multiply", "Subtract"),
    "normalization": (
        "BatchNormalization",
        "GroupNormalization",
        "LayerNormalization",
        "RMSNormalization",
        "UnitNormalization",
    ),
    "parameter": ("Parameter",),
    "image_color": (
        "RandAugment",
        "RandomColorDegeneration",
        "RandomColorJitter",
        "RandomGrayscale",
        "RandomHue",
        "RandomSaturation",
    ),
    "image_geometry": (
        "RandomElasticTransform",
        "RandomFlip",
        "RandomPerspective",
        "RandomRotation",
        "RandomShear",
        "RandomTranslation",
        "RandomZoom",
        "RandomCrop",
    ),
    "image_values": (
        "RandomBrightness",
        "RandomContrast",
        "RandomErasing",
        "RandomGaussianBlur",
        "RandomInvert",
        "RandomPosterization",
        "RandomSharpness",
        "Solarization",
    ),
    "pooling": (
        "AveragePooling1D",
        "AveragePooling2D",
        "AveragePooling3D",
        "GlobalAveragePooling1D",
        "GlobalAveragePooling2D",
        "GlobalAveragePooling3D",
        "GlobalMaxPooling1D",
        "GlobalMaxPooling2D",
        "GlobalMaxPooling3D",
        "MaxPooling1D",
        "MaxPooling2D",
        "MaxPooling3D",
    ),
    "positions": ("PositionEmbedding", "SinusoidalPositionEncoding"),
    "recurrent": ("GRU", "LSTM", "SimpleRNN"),
    "recurrent_cells": ("GRUCell", "LSTMCell", "SimpleRNNCell"),
    "reduction": ("Mean", "Slice", "Sum"),
    "reversible_embedding": ("ReversibleEmbedding",),
    "sampling": ("Sampling",),
    "regularization": (
        "ActivityRegularization",
        "AlphaDropout",
        "Dropout",
        "GaussianDropout",
        "GaussianNoise",
        "SpatialDropout1D",
        "SpatialDropout2D",
        "SpatialDropout3D",
    ),
    "regions": ("RoIAlign", "RoIPooling"),
    "rnn": ("RNN",),
    "resizing": ("CenterCrop", "Resizing"),
    "standardization": (
        "Normalization",
        "Rescaling",
    ),
    "masking": ("Masking",),
    "suppression": ("NonMaxSuppression",),
    "time_distributed": ("TimeDistributed",),
    "transposed_convolution": ("Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose"),
    "unpooling": ("MaxPoolingWithIndices2D", "MaxUnpooling2D"),
    "upsampling": ("UpSampling1D", "UpSampling2D", "UpSampling3D"),
    "separable_convolution": ("DepthwiseConv1D", "DepthwiseConv2D", "SeparableConv1D", "SeparableConv2D"),
    "spectral_normalization": ("SpectralNormalization",),
    "shape": ("Flatten", "Permute", "RepeatVector", "Reshape"),
}

_ALIASES = {
    # Keras's own aliases.
    "AvgPool1D": "AveragePooling1D",
    "AvgPool2D": "AveragePooling2D",
    "AvgPool3D": "AveragePooling3D",
    "SeparableConvolution1D": "SeparableConv1D",
    "SeparableConvolution2D": "SeparableConv2D",
    "GroupedQueryAttention": "GroupQueryAttention",
    "GlobalAvgPool3D": "GlobalAveragePooling3D",
    "GlobalMaxPool3D": "GlobalMaxPooling3D",
    "MaxPool3D": "MaxPooling3D",
    "Convolution1D": "Conv1D",
    "Convolution2D": "Conv2D",
    "Convolution3D": "Conv3D",
    "Convolution1DTranspose": "Conv1DTranspose",
    "Convolution2DTranspose": "Conv2DTranspose",
    "Convolution3DTranspose": "Conv3DTranspose",
    "GlobalAvgPool1D": "GlobalAveragePooling1D",
    "GlobalAvgPool2D": "GlobalAveragePooling2D",
    "GlobalMaxPool1D": "GlobalMaxPooling1D",
    "GlobalMaxPool2D": "GlobalMaxPooling2D",
    "MaxPool1D": "MaxPooling1D",
    "MaxPool2D": "MaxPooling2D",
    # PyTorch's names.
    "AdaptiveAvgPool1d": "AdaptiveAveragePooling1D",
    "AdaptiveAvgPool2d": "AdaptiveAveragePooling2D",
    "AdaptiveAvgPool3d": "AdaptiveAveragePooling3D",
    "AdaptiveMaxPool1d": "AdaptiveMaxPooling1D",
    "AdaptiveMaxPool2d": "AdaptiveMaxPooling2D",
    "AdaptiveMaxPool3d": "AdaptiveMaxPooling3D",
    "AvgPool1d": "AveragePooling1D",
    "AvgPool2d": "AveragePooling2D",
    "BatchNorm1d": "BatchNormalization",
    "BatchNorm2d": "BatchNormalization",
    "Conv1d": "Conv1D",
    "Conv2d": "Conv2D",
    "Conv3d": "Conv3D",
    "ConvTranspose1d": "Conv1DTranspose",
    "ConvTranspose2d": "Conv2DTranspose",
    "ConvTranspose3d": "Conv3DTranspose",
    "Dropout1d": "SpatialDropout1D",
    "Dropout2d": "SpatialDropout2D",
    "GroupNorm": "GroupNormalization",
    "LayerNorm": "LayerNormalization",
    "RMSNorm": "RMSNormalization",
    "MultiheadAttention": "MultiHeadAttention",
    "Linear": "Dense",
    "MaxPool1d": "MaxPooling1D",
    "MaxPool2d": "MaxPooling2D",
    "MaxUnpool2d": "MaxUnpooling2D",
    # Common short names.
    "BatchNorm": "BatchNormalization",
    "BiDirectional": "Bidirectional",
    "Concat": "Concatenate",
    "FullyConnected": "Dense",
    "GlobalAveragePool": "GlobalAveragePooling2D",
}


def _fault(kind: Any, name: str) -> str | None:
    from nnspec.layers.plugin import fault

    return fault(kind, name)


LAYERS = Family(
    kind="layer",
    modules={name: f"nnspec.layers.{module}" for module, names in _MODULES.items() for name in names},
    aliases=_ALIASES,
    inexact=frozenset({"GlobalAveragePool"}),
    unsupported=UNSUPPORTED,
    replacements=REPLACEMENTS,
    plugins=Plugins("nnspec.layers", _fault, capitalized=True),
)
"""All layers by name, including plug-ins registered under the entry point group ``nnspec.layers``."""


def snake_name(op: str) -> str:
    """Return the default name of a step: the operation in snake case, as in Keras (except for ``relu``).

    Args:
        op: The operation, such as ``Conv2D``; the name of a block is returned unchanged.

    Example:
        >>> [snake_name(op) for op in ("Conv2D", "ReLU", "LeakyReLU", "MaxPooling2D", "SimpleRNN", "LSTM", "conv_bn")]
        ['conv2d', 'relu', 'leaky_relu', 'max_pooling2d', 'simple_rnn', 'lstm', 'conv_bn']
    """
    name = op.replace("PReLU", "Prelu").replace("ReLU", "Relu")
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()
