"""The training that a package starts on several machines: what it runs, and on how many."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from nnspec.diagnostics import NnspecError, SpecError
from nnspec.graph import compile
from nnspec.spec import load
from nnspec.training.check import check_training

_DURATION = re.compile(r"(?:(\d{1,3})-)?(\d{1,3}):([0-5]\d):([0-5]\d)")


@dataclass(frozen=True)
class Machines:
    """The machines of a training.

    Attributes:
        nodes: The number of machines.
        processes: The number of processes on each.
        cpus: The number of processors of each process; None for the default of the cluster.
        memory: The memory of each machine in GiB; None for the default of the cluster.
        gpus: The number of GPUs of each machine.
        seconds: The time limit; None for the default of the cluster.
    """

    nodes: int = 1
    processes: int = 1
    cpus: int | None = None
    memory: int | None = None
    gpus: int = 0
    seconds: int | None = None

    @property
    def count(self) -> int:
        """The number of processes."""
        return self.nodes * self.processes


@dataclass(frozen=True)
class Training:
    """A training.

    Attributes:
        name: The name of the model.
        spec: The file of the spec, as it was named.
        place: The file, relative to the folder of the project.
        overrides: The values of the spec that are overridden.
        run: The run folder; relative to the folder in which the training is started.
        root: The folder that paths in the spec may not leave, as it was named; None for the default.
    """

    name: str
    spec: str
    place: PurePosixPath
    overrides: tuple[str, ...]
    run: str
    root: str | None = None

    def settings(self) -> str:
        """The overridden values, as arguments in a shell."""
        return "".join(f" --set {shlex.quote(override)}" for override in self.overrides)


def read_training(
    spec: Path, shares: int, *, overrides: Sequence[str] = (), run: str | None = None, root: Path | None = None
) -> Training:
    """Reads and checks a spec. Its data need not be here.

    Args:
        spec: The spec.
        shares: The number of parts into which each batch is divided.
        overrides: Values of the spec to override, ``path=value``.
        run: The run folder; by default ``runs/NAME``.
        root: The folder that paths in the spec may not leave, which becomes the folder of the project.

    Raises:
        NnspecError: If the spec has errors or no section ``train``, or its batches cannot be divided.
    """
    loaded = load(spec, tuple(overrides), root=root)
    model = compile(loaded)
    problems = list(model.diagnostics)
    plan = check_training(loaded, model, problems)
    if any(problem.is_error for problem in problems):
        raise SpecError(problems)
    if plan is None:
        raise NnspecError(f"{spec} has no section `train`\n  = help: add one, or package a run or a model for serving")
    size = plan.section.batch_size
    if size % shares:
        raise NnspecError(
            f"batches of {size} examples cannot be shared by {shares} processes or GPUs\n"
            f"  = help: use a `batch_size` that is a multiple of {shares}: --set train.batch_size={-(-size // shares) * shares}"
        )
    place = PurePosixPath(spec.resolve().relative_to(loaded.root.resolve()).as_posix())
    named = None if root is None else root.as_posix()
    return Training(loaded.name, spec.as_posix(), place, loaded.overrides, run or f"runs/{loaded.name}", named)


def seconds_of(text: str) -> int:
    """The seconds of a time limit.

    Args:
        text: ``HH:MM:SS`` or ``D-HH:MM:SS``, as Slurm writes it.

    Raises:
        NnspecError: If it is neither.

    Example:
        >>> seconds_of("04:30:00"), seconds_of("2-00:00:01")
        (16200, 172801)
    """
    match = _DURATION.fullmatch(text)
    if match is None:
        raise NnspecError(f"`{text}` is not a time limit\n  = help: use HH:MM:SS, or D-HH:MM:SS")
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds
