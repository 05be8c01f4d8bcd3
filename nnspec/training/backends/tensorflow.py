"""Steps on TensorFlow: many steps in one compiled function, with the data kept on the device."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from nnspec.data.examples import Examples
from nnspec.diagnostics import NnspecError
from nnspec.training.loop.backend import Rows, StepResult
from nnspec.training.loop.learner import Batch, Learner, Tensors, Update, part_of
from nnspec.training.loop.prefetch import Prefetcher


class TensorFlowSteps:
    """Steps on TensorFlow.

    Args:
        learner: The learner.
        resident_bytes: The largest size of examples that are kept on the device. Larger ones are sent a few steps at a time,
            in the same batches and order, so the weights are the same.
        devices: The devices that each compute a part of every batch; empty for one device.
    """

    def __init__(self, learner: Learner, *, resident_bytes: int = 2**31, devices: Sequence[str] = ()) -> None:
        self._learner = learner
        self._resident_bytes = resident_bytes
        self._devices = devices
        self._prefetcher = Prefetcher()
        self._functions: dict[tuple[Any, ...], Callable[..., Any]] = {}
        self._on_device: dict[int, tuple[Any, Any]] = {}
        self._kept: list[Examples] = []
        for group in learner.trainable:
            group.optimizer.build(group.variables)

    def train(self, examples: Examples, rows: Rows) -> StepResult:
        done, loss, before = self._run(self._step, examples, rows)
        return StepResult(int(done), float(loss), float(before))

    def validate(self, examples: Examples, rows: Rows) -> None:
        self._run(self._validate_step, examples, rows)

    def prepare(self, examples: Examples, rows: Rows) -> None:
        if not self._is_resident(examples):
            self._prefetcher.submit(examples, rows)

    def _is_resident(self, examples: Examples) -> bool:
        return examples.is_resident(self._resident_bytes)

    def _step(self, batch: Batch) -> Any:
        inputs, targets, weights = self._learner.augmented(batch)
        losses = []
        for update in self._learner.updates((dict(inputs), dict(targets), dict(weights))):
            loss, gradients = self._gradients(update)
            pairs = [(g, v) for g, v in zip(gradients, update.group.variables, strict=True) if g is not None]
            update.group.optimizer.apply_gradients(pairs)
            losses.append(loss)
        self._learner.after_step()
        return tf.add_n(losses)

    def _gradients(self, update: Update) -> tuple[Any, list[Any]]:
        """The loss and the gradients of an update; several devices compute a part of the batch each."""
        if not self._devices:
            return self._of_part(update, update.batch, 1.0)
        size = next(iter(update.batch[0].values())).shape[0]
        bounds = [size * i // len(self._devices) for i in range(len(self._devices) + 1)]
        found = []
        for device, start, stop in zip(self._devices, bounds, bounds[1:], strict=False):
            if stop > start:
                with tf.device(device):
                    found.append(self._of_part(update, part_of(update.batch, start, stop), (stop - start) / size))
        losses, gradients = zip(*found, strict=True)
        return tf.add_n(losses), [None if parts[0] is None else _sum(parts) for parts in zip(*gradients, strict=True)]

    def _of_part(self, update: Update, batch: Batch, share: float) -> tuple[Any, list[Any]]:
        values = [variable.value for variable in update.group.variables]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(values)
            loss = update.loss(batch)
            loss = loss if share == 1.0 else loss * share
            scaled = update.group.optimizer.scale_loss(loss)
        return tf.cast(loss, tf.float32), tape.gradient(scaled, values)

    def _validate_step(self, batch: Batch) -> Any:
        loss = self._learner.validate(batch)
        # Validation does not stop if a loss is not finite.
        return tf.where(tf.math.is_finite(loss), tf.cast(loss, tf.float32), 0.0)

    def _run(self, step: Callable[[Batch], Any], examples: Examples, rows: Rows) -> Any:
        if not any(kept.inputs is examples.inputs for kept in self._kept):
            self._kept.append(examples)
        try:
            if self._is_resident(examples):
                function = self._function(step, examples, rows.shape[1], self._from_device)
                return function(tf.constant(examples.rows[rows], tf.int64))
            function = self._function(step, examples, rows.shape[1], _from_host)
            batch = self._prefetcher.take(examples, rows)
            shape = rows.shape
            return function(*(_stacked(batch, shape) for batch in (batch.inputs, batch.targets, batch.weights)))
        except tf.errors.OpError as error:
            raise NnspecError(f"TensorFlow could not run a step: {_reason(error)}") from None

    def _function(
        self, step: Callable[[Batch], Any], examples: Examples, size: int, make: Callable[..., Callable[..., Any]]
    ) -> Callable[..., Any]:
        """The compiled function for a batch size; the last batch of an epoch may be smaller."""
        key = (step.__name__, id(examples.inputs), size)
        if key not in self._functions:
            self._functions[key] = make(step, examples, size)
        return self._functions[key]

    def _from_device(self, step: Callable[[Batch], Any], examples: Examples, size: int) -> Callable[..., Any]:
        inputs, targets, weights = (self._put(batch) for batch in (examples.inputs, examples.targets, examples.weights))

        def run(rows: Any) -> Any:
            def take(i: Any) -> Batch:
                return _gathered(inputs, rows[i]), _gathered(targets, rows[i]), _gathered(weights, rows[i])

            return _repeat(step, take, tf.shape(rows)[0])

        return _compiled(run, [tf.TensorSpec([None, size], tf.int64)])

    def _put(self, batch: Mapping[str, Any]) -> Tensors:
        """Moves arrays to the device; each array is moved once, also if several splits share it."""
        for array in batch.values():
            if id(array) not in self._on_device:
                self._on_device[id(array)] = (array, tf.constant(array))
        return {name: self._on_device[id(array)][1] for name, array in batch.items()}


def _from_host(step: Callable[[Batch], Any], examples: Examples, size: int) -> Callable[..., Any]:
    groups = (examples.inputs, examples.targets, examples.weights)
    signature = [
        {name: tf.TensorSpec([None, size, *array.shape[1:]], array.dtype) for name, array in batch.items()} for batch in groups
    ]

    def run(inputs: Tensors, targets: Tensors, weights: Tensors) -> Any:
        def take(i: Any) -> Batch:
            return _at(inputs, i), _at(targets, i), _at(weights, i)

        return _repeat(step, take, tf.shape(next(iter(inputs.values())))[0])

    return _compiled(run, signature)


def _compiled(run: Callable[..., Any], signature: list[Any]) -> Callable[..., Any]:
    # jit_compile halves the speed of convolutions on a CPU.
    compiled: Callable[..., Any] = tf.function(run, input_signature=signature, autograph=False)
    # TensorFlow warns of frequent retracing, because each batch size has its own function.
    compiled._omit_frequent_tracing_warning = True  # type: ignore[attr-defined]
    return compiled


def _repeat(step: Callable[[Batch], Any], take: Callable[[Any], Batch], count: Any) -> Any:
    """Runs steps until a loss is not finite; returns their number, the last loss and the previous one."""

    def body(i: Any, loss: Any, before: Any) -> Any:
        del before
        return i + 1, step(take(i)), loss

    def continues(i: Any, loss: Any, before: Any) -> Any:
        del before
        return tf.logical_and(i < count, tf.logical_or(tf.equal(i, 0), tf.math.is_finite(loss)))

    nan = tf.constant(np.nan, tf.float32)
    return tf.while_loop(continues, body, (tf.constant(0), nan, nan), parallel_iterations=1)


def _sum(parts: Sequence[Any]) -> Any:
    """Sums the gradients of one weight, including sparse ones of embeddings."""
    return tf.add_n([tf.convert_to_tensor(part) for part in parts])


def _gathered(batch: Tensors, rows: Any) -> Tensors:
    return {name: tf.gather(values, rows) for name, values in batch.items()}


def _at(batch: Tensors, i: Any) -> Tensors:
    return {name: values[i] for name, values in batch.items()}


def _stacked(batch: Mapping[str, Any], shape: tuple[int, ...]) -> dict[str, Any]:
    return {name: tf.constant(array.reshape(*shape, *array.shape[1:])) for name, array in batch.items()}


def _reason(error: Any) -> str:
    """The message of an operation, without the trace of the graph."""
    lines = [line.strip() for line in str(error.message).partition("[[{{")[0].splitlines() if line.strip()]
    return lines[-1].removesuffix("(defined at").strip() if lines else type(error).__name__
