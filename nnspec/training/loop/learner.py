"""What learns, and what a step of it does: what an objective is to the loop and to the backends."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

__all__ = ["Group", "Learner", "Side", "Tensors", "Turn", "averaged_weights", "part_of"]

Tensors = Mapping[str, Any]
Group = tuple[Tensors, Tensors, Tensors]
"""Inputs, targets and weights of a batch."""


@dataclass(frozen=True, eq=False)
class Side:
    """Weights that change together.

    Attributes:
        network: The network they are of.
        variables: The weights that train.
        optimizer: How they change.
    """

    network: str
    variables: Sequence[Any]
    optimizer: Any

    @property
    def inner(self) -> Any:
        """The optimizer whose learning rate it is: the one inside, where the loss is scaled."""
        return getattr(self.optimizer, "inner_optimizer", self.optimizer)


@dataclass(frozen=True, eq=False)
class Turn:
    """One change of a side's weights.

    Attributes:
        side: Whose.
        loss: What is made small, of a batch or of a part of one; it adds to the figures.
        group: The batch.
    """

    side: Side
    loss: Callable[[Group], Any]
    group: Group


class Learner(Protocol):
    """What learns: ordinary stateful Keras code, which every backend runs.

    Attributes:
        sides: What trains, each with its optimizer.
        batches: How many times ``batch_size`` examples a step takes.
    """

    sides: Sequence[Side]
    batches: int

    @property
    def variables(self) -> Sequence[Any]:
        """Every variable of its networks."""

    @property
    def metrics(self) -> list[Any]:
        """The Keras metrics that hold the figures."""

    @property
    def random_variables(self) -> list[Any]:
        """The states of what is drawn outside the networks."""

    def augmented(self, group: Group) -> Group:
        """What a training step sees of a batch."""

    def turns(self, group: Group) -> Sequence[Turn]:
        """What a step does with a batch, in order. It reads no variable and changes none."""

    def watch(self, group: Group) -> Any:
        """Adds a batch that is not trained on to the figures; its loss."""

    def reset(self) -> None:
        """Begins the figures anew."""

    def figures(self) -> dict[str, Any]:
        """The figures so far: numbers, or lists of numbers where a metric has several."""


def part_of(group: Group, start: int, stop: int) -> Group:
    """Some examples of a batch, by their positions in it."""
    inputs, targets, weights = ({name: tensor[start:stop] for name, tensor in tensors.items()} for tensors in group)
    return inputs, targets, weights


@contextmanager
def averaged_weights(sides: Sequence[Side]) -> Iterator[None]:
    """Puts the moving averages of weights in their place, where the optimizer keeps some, and takes them out again."""
    averaging = [side for side in sides if side.inner.use_ema and side.inner.built]
    kept = [[variable.numpy() for variable in side.variables] for side in averaging]
    for side in averaging:
        # As keras.callbacks.SwapEMAWeights does it: the optimizer has no public name for them.
        for variable, average in zip(side.variables, side.inner._model_variables_moving_average, strict=True):
            variable.assign(average)
    try:
        yield
    finally:
        for side, values in zip(averaging, kept, strict=True):
            for variable, value in zip(side.variables, values, strict=True):
                variable.assign(value)
