"""Reads a model file and its metadata. The file is untrusted: everything is validated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError

from nnspec.data.kinds import DecisionRule
from nnspec.data.units import Units
from nnspec.diagnostics import NnspecError
from nnspec.runtime import metadata as m
from nnspec.runtime.detections import Detector
from nnspec.runtime.neighbors import KnowledgeBase
from nnspec.runtime.precision import PrecisionRecord
from nnspec.runtime.tiling import ReceptiveField
from nnspec.runtime.token_output import TokenOutput
from nnspec.types import Conditions

_WIDEST = 1_000_000
"""The largest receptive field that is accepted."""

_Size = Annotated[int, Field(ge=1, le=_WIDEST)]


def read_model(path: Path) -> bytes:
    """Read the bytes of a model file.

    Raises:
        NnspecError: If it cannot be read.
    """
    try:
        return path.read_bytes()
    except IsADirectoryError:
        raise NnspecError(f"`{path}` is a folder; name the .onnx file in it") from None
    except OSError as error:
        raise NnspecError(f"cannot read `{path}`: {error.strerror}") from error


def read_metadata(metadata: Mapping[str, str], key: str, name: str) -> dict[str, Any]:
    """Parse one metadata value; empty if the key is missing.

    Args:
        metadata: The file's metadata, as text.
        key: A key of `nnspec.runtime.metadata` whose value is JSON.
        name: The file's name in error messages.

    Returns:
        The values by name, depending on the key: `DecisionRule`, `Conditions`, `TokenOutput`, tuples of `ReceptiveField`,
        names, or plain values; or a `KnowledgeBase`, `Detector` or `PrecisionRecord`.

    Raises:
        NnspecError: If the value is not valid.
    """
    try:
        found: dict[str, Any] = _adapter(key).validate_json(metadata.get(key, "{}"))
    except ValidationError:
        raise NnspecError(f"the metadata of {name} are not valid under `{key}`; export it again") from None
    return found


def read_all_metadata(metadata: Mapping[str, str], name: str) -> dict[str, dict[str, Any]]:
    """Parse all metadata values of a model that predicts.

    Args:
        metadata: The file's metadata, as text.
        name: The file's name in error messages.

    Raises:
        NnspecError: If a value is not valid.
    """
    return {key: read_metadata(metadata, key, name) for key in _TYPES}


def read_examples(metadata: Mapping[str, str], name: str) -> list[dict[str, Any]]:
    """Parse the rows of the data that a file contains as examples; empty if there are none.

    Args:
        metadata: The file's metadata, as text.
        name: The file's name in error messages.

    Raises:
        NnspecError: If they are not valid.
    """
    try:
        return TypeAdapter(list[dict[str, Any]]).validate_json(metadata.get(m.EXAMPLES, "[]"))
    except ValidationError:
        raise NnspecError(f"the metadata of {name} are not valid under `{m.EXAMPLES}`; export it again") from None


@cache
def _adapter(key: str) -> TypeAdapter[Any]:
    return TypeAdapter(_TYPES.get(key, dict[str, Any]))


@dataclass(frozen=True)
class _Field:
    size: list[_Size]
    stride: list[int | str]
    start: list[Annotated[int, Field(ge=-_WIDEST, le=_WIDEST)] | None]
    period: list[_Size]


def _fields(field: _Field) -> tuple[ReceptiveField, ...]:
    try:
        strides = [Fraction(stride) for stride in field.stride]
    except ZeroDivisionError as error:
        raise ValueError(str(error)) from None
    if any(stride <= 0 for stride in strides):
        raise ValueError("a stride must be positive")
    return tuple(ReceptiveField(*each) for each in zip(field.size, strides, field.start, field.period, strict=True))


def _units(values: dict[str, Any]) -> Units:
    try:
        return Units.from_json(values)
    except (KeyError, TypeError) as error:
        raise ValueError(str(error)) from None


def _detector(values: dict[str, Any]) -> Detector | None:
    return TypeAdapter(Detector).validate_python(values) if values else None


_TYPES: dict[str, Any] = {
    m.ANSWERS: dict[str, DecisionRule],
    m.CLASSES: dict[str, list[str]],
    m.CONDITIONS: Annotated[dict[str, Any], AfterValidator(Conditions.from_json)],
    m.DATA: dict[str, dict[str, dict[str, Any]]],
    m.DETECTIONS: Annotated[dict[str, Any], AfterValidator(_detector)],
    m.FIELDS: dict[str, Annotated[_Field, AfterValidator(_fields)]],
    m.MAPS: dict[str, str],
    m.NEIGHBORS: Annotated[dict[str, Any], AfterValidator(KnowledgeBase.from_json)],
    m.OUTPUTS: dict[str, str],
    m.PARITY: dict[str, Any],
    m.PRECISION: Annotated[dict[str, Any], AfterValidator(PrecisionRecord.from_json)],
    m.ROWS: dict[str, Annotated[int, Field(ge=1)]],
    m.TOKEN_OUTPUTS: dict[str, TokenOutput],
    m.UNITS: dict[str, Annotated[dict[str, Any], AfterValidator(_units)]],
}
