"""Conversion of typed values to the plain values of a spec."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from nnspec.types.config import Config


def plain(value: Any, *, defaults: bool = False) -> Any:
    """Convert a typed value to plain values; a config becomes its name with its arguments.

    Args:
        value: A ``Config`` or the value of an argument.
        defaults: Whether to include arguments that have their default value.

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
    """Return the arguments that differ from their default, comparing validated values."""
    fields = type(value).model_fields
    required = {name: getattr(value, name) for name, field in fields.items() if field.is_required()}
    try:
        least = type(value).model_validate(required)
    except ValidationError:  # invalid with only the required arguments
        return list(fields)
    return [name for name in fields if name in required or getattr(value, name) != getattr(least, name)]
