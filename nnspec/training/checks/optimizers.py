"""The optimizer, or those of the networks that have one each, against the rest of the section."""

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
    """Says where optimizers are not those of the networks, or do what another key does.

    Args:
        section: The section ``train``, as it holds in a phase.
        tree: The same as it was written.
        networks: The networks that can have an optimizer each; none where one is trained.
        problems: What is wrong is appended here.
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
            problems.append(t.ClippedTwice.at(clip.span, clip.path, help="take one of the two away", first="clip", second=own))
        if section.ema is not None and ema is not None and optimizer.use_ema:
            problems.append(t.AveragedTwice.at(ema.span, ema.path, help="take one of the two away"))


def _check_names(given: Mapping[str, object], tree: MappingNode, networks: Sequence[str], problems: list[Diagnostic]) -> None:
    listed = " and ".join(f"`{name}`" for name in networks)
    for name in given:
        if name in networks:
            continue
        suggestion = closest(name, networks)
        help = f"did you mean `{suggestion}`?" if suggestion else f"name {listed}" if networks else "write `optimizer: Adam`"
        reason = f"names `{name}`, and what is trained is {listed or 'one network'}"
        problems.append(o.OptimizerOfWhat.at(*locate(tree, "optimizer", name), help=help, reason=reason))
    for name in networks:
        if name not in given:
            help = f"write `{name}: Adam` beside the other"
            problems.append(o.OptimizerOfWhat.at(*locate(tree, "optimizer"), help=help, reason=f"names none for `{name}`"))
