"""Random changes of brightness, contrast and detail of images: no nodes in inference."""

from __future__ import annotations

from collections.abc import Mapping

from nnspec.layers.base import Layer
from nnspec.layers.image_values import (
    RandomBrightness,
    RandomContrast,
    RandomErasing,
    RandomGaussianBlur,
    RandomInvert,
    RandomPosterization,
    RandomSharpness,
    Solarization,
)
from nnspec.onnx_backend.call import Lowering
from nnspec.onnx_backend.lower.regularization import nothing

__all__ = ["TABLE"]

TABLE: Mapping[type[Layer], Lowering] = {
    RandomBrightness: nothing,
    RandomContrast: nothing,
    RandomErasing: nothing,
    RandomGaussianBlur: nothing,
    RandomInvert: nothing,
    RandomPosterization: nothing,
    RandomSharpness: nothing,
    Solarization: nothing,
}
