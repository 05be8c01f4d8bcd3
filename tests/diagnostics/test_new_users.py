"""What somebody who knows networks but not the language writes first, and the help that leads on."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from nnspec.api import validate
from nnspec.cli import main

HEAD = "nnspec: 1\nname: net\ninputs: {x: [4, 3]}\n"
LOSS = """blocks:
  balance:
    inputs: [output]
    layers: [{Compute: "sum(output * mean(output, axis=0), axis=1)"}]
layers:
  - Flatten
  - Dense: {units: 4, activation: softmax}
    name: gate
data: {train: {npz: a.npz}}
train: {epochs: 1, loss: {gate: balance}}
"""
TARGET = """layers: [Flatten, {Dense: {units: 1, activation: sigmoid}, name: y}]
data: {train: {npz: a.npz}, targets: {y: {column: y, transform: [{TRANSFORM: 0.5}]}}}
train: {epochs: 1, loss: BinaryCrossentropy}
"""


@pytest.mark.parametrize(
    ("text", "code", "help"),
    [
        (
            "layers:\n  - Dense: {units: 2}\n    from: maximum(x - 1, 0)\n",
            "NN221",
            "`from` takes a name: compute it in a step before, `- Compute: maximum(x - 1, 0)`",
        ),
        ("layers:\n  - Stack: {axis: 1}\n", "NN204", "write `Compute: stack([a, b], axis=1)`"),
        ("layers:\n  - Min: {axis: 1}\n", "NN204", "`Compute: min(x, axis=1)`"),
        ("layers:\n  - Max: {axis: 1}\n", "NN204", "`Compute: max(x, axis=1)`"),
        (LOSS, "NN304", "a mean of all examples of a batch is a step of a training program, `train.objective.program`"),
        (TARGET.replace("TRANSFORM", "threshold"), "NN109", "compare in a block that is the loss"),
        (TARGET.replace("TRANSFORM", "binarize"), "NN109", "compare in a block that is the loss"),
    ],
)
def test_the_help_leads_on(tmp_path, text, code, help):
    file = tmp_path / "net.nnspec.yaml"
    file.write_text(HEAD + text)
    found = {problem.code: problem.help for problem in validate(file)}
    assert help in found[code]


@pytest.mark.parametrize("command", ["train", "crossval", "sweep", "export", "build", "report"])
def test_the_output_of_every_command_is_also_o(command):
    assert "-o, --out" in CliRunner().invoke(main, [command, "--help"]).output


CELL = """blocks:
  gated:
    params: {units: int}
    inputs: {x: null, h: [$units]}
    layers:
      - Concatenate:
        from: [x, h]
      - Dense: {units: $units}
        name: new
    outputs: {output: new, h: new}
layers:
  - RNN: {cell: {gated: {units: 3}}, return_sate: true}
"""
DICE = """blocks:
  dice:
    params: {smooth: 1.0}
    inputs: [target, output]
    layers: [{Compute: square(target - output) * smooth}]
layers: [Flatten, {Dense: {units: 1}, name: y}]
data: {train: {npz: a.npz}}
train: {epochs: 1, loss: LOSS}
"""


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (CELL, {"NN103": "did you mean `return_state`?"}),
        (DICE.replace("smooth: 1.0", "smoth: 1.0").replace("LOSS", "dice"), {"NN221": "did you mean the param `smoth`?"}),
        (DICE.replace("LOSS", "dise"), {"NN109": "did you mean `dice`?"}),
        (DICE.replace("LOSS", "{y: dise}"), {"NN109": "did you mean `dice`?"}),
    ],
)
def test_a_misspelled_name_is_the_only_error_and_its_help_is_the_name(tmp_path, text, found):
    (tmp_path / "a.npz").touch()
    file = tmp_path / "net.nnspec.yaml"
    file.write_text(HEAD + text)
    assert {
        problem.code: problem.help for problem in validate(file) if problem.code != "NN402" and "a.npz" not in problem.message
    } == found
