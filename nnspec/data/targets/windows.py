"""The next tokens of sequences, and the windows that are cut from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nnspec.data import problems as d
from nnspec.data.examples import Examples
from nnspec.data.lazy import LazyArray
from nnspec.diagnostics import Diagnostic

if TYPE_CHECKING:
    from nnspec.data.plan import DataPlan, Feed
    from nnspec.data.targets.next_token import NextTokenTarget

__all__ = ["next_token", "next_tokens", "windows_of"]

Values = NDArray[Any]


def windows_of(source: NextTokenTarget, plan: DataPlan, feed: Feed, examples: Examples, problems: list[Diagnostic]) -> Examples:
    """The windows of the joined rows, as examples.

    Args:
        source: The source, with the size of a window.
        plan: The plan.
        feed: How its input gets its values.
        examples: The rows.
        problems: That there is nothing to cut is appended here.
    """
    assert source.size is not None
    rows = examples.inputs[source.input][examples.rows]
    stream = np.concatenate([*rows, np.zeros(0, np.int64)])
    if len(stream) < 2:
        reason = f"there is nothing to cut windows from: the rows hold {len(stream)} tokens"
        problems.append(d.BadWindow.at(feed.span, feed.path, reason=reason))
        return examples
    tokens, following = _windows(stream.astype(plan.inputs[source.input].dtype), source.size, source.padding)
    # A plan with windows has one output with a target.
    [output] = [name for name, other in plan.target_sources.items() if other is source]
    return Examples({source.input: tokens}, {output: following.astype(np.int32)}, {}, np.arange(len(tokens)))


def next_tokens(tokens: Any, padding: int) -> Any:
    """As [`next_token`][], of lazily read rows too."""
    if isinstance(tokens, LazyArray):
        return LazyArray(len(tokens), lambda rows: next_token(tokens[rows], padding))
    return next_token(tokens, padding)


def next_token(tokens: Values, padding: int) -> Values:
    """The token that follows each position of rows of tokens, (N, T); padding after the last.

    Example:
        >>> next_token(np.array([[1, 5, 6, 2, 0]]), 0).tolist()
        [[5, 6, 2, 0, 0]]
    """
    return np.concatenate([tokens[:, 1:], np.full_like(tokens[:, :1], padding)], 1)


def _windows(stream: Values, length: int, padding: int) -> tuple[Values, Values]:
    """The inputs and targets of each window: every token but the first is a target once, every one but the last an input."""
    count = -(-(len(stream) - 1) // length)
    targets = np.full(count * length, padding, np.int64)
    targets[: len(stream) - 1] = stream[1:]
    inputs = np.zeros(count * length, stream.dtype)
    inputs[: len(stream) - 1] = stream[:-1]
    return inputs.reshape(count, length), targets.reshape(count, length)
