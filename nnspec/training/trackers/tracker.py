"""The interface of an experiment tracker."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from nnspec.diagnostics import NnspecError
from nnspec.printable import on_one_line

if TYPE_CHECKING:
    from nnspec.training.run.folder import Run


class TrackerError(NnspecError):
    """An error of a tracker, such as a server that does not answer."""


@contextmanager
def tracker_errors(service: str, action: str) -> Iterator[None]:
    """Raise any error of a client, its database or its server as a `TrackerError`.

    Args:
        service: The name of the service.
        action: What it cannot do then, as a verb.
    """
    try:
        yield
    except NnspecError:
        raise
    except Exception as error:
        raise TrackerError(f"{service} cannot {action}: {on_one_line(error) or type(error).__name__}") from error


class Tracker(ABC):
    """The record of a run in a tracker.

    Attributes:
        name: The name in ``nnspec train --track``.
        epochs: The number of epochs that the record has.
        state: What finds the record again when the run is resumed; it is in ``run.json`` under ``trackers``.
        place: Where a user finds the record, as text.
    """

    name: ClassVar[str]
    epochs: int
    state: dict[str, str]
    place: str

    @abstractmethod
    def __init__(self, run: Run, state: Mapping[str, str]) -> None:
        """Open the record of a run, which is made if `state` names none.

        Raises:
            TrackerError: If this fails.
        """

    @abstractmethod
    def write(self, record: Mapping[str, Any]) -> None:
        """Write the metrics of an epoch.

        Args:
            record: A record of ``metrics.jsonl``.

        Raises:
            TrackerError: If this fails; the record can then be written again.
        """

    @abstractmethod
    def end(self, run: Run) -> None:
        """Record the status of a run that ended, and close the record.

        Raises:
            TrackerError: If this fails.
        """

    def write_model(self, run: Run, file: Path) -> bool:
        """Write an exported ONNX model to the record.

        Returns:
            Whether this tracker keeps models.

        Raises:
            TrackerError: If this fails.
        """
        del run, file
        return False


def numbers_of(record: Mapping[str, Any]) -> dict[str, float]:
    """Return the metrics of an epoch, without its position.

    Example:
        >>> numbers_of({"epoch": 3, "step": 120, "seconds": 4.5, "loss": 0.25, "val_loss": 0.5})
        {'loss': 0.25, 'val_loss': 0.5}
    """
    return {
        name: float(value)
        for name, value in record.items()
        if name not in _POSITION and isinstance(value, int | float) and not isinstance(value, bool)
    }


_POSITION = ("epoch", "step", "seconds")


def settings_of(run: Run) -> dict[str, str]:
    """Return what a tracker lists of a run: its params and training section, by path."""
    document = run.spec.document.plain()
    found = dict(_flat({name: document[name] for name in ("params", "train") if name in document}))
    return {**found, "seed": str(run.info["seed"])}


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    inner = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else None
    if not inner:
        yield path, str(value)
        return
    for key, each in inner:
        yield from _flat(each, f"{path}.{key}" if path else str(key))
