"""Blocks that occur several times become functions only if the calls can be grouped."""

from __future__ import annotations

from nnspec.ejecting import ejected
from nnspec.ejecting.blocks import ordered

from ..onnx_backend.nets import graph_of_text

_HEAD = "nnspec: 1\nname: net\ninputs: {x: [8]}\nblocks:\n"
_PAIR = """\
  pair:
    params: {units: 4, rate: 0.1}
    layers:
      - Dense: {units: $units}
      - Dropout: $rate
      - Dense: {units: $units, activation: relu}
"""


def _code(text: str) -> str:
    return ejected({"main": graph_of_text(_HEAD + text)}, "net")


def test_arguments_that_differ_are_parameters_and_equal_ones_are_not() -> None:
    code = _code(_PAIR + "layers:\n  - pair: {units: 3, rate: 0.5}\n  - pair: {units: 5, rate: 0.5}\n")
    assert "def pair_block(x, name, units):" in code
    assert code.count("units=units") == 2
    assert "rate=0.5" in code
    assert 'pair_1 = pair_block(pair, "pair_1", units=5)' in code


def test_a_block_that_is_used_once_is_no_function() -> None:
    code = _code(_PAIR + "layers:\n  - pair\n")
    assert "_block(" not in code
    assert "# pair\n" in code


def test_blocks_of_different_structure_are_different_functions() -> None:
    other = "  other: {layers: [{Dense: {units: 8}}, ReLU, {Dense: {units: 8}}]}\n"
    code = _code(_PAIR + other + "layers: [pair, pair, other, other]\n")
    assert "def pair_block(x, name):" in code
    assert "def other_block(x, name):" in code


def test_items_that_need_each_other_have_no_order() -> None:
    reads = {"a": ["b"], "b": ["a"], "c": []}
    made = {"a": 0, "b": 1, "c": 2}
    assert ordered(["a", "b", "c"], made, reads.__getitem__) is None  # type: ignore[arg-type]
    assert ordered(["b", "a"], {"a": 1, "b": 0}, {"a": [], "b": ["a"]}.__getitem__) == ["a", "b"]  # type: ignore[arg-type]


def test_a_layer_that_is_used_in_two_places_is_in_no_function() -> None:
    network = "  tower: {inputs: {x: [8]}, layers: [{Dense: {units: 8}}, ReLU, {Dense: {units: 8}}]}\n"
    code = ejected({"main": graph_of_text(f"{_HEAD.replace('blocks', 'networks')}{network}layers: [tower, tower]\n")}, "net")
    assert "_block(" not in code
    assert "tower_dense = tower_dense_layer(x)" in code
