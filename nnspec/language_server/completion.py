"""What can be written at a cursor: keys, layers, values and the names of the document."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from nnspec.functions.catalogue import FUNCTIONS
from nnspec.json_schema.snippets import escaped, snippet_text
from nnspec.language_server.cursor import MARK, Cursor
from nnspec.language_server.expected import Expected, Form, allows, is_member, names_of
from nnspec.language_server.names import Name, Names
from nnspec.language_server.places import Keys, is_step, operation_of
from nnspec.layers import LAYERS
from nnspec.layers.base import Layer, Ports
from nnspec.spec.dumping import flow
from nnspec.spec.tree import MappingNode, Scalar, SequenceNode, Tree

__all__ = ["Candidate", "candidates", "plain_text"]

Kind = Literal["key", "layer", "value", "name", "param", "function"]


@dataclass(frozen=True)
class Candidate:
    """A completion.

    Attributes:
        label: The word.
        kind: What it is.
        insert: What is written: a snippet, in which ``${1:64}`` marks a value to change.
        about: What it means.
        detail: More, on the same line.
        is_first: Whether it is likely: required, or near.
    """

    label: str
    kind: Kind
    insert: str
    about: str = ""
    detail: str = ""
    is_first: bool = False


def candidates(cursor: Cursor, expected: Expected, names: Names | None, tree: MappingNode | None) -> list[Candidate]:
    """Return what can be written at a cursor.

    Args:
        cursor: The cursor.
        expected: The schema of documents.
        names: The names of the last version that could be read; None if there is none.
        tree: That version.
    """
    found: dict[str, Candidate] = {}
    for candidate in _Place(cursor, expected, names, tree).candidates():
        found.setdefault(candidate.label, candidate)
    return list(found.values())


class _Place:
    def __init__(self, cursor: Cursor, expected: Expected, names: Names | None, tree: MappingNode | None) -> None:
        self._cursor = cursor
        self._expected = expected
        self._names = names
        self._keys = _in_document(cursor, tree)
        self._forms = expected.at(cursor.around, cursor.keys)

    def candidates(self) -> Iterator[Candidate]:
        cursor = self._cursor
        in_expression = cursor.quote and self._is_in_expression()
        if cursor.what == "key" and not cursor.quote:
            yield from self._names_as_keys()
            yield from self._known_keys()
        elif in_expression or cursor.word.startswith("$"):
            yield from self._params("" if in_expression else "$", every=bool(in_expression))
        elif self._is_expression_of_tensors():
            yield from self._tensors()
        elif not cursor.quote:
            yield from self._named_values()
            if cursor.what == "item" and is_step(cursor.keys):
                yield from self._steps()
            elif not self._nameable():
                yield from self._values()
                yield from self._params("$")

    # --- keys -------------------------------------------------------------------------------------------------------------

    def _known_keys(self) -> Iterator[Candidate]:
        cursor = self._cursor
        beside = names_of(cursor.beside)
        for form in self._expected.fitting(self._forms, beside):
            needed = form.get("required", ())
            if form.get("maxProperties") == 1 and beside:
                continue
            properties = self._expected.properties(form)
            has_member = any(is_member(properties[key]) for key in beside & properties.keys())
            for key, part in properties.items():
                if key not in beside and not (has_member and is_member(part)) and (key != "as" or "repeat" in beside):
                    kind: Kind = "layer" if key[:1].isupper() else "key"
                    yield Candidate(key, kind, self._entry(key, part), _about(self._expected, part), is_first=key in needed)

    def _entry(self, key: str, part: Form) -> str:
        """Return a key with an example of its value, unless it has a value already."""
        if self._cursor.has_value:
            return key
        forms = self._expected.forms(part)
        if (text := self._own_example(key)) != "":
            return f"{key}: ${{1:{escaped(text)}}}"
        value = self._expected.example(part)
        if value is None and any(form.get("type") == "null" for form in forms) and key[:1].isupper():
            return f"{key}: " + ("{}" if self._cursor.is_flow else "")
        return f"{key}: {snippet_text(value)}"

    def _own_example(self, key: str) -> str:
        """Return an example for `from`: the nearest name that can be read; empty for another key."""
        if not is_step(self._cursor.keys):
            return ""
        if key == "from" and self._nearest():
            return self._nearest()[-1]
        return ""

    def _nearest(self) -> list[str]:
        """Return the names of the inputs and steps that the step here can read, nearest last."""
        if self._names is None:
            return []
        found = [name.text for name in self._readable() if name.kind != "step" or name.keys != self._keys[: len(name.keys)]]
        return [text for text in found if text.replace("-", "_").isidentifier()]

    def _names_as_keys(self) -> Iterator[Candidate]:
        """Yield names of the document that are keys: ports, params of a block, inputs and outputs of the network."""
        cursor = self._cursor
        beside = names_of(cursor.beside)
        for name, insert in self._keyed_names():
            if name not in beside:
                yield Candidate(name, "name", name if cursor.has_value else f"{name}: {insert}", is_first=True)

    def _keyed_names(self) -> Iterator[tuple[str, str]]:
        names, keys = self._names, self._cursor.keys
        if names is None:
            return
        if keys[-1:] == ("from",) and len(keys) > 1:
            tensor = next((name.text for name in reversed(self._readable())), "x")
            for port in self._ports(_at(self._cursor.around, keys[:-1])):
                yield port, f"${{1:{tensor}}}"
        elif is_step(keys[:-1]) and isinstance(keys[-1], str):
            for name in names.params_at(("blocks", keys[-1])).values():
                if name.keys[:2] == ("blocks", keys[-1]):
                    yield name.text, snippet_text(_value_of(name))
        elif is_step(keys) and not any(key[:1].isupper() or key == "layers" for key in names_of(self._cursor.beside)):
            for name in self._own_operations():
                if operation_of(self._cursor.beside or Scalar(None, name.span)) is None:
                    yield name.text, self._arguments_of(name)
        elif keys == ("data", "inputs"):
            for text in self._of_main("input"):
                yield text, f"${{1:{text}}}"

    def _of_main(self, kind: str) -> list[str]:
        names = self._names.all if self._names is not None else ()
        return [name.text for name in names if name.is_definition and name.kind == kind and len(name.keys) == 2]

    def _ports(self, step: Tree | None) -> list[str]:
        operation = operation_of(step) if step is not None else None
        word = str(operation.value) if operation is not None else ""
        if word in LAYERS and issubclass(config := LAYERS.get(word), Layer):
            ports = getattr(config, "ports", None)
            return [*getattr(ports, "required", ()), *getattr(ports, "optional", ())]
        names = self._names.all if self._names is not None else ()
        owners = (("blocks", word), ("networks", word))
        return [name.text for name in names if name.is_definition and name.kind == "input" and name.keys[:2] in owners]

    # --- steps ------------------------------------------------------------------------------------------------------------

    def _steps(self) -> Iterator[Candidate]:
        """Yield the layers, and the blocks and networks of the document, as whole steps."""
        flow_ = self._cursor.is_flow
        for form in self._forms:
            needed = form.get("required", ())
            for key in needed:
                part = self._expected.properties(form)[key]
                text = self._step_of(key, self._expected.example(part))
                alone = any(form.get("type") == "null" for form in self._expected.forms(part))
                if alone and text.endswith(": {}"):
                    yield Candidate(key, "layer", key, _about(self._expected, part))
                    continue
                kind: Kind = "layer" if key[:1].isupper() else "key"
                if kind == "layer" or key == "layers":
                    yield Candidate(key, kind, f"{{{text}}}" if flow_ else text, _about(self._expected, part))
        for name in self._own_operations():
            arguments = self._arguments_of(name)
            text = f"{name.text}: {arguments}" if arguments else name.text
            yield Candidate(name.text, "name", f"{{{text}}}" if flow_ and arguments else text, name.what, is_first=True)

    def _step_of(self, word: str, value: Any) -> str:
        """Return a step as a snippet: an operation with what is required, and its sources if it takes several."""
        kind = LAYERS.get(word) if word in LAYERS else None
        ports = kind.ports if kind is not None and issubclass(kind, Layer) and isinstance(kind.ports, Ports) else Ports()
        count = 2 if ports.variadic else len(ports.required) if not ports.one_feeds_all else 1
        entry = f"{word}: {snippet_text(value)}" if value not in (None, {}) else f"{word}:"
        names = self._nearest()[-count:]
        if count < 2 or len(names) < count:
            return entry if not entry.endswith(":") else f"{entry} {{}}"
        sources = names if ports.variadic else dict(zip(ports.required, names, strict=True))
        between = ", " if self._cursor.is_flow else "\n  "
        entry = f"{entry} {{}}" if self._cursor.is_flow and entry.endswith(":") else entry
        return f"{entry}{between}from: {snippet_text(sources, 9)}"

    def _about_word(self, word: str) -> str:
        return next(
            (
                _about(self._expected, self._expected.properties(form)[word])
                for form in self._forms
                if word in self._expected.properties(form)
            ),
            "",
        )

    def _own_operations(self) -> list[Name]:
        """Return the blocks and networks that a step here may use: not those that it is in."""
        names = self._names.all if self._names is not None else ()
        within = self._keys[1:2] if self._keys[:1] in (("blocks",), ("networks",)) else ()
        found = [name for name in names if name.is_definition and name.kind in ("block", "network") and name.keys]
        return [name for name in found if (name.text,) != within]

    def _arguments_of(self, name: Name) -> str:
        if name.kind != "block" or self._names is None:
            return ""
        params = [
            each for each in self._names.params_at(("blocks", name.text)).values() if each.keys[:2] == ("blocks", name.text)
        ]
        values = {each.text: _required_value(each) for each in params}
        needed = {text: value for text, value in values.items() if value is not None}
        return snippet_text(needed) if needed else ""

    # --- values -----------------------------------------------------------------------------------------------------------

    def _values(self) -> Iterator[Candidate]:
        for form in self._forms:
            choices = form.get("enum", [form["const"]] if "const" in form else [])
            for choice in choices:
                if isinstance(choice, str):
                    yield Candidate(choice, "value", flow(choice), self._about_word(choice))
                elif choice is not None:
                    yield Candidate(flow(choice), "value", flow(choice))
            if form.get("type") == "boolean":
                yield Candidate("true", "value", "true")
                yield Candidate("false", "value", "false")
            if form.get("maxProperties") == 1 or form.get("minProperties") == 1:
                for key, part in self._expected.properties(form).items():
                    if key[:1].isalpha() and (form.get("maxProperties") == 1 or is_member(part)):
                        entry = f"{{{key}: {snippet_text(self._expected.example(part) or {})}}}"
                        yield Candidate(key, "value", entry, _about(self._expected, part))
            for example in form.get("examples", ()):
                if not isinstance(example, str):
                    yield Candidate(flow(example), "value", flow(example))
            default = form.get("default")
            if default is not None and allows([form], default):
                yield Candidate(flow(default), "value", flow(default), detail="default")

    def _params(self, prefix: str, *, every: bool = False) -> Iterator[Candidate]:
        """Yield the params that may stand here, and counters of repeated steps in expressions."""
        if self._names is None:
            return
        is_expression = any(form.get("pattern") == r"\$" for form in self._forms)
        for name in self._names.params_at(self._keys).values():
            value = None if name.kind == "counter" else _value_of(name)
            if every or (is_expression and value is not None and allows(self._forms, value)):
                detail = f"= {flow(value)}" if value is not None else name.what
                yield Candidate(prefix + name.text, "param", prefix.replace("$", "\\$") + name.text, name.what, detail)

    # --- names ------------------------------------------------------------------------------------------------------------

    def _named_values(self) -> Iterator[Candidate]:
        for name in self._nameable():
            yield Candidate(name.text, "name", name.text, name.what, is_first=True)

    def _nameable(self) -> list[Name]:
        """Return the names of the document that the value here may be."""
        names, keys = self._names, self._cursor.keys
        if names is None:
            return []
        words = [key for key in keys if isinstance(key, str)]
        last = words[-1] if words else ""
        parents = words[-2:-1]
        if last == "from" or parents == ["from"]:
            return [name for name in self._readable() if name.text.isidentifier() or name.kind == "step"]
        if last == "share" or (last == "layer" and parents == ["share"]):
            return [name for name in self._readable() if name.kind == "step" and _is_layer(name)]
        if last == "outputs" or parents == ["outputs"]:
            owner = keys[: keys.index("outputs")]
            return [name for name in names.readable((*owner, "layers"), 10**9) if name.kind == "step"]
        if words[:1] in (["generate"], ["export"]) and last in ("encode", "decode", "network"):
            return [name for name in names.all if name.is_definition and name.kind == "network"]
        return []

    def _readable(self) -> list[Name]:
        """Return the inputs and steps that the step here can read."""
        assert self._names is not None
        keys = self._keys
        count = next((count for count in range(len(keys), 0, -1) if is_step(keys[:count])), 0)
        return self._names.readable(keys[: count - 1], self._step_line) if count else []

    @property
    def _step_line(self) -> int:
        """The line at which the step at the cursor begins."""
        keys = self._cursor.keys
        count = next((count for count in range(len(keys), 0, -1) if is_step(keys[:count])), 0)
        step = _at(self._cursor.around, keys[:count])
        lines = step.span.line if step is not None else 1
        reduced = _last_line(self._cursor.around)
        return self._cursor.line - max(reduced - lines, 0)

    # --- expressions ------------------------------------------------------------------------------------------------------

    def _is_in_expression(self) -> bool:
        value = _at(self._cursor.around, self._cursor.keys)
        text = str(value.plain()) if isinstance(value, Scalar) else ""
        before = text.partition(MARK)[0]
        return before.rfind("${") > before.rfind("}")

    def _is_expression_of_tensors(self) -> bool:
        keys = self._cursor.keys
        return "Compute" in keys[-2:] and is_step(keys[: len(keys) - 1 - keys[::-1].index("Compute")])

    def _tensors(self) -> Iterator[Candidate]:
        if self._names is None or "." in self._cursor.word:
            return
        step = _at(self._cursor.around, self._cursor.keys[: self._cursor.keys.index("Compute")])
        source = step.get("from") if isinstance(step, MappingNode) else None
        if source is not None:
            for text in names_of(source) if isinstance(source, MappingNode) else ("x",):
                yield Candidate(text, "name", text, is_first=True)
        else:
            for name in self._readable():
                if name.text.isidentifier():
                    yield Candidate(name.text, "name", name.text, name.what, is_first=True)
        yield from self._params("", every=True)
        for word, function in FUNCTIONS.items():
            yield Candidate(word, "function", f"{word}(${{1:x}})", function.summary, function.signature)


def _about(expected: Expected, part: Form) -> str:
    return next((form["description"] for form in expected.forms(part) if "description" in form), "")


def plain_text(snippet: str) -> str:
    """Return a snippet with its example values as text.

    Example:
        >>> plain_text(r"{units: ${1:64}, rate: ${2:\\$rate}}")
        '{units: 64, rate: $rate}'
    """
    return re.sub(r"\\([\\$}])", r"\1", re.sub(r"\$\{\d+:((?:\\.|[^\\}])*)\}", r"\1", snippet))


def _value_of(name: Name) -> Any:
    """Return the value of a param: its default, or one of its type."""
    tree = name.value
    if isinstance(tree, MappingNode):
        found = tree.get("default") or tree.get("type")
        tree = found if found is not None else tree
    value = tree.plain() if tree is not None else None
    types = {"int": 1, "float": 0.5, "bool": True, "str": "x"}
    return types.get(value, value) if isinstance(value, str) else value


def _required_value(name: Name) -> Any:
    """Return a value for a param that has no default; None for one that has."""
    tree = name.value
    if isinstance(tree, MappingNode):
        return _value_of(name) if tree.get("default") is None else None
    return _value_of(name) if isinstance(tree, Scalar) and tree.value in ("int", "float", "bool", "str") else None


def _is_layer(name: Name) -> bool:
    operation = operation_of(name.value) if name.value is not None else None
    return operation is not None and str(operation.value) in LAYERS


def _at(tree: Tree | None, keys: Keys) -> Tree | None:
    for key in keys:
        if isinstance(tree, MappingNode):
            tree = tree.get(str(key))
        elif isinstance(tree, SequenceNode) and isinstance(key, int) and key < len(tree.items):
            tree = tree.items[key]
        else:
            return None
    return tree


def _last_line(tree: Tree) -> int:
    """Return the line of the mark in the reduced document."""
    stack = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, Scalar) and MARK in str(node.value):
            return node.span.line
        if isinstance(node, MappingNode):
            stack += [part for key, value in node.items() for part in (key, value)]
        elif isinstance(node, SequenceNode):
            stack += node.items
    return tree.span.end_line


def _in_document(cursor: Cursor, tree: MappingNode | None) -> Keys:
    """Return the path of the cursor in the whole document, where lists have all items."""
    node: Tree | None = tree
    found: list[str | int] = []
    for key in cursor.keys:
        if isinstance(key, int) and isinstance(node, SequenceNode):
            above = [index for index, item in enumerate(node.items) if item.span.line <= cursor.line]
            key = above[-1] if above else 0
        found.append(key)
        node = _at(node, (key,))
    return tuple(found)
