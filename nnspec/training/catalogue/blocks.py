"""Blocks of the document as losses and metrics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from pydantic import ConfigDict, InstanceOf

from nnspec.diagnostics import Span
from nnspec.graph import Graph
from nnspec.spec.blocks import Block
from nnspec.spec.tree import Place, Tree
from nnspec.training.catalogue.losses.base import Loss
from nnspec.training.catalogue.metrics.base import Metric
from nnspec.training.catalogue.targets import Compares, TargetKind
from nnspec.types import Dim, TensorType

OUTPUT, TARGET = "output", "target"
"""The inputs of a block that is a loss or metric; without a target, it is a function of the output alone."""


@dataclass(frozen=True)
class BlockUse:
    """A use of a block as a loss or metric of an output.

    Attributes:
        block: The block.
        arguments: Its arguments; None if there are none.
        span: The location of its name.
        place: The place of the use in the document.
        graph: What it computes; None until the network is known.
    """

    block: Block
    arguments: Tree | None
    span: Span
    place: Place | None
    graph: Graph | None = None

    @property
    def path(self) -> str:
        """The path of the use in the document."""
        return "" if self.place is None else str(self.place)

    @property
    def others(self) -> tuple[str, ...]:
        """The outputs and inputs of the network that it also reads."""
        return tuple(name for name in self.block.inputs if name not in (OUTPUT, TARGET))

    @property
    def type(self) -> TensorType:
        """The type of its result."""
        assert self.graph is not None
        [result] = self.graph.output_types.values()
        return result


class _OfBlock(Compares):
    model_config = ConfigDict(arbitrary_types_allowed=True)

    use: InstanceOf[BlockUse]

    @property
    def title(self) -> str:
        return self.use.block.name

    @property
    def _target(self) -> TensorType | None:
        return self.use.graph.inputs.get(TARGET) if self.use.graph is not None else None

    def target_kind(self) -> TargetKind | None:
        if TARGET not in self.use.block.inputs:
            return None
        return "integer" if self._target is not None and self._target.is_integer else "number"

    def takes_any_numbers(self) -> bool:
        if self.target_kind() != "number":
            return False
        graph = self.use.graph
        return graph is None or graph.inputs[TARGET].shape == graph.inputs[OUTPUT].shape

    def target_shape(self, output: TensorType) -> tuple[int | Dim, ...] | None:
        own = self._target
        return None if own is None or (own.shape == output.shape and not own.is_integer) else own.shape


class BlockLoss(_OfBlock, Loss):
    """A block as a loss."""

    @property
    def by_position(self) -> bool:  # type: ignore[override]
        """Whether its result has a value for each position."""
        graph = self.use.graph
        return graph is None or self.use.type.rank >= graph.inputs[OUTPUT].rank - 1

    def to_keras(self, **arguments: Any) -> Any:
        from nnspec.training.catalogue.block_values import BlockValues

        del arguments
        assert self.use.graph is not None
        return BlockValues(self.use.graph)


class BlockMetric(_OfBlock, Metric):
    """A block as a metric: the mean of its result."""

    better: ClassVar[Literal["max", "min"] | None] = None

    def monitored(self) -> str:
        return self.use.block.name

    def to_keras(self, name: str) -> Any:
        """The Keras metric.

        Args:
            name: Its name in the log.
        """
        from nnspec.training.catalogue.block_values import BlockMean

        assert self.use.graph is not None
        return BlockMean(self.use.graph, name)
