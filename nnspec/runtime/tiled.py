"""Prediction on large images, tile by tile."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from math import lcm
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nnspec.diagnostics import NnspecError
from nnspec.runtime.tiling import ReceptiveField, Tiles
from nnspec.types import Condition

if TYPE_CHECKING:
    from nnspec.runtime.predictor import Predictor

Arrays = Mapping[str, NDArray[Any]]


@dataclass
class Tiling:
    """Predicts on images cut into overlapping tiles, one tile at a time.

    Args:
        predictor: The model: fully convolutional, with one input whose sizes are free.
        tile: The size of a tile, along each free axis.
        overlap: The overlap of two tiles; None for the least at which the result equals that of the whole image.

    Attributes:
        exact: Whether each receptive field is inside a tile: the result then equals that of the whole image.
        overlap: The overlap of two tiles.
        step: Tiles start at multiples of it.
        padded: The sizes that images were padded to, by mirroring, if the model does not accept theirs; None for no padding.
        tiles: The number of tiles of an image, along each axis.
        seams: The largest difference of two tiles where both have a weight, by output, of the last images; empty if none.

    Raises:
        NnspecError: If the model is not fully convolutional, or the tile is too small.
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
        self._fields = {name: self._fields_of(name) for name in self.predictor.outputs}
        known = self.predictor.conditions
        self._conditions = [known.get(symbol, Condition()) for symbol in self._symbols]
        if known.relations or any(c.largest is not None or c.other_remainders or c.also for c in self._conditions):
            raise NnspecError(f"`{self.predictor.path}` does not support tiles: {'; '.join(known.texts())}")
        periods = [field.period for fields in self._fields.values() for field in fields]
        self.step = lcm(*periods, *(condition.multiple_of for condition in self._conditions))
        self._least = max(condition.at_least for condition in self._conditions)
        self._more, *others = {condition.remainder for condition in self._conditions}
        if others:
            raise NnspecError(f"`{self.predictor.path}` does not support tiles: its axes have different conditions on sizes")
        wanted = max(field.exact_overlap() for fields in self._fields.values() for field in fields)
        exact = -(-wanted // self.step) * self.step
        self.overlap = exact if self.overlap is None else self.overlap
        self.exact = self.overlap >= exact
        self._check(exact)

    def text(self) -> str:
        """A summary as text, after [`predict`][nnspec.runtime.tiled.Tiling.predict]."""
        count = " × ".join(map(str, self.tiles))
        kind = "the outputs equal those of the whole image" if self.exact else "the outputs are blended between tiles"
        lines = [f"{count} tiles of {self.tile} with an overlap of {self.overlap}: {kind}"]
        if self.padded is not None:
            sizes = " × ".join(map(str, self.padded))
            lines.append(f"images were padded to {sizes} by mirroring, and the outputs cropped")
        lines += [f"`{name}` of neighboring tiles differs by at most {seam:.1e}" for name, seam in self.seams.items()]
        return "\n".join(lines)

    def predict(self, inputs: Arrays) -> dict[str, NDArray[Any]]:
        """Predict on a batch of images; outputs have the size of those of the whole images.

        Args:
            inputs: An array for the input, by name, the batch axis first.

        Raises:
            NnspecError: If it does not match the model.
        """
        whole = self._padded(inputs)
        arrays = self.predictor.checked({self._input: whole})
        images = arrays[self._input]
        axes = [
            Tiles.of(size, self.tile, self.overlap or 0, step=self.step, least=self._least)
            for size in images.shape[1 : 1 + len(self._symbols)]
        ]
        self.tiles = tuple(len(axis.spans) for axis in axes)
        self.seams = {}
        answers = [self._image(image[np.newaxis], axes) for image in images]
        joined = {name: np.concatenate([answer[name] for answer in answers]) for name in self.predictor.outputs}
        return {name: self._cropped(name, array, inputs[self._input]) for name, array in joined.items()}

    def _image(self, image: NDArray[Any], axes: list[Tiles]) -> dict[str, NDArray[Any]]:
        sums: dict[str, Blend] = {}
        # The last tile first: it determines the size of the whole output.
        numbers = list(itertools.product(*(range(len(axis.spans)) for axis in axes)))
        for number in numbers[-1:] + numbers[:-1]:
            part = tuple(slice(*axis.spans[i]) for axis, i in zip(axes, number, strict=True))
            given = self.predictor.run({self._input: np.ascontiguousarray(image[(slice(None), *part)])})
            for name, answer in given.items():
                along = list(zip(axes, number, answer.shape[1:-1], self._fields[name], strict=True))
                offsets = [field.places(axis.spans[i][0]) for axis, i, _, field in along]
                if name not in sums:
                    sums[name] = Blend.of([o + count for o, (_, _, count, _) in zip(offsets, along, strict=True)], answer)
                sums[name].add(answer[0], offsets, [weights_of(*each) for each in along])
        for name, total in sums.items():
            if total.has_gaps:
                raise NnspecError(
                    f"with an overlap of {self.overlap} no tile covers some positions of `{name}`\n"
                    "  = help: omit the overlap, or increase it"
                )
            if total.seam is not None:
                self.seams[name] = max(self.seams.get(name, 0.0), total.seam)
        return {name: total.mean()[np.newaxis] for name, total in sums.items()}

    def _fields_of(self, output: str) -> list[ReceptiveField]:
        port, fields = self.predictor.outputs[output], self.predictor.fields.get(output, ())
        if len(fields) != len(self._symbols) or not port.dtype.startswith("float"):
            raise NnspecError(
                f"`{self.predictor.path}` does not support tiles: the receptive fields of `{output}` are the whole "
                "image, or are not stated in the file\n  = help: export it again with this version; `nnspec inspect` shows "
                "the receptive field of each layer"
            )
        return list(fields)

    def _check(self, exact: int) -> None:
        overlap, step = self.overlap or 0, self.step
        if overlap < 0 or overlap % step or (self.tile - self._more) % step or self.tile < self._least:
            wanted = Condition(step, self._least, self._more % step)
            also = f", and its overlap a multiple of {step}" if step > 1 else ""
            raise NnspecError(f"a tile must be {wanted} here{also}; not {self.tile} and {overlap}")
        if overlap >= self.tile:
            less = f", or an overlap below {exact}: the outputs then differ a little from those of the whole image"
            raise NnspecError(
                f"tiles of {self.tile} are no larger than their overlap of {overlap}\n"
                f"  = help: use larger tiles{less if overlap == exact else ''}"
            )

    def _padded(self, inputs: Arrays) -> NDArray[Any]:
        """Pad the images by mirroring to sizes that the model accepts."""
        if set(inputs) != {self._input}:
            self.predictor.checked(inputs)  # raises the error
        array = np.asarray(inputs[self._input])
        sizes = array.shape[1 : 1 + len(self._symbols)]
        # Images that are too small are an error, not padded.
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
            slice(0, size - int(more / field.stride))
            for size, more, field in zip(answer.shape[1:], lost, self._fields[name], strict=False)
        ]
        return answer[(slice(None), *kept)]


def is_tileable(predictor: Predictor) -> bool:
    """Whether a model has one image input of free sizes, and outputs with local receptive fields."""
    axes = [port.shape[1:-1] for port in predictor.inputs.values()]
    free = len(axes) == 1 and len(axes[0]) > 0 and all(isinstance(size, str) for size in axes[0])
    return free and all(len(predictor.fields.get(name, ())) == len(axes[0]) for name in predictor.outputs)


def _free_axes(predictor: Predictor) -> tuple[str, list[str]]:
    """The only input, and the symbols of its axes between the batch and the channels.

    Raises:
        NnspecError: If there are several inputs, or sizes are fixed.
    """
    ports = list(predictor.inputs.values())
    sizes = ports[0].shape[1:-1]
    symbols = [size for size in sizes if isinstance(size, str)]
    if len(ports) != 1 or not sizes or len(symbols) < len(sizes):
        takes = ", ".join(map(str, ports))
        raise NnspecError(
            f"`{predictor.path}` does not support tiles: it requires a single image input of free sizes and has {takes}\n"
            "  = help: write the sizes as symbols, `[H, W, 3]`"
        )
    return ports[0].name, symbols


@dataclass
class Blend:
    """The weighted sum of one output over tiles.

    Attributes:
        values: The sum of the weighted outputs.
        weights: The sum of the weights.
        seam: The largest difference of a tile's output from the mean of earlier tiles; None if no tiles overlap.
    """

    values: NDArray[np.float32]
    weights: NDArray[np.float32]
    seam: float | None = None

    @classmethod
    def of(cls, sizes: list[int], like: NDArray[Any]) -> Blend:
        """Start with zeros.

        Args:
            sizes: The number of output positions of the whole, along each axis.
            like: The output of a tile, channels last.
        """
        return cls(np.zeros((*sizes, like.shape[-1]), np.float32), np.zeros((*sizes, 1), np.float32))

    def add(self, answer: NDArray[Any], offsets: list[int], weights: list[NDArray[np.float32]]) -> None:
        """Add the output of a tile.

        Args:
            answer: The output, channels last.
            offsets: The position of its first element in the whole, along each axis.
            weights: The weights of its positions, along each axis.
        """
        place = tuple(slice(o, o + len(w)) for o, w in zip(offsets, weights, strict=True))
        weight = _product(weights)[..., np.newaxis]
        both = (self.weights[place] > 0) & (weight > 0)
        if both.any():
            before = self.values[place] / np.where(both, self.weights[place], 1)
            self.seam = max(self.seam or 0.0, float(np.abs(np.where(both, answer - before, 0)).max()))
        self.values[place] += weight * answer
        self.weights[place] += weight

    @property
    def has_gaps(self) -> bool:
        """Whether no tile covers some positions."""
        return bool((self.weights == 0).any())

    def mean(self) -> NDArray[Any]:
        """The output of the whole; call it last."""
        self.values /= self.weights
        return self.values


@lru_cache(4096)
def weights_of(axis: Tiles, number: int, count: int, field: ReceptiveField) -> NDArray[np.float32]:
    """[`Tiles.weights`][nnspec.runtime.tiling.Tiles.weights], cached: a grid of tiles calls it repeatedly."""
    return axis.weights(number, count, field)


def _product(weights: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    found = np.ones((), np.float32)
    for weight in weights:
        found = found[..., np.newaxis] * weight
    return np.asarray(found)
