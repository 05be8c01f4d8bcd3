"""Initial weights from files, given by ``weights`` of a layer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnspec.data.kinds import DataError
from nnspec.data.paths import MissingFileError, find_file
from nnspec.diagnostics import Diagnostic, NnspecError, SpecError, once
from nnspec.graph import Graph
from nnspec.graph import problems as g
from nnspec.graph.model import Start
from nnspec.spec import Spec
from nnspec.training.loop.weight_header import UnreadableHeader, read_header
from nnspec.types import closest

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["check_starting", "initial_weights"]

_FILE = "weights.safetensors"
_LISTED = 6


def check_starting(spec: Spec, graphs: Iterable[Graph], problems: list[Diagnostic]) -> None:
    """Checks that files under ``weights`` have the weights that start from them; a missing file is a warning.

    No framework is loaded.

    Args:
        spec: The spec.
        graphs: Its graphs.
        problems: Problems are appended here.
    """
    headers: dict[str, Mapping[str, tuple[int, ...]] | None] = {}
    found: list[Diagnostic] = []
    for graph in graphs:
        missing: set[tuple[str, str]] = set()
        for identity, weight, node in graph.weights():
            start = node.start
            if start is None:
                continue
            if start.file not in headers:
                headers[start.file] = _header(spec, start, found)
            shapes = headers[start.file]
            name, place = start.name_there(identity), (start.file, start.path)
            if shapes is None or place in missing:
                continue
            if name not in shapes:
                missing.add(place)  # reported once for each step
                found.append(_missing(start, identity, name, shapes))
            elif shapes[name] != weight.shape:
                reason = f"`{name}` in `{start.file}` is {shapes[name]}, and `{identity}` is {weight.shape}"
                help = "change the layer to this shape, or use another file"
                found.append(g.BadStart.at(start.span, start.path, help=help, reason=reason))
    problems += once(found)


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
    """The prefix under which a file has a weight, if it is unique."""
    inner = _inner(start, identity)
    prefixes = {name.removesuffix(inner).removesuffix("/") for name in shapes if name == inner or name.endswith(f"/{inner}")}
    return prefixes.pop() if len(prefixes) == 1 else None


def _inner(start: Start, identity: str) -> str:
    return identity.removeprefix(start.at).removeprefix("/")


def _header(spec: Spec, start: Start, problems: list[Diagnostic]) -> Mapping[str, tuple[int, ...]] | None:
    text = _text(start)
    try:
        return read_header(find_file(text, spec.folder, spec.root))
    except DataError as error:
        if isinstance(error, MissingFileError):
            help = "train it first, or name an existing run folder or .safetensors file; paths are relative to the spec"
            problems.append(g.MissingStart.at(start.span, start.path, help=help, reason=error.message))
        else:
            problems.append(g.BadStart.at(start.span, start.path, help=error.help, reason=error.message))
    except UnreadableHeader as error:
        help = "name a run folder or a .safetensors file"
        problems.append(g.BadStart.at(start.span, start.path, help=help, reason=f"`{text}` {error}"))
    return None


def _text(start: Start) -> str:
    return start.file if start.file.endswith(".safetensors") else f"{start.file.rstrip('/')}/{_FILE}"


def initial_weights(spec: Spec, graph: Graph) -> dict[str, NDArray[Any]]:
    """Reads the weights of a graph that start from files, by identity.

    Raises:
        SpecError: If a file is missing or damaged, or has no weight of that name and shape.
    """
    problems: list[Diagnostic] = []
    check_starting(spec, [graph], problems)
    if problems:
        raise SpecError(problems)
    files: dict[str, Mapping[str, NDArray[Any]]] = {}
    found: dict[str, NDArray[Any]] = {}
    for identity, _, node in graph.weights():
        start = node.start
        if start is None:
            continue
        if start.file not in files:
            files[start.file] = _read(find_file(_text(start), spec.folder, spec.root), start)
        found[identity] = files[start.file][start.name_there(identity)]
    return found


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
