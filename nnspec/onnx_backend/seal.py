"""The parity record of a model, bound to the model it was made of: a file that was changed afterwards is told from it.

The record carries a digest of everything else in the file: the graph, the weights, and what it says of its classes and its
data. It is a check against mistakes (a file patched, quantized or put together from two), not a signature: whoever wants to
deceive can write a new one. It is read without ``onnx``, from protobuf's wire format.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from math import isfinite
from typing import TYPE_CHECKING, Any

from nnspec.diagnostics import NnspecError
from nnspec.onnx_backend.metadata import PARITY

if TYPE_CHECKING:
    from onnx import ModelProto

__all__ = ["deciding", "metadata_of", "require_proven", "sealed"]

_DIGEST = "sha256"
_METADATA = 14
"""``ModelProto.metadata_props``, each a key (field 1) and a value (field 2)."""


def sealed(model: ModelProto, record: Mapping[str, Any]) -> bytes:
    """The model's bytes with its parity record and the digest of all else.

    Args:
        model: The model; the record is added to what it says of itself.
        record: How far it is from its reference, as plain values.
    """
    from onnx import helper

    from nnspec.onnx_backend.proto import serialized

    told = {entry.key: entry.value for entry in model.metadata_props if entry.key != PARITY}
    helper.set_model_props(model, dict(sorted(told.items())))
    record = {**record, _DIGEST: _digest(serialized(model))}
    helper.set_model_props(model, dict(sorted({**told, PARITY: json.dumps(record)}.items())))
    return serialized(model)


def require_proven(content: bytes, metadata: Mapping[str, str], name: str) -> None:
    """Refuses a model that nobody has proven equal to what was trained, or that was changed since.

    Args:
        content: The file's bytes.
        metadata: What it says of itself.
        name: What it is called in the error.

    Raises:
        NnspecError: That says what is wrong with its record.
    """
    if PARITY not in metadata:
        raise NnspecError(f"{name} has no parity record\n  = help: write it with `nnspec export`, or allow it with --unproven")
    try:
        record = json.loads(metadata[PARITY])
        figures = list(_figures(record))
    except (ValueError, RecursionError, AttributeError, KeyError, TypeError):
        raise NnspecError(f"{name} has a damaged parity record\n  = help: export it again") from None
    differing = [output for output, error, tolerance in figures if not (isfinite(error) and error <= tolerance)]
    if differing or not figures:
        what = f"`{differing[0]}` differs from the trained model" if differing else "nothing was compared"
        raise NnspecError(f"{name} is not proven: its parity record says that {what}\n  = help: export it again")
    try:
        holds = record.get(_DIGEST) == _digest(content)
    except ValueError:
        holds = False
    if not holds:
        raise NnspecError(
            f"{name} is not the file that was proven: its parity record is of another\n"
            "  = help: export it again, or allow it with --unproven"
        )


def metadata_of(content: bytes) -> dict[str, str]:
    """What a model says of itself, read off its bytes: nothing is loaded or computed.

    Raises:
        ValueError: Where these are no model.
    """
    view = memoryview(content)
    entries = [view[body:end] for number, _, body, end in _fields(view) if number == _METADATA]
    return {bytes(_text(entry, 1)).decode(): bytes(_text(entry, 2)).decode() for entry in entries}


def deciding(output: Mapping[str, Any]) -> Mapping[str, Any]:
    """The error and the tolerance that decided on one output of a record: those against float64, if it was asked.

    Args:
        output: The record of the output.
    """
    found: Mapping[str, Any] = output.get("float64", output)
    return found


def _figures(record: Mapping[str, Any]) -> Iterator[tuple[str, float, float]]:
    for own in record.get("networks", {"": record}).values():
        for part in (own, own.get("drawn_weights", {"outputs": {}})):
            for output, said in part["outputs"].items():
                decided = deciding(said)
                yield output, float(decided["error"]), float(decided["tolerance"])


def _digest(content: bytes) -> str:
    """The digest of all fields of a model but its parity record."""
    digest = hashlib.sha256()
    view = memoryview(content)
    for number, start, body, end in _fields(view):
        if number == _METADATA and bytes(_text(view[body:end], 1)) == PARITY.encode():
            continue
        digest.update(view[start:end])
    return digest.hexdigest()


def _text(view: memoryview, wanted: int) -> memoryview:
    return next((view[body:end] for number, _, body, end in _fields(view) if number == wanted), view[:0])


def _fields(view: memoryview) -> Iterator[tuple[int, int, int, int]]:
    """The fields of a message: number, where it starts, where what it holds starts, where it ends.

    Raises:
        ValueError: Where this is no message.
    """
    place = 0
    while place < len(view):
        start = place
        tag, place = _varint(view, place)
        kind = tag & 7
        if kind == 0:
            body = place
            _, place = _varint(view, place)
        elif kind == 2:
            size, body = _varint(view, place)
            place = body + size
        elif kind in (1, 5):
            body, place = place, place + (8 if kind == 1 else 4)
        else:
            raise ValueError("no protobuf")
        if place > len(view):
            raise ValueError("cut short")
        yield tag >> 3, start, body, place


def _varint(view: memoryview, place: int) -> tuple[int, int]:
    value = shift = 0
    while place < len(view) and shift < 64:
        byte = view[place]
        value |= (byte & 127) << shift
        place, shift = place + 1, shift + 7
        if byte < 128:
            return value, place
    raise ValueError("cut short")
