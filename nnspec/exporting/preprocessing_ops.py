"""ONNX nodes of the numeric transforms of data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from nnspec.data.recipe import Step
from nnspec.data.transforms import Transform
from nnspec.data.transforms.classes import label_encode, one_hot
from nnspec.data.transforms.numbers import impute, rescale, standardize
from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.proto import ELEMENT


@dataclass(frozen=True)
class Chain:
    """The values between two transforms.

    Attributes:
        tensor: The ONNX tensor.
        dtype: Its element type.
        rank: The number of axes of a row, as the transforms define it.
        tensor_rank: The number of axes of a row in the tensor: one more or one less if a last axis of size 1 is implicit.
    """

    tensor: str
    dtype: str
    rank: int
    tensor_rank: int

    @property
    def is_float(self) -> bool:
        return self.dtype in ("float32", "float64")

    def cast(self, b: Builder, dtype: str) -> Chain:
        """Convert the values to another type."""
        if self.dtype == dtype:
            return self
        return replace(self, tensor=b.op("Cast", self.tensor, to=ELEMENT[dtype]), dtype=dtype)

    def then(self, b: Builder, operator: str, *constants: str) -> Chain:
        """Apply an element-wise operator."""
        return replace(self, tensor=b.op(operator, self.tensor, *constants))

    def constant(self, b: Builder, value: ArrayLike, hint: str) -> str:
        """A constant of the chain's type: a scalar or the shape of a row, with the axes of the tensor."""
        array = np.asarray(value, self.dtype)
        if array.ndim and self.tensor_rank != self.rank:
            array = array[..., None] if self.tensor_rank > self.rank else array[..., 0]
        return b.constant(array, hint)


def _rescale(b: Builder, chain: Chain, step: Step) -> Chain:
    assert isinstance(step.transform, rescale)
    if chain.dtype == "uint8":
        # Same result as Cast and Mul, but faster: ONNX Runtime parallelizes small products.
        scale = b.constant(step.transform.scale, "scale", np.float32)
        chain = replace(chain, tensor=b.op("DequantizeLinear", chain.tensor, scale), dtype="float32")
    else:
        chain = chain.cast(b, "float32")
        chain = chain.then(b, "Mul", chain.constant(b, step.transform.scale, "scale"))
    offset = step.transform.offset
    return chain.then(b, "Add", chain.constant(b, offset, "offset")) if offset else chain


def _standardize(b: Builder, chain: Chain, step: Step) -> Chain:
    assert isinstance(step.transform, standardize)
    mean, deviation = (step.transform.broadcastable(step.learned[name], chain.rank) for name in ("mean", "std"))
    chain = chain if chain.is_float else chain.cast(b, "float32")
    near = mean.astype(chain.dtype)
    made = chain.then(b, "Sub", chain.constant(b, near, "mean"))
    # The rounding error of the mean in float32 matters if the values are close to it; in float64 it is 0.
    rest = mean - near.astype(np.float64)
    if (np.abs(rest) > 1e-9 * deviation).any():
        made = made.then(b, "Sub", chain.constant(b, rest, "mean_rest"))
    return made.then(b, "Div", chain.constant(b, deviation, "std")).cast(b, "float32")


def _impute(b: Builder, chain: Chain, step: Step) -> Chain:
    if not chain.is_float:
        return chain  # integers have no missing values
    value = chain.constant(b, step.learned["value"], "value")
    return replace(chain, tensor=b.op("Where", b.op("IsNaN", chain.tensor), value, chain.tensor))


def _one_hot(b: Builder, chain: Chain, step: Step) -> Chain:
    same = _equals(b, chain, step)
    return replace(same.cast(b, "float32"), rank=chain.rank + 1, tensor_rank=chain.tensor_rank + 1)


def _label_encode(b: Builder, chain: Chain, step: Step) -> Chain:
    count = len(step.learned["classes"])
    same = _equals(b, chain, step).cast(b, "float32")
    # For class i, (i − count) + count = i; for an unknown class the sum is 0 + count.
    index = b.op("MatMul", same.tensor, b.constant(np.arange(count) - count, "index", np.float32))
    index = b.op("Add", index, b.constant(count, "unknown", np.float32))
    return replace(chain, tensor=index, dtype="float32").cast(b, "int64")


def _equals(b: Builder, chain: Chain, step: Step) -> Chain:
    """Compare each value with each class, along a new last axis."""
    classes = step.learned["classes"]
    if not chain.is_float:
        chain = chain.cast(b, "int64" if all(isinstance(label, int) for label in classes) else "float64")
    wide = b.op("Unsqueeze", chain.tensor, b.ints([-1], "axes"))
    return replace(chain, tensor=b.op("Equal", wide, b.constant(classes, "classes", chain.dtype)), dtype="bool")


PREPROCESSING_OPS: Mapping[type[Transform], Callable[[Builder, Chain, Step], Chain]] = {
    impute: _impute,
    label_encode: _label_encode,
    one_hot: _one_hot,
    rescale: _rescale,
    standardize: _standardize,
}
"""The lowering of each numeric transform. Text, ragged rows and resized images are handled outside the graph."""
