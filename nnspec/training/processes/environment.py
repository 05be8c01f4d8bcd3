"""Where a process stands among those of a training, as the environment that started it says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nnspec.diagnostics import NnspecError

COORDINATOR, COUNT, INDEX = "JAX_COORDINATOR_ADDRESS", "JAX_NUM_PROCESSES", "JAX_PROCESS_ID"
"""The variables that say it: the address of process 0, the number of processes, and the index of this one."""

LAUNCHED = "NNSPEC_LAUNCHED"
"""Set in the environment of the processes that `nnspec train --processes` starts."""

LOST = 75
"""The exit status of a process that lost another one, EX_TEMPFAIL of sysexits.h: to start again may help."""

_LAUNCHERS = (
    ("Slurm", "SLURM_STEP_NUM_TASKS", "SLURM_PROCID"),
    ("Open MPI", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"),
)
"""Launchers whose variables JAX reads too: their name, and the variables of the count and the index."""


@dataclass(frozen=True)
class Place:
    """The place of a process.

    Attributes:
        count: The number of processes.
        index: The index of this one, from 0.
        address: The address of process 0, ``host:port``; None if the launcher's own variables say it.
    """

    count: int
    index: int
    address: str | None


def place_in(environment: Mapping[str, str]) -> Place | None:
    """The place of a process; None for one that trains alone.

    Args:
        environment: The environment variables.

    Raises:
        NnspecError: If some of the variables are missing or wrong.

    Example:
        >>> variables = {"JAX_COORDINATOR_ADDRESS": "node-0:1234", "JAX_NUM_PROCESSES": "4", "JAX_PROCESS_ID": "2"}
        >>> place_in(variables)
        Place(count=4, index=2, address='node-0:1234')
        >>> place_in({"SLURM_STEP_NUM_TASKS": "2", "SLURM_PROCID": "0"})
        Place(count=2, index=0, address=None)
        >>> place_in({}) is None
        True
    """
    given = [name for name in (COUNT, INDEX) if name in environment]
    if given:
        if missing := [name for name in (COORDINATOR, COUNT, INDEX) if name not in environment]:
            raise NnspecError(
                f"{given[0]} is set, but not {' and '.join(missing)}\n"
                "  = help: set all three for a training by several processes, or none"
            )
        place = Place(_number(environment, COUNT), _number(environment, INDEX), environment[COORDINATOR])
        _check_index(place, INDEX)
        return place if place.count > 1 else None
    for _, count, index in _LAUNCHERS:
        if count in environment and index in environment and _number(environment, count) > 1:
            place = Place(_number(environment, count), _number(environment, index), environment.get(COORDINATOR))
            _check_index(place, index)
            return place
    return None


def _check_index(place: Place, name: str) -> None:
    if not 0 <= place.index < place.count:
        raise NnspecError(f"{name} is {place.index}, and the {place.count} processes are numbered from 0 to {place.count - 1}")


def _number(environment: Mapping[str, str], name: str) -> int:
    text = environment[name]
    if not text.isascii() or not text.isdigit() or len(text) > 6:
        raise NnspecError(f"{name} is {text!r}, not a number")
    return int(text)
