"""Ranges of non-negative integers where polynomials with integer coefficients are non-negative, computed exactly."""

from __future__ import annotations

from collections.abc import Sequence

Range = tuple[int, int | None]
"""The integers from the first to the second, inclusive; None: unbounded."""


def evaluate(polynomial: Sequence[int], at: int) -> int:
    """Return the value of a polynomial, given its coefficients, constant first.

    Example:
        >>> evaluate([1, 0, 2], 3)
        19
    """
    value = 0
    for coefficient in reversed(polynomial):
        value = value * at + coefficient
    return value


def nonnegative(polynomial: Sequence[int]) -> list[Range]:
    """Return the integers k ≥ 0 where a polynomial is at least 0, as disjoint ranges in order.

    Between two sign changes of its difference p(k + 1) − p(k), a polynomial of lower degree, p is monotonic, so a binary search
    finds where it changes sign.

    Args:
        polynomial: The coefficients, constant first.

    Example:
        >>> nonnegative([-6, 1]), nonnegative([8, -6, 1]), nonnegative([-1])
        ([(6, None)], [(0, 2), (4, None)], [])
    """
    coefficients = list(polynomial)
    while len(coefficients) > 1 and not coefficients[-1]:
        coefficients.pop()
    if len(coefficients) == 1:
        return [(0, None)] if coefficients[0] >= 0 else []
    changes = sorted({0} | {end for low, high in nonnegative(_difference(coefficients)) for end in _ends(low, high)})
    found: list[Range] = []
    for start, end in zip(changes, [*changes[1:], None], strict=True):
        piece = _monotonic(coefficients, start, end)
        if piece is None:
            continue
        if found and found[-1][1] is not None and piece[0] <= found[-1][1] + 1:
            found[-1] = (found[-1][0], piece[1])
        else:
            found.append(piece)
    return found


def intersection(first: Sequence[Range], second: Sequence[Range]) -> list[Range]:
    """Return the intersection of two lists of ranges.

    Example:
        >>> intersection([(0, 4), (9, None)], [(3, 10)])
        [(3, 4), (9, 10)]
    """
    found = []
    for a, b in first:
        for c, d in second:
            low, high = max(a, c), b if d is None else d if b is None else min(b, d)
            if high is None or low <= high:
                found.append((low, high))
    return sorted(found, key=lambda piece: piece[0])


def _ends(low: int, high: int | None) -> tuple[int, ...]:
    return (low,) if high is None else (low, high + 1)


def _difference(coefficients: Sequence[int]) -> list[int]:
    """The coefficients of p(k + 1) − p(k)."""
    shifted = [0] * len(coefficients)
    for coefficient in reversed(coefficients):  # Horner's rule with k + 1 in place of k
        carried = 0
        for place, value in enumerate(shifted):
            shifted[place], carried = value + carried, value
        shifted[0] += coefficient
    return [a - b for a, b in zip(shifted, coefficients, strict=True)][:-1]


def _monotonic(coefficients: Sequence[int], start: int, end: int | None) -> Range | None:
    """Return where a polynomial that is monotonic from ``start`` to ``end`` is at least 0."""
    first = evaluate(coefficients, start) >= 0
    if end is None:
        last = coefficients[-1] > 0
        if first == last:
            return (start, None) if first else None
        step = 1
        while (evaluate(coefficients, start + step) >= 0) == first:
            step *= 2
        low, high = start, start + step
    else:
        last = evaluate(coefficients, end) >= 0
        if first == last:
            return (start, end) if first else None
        low, high = start, end
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if (evaluate(coefficients, middle) >= 0) == first else (low, middle)
    return (start, low) if first else (high, end)
