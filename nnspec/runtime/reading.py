"""What is read of a model's file: its bytes, and what it says of itself. Anyone may have written it: all of it is checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError

from nnspec.data.kinds import Answer
from nnspec.data.units import Units
from nnspec.diagnostics import NnspecError
from nnspec.onnx_backend.metadata import (
    ANSWERS,
    CLASSES,
    CONDITIONS,
    DATA,
    FIELDS,
    MAPS,
    OUTPUTS,
    PARITY,
    ROWS,
    SPELLINGS,
    UNITS,
)
from nnspec.runtime.spelling import Spelling
from nnspec.runtime.tiling import Sight
from nnspec.types import Conditions

__all__ = ["read_all_metadata", "read_metadata", "read_model"]

_WIDEST = 1_000_000
"""The widest receptive field that is believed."""

_Size = Annotated[int, Field(ge=1, le=_WIDEST)]


def read_model(path: Path) -> bytes:
    """The bytes of a model's file.

    Raises:
        NnspecError: Where it cannot be read.
    """
    try:
        return path.read_bytes()
    except IsADirectoryError:
        raise NnspecError(f"`{path}` is a folder; name the .onnx file in it") from None
    except OSError as error:
        raise NnspecError(f"cannot read `{path}`: {error.strerror}") from error


def read_metadata(metadata: Mapping[str, str], key: str, name: str) -> dict[str, Any]:
    """What a file says under a key of its metadata; nothing where it does not.

    Args:
        metadata: What it says, as text.
        key: One of `nnspec.onnx_backend.metadata` whose value is JSON.
        name: What the file is called in messages.

    Returns:
        By name what is said: an `Answer`, a `Conditions`, a `Spelling`, a tuple of `Sight`, names; plain values under the other
        keys.

    Raises:
        NnspecError: Where it is not what nnspec writes there.
    """
    try:
        found: dict[str, Any] = _adapter(key).validate_json(metadata.get(key, "{}"))
    except ValidationError:
        raise NnspecError(f"{name} says something unreadable under `{key}` in its metadata; export it again") from None
    return found


def read_all_metadata(metadata: Mapping[str, str], name: str) -> dict[str, dict[str, Any]]:
    """The same under every key that a model which answers may have.

    Args:
        metadata: What the file says, as text.
        name: What the file is called in messages.

    Raises:
        NnspecError: Where something is not what nnspec writes there.
    """
    return {key: read_metadata(metadata, key, name) for key in _HELD}


@cache
def _adapter(key: str) -> TypeAdapter[Any]:
    return TypeAdapter(_HELD.get(key, dict[str, Any]))


@dataclass(frozen=True)
class _Field:
    size: list[_Size]
    stride: list[int | str]
    start: list[Annotated[int, Field(ge=-_WIDEST, le=_WIDEST)] | None]
    period: list[_Size]


def _sights(field: _Field) -> tuple[Sight, ...]:
    try:
        strides = [Fraction(stride) for stride in field.stride]
    except ZeroDivisionError as error:
        raise ValueError(str(error)) from None
    if any(stride <= 0 for stride in strides):
        raise ValueError("a stride must be positive")
    return tuple(Sight(*each) for each in zip(field.size, strides, field.start, field.period, strict=True))


def _units(said: dict[str, Any]) -> Units:
    try:
        return Units.from_json(said)
    except (KeyError, TypeError) as error:
        raise ValueError(str(error)) from None


_HELD: dict[str, Any] = {
    ANSWERS: dict[str, Answer],
    CLASSES: dict[str, list[str]],
    CONDITIONS: Annotated[dict[str, Any], AfterValidator(Conditions.from_json)],
    DATA: dict[str, dict[str, dict[str, Any]]],
    FIELDS: dict[str, Annotated[_Field, AfterValidator(_sights)]],
    MAPS: dict[str, str],
    OUTPUTS: dict[str, str],
    PARITY: dict[str, Any],
    ROWS: dict[str, Annotated[int, Field(ge=1)]],
    SPELLINGS: dict[str, Spelling],
    UNITS: dict[str, Annotated[dict[str, Any], AfterValidator(_units)]],
}
