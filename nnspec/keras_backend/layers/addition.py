"""Addition with NumPy's broadcasting on each of Keras's backends."""

from __future__ import annotations

from typing import Any

import keras


def add(x1: Any, x2: Any) -> Any:
    """Return the sum of two tensors.

    On one of its backends, ``keras.ops.add`` of Keras 3.15.1 takes an `x2` with only one axis longer than 1 for the bias of an
    axis of `x1`: shapes (1, 4) and (4, 1) make (1, 4) instead of (4, 4), and (2, 4, 1) and (4,) make (2, 4, 1) instead of
    (2, 4, 4). Subtraction does not.

    Args:
        x1: A tensor, or a number.
        x2: A tensor, or a number, that broadcasts with `x1`.
    """
    shapes = [tuple(getattr(x, "shape", ())) for x in (x1, x2)]
    is_bias = len(shapes[1]) == 1 and shapes[0][-1:] == shapes[1]
    if not shapes[1] or is_bias or shapes[0] == shapes[1]:
        return keras.ops.add(x1, x2)
    return keras.ops.subtract(x1, keras.ops.negative(x2))
