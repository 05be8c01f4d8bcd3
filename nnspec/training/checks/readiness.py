"""Checks that everything a training needs is there."""

from __future__ import annotations

from nnspec.data import problems as d
from nnspec.data.plan import DataPlan
from nnspec.diagnostics import Diagnostic, Span
from nnspec.graph import Graph
from nnspec.spec import Spec
from nnspec.spec.tree import MappingNode
from nnspec.training import problems as t
from nnspec.training.section import TrainSection


def check_ready(
    spec: Spec,
    graph: Graph,
    data: DataPlan | None,
    section: TrainSection | None,
    tree: MappingNode | None,
    problems: list[Diagnostic],
) -> None:
    """Reports what is missing to start the training.

    Args:
        spec: The spec.
        graph: The network.
        data: The plan of the data; None if there is none, or it has errors.
        section: The section ``train``; None if there is none, or it has errors.
        tree: Its YAML tree.
        problems: Problems are appended here.
    """
    top = Span.whole(spec.file)
    if tree is None:
        help = "write `train: {epochs: 20, loss: …}`"
        problems.append(t.NotTrainable.at(top, "train", help=help))
    elif section is not None and not section.has_length:
        problems.append(t.NotTrainable.at(tree.span, tree.path, help="write `epochs: 20`, or `steps`"))
    given = spec.section("data")
    if given is None or (data is not None and "train" not in data.sources):
        help = "write `data: {train: {csv: data/train.csv}}`"
        problems.append(d.NoData.at(given.span if given else top, "data", help=help))
    if tree is not None and not graph.trainable_parameters:
        problems.append(t.NothingToTrain.at(tree.span, tree.path))
