"""Problems of the section ``train``: NN501 to NN599."""

from __future__ import annotations

from nnspec.diagnostics import MISSPELLED, Problem

_HEAD = "nnspec: 1\nname: net\n"
_NET = "inputs: {image: [8, 8, 1]}\nlayers:\n  - Flatten\n  - Dense: {units: 10, activation: softmax}\n    name: digit\n"
_DIGITS = "data: {train: {builtin: digits}}\n"
_LOSS = "loss: SparseCategoricalCrossentropy"
_GOOD = _HEAD + _NET + _DIGITS + f"train: {{epochs: 1, {_LOSS}}}\n"


class UnknownOutput(Problem):
    """Losses, loss weights and metrics are keyed by the names of the network's outputs."""

    code = "NN501"
    fixable = MISSPELLED
    message = "the network has no output `{name}`"
    fails = _HEAD + _NET + _DIGITS + "train: {epochs: 1, loss: {digits: SparseCategoricalCrossentropy}}\n"
    passes = _GOOD


class AmbiguousOutput(Problem):
    """If a network has several outputs, losses and metrics must be given by output."""

    code = "NN502"
    message = "the network has several outputs, {outputs}; `{key}` must name the output"
    fails = _HEAD + _NET + "outputs: {digit: digit, same: digit}\n" + _DIGITS + f"train: {{epochs: 1, {_LOSS}}}\n"
    passes = _GOOD


class NoLossForOutput(Problem):
    """An output without a loss is trained only through the layers that it shares with other outputs."""

    code = "NN503"
    severity = "warning"
    message = "the output `{name}` has no loss"
    fails = (
        _HEAD + _NET + "outputs: {digit: digit, same: digit}\n" + _DIGITS
        + "train: {epochs: 1, loss: {digit: SparseCategoricalCrossentropy}}\n"
    )  # fmt: skip
    passes = _GOOD


class LossDoesNotFit(Problem):
    """A loss or metric does not apply to the shape of its output, such as a loss over classes with an axis of size 1."""

    code = "NN504"
    message = "`{loss}` {reason}, and `{name}` has the shape {shape}"
    fails = _GOOD.replace("units: 10, activation: softmax", "units: 1, activation: sigmoid")
    passes = _GOOD


class ActivationMismatch(Problem):
    """A loss expects probabilities and the output is not a probability, or it expects logits and the output is one.

    The model trains poorly, without any error.
    """

    code = "NN505"
    severity = "warning"
    message = "`{loss}` expects {wanted}, and `{name}` returns {got}"
    fails = _GOOD.replace(", activation: softmax", "")
    passes = _GOOD


class MetricDoesNotFit(Problem):
    """A metric uses the target of its output's loss, so it must take the same kind of target."""

    code = "NN506"
    fixable = "the metric that fits the loss replaces it"
    message = "`{metric}` takes {wanted} as the target of `{name}`, and the loss `{loss}` takes {got}"
    fails = _GOOD.replace(_LOSS, _LOSS + ", metrics: [CategoricalAccuracy]")
    passes = _GOOD.replace(_LOSS, _LOSS + ", metrics: [SparseCategoricalAccuracy]")


class MetricWithoutTarget(Problem):
    """A metric is compared with a target.

    `Accuracy` takes the kind of target that the loss takes, so its output needs a loss.
    """

    code = "NN507"
    message = "`{metric}` needs a target, and `{name}` has none"
    fails = (
        _HEAD + _NET + "outputs: {digit: digit, same: digit}\n" + _DIGITS
        + "train: {epochs: 1, loss: {digit: SparseCategoricalCrossentropy}, metrics: {same: Accuracy}}\n"
    )  # fmt: skip
    passes = _GOOD


class UnknownMonitor(Problem):
    """`monitor` is the name of a metric in the log: `loss`, `val_loss`, or for an output `digit` `val_digit_accuracy`.

    The keys of `export.int8.lose_at_most` are such names without `val_`.
    """

    code = "NN508"
    fixable = MISSPELLED
    message = "unknown metric `{name}`"
    fails = _GOOD.replace(_LOSS, _LOSS + ", early_stopping: {monitor: accuracy}")
    passes = _GOOD.replace(_LOSS, _LOSS + ", early_stopping: {monitor: loss}")


class NothingToMonitor(Problem):
    """Metrics that begin with `val_` need a validation split."""

    code = "NN509"
    message = "`{name}` needs a validation split"
    fails = _GOOD.replace(_LOSS, _LOSS + ", early_stopping: {patience: 3}")
    passes = fails.replace("builtin: digits}", "builtin: digits}, validation: 0.1")


class AmbiguousMode(Problem):
    """`mode` states whether to maximize or minimize a metric for which this cannot be inferred."""

    code = "NN510"
    message = "cannot infer whether to maximize or minimize `{name}`; set `mode`"
    fails = (
        _GOOD.replace("softmax", "sigmoid")
        .replace("digits}", "digits}, targets: {digit: {transform: [one_hot]}}")
        .replace(_LOSS, "loss: BinaryCrossentropy, metrics: [TruePositives], early_stopping: {monitor: digit_true_positives}")
    )
    passes = fails.replace("monitor:", "mode: max, monitor:")


class ClippedTwice(Problem):
    """`clip` and the clipping arguments of an optimizer exclude each other."""

    code = "NN511"
    message = "gradients are clipped twice, by `{first}` and by `{second}`"
    fails = _GOOD.replace(_LOSS, _LOSS + ", clip: {norm: 1}, optimizer: {Adam: {clipvalue: 1}}")
    passes = _GOOD


class ClassWeightDoesNotFit(Problem):
    """`class_weight` needs exactly one output with a target, and that target must be a class."""

    code = "NN512"
    message = "`class_weight` {reason}"
    fails = _GOOD.replace(_LOSS, "loss: MeanSquaredError, class_weight: balanced").replace(
        "builtin: digits}", "builtin: digits}, targets: {digit: {transform: [one_hot]}}"
    )
    passes = _GOOD.replace(_LOSS, _LOSS + ", class_weight: balanced")


class NothingToTrain(Problem):
    """All weights are frozen, or the network has none."""

    code = "NN513"
    message = "the network has no trainable weights"


class NotTrainable(Problem):
    """Training needs the section `train` with a length, and a main network."""

    code = "NN514"
    message = "the spec does not define a training"


class AveragedTwice(Problem):
    """`ema` and the optimizer's `use_ema` exclude each other."""

    code = "NN515"
    message = "the moving average is set twice, by `ema` and by the optimizer's `use_ema`"
    fails = _GOOD.replace(_LOSS, _LOSS + ", ema: 0.9, optimizer: {Adam: {use_ema: true}}")
    passes = _GOOD


class SlowAverage(Problem):
    """A moving average begins at the initial weights, and keeps `ema` to the power of the number of steps of them.

    The average is saved, so a share that is not small spoils the network. This is checked for `steps`, not for `epochs`.
    """

    code = "NN584"
    severity = "warning"
    message = "the moving average keeps {share} of the initial weights after {steps:,} steps"
    fails = _GOOD.replace("epochs: 1", "steps: 1000, ema: 0.999")
    passes = fails.replace("0.999", "0.99")


class ScheduleAndPlateau(Problem):
    """A schedule sets the learning rate at each step and would override `reduce_on_plateau`."""

    code = "NN516"
    message = "`reduce_on_plateau` cannot be used with a learning-rate schedule"
    fails = _GOOD.replace(
        _LOSS,
        _LOSS + ", reduce_on_plateau: {monitor: loss}, optimizer: {Adam: {learning_rate: {CosineDecay: "
        "{initial_learning_rate: 0.1, decay_steps: 100}}}}",
    )
    passes = _GOOD.replace(_LOSS, _LOSS + ", reduce_on_plateau: {monitor: loss}")


class UnknownFrozenLayer(Problem):
    """`freeze` lists layers by their paths in the network, as `nnspec inspect` prints them."""

    code = "NN517"
    fixable = MISSPELLED
    message = "the network has no layer `{layer}` to freeze"
    fails = _GOOD.replace(_LOSS, _LOSS + ", freeze: [digits]")
    passes = _GOOD.replace("  - Flatten\n", "  - Flatten\n  - Dense: {units: 8}\n").replace(_LOSS, _LOSS + ", freeze: [dense]")


class AllFrozen(Problem):
    """A training or a phase that freezes every weight has nothing to train."""

    code = "NN518"
    message = "every weight is frozen: there is nothing to train"
    fails = _GOOD.replace(_LOSS, _LOSS + ", freeze: [digit]")
    passes = _GOOD.replace("  - Flatten\n", "  - Flatten\n  - Dense: {units: 8}\n").replace(_LOSS, _LOSS + ", freeze: [dense]")


class NoiseDoesNotFit(Problem):
    """`input_noise` applies to float inputs; `label_noise` applies to targets that are classes.

    Noise would also change the values by which `Masking` recognizes padding; `GaussianNoise` after it does not.
    """

    code = "NN519"
    fixable = MISSPELLED
    message = "`{key}` {reason}"
    fails = _GOOD.replace(_LOSS, _LOSS + ", input_noise: {picture: 0.1}")
    passes = _GOOD.replace(_LOSS, _LOSS + ", input_noise: 0.1, label_noise: 0.05")


_BLOCK = (
    "blocks:\n  squared:\n    inputs: [target, output]\n    layers:\n      - Compute: square(target - output)\n"
    "inputs: {x: [4]}\nlayers:\n  - Dense: {units: 2}\n    name: y\n"
)


class BlockDoesNotFit(Problem):
    """A block is a loss or metric if it has the inputs `target` and `output`, one output, and no weights.

    Other inputs have the names of outputs or inputs of the network. The result has one value for each example, or for each
    position along the leading axes of the output.
    """

    code = "NN520"
    message = "the block `{block}` {reason}"
    fails = _HEAD + _BLOCK.replace("target, output]", "target, output, scale]") + "train: {epochs: 1, loss: squared}\n"
    passes = _HEAD + _BLOCK + "train: {epochs: 1, loss: squared}\n"


class LossesDisagree(Problem):
    """The losses in the list of an output are compared with the same target."""

    code = "NN521"
    message = "`{loss}` takes {wanted} as the target of `{name}`, and `{first}` takes {got}"
    fails = _GOOD.replace(_LOSS, "loss: {digit: [SparseCategoricalCrossentropy, CategoricalHinge]}")
    passes = _GOOD.replace(
        _LOSS, "loss: {digit: [SparseCategoricalCrossentropy, {CategoricalGeneralizedCrossEntropy: {q: 0.7}}]}"
    )


_DETECTOR = (
    _HEAD + "inputs: {image: [16], boxes: [5, 4], class: {shape: [5], dtype: int32}}\nlayers:\n"
    "  - Dense: {units: 8}\n    from: image\n  - Reshape: {target_shape: [2, 4]}\n    name: corners\n"
    "  - Compute: sigmoid(sum(corners, axis=2, keepdims=true))\n    name: sure\n"
    "  - NonMaxSuppression: {keep: 2}\n    from: {boxes: corners, scores: sure}\n    name: nms\n"
    "outputs: {near: corners, boxes: nms.boxes, scores: nms.scores, class: nms.class}\n"
    "data: {train: {npz: boxes.npz}, validation: 0.2}\n"
    "train:\n  epochs: 1\n  metrics: [MeanAveragePrecision]\n  objective:\n    program:\n      layers:\n"
    "        - main:\n          from: image\n          name: found\n"
    "        - Compute: mean(square(found.near - boxes[:, :2]))\n          name: error\n"
    "      minimize: [{loss: error, of: main}]\n"
)


class SplitMetricDoesNotFit(Problem):
    """`MeanAveragePrecision` compares the detections of a network with the annotated boxes of a whole split.

    The network returns the outputs `boxes`, `scores` and `class` of a `NonMaxSuppression`, or those that the metric names. The
    data have the fields `boxes` and `class`.
    """

    code = "NN525"
    message = "`{metric}` {reason}"
    fails = _GOOD.replace(_LOSS, _LOSS + ", metrics: [MeanAveragePrecision]")
    passes = _DETECTOR


class SplitMetricWithoutValidation(Problem):
    """A metric of a whole split is computed after each epoch on the validation data, and by `nnspec evaluate`."""

    code = "NN526"
    severity = "warning"
    message = "`{metric}` is computed on validation data, and there are none"


class FewerScoresThanClasses(Problem):
    """A detector predicts a score for each class of the annotated boxes. Boxes of further classes would not be learned."""

    code = "NN527"
    message = "the detections have scores of {units} classes, but the boxes have {classes}: {shown}"


class MoreScoresThanClasses(Problem):
    """A detector has scores of more classes than the annotated boxes have. The further ones are never learned."""

    code = "NN528"
    severity = "warning"
    message = "the detections have scores of {units} classes, but the boxes have {classes}: {shown}"


_PAIR = (
    _HEAD + "networks:\n  generator:\n    inputs: {noise: [16]}\n    layers:\n      - Dense: {units: 64, activation: sigmoid}\n"
    "      - Reshape: {target_shape: [8, 8, 1]}\n        name: image\n  discriminator:\n"
    "    inputs: {image: [8, 8, 1]}\n    layers:\n      - Flatten\n      - Dense: {units: 16, activation: relu}\n"
    "      - Dense: {units: 1}\n        name: logit\n"
)
TWO_NETWORKS = _PAIR + _DIGITS + "train: {objective: gan, epochs: 1}\n"
"""An example document with several networks."""


class OptimizerNames(Problem):
    """`optimizer` is one for all networks, or one for each."""

    code = "NN564"
    fixable = MISSPELLED
    message = "`optimizer` {reason}"
    fails = TWO_NETWORKS.replace("epochs: 1", "epochs: 1, optimizer: {generator: {Adam: {beta_1: 0.5}}}")
    passes = TWO_NETWORKS.replace("epochs: 1", "epochs: 1, optimizer: {generator: {Adam: {beta_1: 0.5}}, discriminator: SGD}")
