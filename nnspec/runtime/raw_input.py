"""An input of an exported model that takes values as they are before its numeric transforms, which are part of the graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.data.recipe import Step
from nnspec.data.transforms.classes import label_encode, one_hot
from nnspec.data.transforms.numbers import impute, standardize
from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.entry import Entry
from nnspec.runtime.in_graph import IN_GRAPH, Chain
from nnspec.types import TensorType

__all__ = ["RawInput"]

_FAR = 1000
"""How many deviations a mean may be from 0: of what is further away, float32 keeps too little of how it varies."""


@dataclass(frozen=True)
class RawInput:
    """An input whose last transforms are part of the graph.

    Attributes:
        name: Its name.
        type: What it takes from outside.
        given: What the graph takes after the transforms.
        steps: The transforms in the graph, in order.
        rank: How many axes a row has outside, before those transforms.
        may_miss: Whether missing values come in, as NaN.
    """

    name: str
    type: TensorType
    given: TensorType
    steps: tuple[Step, ...]
    rank: int
    may_miss: bool

    @classmethod
    def of(cls, name: str, given: TensorType, steps: tuple[Step, ...], raw: NDArray[Any], *, may_miss: bool) -> RawInput:
        """The input that takes some values.

        Args:
            name: Its name.
            given: What the graph takes.
            steps: The transforms in the graph.
            raw: Some rows of what is outside.
            may_miss: Whether missing values come in.
        """
        rank = raw.ndim - 1
        widens = any(isinstance(step.transform, one_hot) for step in steps)
        shape = given.shape[:rank] if widens else given.shape
        return cls(name, TensorType(shape, _element(steps, raw.dtype)), given, steps, rank, may_miss)

    def apply(self, raw: NDArray[Any]) -> NDArray[Any]:
        """What the graph takes, from what is outside, in NumPy."""
        values = raw.reshape(raw.shape[: self.rank + 1] + (1,) * (self.rank + 1 - raw.ndim))
        for step in self.steps:
            values = step.transform.apply(values, step.learned)
        wanted = self.given.rank + 1
        dtype = "float32" if self.given.dtype == "bfloat16" else self.given.dtype
        return values.reshape(values.shape[:wanted] + (1,) * (wanted - values.ndim)).astype(dtype, copy=False)

    @property
    def entry(self) -> Entry:
        """The same as nodes of the graph."""
        return Entry(self.type, self._lower)

    def _lower(self, b: Builder, tensor: str) -> str:
        chain = Chain(tensor, self.type.dtype, self.rank, self.type.rank)
        for step in self.steps:
            kind = type(step.transform)
            with b.at(f"{self.name}/{kind.__name__}"):
                chain = IN_GRAPH[kind](b, chain, step)
        if chain.lies != self.given.rank:
            chain = chain.then(b, "Unsqueeze" if chain.lies < self.given.rank else "Squeeze", b.ints([-1], "axes"))
        return chain.cast(b, self.given.dtype).tensor

    @property
    def encoder(self) -> Step | None:
        """The transform that knows classes, where there is one."""
        return next((step for step in self.steps if isinstance(step.transform, label_encode | one_hot)), None)

    def shaken(self, raw: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
        """Other values that it takes: those of several rows mixed, some missing or unknown where that is allowed."""
        made = rng.permuted(raw, axis=0)
        some = rng.random(raw.shape) < 0.1
        if self.encoder is not None and self.encoder.transform.fills:
            known = set(self.encoder.learned["classes"])
            unknown = next(number for number in range(len(known) + 1) if number not in known)
            if made.dtype != np.uint8 or unknown < 256:
                made[some] = unknown
        if made.dtype.kind == "f" and self.may_miss:
            made[rng.random(raw.shape) < 0.1] = np.nan
        if made.dtype == np.uint8 and self.encoder is None:
            made[some] = rng.integers(0, 256, int(some.sum()))
        return made


def _element(steps: Sequence[Step], raw: np.dtype[Any]) -> str:
    """The element type that an input takes: whole numbers where they are bytes or classes, else the float that keeps them."""
    if raw in (np.uint8, np.bool_):
        return raw.name
    first = next((step for step in steps if not isinstance(step.transform, impute)), steps[0])
    if isinstance(first.transform, label_encode | one_hot):
        if raw.kind in "iu" and first is steps[0]:
            return "int64"
        classes = np.asarray(first.learned["classes"], np.float64)
        near = classes.astype(np.float32).astype(np.float64)
        exact = len(set(near)) == len(classes) and (near == classes)[classes % 1 == 0].all()
        return "float32" if exact else "float64"
    if isinstance(first.transform, standardize):
        mean, deviation = (np.asarray(first.learned[name]) for name in ("mean", "std"))
        return "float64" if (np.abs(mean) > _FAR * deviation).any() else "float32"
    return "float32"
