"""What can be wrong with a graph: wiring (NN221 …), shapes (NN301 …), and what is legal but probably not meant."""

from __future__ import annotations

from nnspec.diagnostics import Problem

_HEAD = "nnspec: 1\nname: net\ninputs: {x: [4]}\nlayers:\n"
_PICTURE = (
    "nnspec: 1\nname: net\ninputs: {image: [8, 8, 1]}\nlayers:\n  - Conv2D: {filters: 4, kernel_size: 3, activation: relu}\n"
)
_TWO = "nnspec: 1\nname: net\ninputs: {a: [4], b: [4]}\nlayers:\n"


class UnknownSource(Problem):
    """A ``from`` names something that is no input and no step of this list."""

    code = "NN221"
    message = "there is no input or step `{name}` here"
    fails = _HEAD + "  - Dense: {units: 2}\n    name: hidden\n  - Dense: {units: 2}\n    from: hiden\n"
    passes = _HEAD + "  - Dense: {units: 2}\n    name: hidden\n  - Dense: {units: 2}\n    from: hidden\n"


class SourceBelow(Problem):
    """A step reads only from steps above it, so that a spec can be read from the top."""

    code = "NN222"
    message = "`{name}` is defined further down"
    fails = _HEAD + "  - Dense: {units: 2}\n    from: late\n  - Dense: {units: 4}\n    from: x\n    name: late\n"
    passes = _HEAD + "  - Dense: {units: 4}\n    from: x\n    name: late\n  - Dense: {units: 2}\n    from: late\n"


class Cycle(Problem):
    """Steps that read from one another in a circle have no order in which they could run."""

    code = "NN223"
    message = "a cycle: {chain}"
    fails = _HEAD + "  - Dense: {units: 4}\n    name: a\n    from: b\n  - Dense: {units: 4}\n    name: b\n    from: a\n"
    passes = _HEAD + "  - Dense: {units: 4}\n    name: a\n    from: x\n  - Dense: {units: 4}\n    name: b\n    from: a\n"


class NoDefaultSource(Problem):
    """The first step takes the only input; where there are several, it must say which."""

    code = "NN224"
    message = "the first step must say which input it takes"
    fails = _TWO + "  - Dense: {units: 2}\n  - Add:\n    from: [a, b]\n"
    passes = _TWO + "  - Add:\n    from: [a, b]\n  - Dense: {units: 2}\n"


class BadSource(Problem):
    """``from`` is a name, a list of names for a merge, or a mapping of ports to names."""

    code = "NN225"
    message = "{reason}"
    fails = _HEAD + "  - Dense: {units: 2}\n    from: {y: x}\n"
    passes = _HEAD + "  - Dense: {units: 2}\n    from: {x: x}\n"


class UnknownOutput(Problem):
    """A step was asked for an output that it does not have."""

    code = "NN226"
    message = "`{source}` has no output `{output}`"
    fails = (
        "nnspec: 1\nname: net\ninputs: {x: [5, 4]}\nlayers:\n  - GRU: {units: 3}\n  - Dense: {units: 2}\n    from: gru.state\n"
    )
    passes = (
        "nnspec: 1\nname: net\ninputs: {x: [5, 4]}\nlayers:\n  - GRU: {units: 3, return_state: true}\n"
        "  - Dense: {units: 2}\n    from: gru.state\n"
    )


class BadOutputs(Problem):
    """``outputs`` is a list of names, or a mapping of names to what they give."""

    code = "NN227"
    message = "{reason}"
    fails = _HEAD + "  - Dense: {units: 2}\n    name: y\noutputs: [z]\n"
    passes = _HEAD + "  - Dense: {units: 2}\n    name: y\noutputs: [y]\n"


class NoLayers(Problem):
    """A network without a step computes nothing."""

    code = "NN228"
    message = "`layers` has no steps"
    fails = "nnspec: 1\nname: net\ninputs: {x: [4]}\nlayers: []\n"
    passes = _HEAD + "  - Dense: {units: 2}\n"


class UnusedLayer(Problem):
    """A step that no output depends on is not part of the model: often a ``from`` or an output was forgotten."""

    code = "NN231"
    severity = "warning"
    message = "nothing uses `{name}`: no output depends on it"
    fails = _HEAD + "  - Dense: {units: 2}\n    name: lost\n  - Dense: {units: 2}\n    from: x\n    name: y\n"
    passes = (
        _HEAD + "  - Dense: {units: 2}\n    name: lost\n  - Dense: {units: 2}\n    from: x\n    name: y\noutputs: [lost, y]\n"
    )


class UnusedInput(Problem):
    """An input that no output depends on would have to be fed for nothing."""

    code = "NN232"
    severity = "warning"
    message = "nothing uses the input `{name}`"
    fails = _TWO + "  - Dense: {units: 2}\n    from: a\n"
    passes = "nnspec: 1\nname: net\ninputs: {a: [4]}\nlayers:\n  - Dense: {units: 2}\n"


class ChainedOntoOutput(Problem):
    """A step without ``from`` reads the step above it. Where that is an output, a ``from`` was probably forgotten."""

    code = "NN233"
    severity = "warning"
    message = "`{name}` reads `{output}`, an output of the model, because it has no `from`"
    fails = (
        _HEAD + "  - Dense: {units: 2}\n    name: mean\n  - Dense: {units: 2}\n    name: log_variance\n"
        "outputs: [mean, log_variance]\n"
    )
    passes = (
        _HEAD + "  - Dense: {units: 2}\n    name: mean\n  - Dense: {units: 2}\n    name: log_variance\n    from: x\n"
        "outputs: [mean, log_variance]\n"
    )


class DoesNotFit(Problem):
    """A layer cannot take what it is given: a wrong rank, sizes that do not agree, a window larger than what it slides over."""

    code = "NN301"
    message = "{reason}"
    fails = "nnspec: 1\nname: net\ninputs: {x: [4, 4, 1]}\nlayers:\n  - Conv2D: {filters: 2, kernel_size: 5}\n"
    passes = "nnspec: 1\nname: net\ninputs: {x: [4, 4, 1]}\nlayers:\n  - Conv2D: {filters: 2, kernel_size: 3}\n"


class TooLarge(Problem):
    """A size that no array has, or that is too complicated to reason about.

    An axis has at most 2**63 positions and a tensor at most 32 axes. A size that depends on symbols has at most 200 terms and
    is at most 4,000 characters long: a product of sums doubles its terms with each factor.
    """

    code = "NN302"
    message = "`{op}`: {reason}"
    advice = "declare free sizes as numbers under `inputs`, or take less of them together"
    fails = "nnspec: 1\nname: net\ninputs: {x: [T, 4]}\nlayers:\n" + "  - UpSampling1D: {size: 4_000_000_000}\n" * 2
    passes = "nnspec: 1\nname: net\ninputs: {x: [T, 4]}\nlayers:\n" + "  - UpSampling1D: {size: 4}\n" * 2


class NoSizeFits(Problem):
    """What layers ask of the free sizes contradicts itself: whatever size comes in, one of them cannot run.

    Two sizes must be equal where tensors are added, multiplied or joined, and every size must be at least 1. A free size
    that must equal a number is bound to it, everywhere; two symbols that must be equal become one; what remains is stated as
    a condition, which `nnspec inspect` shows.
    """

    code = "NN311"
    message = "{reason}"
    fails = "nnspec: 1\nname: net\ninputs: {x: [T, 4]}\nlayers:\n  - MaxPooling1D\n  - Add:\n    from: [x, max_pooling1d]\n"
    passes = (
        "nnspec: 1\nname: net\ninputs: {x: [T, 4]}\nlayers:\n  - Conv1D: {filters: 4, kernel_size: 3, padding: same}\n"
        "    name: alike\n  - Add:\n    from: [x, alike]\n"
    )


class OnlyOneSize(Problem):
    """A free size can only be 1, because two sizes that must be equal differ at every other size.

    That is what a stride on one of two branches comes to: `(T + 1)//2` and `T` are equal at T = 1 alone.
    """

    code = "NN312"
    severity = "warning"
    message = "`{name}` can only be 1: {reason}"
    fails = (
        "nnspec: 1\nname: net\ninputs: {x: [T, 4]}\nlayers:\n  - Conv1D: {filters: 4, kernel_size: 1, strides: 2}\n"
        "  - Add:\n    from: [x, conv1d]\n"
    )
    passes = (
        "nnspec: 1\nname: net\ninputs: {x: [T, 4]}\nlayers:\n  - Conv1D: {filters: 4, kernel_size: 1}\n"
        "  - Add:\n    from: [x, conv1d]\n"
    )


class UnknownExport(Problem):
    """``export`` names a network or an output that the document does not have."""

    code = "NN234"
    message = "there is no {what} `{name}` to export"
    fails = _HEAD + "  - Dense: {units: 2}\n    name: y\nexport: {outputs: [z]}\n"
    passes = _HEAD + "  - Dense: {units: 2}\n    name: y\nexport: {outputs: [y]}\n"


class NoActivationMap(Problem):
    """A class activation map is what the last layer gives at each position before the mean over all of them is taken.

    It is there where the output comes from a mean over all positions (`GlobalAveragePooling2D`) by affine layers alone, as a
    `Dense`; dropout between them and an activation at the end make no difference (Zhou et al. 2016).
    """

    code = "NN237"
    message = "`{name}` has no class activation map: {reason}"
    fails = _PICTURE + "  - Flatten\n  - Dense: {units: 2}\n    name: y\nexport: {activation_maps: [y]}\n"
    passes = _PICTURE + "  - GlobalAveragePooling2D\n  - Dense: {units: 2}\n    name: y\nexport: {activation_maps: [y]}\n"


class BadStart(Problem):
    """``weights`` names a file that is not there, or that has no weight of that name and shape to start from."""

    code = "NN235"
    message = "{reason}"


class MissingStart(Problem):
    """``weights`` names a file that is not there yet, so its names and shapes cannot be compared with the layers.

    Training, exporting and converting need it; a run that another spec is yet to train is a good reason for the warning.
    """

    code = "NN850"
    severity = "warning"
    message = "{reason}"
    fails = _HEAD + "  - Dense: {units: 2}\n    weights: runs/autoencoder\n"
    passes = _HEAD + "  - Dense: {units: 2}\n"


class OverBudget(Problem):
    """The model is larger than its ``budget`` allows."""

    code = "NN310"
    message = "{got:,} {what}; the budget is {most:,}"
    advice = "make the model smaller, or raise the budget"
    fails = _HEAD + "  - Dense: {units: 2}\nbudget: {parameters: 9}\n"
    passes = _HEAD + "  - Dense: {units: 2}\nbudget: {parameters: 10}\n"


_NETWORKS = (
    "nnspec: 1\nname: net\nnetworks:\n  a:\n    inputs: {{x: [4]}}\n    layers:\n      - {}\n  b:\n    inputs: {{x: [4]}}\n"
    "    layers:\n      - a\ninputs: {{x: [4]}}\nlayers:\n  - b\n"
)


class NetworkInItself(Problem):
    """Networks that use one another in a circle would never end."""

    code = "NN229"
    message = "a network that contains itself: {chain}"
    advice = "use other networks or layers in it; `repeat` runs a step several times"
    fails = _NETWORKS.format("b")
    passes = _NETWORKS.format("Dense: {units: 2}")


class NameOfNetwork(Problem):
    """The weights of a network stand under its name, and a step's under its own: a step with weights needs another name."""

    code = "NN236"
    message = "`{name}` is the name of a network, whose weights stand under it"
    fails = (
        "nnspec: 1\nname: net\nnetworks:\n  tower:\n    inputs: {x: [4]}\n    layers:\n      - Dense: {units: 4}\n"
        "inputs: {x: [4]}\nlayers:\n  - tower:\n    name: a\n  - Dense: {units: 2}\n    name: tower\n"
    )
    passes = fails.replace("name: tower", "name: head")


class CannotShare(Problem):
    """``share`` applies an earlier layer again, with the same weights: a layer above, not a block or a network."""

    code = "NN230"
    message = "there is no layer `{name}` above to share"
    fails = _HEAD + "  - Dense: {units: 4}\n    name: first\n  - share: frist\n"
    passes = _HEAD + "  - Dense: {units: 4}\n    name: first\n  - share: first\n"


_TOKENS = "nnspec: 1\nname: net\ninputs: {tokens: {shape: [T], dtype: int32}}\nlayers:\n"


class NeedlessBias(Problem):
    """A normalization that subtracts each channel's mean over all positions removes what a bias added: unused parameters.

    `BatchNormalization` does, and `GroupNormalization` with one channel in each group. `LayerNormalization` over the channels
    does not: the mean it subtracts is that of all the biases together, and their differences stay.
    """

    code = "NN241"
    severity = "warning"
    message = "the bias of `{name}` makes no difference: `{by}` subtracts the mean"
    fails = _HEAD + "  - Dense: {units: 2}\n  - BatchNormalization\n"
    passes = _HEAD + "  - Dense: {units: 2, use_bias: false}\n  - BatchNormalization\n"


class RandomOutput(Problem):
    """An output that is dropped out in training is compared with its target with parts of it missing.

    What a network of ``networks`` gives is read by the layers around it, and may be dropped out.
    """

    code = "NN242"
    severity = "warning"
    message = "the output `{name}` is changed at random in training"
    fails = _HEAD + "  - Dense: {units: 2}\n  - Dropout: {rate: 0.5}\n"
    passes = _HEAD + "  - Dropout: {rate: 0.5}\n  - Dense: {units: 2}\n"


class ConstantOutput(Problem):
    """A softmax divides by the sum over its axis. Over one unit that is the unit itself: the output is 1, whatever comes in."""

    code = "NN250"
    severity = "warning"
    message = "`{name}` always gives 1: `{activation}` over one unit"
    fails = _HEAD + "  - Dense: {units: 1, activation: softmax}\n"
    passes = _HEAD + "  - Dense: {units: 1, activation: sigmoid}\n"


class UnmaskedPadding(Problem):
    """Sequences of free length are padded to one length in a batch. Without a mask, the padding is read as if it were data."""

    code = "NN243"
    severity = "warning"
    message = "`{name}` reads padding as if it were data: nothing masks it"
    fails = _TOKENS + "  - Embedding: {input_dim: 9, output_dim: 4}\n  - LSTM: {units: 3}\n"
    passes = _TOKENS + "  - Embedding: {input_dim: 9, output_dim: 4, mask_zero: true}\n  - LSTM: {units: 3}\n"


class FrozenElsewhere(Problem):
    """All uses of a network, or of a layer under ``share``, have one copy of its weights: frozen in one, frozen in all."""

    code = "NN251"
    severity = "warning"
    message = "the weights that `{name}` uses are frozen, because `{freezer}` says `freeze: true`"
    fails = (
        "nnspec: 1\nname: net\nnetworks:\n  tower: {inputs: {x: [4]}, layers: [{Dense: {units: 4}}]}\ninputs: {a: [4], "
        "b: [4]}\nlayers:\n  - tower:\n    name: one\n    from: a\n    freeze: true\n  - tower:\n    name: two\n    from: b\n"
        "  - Add:\n    from: [one, two]\n  - Dense: {units: 2}\n"
    )
    passes = fails.replace("    name: two\n    from: b\n", "    name: two\n    from: b\n    freeze: true\n")


class SeveralStarts(Problem):
    """All uses of a network, or of a layer under ``share``, have one copy of its weights, which can start from one file."""

    code = "NN252"
    message = "the weights that `{name}` uses start from another file in another use"
    fails = (
        "nnspec: 1\nname: net\nnetworks:\n  tower: {inputs: {x: [4]}, layers: [{Dense: {units: 4}}]}\ninputs: {a: [4], "
        "b: [4]}\nlayers:\n  - tower:\n    name: one\n    from: a\n    weights: one.safetensors\n"
        "  - tower:\n    name: two\n    from: b\n"
        "    weights: two.safetensors\n  - Add:\n    from: [one, two]\n  - Dense: {units: 2}\n"
    )
    passes = fails.replace("    weights: one.safetensors\n", "").replace("    weights: two.safetensors\n", "")


class DroppedMask(Problem):
    """A layer that does not know what to do with a mask drops it, and what comes after reads padding as if it were data."""

    code = "NN244"
    severity = "warning"
    message = "`{name}` drops its input's mask, which `{reader}` would have used"
    fails = (
        _TOKENS + "  - Embedding: {input_dim: 9, output_dim: 4, mask_zero: true}\n"
        "  - Conv1D: {filters: 4, kernel_size: 3, padding: same}\n  - LSTM: {units: 3}\n"
    )
    passes = _TOKENS + "  - Embedding: {input_dim: 9, output_dim: 4, mask_zero: true}\n  - LSTM: {units: 3}\n"


class FailedPlugin(Problem):
    """A layer or an objective of an installed package, a plug-in, whose code fails.

    One of a layer's facts (``infer``, ``mask``, ``weights``, ``macs``, ``receptive_field``) raises an error that is not a
    ``LayerError``, or returns a value of another type; or an objective's ``check`` or ``targets`` does. This is a bug of the
    package: report it to its authors.
    """

    code = "NN321"
    message = "{reason}"


class ShadowedPlugin(Problem):
    """A package brings a layer under the name of a built-in one, which is the one that is used.

    Said where a spec uses plug-ins. ``nnspec layers`` says it of all that is installed.
    """

    code = "NN322"
    severity = "warning"
    message = "`{name}` is the built-in layer, not the one of the package {package}"


class ConvertedLayer(Problem):
    """A layer of an installed package that says how Keras runs it, and not how it is written in ONNX.

    Its Keras layer is converted by tf2onnx when the model is exported, and proven equal like any other. The file may be larger
    and slower than with a ``to_onnx`` of its own, and TensorFlow has to be installed. Nothing has to be done about it.
    """

    code = "NN323"
    severity = "note"
    message = "`{name}` of the package {package} has no `to_onnx`: tf2onnx converts its Keras layer"
