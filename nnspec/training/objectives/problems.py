"""Problems of objectives: NN530 to NN539 and NN560 to NN569; those of one objective are in its package."""

from __future__ import annotations

from nnspec.diagnostics import MISSPELLED, Problem
from nnspec.training.problems import TWO_NETWORKS

_HEAD = "nnspec: 1\nname: net\n"
_DIGITS = "data: {train: {builtin: digits}}\n"
_RESTORE = (
    _HEAD + "inputs: {image: [8, 8, 1]}\nlayers:\n  - Flatten\n  - Dense: {units: 16}\n  - Dense: {units: 64}\n"
    "  - Reshape: {target_shape: [8, 8, 1]}\n    name: restored\n"
)
_RESTORING = _RESTORE + _DIGITS + "train: {objective: autoencoder, epochs: 1, loss: MeanSquaredError}\n"


class ObjectiveUnclear(Problem):
    """An objective that computes targets from inputs must name the input if several are possible."""

    code = "NN530"
    message = "`{objective}` does not specify {what}"
    fails = (
        _RESTORING.replace("inputs: {image: [8, 8, 1]}", "inputs: {image: [8, 8, 1], other: [8, 8, 1]}")
        .replace("  - Flatten\n", "  - Add:\n    from: [image, other]\n  - Flatten\n")
        .replace("digits}}", "digits}, inputs: {other: image}}")
    )
    passes = fails.replace("objective: autoencoder", "objective: {autoencoder: {restores: {restored: image}}}")


class ObjectiveDoesNotFit(Problem):
    """An autoencoder returns the shape of its input; a language model returns a distribution at each position of its tokens.

    A corruption must apply to the input.
    """

    code = "NN531"
    message = "`{objective}` {reason}"
    fails = _RESTORING.replace("\n  - Reshape: {target_shape: [8, 8, 1]}", "")
    passes = _RESTORING


class UnknownNetwork(Problem):
    """An objective names networks of the document: `gan` by default `generator` and `discriminator`."""

    code = "NN560"
    fixable = MISSPELLED
    message = "the document has no network `{name}`"
    fails = TWO_NETWORKS.replace("objective: gan", "objective: {gan: {generator: generater}}")
    passes = TWO_NETWORKS


class NotWithObjective(Problem):
    """An objective that defines the losses does not use some keys of `train`."""

    code = "NN563"
    message = "`{key}` is not used with `{objective}`"
    fails = TWO_NETWORKS.replace("epochs: 1", "epochs: 1, loss: BinaryCrossentropy")
    passes = TWO_NETWORKS.replace("objective: gan", "objective: {gan: {loss: hinge}}")
