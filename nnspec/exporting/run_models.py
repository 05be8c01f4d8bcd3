"""Samples and generates with a run: its ONNX models are built in memory."""

from __future__ import annotations

import json
from pathlib import Path

from nnspec.diagnostics import NnspecError
from nnspec.extras import require
from nnspec.generation.sampler_check import describes_sampler
from nnspec.runtime.generator import DECODER, Generator
from nnspec.runtime.metadata import SAMPLES
from nnspec.runtime.sampler import Sampler, makes_examples
from nnspec.runtime.samples import Samples
from nnspec.training.run.folder import Run


class RunSampler(Sampler):
    """A `Sampler` that also opens the run of a generator or sampler."""

    @staticmethod
    def _content(path: Path) -> bytes:
        if not path.is_dir():
            return Sampler._content(path)
        run = Run.open(path)
        record = run.generator_record()
        if record is None:
            help = "train a spec with the objective `gan`, or with `generate: {network: …}`"
            raise NnspecError(f"{path} generates no samples\n  = help: {help}")
        require("export")
        from nnspec.onnx_backend.emit import to_onnx
        from nnspec.onnx_backend.proto import serialized

        samples = Samples.from_json(record, str(path / "run.json"))
        if describes_sampler(run.spec):
            from nnspec.exporting.samplers import sampler_of_run

            return serialized(sampler_of_run(run, run.weights()).model)
        graph = run.model.networks[samples.network]
        return serialized(to_onnx(graph, graph.own(run.weights()), metadata={SAMPLES: json.dumps(samples.as_json())}))


class RunGenerator(Generator):
    """A `Generator` that also opens a run whose spec has a section ``generate``."""

    @staticmethod
    def _contents(path: Path) -> dict[str, bytes]:
        if not path.is_dir() or (path / DECODER).is_file():
            return Generator._contents(path)
        require("export")
        from nnspec.exporting.decoder_models import decoder_models

        run = Run.open(path)
        models = decoder_models(run.spec, run.model, run.weights(), run.recipe())
        if models is None:
            raise NnspecError(f"the spec of {path} has no section `generate`, which defines how sequences are decoded")
        return {f"{name}.onnx": content for name, content in models.contents().items()}


def run_makes_examples(path: Path) -> bool:
    """Whether a run or a file makes examples from noise, rather than sequences. False if it cannot be read."""
    if path.is_dir():
        run = Run.open(path) if (path / "run.json").is_file() else None
        return run is not None and run.generator_record() is not None
    return makes_examples(path)
