"""What a decoder's logits say of each token."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.runtime.decoding.procedure import Procedure

__all__ = ["log_probabilities"]


def log_probabilities(logits: NDArray[Any], procedure: Procedure) -> NDArray[np.float64]:
    """The logarithm of each token's probability, along the last axis."""
    wide = logits.astype(np.float64)
    if procedure.probabilities:
        return np.asarray(np.log(np.maximum(wide, np.finfo(np.float64).tiny)))
    wide -= wide.max(-1, keepdims=True)
    return np.asarray(wide - np.log(np.exp(wide).sum(-1, keepdims=True)))
