"""Inputs and targets with a value at each position of a sequence: their rows must be of one length."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nnspec.data import problems as d
from nnspec.data.cells import Cells, Reported
from nnspec.data.plan import DataPlan, Feed
from nnspec.data.readers.base import Table
from nnspec.data.transforms import Learned
from nnspec.data.transforms.text import pad, tokenize
from nnspec.data.values import read_feed
from nnspec.diagnostics import Diagnostic

__all__ = ["check_lengths"]


def check_lengths(
    plan: DataPlan,
    feeds: Mapping[str, Feed],
    table: Table,
    learned: Mapping[str, Sequence[Learned]],
    problems: list[Diagnostic],
) -> None:
    """Says of a target which row has another number of positions than the input whose positions it labels.

    Args:
        plan: The plan.
        feeds: How inputs and targets get their values.
        table: The data.
        learned: What the transforms learned, by ``inputs.NAME`` and ``targets.NAME``.
        problems: What is wrong is appended here.
    """
    lengths: dict[str, NDArray[np.int64] | None] = {}
    for output, inputs in plan.aligned.items():
        for place in (f"targets.{output}", *(f"inputs.{name}" for name in inputs)):
            if place in feeds and place not in lengths:
                lengths[place] = _lengths(table, feeds[place], learned[place])
        labels = lengths.get(f"targets.{output}")
        for name in inputs:
            tokens = lengths.get(f"inputs.{name}")
            if labels is None or tokens is None or not (bad := labels != tokens).any():
                continue
            row = int(bad.argmax())
            target, fed = feeds[f"targets.{output}"], feeds[f"inputs.{name}"]
            help = _help(table, target, fed, row)
            facts = {"labels": labels[row], "tokens": tokens[row], "column": fed.columns[0]}
            try:
                Cells(table, target, problems).refuse(d.UnequalLengths, bad, None, help=help, **facts)
            except Reported:
                return


def _lengths(table: Table, feed: Feed, learned: Sequence[Learned]) -> NDArray[np.int64] | None:
    """How many positions each row has before it is padded; None if it is not."""
    steps = feed.transforms
    cut = next((i for i, step in enumerate(steps) if isinstance(step, pad)), None)
    if len(feed.columns) != 1 or cut is None:
        return None
    values = read_feed(table, replace(feed, transforms=steps[:cut]), None, list(learned[:cut]), [])
    if values is None or (values.dtype != object and values.ndim < 2):
        return None
    return np.array([len(value) for value in values], np.int64)


def _help(table: Table, target: Feed, fed: Feed, row: int) -> str:
    tokenizers = [next(_tokenizers(feed), None) for feed in (target, fed)]
    first, second = tokenizers
    if first is not None and second is not None and (first.start, first.end) != (second.start, second.end):
        return "write `start` and `end` of `tokenize` alike for both"
    texts = [table.read(feed.columns[0], np.array([row]))[0] for feed in (target, fed)]
    by_space = [len(text.split()) if isinstance(text, str) else len(text) for text in texts]
    divided = [
        text for text, step in zip(texts, tokenizers, strict=True) if isinstance(text, str) and step and step.by == "word"
    ]
    if divided and by_space[0] == by_space[1]:
        words = tokenize.model_validate({})
        counts = {word: len(words.tokens(word)) for text in divided for word in text.split()}
        example = next((word for word, count in counts.items() if count != 1), "")
        shown = f"; `word` divides `{example[:40]}` into {counts[example]} tokens" if example else ""
        return f"write `tokenize: {{by: space}}` for both{shown}"
    return "give every token of the row one label"


def _tokenizers(feed: Feed) -> Iterator[tokenize]:
    return (step for step in feed.transforms if isinstance(step, tokenize))
