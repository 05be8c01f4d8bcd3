"""Free sizes of a model, found by tracing it with several concrete ones and comparing the results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["BATCH", "CHOICES", "Differing", "Sizes", "merged"]

BATCH = "batch"

_BATCHES = (13, 18, 20)

CHOICES: tuple[tuple[tuple[int, int, int], ...], ...] = (
    ((6, 7, 9), (8, 10, 11), (5, 6, 9), (4, 7, 8), (7, 11, 16)),
    ((64, 97, 163), (70, 136, 169), (66, 95, 182), (68, 155, 184), (74, 97, 189)),
)
"""The sizes of each free axis in three traces, small and large.

The steps between them have other ratios for each axis, so that what an argument depends on can be told from its three values.
"""


class Differing(Exception):
    """The traces differ in more than their sizes."""


@dataclass(frozen=True)
class Sizes:
    """The sizes of one trace.

    Attributes:
        batch: The number of examples.
        axes: The sizes of the free axes, by the names of the sizes.
    """

    batch: int
    axes: Mapping[str, int]

    @staticmethod
    def of(names: Sequence[str], choice: Sequence[tuple[int, int, int]]) -> list[Sizes]:
        """Return the sizes of three traces."""
        return [
            Sizes(batch, {name: values[number] for name, values in zip(names, choice, strict=False)})
            for number, batch in enumerate(_BATCHES)
        ]


def merged(documents: Sequence[Any], sizes: Sequence[Sizes], key: str = "") -> Any:
    """Return what several traces have in common, with free sizes in place of numbers that differ.

    In shapes, a free size is None. In other arguments, the batch is None, and another size is
    ``{"__size__": [name, factor, term, divisor]}``, the factor times the size plus the term, divided and rounded down.

    Raises:
        Differing: If they differ in more.
    """
    first = documents[0]
    if key == "shared_object_id" or all(one == first and type(one) is type(first) for one in documents):
        return first
    if isinstance(first, dict) and all(isinstance(one, dict) and one.keys() == first.keys() for one in documents):
        keys: dict[str, str] = {"shape": _SHAPE if "keras_history" in first else ""}
        return {name: merged([one[name] for one in documents], sizes, keys.get(str(name), str(name))) for name in first}
    if isinstance(first, list) and all(isinstance(one, list) and len(one) == len(first) for one in documents):
        return [merged(column, sizes, key) for column in zip(*documents, strict=True)]
    if all(type(one) is int for one in documents):
        return None if key in _SHAPES else _size(documents, sizes)
    raise Differing(
        "its code computes other constants for other sizes; compute them with `keras.ops`, from `keras.ops.shape(x)`"
    )


_SHAPE = "the shape of a tensor"

_SHAPES = ("batch_shape", "input_shape", _SHAPE)
"""Keys of the shapes of tensors."""


def _size(values: Sequence[int], sizes: Sequence[Sizes]) -> Any:
    if list(values) == [one.batch for one in sizes]:
        return None
    for name in sizes[0].axes:
        known = [one.axes[name] for one in sizes]
        factor, rest = divmod(values[1] - values[0], known[1] - known[0])
        term = values[0] - factor * known[0]
        if not rest and all(value == factor * size + term for value, size in zip(values, known, strict=True)):
            return {"__size__": [name, factor, term, 1]}
    for name in sizes[0].axes:  # half of a size: each choice has even and odd ones
        known = [one.axes[name] for one in sizes]
        for odd in (0, 1):
            term = 2 * (values[0] - (known[0] + odd) // 2) + odd
            if all(value == (size + term) // 2 for value, size in zip(values, known, strict=True)):
                return {"__size__": [name, 1, term, 2]}
    raise Differing(
        "its code computes with sizes in a way that has no equivalent, such as the number of examples times another"
    )
