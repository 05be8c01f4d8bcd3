"""How a generator is sampled, derived from its training data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.data.prepare import Prepared
from nnspec.data.transforms.classes import class_names
from nnspec.runtime.samples import MOST_CHOICES, Samples
from nnspec.training.objectives.gan.plan import GanPlan

_MOST_EXAMPLES = 4096


def samples_of(plan: GanPlan, prepared: Prepared) -> Samples:
    """Describes how the generator is sampled."""
    some = prepared.train.batch(spread(len(prepared.train), _MOST_EXAMPLES)).inputs
    values = some[plan.example_input]
    learned = {name: class_names(prepared.state.get(f"inputs.{name}", [])) for name in plan.conditions}
    return Samples(
        network=plan.generator.name,
        noise=plan.noise,
        shape=plan.noise_shape,
        distribution=plan.objective.noise.distribution,
        output=plan.generator_output,
        low=float(values.min()),
        high=float(values.max()),
        choices=tuple(_choices({name: some[name] for name in plan.conditions})),
        names={name: list(names) for name, names in learned.items() if names is not None},
        conditions=plan.conditions,
    )


def spread(count: int, most: int) -> NDArray[np.int64]:
    """Indices of at most `most` of `count` examples, evenly spread, since tables are often sorted by class."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(np.int64))


def _choices(conditions: Mapping[str, NDArray[Any]]) -> list[dict[str, Any]]:
    """The distinct conditions of examples, in order; empty if there are too many or they are too large."""
    if not conditions or any(values[:1].size > MOST_CHOICES for values in conditions.values()):
        return []
    columns = {name: values.reshape(len(values), -1) for name, values in conditions.items()}
    keys = np.concatenate([values.astype(np.float64) for values in columns.values()], 1)
    # This sorts one-hot vectors by class.
    found, first = np.unique(-keys if keys.shape[1] > 1 else keys, axis=0, return_index=True)
    if len(found) > MOST_CHOICES:
        return []
    return [{name: values[i].tolist() for name, values in conditions.items()} for i in first]
