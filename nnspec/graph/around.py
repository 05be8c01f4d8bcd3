"""Context of a list of steps, and what feeds a step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from nnspec.graph.model import Start
from nnspec.graph.scope import Given, Source
from nnspec.graph.shared_weights import Use
from nnspec.spec import Step
from nnspec.spec.step import NetworkUse, Shared

Fed = Mapping[str, tuple[Source, Given]]
"""The tensor of each port, and the name that it was given by."""


@dataclass(frozen=True)
class Around:
    """Context of a list of steps, given by the steps around it.

    Attributes:
        prefix: Prefix of its node names.
        weights: Prefix of its weight names.
        frozen: Whether its weights are frozen.
        start: Source of its initial weights, if given.
        use: Settings of the weights that it may share with other steps.
    """

    prefix: str
    weights: str
    frozen: bool = False
    start: Start | None = None
    use: Use = field(default_factory=Use)

    def at(self, step: Step) -> Around:
        """Return the context of one step of the list."""
        weights = self.weights + step.name
        at = step.content.network if isinstance(step.content, NetworkUse) else weights
        start = self.start
        if step.weights is not None:
            start = Start.of(step.weights, step.weights.prefix, at)
        use = self.use.at(step, is_use=isinstance(step.content, NetworkUse | Shared))
        return Around(self.prefix + step.name, weights, self.frozen or step.freeze, start, use)

    def inside(self, *, weights: str | None = None) -> Around:
        """Return the context of the list inside a step."""
        return replace(self, prefix=f"{self.prefix}/", weights=f"{self.weights if weights is None else weights}/")
