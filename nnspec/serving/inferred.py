"""The response to an inference, written a little at a time and counted in the request's memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from nnspec.serving.budget import Budget
from nnspec.serving.messages import HEADER_LENGTH, Inference
from nnspec.serving.tensors import DATATYPES

__all__ = ["write_inference"]

_STEP = 16 * 1024
"""Numbers that are written at once: about a millisecond."""


def write_inference(
    wanted: Inference, answers: Mapping[str, NDArray[Any]], name: str, version: str, budget: Budget
) -> tuple[bytearray, dict[str, str]]:
    """The response's body and headers.

    Raises:
        Refused: Where there is no room for it, or the time is over.
    """
    written = _Written(budget)
    told: dict[str, Any] = {"model_name": name, "model_version": version, "id": wanted.id}
    written.add(orjson.dumps(told)[:-1] + b',"outputs":[')
    blobs = []
    for place, (output, binary) in enumerate(wanted.outputs.items()):
        array = answers[output]
        told = {"name": output, "datatype": DATATYPES[array.dtype.name], "shape": list(array.shape)}
        if binary:
            blobs.append(array)
            told["parameters"] = {"binary_data_size": array.nbytes}
        written.add(b"," * bool(place) + orjson.dumps(told)[:-1])
        if not binary:
            written.add(b',"data":[')
            written.add_numbers(array)
            written.add(b"]")
        written.add(b"}")
    written.add(b"]}")
    length = len(written.body)
    for array in blobs:
        written.add_bytes(array)
    if not blobs:
        return written.body, {"Content-Type": "application/json"}
    return written.body, {"Content-Type": "application/octet-stream", HEADER_LENGTH: str(length)}


class _Written:
    """A body that is written a little at a time, counted in the request's memory."""

    def __init__(self, budget: Budget) -> None:
        self.body = bytearray()
        self._budget = budget

    def add(self, part: bytes | memoryview) -> None:
        self._budget.room.take(len(part))
        self.body += part

    def add_numbers(self, array: NDArray[Any]) -> None:
        flat = np.ascontiguousarray(array).reshape(-1)
        for start in range(0, len(flat), _STEP):
            self._budget.require_time()
            part = flat[start : start + _STEP]
            # What is not finite becomes null: JSON has no word for it. orjson takes no float16.
            part = part.astype(np.float32) if part.dtype == np.float16 else part
            self.add(b"," * bool(start) + orjson.dumps(part, option=orjson.OPT_SERIALIZE_NUMPY)[1:-1])

    def add_bytes(self, array: NDArray[Any]) -> None:
        plain = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
        self.add(plain.reshape(-1).view(np.uint8).data)
