"""Declared shapes of a block's inputs: bound at each use, as for networks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import nnspec
from nnspec.api import validate

from .specs import HEAD

BLOCK = (
    "blocks:\n  join:\n    params: {units: int}\n    inputs: DECLARED\n    layers:\n      - Concatenate:\n        from: [a, b]\n"
    "      - Dense: {units: $units}\n"
)


def found(write: Callable[[str], Path], declared: str, a: str, b: str) -> list[str]:
    text = (
        HEAD
        + BLOCK.replace("DECLARED", declared)
        + f"inputs: {{a: {a}, b: {b}}}\nlayers:\n  - join: {{units: 4}}\n    from: {{a: a, b: b}}\n"
    )
    return [d.message for d in validate(write(text)) if d.is_error]


@pytest.mark.parametrize(
    ("declared", "a", "b"),
    [
        ("{a: null, b: null}", "[7, 2]", "[7, 3]"),
        ("{a: [T, null], b: [T, $units]}", "[7, 2]", "[7, 4]"),
        ("{a: [T, F], b: [T, F]}", "[S, 4]", "[S, 4]"),
        ("{a: {shape: [4]}, b: {shape: ['${2 * units}'], dtype: float32}}", "[4]", "[8]"),
    ],
)
def test_a_use_that_fits_is_accepted(declared: str, a: str, b: str, write: Callable[[str], Path]) -> None:
    assert not found(write, declared, a, b)


@pytest.mark.parametrize(
    ("declared", "a", "b", "message"),
    [
        (
            "{a: [T, null], b: [T, $units]}",
            "[7, 2]",
            "[7, 5]",
            "the block `join` expects (T, 4) as `b`, got (7, 5): 5 is not 4",
        ),
        ("{a: [T, 2], b: [T, 2]}", "[7, 2]", "[6, 2]", "`T` is 7 elsewhere in this use, and 6 here"),
        ("{a: [3, 2], b: null}", "[3]", "[3]", "expects (3, 2) as `a`, got (3,)"),
        ("{a: {shape: [2], dtype: int32}, b: null}", "[2]", "[2]", "of int32, got (2,) of float32"),
        ("{a: [-1], b: null}", "[2]", "[2]", "is not a size"),
        ("{a: {shape: [2], type: float32}, b: null}", "[2]", "[2]", "unknown key `type`"),
    ],
)
def test_a_use_that_does_not_fit_is_an_error_there(
    declared: str, a: str, b: str, message: str, write: Callable[[str], Path]
) -> None:
    [error] = found(write, declared, a, b)
    assert message in error


def test_a_size_that_a_block_declares_twice_is_one_size(write: Callable[[str], Path]) -> None:
    text = HEAD + BLOCK.replace("DECLARED", "{a: [T], b: [T]}").replace("Concatenate", "Add")
    text += "inputs: {a: [S], b: [8]}\nlayers:\n  - Dense: {units: 8}\n    from: b\n  - join: {units: 4}\n    from: {a: a, b: dense}\n"
    assert nnspec.compile(nnspec.load(write(text))).main.bound["S"] == 8
