"""The table of epochs that a training prints."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import takewhile
from typing import Any

_SHORT = {
    "sparse_categorical_accuracy": "accuracy",
    "categorical_accuracy": "accuracy",
    "binary_accuracy": "accuracy",
    "root_mean_squared_error": "rmse",
    "mean_squared_error": "mse",
    "mean_absolute_error": "mae",
    "mean_absolute_percentage_error": "mape",
    "r2_score": "r2",
    "binary_dice": "dice",
    "mean_dice": "dice",
    "binary_io_u": "iou",
    "mean_io_u": "iou",
    "io_u": "iou",
    "auc": "auc",
    "perplexity": "perplexity",
    "mean_average_precision": "map",
    "mean_average_recall": "mar",
}
_KNOWN = re.compile(rf"(?:^|(?<=_))({'|'.join(_SHORT)})$")
"""Names of metrics at the end of a name, behind that of the output."""
_NARROWEST = 8


class MetricsTable:
    """A table with fixed columns: the epoch, its metrics, the speed, its duration and the time left.

    Args:
        names: Names of the metrics.
        width: The width that the lines must fit, by leaving out metrics and then the speed; None for no limit.

    Attributes:
        header: The first line.
    """

    def __init__(self, names: Sequence[str], width: int | None = None) -> None:
        self._names = list(names)
        short = short_names(names)
        self._shown = list(names)
        self._with_rate = True
        while width is not None and self._width(short) > width:
            if self._with_rate:
                self._with_rate = False
            elif len(self._shown) > 1:
                self._shown.pop(_least_wanted(self._shown))
            else:
                break
        self._widths = {name: max(len(short[name]), _NARROWEST) for name in self._shown}
        rate = [f"{'examples/s':>10}"] if self._with_rate else []
        titles = [f"{short[name]:>{size}}" for name, size in self._widths.items()]
        self.header = "  ".join([f"{'epoch':>7}", *titles, *rate, f"{'time':>7}", f"{'left':>7}"])

    def fits(self, names: Iterable[str]) -> bool:
        """Whether the metrics are those of the columns."""
        return list(names) == self._names

    def row(self, record: Mapping[str, Any], metrics: Mapping[str, float], epochs: int) -> str:
        """Format an epoch; a new best one is followed by the word ``best``.

        Args:
            record: The epoch, with ``epoch``, ``seconds`` and ``examples_per_second``; ``best`` is true for a new best epoch.
            metrics: Its metrics.
            epochs: The number of epochs.

        Example:
            >>> table = MetricsTable(["loss", "digit_sparse_categorical_accuracy"])
            >>> print(table.header)
              epoch      loss  accuracy  examples/s     time     left
            >>> record = {"epoch": 2, "seconds": 75.2, "examples_per_second": 812.4, "best": True}
            >>> print(table.row(record, {"loss": 0.25, "digit_sparse_categorical_accuracy": 0.9712}, 10))
               2/10      0.25    0.9712         812     1:15    10:02  best
        """
        values = [f"{metrics[name]:>{size}.4g}" for name, size in self._widths.items()]
        rate = [f"{record['examples_per_second']:>10,.0f}"] if self._with_rate else []
        seconds, left = record["seconds"], record["seconds"] * max(epochs - record["epoch"], 0)
        place = f"{record['epoch']}/{epochs}"
        cells = [f"{place:>7}", *values, *rate, f"{duration(seconds):>7}", f"{duration(left):>7}"]
        return "  ".join([*cells, *(["best"] if record.get("best") else [])])

    def _width(self, short: Mapping[str, str]) -> int:
        columns = [max(len(short[name]), _NARROWEST) for name in self._shown]
        return sum(columns) + 2 * len(columns) + (12 if self._with_rate else 0) + 7 + 9 + 9 + 6


def _least_wanted(names: Sequence[str]) -> int:
    """Index of the metric to leave out first: the last one that is no loss and of the training data."""
    order = [name in ("loss", "val_loss") or name.startswith("val_") for name in names]
    return len(names) - 1 - order[::-1].index(min(order))


def short_names(names: Sequence[str]) -> dict[str, str]:
    """Shorten names of metrics for a table, where the short ones differ.

    The prefix that all metrics have, the output, is left out; every accuracy is ``accuracy``, and known errors have
    their usual letters.

    Example:
        >>> list(short_names(["loss", "y_sparse_categorical_accuracy", "val_y_sparse_categorical_accuracy"]).values())
        ['loss', 'accuracy', 'val_accuracy']
        >>> short_names(["loss", "mpg_mean_absolute_error"])["mpg_mean_absolute_error"]
        'mae'
        >>> short_names(["loss", "a_auc", "b_auc"])["a_auc"]
        'a_auc'
    """
    bare = {name: name.removeprefix("val_") for name in names}
    own = {text for text in bare.values() if text not in ("loss", "learning_rate")}
    prefix = _prefix(own)
    short = {name: _shortened(text.removeprefix(prefix) if text in own else text) for name, text in bare.items()}
    short = {name: f"val_{text}" if name.startswith("val_") else text for name, text in short.items()}
    repeated = {text for text in short.values() if list(short.values()).count(text) > 1}
    return {name: name if text in repeated else text for name, text in short.items()}


def _shortened(name: str) -> str:
    return _KNOWN.sub(lambda found: _SHORT[found[1]], name)


def _prefix(names: Iterable[str]) -> str:
    """The words that all names start with; of a single metric that is known, all before it."""
    names = list(names)
    if len(names) == 1:
        found = _KNOWN.search(names[0])
        return names[0][: found.start()] if found else ""
    # The words of a known metric are none of the output's name.
    outputs = (_KNOWN.sub("x", name).split("_")[:-1] for name in names)
    shared = [words[0] for words in takewhile(_are_equal, zip(*outputs, strict=False))]
    return "".join(f"{word}_" for word in shared)


def _are_equal(words: Sequence[str]) -> bool:
    return len(set(words)) == 1


def duration(seconds: float) -> str:
    """Format a duration.

    Example:
        >>> [duration(seconds) for seconds in (0.42, 75, 7322)]
        ['0.4 s', '1:15', '2:02:02']
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}" if minutes >= 60 else f"{minutes}:{rest:02}"
