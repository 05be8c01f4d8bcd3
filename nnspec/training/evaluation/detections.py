"""The detections of a run on a split of its data, with their errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.data.examples import Examples
from nnspec.graph.detections import BOXES, CLASS, SCORES
from nnspec.training.catalogue.metrics.base import MetricError
from nnspec.training.catalogue.metrics.detection import CROWD, MeanAveragePrecision
from nnspec.training.checks.split_metrics import annotation_fields
from nnspec.training.detection.average_precision import AveragePrecision, AveragePrecisions
from nnspec.training.detection.errors import DetectionErrors, detection_errors
from nnspec.training.evaluation.evaluate import annotated_classes, plan_and_examples, trained_model
from nnspec.training.loop.split_metrics import SplitMetrics
from nnspec.training.plan import SplitMetricPlan, TrainingPlan
from nnspec.training.run.folder import Run

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class DetectionEvaluation:
    """The detections of a run on one split of its data.

    Attributes:
        part: The split: `train`, `validation` or `test`.
        examples: Its examples.
        image: The input with the images; None if there are several.
        names: The names of the classes, in order; None to use their indices.
        outputs: ``boxes``, ``scores`` and ``class`` of the detections.
        fields: ``boxes``, ``class`` and, if there is one, ``crowd`` of the annotations.
        average: The average precisions.
        errors: The errors.
    """

    part: str
    examples: Examples
    image: str | None
    names: list[Any] | None
    outputs: Arrays
    fields: Arrays
    average: AveragePrecision
    errors: DetectionErrors

    def name(self, index: int) -> str:
        """The name of a class."""
        return str(self.names[index] if self.names is not None and 0 <= index < len(self.names) else index)


def evaluate_detections(run: Run, *, part: str | None = None) -> DetectionEvaluation | None:
    """Evaluates the detections of a run, also if its spec has no metric for them.

    Args:
        run: The run.
        part: `train`, `validation` or `test`; by default the first that exists of test, validation and train.

    Returns:
        The evaluation; None if the run is no detector, or its data have no boxes.

    Raises:
        NnspecError: If the run is damaged, or its data cannot be read.
    """
    network = run.objective.exported_network(run.info)
    if network not in run.model.networks:
        return None
    plan, part, examples = plan_and_examples(run, part)
    metric = _metric(run, plan, network)
    if metric is None:
        return None
    graph = run.model.networks[metric.network]
    model = trained_model(run, graph)
    batches = SplitMetrics([metric], lambda: {graph.name: model})
    outputs: dict[str, list[NDArray[Any]]] = {part: [] for part in metric.reads.outputs}
    fields: dict[str, list[NDArray[Any]]] = {part: [] for part in metric.reads.fields}
    assert isinstance(metric.metric, MeanAveragePrecision)
    average = AveragePrecisions(metric.metric.small, metric.metric.large)
    for [(found, true)] in batches.batches(examples, plan.section.batch_size):
        for name, values in found.items():
            outputs[name].append(values)
        for name, values in true.items():
            fields[name].append(values)
        average.add(found[BOXES], found[SCORES], found[CLASS], true[BOXES], true[CLASS], true.get(CROWD))
    whole, own = ({name: np.concatenate(parts) for name, parts in each.items()} for each in (outputs, fields))
    errors = detection_errors(whole[BOXES], whole[SCORES], whole[CLASS], own[BOXES], own[CLASS], own.get(CROWD))
    images = [metric.inputs[name] for name, type_ in graph.inputs.items() if type_.rank == 3]
    image = images[0] if len(images) == 1 else None
    return DetectionEvaluation(part, examples, image, annotated_classes(run), whole, own, average.result(), errors)


def _metric(run: Run, plan: TrainingPlan, network: str) -> SplitMetricPlan | None:
    """The metric of the spec, else one with default arguments if it can be computed."""
    own = next((each for each in plan.split_metrics if isinstance(each.metric, MeanAveragePrecision)), None)
    if own is not None or plan.data is None:
        return own
    graph, metric = run.model.networks[network], MeanAveragePrecision.model_validate({})
    if not graph.inputs.keys() <= plan.data.inputs.keys():
        return None
    try:
        return SplitMetricPlan(
            metric,
            network,
            {name: name for name in graph.inputs},
            metric.reads(graph, plan.data.inputs, annotation_fields(plan.data)),
        )
    except MetricError:
        return None
