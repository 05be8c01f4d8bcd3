"""A draft: a spec for data, and what was seen in the data."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from nnspec.data.kinds import DataError
from nnspec.diagnostics import NnspecError
from nnspec.printable import on_one_line
from nnspec.spec.dumping import flow
from nnspec.spec.scalars import resolve_plain

_LONGEST_NAME = 40
_KEYS = frozenset({"main", "model"})


TARGET = "the target"
"""The use of what is predicted."""


@dataclass(frozen=True)
class Seen:
    """One thing that was seen in the data, such as a column.

    Attributes:
        name: What it is called.
        kind: What it is.
        values: Its values in a few words.
        missing: The number of missing values.
        use: What the spec does with it; for what it leaves out, the reason.
        used: Whether the spec uses it.
    """

    name: str
    kind: str
    values: str
    missing: int
    use: str
    used: bool = True


@dataclass(frozen=True)
class Draft:
    """A spec for data.

    Attributes:
        text: The spec.
        name: The model's name.
        source: What was read: ``406 rows of cars.csv``.
        seen: What was seen.
        decisions: What was decided for which reason, a sentence each.
        doubts: What may be wrong with the data, a sentence each.
    """

    text: str
    name: str
    source: str
    seen: Sequence[Seen]
    decisions: Sequence[str]
    doubts: Sequence[str] = ()


def model_name(text: str) -> str:
    """Return a name for a model, from that of a file.

    Example:
        >>> model_name("Auto MPG (1983)")
        'auto-mpg-1983'
    """
    name = re.sub(r"[^a-z0-9_]+", "-", text.lower()).strip("-_")[:_LONGEST_NAME].rstrip("-_")
    return name if re.match("[a-z]", name) else f"model-{name}".rstrip("-")


class Names:
    """Names of inputs and steps that are valid and distinct."""

    def __init__(self) -> None:
        self._taken: set[str] = set(_KEYS)

    def of(self, text: str, otherwise: str = "column") -> str:
        """Return a name for a column.

        Example:
            >>> names = Names()
            >>> names.of("Sepal length (cm)"), names.of("sepal length [cm]"), names.of("2nd")
            ('sepal_length_cm', 'sepal_length_cm_2', 'column_2nd')
        """
        name = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")[:_LONGEST_NAME].rstrip("_") or otherwise
        name = base = name if name[0].isalpha() and isinstance(resolve_plain(name), str) else f"{otherwise}_{name}"
        again = 2
        while name in self._taken:
            name, again = f"{base}_{again}", again + 1
        self._taken.add(name)
        return name


def header(name: str, source: str) -> list[str]:
    """The first lines of a spec.

    Args:
        name: The model's name.
        source: What it was drafted from.
    """
    return [
        f"# Drafted by `nnspec init --from` from {on_one_line(source)}.",
        "# `nnspec validate FILE --data` checks it, and `nnspec train FILE` trains it.",
        "nnspec: 1",
        f"name: {flow(name)}",
    ]


def counted(number: int, noun: str) -> str:
    """Format a number of things.

    Example:
        >>> counted(1, "row"), counted(1200, "row")
        ('1 row', '1,200 rows')
    """
    return f"{number:,} {noun}" + ("s" if number != 1 else "")


@contextmanager
def user_error() -> Iterator[None]:
    """Raise errors of the data, which have no place in a spec yet, as errors for the user."""
    try:
        yield
    except DataError as error:
        raise NnspecError(f"{error.message}\n  = help: {error.help}" if error.help else error.message) from None
