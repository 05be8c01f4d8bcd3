"""``package`` of a spec: writes a job that trains it on several machines. Nothing of serving is needed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from nnspec.diagnostics import NnspecError
from nnspec.packaging.folder import check_free, folder_beside, write_folder
from nnspec.packaging.slurm import script
from nnspec.packaging.training import Machines, read_training
from nnspec.packaging.trainjob import job

Scheduler = Literal["trainjob", "slurm"]


def write_job(
    spec: str | Path,
    scheduler: Scheduler,
    out: str | Path,
    machines: Machines,
    *,
    overrides: Sequence[str] = (),
    run: str | None = None,
    root: Path | None = None,
    image: str | None = None,
    volume: str | None = None,
) -> Path:
    """Write a job that trains a spec on several machines. The folder is written completely or not at all.

    Args:
        spec: The spec, which is checked; its data need not be here.
        scheduler: ``trainjob`` or ``slurm``.
        out: The folder; it must not exist, or be empty.
        machines: The machines.
        overrides: Values of the spec to override, ``path=value``.
        run: The run folder that the job writes, and resumes if it exists; by default ``runs/NAME``.
        root: The folder that paths in the spec may not leave.
        image: The container image, for a TrainJob.
        volume: The persistent volume claim with the project, for a TrainJob.

    Returns:
        The file.

    Raises:
        NnspecError: If the spec has errors, something is missing, or the folder cannot be written.
    """
    out = Path(out)
    check_free(out)
    training = read_training(
        Path(spec), machines.nodes * max(machines.processes, machines.gpus), overrides=overrides, run=run, root=root
    )
    if scheduler == "trainjob":
        if image is None or volume is None:
            missing = "--image IMAGE" if image is None else "--volume CLAIM"
            raise NnspecError(f"a TrainJob requires an image and a volume\n  = help: add {missing}")
        name, content = "trainjob.yaml", job(training, machines, image=image, volume=volume)
    else:
        name, content = "train.sbatch", script(training, machines)
    with folder_beside(out) as beside:
        write_folder(out, beside, {name: content.encode()})
    return out / name
