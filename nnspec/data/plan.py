"""What of the data goes where: the outcome of the static check, and what reading them starts from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from nnspec.data.kinds import TargetKind
from nnspec.data.readers.base import Reader
from nnspec.data.section import DataSection
from nnspec.data.transforms import Transform
from nnspec.data.validation import Fold
from nnspec.data.weighing import Border
from nnspec.diagnostics import Span
from nnspec.layers.augmentation import Augmentation
from nnspec.spec.tree import MappingNode
from nnspec.types import Conditions, Dim, TensorType

if TYPE_CHECKING:
    from nnspec.data.targets.base import TargetSource

__all__ = ["AugmentPlan", "DataPlan", "Feed", "Need", "Source", "in_words"]


def in_words(part: str) -> str:
    """What a set of data is called in messages: the "training" data."""
    return {"train": "training"}.get(part, part)


@dataclass(frozen=True)
class Need:
    """What a loss wants of a target.

    Attributes:
        kind: What the target is.
        output: The type of the output it is compared with.
        loss: The loss's name, for messages.
        instead: A loss that asks the same of the other kind of target; None where there is none.
        ignore: A class that is left out.
        axis: The axis the classes stand along.
        by_position: Whether it is a number for each position, so that each can have a weight of its own.
        crop: How much is cut from each side of the target before it is compared.
    """

    kind: TargetKind
    output: TensorType
    loss: str
    instead: str | None = None
    ignore: int | None = None
    axis: int = -1
    by_position: bool = True
    crop: int = 0

    @property
    def shape(self) -> tuple[int | Dim, ...]:
        """The shape of one target before it is cropped: the output's, of classes without their axis."""
        shape = list(self.output.shape)
        if self.kind == "class" and shape:
            del shape[self.axis]
        return (*(size + 2 * self.crop for size in shape[:2]), *shape[2:]) if self.crop else tuple(shape)


@dataclass(frozen=True)
class Source:
    """One of `train`, `validation` and `test`.

    Attributes:
        part: Which.
        reader: How it is read.
        files: Its files, by the argument that names each; None where one is missing.
        span: Where it is given.
        path: The same place as a path.
    """

    part: str
    reader: Reader
    files: Mapping[str, Path] | None
    span: Span
    path: str


@dataclass(frozen=True)
class Feed:
    """How an input or a target gets its values.

    Attributes:
        name: The input's or the output's name.
        columns: The columns it is made of.
        stacked: Whether they are stacked along a new last axis, even where there is one alone.
        transforms: What is done to them, in order.
        weight: The column of the examples' weights.
        span: Where this is said, or the part of the section that leaves it to go without saying.
        path: The same place as a path.
        may_miss: Whether missing values are left as they are, because what comes after fills them.
        border: What the gaps between a mask's objects count more.
        is_target: Whether it feeds a target, not an input.
        series: The columns of the file whose values tell several series apart.
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

    @property
    def columns_text(self) -> str:
        """What it is made of, for a message."""
        shown = ", ".join(f"`{column}`" for column in self.columns[:4]) + (" …" if len(self.columns) > 4 else "")
        return ("the column " if len(self.columns) == 1 else "the columns ") + shown


@dataclass(frozen=True)
class AugmentPlan:
    """A random change of the training examples.

    Attributes:
        layer: The change.
        inputs: The inputs that it changes, alike.
        targets: The targets that it changes with them.
        masks: Which of those say what is where, so that none of their values may be between two.
    """

    layer: Augmentation
    inputs: tuple[str, ...]
    targets: tuple[str, ...]
    masks: frozenset[str]


@dataclass(frozen=True)
class DataPlan:
    """The data of a spec, checked as far as they can be without reading them.

    Attributes:
        section: The section.
        tree: The section as it was written.
        sources: Its sets of data: `train`, and those of `validation` and `test` that are readers.
        inputs: The network's inputs.
        tables: How many rows the table has that an input is looked up in, by input.
        needs: What each loss wants, by output.
        feeds: How each input and each target gets its values, by ``inputs.NAME`` and ``targets.NAME``; None where the
            columns are not known because a file is missing.
        augment: The random changes of the training examples, in order.
        target_sources: The targets that are computed from an input, by output; the others have a feed.
        conditions: What the network's free sizes must satisfy, by their symbols.
        aligned: The inputs whose positions an output has a value at, by output.
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

    @property
    def fed(self) -> dict[str, Need]:
        """What each loss wants whose target comes from the data."""
        return {name: need for name, need in self.needs.items() if name not in self.target_sources}

    @property
    def windows(self) -> dict[str, int]:
        """How long the windows are that each input is cut into, where it is."""
        return {source.input: source.window for source in self.target_sources.values() if source.window is not None}

    @property
    def fraction(self) -> float | None:
        """The share of `train` that is kept for validation; None where that has a reader of its own, or is not wanted."""
        given = self.section.validation
        if isinstance(given, Fold):
            return 1 / given.of
        return given if isinstance(given, float) else None

    @property
    def fold(self) -> Fold | None:
        """The fold that is kept for validation, where it is one."""
        given = self.section.validation
        return given if isinstance(given, Fold) else None

    @property
    def left_out(self) -> Fold | None:
        """The fold of `train` that is the test data, if they are one."""
        given = self.section.test
        return given if isinstance(given, Fold) else None

    @property
    def draws(self) -> bool:
        """Whether the training data are a part of what `train` reads."""
        return self.fraction is not None or self.left_out is not None

    @property
    def validates(self) -> bool:
        """Whether there is a validation part."""
        return self.section.validation is not None

    @property
    def tests(self) -> bool:
        """Whether there are test data."""
        return self.section.test is not None
