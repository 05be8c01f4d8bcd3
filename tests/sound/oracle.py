"""What the sizes of a spec may be, by trying: its inputs replaced by numbers, and compiled again.

For a spec that is accepted, the sizes at which its numeric counterpart compiles must be those that its conditions admit, and
every shape must come to the same numbers. One difference is meant: a free size is never 1 by broadcasting. ``a [T, 4]`` plus
``b [S, 4]`` runs at T = 1 and S = 7, and the compiler asks for T = S.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from random import Random

from nnspec.diagnostics import Diagnostic, SpecError
from nnspec.graph import Graph, Model
from nnspec.graph.build import build
from nnspec.layers.merge import Elementwise
from nnspec.layers.reduction import Slice
from nnspec.spec import Spec
from nnspec.types import TensorType, substitute, symbols_of

__all__ = ["Mismatch", "admits", "free_sizes", "mismatches", "numeric", "tried_sizes", "widens_ones"]

LARGEST = 60


@dataclass(frozen=True)
class Mismatch:
    """Sizes at which the conditions and the numbers disagree.

    Attributes:
        kind: ``loose``: admitted, and the numbers do not compile; ``strict``: refused, and they do; ``shape``: a shape comes
            to something else.
        sizes: The sizes.
        reason: The error of the numeric spec, or which shape differs.
    """

    kind: str
    sizes: Mapping[str, int]
    reason: str

    def __str__(self) -> str:
        return f"{self.kind} at {dict(self.sizes)}: {self.reason}"


def admits(graph: Graph, sizes: Mapping[str, int]) -> bool:
    """Whether the conditions of a graph admit sizes of its symbols."""
    return graph.conditions.refusal(sizes) is None


def free_sizes(graph: Graph) -> list[str]:
    """The names of the sizes that are free, those without a name too."""
    return list(
        dict.fromkeys(name for type in graph.inputs.values() for size in type.shape for name in sorted(symbols_of(size)))
    )


def tried_sizes(names: list[str], random: Random, most: int = 60) -> Iterator[dict[str, int]]:
    """Choices of sizes: all small ones of one symbol; of several, small, equal, related and random ones."""
    if len(names) == 1:
        yield from ({names[0]: size} for size in range(1, LARGEST + 1))
        return
    small = list(itertools.product(range(1, 7 if len(names) == 2 else 4), repeat=len(names)))
    random.shuffle(small)
    seen = set()
    for number in range(most):
        if number < most // 2 and small:
            choice = small.pop()
        else:
            base = random.randint(1, LARGEST // 2)
            related = [base, base, 2 * base, base + 1, max(1, base // 2), base + 2, 3 * base, random.randint(1, 12)]
            choice = tuple(random.choice(related) for _ in names)
        if choice not in seen:
            seen.add(choice)
            yield dict(zip(names, choice, strict=True))


def numeric(spec: Spec, types: Mapping[str, TensorType], sizes: Mapping[str, int]) -> tuple[Graph | None, str]:
    """The graph of the spec's own layers at numbers; or None, and why.

    Args:
        spec: The spec.
        types: The types of its inputs.
        sizes: A number for each symbol in them.
    """
    main = spec.networks["main"]
    inputs = {
        name: replace(declared, type=types[name].masked(None).with_sizes(sizes)) if declared else None
        for name, declared in main.inputs.items()
    }
    problems: list[Diagnostic] = []
    # A large size may exceed a limit on the cost, which is none of the conditions.
    limits = replace(spec.limits, activations=2**62, size=2**62)
    networks = {**spec.networks, "main": replace(main, inputs=inputs)}
    try:
        model = build(replace(spec, networks=networks, limits=limits), problems)
    except SpecError as error:
        problems = list(error.diagnostics)
        model = None
    wrong = [problem for problem in problems if problem.is_error]
    if model is None or wrong:
        return None, "; ".join(f"{problem.code} {problem.message}" for problem in wrong) or "no graph"
    empty = _empty(model.main)
    return (None, f"`{empty}` is empty") if empty else (model.main, "")


def _empty(graph: Graph) -> str | None:
    """The first node with a size below 1, or with sizes that do not agree."""
    for node in graph.nodes.values():
        if any(isinstance(size, int) and size < 1 for type in node.outputs.values() for size in type.shape):
            return node.name
        if any(isinstance(a, int) and isinstance(b, int) and a != b for a, b in node.layer.agreeing_sizes(node.input_types)):
            return node.name
    return None


def mismatches(spec: Spec, model: Model, random: Random, most: int = 60) -> list[Mismatch]:
    """Where the conditions of the spec's own layers and trying differ; at most one of each kind."""
    graph = model.main
    names = free_sizes(graph)
    found: dict[str, Mismatch] = {}
    if not names:
        return []
    fits = 0
    for sizes in tried_sizes(names, random, most):
        at_numbers, reason = numeric(spec, graph.inputs, sizes)
        admitted = admits(graph, sizes)
        fits += at_numbers is not None
        if admitted and at_numbers is None:
            found.setdefault("loose", Mismatch("loose", sizes, reason))
        if at_numbers is None:
            continue
        if _is_cramped(at_numbers):
            continue
        differs = _differs(graph, at_numbers, sizes)
        if not admitted and not differs and not _broadcasts(graph, at_numbers):
            found.setdefault("strict", Mismatch("strict", sizes, "it compiles at these numbers"))
        if admitted and differs:
            found.setdefault("shape", Mismatch("shape", sizes, differs))
    return list(found.values())


def _is_cramped(graph: Graph) -> bool:
    """Whether a layer does something else with a number this small than with a free size.

    ``CenterCrop`` enlarges what is smaller than its result, and ``Slice`` takes what there is.
    """
    for node in graph.nodes.values():
        if any(isinstance(size, int) and size < 1 for size in node.layer.room(node.input_types)):
            return True
        if isinstance(node.layer, Slice):
            shape = node.input_types["x"].shape
            size = (0, *shape)[node.layer.axis]
            bounds = (node.layer.start, node.layer.stop)
            if any(isinstance(size, int) and isinstance(bound, int) and abs(bound) > size for bound in bounds):
                return True
    return False


def _differs(graph: Graph, at_numbers: Graph, sizes: Mapping[str, int]) -> str:
    for name, node in graph.nodes.items():
        for output, type in node.outputs.items():
            shape = tuple(substitute(size, sizes) for size in type.shape)
            found: TensorType | None = at_numbers.nodes[name].outputs.get(output) if name in at_numbers.nodes else None
            if found is not None and found.shape != shape:
                return f"`{name}.{output}` is {type}, so {shape}, and {found} at the numbers"
    return ""


def widens_ones(spec: Spec, sizes: Mapping[str, int]) -> bool:
    """Whether a spec that is refused runs at these sizes because a merge repeats an axis of size 1."""
    declared = {name: given.type for name, given in spec.networks["main"].inputs.items() if given}
    at_numbers, _ = numeric(spec, declared, {name: 1 for type in declared.values() for name in _names(type)} | dict(sizes))
    if at_numbers is None:
        return False
    merges = [node.input_types.values() for node in at_numbers.nodes.values() if isinstance(node.layer, Elementwise)]
    return any(len({type.shape for type in types}) > 1 for types in merges)


def _names(type: TensorType) -> set[str]:
    return set().union(*(symbols_of(size) for size in type.shape))


def _broadcasts(graph: Graph, at_numbers: Graph) -> bool:
    """Whether a merge widens an axis of size 1 there that is not known to be 1 from the spec."""
    for name, node in graph.nodes.items():
        if not isinstance(node.layer, Elementwise) or name not in at_numbers.nodes:
            continue
        rank = max(type.rank for type in node.input_types.values())
        for axis in range(1, rank + 1):
            written = [type.shape[-axis] for type in node.input_types.values() if type.rank >= axis]
            there = [type.shape[-axis] for type in at_numbers.nodes[name].input_types.values() if type.rank >= axis]
            if any(size == 1 and other != 1 for size, other in zip(there, written, strict=True)) and set(there) != {1}:
                return True
    return False
