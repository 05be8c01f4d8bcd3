"""Steps of a network after blocks, repeats and expressions are expanded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nnspec.diagnostics import Span
from nnspec.layers.base import Layer
from nnspec.spec.checks import Check
from nnspec.spec.shapes import Input
from nnspec.spec.tree import MappingNode, Tree

if TYPE_CHECKING:
    from nnspec.layers.bidirectional import MergeMode
    from nnspec.layers.rnn import RNN

INPUT = "(input)"
"""Name of the input of nested steps without a user-defined name; never equal to a user's name."""


@dataclass(frozen=True)
class WeightsFrom:
    """Value of ``weights``: the source of initial weights.

    Attributes:
        file: A run folder or a ``.safetensors`` file, as written.
        prefix: Prefix of the weight names in the file; None if the names are equal.
        span: Location of the declaration.
        path: Path of the declaration.
        vectors: Whether it is a file of word vectors.
        skip: Paths or patterns of layers that keep their own initial weights.
        names: Names in the file by layer or scope, as pairs.
    """

    file: str
    prefix: str | None
    span: Span
    path: str
    vectors: bool = False
    skip: tuple[str, ...] = ()
    names: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Nested:
    """Steps inside a step: a block, a repeated step, ``Residual``, ``Parallel``.

    Attributes:
        inputs: Names of the inputs inside.
        steps: Steps in order.
        outputs: Outputs as names of its steps; None for the last step, or for the input if there are no steps.
        closed: Whether its steps cannot read from the enclosing list, as in a block.
        shapes: Declared types of its inputs; an input without one accepts any tensor.
        time_distributed: Whether it runs at every time step of its inputs.
        carries: Whether its steps are repetitions that each feed their outputs to the inputs of the next, by name.
        checks: Conditions on the sizes of its inputs and outputs.
    """

    inputs: tuple[str, ...]
    steps: tuple[Step, ...]
    outputs: Tree | None = None
    closed: bool = False
    shapes: Mapping[str, Input | None] = field(default_factory=dict)
    time_distributed: bool = False
    carries: bool = False
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True)
class NetworkUse:
    """A use of a network of the document; all uses share their weights.

    Attributes:
        network: Name of the network.
        time_distributed: Whether it runs at every time step of its inputs.
    """

    network: str
    time_distributed: bool = False


@dataclass(frozen=True)
class Shared:
    """An earlier layer applied again with the same weights.

    Attributes:
        layer: Name of the layer.
        arguments: Arguments of this call, if any.
    """

    layer: str
    arguments: MappingNode | None = None


@dataclass(frozen=True)
class Recurrence:
    """A cell that runs at each step of a sequence.

    Attributes:
        layer: The arguments of `RNN`, without a cell that is a block or network.
        cell: What runs at each step: a block, a network or a built-in cell.
        time_distributed: Whether all of it runs at every time step of its inputs.
    """

    layer: RNN
    cell: Step
    time_distributed: bool = False

    @property
    def return_state(self) -> bool:
        return self.layer.return_state


@dataclass(frozen=True)
class BothDirections:
    """Two recurrences of the same sequence, of which the second runs backward.

    Attributes:
        steps: The forward and the backward recurrence.
        merge_mode: How their outputs are merged.
        time_distributed: Whether all of it runs at every time step of its inputs.
    """

    steps: tuple[Step, Step]
    merge_mode: MergeMode | None
    time_distributed: bool = False


Content = Layer | Nested | NetworkUse | Shared | Recurrence | BothDirections


@dataclass(frozen=True)
class Step:
    """A step with its expressions evaluated.

    Attributes:
        name: Name of the step in its list.
        op: Operation, such as ``Conv2D``, or name of the block or network.
        content: What it runs; None if invalid, so that the graph continues without a second error.
        source: Value of ``from``; None if it is missing.
        freeze: Whether its weights are frozen.
        span: Location of the operation's name.
        path: Path of the step in the document.
        arguments: Arguments of the operation, for their locations.
        weights: Source of its initial weights, if given.
        is_open: Whether its name is unknown because of an error that has been reported.
        is_assumed: Whether invalid arguments that affect no shape were replaced by their defaults.
        training: Whether it runs in training mode, in a program; None for the default.
        params: Names of the params that an expression can use, which a wrong name may mean.
    """

    name: str
    op: str
    content: Content | None
    source: Tree | None
    freeze: bool
    span: Span
    path: str
    arguments: Tree | None
    weights: WeightsFrom | None = None
    is_open: bool = False
    is_assumed: bool = False
    training: bool | None = None
    params: tuple[str, ...] = field(default=(), compare=False)


def inner_steps(content: Content | None) -> tuple[Step, ...]:
    """Return the steps inside a step, as its path continues; those of a network are not inside."""
    if isinstance(content, Recurrence):
        inner = content.cell.content
        return inner.steps if isinstance(inner, Nested) else (content.cell,)
    return content.steps if isinstance(content, Nested | BothDirections) else ()
