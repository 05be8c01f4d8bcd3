"""Initial weights from files, given by ``weights`` of a layer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnspec.data.kinds import DataError
from nnspec.data.paths import MissingFileError, find_file
from nnspec.diagnostics import Diagnostic, NnspecError, SpecError, once
from nnspec.extras import require
from nnspec.graph import Graph, compile
from nnspec.graph import problems as g
from nnspec.graph.model import Start, covers, scopes
from nnspec.spec import Spec
from nnspec.training.run.word_vectors import check_vectors
from nnspec.transfer.safetensors_header import UnreadableHeader, read_header
from nnspec.transfer.state_dict import is_state_dict
from nnspec.types import closest, suggested

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nnspec.transfer.modules import WeightsSource

_FILE = "weights.safetensors"
_LISTED = 6


@dataclass(frozen=True)
class Taken:
    """What was taken from one file.

    Attributes:
        file: The file, as written.
        names: The number of arrays that were taken.
        skipped: The layers that keep their own initial weights, as written.
        unused: The arrays of the file that were not taken.
        layers: The names in the file by layer, if they were found by structure.
    """

    file: str
    count: int
    skipped: Sequence[str]
    unused: Sequence[str]
    layers: Mapping[str, str]

    def as_json(self) -> dict[str, Any]:
        """Return the entry of ``run.json``."""
        named = {"layers": dict(self.layers)} if self.layers else {}
        return {"file": self.file, "taken": self.count, "skipped": [*self.skipped], "unused": [*self.unused], **named}

    def text(self) -> str:
        """Return the report of what was taken."""
        total = self.count + len(self.unused)
        more = f" and {len(self.unused) - _LISTED:,} more" if len(self.unused) > _LISTED else ""
        rest = f"; unused: {', '.join(self.unused[:_LISTED])}{more}" if self.unused else ""
        return f"initial weights: {self.count:,} of {total:,} arrays of {self.file}{rest}"


@dataclass(frozen=True)
class Starting:
    """Initial weights from files.

    Attributes:
        weights: The weights, by identity.
        taken: What was taken from each file.
        warnings: Warnings about the files.
    """

    weights: Mapping[str, NDArray[Any]]
    taken: Sequence[Taken]
    warnings: Sequence[Diagnostic]


def check_starting(spec: Spec, graphs: Iterable[Graph], problems: list[Diagnostic]) -> None:
    """Checks that files under ``weights`` have the weights that start from them; a missing file is a warning.

    No framework is loaded.

    Args:
        spec: The spec.
        graphs: Its graphs.
        problems: Problems are appended here.
    """
    graphs = list(graphs)
    files: dict[str, _File | None] = {}
    found: list[Diagnostic] = [*_unmatched(graphs)]
    for graph in graphs:
        missing: set[tuple[str, str]] = set()
        for identity, weight, node in graph.weights():
            start = node.start
            if start is None:
                continue
            if start.vectors:
                problem = check_vectors(spec, graph, node, start)
                found += [problem] if problem is not None else []
                continue
            if start.file not in files:
                files[start.file] = _file(spec, start, found)
            file = files[start.file]
            name, place = start.name_there(identity), (start.file, start.path)
            if file is None or place in missing:
                continue
            if file.shapes is None:
                missing.add(place)
                found += _check_foreign(file.path, _largest(graphs, start), start)
                continue
            shapes = file.shapes
            if start.names:
                missing.add(place)
                reason = f"`names` is for files of Keras and PyTorch, and `{start.file}` has the names of a run"
                found.append(g.BadStart.at(start.span, start.path, help="use `prefix`, or remove `names`", reason=reason))
            elif not start.takes(identity):
                continue
            elif name not in shapes:
                missing.add(place)  # reported once for each step
                found.append(_missing(start, identity, name, shapes))
            elif shapes[name] != weight.shape:
                reason = f"`{name}` in `{start.file}` is {shapes[name]}, and `{identity}` is {weight.shape}"
                layer = identity.rpartition("/")[0]
                help = f"change the layer to this shape, use another file, or skip it: `skip: [{layer}]`"
                found.append(g.BadStart.at(start.span, start.path, help=help, reason=reason))
    problems += once(found)


def _unmatched(graphs: Sequence[Graph]) -> Iterator[Diagnostic]:
    """Yield the problems of `skip` that names no layer."""
    starts = {node.start.declaration: node.start for graph in graphs for _, _, node in graph.weights() if node.start}
    for key, start in starts.items():
        names = dict.fromkeys(
            identity
            for graph in graphs
            for identity, _, node in graph.weights()
            if node.start and node.start.declaration == key
        )
        for pattern in start.skip:
            if not any(covers(pattern, name) for name in names):
                layers = sorted({scope for name in names for scope in scopes(name)[:-1]})
                suggestion = closest(pattern, layers)
                listing = ", ".join(f"`{name}`" for name in layers[:_LISTED])
                help = suggested(pattern, suggestion, layers) if suggestion else f"layers with weights are {listing}"
                reason = f"`skip` has `{pattern}`, and no layer with weights has this path"
                yield g.BadStart.at(start.span, start.path, help=help, reason=reason)


@dataclass(frozen=True)
class _File:
    """A file of weights.

    Attributes:
        path: Its path.
        shapes: The shapes of its arrays by name, if these are names of a spec; None for other frameworks' files.
    """

    path: Path
    shapes: Mapping[str, tuple[int, ...]] | None


def _largest(graphs: Iterable[Graph], start: Start) -> Graph:
    """Return the graph with most of the layers that a declaration is about, so that each is mapped in the same way in all."""
    return max(graphs, key=lambda graph: sum(node.start is not None and node.start == start for _, _, node in graph.weights()))


@contextmanager
def _foreign(path: Path) -> Iterator[WeightsSource]:
    if path.suffix == ".safetensors":
        from nnspec.transfer.state_dict import StateDict

        yield StateDict(path)
        return
    require("import")
    from nnspec.transfer.keras_file import open_keras

    with open_keras(path) as file:
        yield file


def _check_foreign(path: Path, graph: Graph, start: Start) -> Iterator[Diagnostic]:
    """Yield the problems of a file of another framework."""
    from nnspec.transfer.assignment import NoAssignment, assign
    from nnspec.transfer.conventions import other_conventions
    from nnspec.transfer.modules import UnreadableWeights

    try:
        with _foreign(path) as source:
            assign(source, graph, start)
            if source.framework == "PyTorch":
                yield from other_conventions(graph, start)
    except NoAssignment as error:
        yield g.BadStart.at(start.span, start.path, help=error.help, reason=error.reason)
    except UnreadableWeights as error:
        yield g.BadStart.at(start.span, start.path, reason=f"`{start.file}` {error}")
    except NnspecError as error:
        reason, _, help = str(error).partition("\n  = help: ")
        yield g.BadStart.at(start.span, start.path, help=help, reason=f"`{start.file}`: {reason}")


def _missing(start: Start, identity: str, name: str, shapes: Mapping[str, Any]) -> Diagnostic:
    reason = f"`{start.file}` has no weight `{name}` for `{identity}`"
    prefix = _prefix_for(start, identity, shapes)
    suggestion = closest(name, shapes)
    if prefix is not None:
        written, there = (prefix, f"{prefix}/") if prefix else ('""', "")
        help = f"write `prefix: {written}`: it has `{there}{_inner(start, identity)}`"
    elif suggestion:
        help = f"it has `{suggestion}`; set `prefix` to what the names begin with"
    else:
        more = f" and {len(shapes) - _LISTED} more" if len(shapes) > _LISTED else ""
        listed = ", ".join(f"`{n}`" for n in list(shapes)[:_LISTED]) or "nothing"
        help = f"it has {listed}{more}; set `prefix` to what the names begin with"
    return g.BadStart.at(start.span, start.path, help=help, reason=reason)


def _prefix_for(start: Start, identity: str, shapes: Iterable[str]) -> str | None:
    """The prefix under which a file has a weight, if it is unique or the weight has the same path there."""
    inner = _inner(start, identity)
    prefixes = {name.removesuffix(inner).removesuffix("/") for name in shapes if name == inner or name.endswith(f"/{inner}")}
    if start.at in prefixes:
        return start.at
    return prefixes.pop() if len(prefixes) == 1 else None


def _inner(start: Start, identity: str) -> str:
    return identity.removeprefix(start.at).removeprefix("/")


def _file(spec: Spec, start: Start, problems: list[Diagnostic]) -> _File | None:
    text = _text(start)
    try:
        path = find_file(text, spec.folder, spec.root)
        if path.suffix != ".safetensors":
            return _File(path, None)
        shapes = read_header(path)
    except DataError as error:
        if isinstance(error, MissingFileError):
            help = "train it first, or name an existing run folder or file of weights; paths are relative to the spec"
            problems.append(g.MissingStart.at(start.span, start.path, help=help, reason=error.message))
        else:
            problems.append(g.BadStart.at(start.span, start.path, help=error.help, reason=error.message))
    except UnreadableHeader as error:
        help = "name a run folder or a .safetensors file"
        problems.append(g.BadStart.at(start.span, start.path, help=help, reason=f"`{text}` {error}"))
    else:
        return _File(path, None if is_state_dict(shapes) else shapes)
    return None


def _text(start: Start) -> str:
    is_file = start.file.endswith((".safetensors", ".keras", ".h5", ".hdf5"))
    return start.file if is_file else f"{start.file.rstrip('/')}/{_FILE}"


def initial_weights(spec: Spec, graph: Graph) -> dict[str, NDArray[Any]]:
    """Reads the weights of a graph that start from files, by identity; word vectors need the vocabulary of a training.

    Raises:
        SpecError: If a file is missing or damaged, or has no weight of that name and shape.
    """
    return dict(starting(spec, graph).weights)


def starting(spec: Spec, graph: Graph) -> Starting:
    """Reads the weights of a graph that start from files, and reports what was taken.

    Args:
        spec: The spec.
        graph: The graph.

    Raises:
        SpecError: If a file is missing or damaged, or has no weight of that name and shape.
    """
    starts = {node.start.declaration: node.start for _, _, node in graph.weights() if node.start}
    if not starts:
        return Starting({}, [], [])
    graphs = [graph, *compile(spec).networks.values()]
    problems: list[Diagnostic] = []
    check_starting(spec, graphs, problems)
    warnings = [problem for problem in problems if problem.code == g.OtherConvention.code]
    if len(warnings) < len(problems):
        raise SpecError([problem for problem in problems if problem not in warnings])
    found: dict[str, NDArray[Any]] = {}
    taken: list[Taken] = []
    own = {identity for identity, _, _ in graph.weights()}
    for start in starts.values():
        if start.vectors:
            continue
        path = find_file(_text(start), spec.folder, spec.root)
        is_named = path.suffix == ".safetensors" and not is_state_dict(read_header(path))
        arrays, report = (_named if is_named else _mapped)(path, _largest(graphs, start), start)
        found |= {identity: array for identity, array in arrays.items() if identity in own}
        taken.append(report)
    return Starting(found, taken, warnings)


def _named(file: Path, graph: Graph, start: Start) -> tuple[dict[str, NDArray[Any]], Taken]:
    """Return the weights from a file that has the names of a spec."""
    arrays = _read(file, start)
    names = {
        identity: start.name_there(identity)
        for identity, _, node in graph.weights()
        if node.start is not None and node.start.declaration == start.declaration and start.takes(identity)
    }
    unused = [name for name in arrays if name not in set(names.values())]
    found = {identity: arrays[name] for identity, name in names.items()}
    return found, Taken(start.file, len(set(names.values())), start.skip, unused, {})


def _mapped(file: Path, graph: Graph, start: Start) -> tuple[dict[str, NDArray[Any]], Taken]:
    """Return the weights from a file of another framework."""
    from nnspec.transfer.assignment import assign
    from nnspec.transfer.modules import UnreadableWeights

    try:
        with _foreign(file) as source:
            found = assign(source, graph, start)
            arrays = found.arrays(source, start)
    except UnreadableWeights as error:
        raise SpecError([g.BadStart.at(start.span, start.path, reason=f"`{start.file}` {error}")]) from None
    layers = {each.node.weights_at: each.module.name for each in found.assigned}
    return arrays, Taken(start.file, found.taken, start.skip, found.unused, layers)


def _read(file: Path, start: Start) -> Mapping[str, NDArray[Any]]:
    from safetensors import SafetensorError

    from nnspec.training.run.digests import read_sealed
    from nnspec.training.run.folder import Run

    is_run = not start.file.endswith(".safetensors") and (file.parent / "run.json").is_file()
    try:
        return Run.open(file.parent).weights() if is_run else read_sealed(file).arrays
    except NnspecError as error:
        reason, _, help = str(error).partition("\n  = help: ")
    except (SafetensorError, OSError, ValueError, KeyError) as error:
        reason, help = f"`{_text(start)}` is damaged: {error}", ""
    raise SpecError([g.BadStart.at(start.span, start.path, help=help, reason=reason)])
