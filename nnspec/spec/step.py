"""The steps of a network after blocks, repeats and expressions are expanded: what the graph is wired from."""

from __future__ import annotations

from dataclasses import dataclass

from nnspec.diagnostics import Span
from nnspec.layers.base import Layer
from nnspec.spec.tree import MappingNode, Tree

__all__ = ["INPUT", "Content", "Nested", "NetworkUse", "Shared", "Step", "WeightsFrom"]


INPUT = "(input)"
"""What steps inside a step know its input by, where the user gave it no name; no name of the user's looks like it."""


@dataclass(frozen=True)
class WeightsFrom:
    """What stands under ``weights``: where a step's weights start from.

    Attributes:
        file: A run folder or a ``.safetensors`` file, as it is written.
        prefix: What their names begin with there; None: as here.
        span: Where it is given.
        path: The same place as a path.
    """

    file: str
    prefix: str | None
    span: Span
    path: str


@dataclass(frozen=True)
class Nested:
    """Steps inside a step: a block, a repeated step, ``Residual``, ``Parallel``.

    Attributes:
        inputs: The names that its steps know its inputs by.
        steps: In order.
        outputs: What it gives, as names among its steps; None for the last step, or its input where there are no steps.
        closed: Whether its steps see nothing of the list around it (a block's do not).
        every_step: Whether it runs at every time step of its inputs alike.
    """

    inputs: tuple[str, ...]
    steps: tuple[Step, ...]
    outputs: Tree | None = None
    closed: bool = False
    every_step: bool = False


@dataclass(frozen=True)
class NetworkUse:
    """One use of a network of the document; every use has the same weights.

    Attributes:
        network: Its name.
        every_step: Whether it runs at every time step of its inputs alike.
    """

    network: str
    every_step: bool = False


@dataclass(frozen=True)
class Shared:
    """An earlier layer applied again, with the same weights.

    Attributes:
        layer: Its name.
        arguments: What it is called with this time, where that is said.
    """

    layer: str
    arguments: MappingNode | None = None


Content = Layer | Nested | NetworkUse | Shared


@dataclass(frozen=True)
class Step:
    """One step, its expressions evaluated.

    Attributes:
        name: What the others of its list call it.
        op: The operation, ``Conv2D``, or the block's or the network's name.
        content: What it runs; None where that is wrong, so that the graph goes on without a second error.
        source: What stands under ``from``; None where nothing does.
        freeze: Whether its weights are kept from training.
        span: The operation's name in the file.
        path: The step's path in the document.
        arguments: The operation's arguments, for their places.
        weights: What its weights start from, where a file is named.
        is_open: Whether its name is not known, because of an error that has been reported.
        is_assumed: Whether arguments that are wrong, on which no shape depends, were left at their defaults.
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
