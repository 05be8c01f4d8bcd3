"""Generates samples with an exported generator or sampler."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.diagnostics import NnspecError
from nnspec.files import write_whole
from nnspec.runtime.metadata import SAMPLES
from nnspec.runtime.model_file import ModelFile
from nnspec.runtime.reading import read_model
from nnspec.runtime.samples import Samples
from nnspec.runtime.seal import metadata_of
from nnspec.runtime.sheets import is_image, sheet

_AT_ONCE = 256
_NOISE_AT_ONCE = 2**28
"""The bytes of random values in one batch."""


class Sampler:
    """An exported generator or sampler, ready to generate samples.

    Args:
        path: The ``.onnx`` file.
        threads: The number of threads per operator; None for one per core.

    Attributes:
        samples: How it is sampled.

    Raises:
        NnspecError: If the file is not an exported generator.

    Example:
        ``Sampler("dcgan.onnx").sample(64, seed=3)["image"]``
    """

    def __init__(self, path: str | Path, *, threads: int | None = None) -> None:
        self._model = ModelFile(self._content(Path(path)), f"`{path}`", threads=threads)
        if SAMPLES not in self._model.metadata:
            help = "export a run with the objective `gan`, or with `generate: {network: …}`"
            raise NnspecError(f"{path} generates no samples\n  = help: {help}")
        self.samples = Samples.from_json(self._model.json(SAMPLES), f"the metadata of {path}")

    @staticmethod
    def _content(path: Path) -> bytes:
        return read_model(path)

    def sample(self, count: int, *, seed: int = 0, conditions: Mapping[str, str] | None = None) -> dict[str, NDArray[Any]]:
        """Generate samples.

        Args:
            count: The number of samples.
            seed: The seed of the random values.
            conditions: Values of conditions, as text; other conditions take the values of the data in turn.

        Returns:
            The samples, (count, …), and the conditions and random values that they begin with, by name.

        Raises:
            NnspecError: If a condition or its value is unknown, or the model cannot run.
        """
        if count < 1:
            raise NnspecError(f"the number of samples must be at least 1, not {count}")
        samples = self.samples
        chosen = samples.chosen(conditions or {}, count)
        at_once = max(1, min(_AT_ONCE, _NOISE_AT_ONCE // max(samples.bytes_of_one, 1)))
        made, drawn = [], []
        for i, values in enumerate(samples.batches(count, seed, at_once)):
            rows = slice(i * at_once, (i + 1) * at_once)
            given = {**values, **{name: array[rows] for name, array in chosen.items()}}
            made.append(self._model(given)[samples.output])
            drawn.append({name: array for name, array in values.items() if not samples.draws[name].steps})
        noise = {name: np.concatenate([values[name] for values in drawn]) for name in drawn[0]}
        # A fed-back input may have the name of the output.
        renamed = {f"{name}_begin" if name == samples.output else name: array for name, array in (noise | chosen).items()}
        return {samples.output: np.concatenate(made), **renamed}


def makes_examples(path: Path) -> bool:
    """Whether a file is a generator that makes examples from noise, rather than sequences. False if it cannot be read."""
    try:
        return path.is_file() and SAMPLES in metadata_of(read_model(path))
    except ValueError:
        return False


def write_samples(
    sampler: Sampler, out: Path, count: int, *, seed: int = 0, conditions: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Write examples: a grid of images (``.png``), or arrays with the noise and the conditions (``.npz``).

    Args:
        sampler: The generator.
        out: The file; its suffix selects the format.
        count: The number of examples.
        seed: The seed of the noise.
        conditions: As for [`Sampler.sample`][].

    Returns:
        A summary as plain values: ``file``, ``number``, ``seed``, ``shape``, ``columns`` of a grid, ``conditions``.

    Raises:
        NnspecError: If the examples are not images but a grid is requested, or the suffix is unknown.
    """
    if out.suffix not in (".png", ".npz"):
        raise NnspecError(f"cannot write {out}; use `.png` for a grid of images or `.npz` for arrays")
    found = sampler.sample(count, seed=seed, conditions=conditions)
    samples, made = sampler.samples, found[sampler.samples.output]
    record: dict[str, Any] = {"file": str(out), "number": count, "seed": seed, "shape": list(made.shape[1:])}
    if out.suffix == ".npz":
        import io

        buffer = io.BytesIO()
        np.savez(buffer, **found)  # type: ignore[arg-type]
        write_whole(out, buffer.getvalue())
    elif not is_image(made.shape[1:]):
        shape = " × ".join(map(str, made.shape[1:]))
        raise NnspecError(f"`{samples.network}` generates {shape}, not images\n  = help: write arrays: `--out NAME.npz`")
    else:
        columns = None if conditions else samples.columns
        write_whole(out, sheet(made, samples.low, samples.high, columns=columns))
        record["columns"] = columns or min(count, int(np.ceil(np.sqrt(count))))
    kept = {
        name: list(dict.fromkeys(samples.shown(name, value) for value in found[name]))
        for name in samples.conditions
        if name in found
    }
    return {**record, "conditions": kept} if kept else record
