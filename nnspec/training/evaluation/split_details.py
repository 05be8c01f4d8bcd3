"""What the metrics of a whole split show of it beside their values: of a detector, its detections with their errors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.data.examples import Examples
from nnspec.training.catalogue.metrics import METRICS, OF_SPLITS
from nnspec.training.catalogue.metrics.base import MetricError, SplitMetric
from nnspec.training.checks.split_metrics import annotation_fields
from nnspec.training.evaluation.evaluate import plan_and_examples, trained_model
from nnspec.training.loop.split_metrics import SplitMetrics
from nnspec.training.plan import SplitMetricPlan, TrainingPlan
from nnspec.training.run.folder import Run

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class SplitDetails:
    """What a metric shows of one split of a run's data.

    Attributes:
        part: The split: `train`, `validation` or `test`.
        examples: Its examples.
        image: The input with the images; None if there are several.
        classes: The names of the classes of each field that has them, in order, by the metric's own name.
        outputs: The outputs that it reads, by its own names.
        fields: The fields that it reads, by its own names.
        details: The result of its `details`.
    """

    part: str
    examples: Examples
    image: str | None
    classes: Mapping[str, list[Any]]
    outputs: Arrays
    fields: Arrays
    details: Any


def split_details(run: Run, *, part: str | None = None) -> list[SplitDetails]:
    """Evaluates the metrics of whole splits that have details, also those that the spec does not name.

    Args:
        run: The run.
        part: `train`, `validation` or `test`; by default the first that exists of test, validation and train.

    Returns:
        The details of each metric that fits the exported network and the data.

    Raises:
        NnspecError: If the run is damaged, or its data cannot be read.
    """
    network = run.objective.exported_network(run.info)
    if network not in run.model.networks:
        return []
    plan, part, examples = plan_and_examples(run, part)
    return [found for metric in _metrics(run, plan, network) if (found := _evaluated(run, plan, metric, part, examples))]


def _evaluated(run: Run, plan: TrainingPlan, metric: SplitMetricPlan, part: str, examples: Examples) -> SplitDetails | None:
    graph = run.model.networks[metric.network]
    model = trained_model(run, graph)
    batches = SplitMetrics([metric], lambda: {graph.name: model}).batches(examples, plan.section.batch_size)
    parts = [found for [found] in batches]
    outputs, fields = ({name: np.concatenate([each[i][name] for each in parts]) for name in parts[0][i]} for i in range(2))
    details = metric.metric.details(outputs, fields)
    if details is None:
        return None
    named = {own: run.field_classes(name) for own, name in metric.reads.fields.items()}
    images = [metric.inputs[name] for name, type_ in graph.inputs.items() if type_.rank == 3]
    image = images[0] if len(images) == 1 else None
    classes = {own: names for own, names in named.items() if names is not None}
    return SplitDetails(part, examples, image, classes, outputs, fields, details)


def _metrics(run: Run, plan: TrainingPlan, network: str) -> Iterator[SplitMetricPlan]:
    """The metrics of the spec, then those of the catalogue with default arguments that can be computed."""
    yield from plan.split_metrics
    if plan.data is None:
        return
    graph, named = run.model.networks[network], {type(each.metric) for each in plan.split_metrics}
    for name in OF_SPLITS if graph.inputs.keys() <= plan.data.inputs.keys() else ():
        kind = METRICS.get(name)
        if kind in named or not issubclass(kind, SplitMetric):
            continue
        metric = kind.model_validate({})
        try:
            reads = metric.reads(graph, plan.data.inputs, annotation_fields(plan.data))
        except MetricError:
            continue
        yield SplitMetricPlan(metric, network, {own: own for own in graph.inputs}, reads)
