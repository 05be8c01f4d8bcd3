"""NumPy, imported on first use: specs are checked where it is not installed."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

__all__ = ["by_name", "np"]

if TYPE_CHECKING:
    import numpy as np
else:

    class _Numpy:
        def __getattr__(self, name: str) -> Any:
            import numpy

            return getattr(numpy, name)

    np = _Numpy()


def by_name(function: str | Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of NumPy that is looked up when it is called; numbers are computed by `math` if it has it.

    Args:
        function: Its name; a function is returned as it is.

    Example:
        >>> by_name("sqrt")(16.0)
        4.0
    """
    if not isinstance(function, str):
        return function
    name = function

    def compute(*values: Any, **arguments: Any) -> Any:
        plain = getattr(math, name, None) if all(isinstance(value, int | float) for value in values) else None
        if plain is not None:
            return plain(*values, **arguments)
        with np.errstate(all="ignore"):
            return getattr(np, name)(*values, **arguments)

    return compute
