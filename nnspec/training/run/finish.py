"""Runs a session to its end, however that comes, and says how it ended and how to go on."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from nnspec.diagnostics import NnspecError
from nnspec.training.loop.not_finite import Diverged
from nnspec.training.loop.progress import Progress
from nnspec.training.loop.session import Session
from nnspec.training.run.create import now
from nnspec.training.run.files import resume_command
from nnspec.training.run.folder import Run
from nnspec.training.run.writer import RunWriter

__all__ = ["finish"]


def finish(session: Session, writer: RunWriter, progress: Progress, stop: Callable[[], bool] | None = None) -> Run:
    """Trains, and writes how it ended.

    Args:
        session: The training.
        writer: Writes its run.
        progress: Is told how it ended.
        stop: Asked after each step whether to interrupt it; None for never.

    Returns:
        The run: ``finished``, ``stopped early`` or ``interrupted``.

    Raises:
        NnspecError: If it failed, with how to go on.
    """
    try:
        status = session.run(writer, stop)
    except NnspecError as error:
        _note_failure(session, writer, str(error))
        raise NnspecError(f"{error}\nthe run is at {writer.run.path}{_kept(writer)}{_how_to_go_on(writer, error)}") from None
    except BaseException:
        _note_failure(session, writer, "it broke off")
        raise
    at, monitor = session.position, session.monitor.name
    reason = "" if at.best_epoch else "no epoch had ended: these are the last weights"
    run = writer.end(status, at, monitor, reason, now())
    if status == "interrupted":
        where = f"after step {at.step:,}, with {at.epoch} epochs finished"
        progress.say(f"interrupted {where}; the run is at {run.path}{_kept(writer)}")
        progress.say(f"go on with: {resume_command(run.path)}")
    elif status == "stopped early":
        best = (
            f"was best in epoch {at.best_epoch} ({at.best:.4g}); its weights are kept"
            if at.best is not None
            else "was never a number"
        )
        progress.say(f"stopped early: `{monitor}` {best}")
    return run


def _note_failure(session: Session, writer: RunWriter, reason: str) -> None:
    # Where nothing can be written any more, the first thing that could not be is what is said.
    with suppress(NnspecError):
        writer.end("failed", session.position, session.monitor.name, reason, now())


def _kept(writer: RunWriter) -> str:
    best = writer.weights_epoch()
    if best is None:
        return "; no epoch had ended, and no weights were kept"
    return f", with the weights of epoch {best}" if best else "; no epoch had ended: its weights are the last"


def _how_to_go_on(writer: RunWriter, error: NnspecError) -> str:
    files = writer.checkpoints.files()
    if isinstance(error, Diverged):
        return f"; the last checkpoint before it is {files[-1].name}" if files else ""
    return f"\n  = help: when that is mended, go on with: {resume_command(writer.run.path)}"
