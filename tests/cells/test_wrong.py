"""Wrong cells: each has a diagnostic that says what to write."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from nnspec.api import validate

from .specs import HEAD, document

CELL = (
    "blocks:\n  cell:\n    inputs: {x: null, h: SHAPE}\n    layers:\n      - Concatenate:\n        from: [x, h]\n"
    "      - Dense: {units: 4}\n        name: new\n    outputs: OUTPUTS\n"
)


def cell(shape: str = "[4]", outputs: str = "{output: new, h: new}") -> str:
    return CELL.replace("SHAPE", shape).replace("OUTPUTS", outputs)


RUN = "inputs: {x: [T, 2]}\nlayers:\n  - RNN: {cell: cell}\n"
WRONG = {
    "no cell": (HEAD + "inputs: {x: [T, 2]}\nlayers:\n  - RNN: {return_state: true}\n", "`RNN` requires `cell`", "GRUCell"),
    "an unknown cell": (
        HEAD + cell() + RUN.replace("cell: cell", "cell: cel"),
        "unknown recurrent cell `cel`",
        "did you mean `cell`",
    ),
    "a layer that is no cell": (
        HEAD + "inputs: {x: [T, 2]}\nlayers:\n  - RNN: {cell: {Dense: {units: 2}}}\n",
        "`Dense`",
        "block",
    ),
    "an argument of another name": (
        HEAD + cell() + RUN.replace("cell: cell", "cell: cell, return_sequence: true"),
        "`return_sequence`",
        "return_sequences",
    ),
    "a missing argument of the block": (
        document("{x: [T, 2]}", "  - RNN: {cell: minimal_gated}", "minimal_gated"),
        "`units`",
        "minimal_gated: {units: …}",
    ),
    "a state without a shape": (
        HEAD + cell("null") + RUN,
        "the input `h` of the cell `cell` is not fed",
        "inputs: {x: null, h: [64]}",
    ),
    "a state of an unbound size": (
        HEAD + cell("[H]") + RUN,
        "the size `H` of `h` is not determined",
        "symbols of other inputs",
    ),
    "a state of another size": (
        HEAD + cell("[3]") + RUN,
        "input `h` of the cell `cell` is (3,), but its output `h` is (4,)",
        "rename",
    ),
    "an input that is no state": (
        HEAD + cell(outputs="{output: new}") + RUN,
        "`h` of the cell `cell` is not fed, and it is not a state",
        "state",
    ),
    "only states": (HEAD + cell(outputs="{h: new}") + RUN, "all outputs of the cell `cell` are states", "output: h"),
    "a sequence that is no input": (
        HEAD + cell() + RUN.replace("cell: cell", "cell: cell, sequences: [y]"),
        "the cell `cell` has no input `y`",
        "inputs of `cell`",
    ),
    "a sequence that is a state": (
        HEAD + cell() + "inputs: {x: [2], h: [T, 4]}\nlayers:\n  - RNN: {cell: cell, sequences: [h]}\n    from: {x: x, h: h}\n",
        "`h` is a sequence, but the cell `cell` also has an output `h`",
        "sequences",
    ),
    "sequences of different lengths": (
        HEAD
        + cell("[2]").replace("units: 4", "units: 2").replace("{x: null, h: [2]}", "{x: null, y: null, h: [2]}")
        + "inputs: {a: [5, 2], b: [6, 2]}\nlayers:\n  - RNN: {cell: {cell: {}}, sequences: [x, y]}\n    from: {x: a, y: b}\n",
        "`x` has 5 steps, but `y` has 6",
        "crop or pad",
    ),
    "a list of cells": (
        HEAD + "inputs: {x: [T, 2]}\nlayers:\n  - RNN: {cell: [{GRUCell: 4}, {GRUCell: 4}]}\n",
        "a list is not a recurrent cell",
        "",
    ),
    "no time": (HEAD + cell() + RUN.replace("[T, 2]", "[]"), "RNN takes (time, …)", ""),
    "an unknown port": (HEAD + cell() + RUN + "    from: {x: x, state: x}\n", "no input `state`", "`x`, `h`"),
    "a fed state of another size": (
        HEAD + cell() + "inputs: {x: [T, 2], s: [5]}\nlayers:\n  - RNN: {cell: cell}\n    from: {x: x, h: s}\n",
        "the block `cell` expects (4,) as `h`, got (5,)",
        "",
    ),
    "a cell in a sequence": (
        HEAD + "inputs: {x: [T, 2], s: [3]}\nlayers:\n  - GRUCell: {units: 3}\n    from: {x: x, state: s}\n",
        "GRUCell computes one step",
        "RNN: {cell: {GRUCell: …}}",
    ),
    "a penalty in a cell": (
        HEAD + cell().replace("units: 4", "units: 4, activity_regularizer: L2") + RUN,
        "`rnn/new` cannot be in a cell",
        "ActivityRegularization",
    ),
    "a shape that is none": (HEAD + cell("[x]") + RUN, "is not a size", "capital letter"),
    "one direction of another kind": (
        HEAD
        + cell()
        + RUN.replace("RNN: {cell: cell}", "Bidirectional: {layer: {RNN: {cell: cell}}, backward_layer: {GRU: {units: 4}}}"),
        "must both be `RNN`",
        "",
    ),
    "a forward layer that runs backward": (
        HEAD + cell() + RUN.replace("RNN: {cell: cell}", "Bidirectional: {layer: {RNN: {cell: cell, go_backwards: true}}}"),
        "the forward layer has `go_backwards: true`",
        "backward_layer",
    ),
    "an unknown merge": (
        HEAD + cell() + RUN.replace("RNN: {cell: cell}", "Bidirectional: {layer: {RNN: {cell: cell}}, merge_mode: add}"),
        "merge_mode",
        "",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_cell_has_one_diagnostic_that_says_what_to_write(name: str, write: Callable[[str], Path]) -> None:
    text, message, help = WRONG[name]
    found = [diagnostic for diagnostic in validate(write(text)) if diagnostic.is_error]
    assert len(found) == 1, [diagnostic.message for diagnostic in found]
    assert message in found[0].message
    assert help in found[0].help


def test_a_cell_in_itself_is_an_error(write: Callable[[str], Path]) -> None:
    text = HEAD + cell().replace("Dense: {units: 4}", "RNN: {cell: cell}") + RUN
    assert "NN2" in "".join(diagnostic.code for diagnostic in validate(write(text)) if diagnostic.is_error)


def test_inputs_of_a_block_are_a_list_or_a_mapping(write: Callable[[str], Path]) -> None:
    found = validate(write(HEAD + cell().replace("{x: null, h: [4]}", "3") + RUN))
    assert "list of unique names, or a mapping" in found[0].message
    assert "inputs: {x: null" in found[0].help
