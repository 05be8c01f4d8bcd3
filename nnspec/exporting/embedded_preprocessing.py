"""Numeric transforms that an exported model contains: its inputs are untransformed values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.data.readers.base import Table
from nnspec.data.recipe import Recipe, Step, read_inputs, read_raw, steps_of
from nnspec.data.transforms.classes import label_encode, one_hot
from nnspec.data.transforms.numbers import impute, standardize
from nnspec.data.units import Units
from nnspec.exporting.preprocessing_ops import PREPROCESSING_OPS, Chain
from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.preprocessing import InputPreprocessing, OutputPostprocessing, Preprocessing
from nnspec.onnx_backend.proto import ELEMENT
from nnspec.runtime.session import Arrays, Run
from nnspec.types import TensorType

_FAR = 1000
"""The most standard deviations that a mean may be from 0 for float32 to resolve the variation around it."""


def embed_preprocessing(recipe: Recipe, table: Table, types: Mapping[str, TensorType]) -> tuple[Recipe, Preprocessing | None]:
    """Split the transforms of a run's inputs into those inside the exported graph and those outside it.

    Args:
        recipe: The run's recipe of its inputs.
        table: A few rows of its data.
        types: The input types of the graph.

    Returns:
        The recipe of the exported model, with the outside transforms only, and the preprocessing inside the graph; None if
        there is none.
    """
    inputs: dict[str, Any] = dict(recipe.get("inputs", {}))
    found: dict[str, PreprocessedInput] = {}
    if any(name not in inputs for name in types):
        return recipe, None  # an input without data cannot be compared on data
    for name, given in types.items():
        if given.mask is not None:
            continue
        entry, steps = inputs[name], steps_of(inputs[name])
        cut = _cut(steps, given)
        if cut == len(steps):
            continue
        entry = {**entry, "transforms": entry["transforms"][:cut]} | _allowed(steps, cut)
        raw = read_raw(table, "the data", name, {"inputs": {name: entry}})
        found[name] = PreprocessedInput.of(name, given, tuple(steps[cut:]), raw, may_miss=entry["missing"])
        inputs[name] = entry
    served = {**recipe, "inputs": inputs}
    if not found:
        return served, None
    taken = {name: found[name].type if name in found else given for name, given in types.items()}
    cases = _cases(found, read_inputs(table, "the data", served, taken))
    return served, Preprocessing({name: input_.entry for name, input_ in found.items()}, _applying(found), cases)


def _cut(steps: Sequence[Step], given: TensorType) -> int:
    """The number of transforms that stay outside: all up to the last one that is not numeric."""
    if "float" not in given.dtype and steps and not isinstance(steps[-1].transform, label_encode):
        return len(steps)  # the check for whole numbers is outside the graph
    cut = 0
    for i, step in enumerate(steps):
        if type(step.transform) not in PREPROCESSING_OPS or step.transform.for_each_series:
            cut = i + 1
        elif isinstance(step.transform, label_encode | one_hot):
            numeric = all(isinstance(label, int | float) for label in step.learned["classes"])
            if not numeric or not all(isinstance(before.transform, impute) for before in steps[cut:i]):
                cut = i + 1
    return cut


def _allowed(steps: Sequence[Step], cut: int) -> dict[str, Any]:
    """The recipe's entries about the values that the transforms inside the graph accept."""
    inside = steps[cut:]
    encoder = next((step for step in inside if isinstance(step.transform, label_encode | one_hot)), None)
    classes = None if encoder is None or encoder.transform.fills else encoder.learned["classes"]
    filled = [np.ravel(step.learned["value"]) for step in inside if isinstance(step.transform, impute)]
    fills = cut == 0 and inside[0].transform.fills
    if classes is not None and filled:
        fills = fills and bool(np.isin(filled[0], classes).all())
    return {"missing": fills} | ({} if classes is None else {"classes": classes})


def _applying(found: Mapping[str, PreprocessedInput]) -> Run:
    def apply(raw: Arrays) -> Arrays:
        return {name: found[name].apply(array) if name in found else array for name, array in raw.items()}

    return apply


def _cases(found: Mapping[str, PreprocessedInput], raw: Arrays) -> list[Arrays]:
    """Real inputs, a batch of one, and random mixtures of them."""
    rng = np.random.default_rng(0)
    shaken = [
        {name: found[name].shaken(array, rng) if name in found else array for name, array in raw.items()} for _ in range(3)
    ]
    return [raw, {name: array[:1] for name, array in raw.items()}, *shaken]


@dataclass(frozen=True)
class PreprocessedInput:
    """An input whose last transforms are part of the graph.

    Attributes:
        name: Its name.
        type: Its type in the exported model, before the transforms.
        given: Its type in the graph, after the transforms.
        steps: The transforms in the graph, in order.
        rank: The number of axes of a row before those transforms.
        may_miss: Whether missing values are accepted, as NaN.
    """

    name: str
    type: TensorType
    given: TensorType
    steps: tuple[Step, ...]
    rank: int
    may_miss: bool

    @classmethod
    def of(
        cls, name: str, given: TensorType, steps: tuple[Step, ...], raw: NDArray[Any], *, may_miss: bool
    ) -> PreprocessedInput:
        """Derive the type of an input from example values.

        Args:
            name: Its name.
            given: Its type in the graph.
            steps: The transforms in the graph.
            raw: Some rows of values before those transforms.
            may_miss: Whether missing values are accepted.
        """
        rank = raw.ndim - 1
        widens = any(isinstance(step.transform, one_hot) for step in steps)
        shape = given.shape[:rank] if widens else given.shape
        return cls(name, TensorType(shape, _element(steps, raw.dtype)), given, steps, rank, may_miss)

    def apply(self, raw: NDArray[Any]) -> NDArray[Any]:
        """Apply the transforms in NumPy."""
        values = raw.reshape(raw.shape[: self.rank + 1] + (1,) * (self.rank + 1 - raw.ndim))
        for step in self.steps:
            values = step.transform.apply(values, step.learned)
        wanted = self.given.rank + 1
        dtype = "float32" if self.given.dtype == "bfloat16" else self.given.dtype
        return values.reshape(values.shape[:wanted] + (1,) * (wanted - values.ndim)).astype(dtype, copy=False)

    @property
    def entry(self) -> InputPreprocessing:
        """The transforms as nodes of the graph."""
        return InputPreprocessing(self.type, self._lower)

    def _lower(self, b: Builder, tensor: str) -> str:
        chain = Chain(tensor, self.type.dtype, self.rank, self.type.rank)
        for step in self.steps:
            kind = type(step.transform)
            with b.at(f"{self.name}/{kind.__name__}"):
                chain = PREPROCESSING_OPS[kind](b, chain, step)
        if chain.tensor_rank != self.given.rank:
            chain = chain.then(b, "Unsqueeze" if chain.tensor_rank < self.given.rank else "Squeeze", b.ints([-1], "axes"))
        return chain.cast(b, self.given.dtype).tensor

    @property
    def encoder(self) -> Step | None:
        """The transform that encodes classes, if there is one."""
        return next((step for step in self.steps if isinstance(step.transform, label_encode | one_hot)), None)

    def shaken(self, raw: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
        """Permute values between rows, and make some missing or unknown where that is allowed."""
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
    """The element type of an input: an integer type for bytes and classes, else the float type that represents the values."""
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


def unit_postprocessing(units: Mapping[str, Units], shown: Mapping[str, str]) -> dict[str, OutputPostprocessing]:
    """Build the postprocessing of outputs that are in other units than the data.

    Args:
        units: The units, by the document's outputs. Units that differ between series are not embedded: the graph does not
            know the series of a row.
        shown: The model's name of each output of the document that it has.
    """
    return {shown[name]: _exit(shown[name], own) for name, own in units.items() if name in shown and not own.labels}


def _exit(name: str, units: Units) -> OutputPostprocessing:
    dtype = "float64" if units.is_far else "float32"

    def lower(b: Builder, tensor: str) -> str:
        with b.at(f"{name}/units"):
            made = b.op("Cast", tensor, to=ELEMENT[dtype])
            made = b.op("Mul", made, b.constant(units.scale.astype(dtype), "scale"))
            return b.op("Add", made, b.constant(units.offset.astype(dtype), "offset"))

    def apply(values: NDArray[Any]) -> NDArray[Any]:
        return units.to_data(np.asarray(values, np.float64))

    return OutputPostprocessing(dtype, lower, apply)
