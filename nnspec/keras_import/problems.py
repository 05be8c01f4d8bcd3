"""Diagnostics of the import of Keras models (NN601 …)."""

from __future__ import annotations

from nnspec.diagnostics import Problem


class NotAKerasModel(Problem):
    """A ``.keras`` file is a zip archive with the model's ``config.json`` and its weights. It is read without running it:
    sizes, names and depths are checked before anything is unpacked, and no class is looked up by a name in the file.
    """

    code = "NN601"
    message = "{reason}"


class NoEqualLayer(Problem):
    """A layer, or an operation between layers, for which the language has no equivalent. All of a model are listed in one pass.
    Code in a file (``Lambda``, custom classes) is never run: write what it computes as steps.
    """

    code = "NN602"
    message = "`{layer}` ({kind}) has no equivalent: {reason}"


class NoEqualArgument(Problem):
    """A supported layer has an unsupported setting."""

    code = "NN603"
    message = "`{layer}` ({kind}): {reason}"


class BadConfig(Problem):
    """The config of a model is invalid."""

    code = "NN604"
    message = "the config is invalid: {reason}"


class OtherShape(Problem):
    """A tensor has a different shape in the spec than in Keras. The spec is not written, as it would be a different model."""

    code = "NN605"
    message = "`{layer}` ({kind}) returns {ours} in the spec, but {theirs} in Keras"


class OtherMask(Problem):
    """In Keras, a mask is propagated with its tensor unless an operation drops it or another mask is passed explicitly.
    In a spec it is always propagated. If the masks differed, the outputs on padded positions would differ.
    """

    code = "NN606"
    message = "`{layer}` ({kind}) {reason}"


class BadWeights(Problem):
    """The weights in the file do not match the model in the file."""

    code = "NN607"
    message = "{reason}"


class InitializerLeftOut(Problem):
    """An initializer has no equivalent. The weights are in the file, so the model is the same; with new weights, it would
    use the layer's default initializer.
    """

    code = "NN621"
    severity = "warning"
    message = "`{layer}` ({kind}): {reason} and is dropped"


class OtherPrecision(Problem):
    """Layers of a spec compute in float32; set another precision for training with ``precision`` under ``train``."""

    code = "NN622"
    severity = "warning"
    message = "layers of the model compute in `{precision}`, but those of the spec in float32"


class MaskTakenOff(Problem):
    """Keras 3.15 removes the masks of the inputs of ``MultiHeadAttention`` for all later readers; in a spec, every reader
    has the mask. If another layer reads such a tensor, outputs on padded positions may differ.
    """

    code = "NN623"
    severity = "warning"
    message = "Keras removes the mask of `{source}` when `{layer}` reads it; in the spec its other readers keep it"


class OwnModel(Problem):
    """The model, or a nested model, is of a custom class. The file lists its layers, but its ``call`` is Python code, which is
    not in the file and would not be run. In the file, a subclass that only overrides ``train_step`` looks like one that
    overrides ``call``. ``nnspec.from_keras(model)`` inspects the class, and accepts one that does not override ``call``.
    """

    code = "NN624"
    message = "the model `{layer}` is of the custom class `{kind}`: the code of its `call` is not in the file"


class InputTypeChanged(Problem):
    """Keras's ``Embedding`` accepts floats and truncates them to integers. In a spec, an input that is only used by embeddings
    is declared as integers.
    """

    code = "NN625"
    severity = "warning"
    message = "the input `{input}` is {theirs} in Keras and {ours} in the spec, because only embeddings use it"


class WeightsCopied(Problem):
    """Two models use the same layer object. In a spec, weights belong to one network, so each gets a copy. The copies are
    equal, and so are the outputs, but training makes them differ.
    """

    code = "NN626"
    severity = "warning"
    message = "`{layer}` shares its weights with `{other}` in Keras; in the spec each has a copy"
