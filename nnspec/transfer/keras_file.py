"""Weights of Keras: ``.weights.h5`` and ``.keras`` of Keras 3, and the older ``.h5`` of layers by name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from nnspec.diagnostics import Diagnostic, NnspecError, Span
from nnspec.keras_import.archive import open_archive
from nnspec.keras_import.weights_file import WeightsFile, open_weights
from nnspec.transfer.modules import Module, UnreadableWeights

if TYPE_CHECKING:
    from numpy.typing import NDArray

_CONTAINERS = ("layers", "_layer_checkpoint_dependencies")
"""Groups of a model's layers in files of Keras 3."""

_NOT_LAYERS = ("optimizer", "seed_generator")

_OLDER = ("model_weights", "")
"""Groups of the layers in older files: in those of whole models, and of weights alone."""


_MOST_WEIGHTS = 100_000
"""Limit of the weights of all layers, as the same group can be listed many times."""


class KerasFile:
    """An open file of weights of Keras."""

    framework = "Keras"

    def __init__(self, file: WeightsFile) -> None:
        self._file = file
        try:
            older = next((group for group in _OLDER if file.strings(group, "layer_names")), None)
            self.modules = _by_group(file) if older is None else _by_name(file, older)
        except ValueError as error:
            raise UnreadableWeights(f"is damaged: {error}") from None

    def read(self, place: str) -> NDArray[Any]:
        """Return the values of an array."""
        try:
            found = self._file.read(place)
        except ValueError as error:
            raise UnreadableWeights(f"is damaged: {error}") from None
        assert found is not None
        return found


@contextmanager
def open_keras(path: Path) -> Iterator[KerasFile]:
    """Open a file of weights of Keras.

    Args:
        path: The file.

    Raises:
        UnreadableWeights: If it is not one, or is damaged.
    """
    problems: list[Diagnostic] = []
    if path.suffix == ".keras":
        try:
            with open_archive(path) as (_, weights):
                if weights is None:
                    raise UnreadableWeights("has no weights")
                with _opened(weights, problems) as file:
                    yield file
        except UnreadableWeights:
            raise
        except NnspecError as error:
            raise UnreadableWeights(f"is not a .keras file: {str(error).partition(chr(10))[0]}") from None
        return
    try:
        stream = path.open("rb")
    except OSError as error:
        raise UnreadableWeights(f"cannot be read: {(error.strerror or str(error)).lower()}") from None
    with stream, _opened(stream, problems) as file:
        yield file


@contextmanager
def _opened(stream: IO[bytes], problems: list[Diagnostic]) -> Iterator[KerasFile]:
    with open_weights(stream, Span.whole(""), problems) as file:
        if file is None:
            raise UnreadableWeights("is not an HDF5 file, or is truncated")
        yield KerasFile(file)


def _by_name(file: WeightsFile, group: str) -> list[Module]:
    """Return the layers of an older file, which states their order."""
    modules: list[Module] = []
    count = 0
    for rank, name in enumerate(file.strings(group, "layer_names")):
        at = f"{group}/{name}".removeprefix("/")
        places = [f"{at}/{weight}" for weight in file.strings(at, "weight_names")]
        count += len(places)
        if count > _MOST_WEIGHTS:
            raise ValueError(f"it lists more than {_MOST_WEIGHTS:,} weights")
        layer = _layer(file, name, places, rank, len(at) + 1)
        modules += [layer] if layer is not None else []
    return modules


def _layer(file: WeightsFile, name: str, places: list[str], rank: int, start: int) -> Module | None:
    """Return a layer, or a model in the model: both have all their weights in one group. None without weights."""
    shapes = {place: file.shape(place) for place in places}
    lost = next((place for place, shape in shapes.items() if shape is None), None)
    if lost is not None:
        raise ValueError(f"`{lost}` is missing")
    if not places:
        return None
    scopes: dict[str, list[str]] = {}
    for place in places:
        scopes.setdefault(place[start:].rpartition("/")[0], []).append(place)

    def made(name: str, places: list[str], number: int, inner: tuple[Module, ...] = ()) -> Module:
        arrays = {str(index): shapes[place] or () for index, place in enumerate(places)}
        by_index = {str(index): place for index, place in enumerate(places)}
        return Module(name, tuple(name.split("/")), arrays, by_index, None, {"": rank * _MOST_WEIGHTS + number}, inner)

    inner = [made(f"{name}/{scope}", found, number) for number, (scope, found) in enumerate(scopes.items())]
    return made(name, places, 0, tuple(inner) if len(inner) > 1 else ())


def _by_group(file: WeightsFile) -> list[Module]:
    """Return the layers of a file of Keras 3, whose groups are numbered for each class of layers."""
    found: dict[str, list[str]] = {}
    for place in file.arrays():
        parts = place.split("/")
        if "vars" not in parts or any(part in _NOT_LAYERS for part in parts):
            continue
        found.setdefault("/".join(_layer_of(parts)), []).append(place)
    modules = []
    for layer, places in found.items():
        parts = layer.split("/")
        name = "/".join(_named(file, parts)) or layer
        kind, number = _class_of(parts[-1])
        container = "/".join(parts[:-1])
        arrays = {place.removeprefix(f"{layer}/"): file.shape(place) or () for place in places}
        by_key = {place.removeprefix(f"{layer}/"): place for place in places}
        modules.append(Module(name, tuple(name.split("/")), arrays, by_key, kind, {f"{container}/{kind}": number}))
    return modules


def _layer_of(parts: list[str]) -> list[str]:
    """Return the path of the layer that an array belongs to: what the innermost list of layers contains, else its group."""
    last = max((index for index, part in enumerate(parts) if part in _CONTAINERS), default=None)
    return parts[: last + 2] if last is not None else parts[: parts.index("vars")]


def _named(file: WeightsFile, parts: list[str]) -> Iterator[str]:
    """Yield the names of the layers on a path, which their groups state."""
    for index, part in enumerate(parts):
        if part not in _CONTAINERS:
            yield file.named("/".join(parts[: index + 1])) or part


def _class_of(group: str) -> tuple[str, int]:
    stem, number = re.fullmatch(r"(.*?)(?:_(\d{1,9}))?", group, re.DOTALL).groups()  # type: ignore[union-attr]
    return stem, int(number or 0)
