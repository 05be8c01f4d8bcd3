"""What can be wrong with the section ``sweep`` is reported before anything is trained."""

from __future__ import annotations

import pytest

from nnspec.api import validate

HEAD = """nnspec: 1
name: net
params: {width: 4, kind: relu}
inputs: {x: [8]}
layers:
  - Dense: {units: $width, activation: $kind}
"""


@pytest.mark.parametrize(
    "over",
    [
        "{params.width: {int: [2, 8], step: 2}}",
        "{params.width: {int: [1, 64], log: true}, params.kind: [relu, tanh]}",
        "{'layers[0].Dense.activation': [relu, null]}",
    ],
)
def test_ranges_of_what_stands_in_the_document_are_good(write, over):
    assert validate(write(HEAD + f"sweep: {{over: {over}}}\n")) == []


@pytest.mark.parametrize(
    ("over", "code", "reported"),
    [
        ("{params.widht: [2, 8]}", "NN801", "did you mean `params.width`?"),
        ("{params.width: [2, -8]}", "NN802", ""),
        ("{params.kind: [relu, tanhh]}", "NN802", "did you mean `tanh`?"),
        ("{params.width: {int: [8, 2]}}", "NN105", ""),
        ("{params.width: {int: [0, 2], log: true}}", "NN105", ""),
        ("{params.width: {int: [1, 2], choice: [1]}}", "NN105", ""),
        ("{params.width: {choice: [1], log: true}}", "NN105", ""),
    ],
)
def test_a_range_that_cannot_be_searched_is_reported_at_its_place(write, over, code, reported):
    [found] = validate(write(HEAD + f"sweep: {{over: {over}}}\n"))
    assert (found.code, found.span.line) == (code, 7)
    assert reported in (found.help or "")


def test_what_is_wrong_without_a_sweep_is_not_reported_again_for_each_value(write):
    found = validate(write(HEAD.replace("$kind", "relux") + "sweep: {over: {params.width: [2, 8]}}\n"))
    assert [problem.code for problem in found if problem.is_error] == ["NN105"]
