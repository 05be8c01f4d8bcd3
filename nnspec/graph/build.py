"""Construction of a spec's typed graphs: names resolved, output types inferred."""

from __future__ import annotations

from dataclasses import replace

from nnspec.diagnostics import Diagnostic, SpecError, once
from nnspec.graph.budget import check_budget
from nnspec.graph.builder import Builder, unbuilt
from nnspec.graph.exported import read_export
from nnspec.graph.limits import check_limits, check_uses
from nnspec.graph.model import Graph, Model
from nnspec.graph.order import in_order
from nnspec.graph.plugins import advise_on_plugins
from nnspec.spec import Collected, Spec
from nnspec.spec.collector import collector_paused
from nnspec.spec.ignores import silence


def compile(spec: Spec) -> Model:
    """Build the typed graphs of a spec.

    Raises:
        SpecError: If a graph cannot be built; contains every diagnostic.
    """
    problems = Collected(spec.limits)
    model = build(spec, problems)
    if model is None or any(problem.is_error for problem in problems):
        raise SpecError(problems)
    return replace(model, diagnostics=tuple(silence(problems)))


def build(spec: Spec, problems: list[Diagnostic]) -> Model | None:
    """Build the graphs and append problems to ``problems``; returns None if a network has no graph. See [`compile`][]."""
    model = survey(spec, problems)
    return None if any(graph.gaps for graph in model.networks.values()) else model


@collector_paused()
def survey(spec: Spec, problems: list[Diagnostic]) -> Model:
    """Build the graphs as far as possible and append problems to ``problems``; graphs with errors have gaps."""
    order = in_order(spec.networks, problems)
    over = [] if order is None else list(check_uses(spec.networks, order, spec.limits))
    problems += over
    if order is None or over:
        model = Model(spec.name, {name: unbuilt(network) for name, network in spec.networks.items()})
    else:
        model = Model(spec.name, _graphs(spec, order, problems))
    model = replace(model, params=spec.params)
    for graph in model.networks.values():
        problems.extend(check_limits(graph, spec.limits))
    problems[:] = once(problems)
    check_budget(spec, model, problems)
    read_export(spec, model, problems)
    problems.extend(advise_on_plugins(model))
    return model


def _graphs(spec: Spec, order: list[str], problems: list[Diagnostic]) -> dict[str, Graph]:
    masked: dict[str, dict[str, int]] = {name: {} for name in order}
    while True:
        # A network that is built on its own has a mask port for each input that some use feeds with a mask. Uses are known
        # after the networks around them are built, so this repeats until no port is added: at most once per input.
        found = Collected(spec.limits)
        passed: dict[str, dict[str, int]] = {name: dict(ports) for name, ports in masked.items()}
        networks = {name: Builder(spec.networks, name, passed, found).build(masked[name]) for name in order}
        if passed == masked:
            break
        masked = passed
    problems[:] = once([*problems, *found])
    return {name: networks[name] for name in spec.networks}
