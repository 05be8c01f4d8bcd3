"""Sizes of axes, known and symbolic.

A size is an ``int`` or a [`Dim`][]: a polynomial with integer coefficients over symbols and floored quotients. That is
closed under everything a layer does to a size (padding adds, a stride divides and floors, ``Flatten`` multiplies), and has
one normal form, so equal sizes compare equal.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import gcd
from typing import Any

_unknown_names = itertools.count()

_MOST_TERMS = 200
_LONGEST_TEXT = 4_000
_LARGEST_FACTOR = 2**63
_LARGEST_PRODUCT = 2**4096
"""Python does not convert larger integers to text."""


class SizeTooComplex(Exception):
    """A size has too many terms, too long a text, or too large a factor.

    A product of sums doubles its terms with each factor, and a quotient of a sum of quotients doubles its text: without a
    limit, a short spec could exhaust the memory.
    """


@dataclass(frozen=True, slots=True, order=True)
class _Quotient:
    """``floor(numerator / denominator)`` that is not a polynomial; ``text`` is its normal form and sort key."""

    text: str
    numerator: Dim
    denominator: int


def _text_of(atom: str | _Quotient) -> str:
    return atom if isinstance(atom, str) else atom.text


@dataclass(frozen=True)
class Dim:
    """A symbolic size: a polynomial over symbols and floored quotients.

    Created by [`symbol`][] and by arithmetic, which returns an ``int`` if the symbols cancel out.

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
        # The constant is last, as usual; other terms are sorted by degree and name, so that equal sizes compare equal.
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
        if divisor < 0:
            return (self * -1) // -divisor
        # Multiples move out of the floor: (4T + 3) // 2 = 2T + (3 // 2). Factors inside are reduced below the divisor.
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
        terms, residues = self.residues()
        pieces: list[tuple[str, str, int]] = []  # a number, what it multiplies, the sign
        for monomial, factor in terms:
            number = str(abs(factor)) if abs(factor) != 1 or not monomial else ""
            alone = not number and len(monomial) == 1 and (factor > 0 or bool(pieces))  # -(T//2), not -T//2
            names = "*".join(atom if isinstance(atom, str) else (atom.text if alone else f"({atom.text})") for atom in monomial)
            pieces.append((number, names, factor))
        constant = [pieces.pop()] if residues and terms and not terms[-1][0] else []
        for quotient, times in residues:
            number = str(abs(times)) if abs(times) != 1 else ""
            text = f"{quotient.text.rpartition('//')[0]} % {quotient.denominator}"
            pieces.append((number, text if not number and (times > 0 or pieces) else f"({text})", times))
        found = ""
        for number, names, factor in (*pieces, *constant):
            sign = (" - " if factor < 0 else " + ") if found else "-" if factor < 0 else ""
            found += sign + "*".join(part for part in (number, names) if part)
        return found

    def residues(self) -> tuple[list[tuple[Monomial, int]], list[tuple[_Quotient, int]]]:
        """Return its terms without remainders of divisions, and the quotients of the remainders with their factors.

        Example:
            >>> t = symbol("T")
            >>> print(t - t // 11 * 11, -(t - t // 2 * 2), 3 * (t - t // 2 * 2) - 7, t * t - t // 2 * 2)
            T % 11 -(T % 2) 3*(T % 2) - 7 T*T - 2*(T//2)
        """
        left = dict(self.terms)
        found: list[tuple[_Quotient, int]] = []
        for monomial, factor in self.terms:
            if len(monomial) != 1 or isinstance(monomial[0], str) or factor % monomial[0].denominator:
                continue
            quotient, times = monomial[0], -factor // monomial[0].denominator
            numerator = {each: count * times for each, count in quotient.numerator.terms}
            constant = numerator.pop((), 0)
            if all(left.get(each) == count for each, count in numerator.items()):
                left = {each: count for each, count in left.items() if each not in numerator and each != monomial}
                left[()] = left.get((), 0) - constant
                found.append((quotient, times))
        return [(monomial, factor) for monomial, factor in left.items() if factor], found

    @property
    def is_known(self) -> bool:
        """Whether it contains no unnamed size (``null``)."""
        return not any(name.startswith("?") for name in symbols_of(self))


def _terms(size: int | Dim) -> tuple[tuple[tuple[str | _Quotient, ...], int], ...]:
    return size.terms if isinstance(size, Dim) else (((), size),)


def _quotient(numerator: Dim, denominator: int) -> Dim:
    # floor(floor(x / a) / b) = floor(x / ab), also with a constant: floor((floor(x/a) + c) / b) = floor((x + ac) / ab).
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


def formula(size: int | Dim) -> str:
    """Return a size in mathematical notation, for readers rather than for specs.

    Example:
        >>> t = symbol("T")
        >>> formula(t // 2), formula(ceil_div(t, 8)), formula((t + 4) // 16 - 8), formula(1536 * t * (t // 2))
        ('⌊T/2⌋', '⌈T/8⌉', '⌊(T + 4)/16⌋ − 8', '1,536·T·⌊T/2⌋')
        >>> formula(t - t // 11 * 11), formula(unknown())
        ('T mod 11', 'n')
    """
    if isinstance(size, int):
        return f"{size:,}".replace("-", "−")
    terms, residues = size.residues()
    constants = [(factor, "") for monomial, factor in terms if not monomial]
    pieces = [(factor, "·".join(map(_formula_of, monomial))) for monomial, factor in terms if monomial]
    for quotient, times in residues:
        text = f"{_factor(quotient.numerator)} mod {quotient.denominator}"
        pieces.append((times, text if abs(times) == 1 else f"({text})"))
    found = ""
    for factor, names in (*pieces, *constants):
        sign = (" − " if factor < 0 else " + ") if found else "−" if factor < 0 else ""
        number = f"{abs(factor):,}" if abs(factor) != 1 or not names else ""
        found += sign + "·".join(part for part in (number, names) if part)
    return found


def _formula_of(atom: str | _Quotient) -> str:
    if isinstance(atom, str):
        return "n" if atom.startswith("?") else atom
    constant = atom.numerator.terms[-1][1] if not atom.numerator.terms[-1][0] else 0
    if constant == atom.denominator - 1:
        return f"⌈{_factor(atom.numerator - constant)}/{atom.denominator}⌉"
    return f"⌊{_factor(atom.numerator)}/{atom.denominator}⌋"


def _factor(size: int | Dim) -> str:
    """A size as a factor: a sum is in parentheses."""
    text = formula(size)
    return f"({text})" if " " in text else text


def shape_formula(shape: Iterable[int | Dim]) -> str:
    """Return a shape in mathematical notation; a scalar is ``scalar``.

    Example:
        >>> shape_formula((symbol("H") - 4, symbol("W") // 2, 16))
        '(H − 4) × ⌊W/2⌋ × 16'
    """
    sizes = [str(size) if isinstance(size, int) else "?" if not size.is_known else _factor(size) for size in shape]
    return " × ".join(sizes) or "scalar"


def symbol(name: str) -> Dim:
    """Return a symbolic size; equal names are equal sizes.

    Args:
        name: `[A-Z][A-Za-z0-9_]*`.

    Example:
        >>> symbol("T") == symbol("T")
        True
    """
    return Dim((((name,), 1),))


def unknown() -> Dim:
    """Return an unnamed size, which is not known to equal any other."""
    return symbol(f"?{next(_unknown_names)}")


def ceil_div(size: int | Dim, divisor: int) -> int | Dim:
    """Return the quotient rounded up: the output size of a stride with ``same`` padding.

    Example:
        >>> ceil_div(7, 2), str(ceil_div(symbol("T"), 2))
        (4, '(T + 1)//2')
    """
    return (size + (divisor - 1)) // divisor


def product(sizes: Iterable[int | Dim]) -> int | Dim:
    """Return the product of sizes."""
    result: int | Dim = 1
    for size in sizes:
        result = result * size
        if isinstance(result, int) and result > _LARGEST_PRODUCT:
            raise SizeTooComplex("a product of sizes over 2**4096")
    return result


def symbols_of(size: int | Dim) -> set[str]:
    """Return the symbols in a size, including those inside quotients."""
    names: set[str] = set()
    for monomial, _ in _terms(size):
        for atom in monomial:
            names |= {atom} if isinstance(atom, str) else symbols_of(atom.numerator)
    return names


def substitute(size: int | Dim, values: Mapping[str, int | Dim]) -> int | Dim:
    """Replace symbols in a size.

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


def largest_term(size: Dim, most: int) -> int:
    """Return the largest absolute value of a term, if each symbol and each product of different symbols is at most a number.

    Example:
        >>> t, s = symbol("T"), symbol("S")
        >>> largest_term(3 * t * s + 1, 10), largest_term(t * t - s, 10), largest_term(t // 2 * t, 10)
        (30, 100, 100)
    """
    found = 0
    for monomial, factor in size.terms:
        powers = Counter(name for atom in monomial for name in symbols_of(Dim((((atom,), 1),))))
        found = max(found, abs(factor) * most ** max(powers.values(), default=0))
    return found


def same_size(a: int | Dim, b: int | Dim) -> bool | None:
    """Whether two sizes are equal; None if that depends on the symbols.

    Example:
        >>> same_size(3, 3), same_size(symbol("T"), symbol("T") + 1), same_size(symbol("T"), 8)
        (True, False, None)
    """
    difference = b - a
    return difference == 0 if isinstance(difference, int) else None


def first_quotient(size: int | Dim) -> tuple[Dim, int] | None:
    """Return numerator and divisor of an innermost floored quotient of a size; None if it is a polynomial.

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
    """Return the coefficients of a polynomial in one symbol, constant first.

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


Monomial = tuple[str | _Quotient, ...]
"""The factors of a term."""


def product_as_symbol(size: Dim, name: str) -> tuple[Monomial, Dim] | None:
    """Replace a product of symbols by one symbol; return None if its symbols are also used in another way.

    Example:
        >>> h, w = symbol("H"), symbol("W")
        >>> _, size = product_as_symbol(6 * h * w - (h * w) // 4, "P")
        >>> str(size), product_as_symbol(h * w - h, "P")
        ('6*P - P//4', None)
    """
    found: set[Monomial] = set()

    def replaced(size: Dim) -> int | Dim:
        result: int | Dim = 0
        for monomial, factor in size.terms:
            [*atoms] = monomial
            if not atoms:
                result = result + factor
            elif len(atoms) == 1 and isinstance(atoms[0], _Quotient):
                result = result + replaced(atoms[0].numerator) // atoms[0].denominator * factor
            else:
                found.add(monomial)
                result = result + symbol(name) * factor
        return result

    made = replaced(size)
    if len(found) != 1 or not isinstance(made, Dim):
        return None
    [monomial] = found
    return (monomial, made) if len(monomial) > 1 and all(isinstance(atom, str) for atom in monomial) else None


def divided(size: Dim, name: str) -> int | Dim:
    """Divide a size by a symbol that all of its terms contain.

    Example:
        >>> str(divided(symbol("S") * symbol("T") - 8 * symbol("S"), "S"))
        'T - 8'
    """
    terms: dict[tuple[str | _Quotient, ...], int] = {}
    for monomial, factor in size.terms:
        place = monomial.index(name)
        terms[(*monomial[:place], *monomial[place + 1 :])] = factor
    return Dim._of(terms)


def exact_quotient(size: int | Dim, divisor: int | Dim) -> int | Dim | None:
    """Divide a size by another; None if there is a remainder.

    Example:
        >>> t = symbol("T")
        >>> str(exact_quotient(12 * t * t + 12 * t, 4 * t)), exact_quotient(12 * t, 5)
        ('3*T + 3', None)
    """
    result: int | Dim = 0
    first, factor = _terms(divisor)[0]
    for _ in range(_MOST_TERMS):
        monomial, amount = _terms(size)[0]
        if amount == 0:
            return result
        left = list(monomial)
        if amount % factor or any(left.count(atom) < first.count(atom) for atom in first):
            return None
        for atom in first:
            left.remove(atom)
        part = Dim._of({tuple(left): amount // factor})
        result = result + part
        size = size - part * divisor
    return None


def to_json(size: int | Dim) -> Any:
    """Serialize a size: ``[factor, atom, …]`` for each term; a quotient is ``{"floor": terms, "by": divisor}``.

    Example:
        >>> to_json(symbol("T") // 2 + 3), to_json(5)
        ([[1, {'floor': [[1, 'T']], 'by': 2}], [3]], [[5]])
    """
    return [[factor, *(_atom_to_json(atom) for atom in monomial)] for monomial, factor in _terms(size)]


def _atom_to_json(atom: str | _Quotient) -> Any:
    return atom if isinstance(atom, str) else {"floor": to_json(atom.numerator), "by": atom.denominator}


def from_json(value: Any, *, depth: int = 0) -> int | Dim:
    """Deserialize a size written by `to_json`.

    Raises:
        ValueError: If it is invalid or too large.

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
"""The maximum nesting of quotients in a file."""


def _atom_from_json(atom: Any, depth: int) -> int | Dim:
    if isinstance(atom, str) and atom.isidentifier():
        return symbol(atom)
    if isinstance(atom, dict) and set(atom) == {"floor", "by"} and type(atom["by"]) is int and atom["by"] > 0:
        return from_json(atom["floor"], depth=depth + 1) // atom["by"]
    raise ValueError("not a size")
