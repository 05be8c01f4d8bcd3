"""Evaluation of a run: predictions and metrics of a split of its data."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nnspec.data.check import PARTS
from nnspec.data.examples import Examples
from nnspec.data.kinds import DataError, DecisionRule, TargetKind, decision_rule
from nnspec.data.lazy import SomeRows
from nnspec.data.plan import display_name
from nnspec.data.prepare import prepare, prepare_part
from nnspec.data.readers.base import Table
from nnspec.data.units import Units
from nnspec.diagnostics import Diagnostic, NnspecError, SpecError
from nnspec.printable import significant
from nnspec.training.batches.cropping import crops_of, middle
from nnspec.training.check import check_training
from nnspec.training.checks.monitors import epoch_metrics
from nnspec.training.checks.split_metrics import annotation_fields
from nnspec.training.evaluation.baselines import UNREADABLE, baselines, number_baselines
from nnspec.training.evaluation.forecasts import Forecasts, forecasts_of
from nnspec.training.evaluation.predictions import ClassPredictions, NumberPredictions, output_units, predictions_from
from nnspec.training.evaluation.report import report_of, reports_text, split_reports_text
from nnspec.training.plan import OutputPlan, TrainingPlan, added_weights
from nnspec.training.run.folder import Run

if TYPE_CHECKING:
    import keras

    from nnspec.graph import Graph
    from nnspec.training.loop.output_learner import OutputLearner

_NOT_METRICS = ("data", "rows", "outputs", "transformed_targets", "splits")
_INPUTS = 2**28
"""The approximate number of bytes of examples that are predicted at a time."""


@dataclass(frozen=True)
class Evaluation:
    """The predictions and metrics of a run on one split of its data.

    Attributes:
        plan: The training plan.
        model: The model, with the best weights.
        part: The split: `train`, `validation` or `test`.
        examples: Its examples.
        metrics: The losses and metrics, by their names in the log.
        outputs: The outputs of the model; empty if none is compared with targets.
        predictions: The predictions with their targets, by output; numbers are in the units of the data.
        transformed: The outputs whose targets were transformed, so that losses are not in the units of the data.
        splits: The reports of the metrics of the whole split, by the name of the metric.
    """

    plan: TrainingPlan
    model: keras.Model
    part: str
    examples: Examples
    metrics: dict[str, Any]
    outputs: Mapping[str, NDArray[Any]]
    predictions: Mapping[str, ClassPredictions | NumberPredictions]
    transformed: tuple[str, ...] = ()
    splits: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def table(self) -> Table | None:
        """The raw rows, which the examples' rows are indices of; None if they can no longer be read."""
        data = self.plan.data
        if data is None:
            return None
        source = data.sources.get(self.part) or data.sources["train"]
        try:
            return source.reader.open(source.files) if source.files is not None else None
        except DataError:
            return None

    def forecasts(self, output: str) -> Forecasts | None:
        """The forecasts of an output of numbers; None if it forecasts no series."""
        predictions = self.predictions[output]
        assert isinstance(predictions, NumberPredictions)
        feeds = (self.plan.data.feeds or {}) if self.plan.data is not None else {}
        return forecasts_of(feeds, self.table, output, predictions, self.examples.rows)


def evaluate(
    run: Run | str | Path, *, data: Any = None, part: str | None = None, curves: bool = False, compare: bool = True
) -> dict[str, Any]:
    """Evaluates the best weights of a run.

    Args:
        run: The run, or its folder.
        data: Other data: a DataFrame, or a dict of arrays by column, as test data; or a dict of these by split.
        part: `train`, `validation` or `test`; by default the first that exists of test, validation and train.
        curves: Whether to include the points of the ROC and precision–recall curves.
        compare: Whether to compute the baselines of classifications.

    Returns:
        ``data`` (the split), ``rows``, the number of examples of the metrics, the metrics by their names in the log, and
        ``outputs`` with a report of each output, and ``splits`` with those of metrics of the whole split, if there are any.
        Metrics and reports are in the units of the data; losses are as in training, and ``transformed_targets`` lists the
        outputs whose targets were transformed, if there are any. All values are plain JSON.

    Raises:
        SpecError: If the data cannot be used.
        NnspecError: If the run is damaged, or its data changed.
    """
    run = Run.of(run).with_data(data)
    if run.objective.measures:
        return _measured(run, part)
    found = run_evaluation(run, part=part)
    reports = {name: report_of(predictions, curves=curves) for name, predictions in found.predictions.items()}
    for name, compared in baselines_of(run, found).items() if compare else ():
        reports[name]["baselines"] = compared
    transformed = {"transformed_targets": list(found.transformed)} if found.transformed else {}
    splits = {"splits": dict(found.splits)} if found.splits else {}
    return {"data": found.part, "rows": len(found.examples), **found.metrics, **transformed, "outputs": reports, **splits}


def _measured(run: Run, part: str | None) -> dict[str, Any]:
    """The metrics of a run whose objective has no targets, computed as in its training."""
    import keras

    from nnspec.training.backends.selection import machine, steps_for
    from nnspec.training.loop.loop import validate
    from nnspec.training.loop.networks import Networks

    machine()
    plan = _plan(run)
    assert plan.data is not None
    _require_files(plan, "train")
    part, examples = _examples(run, plan, part)
    prepared = prepare(replace(plan.data, sources={"train": plan.data.sources["train"]}), plan.section.seed)
    networks = Networks(plan.networks, plan.section.seed, plan.composed)
    learner = plan.objective.task(networks, plan, prepared, None).learner(plan.phases[-1])
    networks.set_weights(run.weights())
    size = plan.section.batch_size * learner.batches
    metrics = validate(steps_for(keras.backend.backend(), learner), learner, examples, size)
    split = _split_metrics(run, plan, networks.predictors, examples)
    splits = {"splits": split.reports} if split.reports else {}
    return {"data": part, "rows": len(examples), **metrics, **split.metrics, "outputs": {}, **splits}


@dataclass(frozen=True)
class _SplitResults:
    """The metrics of a whole split, by their names in the log, and their reports, by the name of the metric."""

    metrics: dict[str, float]
    reports: dict[str, Any]


def _split_metrics(
    run: Run, plan: TrainingPlan, models: Callable[[], Mapping[str, keras.Model]], examples: Examples
) -> _SplitResults:
    from nnspec.training.loop.split_metrics import SplitMetrics

    found = SplitMetrics(plan.split_metrics, models).accumulated(examples, plan.section.batch_size)
    metrics: dict[str, float] = {}
    reports: dict[str, Any] = {}
    for own, accumulator in zip(plan.split_metrics, found, strict=True):
        metrics |= accumulator.results()
        names = {part: run.field_classes(field) for part, field in own.reads.fields.items()}
        known = {part: classes for part, classes in names.items() if classes is not None}
        reports[own.metric.monitored()] = accumulator.report(known)
    return _SplitResults(metrics, reports)


def run_evaluation(run: Run, *, part: str | None = None, most: int | None = None) -> Evaluation:
    """Computes the predictions and metrics of a split of a run's data.

    Args:
        run: The run.
        part: As in [`evaluate`][nnspec.training.evaluation.evaluate.evaluate].
        most: The most examples to predict, spread evenly over the split.
    """
    import keras

    from nnspec.training.backends.selection import machine, steps_for
    from nnspec.training.batches.transforms import batch_transforms
    from nnspec.training.loop.loop import validate

    run.main  # noqa: B018 (raises if the run has no targets)
    machine()
    plan = _plan(run, _wanted(part))
    part, examples = _examples(run, plan, part)
    if most is not None and len(examples) > most:
        examples = examples.only(np.linspace(0, len(examples) - 1, most).astype(np.int64))
    model = trained_model(run)
    crops = crops_of(plan.data)
    units = output_units(plan.outputs, plan.target_sources, run.transforms())
    learner = _learner(run, plan, model, plan.outputs, units, batch_transforms(plan, model))
    first = examples.batch(slice(0, 1))
    learner.build(first.inputs, first.targets)
    steps = steps_for(keras.backend.backend(), learner)
    metrics = validate(steps, learner, examples, plan.section.batch_size)
    scored = [output for output in plan.outputs.values() if _is_scored(plan, output)]
    outputs = _predict(learner, examples, plan.section.batch_size) if scored else {}
    classes = run.classes()
    predictions = {}
    for output in scored:
        name, crop = output.name, crops.get(output.name, 0)
        found = _predictions(output, examples, outputs[name], classes.get(name), crop, units.get(name))
        if found is not None:
            predictions[name] = found
        if isinstance(found, NumberPredictions) and name in units and units[name].labels:
            metrics |= _metrics_of(output, found)
    split = _split_metrics(run, plan, lambda: {run.main.name: model}, examples)
    metrics |= split.metrics
    return Evaluation(plan, model, part, examples, metrics, outputs, predictions, tuple(units), split.reports)


def _learner(
    run: Run,
    plan: TrainingPlan,
    model: Any,
    outputs: Mapping[str, OutputPlan],
    units: Mapping[str, Units],
    transforms: Sequence[Any] = (),
) -> OutputLearner:
    """Computes the losses and metrics of outputs without training."""
    from nnspec.training.loop.output_learner import OutputLearner

    return OutputLearner(
        model,
        outputs,
        crops=crops_of(plan.data),
        units=units,
        added=added_weights(plan.data),
        transforms=transforms,
        last_step=int(run.info.get("steps", 0)),
    )


class AnswerMetrics:
    """The metrics of a run's outputs if another program computes them, such as an exported file.

    Args:
        run: The run.
        outputs: The outputs that are computed.

    Attributes:
        part: The split: validation data if there are any, else test or training data.
        examples: Its examples.
        better: Whether a metric is better if smaller or larger, by its name in the log; None if that is not known.

    Raises:
        NnspecError: If none of these outputs is compared with targets.
    """

    def __init__(self, run: Run, outputs: Collection[str]) -> None:
        run.main  # noqa: B018 (raises if the run has no targets)
        self._run, self._plan = run, _plan(run)
        self._outputs = {name: output for name, output in self._plan.outputs.items() if name in outputs}
        if not self._outputs:
            raise NnspecError("none of the exported outputs is compared with targets, so there are no metrics of the file")
        assert self._plan.data is not None
        part = "validation" if self._plan.data.validates else "test" if self._plan.data.tests else "train"
        self.part, self.examples = _examples(run, self._plan, part)
        self._units = output_units(self._plan.outputs, self._plan.target_sources, run.transforms())
        self.better = epoch_metrics(self._outputs, self._plan.data).modes

    def of(self, answer: Callable[[Mapping[str, NDArray[Any]]], Mapping[str, NDArray[Any]]]) -> dict[str, float]:
        """Compute the metrics of single numbers, by their names in the log.

        Args:
            answer: Computes the named outputs of named inputs.
        """
        from nnspec.training.evaluation.answers import Answers

        learner = _learner(self._run, self._plan, Answers(answer), self._outputs, self._units)
        size = self._plan.section.batch_size
        for start in range(0, len(self.examples), size):
            batch = self.examples.batch(slice(start, start + size))
            if start == 0:
                learner.build(batch.inputs, batch.targets)
            learner.validate((batch.inputs, batch.targets, batch.weights))
        return {name: value for name, value in learner.results().items() if isinstance(value, float)}


def baselines_of(run: Run, found: Evaluation) -> dict[str, dict[str, Any]]:
    """The baselines of each output of an evaluation; none on training data, which are their own neighbors.

    Args:
        run: The run.
        found: The evaluation.
    """

    @cache
    def training() -> Examples | str:
        try:
            return _examples(run, found.plan, "train")[1]
        except NnspecError:
            return UNREADABLE

    compared: dict[str, dict[str, Any]] = {}
    if found.part == "train":
        return compared
    units = output_units(found.plan.outputs, found.plan.target_sources, run.transforms())
    for name, predictions in found.predictions.items():
        output = found.plan.outputs[name]
        if isinstance(predictions, ClassPredictions):
            compared[name] = baselines(output, predictions, found.examples, training)
        else:
            series = found.forecasts(name)
            last = series.last_values if series is not None else None
            compared[name] = number_baselines(output, predictions, found.examples, training, units.get(name), last)
    return compared


def _metrics_of(output: OutputPlan, found: NumberPredictions) -> dict[str, Any]:
    """The metrics of an output whose units differ between series, and therefore cannot be computed by batch."""
    from nnspec.training.loop.keras_objects import keras_metric

    metrics = {}
    for name, metric in output.metrics.items():
        computed = keras_metric(metric, name)
        computed.update_state(found.true.astype(np.float32), found.predicted.astype(np.float32))
        metrics[name] = np.asarray(computed.result()).tolist()
    return metrics


def evaluation_text(metrics: dict[str, Any], *, chosen: bool = False) -> str:
    """Formats the result of `evaluate` as text.

    Args:
        metrics: The result.
        chosen: Whether the user chose the split; otherwise it is the test data, or what takes their place.
    """
    lines = [f"{metrics['rows']:,} examples of the {display_name(metrics['data'])} data"]
    if metrics["data"] != "test" and not chosen:
        lines[0] += " (the spec has no test data)"
    transformed = metrics.get("transformed_targets", ())
    shown = {name: value for name, value in metrics.items() if name not in _NOT_METRICS}
    width = max(map(len, shown), default=0)
    for name, value in shown.items():
        text = ", ".join(significant(float(v)) for v in np.ravel(value))
        if (name == "loss" and transformed) or name in {f"{output}_loss" for output in transformed}:
            text += "  (of transformed targets, as in training)"
        lines.append(f"  {name:<{width}}  {text}")
    if transformed:
        lines.append("  metrics and errors are in the units of the data")
    return "\n".join([*lines, *reports_text(metrics["outputs"]), *split_reports_text(metrics.get("splits", {}))])


def units_of_run(run: Run) -> dict[str, Units]:
    """The units of the outputs of a run whose numeric targets were transformed."""
    plan = _plan(run, parts=())
    return output_units(plan.outputs, plan.target_sources, run.transforms())


def annotated_classes(run: Run) -> list[Any] | None:
    """The names of the classes of the annotated boxes of a run, in order; None if they are not known."""
    plan = _plan(run, parts=())
    fields = [own.reads.fields["class"] for own in plan.split_metrics if "class" in own.reads.fields]
    fields += [annotation_fields(plan.data).get("class", "class")]
    return next((names for field in fields if (names := run.field_classes(field)) is not None), None)


def answers_of(run: Run) -> dict[str, DecisionRule]:
    """How to interpret each output of a run, according to its loss, or to the objective without losses of outputs."""
    plan = _plan(run, parts=())
    vectors = {name: decision_rule(None) for name in plan.objective.vectors(plan)}
    return vectors | {
        name: decision_rule(compared.target_kind(), logits=compared.expected() == "logits")
        for name, compared in _compared(run).items()
    }


def target_kinds_of(run: Run) -> dict[str, TargetKind | None]:
    """What the loss of each output of a run compares it with."""
    return {name: compared.target_kind() for name, compared in _compared(run).items()}


def _compared(run: Run) -> dict[str, Any]:
    """The loss of each output that has one."""
    known = {name: output.compared or output.loss for name, output in _plan(run, parts=()).outputs.items()}
    return {name: compared for name, compared in known.items() if compared is not None}


def examples_of(run: Run, part: str | None = None) -> tuple[str, Examples]:
    """Examples of a run's data, transformed as for its training.

    Args:
        run: The run.
        part: `train`, `validation` or `test`; by default the first that exists of test, validation and train.

    Returns:
        The split, and its examples.
    """
    return _examples(run, _plan(run, _wanted(part)), part)


def plan_and_examples(run: Run, part: str | None = None) -> tuple[TrainingPlan, str, Examples]:
    """The training plan of a run, and what [`examples_of`][nnspec.training.evaluation.evaluate.examples_of] returns.

    Args:
        run: The run.
        part: As there.
    """
    plan = _plan(run, _wanted(part))
    return plan, *_examples(run, plan, part)


def golden_rows(run: Run, count: int) -> tuple[Table, dict[str, NDArray[Any]]]:
    """A few real examples of a run, on which an exported model is compared.

    They are training examples if those still exist, so that an export does not depend on the test data.

    Returns:
        Their raw rows, and the inputs computed from them by name, with a batch axis.

    Raises:
        NnspecError: If none of the run's data can be read.
    """
    return _some_rows(run, ("train", "validation", "test"), lambda examples: examples.only(slice(0, count)))


def spread_rows(run: Run, count: int) -> Table:
    """Raw rows of a run's data, spread evenly: of the first that can be read of test, validation and training data.

    Raises:
        NnspecError: If none of the run's data can be read.
    """
    return _some_rows(run, ("test", "validation", "train"), partial(_spread, count))[0]


def _spread(count: int, examples: Examples) -> Examples:
    """Some of the examples, spread evenly."""
    total = len(examples)
    return examples.only(np.unique(np.linspace(0, total - 1, min(count, total)).astype(np.int64)))


def training_inputs(run: Run, count: int) -> dict[str, NDArray[Any]]:
    """Inputs of training examples, spread evenly, by name and with a batch axis.

    Raises:
        NnspecError: If none of the run's data can be read.
    """
    return _some_rows(run, ("train", "validation", "test"), partial(_spread, count))[1]


def _some_rows(run: Run, parts: Sequence[str], some: Callable[[Examples], Examples]) -> tuple[Table, dict[str, NDArray[Any]]]:
    """Some rows of the first split that can be read, and the inputs computed from them."""
    failure: NnspecError | SpecError | None = None
    for part in parts:
        try:
            plan = _plan(run, parts=(part,))
            if plan.data is not None and part in plan.data.sources:
                _require_files(plan, part)
                examples = prepare_part(plan.data, part, run.transforms())
                return _raw(plan, part, some(examples))
        except (NnspecError, SpecError) as error:
            failure = failure or error
    assert failure is not None
    raise failure


def raw_rows(run: Run, part: str | None = None, *, limit: int | None = None) -> tuple[Table, dict[str, NDArray[Any]]]:
    """The examples of [`examples_of`][nnspec.training.evaluation.evaluate.examples_of], with their raw rows.

    Args:
        run: The run.
        part: As there.
        limit: The most rows.

    Returns:
        Their raw rows, and the inputs computed from them by name, with a batch axis.
    """
    plan = _plan(run, _wanted(part))
    part, examples = _examples(run, plan, part)
    return _raw(plan, part, examples.only(slice(limit)))


def _raw(plan: TrainingPlan, part: str, examples: Examples) -> tuple[Table, dict[str, NDArray[Any]]]:
    assert plan.data is not None
    sources = plan.data.sources
    source = sources[part if part in sources else "train"]
    assert source.files is not None
    return SomeRows(source.reader.open(source.files), examples.rows), dict(examples.batch(slice(None)).inputs)


def trained_model(run: Run, graph: Graph | None = None) -> keras.Model:
    """The Keras model of a run's main network, or of another, with its best weights."""
    from nnspec.keras_backend import set_weight_arrays, to_keras

    graph = run.main if graph is None else graph
    model = to_keras(graph, seed=int(run.info["seed"]))
    set_weight_arrays(model, graph, graph.own(run.weights()))
    return model


def _predict(learner: OutputLearner, examples: Examples, batch_size: int) -> dict[str, NDArray[Any]]:
    """The outputs of a model, for as many examples at a time as fit into memory."""
    learner.reset()
    row_bytes = examples.bytes // len(next(iter(examples.inputs.values())))
    step = batch_size * max(1, _INPUTS // max(row_bytes * batch_size, 1))
    parts = [
        learner.model.predict(
            _transformed(learner, examples, start, start + step, batch_size), batch_size=batch_size, verbose=0
        )
        for start in range(0, len(examples), step)
    ]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _transformed(learner: OutputLearner, examples: Examples, start: int, end: int, batch_size: int) -> dict[str, NDArray[Any]]:
    """Inputs after the batch transforms, batch by batch as for the metrics."""
    if not learner.transforms:
        return dict(examples.batch(slice(start, end)).inputs)
    parts = []
    for first in range(start, min(end, len(examples)), batch_size):
        batch = examples.batch(slice(first, first + batch_size))
        parts.append(learner.transformed(batch.inputs, batch.targets, training=False)[0])
    return {name: np.concatenate([np.asarray(part[name]) for part in parts]) for name in parts[0]}


def _plan(run: Run, parts: Collection[str] = PARTS) -> TrainingPlan:
    """The plan of a run. Only the files of the given splits are read."""
    problems: list[Diagnostic] = []
    plan = check_training(run.spec, run.model, problems, parts=parts)
    if plan is None or plan.data is None:
        raise SpecError(problems)
    return plan


def _wanted(part: str | None) -> Collection[str]:
    """The splits whose files are read to evaluate one of them."""
    return PARTS if part in (None, "test") else ("train", "validation")


def _examples(run: Run, plan: TrainingPlan, part: str | None) -> tuple[str, Examples]:
    data = plan.data
    assert data is not None
    if part is None:
        part = "test" if data.tests else "validation" if data.validates else "train"
    if part == "test" and not data.tests:
        raise NnspecError("the spec has no test data\n  = help: write `test: …` under `data`")
    if part == "validation" and not data.validates:
        raise NnspecError("the spec has no validation data\n  = help: write `validation: 0.1` under `data`")
    if part in data.sources and not (part == "train" and data.draws):
        _require_files(plan, part)
        return part, prepare_part(data, part, run.transforms())
    # The split is drawn from the training data.
    _require_files(plan, "train")
    prepared = prepare(replace(data, sources={"train": data.sources["train"]}), plan.section.seed)
    if prepared.fingerprints["train"].whole != run.info["data"]["fingerprints"].get("train"):
        raise NnspecError(f"the training data changed since the run, and with them their {display_name(part)} split")
    examples = {"train": prepared.train, "validation": prepared.validation, "test": prepared.test}[part]
    assert examples is not None
    return part, examples


def _require_files(plan: TrainingPlan, part: str) -> None:
    assert plan.data is not None
    source = plan.data.sources[part]
    if (frame := source.reader.missing_frame) is not None:
        what = f"the {display_name(part)} data of the run are passed in Python, and are not in its folder"
        raise NnspecError(f"{what}\n  = help: pass them to the function: `data={{'{frame}': frame}}`")
    if source.files is None:
        named = ", ".join(f"`{text}`" for text in source.reader.named_paths().values())
        raise NnspecError(f"{source.span}: the {display_name(part)} data do not exist: {named}")


def _is_scored(plan: TrainingPlan, output: OutputPlan) -> bool:
    """Whether predictions of an output are compared with targets one by one; those of tokens are only scored by metrics."""
    source = plan.target_sources.get(output.name)
    need = output.need
    return need is not None and need.target is None and output.type.mask is None and (source is None or source.is_scored)


def _predictions(
    output: OutputPlan,
    examples: Examples,
    values: NDArray[Any],
    classes: list[Any] | None,
    crop: int,
    units: Units | None,
) -> ClassPredictions | NumberPredictions | None:
    compared = output.compared
    kind = compared.target_kind() if compared is not None else None
    assert compared is not None
    assert kind is not None
    axis = getattr(compared, "axis", -1)
    found = predictions_from(
        kind,
        middle(examples.targets[output.name][examples.rows], crop),
        np.asarray(values, np.float32),
        axis=axis if isinstance(axis, int) else -1,
        logits=compared.expected() == "logits",
        ignore=getattr(compared, "ignore_class", None),
        classes=classes,
    )
    if units is None or not isinstance(found, NumberPredictions):
        return found
    return NumberPredictions(*(units.to_data(values, examples.own_series) for values in (found.true, found.predicted)))
