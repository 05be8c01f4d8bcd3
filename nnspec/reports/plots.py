"""Plots as inline SVG, with the colors of the page in light and dark mode, and without external references."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.colors import LinearSegmentedColormap, to_rgba
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from nnspec.html_elements import Html
from nnspec.printable import html_text, on_one_line

# Unique placeholder colors, which are replaced by CSS variables of the page.
_INK, _SOFT = "#010203", "#040506"
_VARIABLES = {_INK: "var(--ink)", _SOFT: "var(--line)"}
_SETTINGS = {
    "svg.fonttype": "none",
    "svg.hashsalt": "nnspec",
    "text.parse_math": False,
    "text.color": _INK,
    "axes.edgecolor": _SOFT,
    "axes.labelcolor": _INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "grid.color": _SOFT,
    "font.size": 9,
}
_COLOR, _OTHER = "#4269d0", "#ef7134"
_HEAT = LinearSegmentedColormap.from_list("heat", [to_rgba(_OTHER, 0.0), to_rgba(_OTHER, 0.8)])
_MOST_NAMED = 10
_MOST_POINTS = 2_000


def plot(draw: Callable[[Axes], object], label: str, *, width: float = 4.4, height: float = 3.1) -> Html:
    """A plot with one pair of axes.

    Args:
        draw: Draws on the axes.
        label: The alternative text.
        width: The width, in inches.
        height: The height, in inches.
    """
    with matplotlib.rc_context(_SETTINGS), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of characters missing in Matplotlib's font, which the browser has
        drawing = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasSVG(drawing)
        axes = drawing.add_subplot()
        axes.set_axisbelow(True)
        axes.grid(alpha=0.6, linewidth=0.6)
        draw(axes)
        buffer = io.StringIO()
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        drawing.savefig(buffer, format="svg", transparent=True, metadata=nothing)
    return _inline(buffer.getvalue(), label)


def _inline(text: str, label: str) -> Html:
    text = text[text.index("<svg") :]
    text = re.sub(r'<g id="[^"]*"', "<g", text)  # IDs repeat in other plots
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    for color, variable in _VARIABLES.items():
        text = text.replace(color, variable)
    return Html(text.replace("<svg", f'<svg role="img" aria-label="{html_text(label)}"', 1).strip())


def series_plot(values: NDArray[Any], label: str, heat: NDArray[Any] | None = None) -> Html:
    """A line plot of a series, with a line for each variable.

    Args:
        values: The series, (T,) or (T, variables).
        label: The alternative text.
        heat: A map over the steps to draw behind the lines, of any length and range; negative values are shown as 0.
    """

    def draw(axes: Axes) -> None:
        axes.plot(values, linewidth=1.2)
        if heat is not None:
            positive = np.maximum(heat, 0)[None, :]
            highest = float(positive.max()) or 1.0
            box = (-0.5, len(values) - 0.5, *axes.get_ylim())
            axes.imshow(positive, _HEAT, aspect="auto", interpolation="nearest", vmin=0, vmax=highest, extent=box, zorder=0)
        axes.set_xlabel("step")

    return plot(draw, label, width=2.6, height=1.7)


def roc(curves: list[dict[str, Any]], areas: dict[str, float | None]) -> Html:
    """One-vs-rest ROC curves of the classes."""

    def draw(axes: Axes) -> None:
        axes.plot([0, 1], [0, 1], color=_SOFT, linestyle=":")
        for curve in curves:
            area = areas.get(str(curve["class"]))
            _curve(axes, curve["roc"], f"{curve['class']}: {area:.3f}" if area is not None else str(curve["class"]))
        axes.set(xlabel="false positive rate", ylabel="true positive rate", title="ROC curves, with AUC")
        _legend(axes, len(curves), "lower right")

    return plot(draw, "ROC curves")


def precision_recall(curves: list[dict[str, Any]]) -> Html:
    """One-vs-rest precision–recall curves of the classes."""

    def draw(axes: Axes) -> None:
        for curve in curves:
            _curve(axes, curve["precision_recall"], str(curve["class"]))
        axes.set(xlabel="recall", ylabel="precision", title="precision and recall", ylim=(0, 1.03))
        _legend(axes, len(curves), "lower left")

    return plot(draw, "precision–recall curves")


def average_precision(recalls: NDArray[Any], curves: list[tuple[str, NDArray[Any]]]) -> Html:
    """The precision of the classes of a detector at each recall, and their mean.

    Args:
        recalls: The recalls.
        curves: The name and the precisions of each class.
    """

    def draw(axes: Axes) -> None:
        for name, precision in curves if len(curves) <= _MOST_NAMED else ():
            axes.plot(recalls, precision, linewidth=1.2, label=f"{_plain(name[:24])}: {precision.mean():.3f}")
        if len(curves) > 1:
            mean = np.mean([precision for _, precision in curves], 0)
            axes.plot(recalls, mean, color=_INK, linewidth=2, linestyle="--", label=f"mean: {mean.mean():.3f}")
        axes.set(xlabel="recall", ylabel="precision", title="precision at an overlap of 0.5", xlim=(0, 1), ylim=(0, 1.03))
        axes.legend(fontsize=7, frameon=False, loc="lower left")

    return plot(draw, "precision at each recall, at an overlap of 0.5")


def _plain(text: str) -> str:
    """Escapes text that Matplotlib would read as a formula."""
    return on_one_line(text).replace("$", r"\$")


def _curve(axes: Axes, points: list[list[float]], label: str) -> None:
    x, y = zip(*points, strict=True)
    axes.plot(x, y, linewidth=1.4, label=_plain(label[:24]))


def _legend(axes: Axes, count: int, place: str) -> None:
    if count <= _MOST_NAMED:
        axes.legend(fontsize=7, frameon=False, loc=place)


def reliability(calibration: dict[str, Any]) -> Html:
    """The accuracy at each confidence; perfectly calibrated predictions are on the diagonal."""
    bins = calibration["bins"]
    most = max(bin_["rows"] for bin_ in bins)

    def draw(axes: Axes) -> None:
        axes.plot([0, 1], [0, 1], color=_SOFT, linestyle=":")
        width = bins[0]["to"] - bins[0]["from"]
        rows = [bin_["rows"] / most for bin_ in bins]
        axes.bar(
            [bin_["from"] for bin_ in bins], rows, width, align="edge", color=_COLOR, alpha=0.18, label="share of predictions"
        )
        points = ([bin_["confidence"] for bin_ in bins], [bin_["accuracy"] for bin_ in bins])
        axes.plot(*points, marker="o", markersize=4, color=_OTHER, label="accuracy")
        axes.set(xlim=(0, 1), ylim=(0, 1.03), xlabel="confidence", ylabel="accuracy", title="calibration")
        axes.legend(fontsize=7, frameon=False, loc="upper left")

    return plot(draw, "reliability curve")


def residuals(true: NDArray[Any], predicted: NDArray[Any]) -> Html:
    """Predicted over actual values; perfect predictions are on the diagonal."""
    step = -(-len(true) // _MOST_POINTS)
    low, high = float(min(true.min(), predicted.min())), float(max(true.max(), predicted.max()))

    def draw(axes: Axes) -> None:
        axes.plot([low, high], [low, high], color=_INK, linestyle=":", linewidth=1)
        axes.plot(true[::step], predicted[::step], "o", markersize=3, alpha=0.6, color=_COLOR, markeredgewidth=0)
        axes.set(xlabel="actual", ylabel="predicted", title="predicted over actual")

    return plot(draw, "predicted over actual values")


def forecast(true: NDArray[Any], predicted: NDArray[Any], name: str) -> Html:
    """The actual and the predicted values of a series over time."""
    step = -(-len(true) // _MOST_POINTS)

    def draw(axes: Axes) -> None:
        places = np.arange(len(true))[::step]
        axes.plot(places, true[::step], color=_COLOR, linewidth=1.4, label="actual")
        axes.plot(places, predicted[::step], color=_OTHER, linewidth=1.4, label="predicted")
        axes.set(xlabel="example", title=_plain(name[:40]))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axes.legend(fontsize=7, frameon=False)

    return plot(draw, f"actual and predicted values of {name}")


def forecast_example(past: NDArray[Any], true: NDArray[Any], predicted: NDArray[Any], label: str) -> Html:
    """What is known of a series, and its actual and predicted continuation.

    Args:
        past: The known values, (window,).
        true: The actual values, (horizon,).
        predicted: The predicted values, (horizon,).
        label: The alternative text.
    """

    def draw(axes: Axes) -> None:
        axes.plot(np.arange(-len(past), 0), past, color=_INK, linewidth=1, label="known")
        places = np.arange(-1, len(true))
        for values, color, name in ((true, _COLOR, "actual"), (predicted, _OTHER, "predicted")):
            [line] = axes.plot(places, np.concatenate([past[-1:], values]), color=color, linewidth=1.4, label=name)
            if len(true) == 1:
                line.set(marker="o", markevery=[1], markersize=4)
        axes.set_xlabel("step")
        axes.xaxis.set_major_locator(MaxNLocator(4, integer=True, min_n_ticks=1))
        axes.legend(fontsize=6, frameon=False)

    return plot(draw, label, width=2.6, height=1.9)


def overlaid(true: NDArray[Any], predicted: NDArray[Any], label: str) -> Html:
    """The actual and the predicted values of a sequence.

    Args:
        true: The actual values, (T,) or (T, variables).
        predicted: The predicted values, of the same shape.
        label: The alternative text.
    """

    def draw(axes: Axes) -> None:
        for values, color, name in ((true, _COLOR, "actual"), (predicted, _OTHER, "predicted")):
            lines = axes.plot(values, color=color, linewidth=1.2)
            lines[0].set_label(name)
        axes.set_xlabel("step")
        axes.xaxis.set_major_locator(MaxNLocator(4, integer=True, min_n_ticks=1))
        axes.legend(fontsize=6, frameon=False)

    return plot(draw, label, width=2.6, height=1.9)


def histogram(values: NDArray[Any], what: str = "examples") -> Html:
    """A histogram of the residuals.

    Args:
        values: The residuals.
        what: What is counted.
    """
    edges = bin_edges(values)
    beyond = int(((values < edges[0]) | (values > edges[-1])).sum())

    def draw(axes: Axes) -> None:
        axes.hist(np.clip(values, edges[0], edges[-1]), bins=edges.tolist(), color=_COLOR, alpha=0.8)
        axes.axvline(0, color=_INK, linewidth=1, linestyle=":")
        axes.yaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        note = f" ({beyond:,} beyond, in the outer bins)" if beyond else ""
        axes.set(xlabel=f"predicted minus actual{note}", ylabel=what, title="residuals")

    return plot(draw, "histogram of the residuals")


_MOST_BINS = 40


def bin_edges(values: NDArray[Any]) -> NDArray[np.float64]:
    """The edges of the bins of a histogram: round numbers, with 0 among them if it is inside.

    The width is about the smaller one of Sturges (1926) and of Freedman and Diaconis (1981). If a few values are very far off,
    the bins cover the central 99 % of the values.

    Example:
        >>> bin_edges(np.array([-3.0, -1.0, 0.5, 1.0, 2.0])).tolist()
        [-3.0, -2.0, -1.0, 0.0, 1.0, 2.0]
    """
    finite = np.asarray(values, np.float64).ravel()
    finite = finite[np.isfinite(finite)]
    if not len(finite):
        return np.array([-1.0, 0.0, 1.0])
    low, high = float(finite.min()), float(finite.max())
    first, last = (float(value) for value in np.percentile(finite, (0.5, 99.5)))
    if high - low > 3 * (last - first) > 0:
        low, high = first, last
    if high <= low:
        low, high = low - 0.5 * (abs(low) or 1), high + 0.5 * (abs(high) or 1)
    spread = float(np.subtract(*np.percentile(finite, (75, 25))))
    widths = (2 * spread / len(finite) ** (1 / 3), (high - low) / (np.log2(len(finite)) + 1))
    least = _round_width((high - low) / _MOST_BINS, up=True)
    width = max(least, _round_width(min(widths)) if min(widths) > 0 else least)
    start, end = np.floor(low / width), np.ceil(high / width)
    return np.arange(start, max(end, start + 1) + 1) * width


def _round_width(width: float, *, up: bool = False) -> float:
    """The closest smaller, or the next larger number 1, 2, 2.5 or 5 times a power of 10; up to a tenth more is the same."""
    power = 10.0 ** np.floor(np.log10(width))
    steps = np.array([0.5, 1, 2, 2.5, 5, 10]) * power
    return float(steps[steps >= width * (1 - 1e-9)].min() if up else steps[steps <= width * 1.1].max())
