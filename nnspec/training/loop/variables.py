"""The variables of a training as named arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.diagnostics import NnspecError

Groups = Mapping[str, Sequence[Any]]
"""Keras variables by group, in the same order each time a spec is built."""


def arrays_of(groups: Groups) -> dict[str, NDArray[Any]]:
    """The values of variables by group and number, such as ``model/0003``.

    Keras's own names are neither stable nor unique.
    """
    return {name: np.array(variable.numpy(), order="C") for name, variable in _named(groups).items()}


def set_arrays(groups: Groups, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Sets variables. None is set unless all arrays fit.

    Raises:
        NnspecError: If a value is missing or unknown, or its shape or dtype differs from that of its variable.
    """
    own = _named(groups)
    for name in sorted({*own, *arrays}):
        if name not in arrays or name not in own:
            raise NnspecError(
                f"the checkpoint is of another model: it has {len(arrays)} variables, and this model has {len(own)}"
            )
        theirs, ours = arrays[name], own[name]
        kinds = [(tuple(x.shape), str(x.dtype)) for x in (theirs, ours)]
        if kinds[0] != kinds[1]:
            raise NnspecError(
                f"the checkpoint is of another model: `{ours.path}` is {kinds[1]}, and {kinds[0]} in the checkpoint"
            )
    for name, variable in own.items():
        variable.assign(arrays[name])


def _named(groups: Groups) -> dict[str, Any]:
    return {f"{group}/{i:04}": variable for group, variables in groups.items() for i, variable in enumerate(variables)}
