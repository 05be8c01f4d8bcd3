"""Makes examples with a generator, by ONNX Runtime alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.diagnostics import NnspecError
from nnspec.files import write_whole
from nnspec.onnx_backend.metadata import SAMPLES
from nnspec.onnx_backend.seal import metadata_of
from nnspec.runtime.model_file import ModelFile
from nnspec.runtime.reading import read_model
from nnspec.training.objectives.gan.sample_sheets import is_picture, sheet
from nnspec.training.objectives.gan.samples import Samples
from nnspec.training.run.folder import Run

__all__ = ["Sampler", "makes_examples", "write_samples"]

_AT_ONCE = 256


class Sampler:
    """What makes examples: the run of a pair, or the generator that was exported of it.

    Args:
        path: The run folder, or the ``.onnx`` file.
        threads: How many threads compute one operator; None: one for each core.

    Attributes:
        samples: How it is sampled.

    Raises:
        NnspecError: Where it makes nothing of noise.

    Example:
        ``Sampler("dcgan.onnx").sample(64, seed=3)["image"]``
    """

    def __init__(self, path: str | Path, *, threads: int | None = None) -> None:
        path = Path(path)
        if path.is_dir():
            run = Run.open(path)
            record = run.objective.generator_record(run.info)
            if record is None:
                raise NnspecError(f"{path} has no generator: the objective `{run.objective.__name__}` trains none")
            self.samples = Samples.from_json(record, str(path / "run.json"))
            self._model = ModelFile(_generator_of(run, self.samples.network), f"`{path}`", threads=threads)
            return
        self._model = ModelFile(read_model(path), f"`{path}`", threads=threads)
        if SAMPLES not in self._model.metadata:
            raise NnspecError(f"{path} is no generator that was exported of a run of two networks against each other")
        self.samples = Samples.from_json(self._model.json(SAMPLES), f"the metadata of {path}")

    def sample(self, count: int, *, seed: int = 0, conditions: Mapping[str, str] | None = None) -> dict[str, NDArray[Any]]:
        """Examples, and what they were made of.

        Args:
            count: How many.
            seed: Which noise is drawn.
            conditions: A value for each of some conditions, as text; the others take those of the data in turn.

        Returns:
            By name what is made, (count, …), the noise and the conditions.

        Raises:
            NnspecError: Where a condition is none, or the model cannot answer.
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
    """Whether a run or a file makes examples of noise, rather than sequences. What cannot be read does not."""
    if path.is_dir():
        run = Run.open(path) if (path / "run.json").is_file() else None
        return run is not None and run.objective.generator_record(run.info) is not None
    try:
        return path.is_file() and SAMPLES in metadata_of(read_model(path))
    except ValueError:
        return False


def write_samples(
    sampler: Sampler, out: Path, count: int, *, seed: int = 0, conditions: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Writes examples: a sheet of pictures (``.png``), or their values with the noise and the conditions (``.npz``).

    Args:
        sampler: What makes them.
        out: The file; its ending says which.
        count: How many.
        seed: Which noise is drawn.
        conditions: As for [`Sampler.sample`][].

    Returns:
        What was written, as plain values: ``file``, ``number``, ``seed``, ``shape``, ``columns`` of a sheet, ``conditions``.

    Raises:
        NnspecError: Where the examples are no pictures, or the file is neither.
    """
    if out.suffix not in (".png", ".npz"):
        raise NnspecError(f"{out} is neither a sheet of pictures (.png) nor arrays (.npz)")
    found = sampler.sample(count, seed=seed, conditions=conditions)
    samples, made = sampler.samples, found[sampler.samples.output]
    record: dict[str, Any] = {"file": str(out), "number": count, "seed": seed, "shape": list(made.shape[1:])}
    if out.suffix == ".npz":
        import io

        buffer = io.BytesIO()
        np.savez(buffer, **found)  # type: ignore[arg-type]
        write_whole(out, buffer.getvalue())
    elif not is_picture(made.shape[1:]):
        shape = " × ".join(map(str, made.shape[1:]))
        raise NnspecError(f"what the generator makes is no picture, but {shape}\n  = help: write arrays: `--out NAME.npz`")
    else:
        columns = None if conditions else samples.columns
        write_whole(out, sheet(made, samples.low, samples.high, columns=columns))
        record["columns"] = columns or min(count, int(np.ceil(np.sqrt(count))))
    kept = {name: list(dict.fromkeys(samples.shown(name, value) for value in found[name])) for name in samples.conditions}
    return {**record, "conditions": kept} if kept else record


def _generator_of(run: Run, network: str) -> bytes:
    from nnspec.extras import require

    require("export")
    from nnspec.onnx_backend import to_onnx
    from nnspec.onnx_backend.proto import serialized

    graph = run.model.networks[network]
    return serialized(to_onnx(graph, graph.own(run.weights())))
