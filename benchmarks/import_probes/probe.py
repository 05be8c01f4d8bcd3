"""What a probe is, and the registry of the hand-written ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["PROBES", "Probe", "probe"]


@dataclass(frozen=True)
class Probe:
    """One small model.

    Attributes:
        name: What it tries.
        model: Builds the Keras model.
        refused: A part of the message that refuses it; None if it must be imported and equal.
        inputs: Arrays by input name, in place of random ones.
        suffix: The file type it is saved as.
        alter: Changes the saved config before it is imported.
    """

    name: str
    model: Callable[[], Any]
    refused: str | None = None
    inputs: Mapping[str, Any] | None = None
    suffix: str = ".keras"
    alter: Callable[[str], str] | None = None


PROBES: list[Probe] = []


def probe(refused: str | None = None, **more: Any) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
    """Registers a function that builds a model."""

    def register(build: Callable[[], Any]) -> Callable[[], Any]:
        PROBES.append(Probe(build.__name__, build, refused, **more))
        return build

    return register
