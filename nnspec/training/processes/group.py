"""The processes of a training, and what they agree on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from nnspec.diagnostics import NnspecError
from nnspec.training.processes.environment import COORDINATOR, Place

_SECONDS_TO_JOIN = 120
_SECONDS_WITHOUT_HEARTBEAT = 20


@dataclass(frozen=True)
class Group:
    """The processes of a training.

    Attributes:
        count: The number of processes.
        index: The index of this one. Process 0 writes the run and reports progress.
    """

    count: int = 1
    index: int = 0

    @property
    def writes(self) -> bool:
        """Whether this process writes the run."""
        return self.index == 0

    def any(self, flag: bool) -> bool:
        """Whether a flag is set on one of the processes. All call it, at the same step."""
        return flag if self.count == 1 else bool(self._all(float(flag)).any())

    def first(self, value: float) -> float:
        """A number of process 0. All call it, at the same step."""
        return value if self.count == 1 else float(self._all(value)[0])

    def text(self, value: str) -> str:
        """A text of process 0, of at most 1,000 bytes. All call it."""
        if self.count == 1:
            return value
        import numpy as np

        encoded = np.zeros(1000, np.uint8)
        content = value.encode()[:1000]
        encoded[: len(content)] = list(content)
        return bytes(self._all(encoded)[0]).rstrip(b"\0").decode()

    def gathered(self, array: Any) -> Any:
        """The arrays of all processes, along a new first axis, which have one shape. All call it, at the same step."""
        return array[None] if self.count == 1 else self._all(array)

    def same(self, what: str, value: str) -> None:
        """Checks that a text is the same on all processes. All call it.

        Raises:
            NnspecError: If it is not.
        """
        first = self.text(value)
        if self.any(first != value):
            own = "" if first == value else f": {value} here, {first} on process 0"
            raise NnspecError(f"the processes of the training differ in {what}{own}")

    def _all(self, value: Any) -> Any:
        from jax.experimental.multihost_utils import process_allgather

        with reported():
            return process_allgather(value)


class LostProcess(NnspecError):
    """Raised if another process of a training cannot be reached."""


@contextmanager
def reported() -> Iterator[None]:
    """Reports an error of the connection between processes as one of the training.

    Raises:
        LostProcess: If there is one.
    """
    import jax

    try:
        yield
    except jax.errors.JaxRuntimeError:
        if current().count == 1:
            raise
        raise LostProcess(
            f"another process of the training ended or cannot be reached; this is process {current().index}"
        ) from None


_ALONE = Group()
_joined = [_ALONE]


def current() -> Group:
    """The processes that this one has joined; by default itself."""
    return _joined[-1]


def join(place: Place) -> Group:
    """Joins the processes of a training, before JAX is used.

    Args:
        place: The place of this process.

    Raises:
        NnspecError: If process 0 cannot be reached.
    """
    import jax

    # Its collectives on CPUs are those that work over a network.
    jax.config.update("jax_cpu_collectives_implementation", "gloo")
    arguments: dict[str, Any] = {}
    if place.address is not None:
        arguments = {"coordinator_address": place.address, "num_processes": place.count, "process_id": place.index}
    try:
        jax.distributed.initialize(
            **arguments, initialization_timeout=_SECONDS_TO_JOIN, heartbeat_timeout_seconds=_SECONDS_WITHOUT_HEARTBEAT
        )
    except (RuntimeError, ValueError) as error:
        reason = f"process {place.index} cannot join the training"
        if place.address is None:
            help = f"start it with `srun` or `mpirun`, or set {COORDINATOR} to the address of process 0, `HOST:PORT`"
            raise NnspecError(f"{reason}: its launcher does not say where process 0 is\n  = help: {help}") from None
        raise NnspecError(f"{reason} at {place.address}: {_first_line(error)}") from None
    _joined.append(Group(place.count, place.index))
    current().any(False)  # the first collective prints messages of its library
    return current()


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)


def leave(status: int) -> None:
    """Ends this process if it is one of several: a normal exit would wait for those that no longer answer."""
    if current().count > 1:
        os._exit(status)
