"""Expansion of lists of steps: names assigned, repeats unrolled, blocks inlined."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from functools import cached_property
from typing import ClassVar

from nnspec.diagnostics import Advice, Diagnostic, Note, Span
from nnspec.diagnostics.remedies import Unindent
from nnspec.layers import LAYERS, snake_name
from nnspec.layers.base import Layer
from nnspec.spec import problems as p
from nnspec.spec.blocks import Block, bind
from nnspec.spec.checked import broken_plugin, check_known, intended_member, member_help, replacement_word
from nnspec.spec.checks import read_checks
from nnspec.spec.counting import least_layers
from nnspec.spec.draft import GROUP, INVALID_OPERATION, NESTING, SHARE, STEP_KEYS, Draft, read_draft, steps_of
from nnspec.spec.evaluate import Scope, evaluate, evaluated
from nnspec.spec.shapes import declared
from nnspec.spec.starting import read_weights
from nnspec.spec.step import INPUT, Content, Nested, NetworkUse, Shared, Step
from nnspec.spec.tree import MappingNode, Place, Scalar, SequenceNode, Tree, Unknown
from nnspec.types import PluginError, closest, suggested

STEP_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_DEEPEST = 40
DEEPEST_STEPS = 100
"""Maximum nesting of step lists, through blocks and networks, which bounds recursion."""
_SURE = 0.85
"""Minimum similarity of an unknown name to a layer's for its step to be checked as that layer."""


class TooMany(Exception):
    """The document exceeds the limit on layers, which has been reported."""


@dataclass
class Expander:
    """Expands the lists of one document.

    Attributes:
        blocks: Its blocks, including those of the files it uses.
        networks: Names of the inputs of its networks.
        limit: Maximum number of layers.
        problems: List to which problems are appended.
    """

    blocks: Mapping[str, Block]
    networks: Mapping[str, tuple[str, ...]]
    limit: int
    problems: list[Diagnostic]

    step_keys: ClassVar[tuple[str, ...]] = STEP_KEYS
    """Keys of a step other than its operation."""

    def __post_init__(self) -> None:
        self._layers = 0
        self._depth = 0
        self._within: list[str] = []
        self._assumed = False  # whether the last layer has defaults in place of invalid arguments
        self.used: set[str] = set()
        """Blocks and networks that some step uses."""

    def steps(self, tree: Tree | None, taken: Iterable[str], scope: Scope) -> tuple[Step, ...]:
        """Expand a list of steps.

        Args:
            tree: List of steps.
            taken: Names of the inputs, which share a namespace with the steps.
            scope: Names that expressions can use.
        """
        if self._depth == 0 and (count := least_layers(tree, self.blocks)) > self.limit:
            place: Tree = tree or Scalar(None, Span.whole(""))
            what = f"{count:,} layers" if count < 2**63 else "more than 2**63 layers"
            self.problems.append(p.LimitExceeded.at(place.span, place.path, what=what, limit="layers", most=self.limit))
            raise TooMany
        self._depth += 1
        if self._depth > DEEPEST_STEPS:
            at = tree.span if tree else Span.whole("")
            self.problems.append(p.TooDeep.at(at, tree.path if tree else "", most=DEEPEST_STEPS))
            self._depth -= 1
            return ()
        drafts = [draft for item in steps_of(tree, self.problems) for draft in self._drafts(item, scope)]
        named = self._named(drafts, set(taken))
        self._depth -= 1
        return named

    # --- from entries to drafts: groups are unrolled into the enclosing list --------------------------------------------

    def _drafts(self, item: Tree, scope: Scope) -> Iterable[Draft]:
        draft = read_draft(item, scope, self.operations, self.problems, self.step_keys)
        if not _is_group(draft) or draft.key("name"):
            self._count(draft)
            return [draft]
        count, counter = self._repeat(draft)
        self._check_counter(draft, count, counter)
        found: list[Draft] = []
        for number in range(count):
            scope.expanded.add(10, draft.op, self.problems)  # even empty repetitions take time
            inner = _counted(scope, counter, number, draft, self.problems)
            for entry in steps_of(draft.arguments, self.problems):
                found += self._drafts(entry, inner)
        if draft.keys is not None and "repeat" in draft.keys and draft.key("repeat") is None:
            found = [replace(step, is_counted=False) for step in found]
        return _fed_from(found, draft)

    @cached_property
    def operations(self) -> set[str]:
        """Names of the blocks and networks that steps may use."""
        return {*self.blocks, *self.networks}

    def _count(self, draft: Draft) -> None:
        self._layers += 1
        if self._layers > self.limit:
            what = f"more than {self.limit:,} layers"
            self.problems.append(p.LimitExceeded.at(draft.op.span, draft.path, what=what, limit="layers", most=self.limit))
            raise TooMany

    def _repeat(self, draft: Draft) -> tuple[int, str | None]:
        """Return the number of repetitions of a step and the name of its counter."""
        tree, named = draft.key("repeat"), draft.key("as")
        counter = named.value if isinstance(named, Scalar) and isinstance(named.value, str) else None
        if tree is None and draft.keys is not None and "repeat" in draft.keys:
            return 1, counter  # the count is unknown, which has been reported
        if named is not None and (counter is None or not counter.isidentifier() or tree is None):
            reason = f"`as` must be the name of the `repeat` counter, not {named.kind}"
            self.problems.append(p.WrongValue.at(named.span, named.path, help="write `as: i`", reason=reason))
            counter = None
        if tree is None:
            return 1, counter
        value = tree.value if isinstance(tree, Scalar) else None
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            reason = f"`repeat` must be an integer of at least 0, not {tree.kind}"
            self.problems.append(p.WrongValue.at(tree.span, tree.path, reason=reason))
            return 1, counter
        if value > self.limit:
            what = f"{value:,} repeats"
            self.problems.append(p.LimitExceeded.at(tree.span, tree.path, what=what, limit="layers", most=self.limit))
            raise TooMany
        return value, counter

    def _check_counter(self, group: Draft, count: int, counter: str | None) -> None:
        """Check that a name in a repeated group contains the counter; otherwise it would be duplicated."""
        if count < 2:
            return
        for entry in steps_of(group.arguments, []):
            name = entry.get("name") if isinstance(entry, MappingNode) else None
            if isinstance(name, Scalar) and not name.dynamic:
                example = f"{name.value}${{{counter or 'i'}}}"
                help = f"write `name: {example}`" + ("" if counter else " and `as: i` next to `repeat`")
                self.problems.append(p.RepeatedName.at(name.span, name.path, help=help, name=name.value, count=count))

    # --- from drafts to steps ----------------------------------------------------------------------------------------

    def _named(self, drafts: Sequence[Draft], taken: set[str]) -> tuple[Step, ...]:
        given = [self._given_name(draft) for draft in drafts]
        used = taken | {name for name in given if name}
        first: dict[str, Draft] = {}
        numbers: dict[str, int] = {}
        steps: list[Step] = []
        reported: set[str] = set()
        for draft, name in zip(drafts, given, strict=True):
            is_open = not draft.is_counted or (
                name is None and (draft.is_open or draft.key("name") is not None or self._is_unknown(draft))
            )
            if name is None:
                name = default_name(self.base_name(draft), used, numbers)
                used.add(name)
            elif (name in first or name in taken) and name not in reported:
                reported.add(name)
                notes = [Note("first used here", first[name].op.span)] if name in first else [Note("an input has this name")]
                at = draft.key("name") or draft.op
                if not any(d.span == at.span for d in self.problems):
                    self.problems.append(p.DuplicateName.at(at.span, draft.path, name=name, notes=notes))
            first.setdefault(name, draft)
            steps.append(replace(self._step(draft, name), is_open=is_open))
        return tuple(steps)

    def _is_unknown(self, draft: Draft) -> bool:
        """Return whether the operation is unknown, which leaves the default name of the step unknown, too."""
        word = str(draft.op.value)
        known = word in LAYERS or word in (*NESTING, GROUP, SHARE, INVALID_OPERATION) or word in self.operations
        return not known and intended_member(LAYERS, word) is None

    def base_name(self, draft: Draft) -> str:
        """Return the operation of a step without a name, in snake case."""
        word = str(draft.op.value)
        if word == SHARE:
            shared = draft.arguments.get("layer") if isinstance(draft.arguments, MappingNode) else draft.arguments
            return str(shared.value) if isinstance(shared, Scalar) else SHARE
        if word not in LAYERS and word[:1].isupper() and word not in NESTING:
            word = intended_member(LAYERS, word) or word  # other steps use its default name
        return "group" if word == GROUP else "step" if word == INVALID_OPERATION else snake_name(word)

    def _given_name(self, draft: Draft) -> str | None:
        tree = draft.key("name")
        if tree is None:
            return None
        name = tree.value if isinstance(tree, Scalar) else None
        if isinstance(name, str) and STEP_NAME.fullmatch(name):
            return name
        shown = name if name is not None else tree.kind
        self.problems.append(p.BadName.at(tree.span, tree.path, name=shown, what="a step", pattern=STEP_NAME.pattern))
        # Other steps may refer to the intended name.
        return name if isinstance(name, str) and name and not set(name) & set("./ ") else None

    def _step(self, draft: Draft, name: str) -> Step:
        counted = draft.keys is not None and "repeat" in draft.keys  # also if the count is unknown
        repeated = counted or draft.key("as") is not None or _is_group(draft)
        content = self._repeated(draft) if repeated else self.content(draft)
        assumed = isinstance(content, Layer) and self._assumed
        op = str(draft.op.value)
        source = draft.keys.get("from") if draft.keys else None
        freeze, weights = self._freeze(draft), read_weights(draft.key("weights"), self.problems)
        return Step(
            name, op, content, source, freeze, draft.op.span, draft.path, draft.arguments, weights, is_assumed=assumed,
            training=self._flag(draft, "training"), params=tuple(draft.scope.values) if op == "Compute" else (),
        )  # fmt: skip

    def _freeze(self, draft: Draft) -> bool:
        return self._flag(draft, "freeze") or False

    def _flag(self, draft: Draft, key: str) -> bool | None:
        """Return the value of a step key that is true or false; None if it is missing or invalid."""
        tree = draft.key(key)
        if tree is None or key not in self.step_keys:
            return None
        if not isinstance(tree, Scalar) or not isinstance(tree.value, bool):
            reason = f"`{key}` must be true or false, not {tree.kind}"
            self.problems.append(p.WrongValue.at(tree.span, tree.path, reason=reason))
            return None
        return tree.value

    def _repeated(self, draft: Draft) -> Nested:
        """Expand a step that runs several times in a row; its parts are named 0, 1, …."""
        count, counter = self._repeat(draft)
        source = draft.key("from")
        inputs = self._inputs_of(str(draft.op.value))
        if len(inputs) < 2 and isinstance(source, MappingNode | SequenceNode) and source.size > 3:
            at = draft.keys.key("repeat") if draft.keys else None
            help = "merge its inputs in an earlier step"
            span = at.span if at else draft.op.span
            self.problems.append(p.WrongValue.at(span, draft.path, help=help, reason="a repeated step takes a single input"))
        parts: list[Step] = []
        for number in range(count):
            if number:
                self._count(draft)
            iteration = self._at_iteration(draft, _counted(draft.scope, counter, number, draft, self.problems))
            if draft.op.value == GROUP:
                content: Content | None = Nested((INPUT,), self.steps(iteration.arguments, (), iteration.scope))
            else:
                content = self.content(iteration)
            freeze = self._freeze(draft) if number == 0 else parts[0].freeze
            op = str(draft.op.value)
            assumed = isinstance(content, Layer) and self._assumed
            place = (draft.op.span, draft.path, iteration.arguments)
            parts.append(Step(str(number), op, content, None, freeze, *place, is_assumed=assumed))
        carries = len(inputs) > 1 or any(_returns(part.content, name) for part in parts[:1] for name in inputs)
        return Nested(inputs if carries else (INPUT,), tuple(parts), carries=carries)

    def _inputs_of(self, word: str) -> tuple[str, ...]:
        """Return the names of the inputs of a block or a network; of anything else, none."""
        return self.blocks[word].inputs if word in self.blocks else self.networks.get(word, ())

    def _at_iteration(self, draft: Draft, scope: Scope) -> Draft:
        """Return a repeated step for one value of its counter."""
        arguments = draft.arguments
        if arguments is not None and draft.op.value not in (*NESTING, GROUP):
            arguments = evaluate(arguments, scope, self.problems)
        return replace(draft, scope=scope, arguments=arguments)

    def content(self, draft: Draft) -> Content | None:
        """Return what a step runs; reports and returns None if it is invalid."""
        op = draft.op
        word = str(op.value)
        if word == INVALID_OPERATION:
            return None
        if word == SHARE:
            return self._shared(draft)
        if word in self.blocks:
            return self._block(self.blocks[word], draft)
        if word in self.networks:
            self.used.add(word)
            if draft.arguments is not None and not draft.arguments.unknown and draft.arguments.plain() not in (None, {}):
                tree = draft.arguments
                help = f"write `- {word}:` and give its input with `from`"
                reason = f"the network `{word}` takes no arguments"
                self.problems.append(p.WrongValue.at(tree.span, tree.path, help=help, reason=reason))
            return NetworkUse(word)
        if word in NESTING:
            from nnspec.spec.nesting import expand_nesting

            return expand_nesting(self, draft)
        if word == "Compute":
            from nnspec.spec.compute import read_compute

            source = draft.keys.get("from") if draft.keys else None
            self._assumed = False
            return read_compute(draft.arguments, source, op, f"{draft.path}.{word}", draft.scope, self.problems)
        if word in LAYERS:
            from nnspec.spec.recurrence import read_recurrence, runs_a_cell
            from nnspec.spec.time_distributed import inner_use

            if runs_a_cell(draft):
                return read_recurrence(self, draft)
            inner = inner_use(self, draft)
            if inner is not None and str(inner.draft.op.value) == "Compute":
                reason = f"`{word}` takes a layer, and an expression already computes all positions"
                help = "write `- Compute: …` as a step of its own, with an axis more, or put it into a block"
                self.problems.append(p.WrongValue.at(inner.draft.op.span, inner.draft.path, help=help, reason=reason))
                return None
            return inner.content(self) if inner else self.layer(draft)
        self.problems.append(self._unknown(op, draft.path))
        return self._meant(draft)

    def _meant(self, draft: Draft) -> Layer | None:
        """Return the layer that an unknown name almost certainly means, so that its arguments and readers are checked, too."""
        word = str(draft.op.value)
        meant = intended_member(LAYERS, word) if word[:1].isupper() else None
        near = meant is not None and SequenceMatcher(None, word.lower(), meant.lower()).ratio() >= _SURE
        if meant is None or not (near or word in LAYERS.aliases):
            return None
        op = Scalar(meant, draft.op.span, draft.op.place)
        layer = self.layer(replace(draft, op=op))
        self._assumed = True
        return layer if layer is not None and not layer.ports.variadic else None

    def _shared(self, draft: Draft) -> Shared | None:
        layer, others = draft.arguments, None
        if isinstance(layer, MappingNode):
            others = MappingNode([(k, v) for k, v in layer.items() if k.value != "layer"], layer.span, layer.place)
            layer = layer.get("layer")
        if isinstance(layer, Unknown):
            return None
        if not isinstance(layer, Scalar) or not isinstance(layer.value, str):
            at = layer or draft.op
            self.problems.append(
                p.WrongValue.at(
                    at.span, draft.path, help="write `- share: embedding`", reason="`share` must name an earlier layer"
                )
            )
            return None
        return Shared(layer.value, others)

    def _block(self, block: Block, draft: Draft) -> Nested | None:
        self.used.add(block.name)
        path = f"{draft.path}.{block.name}"
        if block.name in self._within or len(self._within) >= _DEEPEST:
            chain = (
                " → ".join(f"`{name}`" for name in [*self._within[self._within.index(block.name) :], block.name])
                if (block.name in self._within)
                else f"more than {_DEEPEST} levels"
            )
            self.problems.append(p.BlockInItself.at(draft.op.span, path, chain=chain))
            return None
        scope = bind(block, draft.arguments, draft.op.span, path, self.problems)
        before = len(self.problems)
        self._within.append(block.name)
        try:
            steps = self.steps(block.layers, block.inputs, scope)
            outputs = evaluated(block.outputs, scope, self.problems)
            checks = read_checks(block.checks, scope, self.problems)
            shapes = evaluated(block.shapes, scope, self.problems)
            entries = shapes.items() if isinstance(shapes, MappingNode) else ()
            types = {str(key.value): declared(key, value, self.problems) for key, value in entries}
        finally:
            self._within.pop()
            note = Note(f"in this use of `{block.name}`", draft.op.span)
            self.problems[before:] = [replace(d, notes=(*d.notes, note)) for d in self.problems[before:]]
        return Nested(block.inputs, steps, outputs, closed=True, checks=checks, shapes=types)

    def layer(self, draft: Draft) -> Layer | None:
        """Return the layer of a step; reports and returns None if it is invalid."""
        op, arguments = draft.op, draft.arguments
        try:
            config = LAYERS.get(str(op.value))
        except PluginError as error:
            self.problems.append(broken_plugin(error, LAYERS, op, draft.path))
            return None
        if isinstance(arguments, MappingNode):
            misplaced = [k for k, _ in arguments.items() if k.value in STEP_KEYS and k.value not in config.model_fields]
            for key in misplaced:
                value = arguments.get(str(key.value))
                help = f"`{key.value}` is a key of the step, not an argument of `{op.value}`: unindent it"
                if value is not None and (draft.keys is None or draft.keys.get(str(key.value)) in (None, value)):
                    help = Advice(help, Unindent(value=value.span, operation=op.span, arguments=arguments.span))
                path = str(Place(arguments.place, str(key.value)))
                self.problems.append(p.MisplacedKey.at(key.span, path, help=help, key=key.value, op=op.value))
            if misplaced:
                kept = [(k, v) for k, v in arguments.items() if k not in misplaced]
                arguments = MappingNode(kept, arguments.span, arguments.place)
        assert issubclass(config, Layer)
        if isinstance(arguments, SequenceNode) and config.ports.variadic and config.main_argument is None:
            listed = ", ".join(str(name) for name in arguments.plain()[:4])
            help = f"write `- {op.value}:` with `from: [{listed}]` as a key of the step"
            found = p.NotAMapping.at(arguments.span, arguments.path, help=help, what=f"`{op.value}`", got=arguments.kind)
            self.problems.append(found)
            return None
        known = check_known(config, arguments, self.problems, name=str(op.value), span=op.span)
        layer = known.value
        assert layer is None or isinstance(layer, Layer)
        self._assumed = not known.is_right
        return layer if layer is None or all(layer.is_shape_free(argument) for argument in known.wrong) else None

    def _unknown(self, op: Scalar, path: str) -> Diagnostic:
        word = str(op.value)
        help = member_help(LAYERS, word)
        if (called := re.fullmatch(r"([A-Za-z]\w*)\(.*\)", word)) and called[1] in LAYERS:
            help = f"write arguments as keys: `{called[1]}: {{…}}`"
            return p.UnknownLayer.at(op.span, f"{path}.{word}", help=help, name=word)
        if word.startswith("for "):
            help = "write `{repeat: 3, as: i, layers: […]}`"
            return p.UnknownLayer.at(op.span, f"{path}.{word}", help=help, name=word)
        near = closest(word, self.operations)
        has_help = word in LAYERS.unsupported or replacement_word(LAYERS, word) is not None
        if near and (word[:1].islower() or not (has_help or help)):
            help = suggested(word, near, [*self.operations, *LAYERS.names(plugins=True)], defined=near in self.operations)
        elif not help and word[:1].islower():
            help = "snake_case operations are blocks and networks of the document; built-in layers are in PascalCase"
        elif not help:
            help = "`nnspec layers` lists all layers; if a package provides it, install the package"
        return p.UnknownLayer.at(op.span, f"{path}.{word}" if path else word, help=help, name=word)


def _fed_from(drafts: list[Draft], group: Draft) -> list[Draft]:
    """Feed the input of a group (``from``) to its first step."""
    source = group.keys.key("from") if group.keys else None
    tree = group.key("from")
    if source is None or tree is None or not drafts:
        return drafts
    first = drafts[0]
    if first.key("from") is not None:
        return drafts
    entries = [*(first.keys.items() if first.keys else [(first.op, Scalar(None, first.op.span))]), (source, tree)]
    keys = MappingNode(entries, first.op.span, first.keys.place if first.keys else None)
    return [replace(first, keys=keys), *drafts[1:]]


def _counted(scope: Scope, counter: str | None, number: int, draft: Draft, problems: list[Diagnostic]) -> Scope:
    """Return the scope of one repetition, in which the counter has a value."""
    at = draft.key("as")
    return scope if counter is None or at is None else scope.inner({counter: Scalar(number, at.span, at.place)}, problems)


def _returns(content: Content | None, name: str) -> bool:
    """Return whether a block returns an output of this name, and none that is the default."""
    outputs = content.outputs if isinstance(content, Nested) else None
    return isinstance(outputs, MappingNode) and name in outputs and "output" not in outputs


def _is_group(draft: Draft) -> bool:
    return draft.op.value == GROUP


def default_name(base: str, used: set[str], numbers: dict[str, int]) -> str:
    """Return the default name of a step: its operation, numbered from the second on, unique in its list.

    Args:
        base: Operation in snake case.
        used: Names that are in use.
        numbers: Next number for each operation; updated.
    """
    number = numbers.get(base, 0)
    while (name := base if number == 0 else f"{base}_{number}") in used:
        number += 1
    numbers[base] = number + 1
    return name
