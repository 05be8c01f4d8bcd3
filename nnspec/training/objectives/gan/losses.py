"""Adversarial losses, in Keras operations for every backend."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from keras import ops

__all__ = ["LOSSES", "AdversarialLosses"]

Score = Callable[[Any], Any]


@dataclass(frozen=True)
class AdversarialLosses:
    """The losses of a generator and a discriminator, each a function of the score of an example.

    Attributes:
        real: The discriminator's loss of real examples; its second argument is the label smoothing.
        generated: The discriminator's loss of generated examples.
        generator: The generator's loss of generated examples.
        boundary: The score above which an example is classified as real; None if scores have no threshold.
    """

    real: Callable[[Any, float], Any]
    generated: Score
    generator: Score
    boundary: float | None = 0.0


def _cross_entropy(scores: Any, label: float) -> Any:
    """The cross-entropy of logits with a label between 0 and 1."""
    return ops.softplus(scores) - label * scores


LOSSES: Mapping[str, AdversarialLosses] = {
    # Goodfellow et al. 2014, equation 1.
    "minimax": AdversarialLosses(
        real=lambda scores, smoothing: _cross_entropy(scores, 1.0 - smoothing),
        generated=ops.softplus,
        generator=lambda scores: -ops.softplus(scores),
    ),
    # The same, section 3: the generator maximizes log D(G(z)).
    "non_saturating": AdversarialLosses(
        real=lambda scores, smoothing: _cross_entropy(scores, 1.0 - smoothing),
        generated=ops.softplus,
        generator=lambda scores: ops.softplus(-scores),
    ),
    # Mao et al. 2016, equation 9: a = 0, b = c = 1.
    "least_squares": AdversarialLosses(
        real=lambda scores, smoothing: 0.5 * ops.square(scores - (1.0 - smoothing)),
        generated=lambda scores: 0.5 * ops.square(scores),
        generator=lambda scores: 0.5 * ops.square(scores - 1.0),
        boundary=0.5,
    ),
    # Lim and Ye 2017; Miyato et al. 2018, equations 16 and 17.
    "hinge": AdversarialLosses(
        real=lambda scores, smoothing: ops.relu(1.0 - scores),
        generated=lambda scores: ops.relu(1.0 + scores),
        generator=lambda scores: -scores,
    ),
    # Arjovsky et al. 2017, equation 2.
    "wasserstein": AdversarialLosses(
        real=lambda scores, smoothing: -scores,
        generated=lambda scores: scores,
        generator=lambda scores: -scores,
        boundary=None,
    ),
}
"""The losses by their names in specs."""
