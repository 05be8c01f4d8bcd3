"""The faults of specs as faults of Keras source: the same edit, at the same layer."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from benchmarks.fault_peers.keras_source import INDENT, Source, source
from benchmarks.fault_peers.mistakes import Mistake, allowed
from benchmarks.fault_rules import Fault
from nnspec.graph import compile
from nnspec.graph.model import Graph, Model, Node
from nnspec.reference.pages import keras_layers
from nnspec.spec import load

__all__ = ["keras_mistakes"]

_OF_NAMES = (
    "a misspelt name under from",
    "a misspelt name in a list under from",
    "an output misspelt",
    "an output of a step misspelt",
)
_OF_INPUTS = ("a size of zero in a shape", "the batch axis in a shape", "an element type misspelt")

Swap = tuple[str, str, tuple[str, ...]]
"""What stands in a line, what is put in its place, and what names the mistake: the faulty token, and its argument."""

Edit = tuple[int, *Swap]
"""The line's number from 1, and the swap."""

Expression = Callable[[Fault, Source, Graph], "Edit | None"]


def keras_mistakes(faults: Iterable[Fault]) -> Iterator[tuple[Fault, Mistake]]:
    """Those faults that can be said in Keras, each with its mistake there."""
    for fault in faults:
        if (mistake := _mistake(fault)) is not None:
            yield fault, mistake


def _mistake(fault: Fault) -> Mistake | None:
    express = _EXPRESSIONS.get(fault.kind)
    graph = _graph_at(fault)
    if not _ops(graph) <= set(keras_layers()):
        return None
    code = source(graph, _before(fault))
    edit = express(fault, code, graph) if express else None
    if edit is None:
        return None
    number, old, new, tokens = edit
    line = code.lines[number - 1]
    at = line.find(old)
    if at < 0:
        return None
    edited = line[:at] + new + line[at + len(old) :]
    lines = [*code.lines[: number - 1], edited, *code.lines[number:]]
    above, _, faulty = edited.rpartition("\n")
    column = max(faulty.find(tokens[0], 0 if above else at), 0) + 1
    number += above.count("\n") + bool(above)
    return Mistake(fault.kind, "\n".join(code.lines), "\n".join(lines), number, column, tokens, _fix(fault))


@cache
def _model(text: str) -> Model:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "net.nnspec.yaml"
        file.write_text(text, encoding="utf-8")
        return compile(load(file))


def _graph_at(fault: Fault) -> Graph:
    """The network at fault: the one with a step nearest above the line; for an input of a network, nearest below."""
    graphs = [*_model(fault.good).networks.values()]
    name = _key_of_line(fault)
    having = [graph for graph in graphs if name in graph.inputs]
    if having and fault.kind in _OF_INPUTS:
        return min(having, key=lambda graph: min((s for s in _lines(graph) if s > fault.line), default=len(fault.good)))
    nearest = [max((s for s in _lines(graph) if s <= fault.line), default=0) for graph in graphs]
    return graphs[max(range(len(graphs)), key=lambda at: (nearest[at], at))]


def _lines(graph: Graph) -> list[int]:
    return [node.span.line for node in graph.nodes.values()]


def _ops(graph: Graph) -> set[str]:
    return {node.op for node in graph.nodes.values()}


def _key_of_line(fault: Fault) -> str:
    return fault.good.splitlines()[fault.line - 1].strip().partition(":")[0]


def _node_at(graph: Graph, line: int) -> Node | None:
    above = [node for node in graph.nodes.values() if node.span.line <= line]
    return max(above, key=lambda node: node.span.line) if above else None


def _before(fault: Fault) -> list[str]:
    """The spec's params as variables and its blocks as functions; a block's own param as the variable it is there."""
    document = yaml.safe_load(fault.good)
    lines = [f"{name} = {value!r}" for name, value in document.get("params", {}).items()]
    if "param" in fault.kind and fault.old.lstrip("$") not in document.get("params", {}):
        lines.append(f"{fault.fix} = 16")
    for name, block in document.get("blocks", {}).items():
        declared = [
            key if isinstance(value, str | list) else f"{key}={value!r}" for key, value in block.get("params", {}).items()
        ]
        lines += ["", "", f"def {name}(x, {', '.join(declared)}):", INDENT + "return x"]
    return lines


def _fix(fault: Fault) -> str:
    if fault.kind == "yes and no for true and false":
        return allowed(fault.kind, fault.old.capitalize())
    if fault.kind in _OF_NAMES:
        return rf"(?<!\w){fault.old.replace('.', '_')}"
    if fault.kind == "PyTorch's name of a layer":  # Keras has short names, too, and suggests them
        short = fault.fix.replace("Pooling", "Pool")
        return f"{allowed(fault.kind, fault.fix)}|{allowed(fault.kind, short)}"
    return allowed(fault.kind, fault.fix)


def _argument_before(fault: Fault) -> str | None:
    """The argument whose value is at fault."""
    found = re.search(r"(\w+): (?:\"?\$\{?)?$", fault.good.splitlines()[fault.line - 1][: fault.column - 1])
    return found[1] if found else None


def _at_layer(edit: Callable[[Fault], Swap | None]) -> Expression:
    """An edit of the line of the layer at fault."""

    def express(fault: Fault, code: Source, graph: Graph) -> Edit | None:
        node = _node_at(graph, fault.line)
        edited = edit(fault)
        return None if node is None or edited is None else (code.nodes[node.name], *edited)

    return express


def _at_input(edit: Callable[[Fault], Swap]) -> Expression:
    """An edit of the line of the input at fault."""

    def express(fault: Fault, code: Source, graph: Graph) -> Edit | None:
        del graph
        name = _key_of_line(fault)
        return (code.inputs[name], *edit(fault)) if name in code.inputs else None

    return express


def _argument(fault: Fault) -> Swap:
    return f"{fault.old}=", f"{fault.new}=", (fault.new,)


def _valued(old: Callable[[str], str], new: Callable[[str], str]) -> Callable[[Fault], Swap | None]:
    """An edit of an argument's value, which is written in Python as the functions say."""

    def edit(fault: Fault) -> Swap | None:
        argument = _argument_before(fault)
        swap = f"{argument}={old(fault.old)}", f"{argument}={new(fault.new)}"
        return None if argument is None else (*swap, (fault.new.strip('"'), argument))

    return edit


def _layer(fault: Fault) -> Swap:
    return f"layers.{fault.old}(", f"layers.{fault.new}(", (fault.new,)


def _more(fault: Fault) -> Swap:
    """An argument put in front of the others."""
    added = fault.new.replace(": ", "=")
    op = re.search(r"- (\w+): \{", fault.good.splitlines()[fault.line - 1])
    assert op is not None
    return f"layers.{op[1]}(", f"layers.{op[1]}({added}", (added.partition("=")[0],)


def _param(fault: Fault, code: Source, graph: Graph) -> Edit | None:
    """A variable misspelt where the source has its value."""
    node, argument = _node_at(graph, fault.line), _argument_before(fault)
    if re.match(r" +- [a-z_]+: \{", fault.good.splitlines()[fault.line - 1]):
        return _block(fault, code, graph)
    if node is None or argument is None:
        return None
    number = code.nodes[node.name]
    written = re.search(rf"\b{argument}=[\w.]+", code.lines[number - 1])
    return (number, written[0], f"{argument}={fault.new}", (fault.new,)) if written else None


def _left_out(fault: Fault, code: Source, graph: Graph) -> Edit | None:
    node = _node_at(graph, fault.line)
    if node is None:
        return None
    number = code.nodes[node.name]
    found = re.search(rf"\b{fault.fix}=[^,)]+(, )?", code.lines[number - 1])
    return (number, found[0], "", (fault.fix,)) if found else None


def _name(fault: Fault, code: Source, graph: Graph) -> Edit | None:
    """A variable misspelt at its first use; that of a block or network is the variable of its last layer."""
    del graph
    old, new = fault.old.replace(".", "_"), fault.new.replace(".", "_")
    for number, line in enumerate(code.lines, start=1):
        if found := re.search(rf"(?<=[(\[, ]){old}(_\w+)?(?=[)\],])(?!.* = )", line):
            wrong = new + (found[1] or "")
            return number, line[found.start() :], wrong + line[found.end() :], (wrong,)
    return None


def _step_key(fault: Fault) -> Swap | None:
    return _argument(fault) if fault.old == "name" else None


def _section(fault: Fault, code: Source, graph: Graph) -> Edit | None:
    del graph
    return (code.model, *_argument(fault)) if fault.old in ("inputs", "outputs") else None


def _tab(fault: Fault, code: Source, graph: Graph) -> Edit | None:
    """A tab instead of the indentation of a line that is not the function's first."""
    node = _node_at(graph, fault.line)
    return None if node is None else (code.nodes[node.name], INDENT, "\t", ("\t",))


def _block(fault: Fault, code: Source, graph: Graph) -> Edit:
    """The block as it is called, in front of the layers; a computed value is a number, unless it is the one at fault."""

    def value(written: object) -> object:
        return written if not isinstance(written, str) else fault.new if fault.new in written else 16

    call: dict[str, dict[str, object]] = yaml.safe_load(fault.text.splitlines()[fault.line - 1].strip().removeprefix("- "))
    [(block, given)] = call.items()
    arguments = [f"{name}={value(written)}" for name, written in given.items()]
    number = max(code.inputs.values())
    line = code.lines[number - 1]
    first = next(iter(graph.inputs))
    return number, line, f"{line}\n{INDENT}x = {block}({', '.join([first, *arguments])})", (fault.new,)


_EXPRESSIONS: dict[str, Expression] = {
    **dict.fromkeys(
        ("a layer misspelt", "a layer in the wrong case", "PyTorch's name of a layer", "a Keras alias of a layer"),
        _at_layer(_layer),
    ),
    **dict.fromkeys(("an argument misspelt", "PyTorch's name of an argument"), _at_layer(_argument)),
    **dict.fromkeys(("an argument that follows from the input", "an argument given twice"), _at_layer(_more)),
    **dict.fromkeys(
        ("a negative size", "a size of zero", "a fraction for a whole number", "a number in quotes"),
        _at_layer(_valued(str, str)),
    ),
    **dict.fromkeys(("an activation misspelt", "a padding misspelt", "a padding in capitals"), _at_layer(_valued(repr, repr))),
    "yes and no for true and false": _at_layer(_valued(str.capitalize, str)),
    "a needed argument left out": _left_out,
    **dict.fromkeys(_OF_NAMES, _name),
    "a step key misspelt": _at_layer(_step_key),
    "a key of the document misspelt": _section,
    "a param misspelt": _param,
    "a param misspelt in an expression": _param,
    "a size of zero in a shape": _at_input(lambda fault: (f"Input(({fault.old},", "Input((0,", ("0",))),
    "the batch axis in a shape": _at_input(lambda fault: ("Input((", "Input((-1, ", ("-1",))),
    "an element type misspelt": _at_input(lambda fault: (repr(fault.old), repr(fault.new), (fault.new, "dtype"))),
    "a block's name misspelt": _block,
    "a block's argument misspelt": _block,
    "a tab for indentation": _tab,
}
