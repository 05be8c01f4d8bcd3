"""A ``config.pbtxt`` for every network of every spec, an InferenceService, and a TrainJob: for ``serving_peers/packages.py`` to judge."""

from __future__ import annotations

import argparse
from pathlib import Path, PurePosixPath

import nnspec
from nnspec.graph import Graph
from nnspec.packaging.contents import Contents
from nnspec.packaging.kserve import service
from nnspec.packaging.training import Machines, Training
from nnspec.packaging.trainjob import job
from nnspec.packaging.triton import config
from nnspec.runtime.ports import Port
from nnspec.serving.served import is_batchable
from nnspec.types import Dim, TensorType


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks serving packages", description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args(arguments).folder
    count = 0
    for file in [*sorted(Path("specs").glob("*.nnspec.yaml")), *sorted(Path("tests/corpus").glob("*.nnspec.yaml"))]:
        for network, graph in nnspec.compile(nnspec.load(file)).networks.items():
            name = f"{file.name.partition('.')[0]}-{network}"
            place = folder / name
            place.mkdir(parents=True, exist_ok=True)
            (place / "config.pbtxt").write_text(_config(name, graph))
            count += 1
    example = Contents("digits", bytes(5 << 20), _Said(), None, None)  # type: ignore[arg-type]
    (folder / "inferenceservice.yaml").write_text(service(example, "s3://models/digits"))
    training = Training("digits", "specs/digits.nnspec.yaml", PurePosixPath("specs/digits.nnspec.yaml"), (), "runs/digits")
    machines = Machines(nodes=4, cpus=8, memory=16, gpus=1, seconds=3600)
    (folder / "trainjob.yaml").write_text(job(training, machines, image="nnspec:1", volume="project"))
    print(f"{count} config.pbtxt, an InferenceService and a TrainJob in {folder}")
    return 0


class _Said:
    hash = "0" * 64


def _config(name: str, graph: Graph) -> str:
    inputs = {key: _port(key, kind) for key, kind in graph.inputs.items()}
    outputs = {key: _port(key, kind) for key, kind in graph.output_types.items()}
    return config(name, inputs, outputs, joins=is_batchable(inputs, outputs))


def _port(name: str, kind: TensorType) -> Port:
    return Port(name, ("batch", *(_size(size) for size in kind.shape)), kind.dtype)


def _size(size: int | Dim) -> int | str | None:
    return size if isinstance(size, int) else str(size) if size.is_known else None
