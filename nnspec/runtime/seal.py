"""The parity record of an exported model, and the digest that binds it to the file.

The digest covers the rest of the file: graph, weights and the other metadata. It detects mistakes (a file that was patched,
quantized or merged), not forgery: it is not a signature. It is read from protobuf's wire format, without ``onnx``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from math import isfinite
from typing import Any
from zlib import crc32

from nnspec.diagnostics import NnspecError
from nnspec.runtime.metadata import PARITY

DIGEST = "sha256"
"""The key of the digest in the record."""

CONSTANTS = "constants"
"""The key of the checksums of the constants in the record."""

_METADATA = 14
"""``ModelProto.metadata_props``, each a key (field 1) and a value (field 2)."""

_GRAPH, _CONSTANT, _NAME = 7, 5, 8
"""``ModelProto.graph``, ``GraphProto.initializer`` and ``TensorProto.name``."""


def require_proven(content: bytes, metadata: Mapping[str, str], name: str) -> None:
    """Require a valid parity record.

    Args:
        content: The file's bytes.
        metadata: The file's metadata.
        name: The model's name in error messages.

    Raises:
        NnspecError: If the record is missing or damaged, reports a difference, or belongs to another file.
    """
    if PARITY not in metadata:
        raise NnspecError(f"{name} has no parity record\n  = help: write it with `nnspec export`, or allow it with --unproven")
    try:
        record = json.loads(metadata[PARITY])
        figures = list(_errors(record))
    except (ValueError, RecursionError, AttributeError, KeyError, TypeError):
        raise NnspecError(f"{name} has a damaged parity record\n  = help: export it again") from None
    differing = [output for output, error, tolerance in figures if not (isfinite(error) and error <= tolerance)]
    if differing or not figures:
        what = f"`{differing[0]}` differs from the trained model" if differing else "nothing was compared"
        raise NnspecError(f"{name} is not verified: according to its parity record, {what}\n  = help: export it again")
    try:
        holds = record.get(DIGEST) == digest_of(content)
    except ValueError:
        holds = False
    if not holds:
        raise NnspecError(
            f"{name} was modified: its parity record belongs to a different file\n"
            "  = help: export it again, or allow it with --unproven"
        )


def metadata_of(content: bytes) -> dict[str, str]:
    """Read a model's metadata from its bytes, without loading the model.

    Raises:
        ValueError: If the bytes are not a model.
    """
    view = memoryview(content)
    entries = [view[body:end] for number, _, body, end in _fields(view) if number == _METADATA]
    return {bytes(_text(entry, 1)).decode(): bytes(_text(entry, 2)).decode() for entry in entries}


def deciding(output: Mapping[str, Any]) -> Mapping[str, Any]:
    """The error and tolerance that decided on an output: those against float64 if they were computed.

    Args:
        output: The record of the output.
    """
    found: Mapping[str, Any] = output.get("float64", output)
    return found


def undecided(output: Mapping[str, Any]) -> str:
    """The share of elements that could not be compared, because a tiny change makes them jump; empty if none can.

    Args:
        output: The record of the output.

    Example:
        >>> undecided({"error": 0.0, "tolerance": 1e-5, "undecided": 0.0012}), undecided({"error": 0.0})
        ('0.12%', '')
    """
    return f"{output['undecided']:.2%}" if "undecided" in output else ""


def checksums_of(content: bytes) -> dict[str, str]:
    """Compute the checksum of each constant of a model, by name.

    Args:
        content: The file's bytes.

    Raises:
        ValueError: If the bytes are not a model.
    """
    model = memoryview(content)
    graphs = [model[body:end] for number, _, body, end in _fields(model) if number == _GRAPH]
    constants = [graph[body:end] for graph in graphs for number, _, body, end in _fields(graph) if number == _CONSTANT]
    return {bytes(_text(constant, _NAME)).decode(errors="replace"): f"{crc32(constant):08x}" for constant in constants}


def damage_of(content: bytes, metadata: Mapping[str, str]) -> str:
    """Describe what of a file differs from what was exported; empty if nothing does.

    Args:
        content: The file's bytes.
        metadata: The file's metadata, with a parity record.

    Raises:
        ValueError: If the bytes are not a model, or the record is damaged.
    """
    record = json.loads(metadata[PARITY])
    if record.get(DIGEST) == digest_of(content):
        return ""
    recorded, found = record.get(CONSTANTS, {}), checksums_of(content)
    changed = [f"`{name}`" for name, checksum in recorded.items() if found.get(name, checksum) != checksum]
    missing = [f"`{name}`" for name in recorded if name not in found]
    parts = [
        f"{', '.join(names[:_SHOWN])}{f' and {len(names) - _SHOWN} more' if len(names) > _SHOWN else ''} {word}"
        for names, word in ((changed, "changed"), (missing, "missing"))
        if names
    ]
    return "; ".join(parts) or "its nodes or its metadata changed, no constant did"


_SHOWN = 5


def _errors(record: Mapping[str, Any]) -> Iterator[tuple[str, float, float]]:
    for own in record.get("networks", {"": record}).values():
        for part in (own, own.get("drawn_weights", {"outputs": {}})):
            for output, entry in part["outputs"].items():
                decided = deciding(entry)
                yield output, float(decided["error"]), float(decided["tolerance"])


def digest_of(content: bytes) -> str:
    """The digest of all fields of a model except its parity record."""
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
    """The fields of a message: number, start, start of the content, end.

    Raises:
        ValueError: If the bytes are not a protobuf message.
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
            raise ValueError("not a protobuf message")
        if place > len(view):
            raise ValueError("truncated")
        yield tag >> 3, start, body, place


def _varint(view: memoryview, place: int) -> tuple[int, int]:
    value = shift = 0
    while place < len(view) and shift < 64:
        byte = view[place]
        value |= (byte & 127) << shift
        place, shift = place + 1, shift + 7
        if byte < 128:
            return value, place
    raise ValueError("truncated")
