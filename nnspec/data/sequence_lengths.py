"""The check that aligned inputs and targets, such as tokens and tags, have equal lengths in each row."""

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


def check_lengths(
    plan: DataPlan,
    feeds: Mapping[str, Feed],
    table: Table,
    learned: Mapping[str, Sequence[Learned]],
    problems: list[Diagnostic],
) -> None:
    """Report rows with different numbers of labels and tokens.

    Args:
        plan: The plan.
        feeds: The feeds of inputs and targets.
        table: The data.
        learned: The fitted states of the transforms, by ``inputs.NAME`` and ``targets.NAME``.
        problems: Problems are appended here.
    """
    lengths: dict[str, NDArray[np.int64] | None] = {}
    for output, inputs in plan.aligned.items():
        need = plan.needs.get(output)
        if need is not None and need.kind == "sequence":  # labels without alignment
            continue
        for place in (f"targets.{output}", *(f"inputs.{name}" for name in inputs)):
            if place in feeds and place not in lengths:
                lengths[place] = lengths_of(table, feeds[place], learned[place])
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


def lengths_of(table: Table, feed: Feed, learned: Sequence[Learned]) -> NDArray[np.int64] | None:
    """Return the length of each row before padding; None if rows are not padded."""
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
        return "use the same `start` and `end` in both `tokenize`"
    texts = [table.read(feed.columns[0], np.array([row]))[0] for feed in (target, fed)]
    by_space = [len(text.split()) if isinstance(text, str) else len(text) for text in texts]
    split_texts = [
        text for text, step in zip(texts, tokenizers, strict=True) if isinstance(text, str) and step and step.by == "word"
    ]
    if split_texts and by_space[0] == by_space[1]:
        words = tokenize.model_validate({})
        counts = {word: len(words.tokens(word)) for text in split_texts for word in text.split()}
        example = next((word for word, count in counts.items() if count != 1), "")
        shown = f"; `by: word` splits `{example[:40]}` into {counts[example]} tokens" if example else ""
        return f"write `tokenize: {{by: space}}` for both{shown}"
    return "provide one label per token"


def _tokenizers(feed: Feed) -> Iterator[tokenize]:
    return (step for step in feed.transforms if isinstance(step, tokenize))
