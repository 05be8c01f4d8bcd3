"""``nnspec package``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nnspec.cli.frameworks import load_frameworks
from nnspec.cli.options import root_option, set_option
from nnspec.cli.text import echo_path

if TYPE_CHECKING:
    from nnspec.packaging.jobs import Scheduler
    from nnspec.packaging.writing import Target

_SCHEDULERS = ("trainjob", "slurm")
_COUNT = click.IntRange(1, 100_000)
_OF = {
    "storage_uri": ("kserve",),
    "license": ("triton", "kserve", "docker"),
    "nodes": _SCHEDULERS,
    "processes": ("slurm",),
    "cpus": _SCHEDULERS,
    "memory": _SCHEDULERS,
    "gpus": _SCHEDULERS,
    "time": _SCHEDULERS,
    "run": _SCHEDULERS,
    "image": ("trainjob",),
    "volume": ("trainjob",),
    "overrides": _SCHEDULERS,
    "root": _SCHEDULERS,
}
"""The targets of each option."""


@click.command("package")
@click.argument("model", type=click.Path(path_type=Path), metavar="RUN|MODEL.onnx|SPEC")
@click.option(
    "--target",
    required=True,
    type=click.Choice(["triton", "kserve", "docker", *_SCHEDULERS]),
    help="Deployment target, or scheduler.",
)
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path), help="Output folder.")
@click.option(
    "--storage-uri", metavar="URI", help="kserve: URI to which storage/ will be uploaded, such as s3://models/digits."
)
@click.option("--license", metavar="SPDX", help="License for the model card, as an SPDX identifier such as Apache-2.0.")
@click.option("--nodes", type=_COUNT, help="trainjob, slurm: number of machines.  [default: 1]")
@click.option(
    "--processes", type=_COUNT, help="slurm: processes on each machine.  [default: 1, or one for each GPU of a machine]"
)
@click.option("--cpus", type=_COUNT, help="trainjob, slurm: processors of each process.")
@click.option("--memory", type=_COUNT, metavar="GIB", help="trainjob, slurm: GiB of memory of each machine.")
@click.option("--gpus", type=_COUNT, help="trainjob, slurm: GPUs of each machine.")
@click.option("--time", metavar="[D-]HH:MM:SS", help="trainjob, slurm: time limit.")
@click.option("--run", metavar="RUN", help="trainjob, slurm: run folder to write, and to resume.  [default: runs/NAME]")
@click.option("--image", help="trainjob: container image with nnspec[jax].")
@click.option("--volume", metavar="CLAIM", help="trainjob: persistent volume claim with the project, mounted at /project.")
@set_option
@root_option
def command(model: Path, target: Any, out: Path, **options: Any) -> None:
    """Package a model for deployment, with a model card; or a training of a spec for several machines.

    A run is exported to ONNX and verified first. triton: a model repository. kserve: an InferenceService manifest and the
    contents of its storage. docker: a build context for an image that runs `nnspec serve`, without TensorFlow.

    A spec is checked first. trainjob: a TrainJob for Kubeflow Trainer. slurm: a batch script. Both resume the run by
    themselves after a restart.

    \b
    Examples:
      nnspec package runs/first --target triton -o repository
      nnspec package first.onnx --target kserve --storage-uri s3://models/first -o kserve
      nnspec package runs/first --target docker -o image --license Apache-2.0
      nnspec package net.nnspec.yaml --target slurm --nodes 4 --cpus 16 --time 12:00:00 -o job
      nnspec package net.nnspec.yaml --target trainjob --nodes 4 --image nnspec:1 --volume project -o job
    """
    given = {name: value for name, value in options.items() if value not in (None, ())}
    for name in given:
        if target not in _OF[name]:
            flag = "--set" if name == "overrides" else f"--{name.replace('_', '-')}"
            raise click.UsageError(f"{flag} is for --target {' and '.join(_OF[name])}")
    if target in _SCHEDULERS:
        echo_path(_write_job(model, target, out, **given))
        return
    _write_package(model, target, out, **given)


def _write_package(model: Path, target: Target, out: Path, **options: Any) -> None:
    load_frameworks(*(("train", "export", "serve") if model.is_dir() else ("serve",)))
    from nnspec.packaging.writing import write_package

    for file in write_package(model, target, out, **options):
        echo_path(file)


def _write_job(
    spec: Path,
    target: Scheduler,
    out: Path,
    *,
    nodes: int = 1,
    processes: int | None = None,
    cpus: int | None = None,
    memory: int | None = None,
    gpus: int = 0,
    time: str | None = None,
    **options: Any,
) -> Path:
    if spec.is_dir() or spec.suffix == ".onnx":
        raise click.UsageError(f"--target {target} trains: name a spec, not a run or a model")
    if target == "slurm" and gpus and processes not in (None, gpus):
        raise click.UsageError(f"each process uses one GPU: leave out --processes, or use --processes {gpus}")
    from nnspec.packaging.jobs import write_job
    from nnspec.packaging.training import Machines, seconds_of

    per_node = 1 if target == "trainjob" else processes or gpus or 1
    machines = Machines(nodes, per_node, cpus, memory, gpus, seconds_of(time) if time else None)
    return write_job(spec, target, out, machines, **options)
