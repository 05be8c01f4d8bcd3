"""What a symbolic size must satisfy for a network to run: be a multiple of something, be large enough."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import gcd, lcm

from nnspec.types.dims import Dim, denominators, same_size, substitute, symbol, symbols_of

__all__ = ["Condition", "common_multiple", "common_remainder", "least", "refusal", "simplify"]

_LARGEST_LEAST = 2**20
_LARGEST_NUMBER = 2**10
"""Of so many sizes in a row it is tried which are possible."""


@dataclass(frozen=True)
class Condition:
    """What one symbol must satisfy.

    Attributes:
        multiple_of: What divides it, less the remainder.
        at_least: The smallest it may be.
        remainder: How much more than a multiple it is.
    """

    multiple_of: int = 1
    at_least: int = 1
    remainder: int = 0

    def is_met(self, size: int) -> bool:
        """Whether a size satisfies it.

        Example:
            >>> Condition(multiple_of=16, remainder=12).is_met(572), Condition(multiple_of=16).is_met(572)
            (True, False)
        """
        return size % self.multiple_of == self.remainder and size >= self.at_least

    def whole(self, name: str) -> int | Dim:
        """All sizes that are as it says, by a number that is free: ``16*H + 12``."""
        return symbol(name) * self.multiple_of + self.remainder

    @property
    def is_trivial(self) -> bool:
        """Whether every size satisfies it."""
        return self.multiple_of == 1 and self.at_least == 1

    def next_fit(self, size: int) -> int:
        """The smallest size that satisfies it and is no smaller than one.

        Example:
            >>> Condition(multiple_of=8, at_least=10).next_fit(3), Condition(16, 185, remainder=12).next_fit(3)
            (16, 188)
        """
        step, more = self.multiple_of, self.remainder
        return -(-(max(size, self.at_least) - more) // step) * step + more

    def as_json(self) -> dict[str, int]:
        """``{"multiple_of": 8, "at_least": 16}``, without what is trivial."""
        parts = {"multiple_of": self.multiple_of, "at_least": self.at_least}
        more = {"remainder": self.remainder} if self.remainder else {}
        return {name: number for name, number in parts.items() if number > 1} | more

    def text(self, *, several: bool = False) -> str:
        """What a size must be, or several must be: ``a multiple of 8 and at least 16``.

        Example:
            >>> Condition(multiple_of=16, remainder=12).text(several=True)
            '12 more than multiples of 16'
        """
        more = f"{self.remainder} more than " if self.remainder else ""
        word = "multiples" if several else "a multiple"
        parts = [f"{more}{word} of {self.multiple_of}"] if self.multiple_of > 1 else []
        parts += [f"at least {self.at_least}"] if self.at_least > max(1, self.multiple_of) else []
        return " and ".join(parts) or "anything"

    def __str__(self) -> str:
        return self.text()


def refusal(conditions: Mapping[str, Condition], sizes: Mapping[str, int]) -> str | None:
    """What is wrong with the sizes of symbols; None where all are met.

    Example:
        >>> eight = Condition(multiple_of=8)
        >>> refusal({"H": eight, "W": eight}, {"H": 250, "W": 250})
        '`H` and `W` must be multiples of 8, not 250 and 250; the next sizes that fit are 256 and 256'
        >>> refusal({"H": eight, "W": eight}, {"H": 250, "W": 256})
        '`H` must be a multiple of 8, not 250; the next size that fits is 256'
    """
    unmet: dict[Condition, list[str]] = {}
    for name, condition in conditions.items():
        if name in sizes and not condition.is_met(sizes[name]):
            unmet.setdefault(condition, []).append(name)
    said = []
    for condition, names in unmet.items():
        several = len(names) > 1
        symbols = " and ".join(f"`{name}`" for name in names)
        wrong = " and ".join(str(sizes[name]) for name in names)
        next_ = " and ".join(str(condition.next_fit(sizes[name])) for name in names)
        fits = "the next sizes that fit are" if several else "the next size that fits is"
        said.append(f"{symbols} must be {condition.text(several=several)}, not {wrong}; {fits} {next_}")
    return "; ".join(said) or None


def common_multiple(a: int | Dim, b: int | Dim) -> dict[str, int] | None:
    """What the symbols of two sizes must be multiples of for the sizes to be equal.

    Returns:
        A number for each symbol; None where no such numbers make them equal.

    Example:
        >>> h = symbol("H")
        >>> common_multiple(h, (h // 2) // 2 * 4)
        {'H': 4}
    """
    names = sorted(symbols_of(a) | symbols_of(b))
    number = lcm(denominators(a), denominators(b))
    if number == 1 or any(name.startswith("?") for name in names):
        return None
    whole: dict[str, int | Dim] = {name: symbol(name) * number for name in names}
    if same_size(substitute(a, whole), substitute(b, whole)) is not True:
        return None
    needed = dict.fromkeys(names, number)
    for name in names:  # the least that does: what divides the common denominator is all there is to try
        for smaller in (n for n in range(1, number) if number % n == 0):
            trial = needed | {name: smaller}
            tried: dict[str, int | Dim] = {other: symbol(other) * trial[other] for other in names}
            if same_size(substitute(a, tried), substitute(b, tried)) is True:
                needed[name] = smaller
                break
    return {name: multiple for name, multiple in needed.items() if multiple > 1}


def common_remainder(pairs: Iterable[tuple[int | Dim, int | Dim]]) -> Condition | None:
    """What the only symbol of pairs of sizes must be for each pair to be equal, where being a multiple alone does not do.

    So it is of convolutions without padding, whose skips are cropped: poolings halve what they left.

    Example:
        >>> h = symbol("H")
        >>> str(common_remainder([(h - 4, (h - 2) // 4 * 4 - 2)]))
        '2 more than a multiple of 4'
    """
    pairs = list(pairs)
    number = lcm(*(denominators(size) for pair in pairs for size in pair))
    if number > _LARGEST_NUMBER:
        return None
    [name] = {name for pair in pairs for size in pair for name in symbols_of(size)}

    def equal(remainder: int) -> bool:
        sizes: dict[str, int | Dim] = {name: symbol(name) * number + remainder}
        return all(same_size(substitute(a, sizes), substitute(b, sizes)) is True for a, b in pairs)

    good = {remainder for remainder in range(number) if equal(remainder)}
    for smaller in (n for n in range(1, number + 1) if number % n == 0):
        for remainder in range(smaller):
            if good.issuperset(range(remainder, number, smaller)):
                return Condition(multiple_of=smaller, remainder=remainder)
    return None


def least(size: int | Dim) -> dict[str, int]:
    """The smallest value of a size's only symbol that leaves the size at least 1; empty where every value does.

    Example:
        >>> least(symbol("T") - 4), least((symbol("T") - 2) // 2), least(symbol("T") // 1)
        ({'T': 5}, {'T': 4}, {})
    """
    names = symbols_of(size)
    if len(names) != 1:
        return {}
    [name] = names

    def fits(value: int) -> bool:
        result = substitute(size, {name: value})
        return isinstance(result, int) and result >= 1

    if fits(1) or not fits(_LARGEST_LEAST):
        return {}
    low, high = 1, _LARGEST_LEAST
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if fits(middle) else (middle, high)
    return {name: high}


def simplify(size: int | Dim, conditions: Mapping[str, Condition]) -> int | Dim:
    """A size in its simplest form where its symbols are known to be multiples, or so much more than one.

    Example:
        >>> h, eight = symbol("H"), {"H": Condition(multiple_of=8)}
        >>> str(simplify((h // 8) * 8, eight)), str(simplify((h // 8) * 2, eight))
        ('H', 'H//4')
        >>> str(simplify((h - 4) // 8 * 8, {"H": Condition(multiple_of=8, remainder=4)}))
        'H - 4'
    """
    names = symbols_of(size) & conditions.keys()
    if isinstance(size, int) or not names:
        return size
    parts = {f"{name}/{conditions[name].multiple_of}": name for name in names}
    whole: dict[str, int | Dim] = {name: conditions[name].whole(part) for part, name in parts.items()}
    divided = substitute(size, whole)
    back: dict[str, int | Dim] = {part: symbol(name) // conditions[name].multiple_of for part, name in parts.items()}
    if isinstance(divided, int):
        return divided
    result: int | Dim = 0
    for monomial, factor in divided.terms:
        term: int | Dim = 1
        for atom in monomial:
            if isinstance(atom, str) and atom in parts:
                # 8 of the eighths of H are H; 2 of them are H//4.
                known = conditions[parts[atom]]
                shared = gcd(factor, known.multiple_of)
                multiple = symbol(parts[atom]) - known.remainder
                term, factor = term * (multiple // (known.multiple_of // shared)), factor // shared
            else:
                term = term * substitute(Dim((((atom,), 1),)), back)
        result = result + term * factor
    return result
