"""The data plan: the result of the static check, from which the data are read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnspec.data.data_files import DataFile
from nnspec.data.kinds import TargetKind
from nnspec.data.readers.base import Reader
from nnspec.data.section import Border, DataSection, Fold
from nnspec.data.transforms import Transform
from nnspec.diagnostics import Diagnostic, Span
from nnspec.layers.augmentation import Augmentation
from nnspec.spec.tree import MappingNode
from nnspec.types import Conditions, Dim, TensorType, substitute

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Values = NDArray[Any]


def display_name(part: str) -> str:
    """Return the name of a split in messages: `training` for `train`."""
    return {"train": "training"}.get(part, part)


@dataclass(frozen=True)
class Need:
    """The target that a loss requires.

    Attributes:
        kind: The kind of target.
        output: The type of the output.
        loss: The loss's name, for messages.
        instead: The equivalent loss for the other kind of target; None if there is none.
        ignore: A class that is ignored.
        axis: The axis of the classes.
        by_position: Whether the loss has a value for each position, so that positions can be weighted.
        crop: The number of rows and columns removed from each side of the target.
        target: The shape of one target before cropping; None for that of its kind.
    """

    kind: TargetKind
    output: TensorType
    loss: str
    instead: str | None = None
    ignore: int | None = None
    axis: int = -1
    by_position: bool = True
    crop: int = 0
    target: tuple[int | Dim, ...] | None = None

    @property
    def shape(self) -> tuple[int | Dim, ...]:
        """The shape of one target before cropping: by default that of the output, without the class axis for class indices."""
        shape = list(self.output.shape if self.target is None else self.target)
        if self.kind == "class" and shape and self.target is None:
            del shape[self.axis]
        return (*(size + 2 * self.crop for size in shape[:2]), *shape[2:]) if self.crop else tuple(shape)

    @property
    def positions(self) -> tuple[int | Dim, ...]:
        """The shape of the weights of positions: the axes of the output but the last one, before cropping."""
        shape = self.output.shape[:-1]
        return (*(size + 2 * self.crop for size in shape[:2]), *shape[2:]) if self.crop else shape


def target_shape(need: Need, sizes: Mapping[str, int]) -> tuple[int | None, ...]:
    """Return the shape that a loss requires of one target; None for unknown sizes.

    Args:
        need: What the loss requires.
        sizes: The values of the network's symbolic sizes, as known from the inputs.
    """
    values: dict[str, int | Dim] = dict(sizes)
    if need.kind == "label":
        return ()
    if need.kind == "sequence":
        return (None,)
    output = [substitute(size, values) for size in need.shape]
    return tuple(size if isinstance(size, int) else None for size in output)


@dataclass(frozen=True)
class Source:
    """The reader and files of `train`, `validation` or `test`.

    Attributes:
        part: The name of the split.
        reader: Its reader.
        files: Its files, by reader argument; None if one is missing.
        span: Its location in the spec.
        path: The same location as a path.
    """

    part: str
    reader: Reader
    files: Mapping[str, DataFile] | None
    span: Span
    path: str


@dataclass(frozen=True)
class Feed:
    """The columns and transforms of an input or a target.

    Attributes:
        name: The name of the input or output.
        columns: The columns.
        stacked: Whether the columns are stacked along a new last axis, even a single one.
        transforms: The transforms, in order.
        weight: The column of sample weights.
        span: Its location in the spec, or that of the closest parent if it was inferred.
        path: The same location as a path.
        may_miss: Whether missing values are allowed, because the model fills them.
        border: The border weights of a mask.
        is_target: Whether it is a target.
        series: The columns that identify the series.
        before: Transforms before those that are written, which have no fitted state.
        image: The input in whose pixels the values are boxes; empty if they are not.
        rows_of: The boxes for each of which there is a value, as ``inputs.NAME`` or ``targets.NAME``; empty if there are none.
    """

    name: str
    columns: tuple[str, ...]
    stacked: bool
    transforms: tuple[Transform, ...]
    weight: str | None
    span: Span
    path: str
    may_miss: bool = False
    border: Border | None = None
    is_target: bool = False
    series: tuple[str, ...] = ()
    before: tuple[Transform, ...] = ()
    image: str = ""
    rows_of: str = ""

    @property
    def columns_text(self) -> str:
        """The columns, for messages."""
        shown = ", ".join(f"`{column}`" for column in self.columns[:4]) + (" …" if len(self.columns) > 4 else "")
        return ("the column " if len(self.columns) == 1 else "the columns ") + shown


@dataclass(frozen=True)
class StreamWindow:
    """How the rows of a split are joined to a stream and cut into examples.

    Attributes:
        input: The input whose rows are joined.
        length: The number of values of an example.
        stride: The number of values between the starts of consecutive examples.
        ahead: The number of further values that an example needs for its targets.
    """

    input: str
    length: int
    stride: int
    ahead: int = 0


@dataclass(frozen=True)
class TargetSource:
    """Computes the targets of an output from an input: by default the input itself. NumPy is imported only for values.

    Attributes:
        input: The input.
    """

    input: str

    @property
    def window(self) -> StreamWindow | None:
        """How the objective cuts examples from the rows; None if it does not."""
        return None

    @property
    def ahead(self) -> int:
        """The number of values after an example that its target needs."""
        return 0

    @property
    def is_input(self) -> bool:
        """Whether the target equals the input, so that augmentations of the input change the target too."""
        return True

    @property
    def is_scored(self) -> bool:
        """Whether predictions are compared with this target for each example after training."""
        return True

    def shape(self, need: Need, values: Values) -> tuple[int | None, ...]:
        """The shape of one target.

        Args:
            need: What the loss requires.
            values: The input's values, (N, …).
        """
        del values
        return target_shape(need, {})

    def of(self, values: Any) -> Any:
        """The targets of an input's values, (N, …)."""
        return values

    def aligned(self, values: Values) -> Values:
        """The labels of the positions, as values of the input: what the output predicts at each position."""
        return values

    def check(self, plan: DataPlan, output: str) -> Iterator[Diagnostic]:
        """Report conflicts of the section ``data`` with this source.

        Args:
            plan: The plan so far.
            output: The output of the target.
        """
        del plan, output
        yield from ()

    def of_stream(self, stream: Values, window: StreamWindow, inputs: Values) -> Values:
        """The targets of examples that are cut from a stream of the input's values.

        Args:
            stream: The joined rows.
            window: How the examples are cut.
            inputs: The examples, (N, length).
        """
        del stream, window
        return inputs


@dataclass(frozen=True)
class BoxField:
    """Boxes that belong to an image.

    Attributes:
        place: The boxes, as ``inputs.NAME`` or ``targets.NAME``.
        image: The input with the image.
        rows: The inputs and targets with a value for each box, as ``inputs.NAME`` or ``targets.NAME``.
    """

    place: str
    image: str
    rows: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name of the input or target."""
        return self.place.partition(".")[2]


@dataclass(frozen=True)
class AugmentPlan:
    """An augmentation of the training examples.

    Attributes:
        layer: The augmentation layer.
        inputs: The inputs that receive the same random change.
        targets: The targets that are changed with them.
        masks: The targets that are label masks, whose values must not be interpolated.
        boxes: The boxes that move with the inputs.
        visible: The share of its area that a box must keep.
    """

    layer: Augmentation
    inputs: tuple[str, ...]
    targets: tuple[str, ...]
    masks: frozenset[str]
    boxes: tuple[BoxField, ...] = ()
    visible: float = 0.25


@dataclass(frozen=True)
class DataPlan:
    """The data of a spec, after all checks that do not read values.

    Attributes:
        section: The section ``data``.
        tree: The section as written.
        sources: The readers of `train`, `validation` and `test`; folds and fractions have none.
        inputs: The types of the inputs.
        tables: The number of rows of the lookup table of an input, by input.
        needs: What each loss requires, by output.
        feeds: The feeds, by ``inputs.NAME`` and ``targets.NAME``; None if a missing file makes the columns unknown.
        augment: The augmentations, in order.
        target_sources: The targets that are computed from an input, by output; the others have a feed.
        conditions: The constraints on the network's free sizes.
        aligned: The inputs whose positions an output is aligned with, by output.
        files: The files of vocabularies, by their paths as written.
    """

    section: DataSection
    tree: MappingNode
    sources: Mapping[str, Source]
    inputs: Mapping[str, TensorType]
    tables: Mapping[str, int]
    needs: Mapping[str, Need]
    feeds: Mapping[str, Feed] | None
    augment: tuple[AugmentPlan, ...] = ()
    target_sources: Mapping[str, TargetSource] = field(default_factory=dict)
    conditions: Conditions = field(default_factory=Conditions)
    aligned: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    files: Mapping[str, Path] = field(default_factory=dict)

    @property
    def fed(self) -> dict[str, Need]:
        """What each loss requires whose target is read from the data."""
        return {name: need for name, need in self.needs.items() if name not in self.target_sources}

    @property
    def window(self) -> StreamWindow | None:
        """How examples are cut from the joined rows; None if each row is an example."""
        given = self.section.window
        sources = self.target_sources.values()
        if given is None:
            return next((source.window for source in sources if source.window is not None), None)
        name = given.of if given.of is not None else next(iter(self.inputs)) if len(self.inputs) == 1 else None
        if name is None or name not in self.inputs:
            return None
        ahead = max((source.ahead for source in sources if source.input == name), default=0)
        return StreamWindow(name, max(1, given.length - ahead), given.stride, ahead)

    @property
    def windows(self) -> dict[str, int]:
        """The length of the examples of the input that is cut into windows; empty if each row is an example."""
        return {} if self.window is None else {self.window.input: self.window.length}

    @property
    def fraction(self) -> float | None:
        """The fraction of `train` used for validation; None if validation has a separate reader or is absent."""
        given = self.section.validation
        if isinstance(given, Fold):
            return 1 / given.of
        return given if isinstance(given, float) else None

    @property
    def fold(self) -> Fold | None:
        """The fold of `train` used for validation, if it is a fold."""
        given = self.section.validation
        return given if isinstance(given, Fold) else None

    @property
    def test_fold(self) -> Fold | None:
        """The fold of `train` that is held out as test data, if it is a fold."""
        given = self.section.test
        return given if isinstance(given, Fold) else None

    @property
    def draws(self) -> bool:
        """Whether only some rows of `train` are training data."""
        return self.fraction is not None or self.test_fold is not None

    @property
    def validates(self) -> bool:
        """Whether there are validation data."""
        return self.section.validation is not None

    @property
    def tests(self) -> bool:
        """Whether there are test data."""
        return self.section.test is not None
