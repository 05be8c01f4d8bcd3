"""Large pictures, answered tile by tile."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import lcm
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nnspec.diagnostics import NnspecError
from nnspec.runtime.blending import Blend, weights_of
from nnspec.runtime.tiling import Sight, Tiles
from nnspec.types import Condition

if TYPE_CHECKING:
    from nnspec.runtime.predictor import Predictor

__all__ = ["Tiling", "is_tileable"]

Arrays = Mapping[str, NDArray[Any]]


@dataclass
class Tiling:
    """A model's answers to pictures that are cut into overlapping tiles: no more than one tile is computed at a time.

    Args:
        predictor: The model: fully convolutional, with one input whose sizes are free.
        tile: How large a tile is, along each free axis.
        overlap: How much of it its neighbour has too; None: as much as makes the answers those to the whole picture.

    Attributes:
        exact: Whether every place sees in some tile all that it sees in the whole picture: the answers are then the same.
        overlap: How much two tiles share.
        step: What tiles begin at multiples of.
        padded: What sizes pictures were brought to, mirrored at their ends, because the model takes no others; None: none.
        tiles: How many tiles a picture was cut into, along each axis.
        seams: For each output how much the answers of neighbours differ at most where both count, of the last pictures;
            nothing where nowhere two of them do.

    Raises:
        NnspecError: Where the model is not fully convolutional, or the tile is too small.
    """

    predictor: Predictor
    tile: int
    overlap: int | None = None
    exact: bool = field(init=False)
    step: int = field(init=False)
    padded: tuple[int, ...] | None = field(init=False, default=None)
    tiles: tuple[int, ...] = field(init=False, default=())
    seams: dict[str, float] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._input, self._symbols = _free_axes(self.predictor)
        self._sights = {name: self._sight(name) for name in self.predictor.outputs}
        known = self.predictor.conditions
        self._conditions = [known.get(symbol, Condition()) for symbol in self._symbols]
        if known.relations or any(c.largest is not None or c.other_remainders or c.also for c in self._conditions):
            raise NnspecError(f"`{self.predictor.path}` cannot answer tile by tile: {'; '.join(known.texts())}")
        periods = [sight.period for sights in self._sights.values() for sight in sights]
        self.step = lcm(*periods, *(condition.multiple_of for condition in self._conditions))
        self._least = max(condition.at_least for condition in self._conditions)
        self._more, *others = {condition.remainder for condition in self._conditions}
        if others:
            raise NnspecError(f"`{self.predictor.path}` cannot answer tile by tile: its sizes are not of one kind")
        wanted = max(sight.exact_overlap() for sights in self._sights.values() for sight in sights)
        exact = -(-wanted // self.step) * self.step
        self.overlap = exact if self.overlap is None else self.overlap
        self.exact = self.overlap >= exact
        self._check(exact)

    def text(self) -> str:
        """What was done, in words, after [`predict`][nnspec.runtime.tiled.Tiling.predict]."""
        count = " × ".join(map(str, self.tiles))
        kind = "the answers are those to the whole picture" if self.exact else "the answers are blended between tiles"
        lines = [f"{count} tiles of {self.tile} with an overlap of {self.overlap}: {kind}"]
        if self.padded is not None:
            sizes = " × ".join(map(str, self.padded))
            lines.append(f"pictures were brought to {sizes}, mirrored at their ends, and the answers cropped")
        lines += [f"`{name}` of neighbouring tiles differs by at most {seam:.1e}" for name, seam in self.seams.items()]
        return "\n".join(lines)

    def predict(self, inputs: Arrays) -> dict[str, NDArray[Any]]:
        """The outputs for a batch of pictures, each as large as for the whole picture.

        Args:
            inputs: An array for the input, by name, the batch axis first.

        Raises:
            NnspecError: Where it does not fit the model.
        """
        whole = self._brought(inputs)
        arrays = self.predictor.checked({self._input: whole})
        pictures = arrays[self._input]
        axes = [
            Tiles.of(size, self.tile, self.overlap or 0, step=self.step, least=self._least)
            for size in pictures.shape[1 : 1 + len(self._symbols)]
        ]
        self.tiles = tuple(len(axis.spans) for axis in axes)
        self.seams = {}
        answers = [self._picture(picture[np.newaxis], axes) for picture in pictures]
        joined = {name: np.concatenate([answer[name] for answer in answers]) for name in self.predictor.outputs}
        return {name: self._cropped(name, array, inputs[self._input]) for name, array in joined.items()}

    def _picture(self, picture: NDArray[Any], axes: list[Tiles]) -> dict[str, NDArray[Any]]:
        sums: dict[str, Blend] = {}
        # The last one first: where it ends, the whole ends.
        numbers = list(itertools.product(*(range(len(axis.spans)) for axis in axes)))
        for number in numbers[-1:] + numbers[:-1]:
            part = tuple(slice(*axis.spans[i]) for axis, i in zip(axes, number, strict=True))
            given = self.predictor.run({self._input: np.ascontiguousarray(picture[(slice(None), *part)])})
            for name, answer in given.items():
                along = list(zip(axes, number, answer.shape[1:-1], self._sights[name], strict=True))
                offsets = [sight.places(axis.spans[i][0]) for axis, i, _, sight in along]
                if name not in sums:
                    sums[name] = Blend.of([o + count for o, (_, _, count, _) in zip(offsets, along, strict=True)], answer)
                sums[name].add(answer[0], offsets, [weights_of(*each) for each in along])
        for name, total in sums.items():
            if total.has_gaps:
                raise NnspecError(
                    f"with an overlap of {self.overlap} there are places of `{name}` between tiles that none answers\n"
                    "  = help: leave the overlap out, or make it larger"
                )
            if total.seam is not None:
                self.seams[name] = max(self.seams.get(name, 0.0), total.seam)
        return {name: total.mean()[np.newaxis] for name, total in sums.items()}

    def _sight(self, output: str) -> list[Sight]:
        port, sights = self.predictor.outputs[output], self.predictor.fields.get(output, ())
        if len(sights) != len(self._symbols) or not port.dtype.startswith("float"):
            raise NnspecError(
                f"`{self.predictor.path}` cannot answer tile by tile: the places of `{output}` do not each see a part of the "
                "picture, or the file does not say which\n  = help: export it again with this version; `nnspec inspect` shows "
                "what each layer sees"
            )
        return list(sights)

    def _check(self, exact: int) -> None:
        overlap, step = self.overlap or 0, self.step
        if overlap < 0 or overlap % step or (self.tile - self._more) % step or self.tile < self._least:
            wanted = Condition(step, self._least, self._more % step)
            also = f", and its overlap a multiple of {step}" if step > 1 else ""
            raise NnspecError(f"a tile must be {wanted} here{also}; not {self.tile} and {overlap}")
        if overlap >= self.tile:
            less = f", or an overlap below {exact}: the answers then differ a little from those to the whole"
            raise NnspecError(
                f"tiles of {self.tile} are no larger than their overlap of {overlap}\n"
                f"  = help: take larger tiles{less if overlap == exact else ''}"
            )

    def _brought(self, inputs: Arrays) -> NDArray[Any]:
        """The pictures at sizes that the model takes, mirrored at their ends."""
        if set(inputs) != {self._input}:
            self.predictor.checked(inputs)  # says what is wrong
        array = np.asarray(inputs[self._input])
        sizes = array.shape[1 : 1 + len(self._symbols)]
        # One that is too small is refused, not filled up with its own mirror.
        fitting = tuple(replace(c, at_least=1).next_fit(size) for c, size in zip(self._conditions, sizes, strict=False))
        self.padded = fitting if fitting != sizes and 0 not in array.shape else None
        if self.padded is None:
            return array
        more = [(0, fit - size) for fit, size in zip(fitting, sizes, strict=True)]
        return np.pad(array, [(0, 0), *more, *[(0, 0)] * (array.ndim - 1 - len(more))], mode="symmetric")

    def _cropped(self, name: str, answer: NDArray[Any], given: Any) -> NDArray[Any]:
        if self.padded is None:
            return answer
        lost = [fit - size for fit, size in zip(self.padded, np.shape(given)[1:], strict=False)]
        kept = [
            slice(0, size - int(more / sight.stride))
            for size, more, sight in zip(answer.shape[1:], lost, self._sights[name], strict=False)
        ]
        return answer[(slice(None), *kept)]


def is_tileable(predictor: Predictor) -> bool:
    """Whether a model takes one picture of free sizes, and the places of all its outputs see parts of it."""
    axes = [port.shape[1:-1] for port in predictor.inputs.values()]
    free = len(axes) == 1 and len(axes[0]) > 0 and all(isinstance(size, str) for size in axes[0])
    return free and all(len(predictor.fields.get(name, ())) == len(axes[0]) for name in predictor.outputs)


def _free_axes(predictor: Predictor) -> tuple[str, list[str]]:
    """The only input, and the symbols of its axes between the batch and the channels.

    Raises:
        NnspecError: Where there are several inputs, or sizes are fixed.
    """
    ports = list(predictor.inputs.values())
    sizes = ports[0].shape[1:-1]
    symbols = [size for size in sizes if isinstance(size, str)]
    if len(ports) != 1 or not sizes or len(symbols) < len(sizes):
        takes = ", ".join(map(str, ports))
        raise NnspecError(
            f"`{predictor.path}` cannot answer tile by tile: it takes {takes}, and not one picture of free sizes\n"
            "  = help: write the sizes as symbols, `[H, W, 3]`"
        )
    return ports[0].name, symbols
