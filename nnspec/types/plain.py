"""Typed values as a spec would write them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

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
        names = type(value).model_fields if defaults else _given(value)
        arguments = {name: plain(getattr(value, name), defaults=defaults) for name in names}
        return {type(value).__name__: arguments} if arguments else type(value).__name__
    if isinstance(value, Mapping):
        return {str(key): plain(item, defaults=defaults) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item, defaults=defaults) for item in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def _given(value: Config) -> list[str]:
    """The arguments that have not their default, in whatever form the default is written."""
    fields = type(value).model_fields
    required = {name: getattr(value, name) for name, field in fields.items() if field.is_required()}
    try:
        least = type(value).model_validate(required)
    except ValidationError:  # what is required alone does not hold
        return list(fields)
    return [name for name in fields if name in required or getattr(value, name) != getattr(least, name)]
