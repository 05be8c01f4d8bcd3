"""A generator and a discriminator that fit each other: what the static check makes of the objective ``gan``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nnspec.graph import Graph
from nnspec.training.objectives.gan.fields import gan

__all__ = ["Pair"]


@dataclass(frozen=True)
class Pair:
    """Two networks that are trained against each other.

    Attributes:
        objective: The objective.
        generator: The network that makes examples.
        discriminator: The network that tells them from the data.
        noise: The generator's input of noise.
        made: The generator's output.
        judged: The discriminator's input that takes it, and the data's examples.
        conditions: The inputs that both take from the data.
        verdict: The discriminator's output.
    """

    objective: gan
    generator: Graph
    discriminator: Graph
    noise: str
    made: str
    judged: str
    conditions: tuple[str, ...]
    verdict: str

    @property
    def networks(self) -> Mapping[str, Graph]:
        """Both, by name."""
        return {graph.name: graph for graph in (self.generator, self.discriminator)}

    @property
    def noise_shape(self) -> tuple[int, ...]:
        """The shape of one example's noise."""
        return tuple(size for size in self.generator.inputs[self.noise].shape if isinstance(size, int))

    @property
    def figures(self) -> tuple[str, ...]:
        """The figures of an epoch, by their names in the log."""
        return (*self.validated, "diversity", "distinctness")

    @property
    def validated(self) -> tuple[str, ...]:
        """Those of them that there are of validation too."""
        losses = ("discriminator_loss", "generator_loss")
        balance = ("score_gap",) if self.objective.loss == "wasserstein" else ("real_accuracy", "generated_accuracy")
        penalty = ("gradient_penalty",) if self.objective.gradient_penalty is not None else ()
        return (*losses, *balance, *penalty)
