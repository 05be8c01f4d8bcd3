"""Custom Keras layers: those that Keras does not have, and fixed versions of Keras's layers.

Importing this registers every class under ``nnspec>NAME``, so that a saved model that has one loads. A registered name and
a class's own name are part of saved files (Keras files a layer's weights by its class's name): neither may change.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nnspec.keras_backend.layers.attention import GroupQueryAttention, MultiHeadAttention
from nnspec.keras_backend.layers.boxes import AnchorBoxes, ClipBoxes, DecodeBoxes, EncodeBoxes
from nnspec.keras_backend.layers.broadcast_sum import BroadcastAdd, BroadcastAverage
from nnspec.keras_backend.layers.composed_images import RandomMosaic, RandomResizedCrop
from nnspec.keras_backend.layers.compute import Compute
from nnspec.keras_backend.layers.einsum_dense import EinsumDense
from nnspec.keras_backend.layers.images import CenterCrop, RandomCrop, RandomShear, UpSampling2D
from nnspec.keras_backend.layers.matching import MatchBoxes, SampleProposals
from nnspec.keras_backend.layers.parameter import Parameter
from nnspec.keras_backend.layers.pooling import AdaptivePooling
from nnspec.keras_backend.layers.positions import PositionEmbedding, SinusoidalPositionEncoding
from nnspec.keras_backend.layers.recurrence import CELLS, Recurrence
from nnspec.keras_backend.layers.recurrent import GatedLSTMCell
from nnspec.keras_backend.layers.regions import RoIAlign, RoIPooling
from nnspec.keras_backend.layers.reversible_embedding import ReversibleEmbedding
from nnspec.keras_backend.layers.sampling import Sampling
from nnspec.keras_backend.layers.sizes_and_masks import KnownSizes, Masked
from nnspec.keras_backend.layers.standardization import Normalization
from nnspec.keras_backend.layers.suppression import NonMaxSuppression
from nnspec.keras_backend.layers.time_distributed import BatchToSteps, EveryStep, StepsToBatch
from nnspec.keras_backend.layers.transposed_convolution import DILATED
from nnspec.keras_backend.layers.unpooling import MaxPoolingWithIndices2D, MaxUnpooling2D

__all__ = [
    "CELLS",
    "DEFAULTS",
    "DILATED",
    "AdaptivePooling",
    "AnchorBoxes",
    "BatchToSteps",
    "BroadcastAdd",
    "BroadcastAverage",
    "CenterCrop",
    "ClipBoxes",
    "Compute",
    "DecodeBoxes",
    "EinsumDense",
    "EncodeBoxes",
    "EveryStep",
    "GatedLSTMCell",
    "GroupQueryAttention",
    "KnownSizes",
    "Masked",
    "MatchBoxes",
    "MaxPoolingWithIndices2D",
    "MaxUnpooling2D",
    "MultiHeadAttention",
    "NonMaxSuppression",
    "Normalization",
    "Parameter",
    "PositionEmbedding",
    "RandomCrop",
    "RandomMosaic",
    "RandomResizedCrop",
    "RandomShear",
    "Recurrence",
    "ReversibleEmbedding",
    "RoIAlign",
    "RoIPooling",
    "SampleProposals",
    "Sampling",
    "SinusoidalPositionEncoding",
    "StepsToBatch",
    "UpSampling2D",
]

DEFAULTS: Mapping[str, Any] = {
    kind.__name__: kind
    for kind in (
        BatchToSteps,
        ClipBoxes,
        DecodeBoxes,
        EncodeBoxes,
        NonMaxSuppression,
        Normalization,
        Parameter,
        PositionEmbedding,
        RandomCrop,
        RandomMosaic,
        RandomResizedCrop,
        RandomShear,
        ReversibleEmbedding,
        RoIAlign,
        RoIPooling,
        Sampling,
        SinusoidalPositionEncoding,
        StepsToBatch,
    )
}
"""Layers that are always built instead of Keras's layer of the same name, by that name."""
