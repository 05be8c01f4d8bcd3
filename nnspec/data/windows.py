"""Examples that are cut from the joined rows of a split, and next-token targets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.data import problems as d
from nnspec.data.examples import Examples
from nnspec.data.lazy import LazyArray
from nnspec.data.locations import locate
from nnspec.data.plan import DataPlan, Feed
from nnspec.diagnostics import Diagnostic

Values = NDArray[Any]


def cut_windows(plan: DataPlan, feeds: Mapping[str, Feed], examples: Examples, problems: list[Diagnostic]) -> Examples:
    """Join the rows and cut examples from them, if the plan has a window.

    Args:
        plan: The plan.
        feeds: The feeds of the inputs.
        examples: The rows.
        problems: Problems are appended here.
    """
    window = plan.window
    if window is None:
        return examples
    rows = examples.inputs[window.input][examples.rows]
    stream = np.concatenate([*rows, np.zeros(0, np.int64)]).astype(plan.inputs[window.input].dtype)
    if len(stream) <= window.ahead:
        feed = feeds[f"inputs.{window.input}"]
        place = (feed.span, feed.path) if plan.section.window is None else locate(plan.tree, "window")
        least = f"at least {window.ahead + 1} token{'s' if window.ahead else ''}"
        problems.append(d.BadWindow.at(*place, reason=f"windows require {least}, but the rows contain {len(stream)}"))
        return examples
    inputs = windows_of(stream[: len(stream) - window.ahead], window.length, window.stride, 0)
    targets = {output: source.of_stream(stream, window, inputs) for output, source in plan.target_sources.items()}
    return Examples({window.input: inputs}, targets, {}, np.arange(len(inputs)))


def windows_of(stream: Values, length: int, stride: int, padding: float) -> Values:
    """Return views of a stream, (N, length): as many as cover it; the last one is padded.

    Example:
        >>> windows_of(np.arange(1, 6), 3, 2, 0).tolist()
        [[1, 2, 3], [3, 4, 5]]
        >>> windows_of(np.arange(1, 6), 3, 3, 0).tolist()
        [[1, 2, 3], [4, 5, 0]]
    """
    count = min(max(0, -(-(len(stream) - length) // stride)) + 1, -(-len(stream) // stride))
    whole = np.full((count - 1) * stride + length, padding, stream.dtype)
    whole[: len(stream)] = stream[: len(whole)]
    if stride == length:
        return whole.reshape(count, length)
    return np.lib.stride_tricks.sliding_window_view(whole, length)[::stride]


def next_tokens(tokens: Any, padding: int) -> Any:
    """Compute [`next_token`][] for an array or a lazy array."""
    if isinstance(tokens, LazyArray):
        return LazyArray(len(tokens), lambda rows: next_token(tokens[rows], padding))
    return next_token(tokens, padding)


def next_token(tokens: Values, padding: int) -> Values:
    """Return the next token at each position of token rows, (N, T); padding at the last position.

    Example:
        >>> next_token(np.array([[1, 5, 6, 2, 0]]), 0).tolist()
        [[5, 6, 2, 0, 0]]
    """
    return np.concatenate([tokens[:, 1:], np.full_like(tokens[:, :1], padding)], 1)
