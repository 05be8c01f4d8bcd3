"""Steps on JAX: the same learner as a pure function of its variables' values, many steps in one compiled loop."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np
from numpy.typing import NDArray

from nnspec.data.examples import Examples
from nnspec.training.backends.base import Rows, StepResult
from nnspec.training.loop.learner import Batch, Learner, Tensors, Update
from nnspec.training.loop.prefetch import Prefetcher

__all__ = ["JaxSteps"]

_MOST_STEPS = 512
"""Steps that one compiled call can make: it is compiled for this many, and told how many to make."""

State = tuple[list[Any], list[list[Any]]]
"""The values of everything that changes but the optimizers, and those of each side's optimizer."""


class JaxSteps:
    """Steps on JAX.

    Args:
        learner: What learns.
        resident_bytes: The most that a set of examples may take to be put on the device whole. Larger ones are sent a
            step at a time.
    """

    def __init__(self, learner: Learner, *, resident_bytes: int = 2**31) -> None:
        self._learner = learner
        self._resident_bytes = resident_bytes
        self._prefetcher = Prefetcher()
        metrics = [variable for metric in learner.metrics for variable in metric.variables]
        every = [*learner.variables, *metrics, *learner.random_variables]
        self._variables = list({id(variable): variable for variable in every}.values())
        self._on_device: dict[int, tuple[Any, Any]] = {}
        for group in learner.trainable:
            group.optimizer.build(group.variables)
        # On a processor XLA computes convolutions inside a loop four times slower than outside.
        several = _one_by_one if jax.default_backend() == "cpu" else _in_one_call
        self._train = several(self._step)
        self._validate = several(self._validate_step)

    def train(self, examples: Examples, rows: Rows) -> StepResult:
        return self._run(self._train, examples, rows)

    def validate(self, examples: Examples, rows: Rows) -> None:
        self._run(self._validate, examples, rows)

    def prepare(self, examples: Examples, rows: Rows) -> None:
        if not self._is_resident(examples):
            self._prefetcher.submit(examples, rows)

    def _is_resident(self, examples: Examples) -> bool:
        return examples.bytes <= self._resident_bytes

    def _run(self, function: Callable[..., Any], examples: Examples, rows: Rows) -> StepResult:
        if not self._is_resident(examples):
            return self._from_host(function, examples, rows)
        made, loss, before = 0, float("nan"), float("nan")
        groups = tuple(self._put(batch) for batch in (examples.inputs, examples.targets, examples.weights))
        for start in range(0, len(rows), _MOST_STEPS):
            part = rows[start : start + _MOST_STEPS]
            padded = np.zeros((_MOST_STEPS, rows.shape[1]), np.int32)
            padded[: len(part)] = examples.rows[part]
            done, loss, before = self._call(function, groups, padded, len(part))
            made += done
            if done < len(part):
                break
        return StepResult(made, loss, before)

    def _from_host(self, function: Callable[..., Any], examples: Examples, rows: Rows) -> StepResult:
        loss = before = float("nan")
        batch, size = self._prefetcher.take(examples, rows), rows.shape[1]
        for i in range(len(rows)):
            part = slice(i * size, (i + 1) * size)
            made = (batch.inputs, batch.targets, batch.weights)
            groups = tuple({name: array[part] for name, array in batch.items()} for batch in made)
            before = loss
            _, loss, _ = self._call(function, groups, np.arange(size, dtype=np.int32)[None], 1)
            if not np.isfinite(loss):
                return StepResult(i + 1, loss, before)
        return StepResult(len(rows), loss, before)

    def _call(self, function: Callable[..., Any], groups: Any, rows: NDArray[np.int32], count: int) -> tuple[int, float, float]:
        optimizers = [group.optimizer.variables for group in self._learner.trainable]
        state = (_values(self._variables), [_values(variables) for variables in optimizers])
        done, (values, own), loss, before = function(groups, rows, count, state)
        for variables, found in zip([self._variables, *optimizers], [values, *own], strict=True):
            for variable, value in zip(variables, found, strict=True):
                variable.assign(value)
        return int(done), float(loss), float(before)

    def _step(self, batch: Batch, state: State) -> tuple[State, Any]:
        values, own = state[0], list(state[1])
        with self._at(values) as scope:
            batch = self._learner.augmented(batch)
        values = self._now(scope)
        total = jnp.float32(0.0)
        for update in self._learner.updates(batch):
            at = self._learner.trainable.index(update.group)
            values, own[at], loss = self._turn(update, values, own[at])
            total += loss
        return (values, own), total

    def _turn(self, update: Update, values: list[Any], own: list[Any]) -> tuple[list[Any], list[Any], Any]:
        """What one change of a side's weights makes of all values, and of its optimizer's; its loss."""
        trained = [id(variable) for variable in update.group.variables]
        named = dict(zip(map(id, self._variables), values, strict=True))
        trainable = [named.pop(name) for name in trained]

        def loss_of(trainable: list[Any], others: dict[int, Any]) -> Any:
            """The scaled loss; beside it the loss, and what changed on the way: metrics, running averages, random states."""
            now = {**others, **dict(zip(trained, trainable, strict=True))}
            with self._at([now[id(variable)] for variable in self._variables], update.group.optimizer.variables, own) as scope:
                loss = update.loss(update.batch)
                scaled = update.group.optimizer.scale_loss(loss)
            return scaled, (jnp.asarray(loss).astype("float32"), self._now(scope))

        (_, (loss, values)), gradients = jax.value_and_grad(loss_of, has_aux=True)(trainable, named)
        trainable, own = update.group.optimizer.stateless_apply(own, gradients, trainable)
        changed = dict(zip(trained, trainable, strict=True))
        return [changed.get(id(v), value) for v, value in zip(self._variables, values, strict=True)], list(own), loss

    def _validate_step(self, batch: Batch, state: State) -> tuple[State, Any]:
        with self._at(state[0]) as scope:
            loss = self._learner.validate(batch)
        # A loss that is not finite is no reason to stop watching.
        return (self._now(scope), state[1]), jnp.where(jnp.isfinite(loss), jnp.asarray(loss).astype("float32"), 0.0)

    def _at(self, values: Sequence[Any], others: Sequence[Any] = (), own: Sequence[Any] = ()) -> keras.StatelessScope:
        """Where variables have given values, and what they become is found out."""
        mapping = [*zip(self._variables, values, strict=True), *zip(others, own, strict=True)]
        return keras.StatelessScope(state_mapping=mapping, collect_losses=True)

    def _now(self, scope: keras.StatelessScope) -> list[Any]:
        return [scope.get_current_value(variable) for variable in self._variables]

    def _put(self, batch: Mapping[str, Any]) -> Tensors:
        """The arrays on the device; each is put there once, whichever parts of the data share it."""
        for array in batch.values():
            if id(array) not in self._on_device:
                self._on_device[id(array)] = (array, jnp.asarray(array))
        return {name: self._on_device[id(array)][1] for name, array in batch.items()}


def _values(variables: Sequence[Any]) -> list[Any]:
    return [variable.value for variable in variables]


def _taken(groups: Any, rows: Any) -> Any:
    return tuple({name: values[rows] for name, values in batch.items()} for batch in groups)


def _one_by_one(step: Callable[[Batch, State], tuple[State, Any]]) -> Callable[..., Any]:
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


def _in_one_call(step: Callable[[Batch, State], tuple[State, Any]]) -> Callable[..., Any]:
    compiled: Callable[..., Any] = jax.jit(partial(_repeat, step))
    return compiled


def _repeat(step: Callable[[Batch, State], tuple[State, Any]], groups: Batch, rows: Any, count: Any, state: State) -> Any:
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
