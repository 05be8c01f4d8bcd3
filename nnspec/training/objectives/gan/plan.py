"""The checked objective of a GAN."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nnspec.graph import Graph
from nnspec.training.objectives.gan import gan


@dataclass(frozen=True)
class GanPlan:
    """A generator and a discriminator that fit each other.

    Attributes:
        objective: The objective.
        generator: The network that makes examples.
        discriminator: The network that distinguishes them from the data.
        noise: The generator's noise input.
        generator_output: The generator's output.
        example_input: The discriminator's input for generated and real examples.
        conditions: The inputs of both that the data feed.
        score_output: The discriminator's output.
    """

    objective: gan
    generator: Graph
    discriminator: Graph
    noise: str
    generator_output: str
    example_input: str
    conditions: tuple[str, ...]
    score_output: str

    @property
    def networks(self) -> Mapping[str, Graph]:
        """Both, by name."""
        return {graph.name: graph for graph in (self.generator, self.discriminator)}

    @property
    def noise_shape(self) -> tuple[int, ...]:
        """The shape of one example's noise."""
        return tuple(size for size in self.generator.inputs[self.noise].shape if isinstance(size, int))

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics of an epoch, by their names in the log."""
        return (*self.validated, "diversity", "distinctness")

    @property
    def validated(self) -> tuple[str, ...]:
        """The metrics that are computed on validation data too."""
        losses = ("discriminator_loss", "generator_loss")
        balance = ("score_gap",) if self.objective.loss == "wasserstein" else ("real_accuracy", "generated_accuracy")
        penalty = ("gradient_penalty",) if self.objective.gradient_penalty is not None else ()
        return (*losses, *balance, *penalty)
