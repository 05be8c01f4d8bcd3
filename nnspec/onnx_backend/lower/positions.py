"""Learned and sinusoidal position encodings."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from nnspec.layers.base import Layer
from nnspec.layers.positions import PositionEmbedding, SinusoidalPositionEncoding
from nnspec.layers.time_dependence import POSITION
from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.call import Array, Call, Lowering
from nnspec.onnx_backend.layout import declared
from nnspec.onnx_backend.value import Value


def _learned(b: Builder, call: Call[PositionEmbedding]) -> Value:
    x, table = declared(b, call.x), call.weights["embeddings"]
    steps = x.type.shape[0]
    if POSITION in call.inputs:
        vectors = _at(b, call, b.constant(table, "embeddings"))
    elif isinstance(steps, int):
        vectors = b.constant(table[:steps], "embeddings")
    else:
        bounds = [b.ints([0], "from"), b.op("Shape", x.name, start=1, end=2), b.ints([0], "axis")]
        vectors = b.op("Slice", b.constant(table, "embeddings"), *bounds)
    return x.with_name(b.op("Add", x.name, vectors))


def _fixed(b: Builder, call: Call[SinusoidalPositionEncoding]) -> Value:
    """Write a sinusoidal encoding: a constant if the number of steps is known, else computed."""
    x = declared(b, call.x)
    steps, features = x.type.shape
    assert isinstance(features, int)
    index = np.arange(features)
    rates = np.power(call.layer.max_wavelength, -(2.0 * (index // 2) / features)).astype(np.float32)
    if POSITION in call.inputs:
        place = b.op("Cast", call.inputs[POSITION].name, to=1)
        positions = b.op("Unsqueeze", place, b.ints([1, 2], "features"))
        return x.with_name(b.op("Add", x.name, _waves(b, positions, index, rates)))
    if isinstance(steps, int):
        angles = np.arange(steps, dtype=np.float32)[:, None] * rates
        table = np.where(index % 2 == 0, np.sin(angles), np.cos(angles)).astype(np.float32)
        return x.with_name(b.op("Add", x.name, b.constant(table, "positions")))
    zero, one = b.constant(0, "first", np.int64), b.constant(1, "step", np.int64)
    count = b.op("Squeeze", b.op("Shape", x.name, start=1, end=2))
    positions = b.op("Unsqueeze", b.op("Cast", b.op("Range", zero, count, one), to=1), b.ints([1], "features"))
    return x.with_name(b.op("Add", x.name, _waves(b, positions, index, rates)))


def _waves(b: Builder, positions: str, index: NDArray[np.signedinteger], rates: Array) -> str:
    swung = b.op("Mul", positions, b.constant(rates, "rates"))
    return b.op("Where", b.constant(index % 2 == 0, "even"), b.op("Sin", swung), b.op("Cos", swung))


def _at(b: Builder, call: Call[PositionEmbedding], table: str) -> str:
    """The encoding of a single position, for each example: batch, 1, features."""
    return b.op("Gather", table, b.op("Unsqueeze", call.inputs[POSITION].name, b.ints([1], "steps")))


TABLE: Mapping[type[Layer], Lowering] = {PositionEmbedding: _learned, SinusoidalPositionEncoding: _fixed}
