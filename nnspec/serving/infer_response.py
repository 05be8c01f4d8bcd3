"""Responses to inference requests, written incrementally within the memory budget."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from nnspec.serving.budget import Budget
from nnspec.serving.infer_request import HEADER_LENGTH, Inference
from nnspec.serving.tensors import DATATYPES

_STEP = 16 * 1024
"""Numbers serialized per step, about one millisecond."""


def write_inference(
    request: Inference, results: Mapping[str, NDArray[Any]], name: str, version: str, budget: Budget
) -> tuple[bytearray, dict[str, str]]:
    """Serialize a response to its body and headers.

    Raises:
        RequestError: If the memory is exhausted or the deadline expires.
    """
    written = _Writer(budget)
    header: dict[str, Any] = {"model_name": name, "model_version": version, "id": request.id}
    written.add(orjson.dumps(header)[:-1] + b',"outputs":[')
    blobs = []
    for index, (output, binary) in enumerate(request.outputs.items()):
        written.add(b"," * bool(index))
        written.add_tensor(output, results[output], binary=binary)
        blobs += [results[output]] if binary else []
    written.add(b"]}")
    length = len(written.body)
    for array in blobs:
        written.add_bytes(array)
    if not blobs:
        return written.body, {"Content-Type": "application/json"}
    return written.body, {"Content-Type": "application/octet-stream", HEADER_LENGTH: str(length)}


def write_request(inputs: Mapping[str, NDArray[Any]], budget: Budget) -> bytearray:
    """Serialize inputs as the request to ``/v2/models/M/infer`` that they are.

    Raises:
        RequestError: If the memory is exhausted or the deadline expires.
    """
    written = _Writer(budget)
    written.add(b'{"inputs":[')
    for index, (name, array) in enumerate(inputs.items()):
        written.add(b"," * bool(index))
        written.add_tensor(name, array)
    written.add(b"]}")
    return written.body


class _Writer:
    """Writes a body incrementally and reserves memory for each part."""

    def __init__(self, budget: Budget) -> None:
        self.body = bytearray()
        self._budget = budget

    def add(self, part: bytes | memoryview) -> None:
        self._budget.memory.reserve(len(part))
        self.body += part

    def add_tensor(self, name: str, array: NDArray[Any], *, binary: bool = False) -> None:
        """Add the JSON object of a tensor; if it is binary, without its data."""
        header: dict[str, Any] = {"name": name, "datatype": DATATYPES[array.dtype.name], "shape": list(array.shape)}
        if binary:
            self.add(orjson.dumps({**header, "parameters": {"binary_data_size": array.nbytes}}))
            return
        self.add(orjson.dumps(header)[:-1] + b',"data":[')
        self.add_numbers(array)
        self.add(b"]}")

    def add_numbers(self, array: NDArray[Any]) -> None:
        flat = np.ascontiguousarray(array).reshape(-1)
        for start in range(0, len(flat), _STEP):
            self._budget.require_time()
            part = flat[start : start + _STEP]
            # NaN and infinity become null, since JSON cannot represent them. orjson does not support float16.
            part = part.astype(np.float32) if part.dtype == np.float16 else part
            self.add(b"," * bool(start) + orjson.dumps(part, option=orjson.OPT_SERIALIZE_NUMPY)[1:-1])

    def add_bytes(self, array: NDArray[Any]) -> None:
        plain = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
        self.add(plain.reshape(-1).view(np.uint8).data)
