"""Random augmentation of images: no nodes in inference."""

from __future__ import annotations

from collections.abc import Mapping

from nnspec.layers.augmentation import Augmentation
from nnspec.layers.base import Layer
from nnspec.onnx_backend.call import Lowering
from nnspec.onnx_backend.lower.interfaces import nothing

TABLE: Mapping[type[Layer], Lowering] = {Augmentation: nothing}
