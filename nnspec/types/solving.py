"""Solver for equalities and bounds on sizes: all solutions for one symbol, as residues; a sample for several symbols.

Floored quotients become polynomials when a symbol is written as ``period * k + remainder``. If a quotient remains, the
residue is split further, and a residue that contradicts an equality is dropped immediately, so that a network of 24 poolings
takes 48 steps instead of 2²⁴.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import gcd, lcm

from nnspec.types.conditions import Condition, Relation
from nnspec.types.dims import Dim, SizeTooComplex, coefficients, divided, first_quotient, substitute, symbol, symbols_of
from nnspec.types.ranges import Range, intersection, nonnegative

_MOST_STEPS = 4_000
_MOST_LISTED = 64
_LARGEST_PERIOD = 4_096
_LARGEST_FACTOR = 20_000
_LARGEST_SIZE = 2**31


@dataclass(frozen=True)
class Residue:
    """The sizes ``period * k + remainder``, for k in a range."""

    period: int
    remainder: int
    within: Range

    @property
    def first(self) -> int:
        return self.period * self.within[0] + self.remainder

    @property
    def last(self) -> int | None:
        return None if self.within[1] is None else self.period * self.within[1] + self.remainder


def reduced_equality(size: int | Dim) -> int | Dim | None:
    """Simplify an equality ``size = 0``; return None if no integers satisfy it.

    Symbols are at least 1, so a symbol that all terms have in common is divided out. Every quotient is an integer, so a
    constant that is not divisible by the greatest common divisor of the other factors is a contradiction.

    Example:
        >>> t, s = symbol("T"), symbol("S")
        >>> str(reduced_equality(4 * t - 12)), reduced_equality(2 * t - 2 * (t // 3) - 3), str(reduced_equality(s * t - 8 * s))
        ('T - 3', None, 'T - 8')
    """
    if isinstance(size, int):
        return None if size else 0
    common = set(symbols_of(size)).intersection(*(set(monomial) for monomial, _ in size.terms))
    if common:
        return reduced_equality(divided(size, min(common)))
    shared = gcd(*(factor for monomial, factor in size.terms if monomial))
    constant = sum(factor for monomial, factor in size.terms if not monomial)
    if constant % shared:
        return None
    sign = -1 if size.terms[0][1] < 0 else 1
    return Dim(tuple((monomial, sign * factor // shared) for monomial, factor in size.terms))


def reduced_bound(size: int | Dim) -> int | Dim:
    """Simplify a bound ``size ≥ 0`` with a single quotient: ``T//2 - 3 ≥ 0`` is ``T - 6 ≥ 0``.

    Example:
        >>> str(reduced_bound(symbol("T") // 2 - 3)), str(reduced_bound(4 - (symbol("T") + 1) // 2))
        ('T - 6', '-T + 8')
    """
    while isinstance(size, Dim):
        (monomial, factor), *rest = size.terms
        constant = rest[0][1] if rest and not rest[0][0] else 0
        alone = len(monomial) == 1 and not isinstance(monomial[0], str) and (not rest or (len(rest) == 1 and not rest[0][0]))
        if not alone:
            return size
        atom = monomial[0]
        assert not isinstance(atom, str)
        if factor > 0:  # floor(n / d) ≥ m is n ≥ m·d
            size = atom.numerator - -(constant // factor) * atom.denominator
        else:  # floor(n / d) ≤ m is n ≤ m·d + d − 1
            most = constant // -factor
            size = most * atom.denominator + atom.denominator - 1 - atom.numerator
    return size


def solve_one(
    name: str, equalities: Iterable[int | Dim], bounds: Iterable[int | Dim], *, first: bool = False
) -> list[Residue] | None:
    """Return all values ≥ 1 of a symbol that satisfy equalities and bounds.

    Args:
        name: The symbol.
        equalities: Sizes that must be 0.
        bounds: Sizes that must be at least 0.
        first: Whether to stop at the first residue with a solution.

    Returns:
        Disjoint residues; empty if there is no solution; None if it takes too many steps.

    Example:
        >>> t = symbol("T")
        >>> [(r.period, r.remainder, r.within) for r in solve_one("T", [t // 2 * 2 - t], [t - 5])]
        [(2, 2, (2, None))]
    """
    try:
        return _solved(name, list(equalities), list(bounds), first)
    except SizeTooComplex:
        return None


def _solved(name: str, equalities: list[int | Dim], bounds: list[int | Dim], first: bool) -> list[Residue] | None:
    found: list[Residue] = []
    from_zero: dict[str, int | Dim] = {name: symbol(name) + 1}
    stack = [(1, 1, [substitute(e, from_zero) for e in equalities], [substitute(b, from_zero) for b in bounds])]
    steps = 0
    while stack:
        period, remainder, equal, least = stack.pop()
        steps += 1
        if steps > _MOST_STEPS or period > _LARGEST_SIZE:
            return None
        split = _split(equal, least)
        if split is None:
            continue
        factor, equal, least = split
        if factor == 1:
            ranges = _ranges(equal, least)
            found += [Residue(period, remainder, piece) for piece in ranges]
            if found and first:
                return found
            continue
        if factor > _LARGEST_FACTOR:
            return None
        for digit in _digits(equal, factor):
            finer: dict[str, int | Dim] = {name: symbol(name) * factor + digit}
            stack.append(
                (
                    period * factor,
                    remainder + digit * period,
                    [substitute(size, finer) for size in equal],
                    [substitute(size, finer) for size in least],
                )
            )
    return found


def _split(equalities: Sequence[int | Dim], bounds: Sequence[int | Dim]) -> tuple[int, list[int | Dim], list[int | Dim]] | None:
    """Return the number of residues to split k into, and the remaining constraints for k ≥ 0; None if unsatisfiable."""
    equal: list[int | Dim] = []
    for size in equalities:
        # Here k may be 0, so no symbol is divided out.
        if isinstance(size, int):
            if size:
                return None
            continue
        shared = gcd(*(factor for monomial, factor in size.terms if monomial))
        if sum(factor for monomial, factor in size.terms if not monomial) % shared:
            return None
        equal.append(size)
    strictest: dict[int | Dim, int] = {}
    for size in map(reduced_bound, bounds):
        if isinstance(size, int):
            if size < 0:
                return None
        elif not _is_implied(size):
            constant = sum(factor for monomial, factor in size.terms if not monomial)
            free = size - constant
            strictest[free] = min(constant, strictest.get(free, constant))
    least = [free + constant for free, constant in strictest.items()]
    for size in (*equal, *least):
        quotient = first_quotient(size)
        if quotient is not None:
            numerator, divisor = quotient
            shared = gcd(divisor, *(factor for monomial, factor in numerator.terms if monomial))
            return _smallest_prime(divisor // shared), equal, least
    return 1, equal, least


def _digits(equalities: Iterable[int | Dim], factor: int) -> list[int]:
    """Return the residues of k, last first, that the quotient-free terms of the equalities allow."""
    congruences = []
    for size in equalities:
        assert isinstance(size, Dim)
        plain = {m: f for m, f in size.terms if all(isinstance(atom, str) for atom in m)}
        if all(f % factor == 0 for m, f in size.terms if m not in plain):
            congruences.append([(len(m), f) for m, f in plain.items()])
    return [
        digit
        for digit in reversed(range(factor))
        if all(sum(f * pow(digit, degree, factor) for degree, f in terms) % factor == 0 for terms in congruences)
    ]


def _is_implied(bound: Dim) -> bool:
    """Whether a bound holds for every k ≥ 0 because no factor is negative, quotients included."""
    return all(
        factor >= 0 and all(isinstance(atom, str) or _is_implied(atom.numerator) for atom in monomial)
        for monomial, factor in bound.terms
    )


def _smallest_prime(number: int) -> int:
    """Return the smallest prime factor; the number itself if that factor is too large to split into residues."""
    factor = 2
    while factor * factor <= number and factor <= _LARGEST_FACTOR:
        if number % factor == 0:
            return factor
        factor += 1
    return number


def _ranges(equalities: Iterable[int | Dim], bounds: Iterable[int | Dim]) -> list[Range]:
    ranges: list[Range] = [(0, None)]
    for size in equalities:
        polynomial = coefficients(size)
        ranges = intersection(intersection(ranges, nonnegative(polynomial)), nonnegative([-each for each in polynomial]))
    for size in bounds:
        ranges = intersection(ranges, nonnegative(coefficients(size)))
    return ranges


def as_condition(residues: Sequence[Residue]) -> Condition | None:
    """Return the condition that exactly the sizes of residues satisfy; None if there are too many cases.

    Example:
        >>> str(as_condition([Residue(2, 2, (2, None))]))
        'a multiple of 2 and at least 6'
    """
    infinite = [residue for residue in residues if residue.last is None]
    finite = [residue for residue in residues if residue.last is not None]
    if not infinite:
        return _finite(finite)
    period = lcm(*(residue.period for residue in infinite))
    if period > _LARGEST_PERIOD and len(infinite) > 1:
        return None
    starts: dict[int, int] = {}
    for residue in infinite:
        for start in range(residue.first, residue.first + period, residue.period):
            starts[start % period] = start
    divisors = [n for n in range(1, period) if period % n == 0] if len(infinite) > 1 else []
    smaller = next((n for n in divisors if _repeats(starts.keys(), period, n)), period)
    remainders = sorted({remainder % smaller for remainder in starts})
    # The largest size with a valid remainder that is in no infinite residue.
    before = max(start - period for start in starts.values())
    also = [start + offset for start in starts.values() for offset in range(0, max(0, before - start), period)]
    also += [size for residue in finite for size in _sizes(residue)][: _MOST_LISTED + 1]
    if len(also) > _MOST_LISTED:
        return None
    condition = Condition(smaller, max(1, before + 1), remainders[0], tuple(remainders[1:]))
    at_least = condition.next_fit(1)
    if at_least == replace(condition, at_least=1).next_fit(1):
        at_least = 1
    outside = sorted({size for size in also if not condition.is_met(size)})
    return replace(condition, at_least=at_least, also=tuple(outside))


def _repeats(remainders: Iterable[int], period: int, smaller: int) -> bool:
    found = set(remainders)
    return all((remainder + smaller) % period in found for remainder in found)


def _sizes(residue: Residue) -> Iterator[int]:
    assert residue.last is not None
    return iter(range(residue.first, residue.last + 1, residue.period))


def _finite(residues: Sequence[Residue]) -> Condition | None:
    if sum(len(range(r.first, (r.last or 0) + 1, r.period)) for r in residues) <= _MOST_LISTED:
        sizes = sorted({size for residue in residues for size in _sizes(residue)})
        if len(sizes) >= _FEWEST_IN_RANGE and sizes[-1] - sizes[0] == len(sizes) - 1:
            return Condition(at_least=sizes[0], at_most=sizes[-1])
        return Condition(one_of=tuple(sizes))
    if len(residues) > 1:
        return None
    [residue] = residues
    return Condition(residue.period, residue.first, residue.remainder % residue.period, at_most=residue.last)


_FEWEST_IN_RANGE = 4
"""The fewest consecutive sizes that are a range, not a list."""

_MOST_CANDIDATES = 64
_MOST_TRIED = 5_000


def sample(
    names: Sequence[str],
    conditions: Mapping[str, Condition],
    relations: Sequence[Relation],
    wanted: Mapping[str, int],
) -> dict[str, int] | None:
    """Return sizes that satisfy conditions and relations and are close to the wanted ones; None if none are found.

    Example:
        >>> sample(["S", "T"], {}, [Relation(symbol("S") // 2, symbol("T"))], {"S": 9, "T": 7})
        {'S': 9, 'T': 4}
    """
    budget = [_MOST_TRIED]
    return _sample(tuple(names), conditions, relations, wanted, {}, budget)


def _sample(
    names: Sequence[str],
    conditions: Mapping[str, Condition],
    relations: Sequence[Relation],
    wanted: Mapping[str, int],
    given: dict[str, int],
    budget: list[int],
) -> dict[str, int] | None:
    if not names:
        return given
    # Symbols determined by the others are solved for instead of tried; symbols inside quotients are tried first.
    deciding = {name: [r for r in relations if r.symbols - given.keys() == {name}] for name in names}
    name = next((each for each in names if deciding[each]), None) or _most_dependent(names, relations, given)
    for value in _candidates(name, conditions.get(name, Condition()), deciding[name], wanted.get(name, 1), given):
        budget[0] -= 1
        if budget[0] < 0:
            return None
        sizes = given | {name: value}
        if all(relation.is_met(sizes) for relation in relations):
            rest = [each for each in names if each != name]
            found = _sample(rest, conditions, relations, wanted, sizes, budget)
            if found is not None:
                return found
    return None


def _most_dependent(names: Sequence[str], relations: Sequence[Relation], given: Mapping[str, int]) -> str:
    """Return a symbol that cannot be solved for in any remaining relation, so that others can; else the first."""
    left = [relation.left - relation.right for relation in relations if relation.symbols - given.keys()]
    alone = {m[0] for size in left if isinstance(size, Dim) for m, factor in size.terms if len(m) == 1 and abs(factor) == 1}
    concerned = set().union(*(symbols_of(size) for size in left)) if left else set()
    return next((each for each in names if each in concerned and each not in alone), names[0])


def _candidates(
    name: str, condition: Condition, relations: Sequence[Relation], wanted: int, given: Mapping[str, int]
) -> Iterator[int]:
    if not relations:
        yield from _near(condition, wanted)
        return
    equal: list[int | Dim] = []
    least: list[int | Dim] = []
    for relation in relations:
        left, right = substitute(relation.left, given), substitute(relation.right, given)
        (equal if relation.kind == "equal" else least).append(right - left)
    residues = solve_one(name, equal, least)
    if residues is None:  # too large to solve: some sizes are tried
        yield from _near(condition, wanted)
        return
    found: set[int] = set()
    for residue in residues[:_MOST_CANDIDATES]:
        last = residue.last if residue.last is not None else max(wanted, residue.first) + residue.period * _MOST_CANDIDATES
        sizes = range(residue.first, last + 1, residue.period)
        middle = min(max(0, (wanted - residue.first) // residue.period), len(sizes) - 1)
        found |= {*sizes[middle : middle + _MOST_CANDIDATES], *sizes[:_MOST_CANDIDATES]}
    # Closest to the wanted size first.
    yield from (size for size in sorted(found, key=lambda size: (abs(size - wanted), size)) if condition.is_met(size))


def _near(condition: Condition, wanted: int) -> Iterator[int]:
    seen: set[int] = set()
    for start in (wanted, 2, 1):
        size = start
        for _ in range(_MOST_CANDIDATES):
            size = condition.next_fit(size)
            if size not in seen:
                seen.add(size)
                yield size
            size += 1
