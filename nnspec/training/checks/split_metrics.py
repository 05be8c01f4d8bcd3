"""The check of metrics of whole splits."""

from __future__ import annotations

from collections.abc import Mapping

from nnspec.data.box_feeds import box_fields
from nnspec.data.locations import locate
from nnspec.data.plan import DataPlan
from nnspec.data.transforms.classes import label_encode
from nnspec.diagnostics import Diagnostic
from nnspec.graph import Graph
from nnspec.spec.tree import MappingNode
from nnspec.training import problems as t
from nnspec.training.catalogue.metrics.base import MetricError
from nnspec.training.plan import SplitMetricPlan
from nnspec.training.section import TrainSection
from nnspec.types import TensorType


def annotation_fields(data: DataPlan | None) -> dict[str, str]:
    """The fields of boxes and what belongs to them, ``boxes``, ``class`` and ``crowd``, if the data state them once.

    Args:
        data: The plan of the data; None if there is none, or it has errors.
    """
    feeds = (data.feeds or {}) if data is not None else {}
    boxes = box_fields(feeds)
    if len(boxes) != 1:
        return {}
    found = {"boxes": boxes[0].name}
    for place in boxes[0].rows:
        feed, name = feeds[place], place.partition(".")[2]
        if any(isinstance(step, label_encode) for step in feed.transforms):
            found["class"] = name
        elif feed.columns == ("crowd",):
            found["crowd"] = name
    return found


def check_split_metrics(
    section: TrainSection,
    tree: MappingNode,
    graph: Graph | None,
    fields: Mapping[str, TensorType],
    data: DataPlan | None,
    problems: list[Diagnostic],
    inputs: Mapping[str, str] | None = None,
) -> tuple[SplitMetricPlan, ...]:
    """Checks the metrics of whole splits against the network and the data.

    Args:
        section: The section ``train``.
        tree: Its YAML tree.
        graph: The network whose outputs they read; None if no network is exported.
        fields: The types of the data fields.
        data: The plan of the data; None if there is none, or it has errors.
        problems: Problems are appended here.
        inputs: The data field of an input of the network, if it has another name.

    Returns:
        Those that can be computed.
    """
    found = []
    for place, metric in section.split_metrics:
        span, path = locate(tree, *place)
        if graph is None:
            help = "name the network with the detections: `export: {network: NAME}`"
            reason = "needs to know which network predicts"
            problems.append(t.SplitMetricDoesNotFit.at(span, path, help=help, metric=metric.title, reason=reason))
            continue
        try:
            reads = metric.reads(graph, fields, annotation_fields(data))
        except MetricError as error:
            if graph.gaps:
                continue
            keys = (*place, metric.title, *error.argument.split(".")) if error.argument else place
            at = locate(tree, *keys)
            problems.append(t.SplitMetricDoesNotFit.at(*at, help=error.help, metric=metric.title, reason=error.message))
            continue
        fed = {name: (inputs or {}).get(name, name) for name in graph.inputs}
        missing = next((name for name, field in fed.items() if field not in fields), None)
        if missing is not None:
            help = f"declare the field `{missing}`, or write `export: {{inputs: {{{missing}: FIELD}}}}`"
            reason = f"needs the outputs of `{graph.name}`, and no field feeds its input `{missing}`"
            problems.append(t.SplitMetricDoesNotFit.at(span, path, help=help, metric=metric.title, reason=reason))
            continue
        if data is not None and not data.validates:
            help = "write `validation: 0.1` under `data`"
            problems.append(t.SplitMetricWithoutValidation.at(span, path, help=help, metric=metric.title))
        found.append(SplitMetricPlan(metric, graph.name, fed, reads))
    return tuple(found)
