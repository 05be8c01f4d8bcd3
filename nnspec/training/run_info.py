"""What ``run.json`` says, checked: a run folder may come from anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

__all__ = ["damage"]


@dataclass
class _Spec:
    hash: str
    folder: str | None = None
    root: str | None = None
    hash_next: str | None = None
    document: dict[str, Any] = field(default_factory=dict)
    nodes: dict[str, str] = field(default_factory=dict)
    overrides: list[str] = field(default_factory=list)


@dataclass
class _Data:
    recipe: dict[str, dict[str, dict[str, Any]]] | None = None
    fingerprints: dict[str, str] = field(default_factory=dict)
    files: dict[str, dict[str, str]] = field(default_factory=dict)
    examples: dict[str, int] = field(default_factory=dict)


@dataclass
class _Info:
    status: str
    name: str
    seed: int
    spec: _Spec
    data: _Data
    versions: dict[str, str]
    machine: dict[str, Any]
    networks: Annotated[list[str], Field(min_length=1)] = field(default_factory=lambda: ["main"])
    best: dict[str, Any] | None = None
    warnings: list[Any] = field(default_factory=list)
    checkpoints: dict[str, Any] = field(default_factory=dict)


def damage(info: Mapping[str, Any]) -> str | None:
    """What is wrong with what a ``run.json`` says; None where nothing is.

    Example:
        >>> rest = {"name": "net", "spec": {"hash": "a"}, "data": {}, "versions": {}, "machine": {}}
        >>> damage({"status": "finished", "seed": [], **rest})
        '`seed`: Input should be a valid integer'
    """
    try:
        TypeAdapter(_Info).validate_python(info)
    except ValidationError as error:
        [first, *_] = error.errors(include_url=False)
        return f"`{'.'.join(map(str, first['loc']))}`: {first['msg']}"
    return None
