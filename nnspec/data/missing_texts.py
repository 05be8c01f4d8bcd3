"""Text markers of missing numbers, such as `n/a`."""

from __future__ import annotations

from collections.abc import Collection

_MARKS = frozenset(
    (
        *("na", "n/a", "n.a.", "n.a", "#n/a", "#na", "<na>", "nan", "nat", "none", "null", "nil", "(null)", "\\n", "void"),
        *("missing", "unknown", "undefined", "unk", "empty", "blank", "n.d.", "nd", "no data", "not available", "not measured"),
        *("k.a.", "k. a.", "keine angabe", "#div/0!", "#value!", "#ref!", "#num!", "#name?", "#null!"),
    )
)
_PUNCTUATION = frozenset("?-.*_—–…/~!:;,'")


def looks_missing(text: str) -> bool:
    """Whether a text is a common marker of a missing value.

    Example:
        >>> [looks_missing(text) for text in ("?", "None", "--", "red", "12")]
        [True, True, True, False, False]
    """
    return text.lower() in _MARKS or (len(text) <= 4 and set(text) <= _PUNCTUATION)


def missing_among(texts: Collection[str], numbers: int) -> list[str]:
    """Return the probable markers of missing values among the non-numeric texts of a column.

    Args:
        texts: The distinct texts.
        numbers: The number of distinct numbers in the column.

    Returns:
        The texts that look like markers, and the only other text of a numeric column if it has no digits.
    """
    found = sorted(text for text in texts if looks_missing(text))
    others = [text for text in texts if not looks_missing(text)]
    if len(others) == 1 and numbers >= 3 and not any(c.isdigit() for c in others[0]) and len(others[0]) <= 40:
        return sorted([*found, *others])
    return found
