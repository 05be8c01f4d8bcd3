"""Typed values as a spec would write them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nnspec.types.config import Config

__all__ = ["plain"]


def plain(value: Any, *, defaults: bool = False) -> Any:
    """A typed value in plain ones: a member of a family by its name, with its arguments.

    Args:
        value: A ``Config``, or anything an argument can be.
        defaults: Whether arguments that have their default are told, too.

    Example:
        >>> plain({"pool_size": (2, 2)})
        {'pool_size': [2, 2]}
    """
    if isinstance(value, Config):
        arguments = {name: plain(getattr(value, name), defaults=defaults) for name in type(value).model_fields}
        if not defaults:
            arguments = {name: told for name, told in arguments.items() if told != _default(value, name)}
        return {type(value).__name__: arguments} if arguments else type(value).__name__
    if isinstance(value, Mapping):
        return {str(key): plain(item, defaults=defaults) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item, defaults=defaults) for item in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def _default(value: Config, name: str) -> Any:
    field = type(value).model_fields[name]
    return Ellipsis if field.is_required() else plain(field.get_default(call_default_factory=True))
