"""Checks of the optimizer, or of one optimizer for each network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nnspec.data.locations import locate
from nnspec.diagnostics import Diagnostic
from nnspec.spec.tree import MappingNode
from nnspec.training import problems as t
from nnspec.training.catalogue.optimizers.base import Optimizer
from nnspec.training.objectives import problems as o
from nnspec.training.section import TrainSection
from nnspec.types import closest

__all__ = ["check_optimizer"]


def check_optimizer(section: TrainSection, tree: MappingNode, networks: Sequence[str], problems: list[Diagnostic]) -> None:
    """Reports optimizers of unknown networks, and arguments that repeat another key.

    Args:
        section: The section ``train`` of a phase.
        tree: Its YAML tree.
        networks: The networks that can each have an optimizer; empty if one network is trained.
        problems: Problems are appended here.
    """
    if isinstance(section.optimizer, dict):
        _check_names(section.optimizer, tree, networks, problems)
    given = section.optimizer.values() if isinstance(section.optimizer, dict) else [section.optimizer]
    for optimizer in given:
        assert isinstance(optimizer, Optimizer)
        clip, ema = tree.get("clip"), tree.get("ema")
        own = next(
            (name for name in ("clipnorm", "clipvalue", "global_clipnorm") if getattr(optimizer, name) is not None), None
        )
        if section.clip is not None and clip is not None and own is not None:
            problems.append(t.ClippedTwice.at(clip.span, clip.path, help="remove one of the two", first="clip", second=own))
        if section.ema is not None and ema is not None and optimizer.use_ema:
            problems.append(t.AveragedTwice.at(ema.span, ema.path, help="remove one of the two"))


def _check_names(given: Mapping[str, object], tree: MappingNode, networks: Sequence[str], problems: list[Diagnostic]) -> None:
    listed = " and ".join(f"`{name}`" for name in networks)
    for name in given:
        if name in networks:
            continue
        suggestion = closest(name, networks)
        help = f"did you mean `{suggestion}`?" if suggestion else f"name {listed}" if networks else "write `optimizer: Adam`"
        reason = f"names `{name}`, and the training is of {listed or 'one network'}"
        problems.append(o.OptimizerNames.at(*locate(tree, "optimizer", name), help=help, reason=reason))
    for name in networks:
        if name not in given:
            help = f"add `{name}: Adam`"
            problems.append(o.OptimizerNames.at(*locate(tree, "optimizer"), help=help, reason=f"names none for `{name}`"))
