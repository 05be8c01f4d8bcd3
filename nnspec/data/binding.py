"""The columns of each input and target: as given in the spec, or inferred."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import cast

from nnspec.data import problems as d
from nnspec.data.box_feeds import with_columns
from nnspec.data.kinds import Column, at_name, bare_name
from nnspec.data.locations import locate
from nnspec.data.plan import Feed, Need
from nnspec.data.readers.base import Reader
from nnspec.data.section import Columns, DataSection, TargetColumns
from nnspec.data.transforms import Transform
from nnspec.diagnostics import Diagnostic
from nnspec.spec.tree import MappingNode
from nnspec.types import TensorType, did_you_mean

_TARGET_NAMES = ("target", "label", "labels", "class", "y")


def known_feeds(
    section: DataSection,
    tree: MappingNode,
    inputs: Mapping[str, TensorType],
    needs: Mapping[str, Need],
    columns: Mapping[str, Column],
    problems: list[Diagnostic],
    *,
    unsure: Collection[str] = (),
) -> tuple[dict[str, Feed], bool]:
    """Return the feeds by ``inputs.NAME`` and ``targets.NAME``, and whether every input and target has one.

    Args:
        section: The section ``data``.
        tree: The section as written.
        inputs: The types of the inputs.
        needs: What each loss requires, by output.
        columns: The columns of the training data.
        problems: Problems are appended here.
        unsure: ``inputs`` or ``targets``, if not all of them are known because of errors that have been reported. A missing
            feed may then be a consequence of these errors and is not reported.
    """
    return _Binder(section, tree, inputs, needs, columns, problems, frozenset(unsure)).bind()


@dataclass(frozen=True)
class _Binder:
    section: DataSection
    tree: MappingNode
    inputs: Mapping[str, TensorType]
    needs: Mapping[str, Need]
    columns: Mapping[str, Column]
    problems: list[Diagnostic]
    unsure: frozenset[str]

    @cached_property
    def timed(self) -> bool:
        """Whether there is each column twice, as in a series: for the past and for the future of a window."""
        return bool(self.columns) and all(bare_name(name) != name for name in self.columns)

    @cached_property
    def taken(self) -> set[str]:
        """The columns that are used."""
        section = self.section
        taken = {name for columns in section.inputs.values() for name in self._names(columns, "past")}
        taken |= {name for columns in section.targets.values() for name in self._names(columns, "future")}
        taken |= {name for name in (section.group, section.time) if name is not None}
        return taken | {
            t.weight.column for t in section.targets.values() if t.weight is not None and t.weight.column is not None
        }

    def _names(self, given: Columns | None, at: str, default: str | None = None) -> tuple[str, ...]:
        """Return the table's names of the given columns, or of a default column."""
        names = given.names if given is not None and given.names else (default,) if default is not None else ()
        if not self.timed:
            return names
        at = given.at if given is not None and given.at is not None else at
        return tuple(at_name(name, at) for name in names)

    def bind(self) -> tuple[dict[str, Feed], bool]:
        self._refuse_times()
        targets = {f"targets.{name}": self._target(name) for name in self.needs}
        named = {f"inputs.{name}": self._named(name) for name in self.inputs}
        feeds = {**{place: feed or self._stacked(place) for place, feed in named.items()}, **targets}
        if "targets" in self.unsure:
            for name, given in self.section.targets.items():
                if name not in self.needs and given.names:
                    self._feed("targets", name, given, self._names(given, "future"))
        found = {place: feed for place, feed in feeds.items() if feed is not None}
        bound = with_columns(found, self.columns, self.tree, self.problems)
        return bound, len(bound) == len(feeds)

    def _named(self, name: str) -> Feed | None:
        """Return the feed of an input from the given columns, or from the column with its name."""
        given = self.section.inputs.get(name)
        if given is not None and given.names:
            return self._feed("inputs", name, given, self._names(given, "past"))
        if given is not None and given.wrong_arguments:
            return None
        [column] = self._names(given, "past", name)
        if column in self.columns:
            self.taken.add(column)
            return self._feed("inputs", name, given, (column,))
        return None

    def _stacked(self, place: str) -> Feed | None:
        """Return the feed of a 1D input from all columns left, if their number equals its length."""
        name = place.partition(".")[2]
        given = self.section.inputs.get(name)
        if given is not None and given.names:
            return None
        if self.unsure:
            return None
        left = self._left()
        wanted = self.inputs[name]
        fits = wanted.rank == 1 and wanted.shape == (len(left),) and all(self.columns[column].shape == () for column in left)
        if fits:
            self.taken.update(left)
            return self._feed("inputs", name, given, tuple(left), stacked=True)
        span, path = locate(self.tree, "inputs")
        help = f"write `inputs: {{{name}: COLUMN}}` under `data`; the columns are {_listed(self.columns)}"
        if left and wanted.rank == 1 and all(not self.columns[column].shape for column in left):
            help = f"the input has shape {wanted}, but {len(left)} columns are left: {_listed(left)}"
        self.problems.append(d.NoColumn.at(span, path, help=help, verb="feeds", name=name))
        return None

    def _target(self, name: str) -> Feed | None:
        given = self.section.targets.get(name)
        if given is not None and given.names:
            return self._feed("targets", name, given, self._names(given, "future"))
        if given is not None and given.wrong_arguments:
            return None
        usual = [column for n in _TARGET_NAMES for column in self._names(given, "future", n)]
        candidates = [
            list(self._names(given, "future", name)),
            [n for n in usual if n in self.columns and n not in self.taken],
            self._left(inputs=True),
        ]
        for i, found in enumerate(candidates):
            # A column with another name is inferred only if no other target could use it.
            is_only = [n for n in self.needs if not self._is_given(n)] == [name]
            if len(found) == 1 and found[0] in self.columns and (i == 0 or is_only):
                self.taken.add(found[0])
                return self._feed("targets", name, given, (found[0],))
        if self.unsure:
            return None
        span, path = locate(self.tree, "targets")
        help = f"write `targets: {{{name}: COLUMN}}` under `data`; the columns are {_listed(self.columns)}"
        self.problems.append(d.NoColumn.at(span, path, help=help, verb="is the target of", name=name))
        return None

    def _refuse_times(self) -> None:
        """Report `at` if the rows are not windows of a series."""
        for kind, group in (("inputs", self.section.inputs), ("targets", self.section.targets)):
            for name, given in group.items():
                if given.at is not None and not self.timed:
                    self.problems.append(d.NoSeries.at(*locate(self.tree, kind, name, "at")))

    def _is_given(self, target: str) -> bool:
        given = self.section.targets.get(target)
        return given is not None and bool(given.names)

    def _left(self, *, inputs: bool = False) -> list[str]:
        """Return the columns that are not used yet; with ``inputs``, without columns named like an input."""
        return [name for name in self.columns if name not in self.taken and not (inputs and name in self.inputs)]

    def _feed(
        self, kind: str, name: str, given: Columns | None, columns: tuple[str, ...], *, stacked: bool = False
    ) -> Feed | None:
        span, path = locate(self.tree, kind, name)
        weights = given.weight if isinstance(given, TargetColumns) else None
        weight = weights.column if weights is not None else None
        unknown = [column for column in (*columns, *([weight] if weight else [])) if column not in self.columns]
        for column in unknown:
            self.problems.append(self._unknown(kind, name, column))
        refused = [column for column in (*columns, *([weight] if weight else [])) if column not in unknown]
        refused = [column for column in refused if self.columns[column].refused]
        for column in refused:
            at = locate(self.tree, kind, name, *self._key_of(kind, name, column))
            reason = self.columns[column].refused
            self.problems.append(d.UnsupportedColumn.at(*at, help=d.UNSUPPORTED, column=bare_name(column), reason=reason))
        if unknown or refused or (given is not None and given.wrong_arguments):
            return None
        transforms = tuple(cast("list[Transform]", given.transform if given else []))
        stacked = stacked or (given is not None and given.columns is not None)
        border = weights.border if weights is not None else None
        reader = self.section.train
        series = reader.series_columns if isinstance(reader, Reader) else ()
        return Feed(
            name, columns, stacked, transforms, weight, span, path, border=border, is_target=kind == "targets", series=series
        )

    def _unknown(self, kind: str, name: str, column: str) -> Diagnostic:
        columns = [bare_name(known) for known in self.columns] if self.timed else self.columns
        column = bare_name(column) if self.timed else column
        help = did_you_mean(column, columns, f"the columns are {_listed(self.columns)}")
        span, path = locate(self.tree, kind, name, *self._key_of(kind, name, column))
        return d.UnknownColumn.at(span, path, help=help, column=column, part="training")

    def _key_of(self, kind: str, name: str, column: str) -> list[str | int]:
        """Return the key under an input or a target at which a column is named."""
        given = (self.section.inputs if kind == "inputs" else self.section.targets).get(name)
        key: list[str | int] = ["column"]
        if given is not None and given.columns is not None and column in given.columns:
            key = ["columns", given.columns.index(column)]
        elif isinstance(given, TargetColumns) and given.weight is not None and given.weight.column == column:
            key = ["weight"]
        return key


def _listed(columns: Iterable[str]) -> str:
    """List the column names; of a long list, only the first and the last ones."""
    names = [f"`{column}`" for column in dict.fromkeys(map(bare_name, columns))]
    return ", ".join(names if len(names) <= 12 else [*names[:8], "…", *names[-2:]]) or "none"
