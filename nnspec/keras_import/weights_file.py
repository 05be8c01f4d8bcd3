"""Safe reading of HDF5 files with weights, as in a ``.keras`` file, which may be damaged or malicious."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

from nnspec.diagnostics import Diagnostic, Span
from nnspec.keras_import import problems as k

if TYPE_CHECKING:
    from numpy.typing import NDArray

_NUMBERS = ("f", "i", "u", "b")
_EXPANSION = 1000
"""The largest compression ratio; a larger array, above a minimum size, has a shape but no stored values."""

_FLOOR = 2**24

_MOST_GROUPS = 100_000
"""Limit of traversed groups, as hard links can form cycles."""


_DEEPEST = 50

_MOST_NAMES = 10_000
"""Limit of the names in an attribute. NASNetLarge has 1,000 layers."""

_DAMAGED = (OSError, RuntimeError, ValueError, KeyError, TypeError)
"""Exceptions of h5py for damaged files."""


class WeightsFile:
    """The numeric arrays of an HDF5 file. Only hard links are followed."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def named(self, group: str) -> str | None:
        """Return the layer name stored in a group, or None.

        Raises:
            ValueError: If it is damaged.
        """
        found = self._at(f"{group}/vars")
        try:
            name = None if found is None else found.attrs.get("name")
        except _DAMAGED as error:
            raise ValueError(f"`{group}/vars`: {_reason(error)}") from None
        return name if isinstance(name, str) else None

    def stores(self, group: str) -> bool:
        """Whether a group contains arrays, including in subgroups."""
        try:
            return self._has_arrays(self._at(group))
        except _DAMAGED:
            return False  # reported when the arrays are read

    def _has_arrays(self, group: Any) -> bool:
        import h5py

        waiting = [group]
        for _ in range(_MOST_GROUPS):
            if not waiting:
                return False
            at = waiting.pop()
            if isinstance(at, h5py.Dataset):
                return True
            if isinstance(at, h5py.Group):
                hard = [name for name in at if at.get(name, getlink=True, getclass=True) is h5py.HardLink]
                waiting += [at[name] for name in hard]
        return False

    def read(self, place: str, shape: tuple[int, ...] | None = None) -> NDArray[Any] | None:
        """Read one array; None if it does not exist.

        Args:
            place: Its path, ``layers/dense/vars/0``.
            shape: The expected shape; any by default.

        Raises:
            ValueError: If it is not a numeric array in this file, or has another shape.
        """
        found = self._array(place, shape)
        if found is None:
            return None
        try:
            array: NDArray[Any] = found[()]
        except _DAMAGED as error:
            raise ValueError(f"`{place}` cannot be read: {_reason(error)}") from None
        return array

    def shape(self, place: str) -> tuple[int, ...] | None:
        """Return the shape of an array without reading it; None if it does not exist.

        Args:
            place: Its path, ``layers/dense/vars/0``.

        Raises:
            ValueError: If it is not a numeric array in this file.
        """
        found = self._array(place, None)
        return None if found is None else tuple(found.shape)

    def arrays(self) -> list[str]:
        """Return the paths of all arrays, in alphabetical order within each group.

        Raises:
            ValueError: If the file is damaged, or has more groups and arrays than are traversed.
        """
        import h5py

        found: list[str] = []
        waiting: list[tuple[str, Any]] = [("", self._file)]
        try:
            for _ in range(_MOST_GROUPS):
                if not waiting:
                    return found
                path, at = waiting.pop()
                if isinstance(at, h5py.Dataset):
                    found.append(path)
                elif isinstance(at, h5py.Group) and path.count("/") < _DEEPEST:
                    hard = [name for name in at if at.get(name, getlink=True, getclass=True) is h5py.HardLink]
                    waiting += [(f"{path}/{name}".removeprefix("/"), at[name]) for name in reversed(hard)]
        except _DAMAGED as error:
            raise ValueError(_reason(error)) from None
        raise ValueError(f"it has more than {_MOST_GROUPS:,} groups and arrays")

    def strings(self, place: str, attribute: str) -> list[str]:
        """Return the texts in an attribute of a group, which may be stored in parts; none if it does not exist.

        Args:
            place: The path of the group; empty for the file itself.
            attribute: The name of the attribute.

        Raises:
            ValueError: If it is damaged, or too long.
        """
        found = self._at(place) if place else self._file
        if found is None:
            return []
        texts: list[str] = []
        try:
            names = [attribute] if attribute in found.attrs else []
            while names[:1] != [attribute] and f"{attribute}{len(names)}" in found.attrs and len(names) < _MOST_NAMES:
                names.append(f"{attribute}{len(names)}")
            for name in names:
                known = found.attrs.get_id(name)
                count = math.prod(known.shape)
                if count * max(known.dtype.itemsize, 1) > _FLOOR or len(texts) + count > _MOST_NAMES:
                    raise ValueError(f"`{name}` of `{place or '/'}` is too long")
                texts += [text.decode() if isinstance(text, bytes) else str(text) for text in found.attrs[name].ravel()]
        except (*_DAMAGED, AttributeError) as error:
            raise ValueError(f"`{place or '/'}`: {_reason(error)}") from None
        return texts

    def _array(self, place: str, shape: tuple[int, ...] | None) -> Any:
        """Return an array without its values, after checking what can be checked without them."""
        found = self._at(place)
        if found is None:
            return None
        if not hasattr(found, "shape") or found.dtype.kind not in _NUMBERS:
            raise ValueError(f"`{place}` is not a numeric array")
        if found.external or found.is_virtual:
            raise ValueError(f"`{place}` is stored in another file")
        if shape is not None and tuple(found.shape) != shape:
            raise ValueError(f"`{place}` has the shape {tuple(found.shape)} in the file, but {shape} in the config")
        size = math.prod(found.shape) * found.dtype.itemsize
        if size > max(_FLOOR, _EXPANSION * found.id.get_storage_size()):
            raise ValueError(f"`{place}` declares {size:,} bytes, but stores {found.id.get_storage_size():,}")
        return found

    def _at(self, place: str) -> Any:
        try:
            return self._found(place)
        except _DAMAGED as error:
            raise ValueError(f"`{place}`: {_reason(error)}") from None

    def _found(self, place: str) -> Any:
        import h5py

        at: Any = self._file
        for part in place.split("/"):
            if not isinstance(at, h5py.Group) or part not in at:
                return None
            if at.get(part, getlink=True, getclass=True) is not h5py.HardLink:
                raise ValueError("it is not a hard link")
            at = at[part]
        return at


@contextmanager
def open_weights(file: IO[bytes] | None, span: Span, problems: list[Diagnostic]) -> Iterator[WeightsFile | None]:
    """Open an HDF5 file for reading; yield None and add a diagnostic if it is invalid."""
    if file is None:
        yield None
        return
    import h5py

    try:
        opened = h5py.File(file, "r")
    except (OSError, ValueError, RuntimeError) as error:
        reason = f"the weights are not an HDF5 file: {_reason(error, 'damaged')}"
        problems.append(k.BadWeights.at(span, help="save the model again", reason=reason))
        yield None
        return
    with opened:
        yield WeightsFile(opened)


def _reason(error: Exception, otherwise: str = "it is damaged") -> str:
    """Return the first line of an error of h5py, which may have no text."""
    return (str(error).splitlines() or [otherwise])[0]
