"""Problems of GANs: NN561 to NN566."""

from __future__ import annotations

from nnspec.diagnostics import Problem
from nnspec.training.problems import TWO_NETWORKS


class NetworksDoNotFit(Problem):
    """The generator returns the shape that the discriminator takes, and both take the same conditions."""

    code = "NN561"
    message = "the generator and the discriminator do not fit each other: {reason}"
    fails = TWO_NETWORKS.replace("target_shape: [8, 8, 1]", "target_shape: [4, 4, 4]")
    passes = TWO_NETWORKS


class NotALogit(Problem):
    """The losses of a GAN take one number for each example, and apply a sigmoid themselves if they need one.

    With another sigmoid before it training is slow or fails, without an error. `least_squares` takes either.
    """

    code = "NN562"
    message = "`{loss}` takes one {wanted} for each example, and `{name}` {got}"
    fails = TWO_NETWORKS.replace("Dense: {units: 1}", "Dense: {units: 1, activation: sigmoid}")
    passes = TWO_NETWORKS


class NormalizedWithPenalty(Problem):
    """The gradient penalty is defined for each example, and batch normalization mixes the examples of a batch.

    Gulrajani et al. 2017, section 4.
    """

    code = "NN565"
    severity = "warning"
    message = "`{name}` mixes the examples of a batch, and `gradient_penalty` is defined for each example"
    fails = TWO_NETWORKS.replace("      - Dense: {units: 1}", "      - BatchNormalization\n      - Dense: {units: 1}").replace(
        "objective: gan", "objective: {gan: {loss: wasserstein, gradient_penalty: 10}}"
    )
    passes = fails.replace("BatchNormalization", "LayerNormalization")


class UnboundedCritic(Problem):
    """The Wasserstein distance is a maximum over 1-Lipschitz functions: something must bound the critic's slope."""

    code = "NN566"
    severity = "warning"
    message = "nothing bounds the slope of `{name}`, and the loss `wasserstein` is unbounded without that"
    fails = TWO_NETWORKS.replace("objective: gan", "objective: {gan: {loss: wasserstein}}")
    passes = TWO_NETWORKS.replace("objective: gan", "objective: {gan: {loss: wasserstein, gradient_penalty: 10}}")
