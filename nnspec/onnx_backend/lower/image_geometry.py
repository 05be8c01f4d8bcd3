"""Random geometric changes of images: no nodes in inference."""

from __future__ import annotations

from collections.abc import Mapping

from nnspec.layers.base import Layer
from nnspec.layers.image_geometry import (
    RandomElasticTransform,
    RandomFlip,
    RandomPerspective,
    RandomRotation,
    RandomShear,
    RandomTranslation,
    RandomZoom,
)
from nnspec.onnx_backend.call import Lowering
from nnspec.onnx_backend.lower.regularization import nothing

__all__ = ["TABLE"]

TABLE: Mapping[type[Layer], Lowering] = {
    RandomElasticTransform: nothing,
    RandomFlip: nothing,
    RandomPerspective: nothing,
    RandomRotation: nothing,
    RandomShear: nothing,
    RandomTranslation: nothing,
    RandomZoom: nothing,
}
