"""Inference requests: JSON, optionally followed by binary tensors."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from numpy.typing import NDArray

from nnspec.runtime.ports import Port
from nnspec.serving.budget import Budget
from nnspec.serving.errors import RequestError
from nnspec.serving.json_keys import require_unique_keys
from nnspec.serving.numbers import Numbers, extract_numbers
from nnspec.serving.tensors import DATATYPES, from_binary, from_json, read_shape
from nnspec.types import closest

HEADER_LENGTH = "Inference-Header-Content-Length"
"""The header with the length of the JSON part of a body, which precedes its binary tensors."""

_PARSED_AT_ONCE = 64 * 1024
"""JSON below this size is parsed at once, which takes less than a millisecond and a few megabytes."""

_KEYS = ("id", "parameters", "inputs", "outputs", "model_name", "model_version")
# Unsupported parameters that would change the result. Unknown parameters are ignored.
_UNSUPPORTED = ("sequence_id", "shared_memory_region", "classification")


@dataclass(frozen=True)
class Inference:
    """A parsed inference request.

    Attributes:
        id: The id of the request, or a generated one.
        inputs: The input arrays by name; their shapes are not validated yet.
        outputs: The requested outputs, and whether each is returned in binary.
    """

    id: str
    inputs: Mapping[str, NDArray[Any]]
    outputs: Mapping[str, bool]


def read_inference(
    body: bytes | bytearray,
    header_length: str | None,
    inputs: Mapping[str, Port],
    outputs: Mapping[str, Port],
    budget: Budget,
) -> Inference:
    """Parse an inference request.

    Args:
        body: The decompressed body.
        header_length: The value of the header `HEADER_LENGTH`; None if the whole body is JSON.
        inputs: The inputs of the model.
        outputs: The outputs of the model.
        budget: The budget of the request.

    Raises:
        RequestError: With 400 if the request is invalid.
    """
    message, numbers, blobs = _split(body, header_length)
    for key in message:
        if key not in _KEYS:
            suggestion = closest(key, _KEYS)
            raise RequestError(
                400, f"unknown key `{key[:100]}` in the request" + (f"; did you mean `{suggestion}`?" if suggestion else "")
            )
    parameters = _parameters(message)
    timeout = _timeout(parameters)
    if timeout is not None:
        budget.shorten(timeout)
    tensors = _tensors(message, "inputs", inputs, "input")
    arrays = {}
    for tensor in tensors:
        port = inputs[tensor["name"]]
        size = _parameters(tensor).get("binary_data_size")
        shape = read_shape(port, tensor)
        if size is None:
            if "data" not in tensor:
                raise RequestError(400, f"the input `{port.name}` has neither `data` nor a `binary_data_size`")
            arrays[port.name] = from_json(port, shape, _data(port, tensor["data"], numbers), budget)
        else:
            arrays[port.name] = from_binary(port, shape, blobs.take(size, port.name))
    blobs.require_empty()
    identity = message.get("id")
    return Inference(
        identity if isinstance(identity, str) and identity else uuid.uuid4().hex,
        arrays,
        _requested_outputs(message, parameters, outputs),
    )


def _data(port: Port, message: Any, numbers: dict[int, Numbers] | None) -> Numbers | list[Any]:
    """The numbers of a tensor: unparsed text, or a list if the request was parsed at once."""
    if not isinstance(message, list):
        raise RequestError(400, f"the data of the input `{port.name}` must be a list")
    if numbers is None:
        return message
    # Each placeholder is used once: a list sent by the client under an escaped key is not a placeholder.
    found = numbers.pop(message[0], None) if len(message) == 1 and type(message[0]) is int else None
    if found is None:
        raise RequestError(400, f"the data of the input `{port.name}` do not all have the datatype {DATATYPES[port.dtype]}")
    return found


class _Blobs:
    """The binary tensors after the JSON, consumed in order."""

    def __init__(self, view: memoryview) -> None:
        self._view = view

    def take(self, size: Any, name: str) -> memoryview:
        if type(size) is not int or size < 0:
            raise RequestError(400, f"the `binary_data_size` of the input `{name}` must be a nonnegative integer")
        if size > len(self._view):
            raise RequestError(400, f"the input `{name}` has {size:,} bytes, but only {len(self._view):,} are left in the body")
        taken, self._view = self._view[:size], self._view[size:]
        return taken

    def require_empty(self) -> None:
        if self._view:
            raise RequestError(400, f"{len(self._view):,} bytes are left in the body after the last input")


def _split(body: bytes | bytearray, header_length: str | None) -> tuple[dict[str, Any], dict[int, Numbers] | None, _Blobs]:
    view = memoryview(body)
    length = len(view)
    if header_length is not None:
        if not (header_length.isascii() and header_length.isdecimal()):
            raise RequestError(400, f"{HEADER_LENGTH} must be a nonnegative integer")
        length = int(header_length[:20])
        if length > len(view):
            raise RequestError(400, f"{HEADER_LENGTH} is {length:,}, but the body has {len(view):,} bytes")
    text, numbers = (view[:length], None) if length < _PARSED_AT_ONCE else extract_numbers(body, length)
    try:
        message = orjson.loads(text)
    except ValueError as error:
        raise RequestError(400, f"the request is not valid JSON: {str(error)[:200]}") from None
    require_unique_keys(text, message)
    if not isinstance(message, dict):
        raise RequestError(400, 'the request must be a JSON object: {"inputs": […]}')
    return message, None if numbers is None else dict(enumerate(numbers)), _Blobs(view[length:])


def _parameters(message: Mapping[str, Any]) -> dict[str, Any]:
    found = message.get("parameters", {})
    if not isinstance(found, dict):
        raise RequestError(400, "`parameters` must be a JSON object")
    for name in _UNSUPPORTED:
        if found.get(name):
            raise RequestError(400, f"the parameter `{name}` is not supported")
    return found


def _tensors(message: Mapping[str, Any], key: str, ports: Mapping[str, Port], kind: str) -> list[dict[str, Any]]:
    """The tensors under a key. Each must name a different port."""
    tensors = message.get(key, [])
    if not isinstance(tensors, list) or not all(isinstance(tensor, dict) for tensor in tensors):
        raise RequestError(400, f"`{key}` must be a list of JSON objects")
    seen = set()
    for tensor in tensors:
        name = tensor.get("name")
        if not isinstance(name, str) or name not in ports:
            suggestion = closest(name, ports) if isinstance(name, str) and len(name) < 200 else None
            hint = f"did you mean `{suggestion}`?" if suggestion else "expected " + ", ".join(map(str, ports.values()))
            raise RequestError(400, f"the model has no {kind} {repr(name)[:100]}; {hint}")
        if name in seen:
            raise RequestError(400, f"duplicate {kind} `{name}`")
        seen.add(name)
    return tensors


def _requested_outputs(
    message: Mapping[str, Any], parameters: Mapping[str, Any], outputs: Mapping[str, Port]
) -> dict[str, bool]:
    default = _flag(parameters, "binary_data_output")
    listed = _tensors(message, "outputs", outputs, "output")
    if not listed:
        return dict.fromkeys(outputs, default)
    return {tensor["name"]: _flag(_parameters(tensor), "binary_data", default) for tensor in listed}


def _flag(parameters: Mapping[str, Any], name: str, default: bool = False) -> bool:
    value = parameters.get(name, default)
    if not isinstance(value, bool):
        raise RequestError(400, f"the parameter `{name}` must be true or false")
    return value


def _timeout(parameters: Mapping[str, Any]) -> float | None:
    """Triton's parameter ``timeout`` in seconds; None if it is absent or 0."""
    value = parameters.get("timeout", 0)
    if type(value) is not int or value < 0:
        raise RequestError(400, "the parameter `timeout` must be a nonnegative integer, in microseconds")
    return value / 1e6 if value else None
