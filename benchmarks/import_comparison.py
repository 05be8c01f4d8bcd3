"""Comparison of a Keras model with another on random inputs, for the benchmarks of imports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["called", "difference", "disturb", "drawn_inputs", "flat", "rounding"]


def disturb(model: Any) -> None:
    """Give weights that start at 0 or 1 other values."""
    import numpy as np

    random = np.random.default_rng(0)
    for variable in model.variables:
        array = np.asarray(variable)
        if array.dtype.kind == "f" and array.size and np.ptp(array) == 0 and "seed" not in variable.path:
            variable.assign(random.uniform(0.5, 1.5, array.shape))
    for layer in model._flatten_layers():
        if type(layer).__name__ == "Normalization" and layer.input_mean is None:
            layer.finalize_state()


def drawn_inputs(model: Any, given: Mapping[str, Any] | None = None, *, free: range = range(7, 17)) -> list[Any]:
    """Draw three examples for each input: small integers, 0 and 1 for masks and segments, bools, or normal numbers.

    The free sizes are those of `free`, by axis. Inputs named ``pixels`` get numbers from 0 to 255.
    """
    import numpy as np

    random = np.random.default_rng(3)
    found = []
    for number, tensor in enumerate(model.inputs):
        shape = (3, *(size or free[axis] for axis, size in enumerate(tensor.shape[1:])))
        if given and tensor.name in given:
            found.append(np.asarray(given[tensor.name]))
        elif tensor.dtype == "bool":
            found.append(random.uniform(size=shape) < 0.7)
        elif "int" in tensor.dtype or tensor.name.startswith("whole"):
            most = 2 if "mask" in tensor.name or "segment" in tensor.name else 5
            drawn = random.integers(0, most, shape).astype(tensor.dtype)
            if len(shape) > 1:
                drawn[:, 0] = 1 if most == 2 else 1 + number % 2
            found.append(drawn)
        elif tensor.name.startswith("pixels"):
            found.append(random.uniform(0, 255, shape).astype(tensor.dtype))
        else:
            found.append(random.normal(size=shape).astype(tensor.dtype))
    return found


def called(model: Any, inputs: list[Any]) -> Any:
    """Call a model at inference on arrays, in the structure that it takes."""
    import keras

    given = model._inputs_struct if hasattr(model, "_inputs_struct") else None
    if given is None or isinstance(given, list | tuple):
        return model(inputs[0] if len(inputs) == 1 else inputs, training=False)
    return model(keras.tree.pack_sequence_as(given, inputs), training=False)


def flat(value: Any) -> list[Any]:
    """Return the arrays of nested outputs."""
    import numpy as np

    if isinstance(value, dict):
        return [array for item in value.values() for array in flat(item)]
    if isinstance(value, list | tuple):
        return [array for item in value for array in flat(item)]
    return [np.asarray(value)]


def difference(a: Any, b: Any) -> float:
    """Return the largest difference, in parts of the largest value."""
    import numpy as np

    largest = float(np.max(np.abs(b))) if b.size else 0.0
    return float(np.max(np.abs(a.astype("float64") - b.astype("float64")))) / (largest or 1.0) if b.size else 0.0


def rounding(model: Any, inputs: list[Any]) -> float:
    """Return how much the outputs change, in parts of the largest value, when each weight changes by half its last bit.

    Two correct computations may differ by as much, for example in a distance between nearly equal vectors.
    """
    import numpy as np

    random = np.random.default_rng(5)
    before = flat(called(model, inputs))
    weights = model.get_weights()
    worst = 0.0
    for _ in range(3):
        changed = [
            (array * (1 + 6e-8 * random.standard_normal(array.shape))).astype(array.dtype) if array.dtype.kind == "f" else array
            for array in weights
        ]
        model.set_weights(changed)
        worst = max(worst, *(difference(a, b) for a, b in zip(flat(called(model, inputs)), before, strict=True)))
    model.set_weights(weights)
    return worst
