"""Binding of the names of a document: each use to its definition, by the scopes of the language."""

from __future__ import annotations

import re
from collections import ChainMap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

from nnspec.diagnostics import Span
from nnspec.expressions.syntax import Attribute, Call, ExpressionError, Loop, Syntax, parse
from nnspec.expressions.syntax import Name as Read
from nnspec.expressions.syntax import children as parts_of
from nnspec.language_server.names import Kind, Name, Names
from nnspec.language_server.places import Keys, children, is_list_of_steps, operation_of, text_of
from nnspec.spec.compute import expressions
from nnspec.spec.program import OBJECTIVE
from nnspec.spec.tree import MappingNode, Scalar, SequenceNode, Tree

__all__ = ["bind_names"]

_EXPRESSION = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)$|\$\{([^}]*)\}")
_LAYERS_INSIDE = ("layer", "cell", "merge", "backward_layer")
"""Arguments that name a layer, a block or a network."""
_CRITERIA = ("loss", "metrics")

Params = ChainMap[str, Name]


@dataclass(eq=False)
class _Scope:
    """The names that steps of one list can read."""

    around: _Scope | None = None
    names: dict[str, Name] = field(default_factory=dict)

    def find(self, text: str) -> Name | None:
        found = self.names.get(text)
        return found if found is not None or self.around is None else self.around.find(text)

    def chain(self) -> list[dict[str, Name]]:
        return [self.names, *(self.around.chain() if self.around is not None else [])]


@dataclass(eq=False)
class _Owner:
    """What has inputs, steps and outputs: the document, a block, a network or a program."""

    scope: _Scope = field(default_factory=_Scope)
    inputs: dict[str, Name] = field(default_factory=dict)
    outputs: dict[str, Name] = field(default_factory=dict)
    params: dict[str, Name] = field(default_factory=dict)
    last: Name | None = None


def bind_names(tree: MappingNode, default_names: Mapping[str, list[str]]) -> Names:
    """Find the names of a document.

    Args:
        tree: The document.
        default_names: Names of the steps by their paths, for those that do not state one.

    Example:
        >>> from nnspec.spec import read_text
        >>> tree = read_text("{params: {n: 1}, inputs: {x: [$n]}, layers: [{Dense: $n, from: x}]}", "example", [])
        >>> names = bind_names(tree, {})
        >>> [(name.text, name.is_definition) for name in names.all if name.text == "n"]
        [('n', True), ('n', False), ('n', False)]
    """
    return _Binder(tree, default_names).bind()


class _Binder:
    def __init__(self, tree: MappingNode, default_names: Mapping[str, list[str]]) -> None:
        self._tree = tree
        self._default_names = default_names
        self._all: list[Name] = []
        self._later: list[Callable[[], None]] = []
        self._owners: dict[str, _Owner] = {}
        self._definitions: dict[str, Name] = {}
        self._steps_of: dict[int, str] = {}
        self._params: dict[Keys, dict[str, Name]] = {}
        self._scopes: dict[Keys, _Scope] = {}
        self._main = _Owner()

    def bind(self) -> Names:
        tree = self._tree
        params: Params = ChainMap()
        self._declare_params(tree.get("params"), ("params",), params, self._main, ())
        self._define_all("block", tree.get("blocks"), ("blocks",))
        self._define_all("network", tree.get("networks"), ("networks",))
        self._define_all("objective", tree.get("objectives"), ("objectives",))
        self._define_all("network", tree.get("use"), ("use",))
        for section in ("blocks", "networks", "objectives"):
            for key, _, value in children(tree.get(section)):
                if isinstance(value, MappingNode):
                    self._owner((section, key), value, params.new_child(), self._owners.setdefault(str(key), _Owner()))
        self._owner((), tree, params, self._main)
        for section in ("data", "train", "generate", "export", "sweep", "weights", "budget"):
            if (content := tree.get(section)) is not None:
                self._section((section,), content, params)
        for bind in self._later:
            bind()
        return Names(tuple(self._all), {keys: scope.chain() for keys, scope in self._scopes.items()}, self._params)

    # --- definitions ------------------------------------------------------------------------------------------------------

    def _define(
        self,
        kind: Kind,
        key: Scalar,
        keys: Keys,
        value: Tree | None,
        what: str,
        *,
        implied: bool = False,
        follows: Name | None = None,
    ) -> Name:
        found = Name(kind, str(key.value), _span(key), keys, value, what, is_implied=implied, follows=follows)
        self._all.append(found)
        return found

    def _define_all(self, kind: Kind, tree: Tree | None, keys: Keys) -> None:
        for key, name, value in children(tree):
            if name is not None:
                self._definitions[str(key)] = self._define(kind, name, (*keys, key), value, f"a {kind} of the document")
            else:
                self._define_all(kind, value, (*keys, key))

    def _declare_params(self, tree: Tree | None, keys: Keys, params: Params, owner: _Owner, within: Keys) -> None:
        what = "a param of the document" if not within else f"a param of `{within[-1]}`"
        for key, name, value in children(tree) if isinstance(tree, MappingNode) else ():
            assert name is not None
            self._values((*keys, key), value, None, params)
            found = self._define("param", name, (*keys, key), value, what)
            params[found.text] = owner.params[found.text] = found
        self._params[within] = dict(owner.params)

    def _owner(self, keys: Keys, tree: MappingNode, params: Params, owner: _Owner) -> None:
        """Bind the names of what has inputs, steps and outputs."""
        if keys:
            self._declare_params(tree.get("params"), (*keys, "params"), params, owner, keys)
        scope = owner.scope
        inputs = tree.get("inputs")
        for key, name, value in children(inputs):
            named = name if name is not None else value
            if isinstance(named, Scalar) and isinstance(named.value, str):
                found = self._define("input", named, (*keys, "inputs", key), value, "an input")
                owner.inputs[found.text] = scope.names[found.text] = found
            if name is not None:
                self._values((*keys, "inputs", key), value, None, params)
        draws = tree.get("draw")
        for key, name, value in children(draws) if isinstance(draws, MappingNode) else ():
            assert name is not None
            scope.names[str(key)] = self._define("draw", name, (*keys, "draw", key), value, "a random value")
            self._values((*keys, "draw", key), value, scope, params)
        self._steps((*keys, "layers"), tree.get("layers"), scope, params)
        layers = tree.get("layers")
        if isinstance(layers, SequenceNode) and layers.items:
            last = (*keys, "layers", len(layers.items) - 1)
            owner.last = next((name for name in scope.names.values() if name.keys == last), None)
        self._outputs(keys, tree.get("outputs"), owner)
        for key, _, value in children(tree.get("check")):
            self._check((*keys, "check", key), value, scope, params)

    def _outputs(self, keys: Keys, tree: Tree | None, owner: _Owner) -> None:
        for key, name, value in children(tree):
            if name is not None:
                found = self._define("output", name, (*keys, "outputs", key), value, "an output")
                owner.outputs[found.text] = found
            elif isinstance(value, Scalar):
                self._later.append(partial(self._name_output, value, owner))
            self._source(value, owner.scope)
        if isinstance(tree, Scalar):
            self._source(tree, owner.scope)
            self._later.append(partial(self._name_output, tree, owner))
        if tree is None and owner.last is not None:
            owner.outputs.setdefault(owner.last.text, owner.last)

    def _name_output(self, value: Scalar, owner: _Owner) -> None:
        step = owner.scope.find(str(value.value).partition(".")[0])
        if step is not None and "." not in str(value.value):
            owner.outputs.setdefault(step.text, step)

    # --- steps ------------------------------------------------------------------------------------------------------------

    def _steps(self, keys: Keys, tree: Tree | None, scope: _Scope, params: Params) -> None:
        self._scopes[keys] = scope
        for index, item in enumerate(tree.items if isinstance(tree, SequenceNode) else ()):
            self._step((*keys, index), item, scope, params)

    def _step(self, keys: Keys, item: Tree, scope: _Scope, params: Params) -> None:
        operation, word = operation_of(item), ""
        if operation is not None:
            word = str(operation.value)
            self._use_of_definition(operation)
        self._name_step(keys, item, operation, scope)
        if not isinstance(item, MappingNode):
            return
        counter = item.get("as")
        if isinstance(counter, Scalar) and isinstance(counter.value, str):
            found = self._define("counter", counter, (*keys, "as"), item.get("repeat"), "the counter of a `repeat`")
            params = params.new_child({found.text: found})
            self._params[keys] = {found.text: found}
        for name, value in item.items():
            key = str(name.value)
            within = (*keys, key)
            if key == "layers":
                self._steps(within, value, scope if "name" not in item else _Scope(scope), params)
            elif key == "from":
                self._from(value, scope, _cell_of(item.get(word)) or word)
                self._values(within, value, None, params)
            elif key == "share":
                self._source(value.get("layer") if isinstance(value, MappingNode) else value, scope)
            elif key == "Compute":
                self._values(within, value, None, params)
                self._compute(value, item.get("from"), scope, params)
            else:
                self._arguments(within, value, scope, params, key if name is operation else "")

    def _name_step(self, keys: Keys, item: Tree, operation: Scalar | None, scope: _Scope) -> None:
        named = item.get("name") if isinstance(item, MappingNode) else None
        defaults = self._default_names.get(text_of(keys), [])
        found: Name | None = None
        if isinstance(named, Scalar) and isinstance(named.value, str) and not named.dynamic:
            found = self._define("step", named, keys, item, "a step")
        elif named is None and operation is not None and len(defaults) == 1:
            implied = Scalar(defaults[0], operation.span)
            found = self._define(
                "step", implied, keys, item, "a step", implied=True, follows=self._definitions.get(defaults[0])
            )
        else:
            span = (named or operation or item).span
            for text in defaults:  # the names of a repeated step are computed
                name = Name("step", text, span, keys, item, "a step", is_implied=True)
                self._all.append(name)
                scope.names.setdefault(text, name)
        if found is not None:
            scope.names.setdefault(found.text, found)
            if operation is not None:
                arguments = item.get(str(operation.value)) if isinstance(item, MappingNode) else None
                self._steps_of[id(found)] = _cell_of(arguments) or str(operation.value)

    def _arguments(self, keys: Keys, tree: Tree, scope: _Scope, params: Params, word: str) -> None:
        """Bind the names in the arguments of an operation, which are the params of a block."""
        if isinstance(tree, MappingNode) and word:
            for name, _ in tree.items():
                self._use_later(name, partial(self._param_of, word, name))
        self._values(keys, tree, scope, params)

    def _param_of(self, word: str, name: Scalar) -> Name | None:
        owner = self._owners.get(word)
        return owner.params.get(str(name.value)) if owner is not None else None

    def _from(self, tree: Tree, scope: _Scope, word: str) -> None:
        if not isinstance(tree, MappingNode):
            for _, _, item in children(tree) if isinstance(tree, SequenceNode) else [(0, None, tree)]:
                self._source(item, scope)
            return
        for name, value in tree.items():
            self._use_later(name, partial(self._input_of, word, str(name.value)))
            self._source(value, scope)

    def _input_of(self, word: str, text: str) -> Name | None:
        owner = self._main if word == "main" else self._owners.get(word)
        return owner.inputs.get(text) if owner is not None else None

    def _output_of(self, word: str, text: str) -> Name | None:
        owner = self._main if word == "main" else self._owners.get(word)
        return owner.outputs.get(text) if owner is not None else None

    def _source(self, tree: Tree | None, scope: _Scope) -> None:
        """Bind a name of a step or input, and the output after a dot."""
        if not isinstance(tree, Scalar) or not isinstance(tree.value, str) or tree.dynamic:
            return
        text, dot, output = tree.value.partition(".")
        self._part_later(tree, 0, text, lambda: scope.find(text))
        if dot:
            self._part_later(tree, len(text) + 1, output, partial(self._output_of_step, text, output, scope))

    def _output_of_step(self, name: str, output: str, scope: _Scope) -> Name | None:
        """Return the output of the block or network that a step uses."""
        step = scope.find(name)
        return None if step is None else self._output_of(self._steps_of.get(id(step), ""), output)

    def _compute(self, tree: Tree, source: Tree | None, scope: _Scope, params: Params) -> None:
        local = {str(key.value) for key, _ in source.items()} if isinstance(source, MappingNode) else set()
        if source is not None and not isinstance(source, MappingNode):
            local = {"x"}
        for result, scalar in expressions(tree).items():
            self._expression(scalar, str(scalar.value), 0, scope, params, frozenset(local), tensors=True)
            local = local | {result}

    def _check(self, keys: Keys, tree: Tree, scope: _Scope, params: Params) -> None:
        that = tree.get("that") if isinstance(tree, MappingNode) else None
        if isinstance(that, Scalar) and isinstance(that.value, str):
            self._expression(that, that.value, 0, scope, params, tensors=True)

    # --- values and expressions -------------------------------------------------------------------------------------------

    def _values(self, keys: Keys, tree: Tree, scope: _Scope | None, params: Params) -> None:
        """Bind the params that expressions in a value read, and the layers and blocks in it."""
        if isinstance(tree, Scalar):
            if tree.dynamic and isinstance(tree.value, str):
                for found in _EXPRESSION.finditer(tree.value):
                    group = 1 if found[1] else 2
                    self._expression(tree, found[group] or "", found.start(group), None, params)
            return
        if is_list_of_steps(keys) and isinstance(tree, SequenceNode):
            self._steps(keys, tree, _Scope(scope), params)
            return
        for key, name, value in children(tree):
            within = (*keys, key)
            inside = keys[-1:] and keys[-1] in _LAYERS_INSIDE
            if name is not None and name.dynamic:
                self._values(within, name, scope, params)
            if name is not None and inside:
                self._use_of_definition(name)
                self._arguments(within, value, scope or _Scope(), params, str(key))
                continue
            if isinstance(value, Scalar) and key in _LAYERS_INSIDE:
                self._use_of_definition(value)
            self._values(within, value, scope, params)

    def _expression(
        self, scalar: Scalar, text: str, offset: int, scope: _Scope | None, params: Params,
        local: frozenset[str] = frozenset(), *, tensors: bool = False,
    ) -> None:  # fmt: skip
        """Bind the names of an expression, which begins at an offset of its scalar."""
        if "${" in text:
            return
        try:
            root = parse(text, tensors=tensors)
        except ExpressionError:
            return
        for read, output in _reads(root):
            name = read.name
            if name in local:
                continue
            self._part_later(scalar, offset + read.start, name, partial(self._value_of, name, scope, params))
            if output is not None and scope is not None:
                at = offset + output.end - len(output.name)
                self._part_later(scalar, at, output.name, partial(self._output_of_step, name, output.name, scope))

    def _value_of(self, name: str, scope: _Scope | None, params: Params) -> Name | None:
        return (scope.find(name) if scope else None) or params.get(name)

    # --- sections of the document -----------------------------------------------------------------------------------------

    def _section(self, keys: Keys, tree: Tree, params: Params) -> None:
        if keys[-1] == OBJECTIVE and isinstance(tree, MappingNode):
            owner = _Owner(_Scope(None, dict(self._main.inputs)))
            self._owner(keys, tree, params.new_child(), owner)
            self._updates(tree, owner.scope)
            return
        self._use_in_section(keys, tree)
        for key, name, value in children(tree):
            if name is not None:
                self._key_in_section(keys, name)
            self._section((*keys, key), value, params)
        if isinstance(tree, Scalar):
            self._values(keys, tree, None, params)

    def _updates(self, tree: MappingNode, scope: _Scope) -> None:
        for _, _, item in children(tree.get("minimize")):
            if isinstance(item, MappingNode):
                self._source(item.get("loss"), scope)
                self._networks(item.get("of"))
        for _, _, item in children(tree.get("show")):
            self._source(item, scope)
        averages = tree.get("average")
        for name, value in averages.items() if isinstance(averages, MappingNode) else ():
            self._definitions[str(name.value)] = self._define("network", name, (), None, "an average of a network")
            self._networks(value.get("of") if isinstance(value, MappingNode) else value)

    def _networks(self, tree: Tree | None) -> None:
        for item in tree.items if isinstance(tree, SequenceNode) else [tree]:
            if isinstance(item, Scalar):
                self._use_of_definition(item)

    def _key_in_section(self, keys: Keys, name: Scalar) -> None:
        text = str(name.value)
        match keys:
            case ("data", "inputs"):
                self._use_later(name, lambda: self._field(text))
            case ("data", "targets") | ("train", "loss" | "metrics" | "loss_weights" | "class_weight"):
                self._use_later(name, lambda: self._main.outputs.get(text) or self._definitions.get(text))
            case ("train", "optimizer"):
                self._use_of_definition(name)
            case ("train", "loss" | "metrics", *_):
                self._use_of_definition(name)
            case ("train", "objective", _, "restores"):
                self._use_later(name, lambda: self._main.outputs.get(text))
            case ("export", "inputs"):
                self._use_later(name, lambda: self._input_of(self._chosen("network", "export") or "main", text))
            case ("generate", "memory" | "begin" | "carry" | "draw"):
                self._use_later(name, lambda: self._input_of(self._decoder, text))

    def _use_in_section(self, keys: Keys, tree: Tree) -> None:
        if not isinstance(tree, Scalar) or not isinstance(tree.value, str) or tree.dynamic:
            return
        text = tree.value
        match keys:
            case ("train", "loss" | "metrics", *_):
                self._use_of_definition(tree)
            case (*_, "freeze", int()) | (*_, "freeze"):
                self._path(tree)
            case ("generate", "encode" | "decode" | "network") | ("export", "network"):
                self._use_of_definition(tree)
            case ("train", "objective", _, "generator" | "discriminator"):
                self._use_of_definition(tree)
            case ("export", "outputs", *_):
                self._use_later(tree, lambda: self._output_of(self._chosen("network", "export") or "main", text))
            case ("export", "inputs", _):
                self._use_later(tree, lambda: self._field(text))
            case ("generate", "token", "input") | ("generate", "count") | ("generate", "condition", int()):
                self._use_later(tree, lambda: self._input_of(self._decoder, text))
            case ("generate", "token", "logits") | ("generate", "carry", _) | ("generate", "result"):
                self._use_later(tree, lambda: self._output_of(self._decoder, text))
            case ("generate", "memory" | "begin", _):
                self._use_later(tree, lambda: self._output_of(self._chosen("encode"), text))
            case ("data", "augment", int(), "on", int()) | ("data", "augment", int(), "on"):
                self._use_later(tree, lambda: self._field(text))
            case ("data", "window" | "batches", "of") | ("train", "objective", _, "condition", int()):
                self._use_later(tree, lambda: self._field(text))
            case ("train", "objective", _, "restores", _):
                self._use_later(tree, lambda: self._main.inputs.get(text))
            case ("train", "objective", _, _):
                self._use_later(tree, lambda: self._definitions.get(text) or self._field(text))

    def _field(self, text: str) -> Name | None:
        """Return the input or output of the network that data feeds; of all networks, if the document has no layers."""
        found = self._main.inputs.get(text) or self._main.outputs.get(text)
        if found is not None or self._tree.get("layers") is not None:
            return found
        return next((owner.inputs[text] for owner in self._owners.values() if text in owner.inputs), None)

    def _path(self, tree: Scalar) -> None:
        """Bind the first step or network of a path such as ``backbone/stage1``."""
        first = str(tree.value).partition("/")[0]
        self._part_later(tree, 0, first, lambda: self._main.scope.find(first) or self._definitions.get(first))

    @property
    def _decoder(self) -> str:
        return self._chosen("decode") or self._chosen("network") or "main"

    def _chosen(self, key: str, of: str = "generate") -> str:
        """Return the network that a section names."""
        section = self._tree.get(of)
        found = section.get(key) if isinstance(section, MappingNode) else None
        return str(found.plain()) if isinstance(found, Scalar) else ""

    # --- uses -------------------------------------------------------------------------------------------------------------

    def _use_later(self, scalar: Scalar, find: Callable[[], Name | None]) -> None:
        if isinstance(scalar.value, str) and not scalar.dynamic:
            self._part_later(scalar, 0, scalar.value, find)

    def _use_of_definition(self, scalar: Scalar) -> None:
        """Add a use of a block, network or objective of the document."""
        self._use_later(scalar, partial(self._definitions.get, str(scalar.value)))

    def _part_later(self, scalar: Scalar, start: int, text: str, find: Callable[[], Name | None]) -> None:
        """Add a use of a part of a scalar, once all definitions are known."""

        def bind() -> None:
            found = find()
            if found is not None and found.text == text:
                span = scalar.part(start, start + len(text))
                is_exact = span != scalar.span or str(scalar.value) == text
                if is_exact:
                    self._all.append(Name(found.kind, text, span, found.keys, found.value, found.what, False, of=found))

        self._later.append(bind)


def _cell_of(arguments: Tree | None) -> str:
    """Return the cell whose inputs are those of a step; empty if it runs none."""
    cell = arguments.get("cell") if isinstance(arguments, MappingNode) else None
    named = next((key for key, _ in cell.items()), None) if isinstance(cell, MappingNode) else cell
    return str(named.value) if isinstance(named, Scalar) else ""


def _span(key: Scalar) -> Span:
    """Return the location of a name, without quotes."""
    return key.part(0, len(str(key.value)))


def _reads(node: Syntax, bound: frozenset[str] = frozenset()) -> Iterator[tuple[Read, Attribute | None]]:
    """Yield the names that an expression reads, each with the attribute after it; not functions and counters of lists."""
    match node:
        case Attribute(value=Read() as read):
            yield from [(read, node)] if read.name not in bound else []
        case Read():
            yield from [(node, None)] if node.name not in bound else []
        case Call():
            for part in (*node.arguments, *(value for _, value in node.keywords)):
                yield from _reads(part, bound)
        case Loop():
            yield from _reads(node.values, bound)
            for inner in (node.item, node.condition):
                yield from _reads(inner, bound | {node.name.name}) if inner is not None else ()
        case _:
            for part in parts_of(node):
                yield from _reads(part, bound)
