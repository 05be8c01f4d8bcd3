"""Steps on JAX: the same objective as a pure function of its variables' values, many steps in one compiled loop."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np
from numpy.typing import NDArray

from nnspec.data.examples import Examples
from nnspec.training.ahead import Ahead
from nnspec.training.steps import Done, Rows
from nnspec.training.supervised import Supervised

__all__ = ["JaxSteps"]

_MOST_STEPS = 512
"""Steps that one compiled call can make: it is compiled for this many, and told how many to make."""

Tensors = dict[str, Any]
Group = tuple[Tensors, Tensors, Tensors]
"""Inputs, targets and weights."""
State = tuple[list[Any], list[Any], list[Any]]
"""The values of what trains, of everything else that changes, and of the optimizer."""


class JaxSteps:
    """Steps on JAX.

    Args:
        objective: What a step makes small.
        optimizer: How.
        resident_bytes: The most that a set of examples may take to be put on the device whole. Larger ones are sent a
            step at a time.
    """

    def __init__(self, objective: Supervised, optimizer: keras.optimizers.Optimizer, *, resident_bytes: int = 2**31) -> None:
        self._objective = objective
        self._optimizer = optimizer
        self._resident_bytes = resident_bytes
        self._ahead = Ahead()
        self._trainable = list(objective.model.trainable_variables)
        metrics = [variable for metric in objective.metrics for variable in metric.variables]
        trained = {id(variable) for variable in self._trainable}
        others = [*objective.model.variables, *metrics, *objective.random_variables]
        self._others = [variable for variable in others if id(variable) not in trained]
        self._on_device: dict[int, tuple[Any, Any]] = {}
        optimizer.build(self._trainable)
        # On a processor XLA computes convolutions inside a loop four times slower than outside.
        several = _one_by_one if jax.default_backend() == "cpu" else _in_one_call
        self._train = several(self._step)
        self._watching = several(self._watch)

    def train(self, examples: Examples, rows: Rows) -> Done:
        return self._run(self._train, examples, rows)

    def watch(self, examples: Examples, rows: Rows) -> None:
        self._run(self._watching, examples, rows)

    def prepare(self, examples: Examples, rows: Rows) -> None:
        if not self._is_resident(examples):
            self._ahead.begin(examples, rows)

    def _is_resident(self, examples: Examples) -> bool:
        return examples.bytes <= self._resident_bytes

    def _run(self, function: Callable[..., Any], examples: Examples, rows: Rows) -> Done:
        if not self._is_resident(examples):
            return self._from_host(function, examples, rows)
        made, loss, before = 0, float("nan"), float("nan")
        groups = tuple(self._put(group) for group in (examples.inputs, examples.targets, examples.weights))
        for start in range(0, len(rows), _MOST_STEPS):
            part = rows[start : start + _MOST_STEPS]
            padded = np.zeros((_MOST_STEPS, rows.shape[1]), np.int32)
            padded[: len(part)] = examples.rows[part]
            done, loss, before = self._call(function, groups, padded, len(part))
            made += done
            if done < len(part):
                break
        return Done(made, loss, before)

    def _from_host(self, function: Callable[..., Any], examples: Examples, rows: Rows) -> Done:
        loss = before = float("nan")
        batch, size = self._ahead.take(examples, rows), rows.shape[1]
        for i in range(len(rows)):
            part = slice(i * size, (i + 1) * size)
            made = (batch.inputs, batch.targets, batch.weights)
            groups = tuple({name: array[part] for name, array in group.items()} for group in made)
            before = loss
            _, loss, _ = self._call(function, groups, np.arange(size, dtype=np.int32)[None], 1)
            if not np.isfinite(loss):
                return Done(i + 1, loss, before)
        return Done(len(rows), loss, before)

    def _call(self, function: Callable[..., Any], groups: Any, rows: NDArray[np.int32], count: int) -> tuple[int, float, float]:
        variables = (self._trainable, self._others, self._optimizer.variables)
        state = tuple([variable.value for variable in group] for group in variables)
        done, state, loss, before = function(groups, rows, count, state)
        for group, values in zip(variables, state, strict=True):
            for variable, value in zip(group, values, strict=True):
                variable.assign(value)
        return int(done), float(loss), float(before)

    def _step(self, group: Group, state: State) -> tuple[State, Any]:
        trainable, others, own = state
        (_, (loss, others)), gradients = jax.value_and_grad(self._loss, has_aux=True)(trainable, others, own, group, True)
        trainable, own = self._optimizer.stateless_apply(own, gradients, trainable)
        return (list(trainable), others, list(own)), loss

    def _watch(self, group: Group, state: State) -> tuple[State, Any]:
        trainable, others, own = state
        _, (loss, others) = self._loss(trainable, others, own, group, False)
        # A loss that is not finite is no reason to stop watching.
        return (trainable, others, own), jnp.where(jnp.isfinite(loss), loss, 0.0)

    def _loss(self, trainable: Any, others: Any, own: Any, group: Group, training: bool) -> Any:
        """The scaled loss; beside it the loss, and what changed on the way: figures, running averages, random states."""
        inputs, targets, weights = group
        values = [*zip(self._trainable, trainable, strict=True), *zip(self._others, others, strict=True)]
        values += zip(self._optimizer.variables, own, strict=True)
        with keras.StatelessScope(state_mapping=values, collect_losses=True) as scope:
            seen = self._objective.augmented(inputs, targets) if training else (inputs, targets)
            loss, outputs = self._objective(*seen, weights, training=training)
            self._objective.update_metrics(outputs, seen[1])
            scaled = self._optimizer.scale_loss(loss)
        return scaled, (jnp.asarray(loss).astype("float32"), [scope.get_current_value(variable) for variable in self._others])

    def _put(self, group: Mapping[str, Any]) -> Tensors:
        """The arrays on the device; each is put there once, whichever parts of the data share it."""
        for array in group.values():
            if id(array) not in self._on_device:
                self._on_device[id(array)] = (array, jnp.asarray(array))
        return {name: self._on_device[id(array)][1] for name, array in group.items()}


def _taken(groups: Any, rows: Any) -> Any:
    return tuple({name: values[rows] for name, values in group.items()} for group in groups)


def _one_by_one(step: Callable[[Group, State], tuple[State, Any]]) -> Callable[..., Any]:
    """As `_in_one_call`, with a call for each step."""
    once = jax.jit(lambda groups, rows, state: step(_taken(groups, rows), state))

    def run(groups: Any, rows: Any, count: int, state: State) -> tuple[int, State, float, float]:
        loss = before = float("nan")
        for i in range(count):
            state, new = once(groups, rows[i], state)
            loss, before = float(new), loss
            if not np.isfinite(loss):
                return i + 1, state, loss, before
        return count, state, loss, before

    return run


def _in_one_call(step: Callable[[Group, State], tuple[State, Any]]) -> Callable[..., Any]:
    compiled: Callable[..., Any] = jax.jit(partial(_repeat, step))
    return compiled


def _repeat(step: Callable[[Group, State], tuple[State, Any]], groups: Group, rows: Any, count: Any, state: State) -> Any:
    """As many steps as are asked for, or until a loss is not finite: how many, the state, the last loss and the one before."""

    def body(carry: Any) -> Any:
        i, state, loss, _ = carry
        state, new = step(_taken(groups, rows[i]), state)
        return i + 1, state, new, loss

    def go_on(carry: Any) -> Any:
        i, _, loss, _ = carry
        return jnp.logical_and(i < count, jnp.logical_or(i == 0, jnp.isfinite(loss)))

    nan = jnp.float32(jnp.nan)
    return jax.lax.while_loop(go_on, body, (jnp.int32(0), state, nan, nan))
