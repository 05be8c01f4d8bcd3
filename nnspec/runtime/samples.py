"""How a generator is sampled: noise, conditions and value range, as stored in a run and in an exported file."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.diagnostics import NnspecError
from nnspec.types import did_you_mean

MOST_CHOICES = 64
_MOST_ACROSS = 16
_LARGEST_NOISE = 2**24


@dataclass(frozen=True)
class Samples:
    """How a generator is sampled.

    Attributes:
        network: The name of the generator's network.
        noise: The noise input.
        shape: The shape of one example's noise.
        distribution: The distribution of the noise: ``normal`` or ``uniform``.
        output: The output of examples.
        low: The minimum of the training data, which is black in an image.
        high: The maximum of the training data, which is white.
        choices: The combinations of conditions in the data, by input; empty if there are none or too many.
        names: The class names of conditions, by input.
        conditions: The inputs that are conditions.
    """

    network: str
    noise: str
    shape: tuple[int, ...]
    distribution: str
    output: str
    low: float
    high: float
    choices: tuple[Mapping[str, Any], ...]
    names: Mapping[str, Sequence[Any]]
    conditions: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The values as plain JSON types."""
        return {**asdict(self), "shape": list(self.shape)}

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
            found = {field.name: values[field.name] for field in fields(cls)}
            if not isinstance(found["shape"], list):
                raise TypeError
            found["shape"] = tuple(int(size) for size in found["shape"])
            if any(size < 1 for size in found["shape"]) or math.prod(found["shape"]) > _LARGEST_NOISE:
                raise ValueError
            if found["distribution"] not in ("normal", "uniform"):
                raise ValueError
            found |= {name: float(found[name]) for name in ("low", "high")}
            found |= {name: str(found[name]) for name in ("network", "noise", "output")}
            found["choices"] = tuple(dict(choice) for choice in found["choices"])
            found["names"] = {str(name): list(names) for name, names in found["names"].items()}
            found["conditions"] = tuple(str(name) for name in found["conditions"])
            if any(set(choice) != set(found["conditions"]) for choice in found["choices"]):
                raise ValueError
        except (KeyError, TypeError, ValueError, AttributeError):
            raise NnspecError(f"the description of the generator in {where} is not valid") from None
        return cls(**found)

    @property
    def columns(self) -> int | None:
        """The number of columns of an image grid: one per condition, unless there are too many."""
        return len(self.choices) if 1 < len(self.choices) <= _MOST_ACROSS else None

    def drawn(self, count: int, seed: int | Sequence[int]) -> NDArray[np.float32]:
        """Draw noise; deterministic for a seed, on every machine."""
        random = np.random.default_rng(seed)
        shape = (count, *self.shape)
        if self.distribution == "uniform":
            return random.uniform(-1.0, 1.0, shape).astype(np.float32)
        return random.standard_normal(shape, np.float32)

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
        if not self.choices:
            raise NnspecError(
                f"the data have too many values of {self._listed} to choose from\n"
                "  = help: export the generator, and pass values to the file: `nnspec predict MODEL.onnx`"
            )
        fitting = [choice for choice in self.choices if all(self._is(name, choice[name], text) for name, text in given.items())]
        if not fitting:
            asked = ", ".join(f"`{name}={text}`" for name, text in given.items())
            raise NnspecError(f"the data have no {asked}\n  = help: {self._known_values}")
        rows = [fitting[i % len(fitting)] for i in range(count)]
        return {name: np.asarray([row[name] for row in rows]) for name in self.conditions}

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
        values = {name: dict.fromkeys(self.shown(name, choice[name]) for choice in self.choices) for name in self.conditions}
        return "; ".join(f"`{name}` is one of {', '.join(list(own)[:MOST_CHOICES])}" for name, own in values.items())
