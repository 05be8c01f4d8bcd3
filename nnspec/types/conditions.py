"""Constraints on the free sizes of a network: conditions on one symbol, and relations between several."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import gcd
from typing import Any

from nnspec.types.dims import Dim, from_json, substitute, symbol, symbols_of, to_json


@dataclass(frozen=True)
class Condition:
    """The sizes that one symbol may have.

    Attributes:
        multiple_of: The period.
        at_least: The smallest size from which the period holds.
        remainder: The remainder of a division by the period.
        other_remainders: Further remainders that fit.
        at_most: The largest size, if there is one.
        also: Single sizes below ``at_least`` that fit.
        one_of: The only sizes that fit, if they are finitely many; the other attributes then keep their defaults.
    """

    multiple_of: int = 1
    at_least: int = 1
    remainder: int = 0
    other_remainders: tuple[int, ...] = ()
    at_most: int | None = None
    also: tuple[int, ...] = ()
    one_of: tuple[int, ...] = ()

    def is_met(self, size: int) -> bool:
        """Whether a size satisfies it.

        Example:
            >>> Condition(multiple_of=16, remainder=12).is_met(572), Condition(multiple_of=16).is_met(572)
            (True, False)
            >>> Condition(one_of=(1, 2, 4)).is_met(3)
            False
        """
        if self.one_of:
            return size in self.one_of
        in_range = self.at_least <= size and (self.at_most is None or size <= self.at_most)
        return size in self.also or (in_range and size % self.multiple_of in self.remainders)

    @property
    def remainders(self) -> tuple[int, ...]:
        """All remainders that fit, in order."""
        return tuple(sorted({self.remainder, *self.other_remainders}))

    @property
    def period(self) -> tuple[int, int]:
        """The multiple and the remainder that all sizes have in common; 1 and 0 if there is none."""
        common = not self.other_remainders and not self.also and not self.one_of
        return (self.multiple_of, self.remainder) if common else (1, 0)

    def whole(self, name: str) -> int | Dim:
        """Return an expression for all sizes with its period: ``16*H + 12``."""
        multiple, remainder = self.period
        return symbol(name) * multiple + remainder

    @property
    def is_trivial(self) -> bool:
        """Whether every size satisfies it."""
        return self == Condition()

    @property
    def largest(self) -> int | None:
        """The largest size that satisfies it; None if there is none."""
        return max(self.one_of) if self.one_of else self.at_most

    def next_fit(self, size: int) -> int:
        """Return the smallest valid size that is at least ``size``; the largest valid size if all are smaller.

        Example:
            >>> Condition(multiple_of=8, at_least=10).next_fit(3), Condition(16, 185, remainder=12).next_fit(3)
            (16, 188)
            >>> Condition(one_of=(1, 2, 4)).next_fit(3), Condition(one_of=(1, 2, 4)).next_fit(7)
            (4, 4)
        """
        largest = self.largest
        single = [each for each in (self.one_of or self.also) if each >= size]
        candidates = [] if self.one_of else [self._next(max(size, self.at_least), each) for each in self.remainders]
        found = [each for each in (*single, *candidates) if largest is None or each <= largest]
        if found:
            return min(found)
        assert largest is not None  # only a finite set has no size from any size on
        return largest if self.one_of else max(self._next(largest - self.multiple_of + 1, each) for each in self.remainders)

    def _next(self, size: int, remainder: int) -> int:
        return size + (remainder - size) % self.multiple_of

    def as_json(self) -> dict[str, Any]:
        """``{"multiple_of": 8, "at_least": 16}``, without defaults.

        Example:
            >>> Condition(multiple_of=4, remainder=1, other_remainders=(3,)).as_json()
            {'multiple_of': 4, 'remainder': 1, 'other_remainders': [3]}
        """
        found = {name: getattr(self, name) for name in self.__dataclass_fields__}
        default = Condition()
        return {n: list(v) if isinstance(v, tuple) else v for n, v in found.items() if v != getattr(default, n)}

    @classmethod
    def from_json(cls, value: Any) -> Condition:
        """The condition that `as_json` wrote.

        Raises:
            ValueError: If it is anything else, or no size satisfies it.
        """
        if not isinstance(value, Mapping) or not set(value) <= set(cls.__dataclass_fields__):
            raise ValueError("not a condition")
        arguments: dict[str, Any] = {name: tuple(given) if isinstance(given, list) else given for name, given in value.items()}
        found = cls(**arguments)
        listed = (found.also, found.one_of, found.other_remainders)
        if not all(isinstance(numbers, tuple) for numbers in listed):
            raise ValueError("not a condition")
        numbers = (found.multiple_of, found.at_least, *found.also, *found.one_of, *_optional(found.at_most))
        rests = (found.remainder, *found.other_remainders)
        if any(type(number) is not int for number in (*numbers, *rests)) or min(numbers) < 1:
            raise ValueError("not a condition")
        if not all(0 <= rest < found.multiple_of for rest in rests) or not found.is_met(found.next_fit(1)):
            raise ValueError("no size satisfies it")
        return found

    def text(self, *, several: bool = False) -> str:
        """Return the condition in words: ``a multiple of 8 and at least 16``.

        Example:
            >>> Condition(multiple_of=16, remainder=12).text(several=True)
            '12 more than multiples of 16'
            >>> print(Condition(one_of=(1, 2, 4)), Condition(at_least=3, at_most=9), sep="; ")
            1, 2 or 4; from 3 to 9
        """
        if self.one_of:
            return _listed(self.one_of)
        word = "multiples" if several else "a multiple"
        more = f"{_listed(self.remainders)} more than " if self.remainders != (0,) else ""
        parts = [f"{more}{word} of {self.multiple_of}"] if self.multiple_of > 1 else []
        low = self.at_least if self.at_least > max(1, self.multiple_of) or self.also else 1
        if self.at_most is not None:
            parts.append(f"from {low} to {self.at_most}" if low > 1 else f"at most {self.at_most}")
        elif low > 1:
            parts.append(f"at least {low}")
        text = " and ".join(parts) or "anything"
        return f"{', '.join(map(str, self.also))} or {text}" if self.also else text

    def __str__(self) -> str:
        return self.text()


@dataclass(frozen=True)
class Relation:
    """A relation between several symbols.

    Attributes:
        left: A size.
        right: The size that ``left`` must equal, or must not exceed.
        kind: ``equal`` or ``at_most``.
    """

    left: int | Dim
    right: int | Dim
    kind: str = "equal"

    @cached_property
    def symbols(self) -> frozenset[str]:
        return frozenset(symbols_of(self.left) | symbols_of(self.right))

    def is_met(self, sizes: Mapping[str, int]) -> bool:
        """Whether sizes satisfy it; true as long as one of its symbols has no size.

        Example:
            >>> half = Relation(symbol("S") // 2, symbol("T"))
            >>> half.is_met({"S": 9, "T": 4}), half.is_met({"S": 9, "T": 5}), half.is_met({"S": 9})
            (True, False, True)
        """
        left, right = substitute(self.left, sizes), substitute(self.right, sizes)
        if not isinstance(left, int) or not isinstance(right, int):
            return True
        return left == right if self.kind == "equal" else left <= right

    def as_json(self) -> dict[str, Any]:
        return {"left": to_json(self.left), "right": to_json(self.right), "kind": self.kind}

    @classmethod
    def from_json(cls, value: Any) -> Relation:
        """The relation that `as_json` wrote.

        Raises:
            ValueError: If it is anything else.
        """
        if not isinstance(value, Mapping) or set(value) != {"left", "right", "kind"} or value["kind"] not in _VERBS:
            raise ValueError("not a relation between sizes")
        return cls(from_json(value["left"]), from_json(value["right"]), value["kind"])

    def __str__(self) -> str:
        return f"`{self.left}` must {_VERBS[self.kind]} `{self.right}`"


_VERBS = {"equal": "equal", "at_most": "be at most"}


class Conditions(Mapping[str, Condition]):
    """The constraints on the free sizes of a network: a condition per restricted symbol, and relations.

    Args:
        each: The condition of each symbol.
        relations: Relations between several symbols.

    Example:
        >>> eight = Condition(multiple_of=8)
        >>> Conditions({"H": eight, "W": eight}).refusal({"H": 250, "W": 250})
        '`H` and `W` must be multiples of 8, not 250 and 250; the next valid sizes are 256 and 256'
        >>> Conditions({"H": eight, "W": eight}).refusal({"H": 250, "W": 256})
        '`H` must be a multiple of 8, not 250; the next valid size is 256'
        >>> Conditions({"T": Condition(one_of=(1, 2))}).refusal({"T": 3})
        '`T` must be 1 or 2, not 3'
        >>> Conditions({}, [Relation(symbol("S") // 2, symbol("T"))]).refusal({"S": 9, "T": 5})
        '`S//2` must equal `T`, but `S` is 9 and `T` is 5'
    """

    def __init__(self, each: Mapping[str, Condition] | None = None, relations: Iterable[Relation] = ()) -> None:
        self._each = dict(each or {})
        self.relations = tuple(relations)

    def __getitem__(self, name: str) -> Condition:
        return self._each[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._each)

    def __len__(self) -> int:
        return len(self._each)

    def __bool__(self) -> bool:
        return bool(self._each or self.relations)

    def __repr__(self) -> str:
        return f"Conditions({self._each!r}, {self.relations!r})"

    def without(self, names: Iterable[str]) -> Conditions:
        """Return the conditions that do not involve the given symbols."""
        excluded = set(names)
        each = {name: condition for name, condition in self._each.items() if name not in excluded}
        return Conditions(each, (relation for relation in self.relations if not relation.symbols & excluded))

    def texts(self) -> list[str]:
        """One line for each: ``H must be a multiple of 8``."""
        return [f"{name} must be {each}" for name, each in self.items()] + [
            str(each).replace("`", "") for each in self.relations
        ]

    def refusal(self, sizes: Mapping[str, int]) -> str | None:
        """Return the violations of the given sizes; None if all conditions and relations are met."""
        unmet: dict[Condition, list[str]] = {}
        for name, condition in self.items():
            if name in sizes and not condition.is_met(sizes[name]):
                unmet.setdefault(condition, []).append(name)
        messages = [_unmet(condition, {name: sizes[name] for name in names}) for condition, names in unmet.items()]
        for relation in self.relations:
            if not relation.is_met(sizes):
                found = " and ".join(f"`{name}` is {sizes[name]}" for name in sorted(relation.symbols))
                messages.append(f"{relation}, but {found}")
        return "; ".join(messages) or None

    def as_json(self) -> dict[str, Any]:
        """Return a key for each symbol, and the relations under ``relations``, which is not a valid symbol."""
        relations = [relation.as_json() for relation in self.relations]
        return {name: each.as_json() for name, each in self.items()} | ({"relations": relations} if relations else {})

    @classmethod
    def from_json(cls, value: Any) -> Conditions:
        """The conditions that `as_json` wrote.

        Raises:
            ValueError: If it is anything else.

        Example:
            >>> Conditions.from_json({"H": {"multiple_of": 16, "remainder": 12}})["H"].next_fit(1)
            12
        """
        if not isinstance(value, Mapping) or not isinstance(value.get("relations", []), list):
            raise ValueError("not the conditions of a network")
        each = {str(name): Condition.from_json(given) for name, given in value.items() if name != "relations"}
        return cls(each, map(Relation.from_json, value.get("relations", [])))


def _unmet(condition: Condition, sizes: Mapping[str, int]) -> str:
    several = len(sizes) > 1
    names = " and ".join(f"`{name}`" for name in sizes)
    message = f"{names} must be {condition.text(several=several)}, not {' and '.join(map(str, sizes.values()))}"
    if condition.largest is not None:
        return message
    fits = " and ".join(str(condition.next_fit(size)) for size in sizes.values())
    return f"{message}; the next {'valid sizes are' if several else 'valid size is'} {fits}"


def simplify(size: int | Dim, conditions: Mapping[str, Condition]) -> int | Dim:
    """Simplify a size, given the periods of its symbols.

    Example:
        >>> h, eight = symbol("H"), {"H": Condition(multiple_of=8)}
        >>> str(simplify((h // 8) * 8, eight)), str(simplify((h // 8) * 2, eight))
        ('H', 'H//4')
        >>> str(simplify((h - 4) // 8 * 8, {"H": Condition(multiple_of=8, remainder=4)}))
        'H - 4'
    """
    periods = {name: conditions[name].period for name in symbols_of(size) & conditions.keys()}
    periods = {name: period for name, period in periods.items() if period[0] > 1}
    if isinstance(size, int) or not periods:
        return size
    parts = {f"{name}/{multiple}": name for name, (multiple, _) in periods.items()}
    whole: dict[str, int | Dim] = {name: conditions[name].whole(part) for part, name in parts.items()}
    divided = substitute(size, whole)
    back: dict[str, int | Dim] = {part: symbol(name) // periods[name][0] for part, name in parts.items()}
    if isinstance(divided, int):
        return divided
    result: int | Dim = 0
    for monomial, factor in divided.terms:
        term: int | Dim = 1
        for atom in monomial:
            if isinstance(atom, str) and atom in parts:
                # 8 of the eighths of H are H; 2 of them are H//4.
                multiple_of, remainder = periods[parts[atom]]
                shared = gcd(factor, multiple_of)
                multiple = symbol(parts[atom]) - remainder
                term, factor = term * (multiple // (multiple_of // shared)), factor // shared
            else:
                term = term * substitute(Dim((((atom,), 1),)), back)
        result = result + term * factor
    return result


def _optional(number: int | None) -> tuple[int, ...]:
    return () if number is None else (number,)


_MOST_LISTED = 12


def _listed(numbers: Sequence[int]) -> str:
    """Return ``1, 2 or 4``; long lists are abbreviated."""
    texts = [str(number) for number in numbers]
    if len(texts) > _MOST_LISTED:
        texts = [*texts[: _MOST_LISTED - 2], "…", texts[-1]]
    return ", ".join(texts[:-1]) + f" or {texts[-1]}" if len(texts) > 1 else texts[0]
