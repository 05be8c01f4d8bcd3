"""Random color changes of images, and augmentation policies: no nodes in inference."""

from __future__ import annotations

from collections.abc import Mapping

from nnspec.layers.base import Layer
from nnspec.layers.image_color import (
    RandAugment,
    RandomColorDegeneration,
    RandomColorJitter,
    RandomGrayscale,
    RandomHue,
    RandomSaturation,
)
from nnspec.onnx_backend.call import Lowering
from nnspec.onnx_backend.lower.regularization import nothing

__all__ = ["TABLE"]

TABLE: Mapping[type[Layer], Lowering] = {
    RandAugment: nothing,
    RandomColorDegeneration: nothing,
    RandomColorJitter: nothing,
    RandomGrayscale: nothing,
    RandomHue: nothing,
    RandomSaturation: nothing,
}
