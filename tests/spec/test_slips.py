"""The classic slips of YAML: each is explained with the text to type, and what else is wrong is reported too."""

from __future__ import annotations

import pytest

HEAD = "nnspec: 1\nname: net\nparams: {w: 2}\ninputs: {a: [4], b: [4]}\nlayers:\n"


def _errors(problems):
    return [(p.code, p.span.line, p.span.column, p.help) for p in problems if p.is_error]


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ("  - Add\n    from: [a, b]\n", ("NN020", 6, 5, "write `- Add:`, so that it can have `from` below it")),
        ("  - Dense:{units: $w}\n    from: a\n", ("NN018", 6, 10, "write `Dense: {units: $w}`")),
        ("  - Add from: [a, b]\n", ("NN019", 6, 9, "write `- Add:` and, on the next line, `    from: [a, b]`")),
        ("  - Dense: {units: ${w}}\n    from: a\n", ("NN022", 6, 20, 'write `"${w}"`, or `$w`')),
        ("  - Dense: {units: $w}\n    name: d${w}\n    from: [a\n", ("NN010", 9, 1, "")),
        ("  - Dense: {units:3}\n    from: a\n", ("NN103", 6, 13, "missing space after the colon: write `units: 3`")),
        ("  - Dense: {out_features: 3}\n    from: a\n", ("NN103", 6, 13, "it is called `units` here")),
        ("  - Dense: {in_features: 4, units: 3}\n    from: a\n", ("NN103", 6, 13, "remove it: it is inferred from the input")),
        ("\t- ReLU\n", ("NN021", 6, 1, "indent with two spaces per level")),
    ],
)
def test_a_slip_is_explained_once_with_the_text_to_type(checked, steps, expected):
    _, problems = checked(HEAD + steps)
    assert _errors(problems) == [expected]


def test_what_else_is_wrong_is_reported_in_the_same_pass(checked):
    _, problems = checked(HEAD + "  - Add\n    from: [a, b]\n  - Dense:{unit: 3}\n  - Dens: {units: ${w}}\n")
    assert sorted(code for code, *_ in _errors(problems)) == ["NN018", "NN020", "NN022", "NN103", "NN204"]


def test_text_that_only_looks_like_a_slip_is_left_alone(checked):
    _, problems = checked(
        'description: "- Dense:{units: ${w}} from: [a]"\n' + HEAD + "  - Add:  # - Add from: x\n    from: [a, b]\n"
    )
    assert _errors(problems) == []
