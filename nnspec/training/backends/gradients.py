"""Gradients inside a loss, which the training differentiates again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras


def input_gradient(function: Callable[[Any], Any], values: Any) -> Any:
    """The gradient of the sum of a function's values with respect to its argument, differentiable again.

    Args:
        function: The function; it must not change variables.
        values: The argument.
    """
    if keras.backend.backend() == "jax":
        import jax

        return jax.grad(lambda given: keras.ops.sum(function(given)))(values)
    import tensorflow as tf

    # A copy, since the tape of the training may watch the values themselves.
    values = tf.identity(values)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(values)
        result = function(values)
    found = tape.gradient(result, values)
    return tf.zeros_like(values) if found is None else found
