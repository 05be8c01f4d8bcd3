"""Notices, after each epoch, that a file changed from which the training data were read."""

from __future__ import annotations

import numpy as np

from nnspec.data.examples import Examples
from nnspec.data.prepare import Prepared
from nnspec.diagnostics import NnspecError
from nnspec.training.loop.progress import Progress

__all__ = ["DataGuard"]


class DataGuard:
    """Holds the files of the training data against their fingerprints.

    Data that were read whole before the first step are what they were, whatever becomes of their file: that is said once,
    for the run cannot be gone on with then. Data that are read as the training goes are no longer the same: it stops.

    Args:
        prepared: The data.
        progress: Where it is said.
    """

    def __init__(self, prepared: Prepared, progress: Progress) -> None:
        self._watched = prepared.watched
        self._digests = {name: digest for found in prepared.fingerprints.values() for name, digest in found.files.items()}
        self._whole = all(_in_memory(part) for part in (prepared.train, prepared.validation) if part is not None)
        self._progress = progress
        self._said: set[str] = set()

    def after_epoch(self) -> None:
        """Looks at the files.

        Raises:
            NnspecError: If one that is still being read is no longer what it was.
        """
        changed = [name for name in self._watched.changed(self._digests) if name not in self._said]
        if not changed:
            return
        self._said.update(changed)
        listed = ", ".join(changed)
        if not self._whole:
            raise NnspecError(f"the training data changed while they were read: {listed}")
        self._progress.say(
            f"warning: {listed} changed since it was read; this training goes on with what was read, "
            "and can be resumed only once the file is as it was"
        )


def _in_memory(examples: Examples) -> bool:
    groups = (examples.inputs, examples.targets, examples.weights)
    return all(type(array) is np.ndarray for group in groups for array in group.values())
