"""The figures of a finished run on examples it was not trained on."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nnspec.data.check import PARTS
from nnspec.data.examples import Examples
from nnspec.data.kinds import DecisionRule, decision_rule
from nnspec.data.lazy import SomeRows
from nnspec.data.plan import display_name
from nnspec.data.prepare import prepare, prepare_part
from nnspec.data.readers.base import Table
from nnspec.data.units import Units
from nnspec.diagnostics import Diagnostic, NnspecError, SpecError
from nnspec.training.batches.cropping import crops_of, middle
from nnspec.training.checks.training import check_training
from nnspec.training.evaluation.output_units import output_units
from nnspec.training.evaluation.predictions import ClassPredictions, NumberPredictions, judged
from nnspec.training.evaluation.report import report_of, reports_text
from nnspec.training.plan import OutputPlan, TrainingPlan
from nnspec.training.run.folder import Run

if TYPE_CHECKING:
    import keras

    from nnspec.training.loop.output_learner import OutputLearner

__all__ = [
    "Evaluated",
    "answers_of",
    "evaluate",
    "evaluated",
    "evaluation_text",
    "examples_of",
    "golden_rows",
    "raw_rows",
    "trained_model",
    "units_of_run",
]


_INPUTS = 2**28
"""About how many bytes of examples are answered at a time."""


@dataclass(frozen=True)
class Evaluated:
    """A run's answers to one part of its data.

    Attributes:
        plan: What was trained and how.
        model: The model, with the best weights.
        part: Which part: `train`, `validation` or `test`.
        examples: Its examples.
        figures: The losses and metrics, by the names they are logged under.
        answers: What the model gave, by output; none where no output can be judged by them.
        judged: The answers that can be held against targets, by output; numbers are in the units of the data.
        transformed: The outputs whose targets were transformed, so that losses are not in the units of the data.
    """

    plan: TrainingPlan
    model: keras.Model
    part: str
    examples: Examples
    figures: dict[str, Any]
    answers: Mapping[str, NDArray[Any]]
    judged: Mapping[str, ClassPredictions | NumberPredictions]
    transformed: tuple[str, ...] = ()


def evaluate(run: Run | str | Path, *, part: str | None = None, curves: bool = False) -> dict[str, Any]:
    """The losses, metrics and the figures of each output of a run's best weights.

    Args:
        run: The run, or its folder.
        part: `train`, `validation` or `test`; by default the test data, or the validation part where there are none.
        curves: Whether the points of the ROC and precision–recall curves are wanted too.

    Returns:
        ``data`` (the part), ``rows``, the figures by the names they are logged under, and ``outputs``: for each output a
        report. Metrics and reports are in the units of the data; losses are as trained, and ``transformed_targets`` lists
        the outputs whose targets were transformed, if there are any. Plain JSON values.

    Raises:
        SpecError: Where the data cannot be used.
        NnspecError: Where the run or its data are not what they were.
    """
    found = evaluated(run if isinstance(run, Run) else Run.open(run), part=part)
    reports = {name: report_of(answers, curves=curves) for name, answers in found.judged.items()}
    transformed = {"transformed_targets": list(found.transformed)} if found.transformed else {}
    return {"data": found.part, "rows": len(found.examples), **found.figures, **transformed, "outputs": reports}


def evaluated(run: Run, *, part: str | None = None, most: int | None = None) -> Evaluated:
    """The same before anything is computed of it: the examples and the answers to them.

    Args:
        run: The run.
        part: As in [`evaluate`][nnspec.training.evaluation.evaluate.evaluate].
        most: How many examples are answered at most, spread evenly over the part.
    """
    import keras

    from nnspec.training.backends.selection import machine, steps_for
    from nnspec.training.batches.transforms import batch_transforms
    from nnspec.training.loop.loop import watch
    from nnspec.training.loop.output_learner import OutputLearner

    run.main  # noqa: B018 (it says so where a run has no such figures)
    machine()
    plan = _plan(run, _wanted(part))
    part, examples = _examples(run, plan, part)
    if most is not None and len(examples) > most:
        examples = examples.only(np.linspace(0, len(examples) - 1, most).astype(np.int64))
    model = trained_model(run)
    crops = crops_of(plan.data)
    units = output_units(plan.outputs, plan.target_sources, run.transforms())
    objective = OutputLearner(model, plan.outputs, changes=batch_transforms(plan, model), crops=crops, units=units)
    first = examples.batch(slice(0, 1))
    objective.build(first.inputs, first.targets)
    steps = steps_for(keras.backend.backend(), objective)
    figures = watch(steps, objective, examples, plan.section.batch_size)
    judged_ = [output for output in plan.outputs.values() if _is_judged(plan, output)]
    answers = _answers(objective, examples, plan.section.batch_size) if judged_ else {}
    classes = run.classes()
    held = {}
    for output in judged_:
        name, crop = output.name, crops.get(output.name, 0)
        found = _judged(output, examples, answers[name], classes.get(name), crop, units.get(name))
        if found is not None:
            held[name] = found
        if isinstance(found, NumberPredictions) and name in units and units[name].labels:
            figures |= _metrics_of(output, found)
    return Evaluated(plan, model, part, examples, figures, answers, held, tuple(units))


def _metrics_of(output: OutputPlan, found: NumberPredictions) -> dict[str, Any]:
    """The metrics of an output whose units differ between series, which batches do not know."""
    from nnspec.training.catalogue.keras_objects import keras_metric

    figures = {}
    for name, metric in output.metrics.items():
        made = keras_metric(metric, name)
        made.update_state(found.true.astype(np.float32), found.said.astype(np.float32))
        figures[name] = np.asarray(made.result()).tolist()
    return figures


def evaluation_text(figures: dict[str, Any]) -> str:
    """The figures as a person reads them."""
    lines = [f"{figures['rows']:,} examples of the {display_name(figures['data'])} data"]
    if figures["data"] != "test":
        lines[0] += " (the spec names no test data)"
    transformed = figures.get("transformed_targets", ())
    shown = {name: value for name, value in figures.items() if name not in ("data", "rows", "outputs", "transformed_targets")}
    width = max(map(len, shown), default=0)
    for name, value in shown.items():
        text = f"{value:.4f}" if isinstance(value, float) else ", ".join(f"{v:.4f}" for v in np.ravel(value))
        if (name == "loss" and transformed) or name in {f"{output}_loss" for output in transformed}:
            text += "  (as trained, of transformed targets)"
        lines.append(f"  {name:<{width}}  {text}")
    if transformed:
        lines.append("  metrics and errors are in the units of the data")
    return "\n".join([*lines, *reports_text(figures["outputs"])])


def units_of_run(run: Run) -> dict[str, Units]:
    """How the outputs of a run that predict numbers come back to the units of the data, if those are others."""
    plan = _plan(run, parts=())
    return output_units(plan.outputs, plan.target_sources, run.transforms())


def answers_of(run: Run) -> dict[str, DecisionRule]:
    """How the values of each output of a run are to be read, by the loss it was trained with."""
    losses = {name: output.loss for name, output in _plan(run, parts=()).outputs.items() if output.loss is not None}
    return {name: decision_rule(loss.target_kind(), logits=loss.expected() == "logits") for name, loss in losses.items()}


def examples_of(run: Run, part: str | None = None) -> tuple[str, Examples]:
    """Examples of a run's data, transformed as for its training.

    Args:
        run: The run.
        part: `train`, `validation` or `test`; by default the first there is of test, validation and train.

    Returns:
        Which part it is, and the examples.
    """
    return _examples(run, _plan(run, _wanted(part)), part)


def golden_rows(run: Run, count: int) -> tuple[Table, dict[str, NDArray[Any]]]:
    """A few real examples of a run: what an exported model is compared on.

    They are training examples if those are still there, so that an export does not depend on the test data.

    Returns:
        Their rows as they are in the data, and the inputs made of them, by name, each with the batch axis first.

    Raises:
        NnspecError: If none of the run's data can be read any more.
    """
    failure: NnspecError | SpecError | None = None
    for part in ("train", "validation", "test"):
        try:
            plan = _plan(run, parts=(part,))
            if plan.data is not None and part in plan.data.sources:
                _require_files(plan, part)
                examples = prepare_part(plan.data, part, run.transforms())
                return _raw(plan, part, examples.only(slice(0, count)))
        except (NnspecError, SpecError) as error:
            failure = failure or error
    assert failure is not None
    raise failure


def raw_rows(run: Run, part: str | None = None) -> tuple[Table, dict[str, NDArray[Any]]]:
    """The examples that [`examples_of`][nnspec.training.evaluation.evaluate.examples_of] gives, as rows of the data too.

    Args:
        run: The run.
        part: As there.

    Returns:
        Their rows as they are in the data, and the inputs made of them, by name, each with the batch axis first.
    """
    plan = _plan(run, _wanted(part))
    part, examples = _examples(run, plan, part)
    return _raw(plan, part, examples)


def _raw(plan: TrainingPlan, part: str, examples: Examples) -> tuple[Table, dict[str, NDArray[Any]]]:
    assert plan.data is not None
    sources = plan.data.sources
    source = sources[part if part in sources else "train"]
    assert source.files is not None
    return SomeRows(source.reader.open(source.files), examples.rows), dict(examples.batch(slice(None)).inputs)


def trained_model(run: Run) -> keras.Model:
    """The Keras model of a run, with its best weights."""
    from nnspec.keras_backend import set_weight_arrays, to_keras

    graph = run.main
    model = to_keras(graph, seed=int(run.info["seed"]))
    set_weight_arrays(model, graph, run.weights())
    return model


def _answers(objective: OutputLearner, examples: Examples, batch_size: int) -> dict[str, NDArray[Any]]:
    """The outputs of an objective's model to what its figures are of; what memory does not hold is read some at a time."""
    objective.reset()
    a_row = examples.bytes // len(next(iter(examples.inputs.values())))
    step = batch_size * max(1, _INPUTS // max(a_row * batch_size, 1))
    parts = [
        objective.model.predict(_seen(objective, examples, start, start + step, batch_size), batch_size=batch_size, verbose=0)
        for start in range(0, len(examples), step)
    ]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _seen(objective: OutputLearner, examples: Examples, start: int, end: int, batch_size: int) -> dict[str, NDArray[Any]]:
    """What the model sees of some examples, drawn batch by batch as for the figures."""
    if not objective.changes:
        return dict(examples.batch(slice(start, end)).inputs)
    parts = []
    for first in range(start, min(end, len(examples)), batch_size):
        batch = examples.batch(slice(first, first + batch_size))
        parts.append(objective.seen(batch.inputs, batch.targets, training=False)[0])
    return {name: np.concatenate([np.asarray(part[name]) for part in parts]) for name in parts[0]}


def _plan(run: Run, parts: Collection[str] = PARTS) -> TrainingPlan:
    """The plan of a run, with those of its sets of data that are wanted; the others are not looked at."""
    problems: list[Diagnostic] = []
    plan = check_training(run.spec, run.model, problems, parts=parts)
    if plan is None or plan.data is None:
        raise SpecError(problems)
    return plan


def _wanted(part: str | None) -> Collection[str]:
    """The sets of data that are looked at for one of them."""
    return PARTS if part in (None, "test") else ("train", "validation")


def _examples(run: Run, plan: TrainingPlan, part: str | None) -> tuple[str, Examples]:
    data = plan.data
    assert data is not None
    if part is None:
        part = "test" if data.tests else "validation" if data.validates else "train"
    if part == "test" and not data.tests:
        raise NnspecError("the spec names no test data\n  = help: write `test: …` under `data`")
    if part == "validation" and not data.validates:
        raise NnspecError("the spec names no validation data\n  = help: write `validation: 0.1` under `data`")
    if part in data.sources and not (part == "train" and data.draws):
        _require_files(plan, part)
        return part, prepare_part(data, part, run.transforms())
    # The part is a draw from the training data.
    _require_files(plan, "train")
    prepared = prepare(replace(data, sources={"train": data.sources["train"]}), plan.section.seed)
    if prepared.fingerprints["train"].whole != run.info["data"]["fingerprints"].get("train"):
        raise NnspecError(f"the training data changed since the run: the {display_name(part)} part of them is another")
    examples = {"train": prepared.train, "validation": prepared.validation, "test": prepared.test}[part]
    assert examples is not None
    return part, examples


def _require_files(plan: TrainingPlan, part: str) -> None:
    assert plan.data is not None
    source = plan.data.sources[part]
    if source.files is None:
        named = ", ".join(f"`{text}`" for text in source.reader.named_paths().values())
        raise NnspecError(f"{source.span}: the {display_name(part)} data are not there: {named}")


def _is_judged(plan: TrainingPlan, output: OutputPlan) -> bool:
    """Whether its answers can be held against targets one by one. Of tokens there are too many: their figures say it."""
    source = plan.target_sources.get(output.name)
    return output.needs_target and output.type.mask is None and (source is None or source.is_scored)


def _judged(
    output: OutputPlan,
    examples: Examples,
    answer: NDArray[Any],
    classes: list[Any] | None,
    crop: int,
    units: Units | None,
) -> ClassPredictions | NumberPredictions | None:
    assert output.loss is not None
    axis = getattr(output.loss, "axis", -1)
    kind = output.loss.target_kind()
    assert kind is not None
    found = judged(
        kind,
        middle(examples.targets[output.name][examples.rows], crop),
        np.asarray(answer, np.float32),
        axis=axis if isinstance(axis, int) else -1,
        logits=output.loss.expected() == "logits",
        ignore=getattr(output.loss, "ignore_class", None),
        classes=classes,
    )
    if units is None or not isinstance(found, NumberPredictions):
        return found
    return NumberPredictions(*(units.to_data(values, examples.own_series) for values in (found.true, found.said)))
