"""Fixes: exact edits for problems with one certain remedy, and none for others."""

from __future__ import annotations

import pytest

from nnspec.api import validate
from nnspec.diagnostics import Edit, Fix, Span

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


def test_the_json_of_a_fix_has_the_ranges_and_the_new_text():
    fix = Fix("Replace `a` with `b`", (Edit(Span("net.nnspec.yaml", 1, 2, 1, 3), "b"),))
    edit = {"file": "net.nnspec.yaml", "line": 1, "column": 2, "end_line": 1, "end_column": 3, "text": "b"}
    assert fix.as_json() == {"title": "Replace `a` with `b`", "edits": [edit]}
