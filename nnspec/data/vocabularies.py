"""Vocabularies that several columns share, or that are read from a file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from nnspec.data import problems as d
from nnspec.data.kinds import DataError
from nnspec.data.locations import locate
from nnspec.data.paths import MissingFileError, find_file
from nnspec.data.plan import DataPlan, Feed
from nnspec.data.section import DataSection
from nnspec.data.transforms.base import Learned
from nnspec.data.transforms.subwords import MAX_BYTES, checked
from nnspec.data.transforms.text import SPECIAL, VocabularySource, learned_from_tokenizer, tokenize
from nnspec.diagnostics import Diagnostic, SpecError
from nnspec.spec.tree import MappingNode
from nnspec.types import did_you_mean, listed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from nnspec.data.readers.base import Table

_MAX_BYTES = 2**28


def find_vocabularies(
    section: DataSection, tree: MappingNode, folder: Path, root: Path, problems: list[Diagnostic]
) -> dict[str, Path]:
    """Return the files of vocabularies and tokenizers, by their paths as written; missing ones are reported and omitted."""
    found = {}
    for kind, group in (("inputs", section.inputs), ("targets", section.targets)):
        for name, given in group.items():
            for i, step in enumerate(given.transform):
                source = _source_of(step)
                given_file = step.file if isinstance(step, tokenize) else None
                file = given_file or (source.file if source is not None else None)
                if file is None:
                    continue
                keys = ("file",) if given_file else ("vocabulary", "file")
                place = locate(tree, kind, name, "transform", i, "tokenize", *keys)
                try:
                    found[file] = find_file(file, folder, root)
                except MissingFileError as error:
                    problems.append(d.MissingData.at(*place, help=error.help, reason=error.message))
                except DataError as error:
                    problems.append(d.BadPath.at(*place, help=error.help, reason=error.message))
    return found


def check_vocabularies(plan: DataPlan, feeds: Mapping[str, Feed]) -> Iterator[Diagnostic]:
    """Report vocabularies of inputs and targets that have none, or that are split into tokens in another way."""
    for place, feed in feeds.items():
        kind, _, name = place.partition(".")
        for i, step in enumerate(feed.transforms):
            source = _source_of(step)
            if source is None or source.of is None:
                continue
            assert isinstance(step, tokenize)
            at = locate(plan.tree, kind, name, "transform", i, "tokenize", "vocabulary", "of")
            for other in source.names:
                reason, help = _why_not(other, feed, step, feeds)
                if reason:
                    yield d.BadVocabulary.at(*at, help=help, reason=reason)
                    break


def _why_not(other: str, feed: Feed, step: tokenize, feeds: Mapping[str, Feed]) -> tuple[str, str]:
    found = _feed_named(other, feeds)
    if found is None:
        known = [feed.name for feed in feeds.values()]
        return f"there is no input or target `{other}`", did_you_mean(other, known, f"there are {listed(known)}")
    own = _tokenizer(found)
    if own is None:
        return f"`{other}` has no `tokenize`, so it has no vocabulary", f"put `tokenize` under `transform` of `{other}`"
    if (own.by, own.lower) != (step.by, step.lower):
        first, second = (f"`by: {one.by}, lower: {str(one.lower).lower()}`" for one in (own, step))
        return f"`{other}` is split into tokens with {first}, and `{feed.name}` with {second}", "use the same arguments in both"
    seen = [feed.name]
    following: Feed | None = found
    source = _source_of(step)
    while following is not None and source is not None and isinstance(source.of, str):
        if following.name in seen:
            return "the vocabularies refer to each other", f"write `vocabulary: {{of: [{', '.join(seen)}]}}` in one of them"
        seen.append(following.name)
        source = _source_of(_tokenizer(following))
        following = _feed_named(source.of, feeds) if source is not None and isinstance(source.of, str) else None
    return "", ""


def _source_of(step: object) -> VocabularySource | None:
    return step.vocabulary if isinstance(step, tokenize) and isinstance(step.vocabulary, VocabularySource) else None


def _tokenizer(feed: Feed) -> tokenize | None:
    return next((step for step in feed.transforms if isinstance(step, tokenize)), None)


def _feed_named(name: str, feeds: Mapping[str, Feed]) -> Feed | None:
    return next((feeds[place] for place in (f"inputs.{name}", f"targets.{name}") if place in feeds), None)


def with_vocabularies(
    plan: DataPlan, feeds: Mapping[str, Feed], table: Table, rows: NDArray[np.int64], problems: list[Diagnostic]
) -> dict[str, Feed]:
    """Return the feeds with the vocabularies that are shared or in files, before their transforms are fitted.

    Args:
        plan: The plan.
        feeds: The feeds.
        table: The training data.
        rows: The training rows.
        problems: Problems are appended here.
    """
    learner = _Learner(plan, feeds, table, rows, problems)
    return {place: learner.resolved(feed) for place, feed in feeds.items()}


class _Learner:
    def __init__(
        self, plan: DataPlan, feeds: Mapping[str, Feed], table: Table, rows: NDArray[np.int64], problems: list[Diagnostic]
    ) -> None:
        self._plan, self._feeds, self._table, self._rows, self._problems = plan, feeds, table, rows, problems
        self._files: dict[str, Learned] = {}

    def resolved(self, feed: Feed) -> Feed:
        """Return a feed whose tokenizer knows its vocabulary, if that comes from elsewhere."""
        step = _tokenizer(feed)
        if step is None or (_source_of(step) is None and step.file is None):
            return feed
        known = step.with_vocabulary(self._vocabulary(feed, step))
        return replace(feed, transforms=tuple(known if one is step else one for one in feed.transforms))

    def _vocabulary(self, feed: Feed, step: tokenize) -> Learned:
        source = _source_of(step)
        if step.file is not None:
            return self._of_file(step.file, feed, _read_tokenizer)
        if source is None:
            return step.learned_from(self._counts(feed, step)) if step.vocabulary is None else step.fit([])
        if source.file is not None:
            return self._of_file(source.file, feed, lambda path, name: {"vocabulary": [*SPECIAL, *read_vocabulary(path, name)]})
        if isinstance(source.of, str):
            return self._vocabulary(*self._named(source.of))
        counts: Counter[str] = Counter()
        for name in source.names:
            counts.update(self._counts(*self._named(name)))
        return step.learned_from(counts)

    def _counts(self, feed: Feed, step: tokenize) -> Counter[str]:
        from nnspec.data.values import read_feed

        before = feed.transforms[: feed.transforms.index(step)]
        rows = self._table.distinct(feed.columns, self._rows)
        if not before:
            texts = self._table.read(feed.columns[0], rows)
            return step.counted([texts[[text is not None for text in texts]]])  # a missing text is reported with its feed
        values = read_feed(self._table, replace(feed, transforms=before), rows, [], self._problems)
        return Counter() if values is None else step.counted([values[rows]])

    def _named(self, name: str) -> tuple[Feed, tokenize]:
        """Return the feed of a name and its tokenizer, which the static check has found."""
        feed = _feed_named(name, self._feeds)
        assert feed is not None
        step = _tokenizer(feed)
        assert step is not None
        return feed, step

    def _of_file(self, text: str, feed: Feed, read: Callable[[Path, str], Learned]) -> Learned:
        if text not in self._files:
            try:
                self._files[text] = read(self._plan.files[text], text)
            except DataError as error:
                self._problems.append(d.BadVocabulary.at(feed.span, feed.path, help=error.help, reason=error.message))
                raise SpecError(self._problems) from None
        return self._files[text]


def _read_tokenizer(path: Path, name: str) -> Learned:
    """Read a ``tokenizer.json``.

    Raises:
        DataError: If it is too large, damaged or not supported.
    """
    help = "write the file with `Tokenizer.save` of the library `tokenizers`, or learn one with `by: subword`"
    if path.stat().st_size > MAX_BYTES:
        raise DataError(f"`{name}` is larger than {MAX_BYTES:,} bytes", help=help)
    try:
        return learned_from_tokenizer(checked(path.read_text("utf-8")))
    except UnicodeDecodeError:
        raise DataError(f"`{name}` is not UTF-8", help=help) from None
    except ValueError as error:
        raise DataError(f"`{name}` cannot be used: {error}", help=help) from None


def read_vocabulary(path: Path, name: str) -> list[str]:
    """Read a vocabulary: one token on each line, in order; the four special tokens are skipped.

    Args:
        path: The file, UTF-8.
        name: Its name in messages.

    Raises:
        DataError: If it is not UTF-8, is too large, is empty, or has a duplicate.
    """
    if path.stat().st_size > _MAX_BYTES:
        raise DataError(f"`{name}` is larger than {_MAX_BYTES:,} bytes", help="name a file with one token on each line")
    try:
        lines = path.read_text("utf-8").replace("\r\n", "\n").split("\n")
    except UnicodeDecodeError as error:
        raise DataError(f"`{name}` is not UTF-8: byte {error.object[error.start]:#04x}", help="save it as UTF-8") from None
    seen: dict[str, int] = {}
    for number, token in enumerate(lines, 1):
        if not token or token in SPECIAL:
            continue
        if token in seen:
            reason = f"`{name}`, line {number}: `{token[:40]}` is also in line {seen[token]}"
            raise DataError(reason, help="remove one of them")
        seen[token] = number
    if not seen:
        raise DataError(f"`{name}` has no tokens", help="write one token on each line")
    return list(seen)
