"""Steps on JAX: the learner as a pure function of its variables, with many steps in one compiled loop."""

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
from nnspec.training.backends.sharing import Sharing
from nnspec.training.loop.backend import Rows, StepResult
from nnspec.training.loop.learner import Batch, Learner, Tensors, Update
from nnspec.training.loop.prefetch import Prefetcher
from nnspec.training.processes.group import reported

_MOST_STEPS = 512
"""The most steps of a compiled call, which takes their number as an argument."""

State = tuple[list[Any], list[list[Any]]]
"""The values of all variables except those of optimizers, and the values of each optimizer."""

Step = Callable[[Batch, State], tuple[State, Any]]
"""Maps a batch and the state to the new state and the loss."""


class JaxSteps:
    """Steps on JAX.

    Args:
        learner: The learner.
        resident_bytes: The largest size of examples that are kept on the device. Larger ones are sent step by step.
        sharing: How several devices share each batch; None for one device.
    """

    def __init__(self, learner: Learner, *, resident_bytes: int = 2**31, sharing: Sharing | None = None) -> None:
        self._learner = learner
        self._resident_bytes = resident_bytes
        self._sharing = sharing
        self._prefetcher = Prefetcher(None if sharing is None else sharing.rows)
        metrics = [variable for metric in learner.metrics for variable in metric.variables]
        every = [*learner.variables, *metrics, *learner.random_variables]
        self._variables = list({id(variable): variable for variable in every}.values())
        self._on_device: dict[int, tuple[Any, Any]] = {}
        for group in learner.trainable:
            group.optimizer.build(group.variables)
        if sharing is not None:
            sharing.prepare(learner.models)
            sharing.prepare_random([] if learner.augmenter is None else learner.augmenter.layers)
        self._compiled: dict[tuple[str, bool], Callable[..., Any]] = {}

    def train(self, examples: Examples, rows: Rows) -> StepResult:
        return self._run(self._step, examples, rows)

    def validate(self, examples: Examples, rows: Rows) -> None:
        self._run(self._validate_step, examples, rows)

    def prepare(self, examples: Examples, rows: Rows) -> None:
        if not self._is_resident(examples):
            self._prefetcher.submit(examples, rows)

    def _is_resident(self, examples: Examples) -> bool:
        return examples.is_resident(self._resident_bytes)

    def _function(self, step: Step, *, shares: bool = False) -> Callable[..., Any]:
        """The compiled function that runs steps.

        Args:
            step: The step.
            shares: Whether each device is given its share of a batch, rather than all examples.
        """
        key = step.__name__, shares
        if key not in self._compiled:
            # On a CPU, XLA computes convolutions inside a loop four times slower than outside.
            repeat = _one_by_one if jax.default_backend() == "cpu" else _in_one_call
            self._compiled[key] = repeat(partial(_taken, step, self._sharing, shares), self._over(shares))
        return self._compiled[key]

    def _over(self, shares: bool) -> Callable[..., Any]:
        """Compiles a function of examples, rows and the state, and of the number of steps if it takes it."""
        if self._sharing is None:
            compiled: Callable[..., Any] = jax.jit
            return compiled
        over = self._sharing.over
        return lambda function, *more: jax.jit(over(function, [shares, False, False, *(False for _ in more)]))

    def _run(self, step: Step, examples: Examples, rows: Rows) -> StepResult:
        if not self._is_resident(examples):
            return self._from_host(step, examples, rows)
        function = self._function(step)
        completed, loss, before = 0, float("nan"), float("nan")
        groups = tuple(self._put(batch) for batch in (examples.inputs, examples.targets, examples.weights))
        for start in range(0, len(rows), _MOST_STEPS):
            part = rows[start : start + _MOST_STEPS]
            padded = np.zeros((_MOST_STEPS, rows.shape[1]), np.int32)
            padded[: len(part)] = examples.rows[part]
            done, loss, before = self._call(function, groups, padded, len(part))
            completed += done
            if done < len(part):
                break
        return StepResult(completed, loss, before)

    def _from_host(self, step: Step, examples: Examples, rows: Rows) -> StepResult:
        loss = before = float("nan")
        batch = self._prefetcher.take(examples, rows)
        size = len(next(iter(batch.inputs.values()))) // len(rows)
        shares = self._sharing is not None and self._sharing.divides(rows.shape[1])
        function = self._function(step, shares=shares)
        for i in range(len(rows)):
            part = slice(i * size, (i + 1) * size)
            tensors = (batch.inputs, batch.targets, batch.weights)
            groups = tuple(
                {name: self._placed(array[part], share=shares) for name, array in group.items()} for group in tensors
            )
            before = loss
            _, loss, _ = self._call(function, groups, np.arange(rows.shape[1], dtype=np.int32)[None], 1)
            if not np.isfinite(loss):
                return StepResult(i + 1, loss, before)
        return StepResult(len(rows), loss, before)

    def _call(self, function: Callable[..., Any], groups: Any, rows: NDArray[np.int32], count: int) -> tuple[int, float, float]:
        optimizers = [group.optimizer.variables for group in self._learner.trainable]
        groups_of = [self._variables, *optimizers]
        values, *own = ([self._placed(variable.value) for variable in variables] for variables in groups_of)
        with reported():
            done, (values, own), loss, before = function(groups, rows, count, (values, own))
        for variables, found in zip(groups_of, [values, *own], strict=True):
            for variable, value in zip(variables, found, strict=True):
                variable.assign(value if self._sharing is None else self._sharing.local(value))
        return int(done), float(loss), float(before)

    def _placed(self, array: Any, *, share: bool = False) -> Any:
        return array if self._sharing is None else self._sharing.place(array, share=share)

    def _step(self, batch: Batch, state: State) -> tuple[State, Any]:
        values, own = state[0], list(state[1])
        with self._scope(values) as scope:
            batch = self._augmented(batch)
        values = self._current_values(scope)
        total = jnp.float32(0.0)
        for update in self._learner.updates(batch):
            at = self._learner.trainable.index(update.group)
            values, own[at], loss = self._update(update, values, own[at])
            total += loss
        with self._scope(values) as scope:
            self._learner.after_step()
        return (self._current_values(scope), own), total

    def _augmented(self, batch: Batch) -> Batch:
        """The batch after its augmentations, which each device applies to its share unless they combine examples."""
        augmenter, augmented = self._learner.augmenter, self._learner.augmented
        if self._sharing is None or augmenter is None or augmenter.mixes:
            return augmented(batch)
        whole: Batch = self._sharing.each(augmented, batch)
        return whole

    def _update(self, update: Update, values: list[Any], own: list[Any]) -> tuple[list[Any], list[Any], Any]:
        """Computes one update: the new values of all variables and of the optimizer, and the loss."""
        trained = [id(variable) for variable in update.group.variables]
        named = dict(zip(map(id, self._variables), values, strict=True))
        trainable = [named.pop(name) for name in trained]

        def loss_of(trainable: list[Any], others: dict[int, Any]) -> Any:
            """The scaled loss; and the loss with all changed variables: metrics, moving averages, random states."""
            now = {**others, **dict(zip(trained, trainable, strict=True))}
            with self._scope(
                [now[id(variable)] for variable in self._variables], update.group.optimizer.variables, own
            ) as scope:
                loss = update.loss(update.batch)
                scaled = update.group.optimizer.scale_loss(loss)
            return scaled, (jnp.asarray(loss).astype("float32"), self._current_values(scope))

        (_, (loss, values)), gradients = jax.value_and_grad(loss_of, has_aux=True)(trainable, named)
        trainable, own = update.group.optimizer.stateless_apply(own, gradients, trainable)
        changed = dict(zip(trained, trainable, strict=True))
        return [changed.get(id(v), value) for v, value in zip(self._variables, values, strict=True)], list(own), loss

    def _validate_step(self, batch: Batch, state: State) -> tuple[State, Any]:
        with self._scope(state[0]) as scope:
            loss = self._learner.validate(batch)
        # Validation does not stop if a loss is not finite.
        return (self._current_values(scope), state[1]), jnp.where(jnp.isfinite(loss), jnp.asarray(loss).astype("float32"), 0.0)

    def _scope(self, values: Sequence[Any], others: Sequence[Any] = (), own: Sequence[Any] = ()) -> keras.StatelessScope:
        """A scope in which variables have the given values, and their changes are recorded."""
        mapping = [*zip(self._variables, values, strict=True), *zip(others, own, strict=True)]
        return keras.StatelessScope(state_mapping=mapping, collect_losses=True)

    def _current_values(self, scope: keras.StatelessScope) -> list[Any]:
        return [scope.get_current_value(variable) for variable in self._variables]

    def _put(self, batch: Mapping[str, Any]) -> Tensors:
        """Moves arrays to the device; each array is moved once, also if several splits share it."""
        for array in batch.values():
            if id(array) not in self._on_device:
                self._on_device[id(array)] = (array, jnp.asarray(array) if self._sharing is None else self._placed(array))
        return {name: self._on_device[id(array)][1] for name, array in batch.items()}


def _taken(step: Step, sharing: Sharing | None, shares: bool, groups: Any, rows: Any, state: State) -> tuple[State, Any]:
    """Runs a step on the rows of examples."""
    if sharing is None:
        return step(_rows_of(groups, rows), state)
    with sharing.step():
        if shares:
            batch = jax.tree.map(sharing.whole, groups)
        elif sharing.divides(len(rows)):
            batch = jax.tree.map(sharing.whole, _rows_of(groups, sharing.share(rows)), _rows_of(groups, rows))
        else:
            batch = _rows_of(groups, rows)
        return step(batch, state)


def _rows_of(groups: Any, rows: Any) -> Any:
    return tuple({name: values[rows] for name, values in batch.items()} for batch in groups)


def _one_by_one(taken: Callable[..., tuple[State, Any]], compiled: Callable[..., Any]) -> Callable[..., Any]:
    """As `_in_one_call`, with one call for each step."""
    once = compiled(taken)

    def run(groups: Any, rows: Any, count: int, state: State) -> tuple[int, State, float, float]:
        loss = before = float("nan")
        for i in range(count):
            state, new = once(groups, rows[i], state)
            loss, before = float(new), loss
            if not np.isfinite(loss):
                return i + 1, state, loss, before
        return count, state, loss, before

    return run


def _in_one_call(taken: Callable[..., tuple[State, Any]], compiled: Callable[..., Any]) -> Callable[..., Any]:
    run = compiled(partial(_repeat, taken), "count")
    return lambda groups, rows, count, state: run(groups, rows, state, np.int32(count))


def _repeat(taken: Callable[..., tuple[State, Any]], groups: Any, rows: Any, state: State, count: Any) -> Any:
    """Runs steps until a loss is not finite; returns their number, the state, the last loss and the previous one."""

    def body(carry: Any) -> Any:
        i, state, loss, _ = carry
        state, new = taken(groups, rows[i], state)
        return i + 1, state, new, loss

    def continues(carry: Any) -> Any:
        i, _, loss, _ = carry
        return jnp.logical_and(i < count, jnp.logical_or(i == 0, jnp.isfinite(loss)))

    nan = jnp.float32(jnp.nan)
    return jax.lax.while_loop(continues, body, (jnp.int32(0), state, nan, nan))
