"""Trains a spec into a run folder."""

from __future__ import annotations

import math
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nnspec.data.prepare import Prepared, prepare
from nnspec.diagnostics import Diagnostic, NnspecError, SpecError
from nnspec.files import write_whole
from nnspec.graph import compile
from nnspec.spec import Spec
from nnspec.spec.ignores import silence
from nnspec.training.check import check_training
from nnspec.training.new_run import begin, now, place_for
from nnspec.training.plan import TrainingPlan
from nnspec.training.progress import Progress, progress_for
from nnspec.training.run import Run
from nnspec.training.starting import starting_arrays

__all__ = ["train"]


def train(
    spec: Spec,
    *,
    out: str | Path | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Run:
    """Trains a spec as its sections ``train`` and ``data`` say.

    Ctrl-C stops after the step; the best weights so far are kept, or the last where no epoch has ended.

    Args:
        spec: The spec.
        out: The run folder; by default ``runs/NAME/TIME``.
        overwrite: Whether a run that is at ``out`` is replaced.
        progress: Shows how it goes; by default on standard error.

    Returns:
        The run, with the best weights.

    Raises:
        SpecError: Where the spec or its data have errors; nothing has been trained or written then.
        NnspecError: Where the run cannot be written, or the loss is no longer finite.
    """
    problems: list[Diagnostic] = []
    model = compile(spec)
    plan = check_training(spec, model, problems, require_data=True)
    if plan is None or plan.data is None:
        raise SpecError(problems)
    path = place_for(spec, Path(out) if out is not None else None, overwrite=overwrite)
    prepared = prepare(plan.data, plan.section.seed)
    shown = progress or progress_for()
    for warning in silence([*model.diagnostics, *problems, *prepared.warnings]):
        shown.say(f"{warning.span}: {warning.severity}[{warning.code}]: {warning.message}")
    return _Training(spec, plan, prepared, path, shown).run()


class _Training:
    def __init__(self, spec: Spec, plan: TrainingPlan, prepared: Prepared, path: Path, progress: Progress) -> None:
        # Keras takes seconds to load; whoever has errors in the data learns of them before.
        import keras

        from nnspec.keras_backend import set_weight_arrays, to_keras, weight_arrays
        from nnspec.training.adapting import adapt
        from nnspec.training.backend import machine, steps_for
        from nnspec.training.class_weights import class_weights
        from nnspec.training.objects import keras_optimizer
        from nnspec.training.supervised import Supervised

        self._plan, self._prepared, self._progress = plan, prepared, progress
        self._machine = machine()
        with _precision(plan.section.precision):
            self._model = to_keras(plan.graph, seed=plan.section.seed)
        if started := starting_arrays(spec, plan.graph):
            set_weight_arrays(self._model, plan.graph, {**weight_arrays(self._model, plan.graph), **started})
        adapt(self._model, plan, prepared.train)
        weights = class_weights(plan, prepared.train, prepared.state)
        augmenter = self._augmenter()
        self._objective = Supervised(self._model, plan.outputs, weights, augmenter)
        self._optimizer = keras_optimizer(plan.section)
        first = prepared.train.batch(slice(0, 1))
        self._objective.build(first.inputs, first.targets)
        self._steps = steps_for(keras.backend.backend(), self._objective, self._optimizer)
        self._run = begin(path, spec, plan, prepared, self._machine)
        self._records: list[dict[str, Any]] = []

    def _augmenter(self) -> Any:
        from nnspec.training.augmenter import Augmenter, outside_range

        data = self._plan.data
        if data is None or not data.augment:
            return None
        for warning in silence([*outside_range(data, self._prepared.train)]):
            self._progress.say(f"{warning.span}: {warning.severity}[{warning.code}]: {warning.message}")
        return Augmenter(data.augment, data.needs, self._plan.section.seed)

    def run(self) -> Run:
        import json

        from nnspec.training.loop import Loop
        from nnspec.training.steps import averaged_weights

        section = self._plan.section
        write_whole(self._run.path / "transforms.json", (json.dumps(self._prepared.state, indent=1) + "\n").encode())
        a_epoch = math.ceil(len(self._prepared.train) / section.batch_size)
        with _interruptible() as interrupted:
            loop = Loop(
                steps=self._steps,
                objective=self._objective,
                train=self._prepared.train,
                validation=self._prepared.validation,
                batch_size=section.batch_size,
                last_step=section.steps or (section.epochs or 1) * a_epoch,
                seed=section.seed,
                monitor=self._plan.monitor,
                stopping=section.early_stopping,
                evaluating=lambda: averaged_weights(self._objective, self._optimizer),
                keep=self._keep,
                log=self._log,
                progress=self._progress,
                interrupted=interrupted,
            )
            try:
                status = loop.run()
                reason = ""
            except NnspecError as error:
                self._end("failed", loop, str(error))
                raise NnspecError(f"{error}\nthe run is at {self._run.path}{self._kept(loop)}") from None
            except BaseException:
                self._end("failed", loop, "it broke off")
                raise
            finally:
                self._progress.end()
            if not loop.position.best_epoch:
                with averaged_weights(self._objective, self._optimizer):
                    self._keep()
                reason = "no epoch had ended: these are the last weights"
            return self._end(status, loop, reason)

    def _keep(self) -> None:
        from nnspec.keras_backend import weight_arrays

        self._run.write_weights(weight_arrays(self._model, self._plan.graph))

    def _log(self, record: dict[str, Any]) -> None:
        self._records.append(record)
        self._run.write_metrics(self._records)

    def _kept(self, loop: Any) -> str:
        best = loop.position.best_epoch
        return f", with the weights of epoch {best}" if best else "; no epoch had ended, and no weights were kept"

    def _end(self, status: str, loop: Any, reason: str) -> Run:
        at = loop.position
        best = None
        if at.best_epoch:
            best = {"monitor": self._plan.monitor.name, "value": at.best, "epoch": at.best_epoch}
            best["figures"] = self._records[at.best_epoch - 1]
        self._run = self._run.write_info(
            status=status, reason=reason, ended=now(), seconds=round(at.seconds, 3), epochs=at.epoch, steps=at.step, best=best
        )
        if self._records:
            from nnspec.training.curves import curves

            write_whole(self._run.path / "curves.png", curves(self._records, self._run.name, at.best_epoch))
        if status == "interrupted":
            where = f"after step {at.step:,}, with {at.epoch} epochs finished"
            self._progress.say(f"interrupted {where}; the run is at {self._run.path}{self._kept(loop)}")
        elif status == "stopped early":
            monitor = self._plan.monitor.name
            self._progress.say(
                f"stopped early: `{monitor}` was best in epoch {at.best_epoch} ({at.best:.4g}); its weights are kept"
            )
        return self._run


@contextmanager
def _precision(policy: str) -> Iterator[None]:
    """What layers compute in while a model is built."""
    import keras

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


@contextmanager
def _interruptible() -> Iterator[Any]:
    """Notes Ctrl-C for the loop to see after the step; a second Ctrl-C breaks off at once."""
    pressed = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield pressed.is_set
        return
    before = signal.getsignal(signal.SIGINT)

    def note(number: int, frame: Any) -> None:
        del number, frame
        pressed.set()
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, note)
    try:
        yield pressed.is_set
    finally:
        signal.signal(signal.SIGINT, before)
