"""Problems of training programs: NN567 to NN575."""

from __future__ import annotations

from nnspec.diagnostics import Problem

_NETWORKS = (
    "nnspec: 1\nname: net\nnetworks:\n  encoder:\n    inputs: {image: [8, 8, 1]}\n    layers:\n      - Flatten\n"
    "      - Dense: {units: 64}\n"
)
_HEAD = _NETWORKS + "inputs: {image: [8, 8, 1]}\ndata: {train: {builtin: digits}, validation: 0.2}\ntrain:\n  epochs: 1\n"
_GOOD = (
    _HEAD + "  objective:\n    program:\n      layers:\n        - encoder:\n          from: image\n"
    '        - Compute: "square(encoder - reshape(image, [B, 64]))"\n          name: error\n'
    "      minimize: [{loss: error, of: encoder}]\n"
)
_TWO = (
    _GOOD.replace(
        "inputs: {image: [8, 8, 1]}\ndata",
        "  decoder:\n    inputs: {code: [64]}\n    layers: [{Dense: {units: 64}}]\ninputs: {image: [8, 8, 1]}\ndata",
    )
    .replace("        - Compute", "        - decoder\n        - Compute")
    .replace("square(encoder", "square(decoder")
)
_EXPORT = "export: {network: encoder}\n"


_PENALTY = (
    _HEAD + "  objective:\n    program:\n      layers:\n        - encoder:\n          from: image\n"
    "        - Compute: square(gradient(encoder, image))\n          name: slope\n"
    "      minimize: [{loss: slope, of: encoder}]\nexport: {network: encoder}\n"
)


class ProgramStep(Problem):
    """A step of a program is a network, a block, a layer without weights, an expression or a loss.

    Trainable weights belong to networks. The first axis of every tensor is the batch, which networks, blocks and layers do not
    see.
    """

    code = "NN567"
    message = "`{name}` {reason}"
    fails = _GOOD.replace("        - Compute", "        - Dense: {units: 64}\n        - Compute")
    passes = _GOOD


class DrawDoesNotFit(Problem):
    """A draw names a field of the data: for its shape, for its tokens, or to make a view of it."""

    code = "NN568"
    message = "the draw `{name}` {reason}"
    fails = _GOOD.replace(
        "      layers:\n        - encoder", "      draw: {noise: {normal: img}}\n      layers:\n        - encoder"
    )
    passes = _GOOD.replace(
        "      layers:\n        - encoder:\n          from: image",
        "      draw: {noise: {normal: image}}\n      layers:\n        - Compute: image + noise\n        - encoder",
    )


class MinimizeDoesNotFit(Problem):
    """An entry of `minimize` names a loss, a float tensor, and networks that the program uses.

    An average has no weights that are trained: it follows its network.
    """

    code = "NN569"
    message = "`{key}` {reason}"
    fails = _GOOD.replace("of: encoder", "of: decoder")
    passes = _GOOD


class TrainsNothing(Problem):
    """No gradient connects a loss to the weights that it should train, so the step would change nothing.

    Gradients do not pass `stop_gradient`, `argmax`, comparisons, rounding and casts to integers, nor frozen weights.
    """

    code = "NN570"
    message = "no gradient connects the loss `{loss}` to the weights of `{network}`"
    fails = _GOOD.replace("square(encoder", "square(stop_gradient(encoder)")
    passes = _GOOD


class AverageDoesNotFit(Problem):
    """An average is a copy of a network of the document, under a new name."""

    code = "NN571"
    message = "the average `{name}` {reason}"
    fails = _GOOD.replace(
        "      layers:\n        - enc", "      average: {teacher: {of: student}}\n      layers:\n        - enc"
    )
    passes = _GOOD.replace(
        "      layers:\n        - encoder:\n          from: image\n",
        "      average: {teacher: {of: encoder}}\n      layers:\n        - teacher:\n          from: image\n"
        "        - encoder:\n          from: image\n",
    ).replace("reshape(image, [B, 64])", "teacher")


class SameMetric(Problem):
    """The losses and the shown values of a program are logged by the names of their results or steps."""

    code = "NN572"
    message = "two metrics have the name `{name}`"
    fails = _GOOD + "      show: [error]\n"
    passes = _GOOD + "      show: {squared_error: error}\n"


class NothingExported(Problem):
    """A program without layers of the document's own must state which network is exported, served and reported."""

    code = "NN573"
    severity = "warning"
    message = "the document does not state which of its networks is exported"
    fails = _TWO
    passes = _TWO + _EXPORT


class GradientOfLoop(Problem):
    """The path of `gradient(y, x)` is computed again and differentiated twice, which recurrences do not support."""

    code = "NN574"
    message = "the path of the gradient from `{y}` to `{x}` passes `{name}`, a recurrence"
    fails = _PENALTY.replace("      - Flatten\n", "      - Reshape: {target_shape: [8, 8]}\n      - GRU: {units: 4}\n")
    passes = _PENALTY
