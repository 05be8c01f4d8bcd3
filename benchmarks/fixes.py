"""What `validate --fix` makes of faults that were put into good specs: is each repaired to what the spec meant before?

Single faults (`benchmarks.spec_faults`), and several in one document (`benchmarks.combined_faults`). A repaired document is compared with the one before the fault: equal values, or no difference in meaning by
`nnspec diff`. A document that is valid after the fix, but means something else, counts as wrongly changed.

``python -m benchmarks fixes`` prints a row for each kind of single fault and each way to combine them; ``-v`` also what was not
repaired. Kinds of fault with several remedies (a size of zero) are listed apart: no fix may choose one.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.combined_faults import Validator, combined
from benchmarks.spec_faults import faults
from nnspec.api import diff
from nnspec.api import fix as fix_spec
from nnspec.diagnostics import SpecError
from nnspec.spec import load

__all__ = ["SEVERAL_REMEDIES", "Outcome", "main", "outcomes"]

SEVERAL_REMEDIES = frozenset(
    {
        "a negative size",
        "a size of zero",
        "a fraction for a whole number",
        "a needed argument left out",
        "a size of zero in a shape",
        "the batch axis in a shape",
        "another version",
        "a budget that is too small",
    }
)
"""Kinds of single fault after which the document does not determine what stood there."""

MEASURES = ("faults", "repaired", "partly", "left", "wrong")
MOST = 100


@dataclass(frozen=True)
class Outcome:
    """What became of one faulty document.

    Attributes:
        kind: Kind of the fault.
        is_certain: Whether there is one certain remedy.
        measure: ``repaired``, ``partly`` (fewer errors), ``left`` (unchanged), or ``wrong`` (valid, but of another meaning).
        text: What is shown of it.
    """

    kind: str
    is_certain: bool
    measure: str
    text: str


class Comparison:
    """Whether two documents mean the same."""

    def __init__(self, folder: Path) -> None:
        self._good, self._other = folder / "good.nnspec.yaml", folder / "net.nnspec.yaml"

    def same(self, good: str, other: str) -> bool:
        self._good.write_text(good, encoding="utf-8")
        self._other.write_text(other, encoding="utf-8")
        try:
            specs = [load(file, root=Path("/")) for file in (self._good, self._other)]
            return specs[0].hash == specs[1].hash or diff(*specs).is_empty
        except SpecError:
            return False

    def outcome(self, good: str, bad: str) -> tuple[str, str] | None:
        """How a document is fixed, and the remaining errors; None if it has no error."""
        self._other.write_text(bad, encoding="utf-8")
        result = fix_spec(self._other, root=Path("/"))
        if not any(d.is_error for d in result.before):
            return None
        left = [d for d in result.after if d.is_error]
        shown = "; ".join(f"{d.span.line}:{d.span.column} {d.code} {d.message} [{d.help}]" for d in left[:3])
        text = result.texts.get(self._other.resolve())
        if text is None:
            return "left", shown
        if left:
            return "partly", shown
        return ("repaired" if self.same(good, text) else "wrong"), text


def outcomes(*, most: int = MOST, per_kind: int = 12) -> Iterator[Outcome]:
    """Fixes every faulty document.

    Args:
        most: How many documents with several faults of each way.
        per_kind: How many single faults of each kind.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        comparison = Comparison(folder)
        for fault in faults(per_kind=per_kind):
            if (found := comparison.outcome(fault.good, fault.text)) is not None:
                line = fault.text.splitlines()[fault.line - 1].strip()
                yield Outcome(fault.kind, fault.kind not in SEVERAL_REMEDIES, found[0], f"{line}\n    {found[1]}")
        for document in combined(Validator(folder), ways=("edits", "sections"), most=most):
            if (found := comparison.outcome(document.good, document.text)) is not None:
                yield Outcome(f"combined: {document.how}", False, *found)


def main(arguments: Sequence[str] = ()) -> int:
    """Prints the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks fixes", description="Faults, and what --fix makes of them.")
    parser.add_argument("--per-kind", type=int, default=12, help="how many single faults of each kind")
    parser.add_argument("--most", type=int, default=MOST, help="how many documents with several faults of each way")
    parser.add_argument("-v", action="store_true", dest="verbose", help="show what was not repaired")
    options = parser.parse_args(arguments)
    rows: dict[tuple[bool, str], Counter[str]] = {}
    shown: list[str] = []
    for outcome in outcomes(most=options.most, per_kind=options.per_kind):
        row = rows.setdefault((not outcome.is_certain, outcome.kind), Counter())
        row.update(["faults", outcome.measure])
        if outcome.measure == "wrong" or (outcome.measure != "repaired" and outcome.is_certain):
            shown.append(f"{outcome.kind} ({outcome.measure}): {outcome.text}")
    print(f"{'kind of fault':<50}" + "".join(f"{name:>10}" for name in MEASURES))
    certain = {kind: row for (uncertain, kind), row in rows.items() if not uncertain}
    single = {kind: row for (_, kind), row in rows.items() if kind in certain or kind in SEVERAL_REMEDIES}
    for (_, kind), row in sorted(rows.items(), key=lambda entry: entry[0][0]):
        _print(kind, row)
    _print("single faults with one certain remedy", sum(certain.values(), Counter()))
    _print("all single faults", sum(single.values(), Counter()))
    _print("all documents", sum(rows.values(), Counter()))
    if options.verbose and shown:
        print("\nnot repaired, or wrong:", *shown, sep="\n")
    return 0


def _print(kind: str, row: Counter[str]) -> None:
    share = f"{row['repaired'] / row['faults']:>8.1%}"
    print(f"{kind:<50}" + "".join(f"{row[name]:>10}" for name in MEASURES) + share)
