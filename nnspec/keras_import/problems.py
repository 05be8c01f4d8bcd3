"""What can be wrong with a Keras model that is to become a spec (NN601 …)."""

from __future__ import annotations

from nnspec.diagnostics import Problem


class NotAKerasModel(Problem):
    """A ``.keras`` file is a zip archive with the model's ``config.json`` and its weights. It is read without running it:
    sizes, names and depths are checked before anything is unpacked, and no class is looked up by a name in the file.
    """

    code = "NN601"
    message = "{reason}"


class NoEqualLayer(Problem):
    """A layer, or an operation between layers, for which the language has no equal. All of a model are listed in one pass.
    Code in a file (``Lambda``, classes of your own) is never run: what it computes must be written with steps.
    """

    code = "NN602"
    message = "`{layer}` ({kind}) has no equal here: {reason}"


class NoEqualArgument(Problem):
    """A layer that the language has, with a setting that it has not."""

    code = "NN603"
    message = "`{layer}` ({kind}): {reason}"


class BadConfig(Problem):
    """The config of a model is not as Keras writes it."""

    code = "NN604"
    message = "the config is damaged: {reason}"


class OtherShape(Problem):
    """The spec gives a tensor another shape than Keras did. The spec is not written, as it would be another model."""

    code = "NN605"
    message = "`{layer}` ({kind}) gives {ours} here, and {theirs} in Keras"


class OtherMask(Problem):
    """In Keras a mask travels with a tensor unless an operation between layers drops it, or another is given by hand.
    In a spec it always travels; where the two would differ, the outputs on padded positions would differ.
    """

    code = "NN606"
    message = "`{layer}` ({kind}) {reason}"


class BadWeights(Problem):
    """The weights in the file are not those of the model in the file."""

    code = "NN607"
    message = "{reason}"


class InitializerLeftOut(Problem):
    """An initializer that the language has not. The weights are in the file, so that the model is the same; started anew,
    it would begin with the layer's default.
    """

    code = "NN621"
    severity = "warning"
    message = "`{layer}` ({kind}): {reason}, and is left out"


class OtherPrecision(Problem):
    """A spec's layers compute in float32; another precision is a setting of the training (``precision`` under ``train``)."""

    code = "NN622"
    severity = "warning"
    message = "layers of the model compute in `{precision}`, and the spec's in float32"


class MaskTakenOff(Problem):
    """Keras 3.15 takes the masks off the tensors that a ``MultiHeadAttention`` reads, for all who read them after it; in a
    spec every reader has the mask. Where another layer reads such a tensor, answers on padded positions can differ.
    """

    code = "NN623"
    severity = "warning"
    message = "Keras takes the mask off `{source}` when `{layer}` reads it, and here it stays for its other readers"


class OwnModel(Problem):
    """The model, or a model in it, is of a class of your own. The file lists its layers, but what its ``call`` computes with
    them is Python code, which is not in the file and would not be run if it were. A subclass that changes ``train_step``
    alone looks the same in the file as one with its own ``call``. From Python, ``nnspec.from_keras(model)`` sees the class,
    and accepts one that leaves ``call`` as it is.
    """

    code = "NN624"
    message = "the model `{layer}` is of your own class `{kind}`: what its `call` computes is not in the file"


class InputTypeChanged(Problem):
    """Keras's ``Embedding`` accepts floats and truncates them to whole numbers. In a spec the input that feeds embeddings alone
    is declared as whole numbers.
    """

    code = "NN625"
    severity = "warning"
    message = "the input `{input}` is {theirs} in Keras and {ours} here, because only embeddings read it"


class WeightsCopied(Problem):
    """Two models, or a model and a model in it, use the very same layer. In a spec a layer's weights are of one network. The
    copies are equal, so the outputs are; when they are trained, they will differ from each other.
    """

    code = "NN626"
    severity = "warning"
    message = "`{layer}` shares its weights with `{other}` in Keras; here each has a copy"
