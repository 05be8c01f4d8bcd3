"""The comparison with float64, which decides where rounding explains a difference.

Rounding alone can exceed the quick bound of `onnx_backend.parity`. If it does, the reference in float64 decides: the
candidate passes if its error relative to float64 is at most the larger of 4 times the reference's own float32 error and 1e-6
of the largest value of all batches. One run is a single sample of rounding errors, so the reference's own error is the largest
of four: unperturbed, with inputs perturbed by one unit in the last place, with weights perturbed likewise, and with the output
of each layer perturbed likewise: a saturated sigmoid hides what its input does to a difference of its outputs. The last run
also perturbs the activations in recurrent layers, in each step, and sigmoids by the last bit of 1, to which float32 kernels
compute them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_FACTOR = 4
_LEAST_ALLOWED = 1e-6
_LEAST_SHARE = 1e-3
"""The least fraction of the overall largest value that is used as the scale of a batch."""

_MASKED, _NEAR = -1e9, 1e6
"""The score by which attention masks a position, and how far a score that was added to it is from that."""


def allowed(own: float) -> float:
    """The largest error relative to float64 that rounding explains.

    Args:
        own: The float32 error of the reference.
    """
    return max(_LEAST_ALLOWED, _FACTOR * own)


@dataclass(frozen=True, slots=True)
class Exact:
    """The errors of one output relative to the reference in float64.

    Attributes:
        error: The candidate's error; infinite if shapes differ, or if only one is finite.
        own: The reference's float32 error, the largest of its runs.
    """

    error: float
    own: float

    @property
    def tolerance(self) -> float:
        """The largest error that passes."""
        return allowed(self.own)

    @property
    def agrees(self) -> bool:
        return self.error <= self.tolerance

    def scaled(self, share: float) -> Exact:
        """The errors relative to the largest value of all batches instead of one.

        Args:
            share: The ratio of the two values.
        """
        share = max(share, _LEAST_SHARE)
        return Exact(self.error * share, self.own * share)


def against_float64(exact: NDArray[Any], ours: Sequence[NDArray[Any]], given: NDArray[Any], keep: NDArray[np.bool_]) -> Exact:
    """Compare one output with float64.

    Args:
        exact: The reference's output in float64.
        ours: The reference's outputs in float32, one for each run.
        given: The candidate's output.
        keep: The positions to compare.
    """
    keep = keep & _comparable(exact, ours, given)
    true = wide(exact, keep)
    own = [distance(true, wide(each, keep), true) for each in ours]
    return Exact(distance(true, wide(given, keep), true), max(own, default=0.0))


def _comparable(exact: NDArray[Any], ours: Iterable[NDArray[Any]], given: NDArray[Any]) -> NDArray[np.bool_]:
    """The elements that can be compared with float64.

    Excluded are values that overflow float32, values that the reference did not compute in float32, and values that are not
    finite both in float64 and in the candidate.
    """
    true = np.asarray(exact, np.float64)
    is_finite, is_held = np.isfinite(true), np.abs(true) <= np.finfo(np.float32).max
    reached = np.ones(true.shape, bool)
    for each in ours:
        reached &= np.isfinite(np.asarray(each, np.float64))
    return np.where(is_finite, is_held & reached, np.isfinite(np.asarray(given, np.float64)))


def kept(right: NDArray[Any], mask: NDArray[Any] | None) -> NDArray[np.bool_]:
    """The elements to compare."""
    shape = np.shape(right)
    keep = np.ones(shape, bool)
    # Keras passes on a `TimeDistributed`'s mask even if its layer changes the axes: ignore one that does not fit.
    if mask is not None and mask.shape == shape[: mask.ndim]:
        keep &= np.asarray(mask, bool).reshape(mask.shape + (1,) * (len(shape) - mask.ndim))
    return keep


def wide(array: NDArray[Any], keep: NDArray[np.bool_]) -> NDArray[np.float64]:
    array = np.asarray(array)
    if array.shape != keep.shape:
        return np.full(int(keep.sum()), np.nan)
    return np.asarray(array[keep], np.float64)


def are_masked(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Which values are masked scores, -1e9 up to a score that was added to it."""
    return np.asarray(np.abs(values - _MASKED) <= _NEAR)


def scale_of(values: NDArray[Any]) -> float:
    """The largest magnitude of finite values. Masked scores would hide every error, and count only if there are no others.

    Example:
        >>> scale_of(np.array([-1e9, 2.0, np.inf])), scale_of(np.array([-1e9]))
        (2.0, 1000000000.0)
    """
    finite = values[np.isfinite(values)]
    scores = finite[~are_masked(finite)]
    return float(np.abs(scores if scores.size else finite).max(initial=0.0))


def distance(a: NDArray[Any], b: NDArray[Any], right: NDArray[Any]) -> float:
    """The largest difference, relative to the largest value. Equal infinities are equal, and so are NaNs and masked scores.

    Args:
        a: Values.
        b: Values of the same shape.
        right: The values whose largest magnitude is the scale.
    """
    differs = ~((a == b) | (np.isnan(a) & np.isnan(b)) | (are_masked(a) & are_masked(b)))
    if not differs.any():
        return 0.0
    largest = scale_of(right)
    with np.errstate(over="ignore", invalid="ignore"):
        difference = float(np.max(np.abs(a[differs] - b[differs])))
    return difference / largest if largest and np.isfinite(difference) else np.inf
