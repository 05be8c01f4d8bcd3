"""Makes examples with an exported generator."""

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


class Sampler:
    """An exported generator, ready to make examples.

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
            raise NnspecError(f"{path} is not an exported generator; export one from a run with the objective `gan`")
        self.samples = Samples.from_json(self._model.json(SAMPLES), f"the metadata of {path}")

    @staticmethod
    def _content(path: Path) -> bytes:
        return read_model(path)

    def sample(self, count: int, *, seed: int = 0, conditions: Mapping[str, str] | None = None) -> dict[str, NDArray[Any]]:
        """Make examples.

        Args:
            count: The number of examples.
            seed: The seed of the noise.
            conditions: Values of conditions, as text; other conditions take the values of the data in turn.

        Returns:
            The examples, (count, …), the noise and the conditions, by name.

        Raises:
            NnspecError: If a condition or its value is unknown, or the model cannot run.
        """
        if count < 1:
            raise NnspecError(f"the number of examples must be at least 1, not {count}")
        given: dict[str, NDArray[Any]] = {
            self.samples.noise: self.samples.drawn(count, seed),
            **self.samples.chosen(conditions or {}, count),
        }
        parts = [
            self._model({name: array[start : start + _AT_ONCE] for name, array in given.items()})[self.samples.output]
            for start in range(0, count, _AT_ONCE)
        ]
        return {self.samples.output: np.concatenate(parts), **given}


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
        raise NnspecError(f"the generator outputs {shape}, not images\n  = help: write arrays: `--out NAME.npz`")
    else:
        columns = None if conditions else samples.columns
        write_whole(out, sheet(made, samples.low, samples.high, columns=columns))
        record["columns"] = columns or min(count, int(np.ceil(np.sqrt(count))))
    kept = {name: list(dict.fromkeys(samples.shown(name, value) for value in found[name])) for name in samples.conditions}
    return {**record, "conditions": kept} if kept else record
