"""The arrays of the HDF5 file in a ``.keras`` file, read as what it may be: damaged or hostile."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

from nnspec.diagnostics import Diagnostic, Span
from nnspec.keras_import import problems as k

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["WeightsFile", "open_weights"]

_NUMBERS = ("f", "i", "u", "b")
_EXPANSION = 1000
"""HDF5 compresses; what grows more than this, past a floor, stores a shape and no values."""

_FLOOR = 2**24

_MOST_GROUPS = 100_000
"""Hard links can lead in a circle."""


_DAMAGED = (OSError, RuntimeError, ValueError, KeyError, TypeError)
"""What h5py raises for a file that is damaged."""


class WeightsFile:
    """The arrays of an HDF5 file that are stored in it as numbers. Links that lead elsewhere are not followed."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def named(self, group: str) -> str | None:
        """The name of the layer that a group says it is of; None where it does not say."""
        found = self._at(f"{group}/vars")
        name = None if found is None else found.attrs.get("name")
        return name if isinstance(name, str) else None

    def stores(self, group: str) -> bool:
        """Whether a group, or one in it, has arrays."""
        try:
            return self._has_arrays(self._at(group))
        except _DAMAGED:
            return False  # which is found out when they are read

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
        """One array; None where there is none.

        Args:
            place: Where it is, ``layers/dense/vars/0``.
            shape: The shape it must have; any small one by default.

        Raises:
            ValueError: Where it is no array of numbers in this file, or has another shape.
        """
        found = self._at(place)
        if found is None:
            return None
        if not hasattr(found, "shape") or found.dtype.kind not in _NUMBERS:
            raise ValueError(f"`{place}` is no array of numbers")
        if found.external or found.is_virtual:
            raise ValueError(f"`{place}` is stored in another file")
        if shape is not None and tuple(found.shape) != shape:
            raise ValueError(f"`{place}` is {tuple(found.shape)} in the file, and {shape} by the config")
        size = math.prod(found.shape) * found.dtype.itemsize
        if size > max(_FLOOR, _EXPANSION * found.id.get_storage_size()):
            raise ValueError(f"`{place}` says it has {size:,} bytes, and stores {found.id.get_storage_size():,}")
        try:
            array: NDArray[Any] = found[()]
        except _DAMAGED as error:
            raise ValueError(f"`{place}` cannot be read: {(str(error).splitlines() or ['it is damaged'])[0]}") from None
        return array

    def _at(self, place: str) -> Any:
        try:
            return self._found(place)
        except _DAMAGED as error:
            raise ValueError(f"`{place}`: {(str(error).splitlines() or ['it is damaged'])[0]}") from None

    def _found(self, place: str) -> Any:
        import h5py

        at: Any = self._file
        for part in place.split("/"):
            if not isinstance(at, h5py.Group) or part not in at:
                return None
            if at.get(part, getlink=True, getclass=True) is not h5py.HardLink:
                raise ValueError("it is a link that leads elsewhere")
            at = at[part]
        return at


@contextmanager
def open_weights(file: IO[bytes] | None, span: Span, problems: list[Diagnostic]) -> Iterator[WeightsFile | None]:
    """An HDF5 file opened for reading; None, with a diagnostic, where it is none."""
    if file is None:
        yield None
        return
    import h5py

    try:
        opened = h5py.File(file, "r")
    except (OSError, ValueError, RuntimeError) as error:
        reason = f"the weights are no HDF5 file: {(str(error).splitlines() or ['damaged'])[0]}"
        problems.append(k.BadWeights.at(span, help="save the model again", reason=reason))
        yield None
        return
    with opened:
        yield WeightsFile(opened)
