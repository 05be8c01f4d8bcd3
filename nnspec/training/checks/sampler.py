"""The check that the weights of a sampler are trained."""

from __future__ import annotations

from nnspec.data.locations import locate
from nnspec.diagnostics import Diagnostic
from nnspec.generation import problems as g
from nnspec.generation.sampler_check import check_sampler, describes_sampler
from nnspec.graph import Model
from nnspec.spec import Spec
from nnspec.training.plan import TrainingPlan
from nnspec.types import listed


def check_sampler_weights(spec: Spec, model: Model, plan: TrainingPlan, problems: list[Diagnostic], *, starts: bool) -> None:
    """Reports a sampler with a weight that no trained network has.

    Args:
        spec: The spec.
        model: Its graphs.
        plan: The training plan.
        problems: Problems are appended here.
        starts: Whether a training starts, so that errors in the section ``generate`` are reported too.
    """
    tree = spec.section("generate")
    if tree is None or not describes_sampler(spec):
        return
    own: list[Diagnostic] = []
    sampling = check_sampler(spec, model, own)
    problems += own if starts else []
    if sampling is None:
        return
    trained = {identity for graph in plan.networks.values() for identity, *_ in graph.weights()}
    missing = next((identity for identity, *_ in sampling.graph.weights() if identity not in trained), None)
    if missing is not None:
        help = f"use its network in the training; the trained networks are {listed(plan.networks)}"
        at, network = locate(tree, "network"), sampling.graph.name
        problems.append(g.UntrainedSampler.at(*at, help=help, network=network, weight=missing))
