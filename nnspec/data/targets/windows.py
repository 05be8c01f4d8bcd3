"""Next-token targets, and windows of token sequences."""

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

Values = NDArray[Any]


def windows_of(source: NextTokenTarget, plan: DataPlan, feed: Feed, examples: Examples, problems: list[Diagnostic]) -> Examples:
    """Concatenate the rows and cut them into windows.

    Args:
        source: The target source, with the window size.
        plan: The plan.
        feed: The feed of the input.
        examples: The rows.
        problems: Problems are appended here.
    """
    assert source.size is not None
    rows = examples.inputs[source.input][examples.rows]
    stream = np.concatenate([*rows, np.zeros(0, np.int64)])
    if len(stream) < 2:
        reason = f"windows require at least 2 tokens, but the rows contain {len(stream)}"
        problems.append(d.BadWindow.at(feed.span, feed.path, reason=reason))
        return examples
    tokens, following = _windows(stream.astype(plan.inputs[source.input].dtype), source.size, source.padding)
    # A plan with windows has one output with a target.
    [output] = [name for name, other in plan.target_sources.items() if other is source]
    return Examples({source.input: tokens}, {output: following.astype(np.int32)}, {}, np.arange(len(tokens)))


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


def _windows(stream: Values, length: int, padding: int) -> tuple[Values, Values]:
    """Return the inputs and targets of each window; targets are the inputs shifted by one token."""
    count = -(-(len(stream) - 1) // length)
    targets = np.full(count * length, padding, np.int64)
    targets[: len(stream) - 1] = stream[1:]
    inputs = np.zeros(count * length, stream.dtype)
    inputs[: len(stream) - 1] = stream[:-1]
    return inputs.reshape(count, length), targets.reshape(count, length)
