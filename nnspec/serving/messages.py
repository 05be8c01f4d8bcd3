"""A request for an inference: its JSON, and what lies behind it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from numpy.typing import NDArray

from nnspec.runtime.ports import Port
from nnspec.serving.budget import Budget
from nnspec.serving.json_keys import require_unique_keys
from nnspec.serving.numbers import Numbers, without_numbers
from nnspec.serving.refusals import Refused
from nnspec.serving.tensors import DATATYPES, from_binary, from_json, named
from nnspec.types import closest

__all__ = ["HEADER_LENGTH", "Inference", "read_inference"]

HEADER_LENGTH = "Inference-Header-Content-Length"
"""The header that says where a body's JSON ends and its binary tensors begin."""

_WHOLE = 64 * 1024
"""Bytes of a message below which it is parsed at once: that takes less than a millisecond, and a few megabytes."""

_KEYS = ("id", "parameters", "inputs", "outputs", "model_name", "model_version")
# What would change the answer, and is not here; a parameter that means nothing to us may be left aside.
_NOT_HERE = ("sequence_id", "shared_memory_region", "classification")


@dataclass(frozen=True)
class Inference:
    """What a client asks for.

    Attributes:
        id: The request's, or one made up.
        inputs: The arrays by name; their shapes are not looked at yet.
        outputs: The outputs that are wanted, and whether each in binary.
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
    """Reads a request.

    Args:
        body: Its body, unpacked.
        header_length: The value of the header of that name; None where all of the body is JSON.
        inputs: The model's.
        outputs: The model's.
        budget: What the request may use; its memory and its time are counted.

    Raises:
        Refused: With 400, where it is none.
    """
    said, numbers, blobs = _divided(body, header_length)
    for key in said:
        if key not in _KEYS:
            meant = closest(key, _KEYS)
            raise Refused(400, f"a request has no `{key[:100]}`" + (f"; did you mean `{meant}`?" if meant else ""))
    parameters = _parameters(said)
    timeout = _timeout(parameters)
    if timeout is not None:
        budget.shorten(timeout)
    tensors = _listed(said, "inputs", inputs, "input")
    arrays = {}
    for tensor in tensors:
        port = inputs[tensor["name"]]
        size = _parameters(tensor).get("binary_data_size")
        shape = named(port, tensor)
        if size is None:
            if "data" not in tensor:
                raise Refused(400, f"the input `{port.name}` has neither `data` nor a `binary_data_size`")
            arrays[port.name] = from_json(port, shape, _numbers(port, tensor["data"], numbers), budget)
        else:
            arrays[port.name] = from_binary(port, shape, blobs.take(size, port.name))
    blobs.require_empty()
    identity = said.get("id")
    return Inference(
        identity if isinstance(identity, str) and identity else uuid.uuid4().hex,
        arrays,
        _wanted(said, parameters, outputs),
    )


def _numbers(port: Port, said: Any, numbers: dict[int, Numbers] | None) -> Numbers | list[Any]:
    """The numbers of a message, or of one that was read whole their list."""
    if not isinstance(said, list):
        raise Refused(400, f"the data of the input `{port.name}` must be a list")
    if numbers is None:
        return said
    # Each is taken once: a list of the client's own, under a key that is written with escapes, is none of them.
    found = numbers.pop(said[0], None) if len(said) == 1 and type(said[0]) is int else None
    if found is None:
        raise Refused(400, f"the data of the input `{port.name}` are not all of the datatype {DATATYPES[port.dtype]}")
    return found


class _Blobs:
    """What lies behind the JSON, taken from the front."""

    def __init__(self, view: memoryview) -> None:
        self._view = view

    def take(self, size: Any, name: str) -> memoryview:
        if type(size) is not int or size < 0:
            raise Refused(400, f"the `binary_data_size` of the input `{name}` must be a whole number from 0")
        if size > len(self._view):
            raise Refused(400, f"the input `{name}` has {size:,} bytes, and {len(self._view):,} are left in the body")
        taken, self._view = self._view[:size], self._view[size:]
        return taken

    def require_empty(self) -> None:
        if self._view:
            raise Refused(400, f"{len(self._view):,} bytes are left in the body behind the last input")


def _divided(body: bytes | bytearray, header_length: str | None) -> tuple[dict[str, Any], dict[int, Numbers] | None, _Blobs]:
    view = memoryview(body)
    length = len(view)
    if header_length is not None:
        if not (header_length.isascii() and header_length.isdecimal()):
            raise Refused(400, f"{HEADER_LENGTH} must be a whole number from 0")
        length = int(header_length[:20])
        if length > len(view):
            raise Refused(400, f"{HEADER_LENGTH} is {length:,}, and the body has {len(view):,} bytes")
    head, numbers = (view[:length], None) if length < _WHOLE else without_numbers(body, length)
    try:
        said = orjson.loads(head)
    except ValueError as error:
        raise Refused(400, f"the request is no JSON: {str(error)[:200]}") from None
    require_unique_keys(head, said)
    if not isinstance(said, dict):
        raise Refused(400, 'the request must be a JSON object: {"inputs": […]}')
    return said, None if numbers is None else dict(enumerate(numbers)), _Blobs(view[length:])


def _parameters(said: Mapping[str, Any]) -> dict[str, Any]:
    found = said.get("parameters", {})
    if not isinstance(found, dict):
        raise Refused(400, "`parameters` must be a JSON object")
    for name in _NOT_HERE:
        if found.get(name):
            raise Refused(400, f"the parameter `{name}` is not supported")
    return found


def _listed(said: Mapping[str, Any], key: str, ports: Mapping[str, Port], kind: str) -> list[dict[str, Any]]:
    """The tensors under a key, each of a port, none twice."""
    tensors = said.get(key, [])
    if not isinstance(tensors, list) or not all(isinstance(tensor, dict) for tensor in tensors):
        raise Refused(400, f"`{key}` must be a list of JSON objects")
    seen = set()
    for tensor in tensors:
        name = tensor.get("name")
        if not isinstance(name, str) or name not in ports:
            meant = closest(name, ports) if isinstance(name, str) and len(name) < 200 else None
            hint = f"did you mean `{meant}`?" if meant else "it has " + ", ".join(map(str, ports.values()))
            raise Refused(400, f"the model has no {kind} {repr(name)[:100]}; {hint}")
        if name in seen:
            raise Refused(400, f"the {kind} `{name}` is named twice")
        seen.add(name)
    return tensors


def _wanted(said: Mapping[str, Any], parameters: Mapping[str, Any], outputs: Mapping[str, Port]) -> dict[str, bool]:
    default = _flag(parameters, "binary_data_output")
    listed = _listed(said, "outputs", outputs, "output")
    if not listed:
        return dict.fromkeys(outputs, default)
    return {tensor["name"]: _flag(_parameters(tensor), "binary_data", default) for tensor in listed}


def _flag(parameters: Mapping[str, Any], name: str, default: bool = False) -> bool:
    value = parameters.get(name, default)
    if not isinstance(value, bool):
        raise Refused(400, f"the parameter `{name}` must be true or false")
    return value


def _timeout(parameters: Mapping[str, Any]) -> float | None:
    """Triton's ``timeout``, in microseconds; 0 is none."""
    value = parameters.get("timeout", 0)
    if type(value) is not int or value < 0:
        raise Refused(400, "the parameter `timeout` must be a whole number of microseconds from 0")
    return value / 1e6 if value else None
