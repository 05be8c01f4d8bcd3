"""Training programs as written: the objective ``program``, with its steps expanded and its other keys evaluated."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from nnspec.diagnostics import Diagnostic, Span
from nnspec.layers import LAYERS, snake_name
from nnspec.spec import problems as p
from nnspec.spec.draft import INVALID_OPERATION, NESTING, STEP_KEYS, Draft
from nnspec.spec.evaluate import Scope, evaluate
from nnspec.spec.expand import Expander, TooMany
from nnspec.spec.shapes import Input
from nnspec.spec.step import BothDirections, Content, Nested, NetworkUse, Recurrence, Step
from nnspec.spec.tree import MappingNode, Scalar, SequenceNode, Tree

if TYPE_CHECKING:
    from nnspec.spec.library import Library

__all__ = ["BATCH", "OBJECTIVE", "STEPS", "LossUse", "Program", "ProgramSource", "averaged_networks", "read_program"]

OBJECTIVE = "program"
"""The name of the objective."""

BATCH, STEPS = "(batch)", "(step)"
"""What `B`, the size of the batch, and `step`, the number of completed steps, stand for in the expressions of a program."""

_NAMES = {"B": BATCH, "step": STEPS}


@dataclass(frozen=True)
class LossUse:
    """A loss of the catalogue as a step, before it is read.

    Attributes:
        loss: Its name.
        arguments: Its arguments; None if there are none.
        place: The step's operation.
    """

    loss: str
    arguments: Tree | None
    place: Scalar


@dataclass(frozen=True)
class ProgramSource:
    """A program before its steps are expanded.

    Attributes:
        tree: Its keys.
        scope: The params that its expressions may read.
        span: Location of its name.
        naming: The params that name networks and fields, which expressions read as ``${label}`` only.
        renamed: What the program calls a field that has a name of the objective's own.
    """

    tree: MappingNode
    scope: Scope
    span: Span
    naming: frozenset[str] = frozenset()
    renamed: Mapping[str, str] = field(default_factory=dict)

    def evaluated(self, problems: list[Diagnostic]) -> MappingNode:
        """Return its keys other than ``layers``, evaluated; a result to show that is null is left out."""
        rest = [(key, value) for key, value in self.tree.items() if key.value != "layers"]
        found = evaluate(MappingNode(rest, self.tree.span, self.tree.place), self.scope, problems)
        assert isinstance(found, MappingNode)
        entries = [(key, _without_null(value) if key.value == "show" else value) for key, value in found.items()]
        return MappingNode(entries, found.span, found.place)


def _without_null(tree: Tree) -> Tree:
    if not isinstance(tree, MappingNode):
        return tree
    given = [(key, value) for key, value in tree.items() if value.unknown or value.plain() is not None]
    return MappingNode(given, tree.span, tree.place)


@dataclass(frozen=True)
class Program:
    """A program as written.

    Attributes:
        fields: The data fields by name; None for an invalid declaration.
        steps: Its steps.
        averages: The network of which each average is a moving average.
        used: The blocks and networks that it uses.
        span: Location of its name.
        is_cut: Whether its steps could not be read because of an error that has been reported.
        renamed: What its steps call a field, if not by its name.
    """

    fields: Mapping[str, Input | None]
    steps: tuple[Step, ...]
    averages: Mapping[str, str]
    used: frozenset[str] = field(default_factory=frozenset)
    span: Span = field(default_factory=lambda: Span.whole(""))
    is_cut: bool = False
    renamed: Mapping[str, str] = field(default_factory=dict)


def read_program(
    source: ProgramSource,
    evaluated: MappingNode,
    library: Library,
    fields: Mapping[str, Input | None],
    limit: int,
    problems: list[Diagnostic],
    *,
    main: bool,
) -> Program:
    """Read a program.

    Args:
        source: The program.
        evaluated: Its keys other than ``layers``, evaluated.
        library: Definitions that its steps may use.
        fields: The data fields.
        limit: Maximum number of layers.
        problems: List to which problems are appended.
        main: Whether the document has layers of its own, the network ``main``.
    """
    networks = {name: network.inputs for name, network in library.networks.items()}
    if main:
        networks["main"] = tuple(fields)
    averages = {}
    for key, of in _averages(evaluated):
        averages[key] = of
        networks.setdefault(key, networks.get(of, ()))
    names = {}
    for name, marker in _NAMES.items():
        if name in source.scope.values and name in library.params:
            reason = f"`{name}` has a meaning in programs, and is also a param"
            problems.append(p.WrongValue.at(library.params[name].span, "params", help="rename the param", reason=reason))
        names[name] = Scalar(marker, source.span)
    scope = source.scope.inner(names, problems)
    expander = _ProgramExpander(library.blocks, networks, limit, problems, source.naming)
    layers = source.tree.get("layers")
    draws = evaluated.get("draw")
    taken = [source.renamed.get(name, name) for name in fields]
    taken += [str(key.value) for key, _ in draws.items()] if isinstance(draws, MappingNode) else []
    is_cut = False
    try:
        steps = expander.steps(layers, taken, scope)
    except TooMany:
        steps, is_cut = (), True
        expander.used |= expander.operations
    if layers is None or (isinstance(layers, SequenceNode) and not layers.items):
        place = source.tree
        help = "write `layers:` and a list of steps"
        problems.append(p.MissingKey.at(source.span, place.path, help=help, where="the program", key="layers"))
        is_cut = True
    used = frozenset({*expander.used, *_named_networks(evaluated), *averages.values()})
    return Program(fields, steps, averages, used, source.span, is_cut, source.renamed)


def _averages(tree: MappingNode) -> Iterator[tuple[str, str]]:
    """Yield the name of each average, and of its network."""
    given = tree.get("average")
    for key, value in given.items() if isinstance(given, MappingNode) else ():
        of = value.get("of") if isinstance(value, MappingNode) else None
        if isinstance(of, Scalar) and isinstance(of.value, str):
            yield str(key.value), of.value


def _named_networks(tree: MappingNode) -> Iterator[str]:
    """Yield the networks that the entries of ``minimize`` name."""
    entries = tree.get("minimize")
    for entry in entries.items if isinstance(entries, SequenceNode) else ():
        of = entry.get("of") if isinstance(entry, MappingNode) else None
        for item in of.items if isinstance(of, SequenceNode) else [of]:
            if isinstance(item, Scalar):
                yield str(item.value)


@dataclass
class _ProgramExpander(Expander):
    """Expands the steps of a program, which may be losses, and may say whether a network runs in training mode."""

    naming: frozenset[str] = frozenset()

    step_keys = (*STEP_KEYS, "training")

    def content(self, draft: Draft) -> Content | None:
        word = str(draft.op.value)
        if self._depth == 1 and self.is_loss(word):
            return LossUse(word, draft.arguments, draft.op)  # type: ignore[return-value]  # read by the check
        if word == "Compute" and self._depth == 1 and self.naming:
            draft = replace(draft, scope=draft.scope.without(self.naming))
        return super().content(draft)

    def is_loss(self, word: str) -> bool:
        """Whether an operation may be a loss: a name in PascalCase that is no layer."""
        known = word in LAYERS or word in (*NESTING, INVALID_OPERATION) or word in self.operations
        return not known and word[:1].isupper() and word.isidentifier() and word not in LAYERS.aliases

    def _is_unknown(self, draft: Draft) -> bool:
        return not self.is_loss(str(draft.op.value)) and super()._is_unknown(draft)

    def base_name(self, draft: Draft) -> str:
        word = str(draft.op.value)
        return snake_name(word) if self.is_loss(word) else super().base_name(draft)


def averaged_networks(averages: Mapping[str, str], networks: Mapping[str, object]) -> Iterator[dict[str, str]]:
    """Yield, for each average, the new name of each network that it copies: its own, then those that it uses.

    Args:
        averages: The network of each average.
        networks: The networks of the document, [`Network`][nnspec.spec.document.Network] by name.
    """
    for name, of in averages.items():
        if of not in networks or name in networks:
            continue
        names: dict[str, str] = {of: name}
        rest = [of]
        while rest:
            for inner in _used(getattr(networks[rest.pop()], "steps", ())):
                if inner not in names and inner in networks:
                    names[inner] = f"{name}_{inner}"
                    rest.append(inner)
        yield names


def renamed(steps: Iterable[Step], names: Mapping[str, str]) -> tuple[Step, ...]:
    """Return steps that use other networks.

    Args:
        steps: The steps.
        names: The new names.
    """
    return tuple(_renamed(step, names) for step in steps)


def _renamed(step: Step, names: Mapping[str, str]) -> Step:
    match step.content:
        case NetworkUse() as use:
            return replace(step, content=replace(use, network=names.get(use.network, use.network)))
        case Nested() as nested:
            return replace(step, content=replace(nested, steps=renamed(nested.steps, names)))
        case Recurrence() as recurrence:
            return replace(step, content=replace(recurrence, cell=_renamed(recurrence.cell, names)))
        case BothDirections() as both:
            forward, backward = renamed(both.steps, names)
            return replace(step, content=replace(both, steps=(forward, backward)))
    return step


def _used(steps: Iterable[Step]) -> Iterator[str]:
    """Yield the networks that steps use directly."""
    for step in steps:
        match step.content:
            case NetworkUse() as use:
                yield use.network
            case Nested() | BothDirections() as nested:
                yield from _used(nested.steps)
            case Recurrence() as recurrence:
                yield from _used([recurrence.cell])
