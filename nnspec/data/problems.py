"""What can be wrong with the data of a spec: NN401 to NN499.

The first are found by ``validate``, which opens no more than headers; the others when the data are read, before the first
step of training.
"""

from __future__ import annotations

from nnspec.diagnostics import Problem

_HEAD = "nnspec: 1\nname: net\n"
_NET = "inputs: {image: [8, 8, 1]}\nlayers:\n  - Flatten\n  - Dense: {units: 10, activation: softmax}\n    name: digit\n"
_TRAIN = "train: {epochs: 1, loss: SparseCategoricalCrossentropy}\n"
_DIGITS = "data: {train: {builtin: digits}}\n"
_GOOD = _HEAD + _NET + _DIGITS + _TRAIN


class BadPath(Problem):
    """Data are read from ordinary files below the project's root: no URL, no directory, no device, no way out by a link."""

    code = "NN401"
    message = "{reason}"
    fails = _HEAD + _NET + "data: {train: {npz: https://example.org/digits.npz}}\n" + _TRAIN
    passes = _GOOD


class MissingData(Problem):
    """A file of data is not there. ``validate`` warns, because the model can be built without it; training needs it."""

    code = "NN402"
    severity = "warning"
    message = "{reason}"


class UnreadableData(Problem):
    """A file of data is not what its reader expects, or was cut short."""

    code = "NN403"
    message = "{reason}"


class UnknownColumn(Problem):
    """The data have no column of that name."""

    code = "NN404"
    message = "there is no column `{column}` in the {part} data"
    fails = _HEAD + _NET + "data: {train: {builtin: digits}, inputs: {image: pixels}}\n" + _TRAIN
    passes = _GOOD


class NoColumn(Problem):
    """Nothing says which column feeds an input or is compared with an output, and it does not go without saying.

    It does where a column bears the name, where one column alone is left for a target, and where an input of one axis is as
    long as there are columns left.
    """

    code = "NN405"
    message = "nothing says which column {verb} `{name}`"
    fails = _HEAD + _NET.replace("image: [", "picture: [") + _DIGITS + _TRAIN
    passes = _GOOD


class UnknownInput(Problem):
    """`data.inputs` and `data.targets` have the names of the network's inputs and outputs."""

    code = "NN406"
    message = "the network has no {what} `{name}`"
    fails = _HEAD + _NET + "data: {train: {builtin: digits}, inputs: {picture: image}}\n" + _TRAIN
    passes = _GOOD


class WrongShape(Problem):
    """The values of a column, after its transforms, have not the shape that the network or the loss takes."""

    code = "NN407"
    message = "{what} has the shape {wanted}, and {columns} {got}"
    fails = _HEAD + _NET.replace("[8, 8, 1]", "[28, 28, 1]") + _DIGITS + _TRAIN
    passes = _GOOD


class UnfitSize(Problem):
    """What layers do to a free size may leave it no choice: three poolings and a skip across them make it a multiple of 8.

    `nnspec inspect` shows what the sizes of a network must be.
    """

    code = "NN415"
    message = "{refusal}: {columns} {got}"
    fails = (
        _HEAD
        + "inputs: {image: [H, W, 1]}\nlayers:\n  - MaxPooling2D: {pool_size: 3}\n  - UpSampling2D: {size: 3}\n"
        + "  - Concatenate:\n    from: [up_sampling2d, image]\n  - GlobalAveragePooling2D\n"
        + "  - Dense: {units: 10, activation: softmax}\n    name: digit\n"
        + _DIGITS
        + _TRAIN
    )
    passes = fails.replace("3}", "2}")


class BadTransform(Problem):
    """A transform that cannot be applied to what comes to it."""

    code = "NN408"
    message = "{reason}"
    fails = (
        _HEAD + _NET + "data: {train: {builtin: digits}, inputs: {image: {transform: [{standardize: {axis: 7}}]}}}\n" + _TRAIN
    )
    passes = _GOOD


class WrongTargetKind(Problem):
    """A loss of classes takes the class's index or a one-hot vector, and the target is the other of the two."""

    code = "NN409"
    message = "`{loss}` takes {wanted} for `{name}`, and {columns} {got}"
    fails = _HEAD + _NET + _DIGITS + "train: {epochs: 1, loss: CategoricalCrossentropy}\n"
    passes = _GOOD


class UnusedTarget(Problem):
    """A target that no loss reads."""

    code = "NN410"
    severity = "warning"
    message = "no loss reads the target `{name}`"
    fails = (
        _HEAD
        + _NET
        + "outputs: {digit: digit, same: digit}\ndata: {train: {builtin: digits}, targets: {digit: target, same: target}}\n"
        + "train: {epochs: 1, loss: {digit: SparseCategoricalCrossentropy}}\n"
    )
    passes = _GOOD


class DifferentColumns(Problem):
    """The validation and test data have the columns of the training data that are used, with the same shapes."""

    code = "NN411"
    message = "{reason}"


UNSUPPORTED = "convert the column to numbers or text in the file, or name another"


class UnsupportedColumn(Problem):
    """A column holds values of a type that cannot be read, such as the structs and maps of Parquet."""

    code = "NN480"
    message = "the column `{column}` {reason}"


class DoubtfulFiles(Problem):
    """The data can be read, and are probably not what is meant: a folder one level above the folders of the classes."""

    code = "NN481"
    severity = "warning"
    message = "{reason}"


class UnequalLengths(Problem):
    """An output with a value at each position of an input, as a tagger has, is compared with one label for each token."""

    code = "NN482"
    message = "{where}: {labels} labels, and the same row has {tokens} tokens in `{column}`{more}"


class NoRows(Problem):
    """A set of data without an example."""

    code = "NN420"
    message = "the {part} data are empty"


class NotANumber(Problem):
    """A number is needed, and the data have text there."""

    code = "NN421"
    message = "{where}: {value} is not a number{more}"


class MissingValue(Problem):
    """A value is missing. `impute` puts one in its place."""

    code = "NN422"
    message = "{where}: the value is missing{more}"


class NotFinite(Problem):
    """NaN or an infinite number in the data would make every weight NaN."""

    code = "NN423"
    message = "{where}: {value} is not a finite number{more}"


class NotWhole(Problem):
    """A class, or an input of whole numbers, is a whole number in its range."""

    code = "NN424"
    message = "{where}: {value} is not {wanted}{more}"


class LabelOutOfRange(Problem):
    """A class that the output has no unit for. Classes are counted from 0."""

    code = "NN425"
    message = "{where}: class {value}, and the output `{name}` has {classes} classes, 0 to {last}{more}"


class BadTargetValue(Problem):
    """A target outside what its loss is made for."""

    code = "NN426"
    message = "{where}: {value} is not {wanted}, as `{loss}` takes it{more}"


class UnknownClassValue(Problem):
    """A value that is none of the classes learned from the training part, or listed."""

    code = "NN427"
    message = "{where}: {value} is an unknown class; {known}{more}"


class BadWeight(Problem):
    """The weight of an example is a number of at least 0, and not all are 0."""

    code = "NN428"
    message = "{where}: {value} is not a weight{more}"


class UnreadableValue(Problem):
    """A value of the data cannot be read: a picture that is cut short, a file that went away."""

    code = "NN460"
    message = "{reason}"


class RaggedValues(Problem):
    """The rows of an input or a target have one shape. `pad` makes rows of different lengths alike."""

    code = "NN461"
    message = "{what} takes rows of one length, and those of {columns} differ in length"


class TextValues(Problem):
    """A network reads numbers. `label_encode` and `one_hot` make numbers of classes, `tokenize` and `pad` of texts."""

    code = "NN462"
    message = "{what} takes numbers, and {columns} text"


class NoSeries(Problem):
    """`at: past` and `at: future` tell the rows of a window from those behind it, and only the reader `series` has windows."""

    code = "NN463"
    message = "`at` is of the reader `series`, and the training data are none"
    fails = _HEAD + _NET + "data: {train: {builtin: digits}, inputs: {image: {column: image, at: past}}}\n" + _TRAIN
    passes = _GOOD


class CannotSplit(Problem):
    """The validation part must have an example, and leave one to train on."""

    code = "NN430"
    message = "{fraction} of {rows} examples leaves {left}"


class NotStratified(Problem):
    """The validation or test data should have each class in proportion, and there are too few examples of one for that."""

    code = "NN431"
    severity = "warning"
    message = "the {part} data are drawn without regard to the classes: {reason}"


class CannotDraw(Problem):
    """The validation data, or a fold, cannot be drawn as it is asked for: too few groups or rows, no order to go by."""

    code = "NN464"
    message = "{reason}"


class NoData(Problem):
    """Training needs data."""

    code = "NN432"
    message = "there is nothing to train on"


class OutOfTable(Problem):
    """A whole number for which the table that is looked up by it has no row: an `Embedding`'s rows are 0 to `input_dim` − 1."""

    code = "NN433"
    message = "{where}: {value}, and the table that `{name}` is looked up in has rows 0 to {last}{more}"


class NothingToAdaptTo(Problem):
    """`Normalization: {invert: true}` goes back to what the data were, which `mean` and `variance` say, or a target.

    Right at an output that is compared with numbers, it takes the statistics of that output's targets.
    """

    code = "NN440"
    message = "nothing says what `{name}` goes back to"
    fails = (
        _HEAD + "inputs: {facts: [10]}\nlayers:\n  - Normalization: {invert: true}\n  - Dense: {units: 1}\n    name: progress\n"
        "data: {train: {builtin: diabetes}}\ntrain: {epochs: 1, loss: MeanSquaredError}\n"
    )
    passes = (
        _HEAD + "inputs: {facts: [10]}\nlayers:\n  - Normalization\n  - Dense: {units: 1}\n  - Normalization: {invert: true}\n"
        "    name: progress\ndata: {train: {builtin: diabetes}}\ntrain: {epochs: 1, loss: MeanSquaredError}\n"
    )


_PICTURES = "data: {train: {builtin: digits}, augment: [%s]}\n"
_SHIFTED = _HEAD + _NET + _PICTURES % "{RandomTranslation: {height_factor: 0.1, width_factor: 0.1}}" + _TRAIN
_ONE_HOT = (
    _HEAD
    + _NET
    + "data: {train: {builtin: digits}, augment: [MixUp], targets: {digit: {transform: [{one_hot: {classes: 10}}]}}}\n"
    "train: {epochs: 1, loss: CategoricalCrossentropy}\n"
)


class NoPicture(Problem):
    """What a change of pictures acts on goes without saying where one input alone is a picture: height, width and channels."""

    code = "NN441"
    message = "nothing says what `{name}` acts on: {which}"
    fails = (
        _HEAD + "inputs: {facts: [10]}\nlayers:\n  - Dense: {units: 1}\n"
        "data: {train: {builtin: diabetes}, augment: [RandomFlip]}\ntrain: {epochs: 1, loss: MeanSquaredError}\n"
    )
    passes = _SHIFTED


class UnknownPart(Problem):
    """`on` names the inputs that an augmentation changes, and the targets that go with them."""

    code = "NN442"
    message = "there is no input or target `{name}`"
    fails = _HEAD + _NET + _PICTURES % "{RandomFlip: {mode: horizontal}, on: [imgae]}" + _TRAIN
    passes = _SHIFTED


class CannotAugment(Problem):
    """An augmentation that cannot act on what `on` names: the wrong shape, or not of one size with the others."""

    code = "NN443"
    message = "{reason}"
    fails = _HEAD + _NET + _PICTURES % "{RandomHue: {factor: 0.1}}" + _TRAIN
    passes = _SHIFTED


class CannotMix(Problem):
    """`MixUp` and `CutMix` mix targets as they mix pictures; between two classes there is nothing, unless they are one-hot."""

    code = "NN444"
    message = "`{name}` mixes targets, and `{loss}` takes one class for `{target}`"
    fails = _HEAD + _NET + _PICTURES % "MixUp" + _TRAIN
    passes = _ONE_HOT


class OutsideRange(Problem):
    """The values of a picture are not what `value_range` says: 0 to 255 by default, and in the data often 0 to 1."""

    code = "NN445"
    severity = "warning"
    message = "`{name}` takes values from {low:g} to {high:g}, and those of `{input}` lie from {least:.4g} to {largest:.4g}"


_TEXT = (
    _HEAD + "inputs: {tokens: {shape: [T], dtype: int32}}\nlayers:\n  - Embedding: {input_dim: 90, output_dim: 8}\n"
    "  - GRU: {units: 8, return_sequences: true}\n  - Dense: {units: 90, activation: softmax}\n    name: token\n"
)
_LANGUAGE = "train: {objective: {language_model: {window: 32}}, epochs: 1, loss: SparseCategoricalCrossentropy}\n"
_LINES = "data: {inputs: {tokens: {column: text, transform: [{tokenize: character}]}}}\n"


class TargetIsMade(Problem):
    """Where the objective makes the target of an input, the data have none to name."""

    code = "NN446"
    message = "the target of `{name}` is made of the input `{input}`"
    fails = _TEXT + _LINES.replace("]}}}", "]}}, targets: {token: text}}") + _LANGUAGE
    passes = _TEXT + _LINES + _LANGUAGE


class BadWindow(Problem):
    """Windows are cut from rows of tokens of any length, one after another: nothing else can belong to a row."""

    code = "NN447"
    message = "{reason}"
    fails = _TEXT + _LINES.replace("]}}}", "]}}, group: text}") + _LANGUAGE
    passes = _TEXT + _LINES + _LANGUAGE


_PAIRS = (
    _HEAD + "inputs: {source: {shape: [S], dtype: int32}, target: {shape: [T], dtype: int32}}\nlayers:\n"
    "  - Embedding: {input_dim: 90, output_dim: 8, mask_zero: true}\n    name: read\n    from: source\n"
    "  - GRU: {units: 8}\n    name: final\n"
    "  - Embedding: {input_dim: 90, output_dim: 8}\n    name: said\n    from: target\n"
    "  - GRU: {units: 8, return_sequences: true}\n    name: state\n    from: {x: said, state: final}\n"
    "  - Dense: {units: 90, activation: softmax}\n    name: token\n"
)
_TEACHING = "train: {objective: sequence_to_sequence, epochs: 1, loss: SparseCategoricalCrossentropy}\n"


class Unbounded(Problem):
    """A decoder is told where to begin, and has to say where it ends: the sequences it learns from must have both."""

    code = "NN448"
    message = "nothing bounds the sequences of `{name}`: `tokenize` puts no {missing} to them"
    fails = _PAIRS + "data: {inputs: {target: {column: text, transform: [{tokenize: character}, {pad: 9}]}}}\n" + _TEACHING
    passes = fails.replace("tokenize: character", "tokenize: {by: character, start: true, end: true}")


class NoBorders(Problem):
    """`weight: {border: …}` weighs the positions of a mask by the gaps between its objects.

    So the target must be a mask of classes, and its loss a mean over positions: not one number of all together, as `Dice` is.
    """

    code = "NN449"
    message = "{reason}"
    fails = _HEAD + _NET + "data: {train: {builtin: digits}, targets: {digit: {weight: {border: {}}}}}\n" + _TRAIN
    passes = _GOOD


class CannotCrop(Problem):
    """`crop` cuts the sides of a mask away, so that an output that is smaller than the picture is compared with its middle."""

    code = "NN450"
    message = "`crop` is for the target of a picture, and `{name}` has the shape {shape}"
    fails = _HEAD + _NET + "data: {train: {builtin: digits}, targets: {digit: {crop: 1}}}\n" + _TRAIN
    passes = _GOOD


class BadTimes(Problem):
    """The rows of a series are sorted by the column `time`, each time is there once, and the step between them is the same.

    The usual step is the median of the distances. A distance below half of it or above 1.5 times it counts as a gap, so that
    months and leap days are none. `gaps: split` cuts the series there, and no window spans the gap; `gaps: ignore` takes
    the rows as evenly spaced. Of several series in one table, `by` names the column that tells them apart. No row is ever
    sorted or left out silently.
    """

    code = "NN470"
    message = "{reason}"


class SuspectData(Problem):
    """The data can be used, but probably are not meant so.

    Said of a reader's table: a column that looks like the time and is not sorted, is repeated or has gaps, in a series
    without `time`; rows that no window can be cut from.
    """

    code = "NN471"
    severity = "warning"
    message = "{reason}"


class TargetAmongInputs(Problem):
    """An input has the very column that a target has: what is to be predicted is given.

    In a series the same column in the past and in the future is two columns. To reconstruct an input, train an
    `autoencoder`.
    """

    code = "NN472"
    severity = "warning"
    message = "the column `{column}` of the input `{input}` {how} the target of `{target}`"
    fails = (
        _HEAD + "inputs: {facts: [2]}\nlayers:\n  - Dense: {units: 1}\n    name: progress\n"
        "data: {train: {builtin: diabetes}, inputs: {facts: {columns: [bmi, target]}}, targets: {progress: target}}\n"
        "train: {epochs: 1, loss: MeanSquaredError}\n"
    )
    passes = fails.replace("[bmi, target]", "[bmi, age]")


class TestIsTraining(Problem):
    """What a run is evaluated on, or watched by, was trained on: the values say nothing about new data."""

    code = "NN473"
    severity = "warning"
    message = "the {part} data are {what}"
    fails = _HEAD + _NET + _DIGITS.replace("digits}}", "digits}, test: {builtin: digits}}") + _TRAIN
    passes = _HEAD + _NET + _DIGITS.replace("digits}}", "digits}, test: {fold: {number: 1, of: 5}}}") + _TRAIN


class UnitsAboveClasses(Problem):
    """A classifier has more units than there are classes in the data: some are never right.

    Fewer units than classes are an error, NN425.
    """

    code = "NN474"
    severity = "warning"
    message = "`{name}` has {units} units, and the data have {found}"
