"""A misspelt optimizer with arguments is named, and is not taken for a network that has an optimizer of its own."""

from __future__ import annotations

import pytest

from nnspec import validate

SPEC = """nnspec: 1
name: net
inputs: {x: [4]}
layers:
  - Dense: {units: 3}
    name: y
data: {train: {builtin: iris}, inputs: {x: {columns: [sepal length (cm), petal length (cm), petal width (cm), sepal width (cm)]}}, targets: {y: target}}
train: {epochs: 1, optimizer: %s, loss: {y: {SparseCategoricalCrossentropy: {from_logits: true}}}}
"""


@pytest.mark.parametrize(
    ("optimizer", "message", "help"),
    [
        ("{Adamm: {learning_rate: 0.1}}", "unknown optimizer `Adamm`", "did you mean `Adam`?"),
        ("{SDG: {learning_rate: 0.1}}", "unknown optimizer `SDG`", "did you mean `SGD`?"),
        ("{Adam: {lr: 0.1}}", "unknown key `lr` in `Adam`", "it is called `learning_rate`"),
        ("{generator: Adam}", "`optimizer` names `generator`, and the training is of one network", "write `optimizer: Adam`"),
    ],
)
def test_what_is_wrong_is_the_name_that_is_written(tmp_path, optimizer, message, help):
    (tmp_path / "net.nnspec.yaml").write_text(SPEC % optimizer)
    [problem] = [problem for problem in validate(tmp_path / "net.nnspec.yaml") if problem.is_error]
    assert (problem.message, problem.help) == (message, help)


def test_the_choices_of_an_argument_keep_a_comma(tmp_path):
    (tmp_path / "net.nnspec.yaml").write_text((SPEC % "Adam").replace("{builtin: iris}", '{csv: {file: a.csv, decimal: ";"}}'))
    messages = [problem.message for problem in validate(tmp_path / "net.nnspec.yaml")]
    assert "`decimal` must be one of `.`, `,`, not the string ';'" in messages
