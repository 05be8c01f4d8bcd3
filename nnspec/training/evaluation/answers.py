"""A stand-in for a Keras model whose outputs another program computes, so that Keras's metrics can be computed from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from keras import ops
from keras.src.backend.common.masking import set_keras_mask
from numpy.typing import NDArray

_Arrays = Mapping[str, NDArray[Any]]


class Answers:
    """Outputs of another program, as those of a Keras model that is only evaluated.

    Args:
        run: Computes named outputs of named inputs; the mask of an output is its output ``NAME_mask``.
    """

    losses: tuple[Any, ...] = ()
    variables: tuple[Any, ...] = ()

    def __init__(self, run: Callable[[_Arrays], _Arrays]) -> None:
        self._run = run

    def __call__(self, inputs: Mapping[str, Any], training: bool = False) -> dict[str, Any]:
        """Compute the outputs of a batch."""
        if training:
            raise ValueError("a model that another program computes cannot be trained")
        found = self._run({name: np.asarray(array) for name, array in inputs.items()})
        outputs = {name: ops.convert_to_tensor(array) for name, array in found.items()}
        for name, tensor in outputs.items():
            if f"{name}_mask" in outputs:
                set_keras_mask(tensor, outputs[f"{name}_mask"])
        return outputs
