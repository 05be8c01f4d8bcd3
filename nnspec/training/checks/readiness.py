"""What a training needs before it can begin."""

from __future__ import annotations

from nnspec.data import problems as d
from nnspec.data.plan import DataPlan
from nnspec.diagnostics import Diagnostic, Span
from nnspec.graph import Graph
from nnspec.spec import Spec
from nnspec.spec.tree import MappingNode
from nnspec.training import problems as t
from nnspec.training.section import TrainSection

__all__ = ["check_ready"]


def check_ready(
    spec: Spec,
    graph: Graph,
    data: DataPlan | None,
    section: TrainSection | None,
    tree: MappingNode | None,
    problems: list[Diagnostic],
) -> None:
    """Says what is missing for the training to begin.

    Args:
        spec: The spec.
        graph: What is trained.
        data: Its data; None where they are not there, or have errors.
        section: The section ``train``; None where it is not there, or has errors.
        tree: The same as it was written.
        problems: What is missing is appended here.
    """
    top = Span.whole(spec.file)
    if tree is None:
        help = "write `train: {epochs: 20, loss: …}`"
        problems.append(t.NotTrainable.at(top, "train", help=help))
    elif section is not None and not section.says_how_long:
        problems.append(t.NotTrainable.at(tree.span, tree.path, help="say how long: write `epochs: 20`, or `steps`"))
    given = spec.section("data")
    if given is None or (data is not None and "train" not in data.sources):
        help = "write `data: {train: {csv: data/train.csv}}`"
        problems.append(d.NoData.at(given.span if given else top, "data", help=help))
    if tree is not None and not graph.trainable_parameters:
        problems.append(t.NothingToTrain.at(tree.span, tree.path))
