"""Sizes of axes, known and symbolic.

A size is an ``int`` or a [`Dim`][]: a polynomial with integer coefficients over symbols and floored quotients. That is
closed under everything a layer does to a size (padding adds, a stride divides and floors, ``Flatten`` multiplies), and has
one normal form, so equal sizes compare equal.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import gcd
from typing import Any

__all__ = [
    "Dim",
    "SizeTooComplex",
    "ceil_div",
    "coefficients",
    "divided",
    "first_quotient",
    "from_json",
    "product",
    "same_size",
    "substitute",
    "symbol",
    "symbols_of",
    "to_json",
    "unknown",
]

_unknown_names = itertools.count()

_MOST_TERMS = 200
_LONGEST_TEXT = 4_000
_LARGEST_FACTOR = 2**63
_LARGEST_PRODUCT = 2**4096
"""Of numbers: Python writes no longer ones."""


class SizeTooComplex(Exception):
    """A size has too many terms, is too long when written out, or has a factor that no array's size reaches.

    A product of sums doubles its terms with each factor, and a quotient of a sum of quotients doubles its text: without a
    bound, a short spec takes all memory.
    """


@dataclass(frozen=True, slots=True, order=True)
class _Quotient:
    """``floor(numerator / denominator)`` where that is no polynomial; ``text`` is its normal form, and orders it."""

    text: str
    numerator: Dim
    denominator: int


def _text_of(atom: str | _Quotient) -> str:
    return atom if isinstance(atom, str) else atom.text


@dataclass(frozen=True)
class Dim:
    """A size that is not a plain number: a polynomial over symbols and floored quotients.

    Made by [`symbol`][] and by arithmetic, which gives back an ``int`` where the symbols cancel out.

    Example:
        >>> t = symbol("T")
        >>> str((t + 1) // 2)
        '(T + 1)//2'
        >>> (t + 4) - t
        4
        >>> str(((t // 2) // 2) // 2)
        'T//8'
    """

    terms: tuple[tuple[tuple[str | _Quotient, ...], int], ...]

    @classmethod
    def _of(cls, terms: Mapping[tuple[str | _Quotient, ...], int]) -> int | Dim:
        kept = {monomial: factor for monomial, factor in terms.items() if factor}
        if not kept:
            return 0
        if set(kept) == {()}:
            return kept[()]
        if len(kept) > _MOST_TERMS:
            raise SizeTooComplex(f"a size of {len(kept):,} terms; {_MOST_TERMS:,} is the limit")
        if max(map(abs, kept.values())) > _LARGEST_FACTOR:
            raise SizeTooComplex("a size with a factor over 2**63")
        # The constant stands last, as people write it; the others by degree and name, so that equal sizes are equal.
        return cls(tuple(sorted(kept.items(), key=lambda term: (-len(term[0]), [_text_of(atom) for atom in term[0]]))))

    def __add__(self, other: int | Dim) -> int | Dim:
        terms = dict(self.terms)
        for monomial, factor in _terms(other):
            terms[monomial] = terms.get(monomial, 0) + factor
        return Dim._of(terms)

    __radd__ = __add__

    def __neg__(self) -> int | Dim:
        return self * -1

    def __sub__(self, other: int | Dim) -> int | Dim:
        return self + other * -1

    def __rsub__(self, other: int | Dim) -> int | Dim:
        return self * -1 + other

    def __mul__(self, other: int | Dim) -> int | Dim:
        terms: dict[tuple[str | _Quotient, ...], int] = {}
        for (left, a), (right, b) in itertools.product(self.terms, _terms(other)):
            monomial = tuple(sorted(left + right, key=_text_of))
            terms[monomial] = terms.get(monomial, 0) + a * b
        return Dim._of(terms)

    __rmul__ = __mul__

    def __floordiv__(self, divisor: int) -> int | Dim:
        if divisor == 1:
            return self
        # Whole multiples leave the floor: (4T + 3) // 2 = 2T + (3 // 2). What stays inside is reduced below the divisor.
        whole: dict[tuple[str | _Quotient, ...], int] = {}
        inside: dict[tuple[str | _Quotient, ...], int] = {}
        for monomial, factor in self.terms:
            quotient, remainder = divmod(factor, divisor)
            whole[monomial] = quotient
            inside[monomial] = remainder
        rest = Dim._of(inside)
        if isinstance(rest, int):
            return Dim._of(whole) + rest // divisor
        # floor((4T + 3) / 8) = floor((T + floor(3 / 4)) / 2): one normal form for equal quotients.
        shared = gcd(divisor, *(factor for monomial, factor in rest.terms if monomial))
        if shared > 1:
            rest = Dim(tuple((monomial, factor // shared) for monomial, factor in rest.terms if factor // shared))
        return Dim._of(whole) + _quotient(rest, divisor // shared)

    def __str__(self) -> str:
        return self._text

    __repr__ = __str__

    @cached_property
    def _text(self) -> str:
        parts: list[str] = []
        for monomial, factor in self.terms:
            number = str(abs(factor)) if abs(factor) != 1 or not monomial else ""
            alone = not number and len(monomial) == 1
            names = "*".join(atom if isinstance(atom, str) else (atom.text if alone else f"({atom.text})") for atom in monomial)
            text = "*".join(part for part in (number, names) if part)
            sign = "-" if factor < 0 else "+"
            parts.append(f" {sign} {text}" if parts else (f"-{text}" if factor < 0 else text))
        return "".join(parts)

    @property
    def is_known(self) -> bool:
        """False where a size of no name (``null``) takes part."""
        return not any(name.startswith("?") for name in symbols_of(self))


def _terms(size: int | Dim) -> tuple[tuple[tuple[str | _Quotient, ...], int], ...]:
    return size.terms if isinstance(size, Dim) else (((), size),)


def _quotient(numerator: Dim, denominator: int) -> Dim:
    # floor(floor(x / a) / b) = floor(x / ab), also with constants beside: floor((floor(x/a) + c) / b) = floor((x + ac) / ab).
    if len(numerator.terms) <= 2:
        monomial, factor = numerator.terms[0]
        constant = numerator.terms[1][1] if len(numerator.terms) == 2 and not numerator.terms[1][0] else 0
        plain = len(numerator.terms) == 1 or not numerator.terms[1][0]
        if plain and factor == 1 and len(monomial) == 1 and isinstance(monomial[0], _Quotient):
            inner = monomial[0]
            merged = (inner.numerator + constant * inner.denominator) // 1 if constant else inner.numerator
            assert isinstance(merged, Dim)
            result = merged // (inner.denominator * denominator)
            assert isinstance(result, Dim)
            return result
    text = str(numerator)
    if len(text) > _LONGEST_TEXT:
        raise SizeTooComplex(f"a size that is {len(text):,} characters long; {_LONGEST_TEXT:,} is the limit")
    inside = f"({text})" if len(numerator.terms) > 1 or numerator.terms[0][1] != 1 or len(numerator.terms[0][0]) > 1 else text
    return Dim((((_Quotient(f"{inside}//{denominator}", numerator, denominator),), 1),))


def symbol(name: str) -> Dim:
    """A size known by its name alone, the same wherever the name stands.

    Args:
        name: `[A-Z][A-Za-z0-9_]*`.

    Example:
        >>> symbol("T") == symbol("T")
        True
    """
    return Dim((((name,), 1),))


def unknown() -> Dim:
    """A size without a name, equal to no other for certain."""
    return symbol(f"?{next(_unknown_names)}")


def ceil_div(size: int | Dim, divisor: int) -> int | Dim:
    """The quotient rounded up: what a stride leaves with ``same`` padding.

    Example:
        >>> ceil_div(7, 2), str(ceil_div(symbol("T"), 2))
        (4, '(T + 1)//2')
    """
    return (size + (divisor - 1)) // divisor


def product(sizes: Iterable[int | Dim]) -> int | Dim:
    """All sizes multiplied; 1 for none."""
    result: int | Dim = 1
    for size in sizes:
        result = result * size
        if isinstance(result, int) and result > _LARGEST_PRODUCT:
            raise SizeTooComplex("a product of sizes over 2**4096")
    return result


def symbols_of(size: int | Dim) -> set[str]:
    """The names a size depends on, those inside quotients too."""
    names: set[str] = set()
    for monomial, _ in _terms(size):
        for atom in monomial:
            names |= {atom} if isinstance(atom, str) else symbols_of(atom.numerator)
    return names


def substitute(size: int | Dim, values: Mapping[str, int | Dim]) -> int | Dim:
    """The size with symbols replaced.

    Example:
        >>> substitute(symbol("T") // 2 + 1, {"T": 9})
        5
    """
    result: int | Dim = 0
    for monomial, factor in _terms(size):
        term: int | Dim = factor
        for atom in monomial:
            if isinstance(atom, str):
                term = term * values.get(atom, symbol(atom))
            else:
                term = term * (substitute(atom.numerator, values) // atom.denominator)
        result = result + term
    return result


def same_size(a: int | Dim, b: int | Dim) -> bool | None:
    """Whether two sizes are equal: yes, no, or None where that depends on the symbols.

    Example:
        >>> same_size(3, 3), same_size(symbol("T"), symbol("T") + 1), same_size(symbol("T"), 8)
        (True, False, None)
    """
    difference = b - a
    return difference == 0 if isinstance(difference, int) else None


def first_quotient(size: int | Dim) -> tuple[Dim, int] | None:
    """The numerator and the divisor of an innermost floored quotient of a size; None if it is a polynomial.

    Example:
        >>> first_quotient((symbol("T") // 2 + symbol("S")) // 3)
        (T, 2)
    """
    for monomial, _ in _terms(size):
        for atom in monomial:
            if isinstance(atom, _Quotient):
                return first_quotient(atom.numerator) or (atom.numerator, atom.denominator)
    return None


def coefficients(size: int | Dim) -> list[int]:
    """The coefficients of a polynomial in one symbol, from the constant up.

    Raises:
        ValueError: If it has quotients, or several symbols.

    Example:
        >>> coefficients(symbol("T") * symbol("T") * 3 - 2)
        [-2, 0, 3]
    """
    if len(symbols_of(size)) > 1 or first_quotient(size) is not None:
        raise ValueError(f"{size} is not a polynomial in one symbol")
    found = [0] * (1 + max(len(monomial) for monomial, _ in _terms(size)))
    for monomial, factor in _terms(size):
        found[len(monomial)] += factor
    return found


def divided(size: Dim, name: str) -> int | Dim:
    """A size divided by a symbol that all of its terms have.

    Example:
        >>> str(divided(symbol("S") * symbol("T") - 8 * symbol("S"), "S"))
        'T - 8'
    """
    terms: dict[tuple[str | _Quotient, ...], int] = {}
    for monomial, factor in size.terms:
        place = monomial.index(name)
        terms[(*monomial[:place], *monomial[place + 1 :])] = factor
    return Dim._of(terms)


def to_json(size: int | Dim) -> Any:
    """A size as plain lists: ``[factor, atom, …]`` for each term; a quotient is ``{"floor": terms, "by": divisor}``.

    Example:
        >>> to_json(symbol("T") // 2 + 3), to_json(5)
        ([[1, {'floor': [[1, 'T']], 'by': 2}], [3]], [[5]])
    """
    return [[factor, *(_atom_to_json(atom) for atom in monomial)] for monomial, factor in _terms(size)]


def _atom_to_json(atom: str | _Quotient) -> Any:
    return atom if isinstance(atom, str) else {"floor": to_json(atom.numerator), "by": atom.denominator}


def from_json(value: Any, *, depth: int = 0) -> int | Dim:
    """The size that `to_json` wrote.

    Raises:
        ValueError: If it is anything else, or larger than what a network has.

    Example:
        >>> str(from_json([[1, {"floor": [[1, "T"]], "by": 2}], [3]]))
        'T//2 + 3'
    """
    if not isinstance(value, list) or depth > _DEEPEST:
        raise ValueError("not a size")
    result: int | Dim = 0
    try:
        for term in value:
            if not isinstance(term, list) or not term or type(term[0]) is not int:
                raise ValueError("not a size")
            factor: int | Dim = term[0]
            for atom in term[1:]:
                factor = factor * _atom_from_json(atom, depth)
            result = result + factor
    except SizeTooComplex as error:
        raise ValueError(str(error)) from error
    return result


_DEEPEST = 32
"""How deep quotients may be nested in a file."""


def _atom_from_json(atom: Any, depth: int) -> int | Dim:
    if isinstance(atom, str) and atom.isidentifier():
        return symbol(atom)
    if isinstance(atom, dict) and set(atom) == {"floor", "by"} and type(atom["by"]) is int and atom["by"] > 0:
        return from_json(atom["floor"], depth=depth + 1) // atom["by"]
    raise ValueError("not a size")
