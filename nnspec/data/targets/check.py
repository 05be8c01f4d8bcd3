"""The static check of targets that are made of an input: that nothing else says what they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from nnspec.data import problems as d
from nnspec.data.places import locate
from nnspec.data.plan import DataPlan, Derived
from nnspec.data.transforms.words import pad, tokenize
from nnspec.diagnostics import Diagnostic

__all__ = ["check_derived"]


def check_derived(plan: DataPlan, problems: list[Diagnostic]) -> None:
    """Says where the data name a target that is made of an input, or what windows of it cannot go together with.

    Args:
        plan: The data as far as they are checked.
        problems: What is wrong is appended here.
    """
    for output, made in plan.derived.items():
        if output in plan.section.targets:
            help = "take it away"
            span, path = locate(plan.tree, "targets", output)
            problems.append(d.TargetIsMade.at(span, path, help=help, name=output, input=made.input))
        if made.window is not None:
            problems.extend(_beside_windows(plan, output, made))
        elif made.next:
            problems.extend(_other_padding(plan, made))
        if made.bounded:
            problems.extend(_unbounded(plan, made))


def _beside_windows(plan: DataPlan, output: str, made: Derived) -> Iterator[Diagnostic]:
    """What belongs to whole rows, where the examples are windows of them."""
    listed: list[tuple[str, Iterable[str]]] = [
        ("the input", (name for name in plan.inputs if name != made.input)),
        ("the target of", (name for name in plan.needs if name != output)),
    ]
    for what, names in listed:
        for name in names:
            reason = f"{what} `{name}` belongs to a whole row, and `window` cuts rows into examples"
            help = "take `window` away, and `pad` the rows"
            yield d.BadWindow.at(plan.tree.span, plan.tree.path, help=help, reason=reason)
    if plan.section.group is not None:
        reason = "`group` has no say over windows, which are cut from the rows as they follow each other"
        yield d.BadWindow.at(*locate(plan.tree, "group"), help="take it away", reason=reason)


def _other_padding(plan: DataPlan, made: Derived) -> Iterator[Diagnostic]:
    for i, step in _transforms(plan, made):
        if isinstance(step, pad) and step.value != made.padding:
            reason = f"`pad` fills up with {step.value:g}, and the loss leaves out {made.padding}"
            help = f"write `ignore_class: {step.value:g}` in the loss, or take `value` away"
            yield d.BadTransform.at(*locate(plan.tree, "inputs", made.input, "transform", i), help=help, reason=reason)


def _unbounded(plan: DataPlan, made: Derived) -> Iterator[Diagnostic]:
    """Where a tokenizer does not say where a sequence begins and ends."""
    for i, step in _transforms(plan, made):
        if isinstance(step, tokenize) and not (step.start and step.end):
            missing = [f"`{token}`" for token, there in (("<SOS>", step.start), ("<EOS>", step.end)) if not there]
            help = "write `tokenize: {start: true, end: true}`, with the other arguments"
            span, path = locate(plan.tree, "inputs", made.input, "transform", i)
            yield d.Unbounded.at(span, path, help=help, name=made.input, missing=" and no ".join(missing))


def _transforms(plan: DataPlan, made: Derived) -> Iterator[tuple[int, object]]:
    given = plan.section.inputs.get(made.input)
    yield from enumerate(given.transform if given is not None else [])
