"""Conversion of outputs to the units of the data, as the last nodes of an exported model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.data.units import Units
from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.preprocessing import OutputPostprocessing
from nnspec.onnx_backend.proto import ELEMENT

__all__ = ["unit_postprocessing"]


def unit_postprocessing(units: Mapping[str, Units], shown: Mapping[str, str]) -> dict[str, OutputPostprocessing]:
    """Build the postprocessing of outputs that are in other units than the data.

    Args:
        units: The units, by the document's outputs. Units that differ between series are not embedded: the graph does not
            know the series of a row.
        shown: The model's name of each output of the document that it has.
    """
    return {shown[name]: _exit(shown[name], own) for name, own in units.items() if name in shown and not own.labels}


def _exit(name: str, units: Units) -> OutputPostprocessing:
    dtype = "float64" if units.is_far else "float32"

    def lower(b: Builder, tensor: str) -> str:
        with b.at(f"{name}/units"):
            made = b.op("Cast", tensor, to=ELEMENT[dtype])
            made = b.op("Mul", made, b.constant(units.scale.astype(dtype), "scale"))
            return b.op("Add", made, b.constant(units.offset.astype(dtype), "offset"))

    def apply(values: NDArray[Any]) -> NDArray[Any]:
        return units.to_data(np.asarray(values, np.float64))

    return OutputPostprocessing(dtype, lower, apply)
