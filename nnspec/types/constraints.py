"""Solver for the constraints of layers on sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nnspec.types.conditions import Condition, Relation
from nnspec.types.dims import Dim, Monomial, SizeTooComplex, first_quotient, product_as_symbol, substitute, symbol, symbols_of
from nnspec.types.solving import as_condition, reduced_bound, reduced_equality, sample, solve_one

_MOST_RELATED = 64
"""The largest number of related symbols for which valid sizes are searched."""


@dataclass(frozen=True)
class Constraint:
    """An equality or a lower bound between two sizes.

    Attributes:
        left: A size.
        right: The size that ``left`` must equal or must not be less than.
        equal: Whether both must be equal; otherwise ``left ≥ right``.
    """

    left: int | Dim
    right: int | Dim
    equal: bool = True

    def __str__(self) -> str:
        return f"`{self.left}` must " + ("equal" if self.equal else "be at least") + f" `{self.right}`"


@dataclass(frozen=True)
class Solution:
    """The solution of a system of constraints.

    Attributes:
        sizes: The symbols that are determined: each equals a number or another symbol.
        conditions: The condition of each remaining symbol that is restricted.
        relations: Relations between several symbols, and constraints that are too large to solve.
    """

    sizes: Mapping[str, int | Dim]
    conditions: Mapping[str, Condition]
    relations: tuple[Relation, ...]


def solve(constraints: Sequence[Constraint], names: Sequence[str]) -> Solution | None:
    """Solve constraints; return None if no sizes satisfy them.

    Args:
        constraints: The constraints.
        names: The symbols in order of preference: of two equal symbols, the later one is replaced.

    Example:
        >>> t, s = symbol("T"), symbol("S")
        >>> found = solve([Constraint(t, 8), Constraint(s // 2 * 2, s)], ["T", "S"])
        >>> found.sizes, str(found.conditions["S"])
        ({'T': 8}, 'a multiple of 2')
        >>> solve([Constraint(t, t + 1)], ["T"]) is None
        True
    """
    sizes: dict[str, int | Dim] = {}
    asked = list(dict.fromkeys(constraints))
    while True:
        split = _substituted(asked, sizes)
        if split is None:
            return None
        bound = _bound(split[0], names)
        alone: dict[str, Condition | None] = {}
        if not bound:
            found = _alone(*split)
            if found is None:
                return None
            bound, alone = found
        if not bound:
            break
        sizes = {name: substitute(size, bound) for name, size in sizes.items()} | bound
        if any(isinstance(size, int) and size < 1 for size in sizes.values()):
            return None
    conditions = {name: found for name, found in alone.items() if found is not None and not found.is_trivial}
    single = _products_solved(*split)
    if single is None:
        return None
    relations = _relations(*single, {name for name, found in alone.items() if found is None}, conditions)
    free = [name for name in names if name not in sizes]
    concerned = [name for name in free if any(name in relation.symbols for relation in relations)]
    if len(concerned) > _MOST_RELATED:
        raise SizeTooComplex(f"relations between {len(concerned):,} free sizes; {_MOST_RELATED} is the limit")
    if concerned and sample(concerned, conditions, relations, {}) is None:
        return None
    return Solution(sizes, {name: conditions[name] for name in free if name in conditions}, relations)


def conflict(constraints: Sequence[Constraint], names: Sequence[str]) -> tuple[int, list[int]]:
    """Return the index of the first unsatisfiable constraint and of the earlier ones that contradict it.

    Args:
        constraints: Constraints that have no solution.
        names: The symbols.
    """
    low, high = 0, len(constraints)  # the first `low` have a solution, the first `high` have none
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if solve(constraints[:middle], names) is None else (middle, high)
    last = high - 1
    kept = list(range(last))
    place = len(kept)
    step = max(1, place // 2)
    while step:  # remove unneeded constraints in ever smaller chunks
        place = len(kept)
        while place > 0:
            start = max(0, place - step)
            fewer = kept[:start] + kept[place:]
            if solve([constraints[i] for i in (*fewer, last)], names) is None:
                kept = fewer
            place = start
        step //= 2
    return last, kept


def _substituted(constraints: Sequence[Constraint], sizes: Mapping[str, int | Dim]) -> tuple[list[Dim], list[Dim]] | None:
    """Return equalities to 0 and lower bounds of 0, without trivial ones; None if one is never satisfied."""
    equalities: dict[Dim, None] = {}
    bounds: dict[Dim, None] = {}
    for constraint in constraints:
        difference = substitute(constraint.left - constraint.right, sizes)
        if constraint.equal:
            reduced = reduced_equality(difference)
            if reduced is None:
                return None
            if isinstance(reduced, Dim):
                equalities[reduced] = None
        else:
            reduced = reduced_bound(difference)
            if isinstance(reduced, Dim):
                bounds[reduced] = None
            elif reduced < 0:
                return None
    return list(equalities), list(bounds)


def _bound(equalities: Sequence[Dim], names: Sequence[str]) -> dict[str, int | Dim]:
    """Return the symbols that equalities bind to a number or to another symbol, in one pass: there may be thousands."""
    bindings: dict[str, int | Dim] = {}

    def resolved(size: int | Dim) -> int | Dim:
        while isinstance(size, Dim) and str(size) in bindings:
            size = bindings[str(size)]
        return size

    for size in equalities:
        linear = {monomial[0]: factor for monomial, factor in size.terms if len(monomial) == 1}
        constant = sum(factor for monomial, factor in size.terms if not monomial)
        symbols = [atom for atom in linear if isinstance(atom, str)]
        if len(symbols) != len([monomial for monomial, _ in size.terms if monomial]):
            continue
        pair: list[int | Dim] = []
        if len(symbols) == 1 and abs(linear[symbols[0]]) == 1:
            pair = [symbol(symbols[0]), -constant // linear[symbols[0]]]
        elif len(symbols) == 2 and not constant and sorted(linear.values()) == [-1, 1]:
            pair = [symbol(name) for name in symbols]
        found = [resolved(each) for each in pair]
        free = sorted((each for each in found if isinstance(each, Dim)), key=lambda each: _place(str(each), names))
        if len(free) == 2 and free[0] != free[1]:
            bindings[str(free[1])] = free[0]
        elif len(free) == 1:  # different numbers are detected on substitution
            bindings[str(free[0])] = next(each for each in found if isinstance(each, int))
    return {name: resolved(symbol(name)) for name in bindings}


def _place(name: str, names: Sequence[str]) -> tuple[bool, int]:
    """Return the sort key of a symbol; unnamed symbols come last."""
    return name.startswith("?"), names.index(name) if name in names else len(names)


def _alone(equalities: Sequence[Dim], bounds: Sequence[Dim]) -> tuple[dict[str, int | Dim], dict[str, Condition | None]] | None:
    """Solve the constraints that involve a single symbol.

    Returns:
        The symbols with a single valid size, and the conditions of the others (None if too large to solve); None if a symbol
        has no valid size.
    """
    groups: dict[str, tuple[list[Dim], list[Dim]]] = {}
    for kind, sizes in enumerate((equalities, bounds)):
        for size in sizes:
            symbols = symbols_of(size)
            if len(symbols) == 1:
                groups.setdefault(min(symbols), ([], []))[kind].append(size)
    bound: dict[str, int | Dim] = {}
    conditions: dict[str, Condition | None] = {}
    for name, (equal, least) in groups.items():
        residues = solve_one(name, equal, least)
        if not residues and not (residues is None and _has_some(name, equal, least)):
            return None
        condition = as_condition(residues) if residues else None
        if condition is not None and len(condition.one_of) == 1:
            bound[name] = condition.one_of[0]
        else:
            conditions[name] = condition
    return bound, conditions


_MOST_TRIED = 512


def _has_some(name: str, equalities: Sequence[Dim], bounds: Sequence[Dim]) -> bool:
    """Whether a search finds a size that satisfies constraints which are too large to solve."""
    if solve_one(name, equalities, bounds, first=True):
        return True
    return any(
        all(substitute(size, {name: tried}) == 0 for size in equalities)
        and all(_at_least_zero(substitute(size, {name: tried})) for size in bounds)
        for tried in range(1, _MOST_TRIED)
    )


def _at_least_zero(size: int | Dim) -> bool:
    return isinstance(size, int) and size >= 0


_MOST_COMPARED = 200
"""The largest number of constraints that are compared with each other; beyond it, more relations are reported than needed."""

_PRODUCT = "?product"
"""The symbol that stands for a product of symbols while constraints on it are solved."""


def _products_solved(equalities: Sequence[Dim], bounds: Sequence[Dim]) -> tuple[list[Dim], list[Dim]] | None:
    """Replace the constraints on each product of symbols, ``H*W``, by the fewest; return None if no product satisfies them.

    Constraints on the product and on its symbols are not replaced.
    """
    groups: dict[Monomial, tuple[list[Dim], list[Dim]]] = {}
    kept: tuple[list[Dim], list[Dim]] = ([], [])
    of_products: dict[Monomial, tuple[list[Dim], list[Dim]]] = {}
    for kind, sizes in enumerate((equalities, bounds)):
        for size in sizes:
            found = product_as_symbol(size, _PRODUCT)
            if found is None:
                kept[kind].append(size)
            else:
                groups.setdefault(found[0], ([], []))[kind].append(size)
                of_products.setdefault(found[0], ([], []))[kind].append(found[1])
    for monomial, (equal, least) in of_products.items():
        residues = solve_one(_PRODUCT, equal, least)
        if residues is not None and not residues:
            return None
        product = Dim(((monomial, 1),))
        condition = as_condition(residues) if residues else None
        fewest = None if condition is None else _as_constraints(product, condition)
        for both, own in zip(kept, fewest or groups[monomial], strict=True):
            both.extend(own)
    return kept


def _as_constraints(size: Dim, condition: Condition) -> tuple[list[Dim], list[Dim]] | None:
    """Return the equality to 0 and the bounds that a condition is for a size; None if it has alternatives."""
    if len(condition.one_of) == 1:
        return _dims(size - condition.one_of[0]), []
    if condition.one_of or condition.also or condition.other_remainders:
        return None
    multiple, rest = condition.multiple_of, condition.remainder
    equal = _dims(size - size // multiple * multiple - rest) if multiple > 1 else []
    first = condition.next_fit(1)
    least = _dims(size - first) if first > Condition(multiple, remainder=rest).next_fit(1) else []
    return equal, least + (_dims(condition.at_most - size) if condition.at_most is not None else [])


def _dims(*sizes: int | Dim) -> list[Dim]:
    return [size for size in sizes if isinstance(size, Dim)]


def _relations(
    equalities: Sequence[Dim], bounds: Sequence[Dim], unsolved: set[str], conditions: Mapping[str, Condition]
) -> tuple[Relation, ...]:
    """Return the constraints on several symbols, and those on one symbol that are too large to solve."""
    found = []
    for size in equalities:
        symbols = symbols_of(size)
        if len(symbols) > 1 or symbols <= unsolved:
            left, right = _sides(size)
            # `T` must equal `S + 1`, but `S//2` must equal `T`
            turned = str(right) in symbols and str(left) not in symbols and first_quotient(left) is None
            found.append(Relation(right, left) if turned else Relation(left, right))
    for size in bounds:
        symbols = symbols_of(size)
        if (len(symbols) > 1 or symbols <= unsolved) and not _is_implied(size, equalities, bounds, conditions):
            left, right = _sides(size)
            found.append(Relation(right, left, "at_most"))
    return tuple(dict.fromkeys(found))


def _sides(size: Dim) -> tuple[int | Dim, int | Dim]:
    """Split a size into its terms with positive and with negative factors; the remainder of a division is one term."""
    sides: list[int | Dim] = [0, 0]
    terms, residues = size.residues()
    for monomial, factor in terms:
        term = Dim(((monomial, abs(factor)),)) if monomial else abs(factor)
        sides[factor < 0] = sides[factor < 0] + term
    for quotient, times in residues:
        whole = Dim((((quotient,), 1),))
        sides[times < 0] = sides[times < 0] + (quotient.numerator - whole * quotient.denominator) * abs(times)
    return sides[0], sides[1]


def _is_implied(bound: Dim, equalities: Sequence[Dim], bounds: Sequence[Dim], conditions: Mapping[str, Condition]) -> bool:
    """Whether a bound follows from the conditions, or from one equality or one other bound and the conditions."""
    less: list[int | Dim] = [0]
    if len(equalities) + len(bounds) <= _MOST_COMPARED:
        less += [*equalities, *(-size for size in equalities), *(other for other in bounds if other != bound)]
    return any(_always(bound - other, conditions) for other in less)


def _always(bound: int | Dim, conditions: Mapping[str, Condition]) -> bool:
    """Whether a bound holds for all sizes that satisfy the conditions, by its smallest terms."""
    if isinstance(bound, int):
        return bound >= 0
    least: int | Dim = 0
    for monomial, factor in bound.terms:
        if factor < 0 and monomial:
            return False
        smallest = substitute(
            Dim(((monomial, factor),)) if monomial else factor,
            {name: conditions[name].next_fit(1) if name in conditions else 1 for name in symbols_of(bound)},
        )
        least = least + smallest
    return isinstance(least, int) and least >= 0
