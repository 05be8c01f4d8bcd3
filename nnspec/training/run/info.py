"""Validation of ``run.json``, since a run folder may come from an untrusted source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError

from nnspec.json_words import misfit

_Count = Annotated[int, Field(strict=True, ge=0, lt=2**53)]
_Number = Annotated[float, Field(allow_inf_nan=True)]
_Metrics = dict[str, "_Number | bool | str | list[Any] | dict[str, Any] | None"]


@dataclass
class _Document:
    train: dict[str, Any] | None = None
    data: dict[str, Any] | None = None
    budget: dict[str, Any] | None = None


@dataclass
class _Spec:
    hash: str
    file: str
    document: _Document
    nodes: dict[str, str]
    folder: str | None = None
    root: str | None = None
    hash_next: str | None = None
    overrides: list[str] = field(default_factory=list)


@dataclass
class _Input:
    columns: Annotated[list[str], Field(min_length=1)]
    transforms: list[dict[str, Any]]
    stacked: bool = False


@dataclass
class _Recipe:
    inputs: dict[str, _Input] = field(default_factory=dict)


@dataclass
class _Data:
    recipe: _Recipe | None = None
    fingerprints: dict[str, str] = field(default_factory=dict)
    files: dict[str, dict[str, str]] = field(default_factory=dict)
    examples: dict[str, _Count] = field(default_factory=dict)


@dataclass
class _Machine:
    backend: Literal["tensorflow", "jax", "torch"] = "tensorflow"
    strategy: Literal["mirrored"] | None = None
    onednn: Annotated[str, Field(pattern=r"^[ -~]*$")] = ""
    processes: Annotated[int, Field(ge=1, lt=2**20)] = 1
    shares: Annotated[int, Field(ge=1, lt=2**20)] = 1
    threads: dict[str, Annotated[int, Field(ge=0, lt=2**16)]] | None = None


@dataclass
class _Best:
    monitor: str
    epoch: _Count
    value: _Number | None
    figures: _Metrics


@dataclass
class _Checkpoints:
    every_minutes: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    keep: Annotated[int, Field(ge=1, lt=2**31)] | None = None


@dataclass
class _Warning:
    message: str


@dataclass
class _Info:
    status: Literal["running", "finished", "stopped early", "interrupted", "failed"]
    name: str
    seed: Annotated[int, Field(ge=0, lt=2**63)]
    spec: _Spec
    data: _Data
    versions: dict[str, str | None]
    machine: _Machine
    networks: Annotated[list[str], Field(min_length=1)] = field(default_factory=lambda: ["main"])
    best: _Best | None = None
    warnings: list[_Warning] = field(default_factory=list)
    checkpoints: _Checkpoints | None = None
    digest: str | None = None
    digests: dict[str, list[str]] = field(default_factory=dict)
    epochs: _Count = 0
    steps: _Count = 0
    seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    resumed: _Count = 0
    reason: str | None = None
    signal: str | None = None
    started: str = ""
    objective: str | None = None
    samples: dict[str, Any] = field(default_factory=dict)
    sampler: dict[str, Any] = field(default_factory=dict)
    not_bit_for_bit: list[str] = field(default_factory=list)
    trackers: dict[str, dict[str, str]] = field(default_factory=dict)


@dataclass
class _Record:
    epoch: _Count
    step: _Count


def damage(info: Mapping[str, Any]) -> str | None:
    """Describes what is wrong with the content of ``run.json``; None if it is valid.

    Example:
        >>> rest = {"name": "net", "spec": {"hash": "a"}, "data": {}, "versions": {}, "machine": {}}
        >>> damage({"status": "finished", "seed": [], **rest})
        '`seed` is [], but must be an integer'
    """
    return _damage(_Info, info)


def damage_of_records(records: Any) -> str | None:
    """Describes what is wrong with the records of epochs; None if they are valid.

    Example:
        >>> damage_of_records([{"epoch": 1, "step": 8}, {"epoch": 3, "step": 16}])
        'epoch 2 is recorded as epoch 3'
    """
    if wrong := _damage(list[_Record], records) or _damage(list[_Metrics], records):
        return wrong
    for number, record in enumerate(records, 1):
        if record["epoch"] != number:
            return f"epoch {number} is recorded as epoch {record['epoch']}"
    return None


def _damage(kind: Any, values: Any) -> str | None:
    try:
        TypeAdapter(kind).validate_python(values)
    except ValidationError as error:
        return misfit(error, values)
    return None
