"""How a training is shown while it runs: one moving line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol, TextIO

from nnspec.printable import terminal_text

__all__ = ["Progress", "Quiet", "progress_for"]

_SECONDS_BETWEEN = 0.5
_SECONDS_OF_A_LINE = 1.0
_MOST_METRICS = 8


class Progress(Protocol):
    """Is told how a training goes, and shows it."""

    def say(self, text: str) -> None:
        """Shows a line of its own."""

    def begin(self, epochs: int, steps: int, batch_size: int) -> None:
        """Before the first step: how many epochs there are, how many steps an epoch has, and of how many examples."""

    def stepped(self, epoch: int, step: int, rate: float, metrics: Callable[[], dict[str, Any]]) -> None:
        """After some steps: the epoch, the steps made in it, examples a second, the metrics so far."""

    def epoch_ended(self, record: dict[str, Any]) -> None:
        """After an epoch and its validation: what is written into the log."""

    def end(self) -> None:
        """After the last epoch, or where the training breaks off."""


class Quiet:
    """Shows nothing."""

    def say(self, text: str) -> None: ...

    def begin(self, epochs: int, steps: int, batch_size: int) -> None: ...

    def stepped(self, epoch: int, step: int, rate: float, metrics: Callable[[], dict[str, Any]]) -> None: ...

    def epoch_ended(self, record: dict[str, Any]) -> None: ...

    def end(self) -> None: ...


def progress_for(stream: TextIO | None = None) -> Progress:
    """What suits a stream, standard error by default: the shell's pipes keep standard output for results."""
    lasting: Any = _Lasting(stream or sys.stderr)
    return _Terminal(lasting) if lasting.isatty() else _Lines(lasting)


class _Lasting:
    """A stream whose end is no error: the training goes on where its terminal was closed or the disk of its log is full."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class _Lines:
    """A line for each epoch, and every half minute within a long one; of epochs shorter than a second one line a second."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._epochs = self._steps = 0
        self._said = time.monotonic()
        self._line_at = -_SECONDS_OF_A_LINE
        self._unsaid: dict[str, Any] | None = None

    def say(self, text: str) -> None:
        print(terminal_text(text), file=self._stream, flush=True)

    def begin(self, epochs: int, steps: int, batch_size: int) -> None:
        del batch_size
        self._say_last()
        self._epochs, self._steps = epochs, steps

    def stepped(self, epoch: int, step: int, rate: float, metrics: Callable[[], dict[str, Any]]) -> None:
        if time.monotonic() - self._said > 30:
            self._said = time.monotonic()
            self.say(f"epoch {epoch}/{self._epochs}  step {step}/{self._steps}  {_text(metrics())}  {rate:,.0f} examples/s")

    def epoch_ended(self, record: dict[str, Any]) -> None:
        now = time.monotonic()
        self._unsaid = record
        if record["epoch"] == 1 or now - self._line_at >= _SECONDS_OF_A_LINE:
            self._line_at = now
            self._say_last()

    def _say_last(self) -> None:
        """The line of the last epoch, where it was not said."""
        record, self._unsaid = self._unsaid, None
        if record is None:
            return
        self._said = time.monotonic()
        text = _text({name: value for name, value in record.items() if name not in _NOT_SHOWN})
        pace = f"{record['examples_per_second']:,.0f} examples/s  {record['seconds']:.1f} s"
        self.say(f"epoch {record['epoch']}/{self._epochs}  {text}  {pace}")

    def end(self) -> None:
        self._say_last()


class _Terminal(_Lines):
    """The same, with a bar that moves, and the time that is left."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar
        from rich.table import Column

        self._bar = Bar(
            TextColumn("epoch {task.fields[epoch]}"),
            BarColumn(16),
            TimeRemainingColumn(),
            TextColumn("{task.fields[rate]}"),
            TextColumn("{task.fields[metrics]}", table_column=Column(no_wrap=True, overflow="ellipsis", ratio=1)),
            console=Console(file=stream),
            expand=True,
            transient=True,
        )
        self._task: Any = None
        self._drawn = 0.0

    def say(self, text: str) -> None:
        self._bar.console.print(terminal_text(text), highlight=False, markup=False, soft_wrap=True)

    def begin(self, epochs: int, steps: int, batch_size: int) -> None:
        super().begin(epochs, steps, batch_size)
        if self._task is not None:
            self._bar.remove_task(self._task)  # of the phase before
        self._task = self._bar.add_task("", total=epochs * steps, epoch=f"1/{epochs}", metrics="", rate="")
        self._bar.start()

    def stepped(self, epoch: int, step: int, rate: float, metrics: Callable[[], dict[str, Any]]) -> None:
        now = time.monotonic()
        # Reading the metrics waits for the device; often enough to be seen is often enough.
        if now - self._drawn > _SECONDS_BETWEEN:
            self._drawn = now
            self._bar.update(self._task, metrics=_text(metrics()))
        done = (epoch - 1) * self._steps + step
        self._bar.update(self._task, completed=done, epoch=f"{epoch}/{self._epochs}", rate=f"{rate:,.0f}/s")

    def end(self) -> None:
        super().end()
        self._bar.stop()


_NOT_SHOWN = {"epoch", "step", "seconds", "examples_per_second"}


def _text(metrics: dict[str, Any]) -> str:
    """The metrics in a line; where there are many, without the losses of single outputs, which are in the log."""
    shown = {name: value for name, value in metrics.items() if isinstance(value, (int, float))}
    if len(shown) > _MOST_METRICS:
        shown = {name: value for name, value in shown.items() if name in ("loss", "val_loss") or not name.endswith("_loss")}
    return "  ".join(f"{name} {value:.4g}" for name, value in shown.items())
