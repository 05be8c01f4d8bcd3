"""The diagnostics of the section ``data``: NN401 to NN499.

``validate`` opens only the headers of files and reports what it can from them. The rest is reported when the data are read,
before the first training step.
"""

from __future__ import annotations

from nnspec.diagnostics import MISSPELLED, Problem

_HEAD = "nnspec: 1\nname: net\n"
_NET = "inputs: {image: [8, 8, 1]}\nlayers:\n  - Flatten\n  - Dense: {units: 10, activation: softmax}\n    name: digit\n"
_TRAIN = "train: {epochs: 1, loss: SparseCategoricalCrossentropy}\n"
_DIGITS = "data: {train: {builtin: digits}}\n"
_GOOD = _HEAD + _NET + _DIGITS + _TRAIN


class BadPath(Problem):
    """A path in `data` must name a regular file below the project root; devices and links that leave it are refused.

    A URL is opened only if its beginning is allowed, since specs come from others too: `--allow-url s3://bucket/data/`, or
    the variable `NNSPEC_ALLOW_URL` with several, separated by spaces.
    """

    code = "NN401"
    message = "{reason}"
    fails = _HEAD + _NET + "data: {train: {npz: https://example.org/digits.npz}}\n" + _TRAIN
    passes = _GOOD


class MissingData(Problem):
    """A data file does not exist. ``validate`` only warns, since the model can be built without it; training requires it."""

    code = "NN402"
    severity = "warning"
    message = "{reason}"


class UnreadableData(Problem):
    """A data file is truncated, is not in the format that its reader expects, or cannot be read from its server."""

    code = "NN403"
    message = "{reason}"


class UnknownColumn(Problem):
    """The data have no column with this name."""

    code = "NN404"
    fixable = MISSPELLED
    message = "there is no column `{column}` in the {part} data"
    fails = _HEAD + _NET + "data: {train: {builtin: digits}, inputs: {image: pixels}}\n" + _TRAIN
    passes = _GOOD


class NoColumn(Problem):
    """The column of an input or a target is not given and cannot be inferred.

    It is inferred if a column has the same name, if exactly one column is left for a target, or if the length of a 1D input
    equals the number of columns left.
    """

    code = "NN405"
    message = "cannot infer which column {verb} `{name}`"
    fails = _HEAD + _NET.replace("image: [", "scan: [") + _DIGITS + _TRAIN
    passes = _GOOD


class UnknownInput(Problem):
    """The keys of `data.inputs` and `data.targets` must be names of the network's inputs and outputs."""

    code = "NN406"
    fixable = MISSPELLED
    message = "the network has no {what} `{name}`"
    fails = _HEAD + _NET + "data: {train: {builtin: digits}, inputs: {scan: image}}\n" + _TRAIN
    passes = _GOOD


class WrongShape(Problem):
    """The values of a column, after its transforms, do not have the shape that the network or the loss expects."""

    code = "NN407"
    message = "{what} has shape {wanted}, but {columns} {got}"
    fails = _HEAD + _NET.replace("[8, 8, 1]", "[28, 28, 1]") + _DIGITS + _TRAIN
    passes = _GOOD


class UnfitSize(Problem):
    """The layers constrain a free size: with three poolings and a skip connection across them, it must be a multiple of 8.

    `nnspec inspect` lists the constraints on a network's free sizes.
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
    """A transform cannot be applied to the values it receives."""

    code = "NN408"
    message = "{reason}"
    fails = (
        _HEAD + _NET + "data: {train: {builtin: digits}, inputs: {image: {transform: [{standardize: {axis: 7}}]}}}\n" + _TRAIN
    )
    passes = _GOOD


class WrongTargetKind(Problem):
    """A classification loss expects class indices or one-hot vectors, and the target is the other of the two."""

    code = "NN409"
    message = "`{loss}` expects {wanted} for `{name}`, but {columns} {got}"
    fails = _HEAD + _NET + _DIGITS + "train: {epochs: 1, loss: CategoricalCrossentropy}\n"
    passes = _GOOD


class UnusedTarget(Problem):
    """No loss uses this target."""

    code = "NN410"
    severity = "warning"
    message = "no loss uses the target `{name}`"
    fails = (
        _HEAD
        + _NET
        + "outputs: {digit: digit, copy: digit}\ndata: {train: {builtin: digits}, targets: {digit: target, copy: target}}\n"
        + "train: {epochs: 1, loss: {digit: SparseCategoricalCrossentropy}}\n"
    )
    passes = _GOOD


class DifferentColumns(Problem):
    """The validation and test data must have the columns of the training data that are used, with the same shapes."""

    code = "NN411"
    fixable = MISSPELLED
    message = "{reason}"


UNSUPPORTED = "convert the column to numbers or text in the file, or name another"


class UnsupportedColumn(Problem):
    """The type of a column is not supported, such as Parquet's structs and maps."""

    code = "NN480"
    message = "the column `{column}` {reason}"


class DoubtfulFiles(Problem):
    """The data can be read, but are probably not the intended ones: for example a folder one level above the class folders."""

    code = "NN481"
    severity = "warning"
    message = "{reason}"


class UnequalLengths(Problem):
    """An output with a value at each position of an input, such as a tagger's, requires one label per token."""

    code = "NN482"
    message = "{where}: {labels} labels, but the row has {tokens} tokens in `{column}`{more}"


class NoRows(Problem):
    """A split of the data has no examples."""

    code = "NN420"
    message = "the {part} data are empty"


class NotANumber(Problem):
    """A number is expected, but the data contain text."""

    code = "NN421"
    message = "{where}: {value} is not a number{more}"


class MissingValue(Problem):
    """A value is missing. `impute` replaces missing values."""

    code = "NN422"
    message = "{where}: the value is missing{more}"


class NotFinite(Problem):
    """The data contain NaN or an infinite number, which would turn every weight into NaN."""

    code = "NN423"
    message = "{where}: {value} is not a finite number{more}"


class NotWhole(Problem):
    """A class index, or a value of an integer input, must be an integer in its range."""

    code = "NN424"
    message = "{where}: {value} is not {wanted}{more}"


class LabelOutOfRange(Problem):
    """A class index is out of range for the output's units. Classes are counted from 0."""

    code = "NN425"
    message = "{where}: class {value}, but the output `{name}` has {classes} classes, 0 to {last}{more}"


class BadTargetValue(Problem):
    """A target value is outside the range that its loss is defined for."""

    code = "NN426"
    message = "{where}: {value} is not {wanted}, as `{loss}` requires{more}"


class UnknownClassValue(Problem):
    """A value is not among the classes that are listed or were learned from the training data."""

    code = "NN427"
    message = "{where}: {value} is an unknown class; {known}{more}"


class BadWeight(Problem):
    """Sample weights must be numbers of at least 0, and not all 0."""

    code = "NN428"
    message = "{where}: {value} is not a valid weight{more}"


class TooFewFrames(Problem):
    """The loss `CTC` assigns each label to frames of its own, with a blank frame between two equal labels.

    A target with more labels than the output has frames has probability 0, and its loss is infinite.
    """

    code = "NN429"
    message = "{where}: {labels} labels need {wanted} frames, and `{name}` has {frames}{more}"


class UnreadableValue(Problem):
    """A value of the data cannot be read: a truncated image, or a file that was removed."""

    code = "NN460"
    message = "{reason}"


class RaggedValues(Problem):
    """All rows of an input or a target must have the same shape. `pad` brings rows of different lengths to one length."""

    code = "NN461"
    message = "{what} requires rows of equal length, but the rows of {columns} differ in length"


class TextValues(Problem):
    """Inputs and targets are numeric. `label_encode` and `one_hot` encode classes; `tokenize` and `pad` encode text."""

    code = "NN462"
    message = "{what} requires numbers, but {columns} text"


class NoSeries(Problem):
    """`at: past` and `at: future` select rows of a window or of its horizon, and only the reader `series` has windows."""

    code = "NN463"
    message = "`at` requires the reader `series`, which the training data do not use"
    fails = _HEAD + _NET + "data: {train: {builtin: digits}, inputs: {image: {column: image, at: past}}}\n" + _TRAIN
    passes = _GOOD


class CannotSplit(Problem):
    """A validation fraction must leave at least one example for training."""

    code = "NN430"
    message = "a validation fraction of {fraction} of {rows} examples leaves {left}"


class NotStratified(Problem):
    """The split cannot be stratified, because a class has too few examples."""

    code = "NN431"
    severity = "warning"
    message = "the {part} split is not stratified by class: {reason}"


class CannotSelectRows(Problem):
    """The requested split or fold cannot be made: there are too few rows or groups, or the rows have no order in time."""

    code = "NN464"
    message = "{reason}"


class NoData(Problem):
    """Training requires `data.train`."""

    code = "NN432"
    message = "`data` has no training data"


class OutOfTable(Problem):
    """An index is out of range for its lookup table: the rows of an `Embedding` are 0 to `input_dim` − 1."""

    code = "NN433"
    message = "{where}: {value} is out of range; the table that `{name}` indexes has rows 0 to {last}{more}"


class NoSuchPosition(Problem):
    """A position under `positions` is one of the row of the input that it names. Positions are counted from 0."""

    code = "NN434"
    message = "{where}: position {value}, but the row of `{of}` has {length} positions, 0 to {last}{more}"


class NoStatistics(Problem):
    """`Normalization: {invert: true}` needs statistics: `mean` and `variance`, or those of a target.

    Directly before an output with numeric targets, it uses the statistics of those targets.
    """

    code = "NN440"
    message = "`{name}` has no statistics to invert"
    fails = (
        _HEAD + "inputs: {facts: [10]}\nlayers:\n  - Normalization: {invert: true}\n  - Dense: {units: 1}\n    name: progress\n"
        "data: {train: {builtin: diabetes}}\ntrain: {epochs: 1, loss: MeanSquaredError}\n"
    )
    passes = (
        _HEAD + "inputs: {facts: [10]}\nlayers:\n  - Normalization\n  - Dense: {units: 1}\n  - Normalization: {invert: true}\n"
        "    name: progress\ndata: {train: {builtin: diabetes}}\ntrain: {epochs: 1, loss: MeanSquaredError}\n"
    )


_AUGMENTED = "data: {train: {builtin: digits}, augment: [%s]}\n"
_SHIFTED = _HEAD + _NET + _AUGMENTED % "{RandomTranslation: {height_factor: 0.1, width_factor: 0.1}}" + _TRAIN
_ONE_HOT = (
    _HEAD
    + _NET
    + "data: {train: {builtin: digits}, augment: [MixUp], targets: {digit: {transform: [{one_hot: {classes: 10}}]}}}\n"
    "train: {epochs: 1, loss: CategoricalCrossentropy}\n"
)


class NoImage(Problem):
    """Without `on`, an augmentation acts on the only image input (height, width, channels); there must be exactly one."""

    code = "NN441"
    message = "cannot infer which input `{name}` acts on: {which}"
    fails = (
        _HEAD + "inputs: {facts: [10]}\nlayers:\n  - Dense: {units: 1}\n"
        "data: {train: {builtin: diabetes}, augment: [RandomFlip]}\ntrain: {epochs: 1, loss: MeanSquaredError}\n"
    )
    passes = _SHIFTED


class UnknownAugmentName(Problem):
    """`on` must list inputs that the augmentation changes, and targets to change with them."""

    code = "NN442"
    fixable = MISSPELLED
    message = "there is no input or target `{name}`"
    fails = _HEAD + _NET + _AUGMENTED % "{RandomFlip: {mode: horizontal}, on: [imgae]}" + _TRAIN
    passes = _SHIFTED


class CannotAugment(Problem):
    """An augmentation cannot act on a name in `on`: its shape is wrong, or its size differs from the others."""

    code = "NN443"
    message = "{reason}"
    fails = _HEAD + _NET + _AUGMENTED % "{RandomHue: {factor: 0.1}}" + _TRAIN
    passes = _SHIFTED


class CannotMix(Problem):
    """`MixUp` and `CutMix` mix targets together with images; class indices cannot be mixed, one-hot vectors can."""

    code = "NN444"
    message = "`{name}` mixes targets, but `{loss}` expects one class index for `{target}`"
    fails = _HEAD + _NET + _AUGMENTED % "MixUp" + _TRAIN
    passes = _ONE_HOT


class OutsideRange(Problem):
    """The pixel values do not match `value_range`, which is 0 to 255 by default; data are often 0 to 1."""

    code = "NN445"
    severity = "warning"
    message = "`{name}` expects values from {low:g} to {high:g}, but those of `{input}` range from {least:.4g} to {largest:.4g}"


_TEXT = (
    _HEAD + "inputs: {tokens: {shape: [T], dtype: int32}}\nlayers:\n  - Embedding: {input_dim: 90, output_dim: 8}\n"
    "  - GRU: {units: 8, return_sequences: true}\n  - Dense: {units: 90, activation: softmax}\n    name: token\n"
)
_LANGUAGE = "train: {objective: {language_model: {window: 32}}, epochs: 1, loss: SparseCategoricalCrossentropy}\n"
_LINES = "data: {inputs: {tokens: {column: text, transform: [{tokenize: character}]}}}\n"


class TargetIsComputed(Problem):
    """The objective computes this target from an input, so `data` must not name a column for it."""

    code = "NN446"
    message = "the target of `{name}` is computed from the input `{input}`"
    fails = _TEXT + _LINES.replace("]}}}", "]}}, targets: {token: text}}") + _LANGUAGE
    passes = _TEXT + _LINES + _LANGUAGE


class BadWindow(Problem):
    """`window`, of `data` or of `language_model`, cuts the joined rows of a sequence input into examples.

    Its length must be that of the input, plus one value for the target of a language model. Other inputs, targets and groups
    belong to a row and cannot be combined with it.
    """

    code = "NN447"
    message = "{reason}"
    fails = _TEXT + _LINES.replace("]}}}", "]}}, group: text}") + _LANGUAGE
    passes = _TEXT + _LINES + _LANGUAGE


_PAIRS = (
    _HEAD + "inputs: {source: {shape: [S], dtype: int32}, target: {shape: [T], dtype: int32}}\nlayers:\n"
    "  - Embedding: {input_dim: 90, output_dim: 8, mask_zero: true}\n    name: read\n    from: source\n"
    "  - GRU: {units: 8}\n    name: final\n"
    "  - Embedding: {input_dim: 90, output_dim: 8}\n    name: embedded\n    from: target\n"
    "  - GRU: {units: 8, return_sequences: true}\n    name: state\n    from: {x: embedded, state: final}\n"
    "  - Dense: {units: 90, activation: softmax}\n    name: token\n"
)
_TEACHING = "train: {objective: sequence_to_sequence, epochs: 1, loss: SparseCategoricalCrossentropy}\n"


class Unbounded(Problem):
    """A decoder must be trained on sequences with a start and an end token, at which generation starts and stops."""

    code = "NN448"
    message = "the sequences of `{name}` lack start or end tokens: `tokenize` adds no {missing}"
    fails = _PAIRS + "data: {inputs: {target: {column: text, transform: [{tokenize: character}, {pad: 9}]}}}\n" + _TEACHING
    passes = fails.replace("tokenize: character", "tokenize: {by: character, start: true, end: true}")


class NoBorderWeights(Problem):
    """`weight: {border: …}` weights the positions of a mask by the gaps between its objects.

    The target must be a mask of classes, and the loss a mean over positions, unlike `Dice`, which is one value per mask.
    """

    code = "NN449"
    message = "{reason}"
    fails = _HEAD + _NET + "data: {train: {builtin: digits}, targets: {digit: {weight: {border: {}}}}}\n" + _TRAIN
    passes = _GOOD


class CannotCrop(Problem):
    """`crop` removes the borders of a mask, for networks whose output is smaller than the input image."""

    code = "NN450"
    message = "`crop` requires a target with height and width, but `{name}` has shape {shape}"
    fails = _HEAD + _NET + "data: {train: {builtin: digits}, targets: {digit: {crop: 1}}}\n" + _TRAIN
    passes = _GOOD


_BATCHES = "data: {train: {builtin: digits}, batches: {of: digit, each: 4}}\n"


class CannotSampleClasses(Problem):
    """`batches` samples batches with several examples of each of some classes.

    `each` must divide `batch_size`, and there must be at least `batch_size / each` classes. The class of an example is a text
    or an integer in one column, that of a target, of an input or any other. Batches of `window` and of `buckets` are formed
    in another way.
    """

    code = "NN451"
    message = "{reason}"
    fails = _HEAD + _NET + _BATCHES + _TRAIN.replace("epochs: 1", "epochs: 1, batch_size: 30")
    passes = _HEAD + _NET + _BATCHES + _TRAIN


class SmallClasses(Problem):
    """A class has fewer examples than a batch has of each class, so they are repeated within a batch."""

    code = "NN452"
    severity = "warning"
    message = "`each` is {each}, but these classes have fewer training examples, which are repeated: {which}"


class BadVocabulary(Problem):
    """`vocabulary` of `tokenize` names inputs or targets with another `tokenize`, or a file with one token on each line.

    Inputs that share a vocabulary must be split into tokens in the same way, with the same `by` and `lower`.
    """

    code = "NN453"
    message = "{reason}"


class BadTimes(Problem):
    """The rows of a series must be sorted by the column `time`, evenly spaced, and without repeated times.

    The usual step is the median difference. A difference below half of it or above 1.5 times it is a gap, so months and leap
    days are not gaps. `gaps: split` cuts the series at each gap, so that no window spans one; `gaps: ignore` treats the rows
    as evenly spaced. If a table contains several series, `by` names the column that identifies them. Rows are never sorted
    or dropped silently.
    """

    code = "NN470"
    message = "{reason}"


class SuspectData(Problem):
    """The data can be used, but probably not as intended.

    For example, a series without `time` has a column that looks like the time and is unsorted, repeated or has gaps; or a
    run of rows is too short for a window.
    """

    code = "NN471"
    severity = "warning"
    message = "{reason}"


class DataNote(Problem):
    """A fact about the data that may be unexpected, and is usual: no action is required.

    For example, the ids of COCO's 80 categories go from 1 to 90 with gaps: the classes of a network are numbered without.
    `nnspec validate --data` reports it, and `train` does not.
    """

    code = "NN479"
    severity = "note"
    message = "{reason}"


class BadBox(Problem):
    """A box must have corners in order, ``x1 y1 x2 y2``, lie in its image, and have one value of its class and other lists.

    `boxes: {format: xywh}` reads a corner and a size, `format: cxcywh` the center and the size, and `relative: true` fractions
    of the image's width and height.
    """

    code = "NN475"
    message = "{reason}"


class BadAnnotation(Problem):
    """An annotation of COCO, YOLO or VOC cannot be used. Of each kind of mistake, the first is shown.

    Classes are identified by their names and are never renumbered silently; no box is changed to fit. Boxes that exceed their
    image a little are clipped to it, and boxes without an area are left out; both are warnings (NN471).
    """

    code = "NN476"
    message = "{reason}"


class BoxesCutOff(Problem):
    """An image has more boxes than `pad` keeps. The network and the metrics do not get the others."""

    code = "NN477"
    severity = "warning"
    message = "{where}: {count} boxes, of which `pad` keeps {limit}{more}"


class BoxesOfComposedImages(Problem):
    """An augmentation composes images, and the result may have more boxes than `pad` has rows. The last boxes are left out.

    `RandomMosaic` composes four images of a batch, one of which may occur several times, and `MixUp` two. A training counts
    the boxes that have no row, and reports them once.
    """

    code = "NN483"
    severity = "warning"
    message = "`{name}` composes images with up to {count} boxes, of which `pad` keeps {limit}"


class ObjectsWithoutBoxes(Problem):
    """An augmentation fills the pixels outside the image with what the image shows, so that there are objects without boxes."""

    code = "NN478"
    severity = "warning"
    message = "`{name}` fills with `{mode}`, which shows objects again for which `{boxes}` has no boxes"


class TargetAmongInputs(Problem):
    """An input uses the same column as a target, so the target leaks into the input.

    In a series, the past and the future of a column count as two columns. To reconstruct an input, train an `autoencoder`.
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
    """The validation or test data are also training data, so the metrics do not measure generalization."""

    code = "NN473"
    severity = "warning"
    message = "the {part} data are {what}"
    fails = _HEAD + _NET + _DIGITS.replace("digits}}", "digits}, test: {builtin: digits}}") + _TRAIN
    passes = _HEAD + _NET + _DIGITS.replace("digits}}", "digits}, test: {fold: {number: 1, of: 5}}}") + _TRAIN


class UnitsAboveClasses(Problem):
    """A classifier has more units than the data have classes.

    Fewer units than classes are an error, NN425.
    """

    code = "NN474"
    severity = "warning"
    message = "`{name}` has {units} units, but the data have {found}"
