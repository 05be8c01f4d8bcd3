"""The static check of the section ``train``: every key against the graph and the data. No framework is loaded."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from nnspec.data.check import PARTS, check_data, without_later
from nnspec.data.plan import DataPlan, Need
from nnspec.diagnostics import Diagnostic
from nnspec.graph import Graph, Model
from nnspec.spec import Spec
from nnspec.spec import problems as p
from nnspec.spec.checked import Known, check_known
from nnspec.spec.tree import MappingNode, Scalar
from nnspec.training import problems as t
from nnspec.training.check_adapting import check_adapting
from nnspec.training.check_objective import Made, Where
from nnspec.training.check_outputs import check_outputs, drop_unknown
from nnspec.training.check_phases import check_phases
from nnspec.training.check_ready import check_ready
from nnspec.training.check_watch import check_class_weight, check_input_noise, check_noise, watched_outputs
from nnspec.training.objectives import OBJECTIVES
from nnspec.training.objectives.base import Objective
from nnspec.training.plan import OutputPlan, TrainingPlan
from nnspec.training.section import TrainSection

if TYPE_CHECKING:
    from nnspec.training.objectives.autoencoder import autoencoder
    from nnspec.training.objectives.tokens import NextToken

__all__ = ["check_training"]


def check_training(
    spec: Spec,
    model: Model | None,
    problems: list[Diagnostic],
    *,
    require_data: bool = False,
    parts: Collection[str] = PARTS,
) -> TrainingPlan | None:
    """Checks the sections ``train`` and ``data`` against the network.

    Args:
        spec: The spec.
        model: Its graphs; None where they have errors: the sections are then checked for themselves alone.
        problems: What is wrong is appended here.
        require_data: Whether the training is to begin: both sections must then be there, and the files they name.
        parts: The sets of data whose files are looked at.

    Returns:
        The plan; None where there is no section ``train``, or where something is wrong.
    """
    before = len(problems)
    plan = _check(spec, model, problems, require_data, parts)
    if not require_data:
        # The network can be built and exported all the same.
        problems[before:] = [replace(x, severity="warning") if x.code == p.NotYet.code else x for x in problems[before:]]
    return None if any(problem.is_error for problem in problems[before:]) else plan


def _check(
    spec: Spec, model: Model | None, problems: list[Diagnostic], require_data: bool, parts: Collection[str]
) -> TrainingPlan | None:
    known, tree = _section(spec, model, problems)
    section = known.value if known is not None else None
    wrong = known.wrong if known is not None else frozenset()
    if tree is not None and _has_losses_of_its_own(tree):
        if model is None or section is None or "objective" in wrong:
            return None
        from nnspec.training.check_pair import check_pair

        return check_pair(spec, model, section, tree, problems, require_data=require_data, parts=parts)
    graph = model.networks.get("main") if model is not None else None
    if graph is None:
        if model is not None and require_data and section is not None and tree is not None:
            help = "give the document `inputs` and `layers` of its own"
            problems.append(t.NotTrainable.at(tree.span, tree.path, help=help))
        return None
    outputs = None
    if section is not None and tree is not None and not wrong & {"loss", "objective"}:
        outputs = check_outputs(graph, section, tree, problems)
    # What an objective makes of a network can only be checked of all of it.
    objective_known = section is not None and (type(section.objective).__name__ == "supervised" or not graph.gaps)
    made = (
        _made(graph, section, tree, outputs, problems) if objective_known and section is not None and tree is not None else None
    )
    data = _data(spec, graph, made, problems, require_data, parts, certain=tree is None or made is not None)
    if require_data:
        check_ready(spec, graph, data, section, tree, problems)
    if section is None or tree is None:
        return None
    outputs = made.outputs if made is not None else outputs
    _check_rest(graph, section, tree, outputs, problems)
    named = graph.gaps.are_named and "metrics" not in wrong
    watched = watched_outputs(outputs, data) if outputs is not None and made is not None and named else None
    phases = check_phases(graph, section, tree, outputs or {}, watched, problems)
    if phases is None or made is None or known is None or not known.is_right or graph.gaps:
        return None
    return TrainingPlan(graph, section, tree, data, made.outputs, phases[-1].monitor, phases, made.derived)


def _check_rest(
    graph: Graph,
    section: TrainSection,
    tree: MappingNode,
    outputs: dict[str, OutputPlan] | None,
    problems: list[Diagnostic],
) -> None:
    """What depends on the losses of the outputs, where these are known."""
    if outputs is None:
        check_input_noise(section, tree, graph, problems)
        return
    check_class_weight(section, tree, outputs, problems)
    if not graph.gaps:
        check_adapting(graph, outputs, problems)
    check_noise(section, tree, graph, outputs, problems)


def _made(
    graph: Graph, section: TrainSection, tree: MappingNode, outputs: dict[str, OutputPlan] | None, problems: list[Diagnostic]
) -> Made | None:
    """What the objective makes of the outputs; None where it does not fit them."""
    if outputs is None:
        return None
    objective, before = section.objective, len(problems)
    where = Where(type(objective).__name__, tree, graph, outputs, problems)
    made = Made(outputs, {})
    # An objective's check is imported with it: a supervised training pays for no other.
    if where.objective == "autoencoder":
        from nnspec.training.check_autoencoder import restored

        made = restored(cast("autoencoder", objective), where)
    elif where.objective != "supervised":
        from nnspec.training.check_tokens import said_next

        made = said_next(cast("NextToken", objective), where)
    # A network that reads ahead fits its objective, so that its data can be checked.
    wrong = any(problem.is_error and problem.code != t.ReadsAhead.code for problem in problems[before:])
    return None if wrong else made


def _section(
    spec: Spec, model: Model | None, problems: list[Diagnostic]
) -> tuple[Known[TrainSection] | None, MappingNode | None]:
    tree = spec.section("train")
    if tree is None:
        return None, None
    kept: MappingNode | None = without_later(tree, TrainSection.later, problems)
    assert kept is not None
    missing = False
    if not _has_losses_of_its_own(tree):
        missing = tree.get("loss") is None
        if missing:
            problems.append(p.MissingKey.at(tree.span, tree.path, help="write `train: {loss: …}`", where="`train`", key="loss"))
        if model is not None and "main" in model.networks:
            kept = drop_unknown(kept, model.networks["main"], problems)
    without_loss = kept is None
    if kept is None:
        kept = MappingNode([(key, value) for key, value in tree.items() if key.value != "loss"], tree.span, tree.place)
    known = check_known(TrainSection, kept, problems, name="train", instead={"epochs": 1, "steps": 1})
    if missing or without_loss:
        known = Known(known.value, known.wrong | {"loss"}, False)
    return known, tree


def _has_losses_of_its_own(tree: MappingNode) -> bool:
    """Whether the section names an objective that says what is made small."""
    given = tree.get("objective")
    named = next(iter(given.items()))[0] if isinstance(given, MappingNode) and len(given) == 1 else given
    name = str(named.value) if isinstance(named, Scalar) else ""
    return name in OBJECTIVES and cast("type[Objective]", OBJECTIVES.get(name)).losses_of_its_own


def _data(
    spec: Spec,
    graph: Graph,
    made: Made | None,
    problems: list[Diagnostic],
    require_data: bool,
    parts: Collection[str],
    *,
    certain: bool,
) -> DataPlan | None:
    needs: dict[str, Need] = {}
    for name, output in (made.outputs if made is not None else {}).items():
        if name in graph.gaps.outputs:
            continue
        kind = output.loss.target_kind() if output.loss is not None else None
        if output.loss is not None and kind is not None:
            loss = output.loss
            needs[name] = Need(
                kind,
                output.type,
                type(loss).__name__,
                next(iter(loss.instead), None),
                getattr(loss, "ignore_class", None),
                getattr(loss, "axis", -1) if kind in ("class", "distribution") else -1,
                loss.by_position,
            )
    derived = made.derived if made is not None else {}
    return check_data(spec, graph, needs, problems, derived=derived, require_data=require_data, certain=certain, parts=parts)
