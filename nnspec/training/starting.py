"""What layers start from that name a file under ``weights``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nnspec.data.kinds import DataError
from nnspec.data.paths import find_file
from nnspec.diagnostics import Diagnostic, NnspecError, SpecError
from nnspec.graph import Graph
from nnspec.graph import problems as g
from nnspec.graph.model import Start
from nnspec.spec import Spec
from nnspec.training.digests import read_sealed
from nnspec.training.run import Run
from nnspec.types import closest

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["starting_arrays"]

_FILE = "weights.safetensors"


def starting_arrays(spec: Spec, graph: Graph) -> dict[str, NDArray[Any]]:
    """The weights that a graph does not start from its initializers, by identity.

    Raises:
        SpecError: Where a file is missing or damaged, or has no weight of that name and shape.
    """
    problems: list[Diagnostic] = []
    files: dict[str, Mapping[str, NDArray[Any]]] = {}
    found: dict[str, NDArray[Any]] = {}
    for identity, weight, node in graph.weights():
        start = node.start
        if start is None:
            continue
        if start.file not in files:
            files[start.file] = _read(spec, start, problems)
        arrays, name = files[start.file], start.name_there(identity)
        if not arrays:
            continue
        if name not in arrays:
            suggestion = closest(name, arrays)
            help = f"it has `{suggestion}`" if suggestion else f"it has {', '.join(f'`{n}`' for n in list(arrays)[:6])}"
            reason = f"`{start.file}` has no weight `{name}` for `{identity}` to start from"
            problems.append(
                g.BadStart.at(start.span, start.path, help=f"{help}; `prefix` says what names begin with", reason=reason)
            )
            break
        if tuple(arrays[name].shape) != weight.shape:
            reason = f"`{name}` in `{start.file}` is {tuple(arrays[name].shape)}, and `{identity}` is {weight.shape}"
            problems.append(g.BadStart.at(start.span, start.path, reason=reason))
            continue
        found[identity] = arrays[name]
    if problems:
        raise SpecError(problems)
    return found


def _read(spec: Spec, start: Start, problems: list[Diagnostic]) -> Mapping[str, NDArray[Any]]:
    from safetensors import SafetensorError

    text = start.file if start.file.endswith(".safetensors") else f"{start.file.rstrip('/')}/{_FILE}"
    try:
        file = find_file(text, spec.folder, spec.root)
        if text != start.file and (file.parent / "run.json").is_file():
            return Run.open(file.parent).weights()
        return read_sealed(file).arrays
    except DataError as error:
        problems.append(g.BadStart.at(start.span, start.path, help=error.help, reason=error.message))
    except NnspecError as error:
        reason, _, help = str(error).partition("\n  = help: ")
        problems.append(g.BadStart.at(start.span, start.path, help=help, reason=reason))
    except (SafetensorError, OSError, ValueError, KeyError) as error:
        problems.append(g.BadStart.at(start.span, start.path, reason=f"`{text}` cannot be read: {error}"))
    return {}
