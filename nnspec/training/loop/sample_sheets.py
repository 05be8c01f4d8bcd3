"""Images of generated samples after each epoch, and what a run records of its sampler."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.data.prepare import Prepared
from nnspec.data.transforms.classes import class_names
from nnspec.files import write_whole
from nnspec.generation.sampling import Sampling
from nnspec.keras_backend import set_weight_arrays, to_keras
from nnspec.keras_backend.run import keras_run
from nnspec.runtime.samples import MOST_CHOICES, RandomInput, Samples
from nnspec.runtime.sheets import SHEETS, is_image, sheet

MOST_EXAMPLES = 4096
"""The number of examples whose conditions and values are recorded."""

_SHOWN = 64


class SampleSheets:
    """Generates samples after each epoch, from the same random values each time.

    Args:
        sampling: The sampler.
        prepared: The data.
        seed: The seed of the training.
    """

    def __init__(self, sampling: Sampling, prepared: Prepared, seed: int) -> None:
        self._sampling, self._seed = sampling, seed
        self._samples = samples_of(sampling, prepared)
        some = prepared.train.batch(spread(len(prepared.train), _SHOWN)).inputs
        self._some = {name: np.asarray(some[name]) for name in sampling.conditions if name in some}

    def write(self, epoch: int, folder: Path, weights: Mapping[str, NDArray[Any]]) -> None:
        """Writes a sheet, if the samples are images and the data have all conditions.

        Args:
            epoch: The number of the epoch.
            folder: The run folder.
            weights: The weights of the trained networks, by name.
        """
        samples, sampling = self._samples, self._sampling
        if not is_image(sampling.type.shape) or samples.free:
            return
        count = _SHOWN if samples.columns is None else samples.columns * 8
        given = {**samples.drawn(count, self._seed), **shown_conditions(samples, self._some, count)}
        inputs = {name: array.astype(sampling.graph.inputs[name].dtype) for name, array in given.items()}
        set_weight_arrays(self._model, sampling.graph, sampling.graph.own(weights))
        write_sheet(samples, self._sample(inputs)[sampling.result], epoch, folder)

    @cached_property
    def _model(self) -> Any:
        return to_keras(self._sampling.graph, seed=self._seed)

    @cached_property
    def _sample(self) -> Any:
        return self._sampling.repeated(keras_run(self._model))


def write_sheet(samples: Samples, images: NDArray[Any], epoch: int, folder: Path) -> None:
    """Writes the images of an epoch into a run folder.

    Args:
        samples: How they were generated.
        images: The images.
        epoch: The number of the epoch.
        folder: The run folder.
    """
    content = sheet(images, samples.low, samples.high, columns=samples.columns)
    (folder / SHEETS).mkdir(exist_ok=True)
    write_whole(folder / SHEETS / f"epoch-{epoch:04}.png", content)


def shown_conditions(samples: Samples, some: Mapping[str, NDArray[Any]], count: int) -> dict[str, NDArray[Any]]:
    """Each condition in turn; if there are too many, the conditions of some examples."""
    if samples.choices or not some:
        return samples.chosen({}, count)
    return {name: np.resize(values, (count, *values.shape[1:])) for name, values in some.items()}


def samples_of(sampling: Sampling, prepared: Prepared) -> Samples:
    """Describes how a sampler is sampled.

    Its conditions have the values of the data fields of the same name. The field of the name of the result, else one of its
    shape, has the values that are black and white in an image.

    Args:
        sampling: The sampler.
        prepared: The data.
    """
    some = prepared.train.batch(spread(len(prepared.train), MOST_EXAMPLES)).inputs
    known = [name for name in sampling.conditions if name in some]
    others = {name: sampling.graph.inputs[name] for name in sampling.conditions if name not in some}
    shape = sampling.type.shape
    alike = [name for name, values in some.items() if name == sampling.result or values.shape[1:] == shape]
    like = some[min(alike, key=lambda name: name != sampling.result)] if alike else np.array([0.0, 1.0])
    draws = {name: RandomInput(draw) for name, draw in sampling.begin.items()}
    every = sampling.steps if sampling.steps > 1 else 0
    draws |= {name: RandomInput(draw, every) for name, draw in sampling.draw.items()}
    return Samples(
        network=sampling.graph.name,
        draws=draws,
        output=sampling.result,
        low=float(like.min()),
        high=float(like.max()),
        choices=tuple(choices_among({name: some[name] for name in known})),
        names=names_of(known, prepared),
        conditions=sampling.conditions,
        free={name: [size if isinstance(size, int) else 1 for size in type_.shape] for name, type_ in others.items()},
    )


def names_of(conditions: Iterable[str], prepared: Prepared) -> dict[str, list[Any]]:
    """The class names of the conditions that have them."""
    learned = {name: class_names(prepared.state.get(f"inputs.{name}", [])) for name in conditions}
    return {name: list(names) for name, names in learned.items() if names is not None}


def spread(count: int, most: int) -> NDArray[np.int64]:
    """Indices of at most `most` of `count` examples, evenly spread, since tables are often sorted by class."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(np.int64))


def choices_among(conditions: Mapping[str, NDArray[Any]]) -> list[dict[str, Any]]:
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
