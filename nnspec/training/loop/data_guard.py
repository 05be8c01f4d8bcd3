"""Detects, after each epoch, that a file of the training data changed."""

from __future__ import annotations

from nnspec.data.prepare import Prepared
from nnspec.diagnostics import NnspecError
from nnspec.training.loop.progress import Progress


class DataGuard:
    """Compares the files of the training data with their fingerprints.

    If all data were read before the first step, a changed file is reported once: it does not affect the training, but prevents
    a resume. If data are read during training, a changed file stops it.

    Args:
        prepared: The data.
        progress: Reports changed files.
    """

    def __init__(self, prepared: Prepared, progress: Progress) -> None:
        self._watched = prepared.watched
        self._digests = {name: digest for found in prepared.fingerprints.values() for name, digest in found.files.items()}
        self._whole = not any(part.is_read_on_access for part in (prepared.train, prepared.validation) if part is not None)
        self._progress = progress
        self._reported: set[str] = set()

    def after_epoch(self) -> None:
        """Checks the files.

        Raises:
            NnspecError: If a file changed that is read during training.
        """
        changed = [name for name in self._watched.changed(self._digests) if name not in self._reported]
        if not changed:
            return
        self._reported.update(changed)
        listed = ", ".join(changed)
        if not self._whole:
            raise NnspecError(f"the training data changed during training: {listed}")
        self._progress.print(
            f"warning: {listed} changed after it was read; the training continues with the data in memory, "
            "and can be resumed only if the file is restored"
        )
