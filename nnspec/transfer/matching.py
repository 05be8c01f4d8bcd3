"""Search for the assignment of modules to layers on which the shapes, the names and the order of execution agree."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nnspec.transfer.naming import Reading

_MOST_WORK = 400_000
"""Limit of the tried assignments of a module to a layer. ResNet-50 takes about a thousand."""

_MORE_WORK = 50_000
"""The part of it that is spent on a better assignment once two are found that agree as well."""

_NOT_CONNECTED = 1_000
_NOT_IN_SCOPE = 1_000
_NOT_IN_ORDER = 1


@dataclass(frozen=True)
class Slot:
    """A layer that takes a module.

    Attributes:
        fits: The modules whose arrays have its shapes, as bits.
        after: The layers that its input depends on, as bits.
        scope: The block or list of steps that it is in.
    """

    fits: int
    after: int
    scope: str = ""


@dataclass(frozen=True)
class Match:
    """The result of a search.

    Attributes:
        modules: The module of each layer; empty if there is no assignment.
        other: Another assignment that agrees as well, if there is one.
        reached: The number of layers that could be assigned in order.
        is_complete: Whether all assignments were tried or excluded.
    """

    modules: tuple[int, ...] = ()
    other: tuple[int, ...] = ()
    reached: int = 0
    is_complete: bool = True


def match(slots: Sequence[Slot], reading: Reading) -> Match:
    """Return the best assignment of modules to layers.

    The layers are assigned in their order. A scope of names that was entered is assigned completely before another one is. Of
    numbered modules, no later one may feed an earlier one. Among such assignments, one is better in which numbered modules
    that follow each other are connected, and layers of one block are in one scope of names.

    Args:
        slots: The layers in order of execution.
        reading: An interpretation of the modules' names.
    """
    return _Search(slots, reading).run()


class _Search:
    def __init__(self, slots: Sequence[Slot], reading: Reading) -> None:
        self._slots, self._reading = slots, reading
        self._needed = 0
        for slot in slots:
            self._needed |= slot.fits
        fitting = [0] * len(reading.scopes)
        self._before = [0] * len(slots)
        for index, slot in enumerate(slots):
            for module in _bits(slot.fits):
                fitting[module] |= 1 << index
            for other in _bits(slot.after):
                self._before[other] |= 1 << index
        self._alike: dict[int, int] = {}
        for module in _bits(self._needed):
            self._alike[fitting[module]] = self._alike.get(fitting[module], 0) | 1 << module
        chains = [tuple(group & self._needed for group in chain.groups) for chain in reading.chains]
        self._chains = [tuple(group for group in groups if group) for groups in chains]
        self._positions: list[list[tuple[int, int]]] = [[] for _ in reading.scopes]
        for number, groups in enumerate(self._chains):
            for position, group in enumerate(groups):
                for module in _bits(group):
                    self._positions[module].append((number, position))
        self._lower = [_prefix_unions(groups) for groups in self._chains]
        self._slot_of = [-1] * len(reading.scopes)
        self._module_of = [-1] * len(slots)
        self._free = self._needed
        self._open = (1 << len(slots)) - 1
        self._work = 0

    def run(self) -> Match:
        """Search depth first, without recursion, since networks have thousands of layers."""
        best: tuple[int, ...] = ()
        other: tuple[int, ...] = ()
        best_cost, reached, since, most = 0, 0, 0, _MOST_WORK
        path: list[int] = []
        costs = [0]
        waiting = [self._candidates(path)]
        while waiting:
            module = next(waiting[-1], None)
            if module is None:
                waiting.pop()
                if path:
                    self._undo(path.pop())
                    costs.pop()
                continue
            if self._work > (most if not other else min(most, since + _MORE_WORK)):
                break
            cost = costs[-1] + self._assign(module, len(path))
            if best and cost > best_cost:
                self._undo(module)
                continue
            path.append(module)
            costs.append(cost)
            reached = max(reached, len(path))
            if len(path) < len(self._slots):
                waiting.append(self._candidates(path))
                continue
            if not best or cost < best_cost:
                best, best_cost, other = tuple(path), cost, ()
            elif not other:
                other, since = tuple(path), self._work
            if other and not best_cost:
                break
            self._undo(path.pop())
            costs.pop()
        return Match(best, other, reached, is_complete=self._work <= most)

    def _candidates(self, path: Sequence[int]) -> Iterator[int]:
        """Return the modules that the next layer may have, those with the smallest costs first."""
        index = len(path)
        found = self._slots[index].fits & self._free
        if path:
            for scope in self._reading.scopes[path[-1]]:
                if scope & self._free:
                    found &= scope
                    break
        costs = []
        later = self._open & ~(1 << index) & ~self._before[index]
        last = 0  # modules that no later layer can have
        for fitting, alike in self._alike.items():
            if not fitting & later:
                last |= alike
        for module in _bits(found):
            if self._work <= _MOST_WORK and self._agrees(module, index, last & self._free):
                self._work += 1
                costs.append((self._assign(module, index), module))
                self._undo(module)
        return iter([module for _, module in sorted(costs)])

    def _agrees(self, module: int, index: int, last: int) -> bool:
        """Return whether a module can be a layer's: it feeds none before it, and those before it can still be assigned."""
        after = self._slots[index].after
        for number, position in self._positions[module]:
            if self._lower[number][position] & last:
                return False
            taken = self._positions_taken(number, position)
            if taken & after:
                return False
        return True

    def _positions_taken(self, number: int, position: int) -> int:
        """Return the layers that have modules which come later in a chain."""
        groups = self._chains[number]
        later = (self._lower[number][-1] & ~self._lower[number][position] & ~groups[position]) & ~self._free
        slots = 0
        for module in _bits(later):
            slots |= 1 << self._slot_of[module]
        return slots

    def _assign(self, module: int, index: int) -> int:
        """Assign a module to a layer; returns the cost of the chains that it completes."""
        self._slot_of[module] = index
        self._free &= ~(1 << module)
        self._open &= ~(1 << index)
        self._module_of[index] = module
        cost = 0
        if index and self._slots[index].scope == self._slots[index - 1].scope:
            cost += 0 if self._is_beside(self._module_of[index - 1], module) else _NOT_IN_SCOPE
        for number, position in self._positions[module]:
            scoring = self._reading.chains[number].scoring
            groups = self._chains[number]
            if scoring == "none" or groups[position] & self._free:
                continue
            for first in (position - 1, position):
                if 0 <= first < len(groups) - 1 and not (groups[first] | groups[first + 1]) & self._free:
                    cost += self._cost(groups[first], groups[first + 1], scoring == "path")
        return cost

    def _cost(self, first: int, second: int, connected: bool) -> int:
        ahead, behind = ([self._slot_of[module] for module in _bits(group)] for group in (first, second))
        cost = _NOT_IN_ORDER if min(ahead) > min(behind) else 0
        if connected:
            before = sum(1 << index for index in ahead)
            cost += 0 if any(self._slots[index].after & before for index in behind) else _NOT_CONNECTED
        return cost

    def _is_beside(self, one: int, two: int) -> bool:
        """Return whether two modules are in one scope, or one is in the scope of the other's name."""
        first, second = self._reading.scopes[one], self._reading.scopes[two]
        return first[:2][-1] == second[:2][-1] or bool(first[0] >> two & 1 or second[0] >> one & 1)

    def _undo(self, module: int) -> None:
        self._open |= 1 << self._slot_of[module]
        self._slot_of[module] = -1
        self._free |= 1 << module


def _prefix_unions(groups: Sequence[int]) -> list[int]:
    """Return, for each position and the end, the union of the groups before it."""
    found = [0]
    for group in groups:
        found.append(found[-1] | group)
    return found


def _bits(mask: int) -> Iterator[int]:
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low
