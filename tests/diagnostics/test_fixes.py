"""Fixes: exact edits for problems with one certain remedy, and none for others."""

from __future__ import annotations

import re

import pytest

from nnspec.api import validate
from nnspec.diagnostics import Edit, Fix, Span
from nnspec.diagnostics.applying import Edited
from nnspec.explanations.codes import all_problems, explain_code

HEAD = "nnspec: 1\nname: net\ninputs: {image: [8, 8, 1]}\nlayers:\n"


@pytest.fixture
def fixes_of(tmp_path):
    def fixes(text):
        file = tmp_path / "net.nnspec.yaml"
        file.write_bytes(text.encode())
        return [diagnostic.fix for diagnostic in validate(file) if diagnostic.is_error]

    return fixes


def edited(text, fix):
    """The text after a fix, by lines and columns alone."""
    lines = text.split("\n")
    [edit] = fix.edits
    span = edit.span
    assert span.line == span.end_line
    line = lines[span.line - 1]
    lines[span.line - 1] = line[: span.column - 1] + edit.text + line[span.end_column - 1 :]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("  - Con2D: {filters: 2, kernel_size: 3}\n", "Con2D Conv2D"),
        ("  - Linear: {units: 2}\n", "Linear Dense"),
        ("  - Dense: {unist: 2}\n", "unist units"),
        ("  - Dense: {units: 2, use-bias: false}\n", "use-bias use_bias"),
        ("  - Dense: {units: 2, activation: rleu}\n", "rleu relu"),
        ("  - Conv2D: {filters: 2, kernel_size: 3, padding: SAME}\n", "SAME same"),
        ("  - Dense: {units: 2}\n    naem: a\n", "naem name"),
        ("  - Dense: {units: 2}\n    name: first\n  - Dense: {units: 2}\n    from: fisrt\n", "fisrt first"),
        ("  - Dense: {units: 2, kernel_initializer: HeNormall}\n", "HeNormall HeNormal"),
        ("  - Dense: {units: 2, kernel_initializer: {RandomNormal: {stdev: 1}}}\n", "stdev stddev"),
    ],
)
def test_a_misspelled_word_is_replaced_by_the_only_one_that_it_can_mean(fixes_of, wrong, right):
    old, new = right.split()
    [fix] = fixes_of(HEAD + wrong)
    assert fix.title == f"Replace `{old}` with `{new}`"
    assert edited(HEAD + wrong, fix) == HEAD + wrong.replace(old, new)


@pytest.mark.parametrize(
    "several",
    [
        "  - ConvD: {filters: 2, kernel_size: 3}\n",
        "  - Conv2D: {filters: 2, kernel_size: 3, init: zeros}\n",
        "  - Dense: {units: 2, activation: lu}\n",
        "  - Dense: {units: 2}\n    name: first1\n  - Dense: {units: 2}\n    from: first2\n",
        "  - GlobalAveragePool\n",
    ],
)
def test_a_word_that_can_mean_several_or_another_number_has_no_fix(fixes_of, several):
    fixes = fixes_of(HEAD + several)
    assert fixes
    assert not any(fixes)


def test_a_name_that_several_places_have_may_be_right_and_its_definition_wrong(fixes_of):
    steps = "  - Dense: {units: 2}\n    name: first\n" + "  - Dense: {units: 2}\n    from: fisrt\n" * 2
    assert fixes_of(HEAD + steps) == [None, None]
    [one, two] = fixes_of(HEAD + "  - Dense: {unist: 2}\n" * 2)  # the language defines arguments
    assert one
    assert two


def test_quotes_around_a_misspelled_word_stay(fixes_of):
    text = HEAD + "  - Dense: {'unist': 2, activation: \"rleu\"}\n"
    assert [edited(text, fix).split("\n")[4] for fix in fixes_of(text)] == [
        "  - Dense: {'units': 2, activation: \"rleu\"}",
        "  - Dense: {'unist': 2, activation: \"relu\"}",
    ]


def test_a_word_that_is_not_literally_in_the_file_has_no_fix(fixes_of):
    assert fixes_of(HEAD + "  - Dense: {units: 2, activation: \"${'rl' + 'eu'}\"}\n") == [None]
    assert fixes_of(HEAD + '  - Dense: {units: 2, activation: "rl\\x65u"}\n') == [None]


def test_lines_are_counted_as_the_parser_counts_them(fixes_of):
    text = (HEAD + "  - Dense: {unist: 2}\n").replace("\n", "\r\n")
    [fix] = fixes_of("\ufeff" + text)
    assert fix == Fix("Replace `unist` with `units`", (Edit(Span(fix.edits[0].span.file, 5, 13, 5, 18), "units"),))


@pytest.mark.parametrize("newline", ["\r\n", "\r"])
def test_line_breaks_of_other_systems_change_no_diagnostic(tmp_path, newline):
    file = tmp_path / "net.nnspec.yaml"
    texts = [problem.fails for problem in all_problems().values() if problem.fails]
    expression = HEAD + "  - Flatten\n  - Compute: x + *y: 1\n  - Compute: flatten[:, 1: ]\n  - Compute: flatten + 1\n"
    for text in [*texts, expression]:
        file.write_bytes(text.encode())
        expected = [(each.code, each.span, each.message, each.fix) for each in validate(file)]
        file.write_bytes(text.replace("\n", newline).encode())
        found = [(each.code, each.span, each.message, each.fix) for each in validate(file)]
        assert _with_plain_breaks(found) == _with_plain_breaks(expected), text


def _with_plain_breaks(found):
    return [re.sub(r"(\\r)?\\n|\\r", "/", repr(each)) for each in found]


def test_the_json_of_a_fix_has_the_ranges_and_the_new_text():
    fix = Fix("Replace `a` with `b`", (Edit(Span("net.nnspec.yaml", 1, 2, 1, 3), "b"),))
    edit = {"file": "net.nnspec.yaml", "line": 1, "column": 2, "end_line": 1, "end_column": 3, "text": "b"}
    assert fix.as_json() == {"title": "Replace `a` with `b`", "edits": [edit]}


def test_what_can_be_fixed_is_stated_of_the_code(tmp_path):
    file = tmp_path / "net.nnspec.yaml"
    for problem in all_problems().values():
        file.write_text(problem.fails or "nnspec: 1", encoding="utf-8")
        for diagnostic in validate(file):
            assert diagnostic.fix is None or all_problems()[diagnostic.code].fixable, diagnostic
    assert "Fixed by `nnspec validate --fix`: the colon is added." in explain_code("NN020")
    assert "It cannot be fixed automatically." in explain_code("NN301")


OTHERS = {
    "in_features: 3, units: 2": "units: 2",
    "units: 2, in_features: 3": "units: 2",
    "out_features: 2": "units: 2",
    "units: '2'": "units: 2",
    "units: 2.0": "units: 2",
    "units: 2, use_bias: yes": "units: 2, use_bias: true",
    "units: 2, activation: None": "units: 2, activation: null",
    "units:2": "units: 2",
    "units: 2, units: 2": "units: 2",
    "<<: {units: 2, use_bias: true}, use_bias: false": "units: 2, use_bias: false",
    "units: !!int 2": "units: 2",
    "units: !!str 2": 'units: "2"',
    "units: ${2 * 1}": 'units: "${2 * 1}"',
    "units: '${2 ^ 1}'": "units: '${2 ** 1}'",
    "units: 2, trainable: true": "units: 2",
}


@pytest.mark.parametrize(("wrong", "right"), OTHERS.items(), ids=list(OTHERS))
def test_other_certain_remedies_change_only_what_is_wrong(tmp_path, wrong, right):
    file = tmp_path / "net.nnspec.yaml"
    file.write_text(f"{HEAD}  - Dense: {{{wrong}}}  # why\n", encoding="utf-8")
    result = apply_once(file)
    assert result == f"{HEAD}  - Dense: {{{right}}}  # why\n"


def apply_once(file):
    """The text after the fix of the first error."""
    text = file.read_text(encoding="utf-8")
    fix = next(diagnostic.fix for diagnostic in validate(file) if diagnostic.is_error)
    assert fix is not None
    changed = Edited(text)
    assert changed.add(fix.edits)
    return changed.text


@pytest.mark.parametrize("value", ["batch_first: false", "trainable: false", "stateful: true", "hidden_size: 3"])
def test_what_states_something_else_than_the_language_does_is_not_removed(tmp_path, value):
    file = tmp_path / "net.nnspec.yaml"
    file.write_text(f"{HEAD}  - LSTM: {{units: 2, {value}}}\n", encoding="utf-8")
    [unknown] = [diagnostic for diagnostic in validate(file) if diagnostic.code == "NN103"]
    assert unknown.fix is None


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("  - Dense:\n      in_features: 3 # c\n      units: 2\n", "  - Dense:\n      units: 2\n"),
        ("  - Dense:\n      units: 2\n      name: a # c\n", "  - Dense:\n      units: 2\n    name: a # c\n"),
        ("  - Dense: {units: 2, name: a} # c\n", "  - Dense: {units: 2} # c\n    name: a\n"),
        ("  - {Dense: {units: 2, name: a}}\n", "  - {Dense: {units: 2}, name: a}\n"),
        ("  - Dense:\n      units: 2\n    Flatten:\n", "  - Dense:\n      units: 2\n  - Flatten:\n"),
        ("  Dense: 2\n  ReLU:\n", "  - Dense: 2\n  - ReLU:\n"),
        ("  - Add from: [image, image] # c\n", "  - Add:\n    from: [image, image] # c\n"),
        ("  - Flatten\n\t- ReLU\n  - ReLU\n", "  - Flatten\n  - ReLU\n  - ReLU\n"),
    ],
)
def test_lines_are_moved_indented_and_removed_as_a_whole(tmp_path, wrong, right):
    file = tmp_path / "net.nnspec.yaml"
    file.write_text(HEAD + wrong, encoding="utf-8")
    assert apply_once(file) == HEAD + right


def test_a_value_that_comes_from_a_param_is_fixed_where_it_is_written(tmp_path):
    file = tmp_path / "net.nnspec.yaml"
    head = "nnspec: 1\nname: net\nparams: {act: rleu}\ninputs: {x: [4]}\nlayers:\n"
    file.write_text(f"{head}  - Dense: {{units: 2, activation: $act}}\n", encoding="utf-8")
    assert apply_once(file) == f"{head.replace('rleu', 'relu')}  - Dense: {{units: 2, activation: $act}}\n"
