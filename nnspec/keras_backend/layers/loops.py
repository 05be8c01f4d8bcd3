"""The loop over the steps of a recurrence, for each backend: Keras has none that takes a model as its step."""

from __future__ import annotations

from typing import Any

import keras

__all__ = ["LOOPS"]


def _tensorflow(layer: Any, step: Any, sequences: Any, states: Any, last: Any) -> tuple[Any, Any, Any]:
    import tensorflow as tf

    count = tf.shape(sequences[0])[0]
    read = [tf.TensorArray(x.dtype, count).unstack(x) for x in sequences]
    kinds = [keras.backend.standardize_dtype(layer.cell.output[name].dtype) for name in layer.outputs]
    written = [tf.TensorArray(kind, count) for kind in kinds] if layer.return_sequences else []

    def body(number: Any, states: Any, last: Any, written: Any) -> Any:
        place = count - 1 - number if layer.go_backwards else number
        after, ends, outputs = step([array.read(place) for array in read], states, last)
        for new, old in zip([*after, *ends], [*states, *last], strict=True):
            new.set_shape(old.shape)
        return number + 1, after, ends, [array.write(place, x) for array, x in zip(written, outputs, strict=True)]

    start = (tf.constant(0), list(states), list(last), written)
    going = lambda number, *_: number < count  # noqa: E731
    _, states, last, written = tf.while_loop(going, body, start, maximum_iterations=count)
    found = []
    for array, name in zip(written, layer.outputs, strict=False):
        stacked = array.stack()
        stacked.set_shape((sequences[0].shape[0], sequences[0].shape[1], *layer.cell.output[name].shape[1:]))
        found.append(stacked)
    return states, last, found


def _jax(layer: Any, step: Any, sequences: Any, states: Any, last: Any) -> tuple[Any, Any, Any]:
    from jax import lax

    # A scope without a variable has gradient 0 for it: all are read outside the loop, and seeds are carried.
    seeds = [variable for variable in layer.variables if "int" in keras.backend.standardize_dtype(variable.dtype)]
    others = [(variable, variable.value) for variable in layer.variables if not any(variable is seed for seed in seeds)]

    def body(carry: Any, at: Any) -> Any:
        states, last, values = carry
        with keras.StatelessScope([*others, *zip(seeds, values, strict=True)]) as scope:
            after, ends, outputs = step(at, states, last)
        values = [scope.get_current_value(seed) for seed in seeds]
        # Keras computes some functions of float64 in float32 on JAX, and a carry keeps its dtype.
        same = [
            [keras.ops.cast(x, given.dtype) for x, given in zip(*each, strict=True)] for each in ((after, states), (ends, last))
        ]
        return (*same, values), outputs

    start = (list(states), list(last), [seed.value for seed in seeds])
    (states, last, values), found = lax.scan(body, start, list(sequences), reverse=layer.go_backwards)
    for seed, value in zip(seeds, values, strict=True):
        seed.assign(value)
    return states, last, found


def _as(before: Any, after: Any) -> list[Any]:
    return [keras.ops.cast(x, given.dtype) for given, x in zip(before, after, strict=True)]


LOOPS = {"tensorflow": _tensorflow, "jax": _jax}
"""The loop of each backend: from a step, sequences (time first), states and outputs before the first step, to the last states,
the last outputs, and the outputs of all steps in the order of time."""
