"""Lower bound of the number of layers in a list of steps, computed without expanding it."""

from __future__ import annotations

from collections.abc import Mapping

from nnspec.spec.blocks import Block
from nnspec.spec.draft import GROUP, NESTING, STEP_KEYS
from nnspec.spec.tree import MappingNode, Scalar, SequenceNode, Tree

_DEEPEST = 40


def least_layers(tree: Tree | None, blocks: Mapping[str, Block]) -> int:
    """Return the least number of layers that a list expands to. A repeat count given by an expression counts as zero.

    Blocks that each use the previous one twice give a billion layers in thirty lines; the bound finds this at once.

    Args:
        tree: List of steps.
        blocks: Blocks that the steps may use.
    """
    return _Counter(blocks).of_list(tree, 0)


class _Counter:
    def __init__(self, blocks: Mapping[str, Block]) -> None:
        self._blocks = blocks
        self._known: dict[str, int] = {}

    def of_list(self, tree: Tree | None, depth: int) -> int:
        items = tree.items if isinstance(tree, SequenceNode) else ()
        return sum(self._of_step(item, depth) for item in items)

    def _of_step(self, item: Tree, depth: int) -> int:
        if not isinstance(item, MappingNode):
            return self._of_operation(str(item.value), None, depth) if isinstance(item, Scalar) else 0
        repeat = item.get("repeat")
        times = 1 if repeat is None else repeat.value if isinstance(repeat, Scalar) else 0
        if not isinstance(times, int) or times < 1:
            return 0
        if GROUP in item:
            return times * self.of_list(item.get(GROUP), depth)
        named = next(((key, value) for key, value in item.items() if key.value not in STEP_KEYS), None)
        return times * self._of_operation(str(named[0].value), named[1], depth) if named else 0

    def _of_operation(self, word: str, arguments: Tree | None, depth: int) -> int:
        if word in self._blocks:
            return self._of_block(word, depth)
        if word not in NESTING or not isinstance(arguments, MappingNode):
            return 1
        branches = arguments.get("branches")
        lists = branches.items if isinstance(branches, SequenceNode) else ()
        if isinstance(branches, MappingNode):
            lists = tuple(value for _, value in branches.items())
        inner = (arguments.get("layers"), arguments.get("shortcut"), *lists)
        return sum(self.of_list(each, depth) for each in inner)

    def _of_block(self, name: str, depth: int) -> int:
        if depth > _DEEPEST:  # recursive blocks are reported elsewhere
            return 0
        if name not in self._known:
            self._known[name] = 0
            self._known[name] = self.of_list(self._blocks[name].layers, depth + 1)
        return self._known[name]
