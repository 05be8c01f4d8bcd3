"""How what a network gives changes with what it is given, in a form that can be differentiated again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras

__all__ = ["input_gradient"]


def input_gradient(function: Callable[[Any], Any], values: Any) -> Any:
    """The gradient of a function's sum with respect to its argument, of the argument's shape.

    Args:
        function: What is differentiated; it may change no variable.
        values: Where.
    """
    if keras.backend.backend() == "jax":
        import jax

        return jax.grad(lambda given: keras.ops.sum(function(given)))(values)
    import tensorflow as tf

    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(values)
        result = function(values)
    return tape.gradient(result, values)
