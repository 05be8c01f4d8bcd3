"""Objectives of other packages: where they come from, and errors of their code."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar

from nnspec.data.kinds import DataError
from nnspec.diagnostics import NnspecError
from nnspec.training.objectives import OBJECTIVES
from nnspec.training.objectives.base import Objective
from nnspec.types import Plugin, PluginError
from nnspec.types.plugins import reason_of

P = ParamSpec("P")
T = TypeVar("T")


def plugin_of(objective: Objective | type[Objective]) -> Plugin | None:
    """The plug-in that an objective comes from; None if it is built in."""
    assert OBJECTIVES.plugins is not None
    return OBJECTIVES.plugins.owner(objective if isinstance(objective, type) else type(objective))


def guarded(objective: Objective | type[Objective], method: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
    """The result of an objective's method.

    Args:
        objective: The objective.
        method: The method, bound.
        *given: Its arguments.
        **named: Its arguments by name.

    Raises:
        PluginError: If the objective is a plug-in whose method raises an exception or returns another type.
    """
    name = method.__name__
    with guarding(objective, f"`{name}`"):
        result = method(*given, **named)
        wanted, is_such = _RESULTS.get(name, ("", lambda _: True))
        if not is_such(result):
            raise TypeError(f"it returns {type(result).__name__}, not {wanted}")
    return result


@contextmanager
def guarding(objective: Objective | type[Objective], what: str) -> Iterator[None]:
    """Raises errors of a plug-in's code as a `PluginError` that names its package.

    Args:
        objective: The objective.
        what: What the code does.
    """
    try:
        yield
    except (NnspecError, DataError):
        raise
    except Exception as error:  # whatever the code of another package raises
        plugin = plugin_of(objective)
        if plugin is None:
            raise
        whose = f"the objective `{plugin.name}` of the package {plugin.package}"
        raise PluginError(f"{whose}: {what} fails with {reason_of(error)}") from error


def _is_plan(result: Any) -> bool:
    from nnspec.training.plan import TrainingPlan

    return result is None or isinstance(result, TrainingPlan)


def _is_targets(result: Any) -> bool:
    from nnspec.training.objectives.context import Targets

    return result is None or isinstance(result, Targets)


_RESULTS: Mapping[str, tuple[str, Callable[[Any], bool]]] = {
    "check": ("a `TrainingPlan`, or None", _is_plan),
    "targets": ("`Targets`, or None", _is_targets),
    "task": ("a `Task`", lambda result: all(hasattr(result, name) for name in ("learner", "examine", "warnings"))),
    "batch_transforms": ("a list", lambda result: isinstance(result, list)),
    "record": ("a dict", lambda result: isinstance(result, dict)),
    "exported_network": ("the name of a network", lambda result: isinstance(result, str)),
    "generator_record": ("a mapping, or None", lambda result: result is None or isinstance(result, Mapping)),
}
"""What each method returns."""
