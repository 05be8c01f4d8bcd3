"""Trials of parity itself: a correct model must pass by either bound, and one with a mistake by neither."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from random import Random
from typing import Any

import onnx
from numpy.typing import NDArray

from nnspec.exporting.keras_reference import keras_reference
from nnspec.graph import Graph
from nnspec.onnx_backend.emit import to_onnx
from nnspec.onnx_backend.parity import Bound, Parity, Reference, measure
from nnspec.onnx_backend.proof import masks_of, named_outputs, verify
from nnspec.onnx_backend.samples import draw
from nnspec.runtime.session import Level, Run

from ..onnx_backend.nets import random_weights
from .documents import draw_document, numbered
from .judge import Unproven, check_range
from .judge import compiled as telling_refusals
from .mutants import Mutant, mutants
from .proven import compiled

__all__ = ["VISIBLE", "Trial", "trials"]

VISIBLE = 1e-4
"""A mistake that changes no output by so much, relative to its largest value, is none."""
_OTHERS = (96, 97, 98, 99)
"""Seeds of inputs on which a mistake must show: one that shows in few examples is not to be expected in the proof's."""


@dataclass(frozen=True)
class Trial:
    """One drawn network with random weights.

    Attributes:
        name: Which.
        graph: The network.
    """

    name: str
    graph: Graph

    @cached_property
    def weights(self) -> dict[str, NDArray[Any]]:
        return random_weights(self.graph, 1)

    @cached_property
    def model(self) -> onnx.ModelProto:
        return to_onnx(self.graph, self.weights, masks=True)

    @cached_property
    def reference(self) -> Reference:
        return telling_refusals(keras_reference(self.graph, self.weights, masks=True))

    def check(self) -> None:
        """Raises `Unproven` where nothing can be concluded of the network."""
        check_range(self.graph, self.reference)

    def parity(self, model: onnx.ModelProto, bound: Bound, level: Level = "all") -> Parity:
        """How far a model is from Keras.

        Args:
            model: The model.
            bound: By which bound.
            level: How far ONNX Runtime changes the model before it runs it: it then rounds otherwise.
        """
        return verify(self.graph, self.weights, model, self.reference, bound=bound, level=level)

    def mistaken(self, random: Random, kind: str) -> Mutant | None:
        """The model with one mistake that can be seen; None where there is none of this kind."""
        for mutant, _ in zip(mutants(self.model, random, kind), range(8), strict=False):
            if self._is_visible(mutant.model):
                return mutant
        return None

    def _is_visible(self, model: onnx.ModelProto) -> bool:
        """Whether some output changes, each time that inputs other than those of the proof are drawn."""
        try:
            other = named_outputs(self.graph, model)
            return all(self._shows(other, seed) for seed in _OTHERS)
        except Exception:  # a model that does not run is refused, and proves nothing of parity
            return False

    def _shows(self, other: Run, seed: int) -> bool:
        """Whether an output changes at a position that is no padding: others are not compared."""
        cases = draw(self.graph, seed=seed, empty_rows=False)
        outputs = measure(self._own, other, cases, masks=self._masks).outputs
        return any(outputs[name].error > VISIBLE for name in self.graph.outputs)

    @cached_property
    def _own(self) -> Run:
        return named_outputs(self.graph, self.model)

    @cached_property
    def _masks(self) -> Run | None:
        return masks_of(self.graph, self.weights)


def trials(seed: int, around: Sequence[str] = ()) -> Iterator[Trial]:
    """Drawn networks without end; those of which nothing can be concluded are left out.

    Args:
        seed: Other networks.
        around: Layers that they have; by default all of the catalogue take turns.
    """
    number = 0
    while True:
        random = Random(f"trial {seed} {number}")
        document = draw_document(random, random.choice(around)) if around else numbered(seed, number)
        for name, graph in compiled(document.text).networks.items():
            trial = Trial(f"{number} {name}", graph)
            try:
                trial.check()
            except Unproven:
                continue
            yield trial
        number += 1
