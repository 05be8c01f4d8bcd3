"""Progress of a training: a progress bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol, TextIO

from nnspec.colors import colored, uses_color
from nnspec.printable import terminal_text
from nnspec.training.loop.metrics_table import MetricsTable, short_names

_SECONDS_BETWEEN_UPDATES = 0.5
_MOST_METRICS = 8


class Progress(Protocol):
    """Reports the progress of a training."""

    def print(self, text: str) -> None:
        """Prints a line."""

    def begin(self, epochs: int, steps: int, batch_size: int) -> None:
        """Called before the first step of a phase, with the number of epochs, steps per epoch and examples per step."""

    def stepped(self, epoch: int, step: int, rate: float, metrics: Callable[[], dict[str, Any]]) -> None:
        """Called after some steps, with the epoch, its steps so far, examples per second and the metrics so far."""

    def epoch_ended(self, record: dict[str, Any]) -> None:
        """Called after an epoch and its validation, with the record for the log."""

    def end(self) -> None:
        """Called after the last epoch, or if the training is interrupted or fails."""


class Quiet:
    """Reports nothing."""

    def print(self, text: str) -> None: ...

    def begin(self, epochs: int, steps: int, batch_size: int) -> None: ...

    def stepped(self, epoch: int, step: int, rate: float, metrics: Callable[[], dict[str, Any]]) -> None: ...

    def epoch_ended(self, record: dict[str, Any]) -> None: ...

    def end(self) -> None: ...


def progress_for(stream: TextIO | None = None) -> Progress:
    """The progress for a stream, by default standard error, since standard output is for results. Nothing if it is closed."""
    stream = stream or sys.stderr
    if stream is None:
        return Quiet()
    tolerant: Any = _TolerantStream(stream)
    return _Terminal(tolerant) if tolerant.isatty() else _Lines(tolerant)


class _TolerantStream:
    """A stream that ignores errors, so that a closed terminal or a full disk does not end the training."""

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
    """Prints a table with a line for each epoch, and a line every half minute within an epoch."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._epochs = self._steps = 0
        self._reported = time.monotonic()
        self._table: MetricsTable | None = None

    def print(self, text: str) -> None:
        print(terminal_text(text), file=self._stream, flush=True)

    def begin(self, epochs: int, steps: int, batch_size: int) -> None:
        del batch_size
        self._epochs, self._steps = epochs, steps

    def stepped(self, epoch: int, step: int, rate: float, metrics: Callable[[], dict[str, Any]]) -> None:
        if time.monotonic() - self._reported > 30:
            self._reported = time.monotonic()
            self.print(f"epoch {epoch}/{self._epochs}  step {step}/{self._steps}  {_text(metrics())}  {rate:,.0f} examples/s")

    def epoch_ended(self, record: dict[str, Any]) -> None:
        self._reported = time.monotonic()
        metrics = _shown({name: value for name, value in record.items() if name not in _NOT_SHOWN})
        if self._table is None or not self._table.fits(metrics):
            self._table = MetricsTable(list(metrics), self._width())
            self._print_styled(self._table.header, "strong")
        self._print_styled(self._table.row(record, metrics, self._epochs), "good" if record.get("best") else "")

    def _print_styled(self, line: str, style: str) -> None:
        """Prints a line of the table, which has no text from a spec."""
        print(colored(line, style) if style and uses_color(self._stream) else line, file=self._stream, flush=True)

    def _width(self) -> int | None:
        """The columns that a line may have; None for no limit."""
        return None

    def end(self) -> None: ...


class _Terminal(_Lines):
    """Adds a progress bar with the remaining time."""

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

    def print(self, text: str) -> None:
        self._bar.console.print(terminal_text(text), highlight=False, markup=False, soft_wrap=True)

    def _print_styled(self, line: str, style: str) -> None:
        self._bar.console.print(line, style=_RICH[style], highlight=False, markup=False, soft_wrap=True)

    def begin(self, epochs: int, steps: int, batch_size: int) -> None:
        super().begin(epochs, steps, batch_size)
        if self._task is not None:
            self._bar.remove_task(self._task)  # of the previous phase
        self._task = self._bar.add_task("", total=epochs * steps, epoch=f"1/{epochs}", metrics="", rate="")
        self._bar.start()

    def _width(self) -> int | None:
        return int(self._bar.console.width)

    def stepped(self, epoch: int, step: int, rate: float, metrics: Callable[[], dict[str, Any]]) -> None:
        now = time.monotonic()
        # Reading metrics waits for the device, so the bar is not updated after each call.
        if now - self._drawn > _SECONDS_BETWEEN_UPDATES:
            self._drawn = now
            self._bar.update(self._task, metrics=_text(metrics()))
        done = (epoch - 1) * self._steps + step
        self._bar.update(self._task, completed=done, epoch=f"{epoch}/{self._epochs}", rate=f"{rate:,.0f}/s")

    def end(self) -> None:
        self._bar.stop()


_RICH = {"": "", "strong": "bold", "good": "green"}
_NOT_SHOWN = {"epoch", "step", "seconds", "examples_per_second", "best"}


def _text(metrics: dict[str, Any]) -> str:
    shown = _shown(metrics)
    short = short_names(list(shown))
    return "  ".join(f"{short[name]} {value:.4g}" for name, value in shown.items())


def _shown(metrics: dict[str, Any]) -> dict[str, Any]:
    """The metrics that are numbers; if there are many, without the losses of single outputs, and those named after others."""
    shown = {name: value for name, value in metrics.items() if isinstance(value, (int, float))}
    if len(shown) > _MOST_METRICS:
        shown = {name: value for name, value in shown.items() if name in ("loss", "val_loss") or not name.endswith("_loss")}
        return {name: value for name, value in shown.items() if name.rpartition("_")[0] not in shown}
    return shown
