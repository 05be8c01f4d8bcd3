"""Topological order of networks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from nnspec.diagnostics import Diagnostic
from nnspec.graph import problems as g
from nnspec.spec import Network, Step
from nnspec.spec.step import NetworkUse, inner_steps


def callees(steps: Iterable[Step]) -> dict[str, Step]:
    """Return the networks that steps use, including nested steps, each with its first use."""
    found: dict[str, Step] = {}
    stack = list(steps)[::-1]
    while stack:
        step = stack.pop()
        if isinstance(step.content, NetworkUse):
            found.setdefault(step.content.network, step)
        stack.extend(inner_steps(step.content)[::-1])
    return found


def in_order(networks: Mapping[str, Network], problems: list[Diagnostic]) -> list[str] | None:
    """Return the names of the networks, each after those it uses; reports a cycle and returns None."""
    uses = {name: callees(network.steps) for name, network in networks.items()}
    done: dict[str, None] = {}
    for start in networks:
        path: list[str] = [start]
        while path:
            name = path[-1]
            nxt = next((used for used in uses[name] if used not in done), None)
            if nxt is None:
                done[path.pop()] = None
            elif nxt in path:
                chain = " → ".join(f"`{n}`" for n in [*path[path.index(nxt) :], nxt])
                step = uses[name][nxt]
                problems.append(g.NetworkInItself.at(step.span, step.path, chain=chain))
                return None
            else:
                path.append(nxt)
    return list(done)
