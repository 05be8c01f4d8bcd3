"""What a symbolic size must satisfy for a network to run: be a multiple of something, be large enough."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import gcd, lcm

from nnspec.types.dims import Dim, denominators, same_size, substitute, symbol, symbols_of

__all__ = ["Condition", "common_multiple", "least", "refusal", "simplify"]

_LARGEST_LEAST = 2**20


@dataclass(frozen=True)
class Condition:
    """What one symbol must satisfy.

    Attributes:
        multiple_of: What divides it.
        at_least: The smallest it may be.
    """

    multiple_of: int = 1
    at_least: int = 1

    def both(self, other: Condition) -> Condition:
        """The condition that holds where both do."""
        return Condition(lcm(self.multiple_of, other.multiple_of), max(self.at_least, other.at_least))

    @property
    def is_trivial(self) -> bool:
        """Whether every size satisfies it."""
        return self.multiple_of == 1 and self.at_least == 1

    def next_fit(self, size: int) -> int:
        """The smallest size that satisfies it and is no smaller than one.

        Example:
            >>> Condition(multiple_of=8, at_least=10).next_fit(3)
            16
        """
        step = self.multiple_of
        return max(-(-size // step), -(-self.at_least // step)) * step

    def as_json(self) -> dict[str, int]:
        """``{"multiple_of": 8, "at_least": 16}``, without what is trivial."""
        parts = {"multiple_of": self.multiple_of, "at_least": self.at_least}
        return {name: number for name, number in parts.items() if number > 1}

    def is_met(self, size: int) -> bool:
        """Whether a size satisfies it."""
        return size % self.multiple_of == 0 and size >= self.at_least

    def text(self, *, several: bool = False) -> str:
        """What a size must be, or several must be: ``a multiple of 8 and at least 16``."""
        word = "multiples" if several else "a multiple"
        parts = [f"{word} of {self.multiple_of}"] if self.multiple_of > 1 else []
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


def simplify(size: int | Dim, multiples: Mapping[str, int]) -> int | Dim:
    """A size in its simplest form where its symbols are known to be multiples.

    Example:
        >>> h = symbol("H")
        >>> str(simplify((h // 8) * 8, {"H": 8})), str(simplify((h // 8) * 2, {"H": 8}))
        ('H', 'H//4')
    """
    names = symbols_of(size) & multiples.keys()
    if isinstance(size, int) or not names:
        return size
    parts = {f"{name}/{multiples[name]}": name for name in names}
    whole: dict[str, int | Dim] = {name: symbol(part) * multiples[name] for part, name in parts.items()}
    divided = substitute(size, whole)
    back: dict[str, int | Dim] = {part: symbol(name) // multiples[name] for part, name in parts.items()}
    if isinstance(divided, int):
        return divided
    result: int | Dim = 0
    for monomial, factor in divided.terms:
        term: int | Dim = 1
        for atom in monomial:
            if isinstance(atom, str) and atom in parts:
                # 8 of the eighths of H are H; 2 of them are H//4.
                multiple = multiples[parts[atom]]
                shared = gcd(factor, multiple)
                term, factor = term * (symbol(parts[atom]) // (multiple // shared)), factor // shared
            else:
                term = term * substitute(Dim((((atom,), 1),)), back)
        result = result + term * factor
    return result
