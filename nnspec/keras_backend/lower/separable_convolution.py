"""Convolutions whose channels do not mix, or mix in a second step."""

from __future__ import annotations

from collections.abc import Mapping

from nnspec.keras_backend.call import Lowering
from nnspec.keras_backend.lower.convolution import convolved
from nnspec.layers.base import Layer
from nnspec.layers.separable_convolution import PerChannel

TABLE: Mapping[type[Layer], Lowering] = {PerChannel: convolved}
