"""Plots of learning curves."""

from __future__ import annotations

import io
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

_NOT_CURVES = {"epoch", "step", "seconds", "examples_per_second"}
_TRAIN, _VALIDATION = "#4269d0", "#ef7134"


def curves(records: list[dict[str, Any]], title: str, best_epoch: int = 0, *, most: int | None = None) -> bytes:
    """Plots each metric over the epochs, for training and validation.

    Args:
        records: The log.
        title: The title.
        best_epoch: The epoch whose weights were kept, from 1; 0 for none.
        most: The most metrics to plot; None for all.

    Returns:
        A PNG.
    """
    own = curve_names(records)[:most]
    columns = min(len(own), 3)
    rows = -(-len(own) // columns)
    figure = Figure(figsize=(4.6 * columns, 3.2 * rows + 0.4), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    if title:
        figure.suptitle(title)
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for axis, name in zip(axes, own, strict=False):
        draw_curve(axis, records, name, best_epoch)
        axis.grid(alpha=0.25)
    for axis in axes[len(own) :]:
        axis.set_visible(False)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def curve_names(records: list[dict[str, Any]]) -> list[str]:
    """The metrics of a log that have a curve; those of validation share the curve of training."""
    names = [name for name, value in records[0].items() if name not in _NOT_CURVES and isinstance(value, (int, float))]
    return [name for name in names if not name.startswith("val_")]


def draw_curve(axis: Axes, records: list[dict[str, Any]], name: str, best_epoch: int) -> None:
    """Plots one metric over the epochs, for training and validation."""
    epochs = [record["epoch"] for record in records]
    marker = "o" if len(records) <= 30 else None
    for key, label, color in ((name, "training", _TRAIN), (f"val_{name}", "validation", _VALIDATION)):
        if key in records[0]:
            values = [record[key] for record in records]
            axis.plot(epochs, values, color=color, label=label, marker=marker, markersize=3, linewidth=1.6)
    if best_epoch:
        axis.axvline(best_epoch, color="#888888", linewidth=1, linestyle=":", label=f"best: epoch {best_epoch}")
    axis.set_title(name.replace("_", " "), fontsize=10)
    axis.set_xlabel("epoch")
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axis.legend(fontsize=8, frameon=False)
