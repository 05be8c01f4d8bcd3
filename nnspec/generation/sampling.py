"""Networks that generate samples from random values, once or repeatedly."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from nnspec.functions.lazy_numpy import np
from nnspec.generation.draws import Draw
from nnspec.graph import Graph
from nnspec.types import TensorType

if TYPE_CHECKING:
    from numpy.typing import NDArray

Arrays = Mapping[str, "NDArray[Any]"]


@dataclass(frozen=True)
class Sampling:
    """The validated section ``generate`` of a sampler, applied to its network.

    Attributes:
        graph: The network, with the outputs that are needed.
        steps: How often it runs.
        count: The input that receives the index of the step; None if there is none.
        begin: What inputs begin with.
        draw: What inputs receive at every step.
        conditions: The inputs that the user gives.
        states: The inputs that receive the output of the same name from the second step on.
        result: The output with the samples.
    """

    graph: Graph
    steps: int
    count: str | None
    begin: Mapping[str, Draw]
    draw: Mapping[str, Draw]
    conditions: tuple[str, ...]
    states: tuple[str, ...]
    result: str

    @property
    def zeros(self) -> tuple[str, ...]:
        """The inputs that begin with zeros."""
        return tuple(name for name in self.states if name not in self.begin and name not in self.conditions)

    @property
    def inputs(self) -> dict[str, TensorType]:
        """What one run reads: all random values and conditions. Values of every step have an axis of steps."""
        found = {}
        for name, type_ in self.graph.inputs.items():
            if name in self.draw and self.steps > 1:
                found[name] = replace(type_, shape=(self.steps, *type_.shape))
            elif name != self.count and name not in self.zeros:
                found[name] = type_
        return found

    def sizes(self, name: str) -> tuple[int, ...]:
        """The shape of the random values of an input."""
        return _numbers(self.inputs[name])

    @property
    def type(self) -> TensorType:
        """The type of a sample."""
        return self.graph.output_types[self.result]

    def started(self, inputs: Arrays) -> dict[str, NDArray[Any]]:
        """What the first step reads, without the index and the values of every step."""
        size = len(next(iter(inputs.values())))
        zeros = {name: self.graph.inputs[name] for name in self.zeros}
        empty = {name: np.zeros((size, *_numbers(type_)), type_.dtype) for name, type_ in zeros.items()}
        return {**{name: array for name, array in inputs.items() if name not in self.draw}, **empty}

    def at(self, step: int, inputs: Arrays, state: Arrays) -> dict[str, NDArray[Any]]:
        """What a step reads.

        Args:
            step: Its index.
            inputs: The random values and conditions.
            state: What the step before returned, or [`started`][] at first.
        """
        found = {**state, **{name: inputs[name][:, step] if self.steps > 1 else inputs[name] for name in self.draw}}
        if self.count is not None:
            size = len(next(iter(inputs.values())))
            found[self.count] = np.full((size,), step, self.graph.inputs[self.count].dtype)
        return found

    def repeated(self, run: Callable[[Arrays], Arrays]) -> Callable[[Arrays], dict[str, NDArray[Any]]]:
        """Return the sampler of a network: from random values and conditions to samples.

        Args:
            run: Runs the network once.
        """

        def sample(inputs: Arrays) -> dict[str, NDArray[Any]]:
            state = self.started(inputs)
            outputs: Arrays = {}
            for step in range(self.steps):
                outputs = run(self.at(step, inputs, state))
                state = {**state, **{name: outputs[name] for name in self.states}}
            return {self.result: outputs[self.result]}

        return sample


def _numbers(type_: TensorType) -> tuple[int, ...]:
    """The sizes of a type without free sizes."""
    sizes = tuple(size for size in type_.shape if isinstance(size, int))
    assert len(sizes) == type_.rank
    return sizes
