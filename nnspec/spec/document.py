"""The document: its keys, params and networks."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from nnspec.diagnostics import Advice, Diagnostic, Span, SpecError, once
from nnspec.diagnostics.remedies import Replace
from nnspec.spec import problems as p
from nnspec.spec.blocks import Block
from nnspec.spec.checks import Check, names_in_expressions
from nnspec.spec.collected import Collected
from nnspec.spec.collector import collector_paused
from nnspec.spec.dumping import dumped
from nnspec.spec.evaluate import Expanded, Scope, evaluated, names_in
from nnspec.spec.expand import Expander, TooMany
from nnspec.spec.keys import known_keys
from nnspec.spec.library import Files, Library, NetworkSource, read_library
from nnspec.spec.limits import Limits
from nnspec.spec.mapping_tree import NAME, tree_of
from nnspec.spec.objectives import program_of, shipped_objective, shipped_objectives
from nnspec.spec.overrides import override
from nnspec.spec.params import Param
from nnspec.spec.program import OBJECTIVE, Program, ProgramSource, averaged_networks, read_program, renamed
from nnspec.spec.reader import read_file
from nnspec.spec.readings import rewritten
from nnspec.spec.shapes import Input, read_inputs
from nnspec.spec.starting import read_weights
from nnspec.spec.step import Step, WeightsFrom
from nnspec.spec.tree import MappingNode, Scalar, SequenceNode, Tree
from nnspec.types import closest

KEYS = ("nnspec", "name", "description", "params", "check", "use", "weights", "blocks", "networks", "objectives", "inputs",
        "layers", "outputs", "data", "train", "sweep", "generate", "neighbors", "export", "budget")  # fmt: skip
"""Keys of a document, in their usual order."""

Document = str | Path | Mapping[str, Any]
"""A spec that is not read yet: its file, or its document as a dict."""

SECTIONS = ("data", "train", "sweep", "generate", "neighbors", "export", "budget")
_NAME = re.compile(r"[a-z][a-z0-9_-]*")
_ROOT_MARKS = (".git", "pyproject.toml", "nnspec.toml")


@dataclass(frozen=True)
class Network:
    """A network as written in the document.

    Attributes:
        name: Name of the network; ``main`` for the document's own layers.
        inputs: Inputs by name; None for an invalid declaration.
        steps: Steps in order.
        outputs: Value of ``outputs``; None for the default, the last step.
        span: Location of its layers.
        weights: Initial weights, if its document declares them.
        weights_at: Prefix of its weight names that the file lacks: the network's name, if it is another document's top level
            or states its own `weights`.
        is_cut: Whether its steps could not be read because of an error that has been reported.
        checks: Conditions on the sizes of its inputs and outputs.
        reads_fields: Whether its inputs are data fields of a program, of which it may read some.
    """

    name: str
    inputs: Mapping[str, Input | None]
    steps: tuple[Step, ...]
    outputs: Tree | None
    span: Span
    weights: WeightsFrom | None = None
    weights_at: str = ""
    is_cut: bool = False
    checks: tuple[Check, ...] = ()
    reads_fields: bool = False


@dataclass(frozen=True, repr=False)
class Spec:
    """A document that was read.

    Attributes:
        name: Name of the model.
        file: File, as the user named it.
        folder: Folder to which paths are relative.
        root: Folder that paths may not leave.
        networks: Networks by name.
        document: The whole document with overrides applied and params evaluated.
        sections: The given sections (``data``, ``train``, …) by name.
        blocks: Blocks by name, which losses and metrics may use.
        limits: Resource limits.
        overrides: The ``path=value`` overrides that were applied.
        params: The document's params by name.
        program: The training program; None if the objective is none.
        frames: Tables in memory that the section ``data`` names.
        hash: Digest of the document's values, independent of comments and key order.
    """

    name: str
    file: str
    folder: Path
    root: Path
    networks: Mapping[str, Network]
    document: MappingNode
    sections: Mapping[str, MappingNode]
    blocks: Mapping[str, Block] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    overrides: tuple[str, ...] = ()
    params: Mapping[str, Param] = field(default_factory=dict)
    program: Program | None = None
    frames: Mapping[str, Any] = field(default_factory=dict, compare=False)

    def __repr__(self) -> str:
        """Describe it in one line.

        Example:
            >>> load("specs/lenet5.nnspec.yaml")
            <Spec lenet5 from specs/lenet5.nnspec.yaml: 8 steps; data, train, budget>
        """
        counts = {name: f"{len(own.steps):,} step{'s' * (len(own.steps) != 1)}" for name, own in self.networks.items()}
        steps = ", ".join(count if name == "main" else f"{count} in {name}" for name, count in counts.items())
        contents = "; ".join(text for text in (steps, ", ".join(self.sections)) if text)
        return f"<Spec {self.name} from {self.file}: {contents}>"

    def _repr_html_(self) -> str:
        from nnspec.graph.notebook import spec_html

        return spec_html(self)

    def section(self, name: str) -> MappingNode | None:
        """Return a section such as ``data`` or ``train`` with its expressions evaluated, or None if it is not given."""
        return self.sections.get(name)

    @property
    def fields(self) -> Mapping[str, Input | None]:
        """The data fields by name: the document's inputs; None for an invalid declaration."""
        if self.program is not None:
            return self.program.fields
        return self.networks["main"].inputs if "main" in self.networks else {}

    @property
    def hash(self) -> str:
        text = json.dumps(self.document.plain(), sort_keys=True, ensure_ascii=False, default=str)
        return hashlib.sha256(text.encode()).hexdigest()

    def resolved(self) -> str:
        """Return the document as YAML with overrides applied. Reading it again gives the same spec."""
        return dumped(self.document.plain())


def load(
    file: Document,
    overrides: Sequence[str] = (),
    *,
    folder: Path | None = None,
    root: Path | None = None,
    limits: Limits | None = None,
) -> Spec:
    """Read a spec.

    Args:
        file: The document: a file; or a dict, whose diagnostics state the path of a key instead of a line.
        overrides: ``path=value`` overrides, applied in order before anything else is read.
        folder: Folder to which paths are relative; by default, that of the file, or the current one.
        root: Folder that paths may not leave; by default, the nearest parent folder with ``.git``, ``pyproject.toml`` or
            ``nnspec.toml``, or else the folder of the file.
        limits: Resource limits.

    Raises:
        SpecError: If the document has errors; contains every diagnostic.
        NnspecError: If a value of a dict has a type that no document has.

    Example:
        >>> load({"nnspec": 1, "name": "net", "inputs": {"x": [4]}, "layers": [{"Dense": {"units": 3}}]}).name
        'net'
    """
    problems = Collected(limits)
    spec = read_spec(file, problems, overrides, folder=folder, root=root, limits=limits)
    if spec is None or any(problem.is_error for problem in problems):
        raise SpecError(problems)
    return spec


@collector_paused()
def read_spec(
    file: Document,
    problems: list[Diagnostic],
    overrides: Sequence[str] = (),
    *,
    folder: Path | None = None,
    root: Path | None = None,
    limits: Limits | None = None,
) -> Spec | None:
    """Read as much of a spec as possible and append problems to ``problems``; see [`load`][]."""
    limits = limits or Limits()
    tree: Tree | None
    if isinstance(file, Mapping):
        tree, path, file = tree_of(file, limits), None, NAME
    else:
        path, file = Path(file), str(file)
        tree = read_file(path, problems, limits, shown=file)
    if tree is None:
        if not problems:
            problems.append(p.MissingKey.at(p.whole(file), help="start with `nnspec: 1`", where="an empty file", key="nnspec"))
        return None
    if not isinstance(tree, MappingNode):
        help = "start with `nnspec: 1` and `name: …`"
        problems.append(p.NotAMapping.at(tree.span, help=help, what="a spec", got=tree.kind))
        return None
    tree = override(tree, overrides, problems)
    tree = _check_keys(tree, problems)
    name = _check_head(tree, problems)
    folder = (folder or (path.parent if path is not None else Path())).resolve()
    root = (root or _root_of(folder)).resolve()
    library = read_library(
        tree, Files(folder, root, limits, ((path or folder / NAME).resolve(),), Expanded(limits.expanded)), problems
    )
    tree = _with_params(tree, library.params)
    source = _program_source(tree, library, problems)
    sections = _sections(tree, library.scope, problems, source)
    program = None if source is None else _program(tree, source, sections, library, limits, problems)
    used = _compared(sections.get("train"), library, limits) if program is None else set(program.used)
    used |= _named_networks(sections)
    networks = _networks(tree, library, limits, problems, used, program)
    _check_params_used(tree, library, problems)
    problems[:] = once(problems)
    return Spec(
        name, file, folder, root, networks, tree, sections, library.blocks, limits, tuple(overrides), library.params,
        program,
    )  # fmt: skip


def _program_source(tree: MappingNode, library: Library, problems: list[Diagnostic]) -> ProgramSource | None:
    """Return the training program of a document; None if its objective is none."""
    train = tree.get("train")
    objective = train.get("objective") if isinstance(train, MappingNode) else None
    if isinstance(objective, MappingNode) and len(objective) == 1:
        [(name, body)] = objective.items()
    elif isinstance(objective, Scalar):
        name, body = objective, Scalar(None, objective.span, objective.place)
    else:
        return None
    if name.value == OBJECTIVE and isinstance(body, MappingNode):
        return ProgramSource(body, library.scope, name.span)
    known = library.objectives.get(str(name.value))
    if known is None and name.value in shipped_objectives():
        known = shipped_objective(str(name.value))
    if known is None:
        return None
    inputs = tree.get("inputs")
    fields = [str(key.value) for key, _ in inputs.items()] if isinstance(inputs, MappingNode) else []
    networks = [*library.networks, *(["main"] if "layers" in tree else [])]
    arguments = evaluated(body, library.scope, problems)
    return program_of(known, arguments, name, networks, fields, problems)


def _program(
    tree: MappingNode,
    source: ProgramSource,
    sections: Mapping[str, MappingNode],
    library: Library,
    limits: Limits,
    problems: list[Diagnostic],
) -> Program:
    fields = read_inputs(evaluated(tree.get("inputs"), library.scope, problems), problems)
    if tree.get("inputs") is None:
        help = "declare the data fields: `inputs: {image: [28, 28, 1]}`"
        problems.append(p.MissingKey.at(source.span, tree.path, help=help, where="a spec with a program", key="inputs"))
    objective = sections["train"].get("objective") if "train" in sections else None
    body = objective.get(OBJECTIVE) if isinstance(objective, MappingNode) else None
    body = body if isinstance(body, MappingNode) else MappingNode([], source.span, source.tree.place)
    return read_program(source, body, library, fields, limits.layers, problems, main="layers" in tree)


def _with_params(tree: MappingNode, params: Mapping[str, Param]) -> MappingNode:
    """Return the document with its params evaluated."""
    given = tree.get("params")
    if not isinstance(given, MappingNode):
        return tree
    known = [(key, params[str(key.value)].written) for key, _ in given.items() if str(key.value) in params]
    evaluated = MappingNode(known, given.span, given.place)
    return MappingNode([(k, evaluated if k.value == "params" else v) for k, v in tree.items()], tree.span, tree.place)


def _check_keys(tree: MappingNode, problems: list[Diagnostic]) -> MappingNode:
    return known_keys(tree, KEYS, "a spec", problems)


def _whole(tree: MappingNode) -> Span:
    """Return the location of a whole document."""
    return tree.span if tree.span.place else p.whole(tree.span.file)


def _check_head(tree: MappingNode, problems: list[Diagnostic]) -> str:
    top = _whole(tree)
    version = tree.get("nnspec")
    if version is None:
        first = next((key for key, _ in tree.items()), None)
        start = None if first is None or first.span.column > 1 else replace(first.span, end_line=first.span.line, end_column=1)
        remedy = Replace(start, old="", new="nnspec: 1\n", title="Insert `nnspec: 1`") if start else None
        first_line = Advice("write `nnspec: 1` on the first line", remedy)
        problems.append(p.MissingKey.at(top, help=first_line, where="a spec", key="nnspec"))
    elif version.plain() != 1 or isinstance(version.plain(), bool):
        is_one = str(version.plain()).strip() in ("1", "1.0", "v1")
        one = Advice("write `nnspec: 1`", rewritten(version, "1") if is_one else None)
        problems.append(p.UnsupportedVersion.at(version.span, "nnspec", help=one, version=version.kind))
    description = tree.get("description")
    if description is not None and not (isinstance(description, Scalar) and isinstance(description.value, str)):
        reason = f"`description` must be a string, not {description.kind}"
        quoted = Advice("quote it", rewritten(description, json.dumps(getattr(description, "text", None))))
        problems.append(p.WrongValue.at(description.span, "description", help=quoted, reason=reason))
    name = tree.get("name")
    if name is None:
        problems.append(p.MissingKey.at(top, help="write `name: my-model`", where="a spec", key="name"))
        return "model"
    value = name.plain()
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        suggestion = re.sub(r"[^a-z0-9_-]+", "-", str(value).lower()).strip("-")
        help = "start with a lowercase letter"
        if _NAME.fullmatch(suggestion):
            help = Advice(f"write `{suggestion}`", rewritten(name, suggestion))
        problems.append(p.BadName.at(name.span, "name", help=help, name=value, what="a model", pattern=_NAME.pattern))
        return "model"
    return value


def _network(name: str, source: NetworkSource, limits: Limits, problems: list[Diagnostic], used: set[str]) -> Network:
    tree, library = source.tree, source.library
    inputs = read_inputs(evaluated(tree.get("inputs"), library.scope, problems), problems)
    networks = {name: network.inputs for name, network in library.networks.items()}
    expander = Expander(library.blocks, networks, limits.layers, problems)
    layers = tree.get("layers")
    is_cut = layers is not None and not isinstance(layers, SequenceNode)
    try:
        steps = expander.steps(layers, inputs, library.scope)
    except TooMany:
        steps, is_cut = (), True
        expander.used |= expander.operations  # their uses are unknown
    used |= expander.used
    what = "a spec" if name == "main" else f"the network `{name}`"
    for key, example in (("inputs", "`inputs: {image: [28, 28, 1]}`"), ("layers", "`layers:` and a list of steps")):
        if tree.get(key) is None:
            problems.append(p.MissingKey.at(source.span, tree.path, help=f"write {example}", where=what, key=key))
            is_cut = is_cut or key == "layers"
    outputs = evaluated(source.outputs or tree.get("outputs"), library.scope, problems)
    own = None if source.is_document else read_weights(evaluated(tree.get("weights"), library.scope, problems), problems)
    at = name if (source.is_document and name != "main") or own is not None else ""
    span = layers.span if layers else source.span
    checks = library.checks if source.is_document else ()
    return Network(name, inputs, steps, outputs, span, own or library.weights, at, is_cut, checks)


def _compared(train: MappingNode | None, library: Library, limits: Limits) -> set[str]:
    """Return what losses and metrics may use, directly or in blocks, and note the params that it reads.

    Whether a word is a block or an output is known only when the network is built; then the uses are checked.
    """
    found: set[str] = set()
    networks = {name: network.inputs for name, network in library.networks.items()}
    rest = [value for key in ("loss", "metrics") if train is not None and (value := train.get(key)) is not None]
    while rest:
        tree = rest.pop()
        if isinstance(tree, MappingNode):
            for key, value in tree.items():
                rest += [key, value]
        elif isinstance(tree, SequenceNode):
            rest += tree.items
        elif isinstance(tree, Scalar) and isinstance(tree.value, str) and _may_misspell(tree.value, library):
            found |= {meant} if (meant := closest(tree.value, library.blocks)) is not None else set()  # it is reported later
        elif isinstance(tree, Scalar) and tree.value in library.blocks.keys() - found:
            expander = Expander(library.blocks, networks, limits.layers, [])
            with suppress(TooMany):
                expander.steps(SequenceNode([tree], tree.span, tree.place), (), library.scope)
            found |= expander.used
    return found


def _may_misspell(word: str, library: Library) -> bool:
    """Whether a word may be a misspelled block; those of the catalogue are in PascalCase."""
    return word[:1].islower() and word not in library.blocks


def _named_networks(sections: Mapping[str, MappingNode]) -> set[str]:
    """Return the networks that the sections ``generate``, ``neighbors`` and ``export`` name."""
    keys = {"generate": ("network", "encode", "decode"), "neighbors": ("network",), "export": ("network",)}
    places = [(section, key) for section, own in keys.items() for key in own]
    named = (sections[section].get(key) for section, key in places if section in sections)
    return {str(value.value) for value in named if isinstance(value, Scalar)}


def _networks(
    tree: MappingNode,
    library: Library,
    limits: Limits,
    problems: list[Diagnostic],
    used: set[str],
    program: Program | None,
) -> dict[str, Network]:
    """Return the networks, each after those it uses, and the document's own layers last.

    Args:
        tree: The document.
        library: Its definitions.
        limits: Resource limits.
        problems: List to which problems are appended.
        used: Names of blocks and networks that the section ``train`` may use.
        program: The training program, if there is one.
    """
    sources = dict(library.networks)
    own = ("inputs", "layers", "outputs") if program is None else ("layers", "outputs")
    if (not sources and program is None) or any(key in tree for key in own):
        sources["main"] = NetworkSource(tree, library, _whole(tree), is_document=True)
    for check in library.checks if "main" not in sources else ():
        reason = "a check of sizes needs inputs and layers, which this document has only in its networks"
        help = "check params only, or move the check to a block"
        problems.append(p.BadCheck.at(check.that.span, check.that.path, help=help, reason=reason))
    networks = {name: _network(name, source, limits, problems, used) for name, source in sources.items()}
    borrowed = library.borrowed
    definitions: dict[str, Block | NetworkSource] = {**library.blocks, **library.networks}
    choices = [value for param in library.params.values() for value in param.bounds().get("one_of", ())]  # `- $cell:`
    for name, definition in definitions.items():
        wanted = name in used or name in borrowed or name in choices or (name in library.networks and "main" not in sources)
        if not wanted:
            kind = "block" if name in library.blocks else "network"
            problems.append(p.UnusedDefinition.at(definition.span, help="use it or remove it", kind=kind, name=name))
    found = {name: network for name, network in networks.items() if name not in borrowed or name in used}
    if program is None:
        return found
    if "main" in found:
        found["main"] = replace(found["main"], reads_fields=True)
    for names in averaged_networks(program.averages, found):
        copies = {new: replace(found[of], name=new, steps=renamed(found[of].steps, names)) for of, new in names.items()}
        # Networks come after those that they use.
        found = {**dict(reversed(copies.items())), **found}
    return found


def _sections(
    tree: MappingNode, scope: Scope, problems: list[Diagnostic], program: ProgramSource | None
) -> dict[str, MappingNode]:
    sections: dict[str, MappingNode] = {}
    for name in SECTIONS:
        given = tree.get(name)
        if name == "train" and program is not None and isinstance(given, MappingNode):
            given = _with_program(given, program, problems)
        section = evaluated(given, scope, problems)
        if isinstance(section, MappingNode):
            sections[name] = section
        elif section is not None and not (isinstance(section, Scalar) and section.value is None):
            problems.append(p.NotAMapping.at(section.span, name, what=f"`{name}`", got=section.kind))
    return sections


def _with_program(train: MappingNode, program: ProgramSource, problems: list[Diagnostic]) -> MappingNode:
    """Return the section ``train`` with the program's keys evaluated, and without its steps."""
    entries: list[tuple[Scalar, Tree]] = []
    for key, value in train.items():
        if key.value == "objective":
            name = Scalar(OBJECTIVE, program.span, value.place)
            value = MappingNode([(name, program.evaluated(problems))], value.span, value.place)
        entries.append((key, value))
    return MappingNode(entries, train.span, train.place)


def _check_params_used(tree: MappingNode, library: Library, problems: list[Diagnostic]) -> None:
    unused = (param for param in library.params.values() if param.name not in library.scope.used)
    problems.extend(_unused(Scalar(param.name, param.span), param.written) for param in unused)
    for _, block in _entries(tree.get("blocks")):
        params = block.get("params") if isinstance(block, MappingNode) else None
        read = names_in(block) | set(names_in_expressions(block))
        names = {str(key.value) for key, _ in _entries(params)}
        misspelt = {closest(name, names) for name in read - names - set(library.scope.values)}
        for key, value in _entries(params):
            if key.value not in read | misspelt:
                problems.append(_unused(key, value))


def _unused(key: Scalar, value: Tree) -> Diagnostic:
    return p.UnusedParam.at(key.span, value.path, help=f"use it as `${key.value}`, or remove it", name=key.value)


def _entries(tree: Tree | None) -> Iterable[tuple[Scalar, Tree]]:
    return tree.items() if isinstance(tree, MappingNode) else ()


def _root_of(folder: Path) -> Path:
    for above in (folder, *folder.parents):
        if any((above / mark).exists() for mark in _ROOT_MARKS):
            return above
    return folder
