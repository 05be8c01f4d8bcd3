"""Initial weights from files, given by ``weights`` of a layer."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

from nnspec.data.kinds import DataError
from nnspec.data.paths import MissingFileError, find_file
from nnspec.diagnostics import Diagnostic, NnspecError, SpecError, once
from nnspec.graph import Graph
from nnspec.graph import problems as g
from nnspec.graph.model import Start
from nnspec.spec import Spec
from nnspec.training.run.word_vectors import check_vectors
from nnspec.types import closest

if TYPE_CHECKING:
    from numpy.typing import NDArray

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
            if start.vectors:
                problem = check_vectors(spec, graph, node, start)
                found += [problem] if problem is not None else []
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
    """Reads the weights of a graph that start from files, by identity; word vectors need the vocabulary of a training.

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
        if start is None or start.vectors:
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


_MOST_BYTES = 25_000_000
"""The largest header that is read, enough for about 200,000 arrays. The format allows four times as much."""

_BITS = {f"{kind}{bits}": bits for kind in "FIU" for bits in (8, 16, 32, 64)} | {"BOOL": 8, "BF16": 16}
"""The bits of a value by dtype; the size of arrays of other dtypes is not checked."""


class UnreadableHeader(NnspecError):
    """A file that is not a safetensors file. The text completes a sentence that begins with the file."""


def read_header(path: Path) -> dict[str, tuple[int, ...]]:
    """The shapes of a file's arrays, by name, in alphabetical order.

    Args:
        path: The file.

    Raises:
        UnreadableHeader: If it is not a safetensors file, or is truncated.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(8)
            length = int.from_bytes(start, "little")
            if len(start) < 8 or length < 2 or length > size - 8:
                raise UnreadableHeader("is not a safetensors file: it does not begin with the length of a header")
            if length > _MOST_BYTES:
                raise UnreadableHeader(f"has a header of {length:,} bytes, and at most {_MOST_BYTES:,} are allowed")
            header = json.loads(file.read(length))
    except OSError as error:
        raise UnreadableHeader(f"cannot be read: {(error.strerror or str(error)).lower()}") from None
    except (ValueError, RecursionError):
        raise UnreadableHeader("is not a safetensors file: its header is not JSON") from None
    if not isinstance(header, dict):
        raise UnreadableHeader("is not a safetensors file: its header is not a mapping")
    header.pop("__metadata__", None)
    return {name: _shape(name, header[name], size - 8 - length) for name in sorted(header)}


def _shape(name: str, entry: Any, size: int) -> tuple[int, ...]:
    """The shape of an array, checked against its byte range."""
    shape, offsets = (entry.get(key) if isinstance(entry, Mapping) else None for key in ("shape", "data_offsets"))
    if not _are_counts(shape) or not _are_counts(offsets) or len(offsets) != 2:
        raise UnreadableHeader(f"is not a safetensors file: its header does not describe `{name}`")
    bits = _BITS.get(str(entry.get("dtype")))
    if bits is not None and 8 * (offsets[1] - offsets[0]) != bits * math.prod(shape):
        raise UnreadableHeader(f"is damaged: `{name}` has the shape {tuple(shape)}, but has {offsets[1] - offsets[0]:,} bytes")
    if offsets[1] > size:
        raise UnreadableHeader(f"is truncated: `{name}` ends after the end of the file")
    return tuple(shape)


def _are_counts(values: object) -> TypeGuard[list[int]]:
    return isinstance(values, list) and all(type(value) is int and 0 <= value < 2**63 for value in values)
