"""Problems of training programs: NN567 to NN583."""

from __future__ import annotations

from nnspec.diagnostics import MISSPELLED, Problem

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


_PAIR = _TWO.replace("of: encoder}", "of: encoder}, {loss: error, of: decoder}") + _EXPORT
_OTHER = _GOOD.replace(
    "networks:\n", "networks:\n  other:\n    inputs: {image: [8, 8, 1]}\n    layers: [Flatten, {Dense: {units: 2}}]\n"
)
_DEFINED = (
    _NETWORKS + "inputs: {image: [8, 8, 1]}\ndata: {train: {builtin: digits}, validation: 0.2}\n"
    "objectives:\n  OBJECTIVE:\n    params: {network: network, input: field}\n    layers:\n      - $network:\n"
    "        from: $input\n        name: code\n      - Compute: square(code - 1)\n        name: loss\n"
    "    minimize: [{loss: loss, of: $network}]\n"
    "train:\n  epochs: 1\n  objective: {OBJECTIVE: {network: encoder, input: image}}\n"
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
    fixable = MISSPELLED
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


class GradientOfNothing(Problem):
    """The tensor does not depend on the other, or only through functions that no gradient passes, so the gradient would be 0.

    Gradients do not pass `stop_gradient`, `argmax`, comparisons, rounding and casts to integers.
    """

    code = "NN575"
    message = "`gradient` is always 0: {y} does not depend on `{x}` in a way that can be differentiated"
    fails = _PENALTY.replace("gradient(encoder, image)", "gradient(stop_gradient(encoder), image)")
    passes = _PENALTY


class NeverTrained(Problem):
    """All weights that an entry of `minimize` would update are frozen in every phase, so it changes nothing."""

    code = "NN576"
    message = "no phase trains {networks}: all weights are frozen"
    fails = _PAIR.replace("  epochs: 1\n", "  epochs: 1\n  freeze: [decoder]\n")
    passes = _PAIR


class AverageNotUsed(Problem):
    """No step uses the average, and it is not exported."""

    code = "NN577"
    severity = "warning"
    message = "nothing uses the average `{name}`"
    fails = _GOOD.replace("      layers:\n        - enc", "      average: {slow: {of: encoder}}\n      layers:\n        - enc")
    passes = fails + "export: {network: slow}\n"


class KeepsRandomWeights(Problem):
    """A network that the program uses is trained by no entry of `minimize`, and has no initial weights.

    It computes with its random weights. If that is intended, as for random features, write `freeze: true` at its use.
    """

    code = "NN578"
    severity = "warning"
    message = "`{name}` keeps its random weights: nothing trains it"
    fails = _TWO + _EXPORT
    passes = fails.replace("of: encoder}", "of: [encoder, decoder]}")


class UntrainedExport(Problem):
    """The network that is exported has weights that the program never uses, so the training has no values for them."""

    code = "NN579"
    message = "`{name}` is exported, and the program does not use its weights `{weights}`"
    fails = _OTHER + "export: {network: other}\n"
    passes = _OTHER + _EXPORT


class ReplacesObjective(Problem):
    """An objective of the document has the name of one that comes with the package, and is used in its place."""

    code = "NN580"
    severity = "warning"
    message = "the objective `{name}` replaces the one of the same name that comes with nnspec"
    fails = _DEFINED.replace("OBJECTIVE", "gan")
    passes = _DEFINED.replace("OBJECTIVE", "near")


class TargetOfProgram(Problem):
    """A program has no targets: a column that a loss reads is a field, under `inputs`."""

    code = "NN581"
    message = "a program has no targets, and `data.targets` has `{name}`"
    fails = _GOOD.replace("validation: 0.2}", "validation: 0.2, targets: {digit: target}}")
    passes = _GOOD


class ExportedField(Problem):
    """An input of the exported network can take the transforms of a field of its shape, or of a sequence of another length.

    An input without axes takes those of one element of a sequence, such as one token.
    """

    code = "NN582"
    message = "`{name}` is {wanted}, and cannot take the transforms of `{field}`, which is {got}"
    fails = (
        _GOOD.replace("inputs: {image: [8, 8, 1]}\ndata", "inputs: {image: [8, 8, 1], digit: {shape: [], dtype: int32}}\ndata")
        .replace("validation: 0.2}", "validation: 0.2, inputs: {digit: target}}")
        .replace("name: error\n", "name: error\n        - Compute: cast(digit, 'float32')\n          name: shown\n")
        + "      show: [shown]\nexport: {inputs: {image: digit}}\n"
    )
    passes = fails.replace("image: digit", "image: image")


class MonitorsNothing(Problem):
    """A phase monitors the training loss of an entry whose weights it freezes, which it does not compute."""

    code = "NN583"
    message = "the phase monitors `{name}`, a loss that it does not minimize: all its weights are frozen"
    fails = (
        _PAIR.replace(", validation: 0.2", "")
        .replace("loss: error, of: decoder", "loss: decoder, of: decoder")
        .replace(
            "  epochs: 1\n",
            "  early_stopping: {monitor: error, mode: min}\n  phases: [{epochs: 1, freeze: [encoder]}, {epochs: 1}]\n",
        )
    )
    passes = fails.replace("monitor: error, mode: min", "monitor: decoder, mode: min")
