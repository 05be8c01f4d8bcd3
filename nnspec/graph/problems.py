"""Problems of a graph: connections (NN221 …), shapes (NN301 …), and valid but suspicious structure."""

from __future__ import annotations

from nnspec.diagnostics import MISSPELLED, Problem

_HEAD = "nnspec: 1\nname: net\ninputs: {x: [4]}\nlayers:\n"
_IMAGE = (
    "nnspec: 1\nname: net\ninputs: {image: [8, 8, 1]}\nlayers:\n  - Conv2D: {filters: 4, kernel_size: 3, activation: relu}\n"
)
_TWO = "nnspec: 1\nname: net\ninputs: {a: [4], b: [4]}\nlayers:\n"


class UnknownSource(Problem):
    """``from`` names something that is neither an input nor a step of this list."""

    code = "NN221"
    fixable = MISSPELLED
    message = "undefined input or step `{name}`"
    fails = _HEAD + "  - Dense: {units: 2}\n    name: hidden\n  - Dense: {units: 2}\n    from: hiden\n"
    passes = _HEAD + "  - Dense: {units: 2}\n    name: hidden\n  - Dense: {units: 2}\n    from: hidden\n"


class SourceBelow(Problem):
    """A step can only read from steps above it, so that a spec reads from top to bottom."""

    code = "NN222"
    message = "`{name}` is defined further down"
    fails = _HEAD + "  - Dense: {units: 2}\n    from: late\n  - Dense: {units: 4}\n    from: x\n    name: late\n"
    passes = _HEAD + "  - Dense: {units: 4}\n    from: x\n    name: late\n  - Dense: {units: 2}\n    from: late\n"


class Cycle(Problem):
    """Steps depend on each other in a cycle, so they cannot be ordered."""

    code = "NN223"
    message = "circular dependency: {chain}"
    fails = _HEAD + "  - Dense: {units: 4}\n    name: a\n    from: b\n  - Dense: {units: 4}\n    name: b\n    from: a\n"
    passes = _HEAD + "  - Dense: {units: 4}\n    name: a\n    from: x\n  - Dense: {units: 4}\n    name: b\n    from: a\n"


class NoDefaultSource(Problem):
    """The first step reads the only input by default. With several inputs, it needs ``from``."""

    code = "NN224"
    message = "the first step needs `from`: the network has several inputs"
    fails = _TWO + "  - Dense: {units: 2}\n  - Add:\n    from: [a, b]\n"
    passes = _TWO + "  - Add:\n    from: [a, b]\n  - Dense: {units: 2}\n"


class BadSource(Problem):
    """``from`` must be a name, a list of names for a merge layer, or a mapping of ports to names."""

    code = "NN225"
    message = "{reason}"
    fails = _HEAD + "  - Dense: {units: 2}\n    from: {y: x}\n"
    passes = _HEAD + "  - Dense: {units: 2}\n    from: {x: x}\n"


class UnknownOutput(Problem):
    """``from`` names an output that the step does not have."""

    code = "NN226"
    fixable = MISSPELLED
    message = "`{source}` has no output `{output}`"
    fails = (
        "nnspec: 1\nname: net\ninputs: {x: [5, 4]}\nlayers:\n  - GRU: {units: 3}\n  - Dense: {units: 2}\n    from: gru.state\n"
    )
    passes = (
        "nnspec: 1\nname: net\ninputs: {x: [5, 4]}\nlayers:\n  - GRU: {units: 3, return_state: true}\n"
        "  - Dense: {units: 2}\n    from: gru.state\n"
    )


class BadOutputs(Problem):
    """``outputs`` must be a list of names, or a mapping of output names to sources."""

    code = "NN227"
    fixable = MISSPELLED
    message = "{reason}"
    fails = _HEAD + "  - Dense: {units: 2}\n    name: y\noutputs: [z]\n"
    passes = _HEAD + "  - Dense: {units: 2}\n    name: y\noutputs: [y]\n"


class NoLayers(Problem):
    """A network needs at least one step."""

    code = "NN228"
    message = "`layers` has no steps"
    fails = "nnspec: 1\nname: net\ninputs: {x: [4]}\nlayers: []\n"
    passes = _HEAD + "  - Dense: {units: 2}\n"


class UnusedLayer(Problem):
    """No output depends on this step, so it is not part of the model. A ``from`` or an output may be missing."""

    code = "NN231"
    severity = "warning"
    message = "unused step `{name}`: no output depends on it"
    fails = _HEAD + "  - Dense: {units: 2}\n    name: lost\n  - Dense: {units: 2}\n    from: x\n    name: y\n"
    passes = (
        _HEAD + "  - Dense: {units: 2}\n    name: lost\n  - Dense: {units: 2}\n    from: x\n    name: y\noutputs: [lost, y]\n"
    )


class UnusedInput(Problem):
    """No output depends on this input."""

    code = "NN232"
    severity = "warning"
    message = "unused input `{name}`"
    fails = _TWO + "  - Dense: {units: 2}\n    from: a\n"
    passes = "nnspec: 1\nname: net\ninputs: {a: [4]}\nlayers:\n  - Dense: {units: 2}\n"


class ChainedOntoOutput(Problem):
    """A step without ``from`` reads the step above it. If that step is an output, a ``from`` is probably missing."""

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
    """A layer does not accept its input: wrong rank, mismatched sizes, or a kernel larger than the input."""

    code = "NN301"
    message = "{reason}"
    fails = "nnspec: 1\nname: net\ninputs: {x: [4, 4, 1]}\nlayers:\n  - Conv2D: {filters: 2, kernel_size: 5}\n"
    passes = "nnspec: 1\nname: net\ninputs: {x: [4, 4, 1]}\nlayers:\n  - Conv2D: {filters: 2, kernel_size: 3}\n"


class BadTensorExpression(Problem):
    """A function or an operator of `Compute` does not accept its operands.

    An expression describes one example: axis 0 is the batch and cannot be reduced, moved or indexed. Operands have the same
    type, and shapes that NumPy broadcasts with equal numbers of axes. `nnspec layers FUNCTION` shows a function's arguments.
    """

    code = "NN304"
    fixable = "a misspelled function or argument, or another library's name of an argument"
    message = "{reason}"
    fails = "nnspec: 1\nname: net\ninputs: {x: [4]}\nlayers:\n  - Compute: sum(x, axis=0)\n"
    passes = "nnspec: 1\nname: net\ninputs: {x: [4]}\nlayers:\n  - Compute: sum(x, axis=1)\n"


class AmbiguousName(Problem):
    """A name in `Compute` means two things, such as a step and a param, or `x` an input and the previous step.

    Without `from`, an expression reads inputs and earlier steps by name, and `x` is the previous step. Params are in scope too.
    """

    code = "NN238"
    message = "`{name}` has two meanings here: {first}, and {second}"
    fails = "nnspec: 1\nname: net\ninputs: {x: [4]}\nlayers:\n  - Dense: {units: 4}\n  - Compute: abs(x)\n"
    passes = "nnspec: 1\nname: net\ninputs: {x: [4]}\nlayers:\n  - Dense: {units: 4}\n  - Compute: abs(x)\n    from: dense\n"


class TooLarge(Problem):
    """A tensor is too large, or its size expression is too complex.

    An axis has at most 2**63 positions and a tensor at most 32 axes. A size that depends on symbols has at most 200 terms
    and 4,000 characters: a product of sums doubles the number of terms with each factor.
    """

    code = "NN302"
    message = "`{op}`: {reason}"
    advice = "declare fixed sizes under `inputs`, or combine fewer of them"
    fails = "nnspec: 1\nname: net\ninputs: {x: [T, 4]}\nlayers:\n" + "  - UpSampling1D: {size: 4_000_000_000}\n" * 2
    passes = "nnspec: 1\nname: net\ninputs: {x: [T, 4]}\nlayers:\n" + "  - UpSampling1D: {size: 4}\n" * 2


class NoSizeFits(Problem):
    """The layers' constraints on the free sizes contradict each other: at least one layer fails for every input size.

    Sizes must be equal where tensors are added, multiplied or concatenated, and every size must be at least 1. A free size
    that must equal a number is bound to it everywhere; two symbols that must be equal become one. Any other constraint
    becomes a condition, which `nnspec inspect` shows.
    """

    code = "NN311"
    message = "{reason}"
    fails = "nnspec: 1\nname: net\ninputs: {x: [T, 4]}\nlayers:\n  - MaxPooling1D\n  - Add:\n    from: [x, max_pooling1d]\n"
    passes = (
        "nnspec: 1\nname: net\ninputs: {x: [T, 4]}\nlayers:\n  - Conv1D: {filters: 4, kernel_size: 3, padding: same}\n"
        "    name: alike\n  - Add:\n    from: [x, alike]\n"
    )


class OnlyOneSize(Problem):
    """A free size can only be 1, because two sizes that must be equal differ for every other value.

    This is typical of a stride on only one of two branches: `(T + 1)//2` and `T` are equal only for T = 1.
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


class CannotRepeat(Problem):
    """A repeated block or network with several inputs must have outputs with the same names.

    Each repetition after the first reads the outputs of the one before: the input `state` is fed from the output `state`.
    The first repetition reads what `from` states.
    """

    code = "NN239"
    message = "{reason}"
    fails = (
        "nnspec: 1\nname: net\nblocks:\n  cell:\n    inputs: [x, h]\n    layers:\n      - Add:\n        from: [x, h]\n"
        "inputs: {a: [4], b: [4]}\nlayers:\n  - cell:\n    from: {x: a, h: b}\n    repeat: 2\n"
    )
    passes = (
        "nnspec: 1\nname: net\nblocks:\n  cell:\n    inputs: [x, h]\n    layers:\n      - Add:\n        from: [x, h]\n"
        "    outputs: {x: add, h: x}\ninputs: {a: [4], b: [4]}\nlayers:\n  - cell:\n    from: {x: a, h: b}\n    repeat: 2\n"
        "    name: last\noutputs: [last.x]\n"
    )


class UnknownExport(Problem):
    """``export`` names a network or an output that does not exist."""

    code = "NN234"
    fixable = MISSPELLED
    message = "unknown {what} `{name}` under `export`"
    fails = _HEAD + "  - Dense: {units: 2}\n    name: y\nexport: {outputs: [z]}\n"
    passes = _HEAD + "  - Dense: {units: 2}\n    name: y\nexport: {outputs: [y]}\n"


class NoActivationMap(Problem):
    """The output does not have a class activation map.

    A class activation map is the output of the final layer at each position, before averaging over positions. It exists if
    the output is computed from a mean over all positions (`GlobalAveragePooling2D`) by affine layers only, such as `Dense`.
    Dropout between them and a final activation are allowed (Zhou et al. 2016).
    """

    code = "NN237"
    message = "`{name}` has no class activation map: {reason}"
    fails = _IMAGE + "  - Flatten\n  - Dense: {units: 2}\n    name: y\nexport: {activation_maps: [y]}\n"
    passes = _IMAGE + "  - GlobalAveragePooling2D\n  - Dense: {units: 2}\n    name: y\nexport: {activation_maps: [y]}\n"


class OpsetTooNew(Problem):
    """``export.opset`` is newer than the operators of a layer that ONNX Runtime implements.

    Without the key, a file has the newest opset that ONNX Runtime implements for all of its layers, up to 23.
    """

    code = "NN245"
    message = "`opset: {opset}` is not possible: ONNX Runtime implements the operators of `{layer}` up to opset {most}"
    fails = (
        "nnspec: 1\nname: net\ninputs: {x: [8, 8, 1], boxes: [3, 4]}\nlayers:\n  - RoIAlign: {size: 2}\n"
        "    from: {x: x, boxes: boxes}\nexport: {opset: 23}\n"
    )
    passes = (
        "nnspec: 1\nname: net\ninputs: {x: [8, 8, 1], boxes: [3, 4]}\nlayers:\n  - RoIAlign: {size: 2}\n"
        "    from: {x: x, boxes: boxes}\nexport: {opset: 21}\n"
    )


class BadStart(Problem):
    """``weights`` names a file that does not exist, or that has no weight with this name and shape."""

    code = "NN235"
    fixable = MISSPELLED
    message = "{reason}"


class OtherConvention(Problem):
    """Weights of PyTorch in a layer that PyTorch computes in another way by default, so outputs differ.

    A state dict has no arguments: whether its network had the default of PyTorch is not known. The warning is silent if the
    argument is written in the spec.
    """

    code = "NN254"
    severity = "warning"
    message = "`{name}` starts from weights of PyTorch, {reason}"


class MissingStart(Problem):
    """``weights`` names a file that does not exist yet, so its names and shapes cannot be checked.

    Training, exporting and converting require it. The warning is expected if another spec still has to be trained first.
    """

    code = "NN850"
    severity = "warning"
    message = "{reason}"
    fails = _HEAD + "  - Dense: {units: 2}\n    weights: runs/autoencoder\n"
    passes = _HEAD + "  - Dense: {units: 2}\n"


class OverBudget(Problem):
    """The model exceeds its ``budget``."""

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
    """A network contains itself, directly or through other networks, so expanding it would never end."""

    code = "NN229"
    message = "recursive network: {chain}"
    advice = "remove the recursion; use `repeat` to run a step several times"
    fails = _NETWORKS.format("b")
    passes = _NETWORKS.format("Dense: {units: 2}")


class NameOfNetwork(Problem):
    """A step with weights has the name of a network. Weights are stored under these names, so they would collide."""

    code = "NN236"
    message = "the step `{name}` has weights and the name of a network: their weight names would collide"
    fails = (
        "nnspec: 1\nname: net\nnetworks:\n  tower:\n    inputs: {x: [4]}\n    layers:\n      - Dense: {units: 4}\n"
        "inputs: {x: [4]}\nlayers:\n  - tower:\n    name: a\n  - Dense: {units: 2}\n    name: tower\n"
    )
    passes = fails.replace("name: tower", "name: head")


class CannotShare(Problem):
    """``share`` applies an earlier layer again with the same weights. It must name a layer above, not a block or a network."""

    code = "NN230"
    fixable = MISSPELLED
    message = "no layer `{name}` above to share"
    fails = _HEAD + "  - Dense: {units: 4}\n    name: first\n  - share: frist\n"
    passes = _HEAD + "  - Dense: {units: 4}\n    name: first\n  - share: first\n"


_TOKENS = "nnspec: 1\nname: net\ninputs: {tokens: {shape: [T], dtype: int32}}\nlayers:\n"


class NeedlessBias(Problem):
    """A normalization that subtracts the mean of each channel cancels the bias before it, which is then an unused parameter.

    This applies to `BatchNormalization`, and to `GroupNormalization` with one channel per group. It does not apply to
    `LayerNormalization` over the channels: it subtracts the mean over all channels, so differences between biases remain.
    """

    code = "NN241"
    severity = "warning"
    message = "the bias of `{name}` has no effect: `{by}` subtracts the mean"
    fails = _HEAD + "  - Dense: {units: 2}\n  - BatchNormalization\n"
    passes = _HEAD + "  - Dense: {units: 2, use_bias: false}\n  - BatchNormalization\n"


class RandomOutput(Problem):
    """Dropout or noise on a model output is random during training, so the loss compares a corrupted output with the target.

    Outputs of a network under ``networks`` are read by other layers and may be dropped out.
    """

    code = "NN242"
    severity = "warning"
    message = "the output `{name}` is random during training"
    fails = _HEAD + "  - Dense: {units: 2}\n  - Dropout: {rate: 0.5}\n"
    passes = _HEAD + "  - Dropout: {rate: 0.5}\n  - Dense: {units: 2}\n"


class ConstantOutput(Problem):
    """Softmax over a single unit always returns 1, because it normalizes by the sum over its axis."""

    code = "NN250"
    severity = "warning"
    message = "`{name}` always returns 1: `{activation}` over a single unit"
    fails = _HEAD + "  - Dense: {units: 1, activation: softmax}\n"
    passes = _HEAD + "  - Dense: {units: 1, activation: sigmoid}\n"


class UnmaskedPadding(Problem):
    """Sequences of variable length are padded within a batch. Without a mask, padding is processed as data."""

    code = "NN243"
    severity = "warning"
    message = "`{name}` processes padding as data: its input has no mask"
    fails = _TOKENS + "  - Embedding: {input_dim: 9, output_dim: 4}\n  - LSTM: {units: 3}\n"
    passes = _TOKENS + "  - Embedding: {input_dim: 9, output_dim: 4, mask_zero: true}\n  - LSTM: {units: 3}\n"


class FrozenElsewhere(Problem):
    """All uses of a network, or of a layer under ``share``, have the same weights: freezing one use freezes all."""

    code = "NN251"
    severity = "warning"
    message = "the weights that `{name}` uses are frozen, because `{freezer}` has `freeze: true`"
    fails = (
        "nnspec: 1\nname: net\nnetworks:\n  tower: {inputs: {x: [4]}, layers: [{Dense: {units: 4}}]}\ninputs: {a: [4], "
        "b: [4]}\nlayers:\n  - tower:\n    name: one\n    from: a\n    freeze: true\n  - tower:\n    name: two\n    from: b\n"
        "  - Add:\n    from: [one, two]\n  - Dense: {units: 2}\n"
    )
    passes = fails.replace("    name: two\n    from: b\n", "    name: two\n    from: b\n    freeze: true\n")


class SeveralStarts(Problem):
    """All uses of a network, or of a layer under ``share``, have the same weights, which can be loaded from only one file."""

    code = "NN252"
    message = "the weights that `{name}` uses are loaded from a different file in another use"
    fails = (
        "nnspec: 1\nname: net\nnetworks:\n  tower: {inputs: {x: [4]}, layers: [{Dense: {units: 4}}]}\ninputs: {a: [4], "
        "b: [4]}\nlayers:\n  - tower:\n    name: one\n    from: a\n    weights: one.safetensors\n"
        "  - tower:\n    name: two\n    from: b\n"
        "    weights: two.safetensors\n  - Add:\n    from: [one, two]\n  - Dense: {units: 2}\n"
    )
    passes = fails.replace("    weights: one.safetensors\n", "").replace("    weights: two.safetensors\n", "")


class DroppedMask(Problem):
    """A layer without mask support drops the mask, so later layers process padding as data."""

    code = "NN244"
    severity = "warning"
    message = "`{name}` drops its input's mask, which `{reader}` would have used"
    fails = (
        _TOKENS + "  - Embedding: {input_dim: 9, output_dim: 4, mask_zero: true}\n"
        "  - Conv1D: {filters: 4, kernel_size: 3, padding: same}\n  - LSTM: {units: 3}\n"
    )
    passes = _TOKENS + "  - Embedding: {input_dim: 9, output_dim: 4, mask_zero: true}\n  - LSTM: {units: 3}\n"


_CELL = (
    "nnspec: 1\nname: net\nblocks:\n  cell:\n    inputs: {x: null, h: [4], memory: null}\n    layers:\n"
    "      - Concatenate:\n        from: [x, h]\n      - Dense: {units: 4}\n        name: new\n"
)
_RUN = "inputs: {x: [T, 2], memory: [4]}\nlayers:\n  - RNN: {cell: cell}\n    from: {x: x, memory: memory}\n"


class NotInCell(Problem):
    """A layer with statistics, or with a penalty on its output, cannot run at each step of a recurrence.

    Batch normalization would mix the statistics of all steps; use layer normalization.
    """

    code = "NN331"
    message = "`{name}` cannot be in a cell: {reason}"
    fails = (
        _CELL + "      - BatchNormalization\n      - Add:\n        from: [batch_normalization, memory]\n"
        "    outputs: {output: add, h: add}\n" + _RUN
    )
    passes = fails.replace("BatchNormalization", "LayerNormalization").replace("batch_normalization", "layer_normalization")


class ConstantInCell(Problem):
    """A layer in a cell depends on constants only, so that it computes the same at each step. Compute it once, before.

    Constants are the inputs of a cell that are neither sequences nor states.
    """

    code = "NN253"
    severity = "warning"
    message = "`{name}` computes the same at each step: it depends on constants only"
    fails = (
        _CELL + "      - Dense: {units: 4}\n        from: memory\n        name: key\n      - Add:\n        from: [new, key]\n"
        "    outputs: {output: add, h: add}\n" + _RUN
    )
    passes = (
        _CELL + "      - Add:\n        from: [new, memory]\n    outputs: {output: add, h: add}\n"
        "inputs: {x: [T, 2], memory: [4]}\nlayers:\n  - Dense: {units: 4}\n    from: memory\n    name: key\n"
        "  - RNN: {cell: cell}\n    from: {x: x, memory: key}\n"
    )


class FailedPlugin(Problem):
    """The code of a layer or an objective from an installed package (a plug-in) fails.

    One of a layer's methods (``infer``, ``mask``, ``weights``, ``macs``, ``receptive_field``) raises an exception other than
    ``LayerError``, or returns the wrong type; or an objective's ``check`` or ``targets`` does. This is a bug in the package;
    report it to its authors.
    """

    code = "NN321"
    message = "{reason}"


class ShadowedPlugin(Problem):
    """An installed package defines a layer with the name of a built-in one. The built-in layer is used.

    This is reported if a spec uses plug-ins; ``nnspec layers`` reports it for all installed packages.
    """

    code = "NN322"
    severity = "warning"
    message = "`{name}` is the built-in layer, not the one of the package {package}"


class ConvertedLayer(Problem):
    """A layer from an installed package has a Keras implementation but no ONNX one.

    tf2onnx converts its Keras layer when the model is exported, and the result passes the same parity check. The file may be
    larger and slower than with its own ``to_onnx``, and TensorFlow must be installed. No action is required.
    """

    code = "NN323"
    severity = "note"
    message = "`{name}` of the package {package} has no `to_onnx`: it is exported with tf2onnx"
