"""What can be wrong with the training of a spec: NN501 to NN599."""

from __future__ import annotations

from nnspec.diagnostics import Problem

_HEAD = "nnspec: 1\nname: net\n"
_NET = "inputs: {image: [8, 8, 1]}\nlayers:\n  - Flatten\n  - Dense: {units: 10, activation: softmax}\n    name: digit\n"
_DIGITS = "data: {train: {builtin: digits}}\n"
_LOSS = "loss: SparseCategoricalCrossentropy"
_GOOD = _HEAD + _NET + _DIGITS + f"train: {{epochs: 1, {_LOSS}}}\n"


class UnknownOutput(Problem):
    """Losses, their weights and metrics are given by the names of the network's outputs."""

    code = "NN501"
    message = "the network has no output `{name}`"
    fails = _HEAD + _NET + _DIGITS + "train: {epochs: 1, loss: {digits: SparseCategoricalCrossentropy}}\n"
    passes = _GOOD


class WhichOutput(Problem):
    """A network of several outputs wants its losses and metrics by output."""

    code = "NN502"
    message = "the network has several outputs, {outputs}, and `{key}` does not say for which it is"
    fails = _HEAD + _NET + "outputs: {digit: digit, same: digit}\n" + _DIGITS + f"train: {{epochs: 1, {_LOSS}}}\n"
    passes = _GOOD


class NoLossForOutput(Problem):
    """An output that no loss reads learns only what the others make it learn."""

    code = "NN503"
    severity = "warning"
    message = "no loss reads the output `{name}`"
    fails = (
        _HEAD + _NET + "outputs: {digit: digit, same: digit}\n" + _DIGITS
        + "train: {epochs: 1, loss: {digit: SparseCategoricalCrossentropy}}\n"
    )  # fmt: skip
    passes = _GOOD


class LossDoesNotFit(Problem):
    """A loss or a metric that means nothing for an output of that shape: classes along an axis of 1."""

    code = "NN504"
    message = "`{loss}` {reason}, and `{name}` has the shape {shape}"
    fails = _GOOD.replace("units: 10, activation: softmax", "units: 1, activation: sigmoid")
    passes = _GOOD


class NotItsActivation(Problem):
    """A loss that takes probabilities on an output that gives none, or logits on one that gives probabilities.

    It trains, badly, and nothing else says so.
    """

    code = "NN505"
    severity = "warning"
    message = "`{loss}` takes {wanted}, and `{name}` gives {got}"
    fails = _GOOD.replace(", activation: softmax", "")
    passes = _GOOD


class MetricDoesNotFit(Problem):
    """A metric compares the output with the target that its loss has, so it must take the same kind of target."""

    code = "NN506"
    message = "`{metric}` takes {wanted} as the target of `{name}`, and its loss `{loss}` {got}"
    fails = _GOOD.replace(_LOSS, _LOSS + ", metrics: [CategoricalAccuracy]")
    passes = _GOOD.replace(_LOSS, _LOSS + ", metrics: [SparseCategoricalAccuracy]")


class MetricWithoutTarget(Problem):
    """A metric needs the target of its output's loss."""

    code = "NN507"
    message = "`{name}` has no target for `{metric}` to compare it with"
    fails = (
        _HEAD + _NET + "outputs: {digit: digit, same: digit}\n" + _DIGITS
        + "train: {epochs: 1, loss: {digit: SparseCategoricalCrossentropy}, metrics: {same: SparseCategoricalAccuracy}}\n"
    )  # fmt: skip
    passes = _GOOD


class UnknownMonitor(Problem):
    """What is monitored is a figure of the log: `loss`, `val_loss`, or `val_digit_mean_squared_error` of the output `digit`."""

    code = "NN508"
    message = "there is no figure `{name}` to monitor"
    fails = _GOOD.replace(_LOSS, _LOSS + ", early_stopping: {monitor: accuracy}")
    passes = _GOOD.replace(_LOSS, _LOSS + ", early_stopping: {monitor: loss}")


class NothingToMonitor(Problem):
    """A figure of the validation part needs a validation part."""

    code = "NN509"
    message = "`{name}` needs a validation part"
    fails = _GOOD.replace(_LOSS, _LOSS + ", early_stopping: {patience: 3}")
    passes = fails.replace("builtin: digits}", "builtin: digits}, validation: 0.1")


class WhichWay(Problem):
    """Whether more or less of a figure is better must be said where it does not go without saying."""

    code = "NN510"
    message = "it does not go without saying whether more or less of `{name}` is better"
    fails = (
        _GOOD.replace("softmax", "sigmoid")
        .replace("digits}", "digits}, targets: {digit: {transform: [one_hot]}}")
        .replace(_LOSS, "loss: BinaryCrossentropy, metrics: [TruePositives], early_stopping: {monitor: digit_true_positives}")
    )
    passes = fails.replace("monitor:", "mode: max, monitor:")


class ClippedTwice(Problem):
    """`clip` and an optimizer's own clipping do the same."""

    code = "NN511"
    message = "gradients are clipped by `{first}` and by `{second}`"
    fails = _GOOD.replace(_LOSS, _LOSS + ", clip: {norm: 1}, optimizer: {Adam: {clipvalue: 1}}")
    passes = _GOOD


class ClassWeightDoesNotFit(Problem):
    """Weights of classes are for one output alone whose target is a class."""

    code = "NN512"
    message = "`class_weight` {reason}"
    fails = _GOOD.replace(_LOSS, "loss: MeanSquaredError, class_weight: balanced").replace(
        "builtin: digits}", "builtin: digits}, targets: {digit: {transform: [one_hot]}}"
    )
    passes = _GOOD.replace(_LOSS, _LOSS + ", class_weight: balanced")


class NothingToTrain(Problem):
    """All weights are frozen, or there are none."""

    code = "NN513"
    message = "the network has no weights that are trained"


class NotTrainable(Problem):
    """Training needs the section `train`, and a network of the document's own."""

    code = "NN514"
    message = "the spec does not say what is trained and how"


class AveragedTwice(Problem):
    """Moving averages are asked for by `ema` and by the optimizer."""

    code = "NN515"
    message = "the moving average is asked for by `ema` and by the optimizer's `use_ema`"
    fails = _GOOD.replace(_LOSS, _LOSS + ", ema: 0.9, optimizer: {Adam: {use_ema: true}}")
    passes = _GOOD


class ScheduleAndPlateau(Problem):
    """A schedule says the learning rate at each step; `reduce_on_plateau` would have no say."""

    code = "NN516"
    message = "`reduce_on_plateau` lowers a learning rate that a schedule sets"
    fails = _GOOD.replace(
        _LOSS,
        _LOSS + ", reduce_on_plateau: {monitor: loss}, optimizer: {Adam: {learning_rate: {CosineDecay: "
        "{initial_learning_rate: 0.1, decay_steps: 100}}}}",
    )
    passes = _GOOD.replace(_LOSS, _LOSS + ", reduce_on_plateau: {monitor: loss}")


class UnknownFrozen(Problem):
    """`freeze` names layers by their paths in the network, as `nnspec inspect` shows them."""

    code = "NN517"
    message = "the network has no layer `{layer}` to freeze"
    fails = _GOOD.replace(_LOSS, _LOSS + ", freeze: [digits]")
    passes = _GOOD.replace("  - Flatten\n", "  - Flatten\n  - Dense: {units: 8}\n").replace(_LOSS, _LOSS + ", freeze: [dense]")


class AllFrozen(Problem):
    """A phase, or the training, that freezes every weight has nothing to learn."""

    code = "NN518"
    message = "every weight is frozen: there is nothing to train"
    fails = _GOOD.replace(_LOSS, _LOSS + ", freeze: [digit]")
    passes = _GOOD.replace("  - Flatten\n", "  - Flatten\n  - Dense: {units: 8}\n").replace(_LOSS, _LOSS + ", freeze: [dense]")


class NoiseDoesNotFit(Problem):
    """Noise is added to inputs of floats; labels are drawn anew where they are classes."""

    code = "NN519"
    message = "`{key}` {reason}"
    fails = _GOOD.replace(_LOSS, _LOSS + ", input_noise: {picture: 0.1}")
    passes = _GOOD.replace(_LOSS, _LOSS + ", input_noise: 0.1, label_noise: 0.05")
