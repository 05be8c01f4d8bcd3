"""The base class of metrics, and common arguments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

from nnspec.graph import Graph
from nnspec.layers import snake_name
from nnspec.training.catalogue.targets import Compares, TargetKind
from nnspec.types import TensorType

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Arrays = Mapping[str, NDArray[Any]]


class Metric(Compares):
    """A metric over the examples of an epoch."""

    better: ClassVar[Literal["max", "min"] | None] = None
    """Whether higher or lower values are better; None if that cannot be inferred."""

    relative: ClassVar[bool] = True
    """Whether adding a constant to outputs and targets changes the metric; if not, offsets of units are not applied."""

    def monitored(self) -> str:
        """Its name in the log after that of the output, as in ``digit_sparse_categorical_accuracy``."""
        return snake_name(type(self).__name__)


class Rising(Metric):
    """A metric to maximize."""

    better: ClassVar[Literal["max", "min"] | None] = "max"


class Falling(Metric):
    """A metric to minimize."""

    better: ClassVar[Literal["max", "min"] | None] = "min"


FRAMES = "frames"
"""The scale and the offset of images as stored in those that the network takes, each for x and y, (N, 4)."""


class MetricError(Exception):
    """A metric of a split that cannot be computed.

    Attributes:
        message: What it lacks, as a clause after the metric's name.
        help: What to write.
        argument: The argument at fault, if any.
    """

    def __init__(self, message: str, *, help: str, argument: str | None = None) -> None:
        super().__init__(message)
        self.message, self.help, self.argument = message, help, argument


@dataclass(frozen=True)
class Reads:
    """What a metric of a split reads.

    Attributes:
        outputs: The network's name of each output that it reads, by the metric's own name.
        fields: The data's name of each field that it reads, by the metric's own name.
        frames: The field of boxes whose images' places are read, as `FRAMES` among the fields, where they are known.
    """

    outputs: Mapping[str, str]
    fields: Mapping[str, str]
    frames: str | None = None


class Accumulator(Protocol):
    """Accumulates a metric over the batches of a split, on the host."""

    def add(self, outputs: Arrays, fields: Arrays) -> None:
        """Adds a batch; outputs and fields have the metric's own names, and the batch axis first."""

    def results(self) -> dict[str, float]:
        """The values, by their names in the log."""

    def report(self, classes: Mapping[str, list[Any]]) -> dict[str, Any]:
        """Further results for an evaluation, as plain values.

        Args:
            classes: The names of the classes of each field that has them, in order, by the metric's own name.
        """


class SplitMetric(Metric):
    """A metric of a whole split: it reads several outputs and fields, and is computed after each validation.

    It is allowed with all objectives that train a network which has the outputs, programs among them.
    """

    target: ClassVar[TargetKind | None] = None

    def logged(self) -> Mapping[str, Literal["max", "min"]]:
        """The names of its values in the log, the main one first, each with its better direction."""
        raise NotImplementedError

    def found(self, fields: Iterable[str], annotations: Mapping[str, str]) -> Mapping[str, str]:
        """The names of the fields that it reads, by its own names, without a check.

        Args:
            fields: The names of the data fields.
            annotations: The fields of boxes and what belongs to them, as the data state them: ``boxes``, ``class``, ``crowd``.
        """
        raise NotImplementedError

    def reads(self, graph: Graph, fields: Mapping[str, TensorType], annotations: Mapping[str, str]) -> Reads:
        """Determines what it reads.

        Args:
            graph: The network.
            fields: The types of the data fields.
            annotations: The fields of boxes and what belongs to them, as the data state them: ``boxes``, ``class``, ``crowd``.

        Raises:
            MetricError: If the network or the data lack something.
        """
        raise NotImplementedError

    def accumulator(self) -> Accumulator:
        """Creates an accumulator."""
        raise NotImplementedError

    def details(self, outputs: Arrays, fields: Arrays) -> Any:
        """What a report shows of a split beside the values; None if nothing.

        Args:
            outputs: The outputs of the whole split, by its own names.
            fields: The fields of the whole split, by its own names.
        """
        del outputs, fields
        return None
