"""The static check of windows that are cut from the joined rows: ``data.window``, and those of an objective."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from nnspec.data import problems as d
from nnspec.data.locations import locate
from nnspec.data.plan import DataPlan, StreamWindow
from nnspec.diagnostics import Diagnostic
from nnspec.types import did_you_mean, listed, same_size


def check_window(plan: DataPlan) -> Iterator[Diagnostic]:
    """Report an invalid window, and parts of the section ``data`` that belong to whole rows."""
    if plan.section.window is not None:
        yield from _wrong_arguments(plan)
    if plan.window is not None:
        yield from _conflicts(plan, plan.window)


def _wrong_arguments(plan: DataPlan) -> Iterator[Diagnostic]:
    given, window = plan.section.window, plan.window
    assert given is not None
    place = locate(plan.tree, "window")
    if any(source.window is not None for source in plan.target_sources.values()):
        reason = "the objective has a `window`, and `data` has another"
        yield d.BadWindow.at(*place, help="remove one of them", reason=reason)
        return
    if window is None:
        known = listed(plan.inputs)
        if given.of is None:
            yield d.BadWindow.at(*place, help="write `of: INPUT`", reason=f"which of the inputs {known} is cut into windows?")
        else:
            help = did_you_mean(given.of, plan.inputs, f"its inputs are {known}")
            yield d.UnknownInput.at(*locate(plan.tree, "window", "of"), help=help, what="input", name=given.of)
        return
    type_ = plan.inputs[window.input]
    if type_.rank != 1:
        reason = f"windows are cut from sequences, but the input `{window.input}` has shape {type_}"
        yield d.BadWindow.at(*locate(plan.tree, "window", "of"), help="name an input of shape [T]", reason=reason)
    elif given.length <= window.ahead:
        reason = f"windows of {given.length} leave no input, since the last value is only a target"
        yield d.BadWindow.at(*locate(plan.tree, "window", "length"), help=f"write at least {window.ahead + 1}", reason=reason)
    elif same_size(type_.shape[0], window.length) is False:
        reads = f"the first {window.length} of {given.length} values" if window.ahead else f"{given.length} values"
        reason = f"`{window.input}` would get {reads} of a window, but it has shape {type_}"
        size = type_.shape[0]
        help = f"write `length: {size + window.ahead}`" if isinstance(size, int) else ""
        yield d.BadWindow.at(*locate(plan.tree, "window", "length"), help=help, reason=reason)


def _conflicts(plan: DataPlan, window: StreamWindow) -> Iterator[Diagnostic]:
    """Report inputs, targets and groups of whole rows, since the examples are windows."""
    place = (plan.tree.span, plan.tree.path) if plan.section.window is None else locate(plan.tree, "window")
    groups: list[tuple[str, Iterable[str]]] = [
        ("the input", (name for name in plan.inputs if name != window.input)),
        ("the target of", plan.fed),
    ]
    for what, names in groups:
        for name in names:
            reason = f"{what} `{name}` belongs to a whole row, but `window` cuts the rows into examples"
            yield d.BadWindow.at(*place, help="remove `window`, and pad the rows with `pad`", reason=reason)
    if plan.section.group is not None:
        reason = "`group` does not apply to windows, which are cut from the rows in their order"
        yield d.BadWindow.at(*locate(plan.tree, "group"), help="remove it", reason=reason)
