"""How samples are generated: random values, conditions and value range, as stored in a run and in an exported file."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.diagnostics import NnspecError
from nnspec.generation.draws import SAMPLER_DRAWS, Draw
from nnspec.types import did_you_mean

MOST_CHOICES = 64
_MOST_ACROSS = 16
_LARGEST_NOISE, _MOST_NOISE = 2**24, 2**28
"""The most random numbers of one input at one step, and at all steps."""


@dataclass(frozen=True)
class RandomInput:
    """An input with random values.

    Attributes:
        draw: What is drawn, with its shape in numbers.
        steps: The number of steps with new values; 0 if they are drawn once.
    """

    draw: Draw
    steps: int = 0

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one sample's values."""
        own: list[int] = getattr(self.draw, "shape", [])
        return (self.steps, *own) if self.steps else tuple(own)

    def as_json(self) -> dict[str, Any]:
        """The values as plain JSON types."""
        return {"draw": type(self.draw).__name__, "arguments": self.draw.model_dump(), "steps": self.steps}

    @classmethod
    def from_json(cls, values: Any) -> RandomInput:
        """Create from plain values.

        Raises:
            KeyError: If something is missing; TypeError or ValueError: If it is not valid.
        """
        kind, steps = SAMPLER_DRAWS.get(str(values["draw"])), values["steps"]
        shape = values["arguments"].get("shape")
        draw = kind.model_validate(dict(values["arguments"]))
        if not isinstance(draw, Draw) or not isinstance(shape, list) or not isinstance(steps, int) or steps < 0:
            raise ValueError
        if any(size < 1 for size in shape) or math.prod(shape) > _LARGEST_NOISE or math.prod(shape) * steps > _MOST_NOISE:
            raise ValueError
        return cls(draw, steps)


@dataclass(frozen=True)
class Samples:
    """How samples are generated.

    Attributes:
        network: The name of the network that generates them.
        draws: The inputs with random values.
        output: The output of samples.
        low: The minimum of the training data, which is black in an image.
        high: The maximum of the training data, which is white.
        choices: The combinations of conditions in the data, by input; empty if there are none or too many.
        names: The class names of conditions, by input.
        conditions: The inputs that are conditions.
        free: The shapes of conditions that are not in the data, by input.
    """

    network: str
    draws: Mapping[str, RandomInput]
    output: str
    low: float
    high: float
    choices: tuple[Mapping[str, Any], ...]
    names: Mapping[str, Sequence[Any]]
    conditions: tuple[str, ...]
    free: Mapping[str, Sequence[int]] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The values as plain JSON types."""
        plain = {name: value for name, value in vars(self).items() if name != "draws"}
        return {**plain, "draws": {name: own.as_json() for name, own in self.draws.items()}}

    @classmethod
    def from_json(cls, values: Any, where: str) -> Samples:
        """Create from plain values.

        Args:
            values: The result of ``as_json``.
            where: The source of the values, for error messages.

        Raises:
            NnspecError: If the values are not valid.
        """
        try:
            given = _of_earlier_version(values) if "noise" in values else {"free": {}, **values}
            found = {each.name: given[each.name] for each in fields(cls)}
            found["draws"] = {str(name): RandomInput.from_json(own) for name, own in found["draws"].items()}
            found["free"] = {str(name): [int(size) for size in shape] for name, shape in found["free"].items()}
            found |= {name: float(found[name]) for name in ("low", "high")}
            found |= {name: str(found[name]) for name in ("network", "output")}
            found["choices"] = tuple(dict(choice) for choice in found["choices"])
            found["names"] = {str(name): list(names) for name, names in found["names"].items()}
            found["conditions"] = tuple(str(name) for name in found["conditions"])
            if any({*choice, *found["free"]} != set(found["conditions"]) for choice in found["choices"]):
                raise ValueError
        except (KeyError, TypeError, ValueError, AttributeError):
            raise NnspecError(f"the description of the generator in {where} is not valid") from None
        return cls(**found)

    @property
    def columns(self) -> int | None:
        """The number of columns of an image grid: one per condition, unless there are too many."""
        return len(self.choices) if 1 < len(self.choices) <= _MOST_ACROSS else None

    @property
    def bytes_of_one(self) -> int:
        """The size of the random values of one sample, in bytes."""
        return sum(4 * math.prod(own.shape) for own in self.draws.values())

    def batches(self, count: int, seed: int | Sequence[int], at_once: int) -> Iterator[dict[str, NDArray[Any]]]:
        """Draw random values in batches; deterministic for a seed, on every machine and for every size of batches.

        Args:
            count: The number of samples.
            seed: The seed.
            at_once: The most samples of a batch.
        """
        seeds = [seed if i == 0 else [*np.atleast_1d(seed).tolist(), i] for i in range(len(self.draws))]
        sources = {name: np.random.default_rng(own) for name, own in zip(self.draws, seeds, strict=True)}
        for start in range(0, count, at_once):
            size = min(at_once, count - start)
            yield {name: own.draw.values(sources[name], (size, *own.shape)) for name, own in self.draws.items()}

    def drawn(self, count: int, seed: int | Sequence[int]) -> dict[str, NDArray[Any]]:
        """Draw the random values of all samples; see [`batches`][]."""
        return next(self.batches(count, seed, count))

    def chosen(self, given: Mapping[str, str], count: int) -> dict[str, NDArray[Any]]:
        """Choose conditions: the given ones, and those of the data in turn for the others.

        Args:
            given: Values of conditions, as text: the name of a class, or its index.
            count: The number of examples.

        Raises:
            NnspecError: If a condition or a value is unknown.
        """
        for name in given:
            if name not in self.conditions:
                help = did_you_mean(name, self.conditions, self._known_values)
                raise NnspecError(f"the generator has no condition `{name}`\n  = help: {help}")
        if not self.conditions:
            return {}
        numbers = {name: self._number(name, given.get(name), count) for name in self.free}
        if len(numbers) == len(self.conditions):
            return numbers
        if not self.choices:
            raise NnspecError(
                f"the data have too many values of {self._listed} to choose from\n"
                "  = help: export the generator, and pass values to the file: `nnspec predict MODEL.onnx`"
            )
        fitting = [
            choice
            for choice in self.choices
            if all(self._is(name, choice[name], text) for name, text in given.items() if name not in numbers)
        ]
        if not fitting:
            asked = ", ".join(f"`{name}={text}`" for name, text in given.items())
            raise NnspecError(f"the data have no {asked}\n  = help: {self._known_values}")
        rows = [fitting[i % len(fitting)] for i in range(count)]
        return {name: np.asarray([row[name] for row in rows]) for name in self.conditions if name not in numbers} | numbers

    def _number(self, name: str, text: str | None, count: int) -> NDArray[Any]:
        """A condition that is not in the data, the same for all samples."""
        shape = tuple(self.free[name])
        example = "a number" if not shape else f"numbers of the shape {list(shape)}, as JSON"
        if text is None:
            raise NnspecError(f"the data have no condition `{name}`\n  = help: pass `--condition {name}=…`, {example}")
        try:
            value = np.asarray(json.loads(text))
        except ValueError:
            value = np.zeros(0, "U")
        if value.dtype.kind not in "fiub" or value.shape != shape:
            raise NnspecError(f"the condition `{name}` is {example}, not `{text:.40}`")
        return np.broadcast_to(value, (count, *shape)).copy()

    def shown(self, name: str, value: Any) -> str:
        """A condition's value as text: the class name, if there is one."""
        names = self.names.get(name)
        flat = np.ravel(value)
        at = int(flat[0]) if flat.size == 1 else int(flat.argmax())
        is_class = flat.size == 1 or (np.isin(flat, (0, 1)).all() and flat.sum() == 1)
        if not is_class:
            return str(flat.tolist())
        return str(names[at]) if names is not None and 0 <= at < len(names) else f"{flat[0] if flat.size == 1 else at:g}"

    def _is(self, name: str, value: Any, text: str) -> bool:
        return self.shown(name, value) == text.strip()

    @property
    def _listed(self) -> str:
        return ", ".join(f"`{name}`" for name in self.conditions)

    @property
    def _known_values(self) -> str:
        if not self.conditions:
            return "it has no conditions"
        known = [name for name in self.conditions if name not in self.free]
        values = {name: dict.fromkeys(self.shown(name, choice[name]) for choice in self.choices) for name in known}
        return "; ".join(f"`{name}` is one of {', '.join(list(own)[:MOST_CHOICES])}" for name, own in values.items())


def _of_earlier_version(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a file or run that has one input of noise."""
    kind, shape = values["distribution"], values["shape"]
    if kind not in ("normal", "uniform"):
        raise ValueError
    limits = {"low": -1.0, "high": 1.0} if kind == "uniform" else {}
    return {
        "free": {},
        **values,
        "draws": {values["noise"]: {"draw": kind, "arguments": {"shape": shape, **limits}, "steps": 0}},
    }
