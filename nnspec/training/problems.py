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


_RESTORE = (
    _HEAD + "inputs: {image: [8, 8, 1]}\nlayers:\n  - Flatten\n  - Dense: {units: 16}\n  - Dense: {units: 64}\n"
    "  - Reshape: {target_shape: [8, 8, 1]}\n    name: restored\n"
)
_RESTORING = _RESTORE + _DIGITS + "train: {objective: autoencoder, epochs: 1, loss: MeanSquaredError}\n"


class ObjectiveUnclear(Problem):
    """An objective that makes targets of inputs must say of which, where there are several it could mean."""

    code = "NN530"
    message = "`{objective}` does not say {what}"
    fails = (
        _RESTORING.replace("inputs: {image: [8, 8, 1]}", "inputs: {image: [8, 8, 1], other: [8, 8, 1]}")
        .replace("  - Flatten\n", "  - Add:\n    from: [image, other]\n  - Flatten\n")
        .replace("digits}}", "digits}, inputs: {other: image}}")
    )
    passes = fails.replace("objective: autoencoder", "objective: {autoencoder: {restores: {restored: image}}}")


class ObjectiveDoesNotFit(Problem):
    """An autoencoder gives back what has the shape of its input; a language model gives tokens at each position of them.

    A corruption must be able to act on the input.
    """

    code = "NN531"
    message = "`{objective}` {reason}"
    fails = _RESTORING.replace("\n  - Reshape: {target_shape: [8, 8, 1]}", "")
    passes = _RESTORING


class ReadsAhead(Problem):
    """A network that is to say the next token, and reads it: it learns to copy, and can say nothing.

    `validate` finds it where the layers alone show it: attention without a causal mask, a layer that runs backwards, a
    convolution that is not causal. `train` finds the rest before its first step, by changing a token and comparing the
    outputs at earlier positions.
    """

    code = "NN532"
    message = "the output `{name}` reads the tokens that it is to say: {where}"
    fails = (
        _HEAD + "inputs: {tokens: {shape: [T], dtype: int32}}\nlayers:\n  - Embedding: {input_dim: 9, output_dim: 8}\n"
        "  - Conv1D: {filters: 8, kernel_size: 3, padding: same}\n  - Dense: {units: 9}\n    name: next\n"
        "train: {objective: language_model, epochs: 1, loss: {SparseCategoricalCrossentropy: {from_logits: true}}}\n"
    )
    passes = fails.replace("padding: same", "padding: causal")


_PAIR = (
    _HEAD + "networks:\n  generator:\n    inputs: {noise: [16]}\n    layers:\n      - Dense: {units: 64, activation: sigmoid}\n"
    "      - Reshape: {target_shape: [8, 8, 1]}\n        name: image\n  discriminator:\n"
    "    inputs: {image: [8, 8, 1]}\n    layers:\n      - Flatten\n      - Dense: {units: 16, activation: relu}\n"
    "      - Dense: {units: 1}\n        name: logit\n"
)
_AGAINST = _PAIR + _DIGITS + "train: {objective: gan, epochs: 1}\n"


class UnknownNetwork(Problem):
    """`gan` names two networks of the document: by default `generator` and `discriminator`."""

    code = "NN560"
    message = "the document has no network `{name}`"
    fails = _AGAINST.replace("objective: gan", "objective: {gan: {generator: generater}}")
    passes = _AGAINST


class NoPair(Problem):
    """What the generator gives has the shape that the discriminator takes, and what conditions one conditions both."""

    code = "NN561"
    message = "the generator and the discriminator make no pair: {reason}"
    fails = _AGAINST.replace("target_shape: [8, 8, 1]", "target_shape: [4, 4, 4]")
    passes = _AGAINST


class NotALogit(Problem):
    """The losses of a pair take one number for each example, and put it through a sigmoid of their own where they need one.

    With a sigmoid before that it learns badly, or not at all, and nothing else says so. `least_squares` takes either.
    """

    code = "NN562"
    message = "`{loss}` takes one {wanted} for each example, and `{name}` {got}"
    fails = _AGAINST.replace("Dense: {units: 1}", "Dense: {units: 1, activation: sigmoid}")
    passes = _AGAINST


class NotWithObjective(Problem):
    """An objective with losses of its own leaves some keys of `train` without a meaning."""

    code = "NN563"
    message = "`{key}` has no meaning with `{objective}`"
    fails = _AGAINST.replace("epochs: 1", "epochs: 1, loss: BinaryCrossentropy")
    passes = _AGAINST.replace("objective: gan", "objective: {gan: {loss: hinge}}")


class OptimizerOfWhat(Problem):
    """Networks that are trained against each other share one optimizer's arguments, or have one each."""

    code = "NN564"
    message = "`optimizer` {reason}"
    fails = _AGAINST.replace("epochs: 1", "epochs: 1, optimizer: {generator: {Adam: {beta_1: 0.5}}}")
    passes = _AGAINST.replace("epochs: 1", "epochs: 1, optimizer: {generator: {Adam: {beta_1: 0.5}}, discriminator: SGD}")


class NormalizedWithPenalty(Problem):
    """The gradient penalty is of each example alone, and batch normalization mixes the examples of a batch.

    Gulrajani et al. 2017, section 4.
    """

    code = "NN565"
    severity = "warning"
    message = "`{name}` mixes the examples of a batch, and `gradient_penalty` is of each alone"
    fails = _AGAINST.replace("      - Dense: {units: 1}", "      - BatchNormalization\n      - Dense: {units: 1}").replace(
        "objective: gan", "objective: {gan: {loss: wasserstein, gradient_penalty: 10}}"
    )
    passes = fails.replace("BatchNormalization", "LayerNormalization")


class UnboundedCritic(Problem):
    """The Wasserstein distance is over functions that do not rise too steeply: something must hold the critic to that."""

    code = "NN566"
    severity = "warning"
    message = "nothing bounds how steeply `{name}` rises, and `wasserstein` has no end without it"
    fails = _AGAINST.replace("objective: gan", "objective: {gan: {loss: wasserstein}}")
    passes = _AGAINST.replace("objective: gan", "objective: {gan: {loss: wasserstein, gradient_penalty: 10}}")
