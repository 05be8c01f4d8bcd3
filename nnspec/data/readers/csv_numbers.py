"""Numbers in CSV text: decimal separators, digit grouping and missing values."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from nnspec.data.readers.csv import Csv

# Spaces that word processors and statistical offices write between groups of digits.
_SPACES = " \u00a0\u2009\u202f"

NOTATIONS = ((".", ","), (",", None), (",", "."), (".", " "), (",", " "), (".", "'"), (",", "'"), (".", "_"))
"""Decimal and thousands separators to try, in order."""


def are_rounded(texts: Iterable[str]) -> bool:
    """Return whether texts are integers of which neither int64 nor float64 represents all, so that they stay text.

    Example:
        >>> are_rounded(["3", "9223372036854775809"]), are_rounded(["3", "9223372036854775807"])
        (True, False)
    """
    texts = list(texts)
    if not all(text.lstrip("+-").isdecimal() for text in texts):
        return False
    whole = [int(text) for text in texts]
    return not all(-(2**63) <= number < 2**63 for number in whole) and any(int(float(number)) != number for number in whole)


@dataclass(frozen=True)
class Notation:
    """How a table writes its numbers.

    Attributes:
        decimal: The decimal separator.
        thousands: The separator between groups of digits, or None.
        missing: The texts that mean a missing value.
    """

    decimal: str
    thousands: str | None
    missing: frozenset[str]

    @classmethod
    def of(cls, reader: Csv) -> Notation:
        """Return the notation that a reader's arguments describe."""
        return cls(reader.decimal, reader.thousands, frozenset(("", *reader.missing)))

    @cached_property
    def _is_plain(self) -> bool:
        """Whether Python writes numbers the same way, and no number except NaN means a missing value."""
        numbers = {text.lstrip("+-\u2212").lower() for text in self.missing if self.is_number(text)}
        return self.decimal == "." and self.thousands is None and numbers <= {"nan"}

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        point = re.escape(self.decimal)
        digits = r"\d+"
        if self.thousands is not None:
            group = f"[{_SPACES}]" if self.thousands in _SPACES else re.escape(self.thousands)
            digits = rf"(?:\d{{1,3}}(?:{group}\d{{2,3}})*{group}\d{{3}}|\d+)"
        number = rf"(?:{digits}(?:{point}\d*)?|{point}\d+)(?:[eE][+-]?\d+)?"
        return re.compile(rf"[+\-\u2212]?(?:{number}|inf(?:inity)?|nan)", re.ASCII | re.IGNORECASE)

    def is_missing(self, text: str) -> bool:
        """Return whether a text means a missing value."""
        return text.strip() in self.missing

    def is_number(self, text: str) -> bool:
        """Return whether a text is a number."""
        return self._pattern.fullmatch(text.strip()) is not None

    def is_infinite(self, text: str) -> bool:
        """Return whether a text is a number too large for float64."""
        return self.is_number(text) and not self.is_missing(text) and math.isinf(float(self._plain(text)))

    def _plain(self, text: str) -> str:
        """Return a number as Python writes it, or `?` if the text is not a number."""
        text = text.strip()
        if text in self.missing:
            return "nan"
        if self._pattern.fullmatch(text) is None:
            return "?"
        if self.thousands is not None:
            for mark in _SPACES if self.thousands in _SPACES else self.thousands:
                text = text.replace(mark, "")
        return text.replace(self.decimal, ".").replace("\u2212", "-")

    def numbers(self, texts: Sequence[str]) -> NDArray[np.float64] | None:
        """Convert texts to numbers, missing values to NaN; return None if one is not a number."""
        import numpy as np

        if self._is_plain:
            joined = "".join(texts)
            # float() accepts `1_000` and the digits of every script, which are not numbers in a table.
            if joined.isascii() and "_" not in joined:
                with suppress(ValueError):
                    return np.array(texts, np.float64)
                with suppress(ValueError):
                    return np.array(["nan" if text in self.missing else text for text in texts], np.float64)
        try:
            return np.array([self._plain(text) for text in texts], np.float64)
        except ValueError:
            return None
