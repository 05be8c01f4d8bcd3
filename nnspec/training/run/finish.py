"""Runs a session to its end, and reports how it ended and how to resume."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from nnspec.diagnostics import NnspecError
from nnspec.training.loop.not_finite import Diverged
from nnspec.training.loop.progress import Progress
from nnspec.training.processes.group import LostProcess, current
from nnspec.training.run.create import now
from nnspec.training.run.files import resume_command
from nnspec.training.run.folder import Run
from nnspec.training.run.session import Session
from nnspec.training.run.writer import RunWriter


def finish(session: Session, writer: RunWriter, progress: Progress, stop: Callable[[], bool] | None = None) -> Run:
    """Trains, and records how the training ended.

    Args:
        session: The training.
        writer: Writes its run.
        progress: Reports how the training ended.
        stop: Called after each step; whether to interrupt the training. None for never.

    Returns:
        The run: ``finished``, ``stopped early`` or ``interrupted``.

    Raises:
        NnspecError: If the training failed, with how to resume.
    """
    try:
        status = session.run(writer, stop)
    except NnspecError as error:
        _record_failure(session, writer, str(error))
        if not current().writes:
            raise
        kind = LostProcess if isinstance(error, LostProcess) else NnspecError
        raise kind(f"{error}\nthe run is at {writer.run.path}{_weights_text(writer)}{_resume_help(writer, error)}") from None
    except BaseException:
        _record_failure(session, writer, "unexpected error")
        raise
    at, monitor = session.position, session.monitor.name
    reason = "" if at.best_epoch else "no epoch was complete: these are the last weights"
    run = writer.end(status, at, monitor, reason, now())
    if status == "interrupted":
        where = f"after step {at.step:,}, with {at.epoch} complete epochs"
        progress.print(f"interrupted {where}; the run is at {run.path}{_weights_text(writer)}")
        progress.print(f"resume with: {resume_command(run.path)}")
    elif status == "stopped early":
        best = (
            f"was best in epoch {at.best_epoch} ({at.best:.4g}), whose weights are kept"
            if at.best is not None
            else "was never finite"
        )
        progress.print(f"stopped early: `{monitor}` {best}")
    elif at.best is not None:
        progress.print(f"best epoch {at.best_epoch}: `{monitor}` {at.best:.4g}")
    return run


def _record_failure(session: Session, writer: RunWriter, reason: str) -> None:
    # If this write fails too, the first error is reported.
    with suppress(NnspecError):
        writer.end("failed", session.position, session.monitor.name, reason, now())


def _weights_text(writer: RunWriter) -> str:
    best = writer.weights_epoch()
    if best is None:
        return "; no epoch was complete, and no weights were saved"
    return f", with the weights of epoch {best}" if best else "; no epoch was complete: its weights are the last ones"


def _resume_help(writer: RunWriter, error: NnspecError) -> str:
    files = writer.checkpoints.files()
    if isinstance(error, Diverged):
        return f"; the last checkpoint before that is {files[-1].name}" if files else ""
    return f"\n  = help: fix the error, then resume with: {resume_command(writer.run.path)}"
