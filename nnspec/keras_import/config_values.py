"""Checked access to values of an untrusted config."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class ConfigError(Exception):
    """The config is invalid; the message names the place."""


class OwnModelError(ConfigError):
    """The model is of a custom class.

    Attributes:
        name: The model's name.
        kind: Its class.
        functional: Whether the config nevertheless lists layers and their connections.
    """

    def __init__(self, name: str, kind: str, *, functional: bool) -> None:
        super().__init__(f"`{name}` is a `{kind}`")
        self.name = name
        self.kind = kind
        self.functional = functional


def mapping_in(value: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ConfigError(f"{what} is not a mapping")
    return value


def list_in(value: Any, what: str) -> list[Any]:
    if not isinstance(value, list):
        raise ConfigError(f"{what} is not a list")
    return value
