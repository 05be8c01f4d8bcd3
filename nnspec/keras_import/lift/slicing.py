"""Translation of indexing, ``x[:, 1:, 0]``, to ``Slice`` and ``Reshape`` layers."""

from __future__ import annotations

from typing import Any

from nnspec.keras_import.arguments import NoEquivalent
from nnspec.keras_import.model import KerasCall, Tensor
from nnspec.keras_import.parts import Part, Source, Translation, Within, part

_ALL = slice(None, None, None)


def slices(call: KerasCall, within: Within) -> Translation:
    """Translate an indexing operation.

    Raises:
        NoEquivalent: If it indexes the batch axis, or uses other indices than slices and integers.
    """
    x, key = [*call.args, *call.kwargs.values()][:2]
    keys = key if isinstance(key, list) else [key]
    shape = within.shape_of(x) if isinstance(x, Tensor) else None
    for place, one in enumerate(keys):
        if isinstance(one, dict) and one.get("class_name") == "__ellipsis__" and shape is not None:
            named = sum(key is not None for key in keys) - 1
            keys = [*keys[:place], *[_ALL] * (len(shape) - named), *keys[place + 1 :]]
            break
    added = [place for place, one in enumerate(keys) if one is None]
    keys = [one for one in keys if one is not None]
    if shape is None or not keys or len(keys) > len(shape) or not all(isinstance(k, slice) or type(k) is int for k in keys):
        raise NoEquivalent("it uses other indices than slices and integers", setting=True)
    if keys[0] != _ALL:
        raise NoEquivalent("it indexes the batch axis", setting=True)
    parts: list[Part] = []
    sizes: list[Any] = list(shape)
    for axis, one in enumerate(keys[1:], 1):
        if one == _ALL:
            continue
        at: Source = len(parts) - 1 if parts else x
        parts.append(part("Slice", _bounds(axis, one), [at], f"_slice{axis}"))
        known = shape[axis]
        sizes[axis] = 1 if isinstance(one, int) else None if known is None else len(range(*one.indices(known)))
    assert isinstance(x, Tensor)
    gone = {axis for axis, one in enumerate(keys) if isinstance(one, int)}
    if gone or added:
        left = _left(sizes, gone, added, len(keys))
        parts.append(part("Reshape", {"target_shape": left}, [len(parts) - 1 if parts else x]))
    return tuple(parts) or x


def _left(sizes: list[Any], gone: set[int], added: list[int], keyed: int) -> list[int]:
    """Return the sizes after indexing: integers remove axes, and ``None`` inserts axes of size 1."""
    entries: list[tuple[int | None, Any]] = [(axis, size) for axis, size in enumerate(sizes[:keyed])]
    for place in added:
        entries.insert(place, (None, 1))
    kept = [size for axis, size in entries if axis not in gone or axis is None] + sizes[keyed:]
    left = [-1 if size is None else size for size in kept[1:]]
    if 0 in added or left.count(-1) > 1 or not left:
        raise NoEquivalent("it inserts an axis before the batch, or leaves two sizes unknown or no axes", setting=True)
    return left


def _bounds(axis: int, one: Any) -> dict[str, Any]:
    if isinstance(one, int):
        given: dict[str, Any] = {"start": one, "stop": None if one == -1 else one + 1}
    else:
        if (one.step or 1) < 1:
            raise NoEquivalent("it has a negative step", setting=True)
        given = {"start": one.start or 0, "stop": one.stop, "step": one.step or 1}
    return {"axis": axis, **given}
