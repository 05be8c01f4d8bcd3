"""What a generator and a discriminator learn from each other: each loss once, in Keras's operations, for every backend."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from keras import ops

__all__ = ["LOSSES", "AdversarialLosses"]

Score = Callable[[Any], Any]


@dataclass(frozen=True)
class AdversarialLosses:
    """A pair's losses, each of one score for an example.

    Attributes:
        real: The discriminator's of an example of the data; its second argument is how far below 1 the label is.
        made: The discriminator's of one that was made.
        fool: The generator's of one that was made.
        boundary: The score above which an example is taken for one of the data; None where scores have no such place.
    """

    real: Callable[[Any, float], Any]
    made: Score
    fool: Score
    boundary: float | None = 0.0


def _cross_entropy(scores: Any, label: float) -> Any:
    """Of a logit with a label between 0 and 1."""
    return ops.softplus(scores) - label * scores


LOSSES: Mapping[str, AdversarialLosses] = {
    # Goodfellow et al. 2014, equation 1.
    "minimax": AdversarialLosses(
        real=lambda scores, smoothing: _cross_entropy(scores, 1.0 - smoothing),
        made=ops.softplus,
        fool=lambda scores: -ops.softplus(scores),
    ),
    # The same, section 3: the generator makes D(G(z)) likely, where minimax makes its contrary unlikely.
    "non_saturating": AdversarialLosses(
        real=lambda scores, smoothing: _cross_entropy(scores, 1.0 - smoothing),
        made=ops.softplus,
        fool=lambda scores: ops.softplus(-scores),
    ),
    # Mao et al. 2016, equation 9: a = 0, b = c = 1.
    "least_squares": AdversarialLosses(
        real=lambda scores, smoothing: 0.5 * ops.square(scores - (1.0 - smoothing)),
        made=lambda scores: 0.5 * ops.square(scores),
        fool=lambda scores: 0.5 * ops.square(scores - 1.0),
        boundary=0.5,
    ),
    # Lim and Ye 2017; Miyato et al. 2018, equations 16 and 17.
    "hinge": AdversarialLosses(
        real=lambda scores, smoothing: ops.relu(1.0 - scores),
        made=lambda scores: ops.relu(1.0 + scores),
        fool=lambda scores: -scores,
    ),
    # Arjovsky et al. 2017, equation 2.
    "wasserstein": AdversarialLosses(
        real=lambda scores, smoothing: -scores,
        made=lambda scores: scores,
        fool=lambda scores: -scores,
        boundary=None,
    ),
}
"""Every loss by the name a spec has for it."""
