"""Tensor expressions."""

from __future__ import annotations

from collections.abc import Mapping

from nnspec.keras_backend.call import Build, Call, Lowering
from nnspec.keras_backend.layers import Compute as ComputeLayer
from nnspec.layers.base import Layer
from nnspec.layers.compute import Compute
from nnspec.types import Dim, TensorType, substitute, symbol, symbols_of


def _compute(build: Build[Compute]) -> Call:
    first, *others = [_related(types) for types in build.types] or [None]
    return build.call(ComputeLayer, seed=build.seeds.of("seed"), sizes=first if all(one == first for one in others) else None)


def _related(types: Mapping[str, TensorType]) -> list[list[int | str]] | None:
    """Return the sizes of each input, if a free size occurs twice or is computed: Keras does not know that sizes are equal."""
    shapes = [type_.shape for type_ in types.values()]
    free = [size for shape in shapes for size in shape if isinstance(size, Dim)]
    names = [name for size in free for name in symbols_of(size)]
    if len(names) == len(set(names)) and all(str(size) in names for size in free):
        return None
    named = {name: symbol(f"S{number}") for number, name in enumerate(dict.fromkeys(names), 1)}
    return [[size if isinstance(size, int) else str(substitute(size, named)) for size in shape] for shape in shapes]


TABLE: Mapping[type[Layer], Lowering] = {Compute: _compute}
