"""What free sizes must satisfy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nnspec.diagnostics import NnspecError

__all__ = ["check_sizes"]


def check_sizes(conditions: Mapping[str, Any], sizes: Mapping[str, int]) -> None:
    """Refuses sizes that the model cannot take.

    Args:
        conditions: For a symbol, ``multiple_of`` and ``at_least``, as the model's metadata has them.
        sizes: The symbols' sizes.

    Raises:
        NnspecError: Naming the symbol, its size and the nearest that fits.

    Example:
        >>> check_sizes({"H": {"multiple_of": 8, "at_least": 16}}, {"H": 24})
    """
    for symbol, condition in conditions.items():
        if symbol not in sizes:
            continue
        size, step, least = sizes[symbol], condition.get("multiple_of", 1), condition.get("at_least", 1)
        if size % step or size < least:
            wanted = f"a multiple of {step}" if step > 1 else ""
            if least > 1:
                wanted += (" and " if wanted else "") + f"at least {least}"
            nearest = max(-(-size // step) * step, -(-least // step) * step)
            raise NnspecError(f"`{symbol}` must be {wanted}, not {size}; the next size that fits is {nearest}")
