"""Python names for what a spec names: whatever the spec's text is, the result is an identifier."""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterable
from itertools import count

__all__ = ["Names", "class_name", "identifier"]


def identifier(text: str) -> str:
    """An identifier in ASCII that resembles a text.

    Example:
        >>> identifier("enc1.conv2d"), identifier("2x\\n"), identifier("class")
        ('enc1_conv2d', '_2x', 'class_')
    """
    found = re.sub(r"\W+", "_", text, flags=re.ASCII).rstrip("_") or "_"
    found = f"_{found}" if found[0].isdigit() else found
    return f"{found}_" if keyword.iskeyword(found) or found in _BUILTINS else found


def class_name(text: str) -> str:
    """The name of a class that resembles a text.

    Example:
        >>> class_name("enc1.attended")
        'Enc1Attended'
    """
    found = "".join(part[:1].upper() + part[1:] for part in re.split(r"[\W_]+", text, flags=re.ASCII))
    return identifier(found or "Computed")


_BUILTINS = frozenset({*dir(builtins), "keras", "ops", "np", "self"})


class Names:
    """Distinct names in one scope.

    Args:
        taken: Names that are used otherwise.
    """

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken)

    def new(self, wanted: str) -> str:
        """An unused name: the wanted one, else with a number."""
        if wanted in self._taken:
            return self.numbered(wanted, 2)
        self._taken.add(wanted)
        return wanted

    def numbered(self, wanted: str, first: int = 1) -> str:
        """An unused name with a number."""
        name = next(name for number in count(first) if (name := f"{wanted}_{number}") not in self._taken)
        self._taken.add(name)
        return name
