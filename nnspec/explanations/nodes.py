"""Lookup of steps by their paths in the graph, ``unit/0/conv2d``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nnspec.diagnostics import NnspecError
from nnspec.explanations.origin import Use
from nnspec.layers.base import Layer
from nnspec.spec import Spec, Step
from nnspec.spec.step import Content, NetworkUse, Shared, inner_steps
from nnspec.types import closest


@dataclass(frozen=True)
class Located:
    """A step with its path in the graph and its enclosing steps."""

    name: str
    step: Step
    uses: tuple[Use, ...] = ()


def locate(spec: Spec, path: str) -> Located:
    """Return the step at a path in the graph; for a shared layer, the original layer.

    Raises:
        NnspecError: If there is no such step.
    """
    main, names = spec.networks.get("main"), path.split("/")
    steps: Sequence[Step] = main.steps if main else ()
    own = names[0] in spec.networks and all(step.name != names[0] for step in steps)  # the path starts with a network's name
    if own:
        steps = spec.networks[names[0]].steps
    elif main is None:
        raise NnspecError(_no_step(names[0], "", list(spec.networks)))
    uses: tuple[Use, ...] = ()
    for depth in range(own, len(names)):
        around, name = "/".join(names[:depth]), names[depth]
        step = next((step for step in steps if step.name == name), None)
        if step is None:
            raise NnspecError(_no_step(name, around, [step.name for step in steps]))
        at = Located("/".join(names[: depth + 1]), step, uses)
        if depth == len(names) - 1:
            return _owner(at, around, steps)
        uses, steps = _within(at), _inside(step.content, spec)
    raise NnspecError(_no_step("", path, [step.name for step in steps]))


def _owner(at: Located, around: str, steps: Sequence[Step]) -> Located:
    """Return the original layer if a step shares one of its list."""
    content = at.step.content
    named = content.layer if isinstance(content, Shared) else None
    owner = next((step for step in steps if step.name == named and isinstance(step.content, Layer)), None)
    if owner is None:
        return at
    name = f"{around}/{owner.name}" if around else owner.name
    return Located(name, owner, (*at.uses, Use(at.name, f"share: {owner.name}", at.step.span)))


def _within(at: Located) -> tuple[Use, ...]:
    """Return the enclosing steps of a nested step; repetitions of a step appear once."""
    around = at.uses[:-1] if at.uses and at.uses[-1].span == at.step.span else at.uses
    return (*around, Use(at.name, at.step.op, at.step.span))


def _inside(content: Content | None, spec: Spec) -> Sequence[Step]:
    return spec.networks[content.network].steps if isinstance(content, NetworkUse) else inner_steps(content)


def _no_step(name: str, around: str, known: Sequence[str]) -> str:
    inside = f" in `{around}`" if around else ""
    near = closest(name, known)
    help = f"did you mean `{near}`?" if near else f"the steps are {', '.join(known[:12])}" if known else "it has no parts"
    named = f"unknown step `{name}`{inside}" if name else f"expected a step{inside}"
    return f"{named}; {help}"


def walk(spec: Spec) -> Iterator[Located]:
    """Yield every step of every network in order, including nested steps."""
    for name, network in spec.networks.items():
        prefix = "" if name == "main" else f"{name}/"
        stack = [Located(prefix + step.name, step) for step in reversed(network.steps)]
        while stack:
            at = stack.pop()
            yield at
            uses = _within(at)
            stack += [Located(f"{at.name}/{step.name}", step, uses) for step in reversed(inner_steps(at.step.content))]
