"""Definitions of a document and imports from other documents: params, blocks and networks."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field, replace
from pathlib import Path

from nnspec.diagnostics import Diagnostic, Note, Span
from nnspec.spec import problems as p
from nnspec.spec.blocks import BLOCK_NAME, Block, read_block
from nnspec.spec.checks import Check, read_checks
from nnspec.spec.draft import STEP_KEYS
from nnspec.spec.dumping import flow
from nnspec.spec.evaluate import Expanded, Scope, evaluated
from nnspec.spec.keys import known_keys
from nnspec.spec.limits import Limits
from nnspec.spec.objectives import DefinedObjective, read_objectives
from nnspec.spec.params import Param, read_param, settled
from nnspec.spec.reader import read_file
from nnspec.spec.starting import read_weights
from nnspec.spec.step import WeightsFrom
from nnspec.spec.tree import MappingNode, Scalar, SequenceNode, Tree, Unknown

_PARAM = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NETWORK_KEYS = ("description", "weights", "inputs", "layers", "outputs")
_RESERVED = ("main", "model")
_MOST_FILES = 100


@dataclass(frozen=True)
class NetworkSource:
    """A network before its steps are expanded.

    Attributes:
        tree: Its inputs, layers and outputs.
        library: Definitions that its steps may use.
        span: Location of its name.
        outputs: Outputs selected by the use, if any, instead of its own.
        is_document: Whether it is the top level of a document.
    """

    tree: MappingNode
    library: Library
    span: Span
    outputs: Tree | None = None
    is_document: bool = False

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of its inputs."""
        declared = self.tree.get("inputs")
        return tuple(str(key.value) for key, _ in declared.items()) if isinstance(declared, MappingNode) else ()


@dataclass
class Library:
    """The params, blocks and networks that the steps of one document may use.

    Attributes:
        scope: Params.
        params: The document's params by name, evaluated.
        blocks: Blocks by name.
        networks: Networks by name.
        borrowed: Names that come from other files.
        weights: Initial weights of its networks.
        checks: Conditions on the sizes of the inputs and outputs of its own layers.
        objectives: Objectives by name.
    """

    scope: Scope
    params: dict[str, Param] = field(default_factory=dict)
    blocks: dict[str, Block] = field(default_factory=dict)
    networks: dict[str, NetworkSource] = field(default_factory=dict)
    borrowed: set[str] = field(default_factory=set)
    weights: WeightsFrom | None = None
    checks: tuple[Check, ...] = ()
    objectives: dict[str, DefinedObjective] = field(default_factory=dict)


@dataclass(frozen=True)
class Files:
    """Context for reading other documents.

    Attributes:
        folder: Folder to which their paths are relative.
        root: Folder that paths may not leave.
        limits: Resource limits of each document.
        above: Files being read, from the outermost to this one.
        expanded: Counter of the values made from all of them.
    """

    folder: Path
    root: Path
    limits: Limits
    above: tuple[Path, ...]
    expanded: Expanded


def read_library(tree: MappingNode, files: Files, problems: list[Diagnostic]) -> Library:
    """Read the definitions of a document and those it imports."""
    scope = Scope(expanded=files.expanded)
    library = Library(scope)
    _read_params(tree.get("params"), library, files, problems)
    library.checks = read_checks(tree.get("check"), scope, problems)
    _read_uses(tree.get("use"), library, files, problems)
    library.weights = _weights(evaluated(tree.get("weights"), scope, problems), files, problems)
    blocks = _mapping(tree.get("blocks"), "blocks", problems)
    for key, value in blocks.items() if blocks else ():
        if _free(str(key.value), key, library, problems):
            block = read_block(key, value, scope, problems)
            if block is not None:
                library.blocks[block.name] = block
    networks = _mapping(tree.get("networks"), "networks", problems)
    for key, value in networks.items() if networks else ():
        if _free(str(key.value), key, library, problems):
            _read_network(key, value, library, problems)
    library.objectives |= read_objectives(tree.get("objectives"), scope, problems)
    return library


def _weights(tree: Tree | None, files: Files, problems: list[Diagnostic]) -> WeightsFrom | None:
    """Return a document's initial weights, with the path relative to the compiled document."""
    given = read_weights(tree, problems)
    folder = files.above[0].parent
    if given is None or folder == files.folder:
        return given
    return replace(given, file=Path(os.path.relpath(files.folder / given.file, folder)).as_posix())


def _mapping(tree: Tree | None, what: str, problems: list[Diagnostic]) -> MappingNode | None:
    if tree is None or isinstance(tree, MappingNode):
        return tree
    if not (isinstance(tree, Scalar) and tree.value is None):
        problems.append(
            p.NotAMapping.at(tree.span, tree.path, help=f"write a name under `{what}:`", what=f"`{what}`", got=tree.kind)
        )
    return None


def _read_params(given: Tree | None, library: Library, files: Files, problems: list[Diagnostic]) -> None:
    """Read the params; each can use the ones before it."""
    params = _mapping(given, "params", problems)
    if params is None:
        return
    for key, value in params.items():
        if not _PARAM.fullmatch(str(key.value)):
            problems.append(p.BadName.at(key.span, value.path, name=key.value, what="a param", pattern=_PARAM.pattern))
            continue
        param = settled(read_param(key, value, problems), library.scope, problems)
        library.params[param.name] = param
        if param.default is None:
            problems.append(_required(param, value, is_used=len(files.above) > 1))
        library.scope.add(param.name, param.default or Unknown(value.span, value.place), problems)


def _required(param: Param, tree: Tree, *, is_used: bool) -> Diagnostic:
    """Return the diagnostic of a param without a value."""
    help = f"write `--set params.{param.name}={flow(param.example)}`, or give it a `default`"
    if is_used:
        help = "give it a `default`: `--set` applies to the document that uses this file"
    notes = [Note(param.help, param.span)] if param.help else []
    return p.RequiredParam.at(param.span, tree.path, help=help, notes=notes, name=param.name)


def _free(name: str, key: Scalar, library: Library, problems: list[Diagnostic]) -> bool:
    """Return whether a name is free; reports a duplicate."""
    if name not in library.blocks and name not in library.networks:
        return True
    taken = library.blocks.get(name) or library.networks[name]
    problems.append(p.DuplicateName.at(key.span, name=name, notes=[Note("first defined here", taken.span)]))
    return False


def _read_network(key: Scalar, value: Tree, library: Library, problems: list[Diagnostic]) -> None:
    name = str(key.value)
    if not BLOCK_NAME.fullmatch(name) or name in _RESERVED or name in STEP_KEYS:
        reason = f"{BLOCK_NAME.pattern}, and must not be one of {', '.join((*_RESERVED, *STEP_KEYS))}"
        help = "`main` are the document's own layers: write them under `layers:`" if name == "main" else ""
        problems.append(p.BadName.at(key.span, value.path, help=help, name=name, what="a network", pattern=reason))
    if not isinstance(value, MappingNode):
        help = "write `inputs:`, `layers:` and `outputs:` under it"
        problems.append(p.NotAMapping.at(value.span, value.path, help=help, what=f"the network `{name}`", got=value.kind))
        return
    value = known_keys(value, _NETWORK_KEYS, f"the network `{name}`", problems)
    library.networks[name] = NetworkSource(value, library, key.span)


# --- other files ------------------------------------------------------------------------------------------------------


def _read_uses(tree: Tree | None, library: Library, files: Files, problems: list[Diagnostic]) -> None:
    if tree is None:
        return
    if isinstance(tree, SequenceNode):
        for item in tree.items:
            if isinstance(item, MappingNode):
                _read_named_uses(item, library, files, problems)
            elif (found := _open(item, files, problems)) is not None:
                _take_all(found[1], item.span, library, problems)
    elif isinstance(tree, MappingNode):
        _read_named_uses(tree, library, files, problems)
    else:
        help = "write `use: [common.nnspec.yaml]`"
        problems.append(p.NotAList.at(tree.span, tree.path, help=help, what="`use`", got=tree.kind))


def _read_named_uses(tree: MappingNode, library: Library, files: Files, problems: list[Diagnostic]) -> None:
    """Read ``NAME: {spec: FILE, outputs: […]}``, which imports another document's own layers as a network."""
    for key, value in tree.items():
        file: Tree | None = value
        outputs = None
        if isinstance(value, MappingNode):
            entry = known_keys(value, ("spec", "outputs"), "a use", problems)
            file, outputs = entry.get("spec"), entry.get("outputs")
        if file is None:
            problems.append(
                p.MissingKey.at(key.span, value.path, help="write `spec: FILE`", where=f"`{key.value}`", key="spec")
            )
            continue
        found = _open(file, files, problems)
        if found is None or not _free(str(key.value), key, library, problems):
            continue
        document, theirs = found
        if not BLOCK_NAME.fullmatch(str(key.value)) or key.value in _RESERVED:
            problems.append(p.BadName.at(key.span, value.path, name=key.value, what="a network", pattern=BLOCK_NAME.pattern))
        _take_all(theirs, key.span, library, problems, blocks=False)
        library.networks[str(key.value)] = NetworkSource(document, theirs, key.span, outputs, is_document=True)
        library.borrowed.add(str(key.value))


def _take_all(theirs: Library, span: Span, library: Library, problems: list[Diagnostic], *, blocks: bool = True) -> None:
    at = Scalar(None, span)
    for name, block in theirs.blocks.items() if blocks else ():
        if library.blocks.get(name) is not block and _free(name, at, library, problems):
            library.blocks[name] = block
            library.borrowed.add(name)
    library.objectives |= theirs.objectives
    for name, network in theirs.networks.items():
        if library.networks.get(name) is not network and _free(name, at, library, problems):
            library.networks[name] = network
            library.borrowed.add(name)


def _open(tree: Tree, files: Files, problems: list[Diagnostic]) -> tuple[MappingNode, Library] | None:
    if not isinstance(tree, Scalar) or not isinstance(tree.value, str):
        problems.append(p.WrongValue.at(tree.span, tree.path, reason=f"expected a path, not {tree.kind}"))
        return None
    try:
        path = (files.folder / tree.value).resolve()
    except (OSError, RuntimeError, ValueError) as error:  # a null character, a circular link
        problems.append(p.WrongValue.at(tree.span, tree.path, reason=f"`{tree.value}` is not a path: {error}"))
        return None
    if not path.is_relative_to(files.root):
        help = "paths must stay inside the project; `--root FOLDER` sets a wider root"
        problems.append(p.OutsideRoot.at(tree.span, tree.path, help=help, file=tree.value))
        return None
    if path in files.above or len(files.above) >= _MOST_FILES:
        problems.append(p.UseInCircle.at(tree.span, tree.path, file=tree.value))
        return None
    before = len(problems)
    shown = str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
    document = read_file(path, problems, files.limits, shown=shown)
    if len(problems) > before and document is None:
        problems[before:] = [
            p.CannotUse.at(tree.span, tree.path, file=tree.value, notes=[Note(d.message, d.span) for d in problems[before:]])
        ]
        return None
    if not isinstance(document, MappingNode):
        problems.append(p.CannotUse.at(tree.span, tree.path, help="the file must be a spec", file=tree.value))
        return None
    inner = replace(files, folder=path.parent, above=(*files.above, path))
    return document, read_library(document, inner, problems)
