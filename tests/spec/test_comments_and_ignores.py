from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

import nnspec
from nnspec.api import validate
from nnspec.spec.comments import comments

NET = "nnspec: 1\nname: net\ninputs: {x: [4], z: [3]}MARK\nlayers:\n  - Dense: {units: 2}\n    from: x\n  - Dropout: {rate: 0.5}END\n"


def codes(write, mark: str = "", end: str = "", **arguments) -> list[str]:
    return [d.code for d in validate(write(NET.replace("MARK", mark).replace("END", end)), **arguments)]


def test_comments_are_reported_from_the_same_characters_in_scalars():
    text = (
        "# a\nx: \"# no\" # b\ny: | # c\n  # no\n  text\n# d\nz: 'a # b\n  # no' # e\nw: a#b #f\n"
        'v: [a, "b", # g\n   "# no"]\ns: >-\n   # no\n\n# h\n'
    )
    assert [comment.strip("# ") for _, _, comment in comments(text)] == list("abcdefgh")


def test_a_comment_knows_its_line_and_column():
    assert list(comments('a: "é# x" # ü\r\nb: 1 # z\r\n')) == [(1, 11, "# ü"), (2, 6, "# z")]


@given(st.lists(st.sampled_from(["a: ", "#", " #", '"', "'", "- ", "|\n", "\n", "  ", "[", "]", "é", "x"]), max_size=30))
def test_any_text_has_comments_that_stand_where_they_are_reported_to(pieces):
    text = "".join(pieces)
    lines = text.splitlines()
    for line, column, comment in comments(text):
        assert lines[line - 1][column - 1 :].rstrip() == comment
        assert column == 1 or lines[line - 1][column - 2] in " \t"


def test_comments_are_found_in_linear_time():
    for text in ('a: "' + "# " * 200_000 + '"', '- "#" # x\n' * 40_000, " #" * 400_000):
        start = time.perf_counter()
        list(comments(text))
        assert time.perf_counter() - start < 3


def test_without_an_ignore_the_warnings_are_there(write):
    assert codes(write) == ["NN232", "NN242"]


def test_an_ignore_silences_its_code_on_its_line_alone(write):
    assert codes(write, mark=" # nnspec: ignore[NN232]") == ["NN242"]


def test_a_list_of_codes_and_text_around_them_are_read(write):
    assert codes(write, " # fed later  # nnspec: ignore[NN232]", "  #nnspec:ignore[ NN242 ,]") == []


def test_an_ignore_in_a_string_is_none(write):
    text = NET.replace("END", "").replace(
        "inputs: {x: [4], z: [3]}MARK", 'inputs: {x: [4], z: [3]}\ndescription: "# nnspec: ignore[NN232]"'
    )
    assert [d.code for d in validate(write(text))] == ["NN232", "NN242"]


def test_errors_cannot_be_ignored(write):
    text = NET.replace("units: 2}", "unit: 2} # nnspec: ignore[NN103]").replace("MARK", "").replace("END", "")
    found = {d.code: d.message for d in validate(write(text))}
    assert "NN103" in found
    assert found["NN008"] == "`NN103` is an error, and errors cannot be ignored"


@pytest.mark.parametrize(
    ("mark", "token", "reason"),
    [
        (" # nnspec: ignore[NN232, NN242]", "NN242", "unused ignore: no `NN242` on this line"),
        (" # nnspec: ignore[NN232, NN999]", "NN999", "unknown code `NN999`"),
        (" # see below # nnspec: ignore", "# nnspec: ignore", "invalid `nnspec:` comment"),
        (" # nnspec: ignored[NN232]", "# nnspec: ignored[", "invalid `nnspec:` comment"),
    ],
)
def test_an_ignore_that_silences_nothing_is_a_warning_at_its_code(write, mark, token, reason):
    text = NET.replace("MARK", mark).replace("END", "")
    [useless] = [d for d in validate(write(text)) if d.code == "NN008"]
    assert (useless.severity, useless.message, useless.span.line) == ("warning", reason, 3)
    assert text.splitlines()[2][useless.span.column - 1 : useless.span.end_column - 1] == token


def test_a_commented_key_is_no_ignore(write):
    assert codes(write, " # nnspec: 1") == ["NN232", "NN242"]


def test_ignores_of_what_depends_on_the_data_are_let_be(write):
    assert codes(write, " # nnspec: ignore[NN232, NN431]") == ["NN242"]


def test_with_errors_only_what_can_be_known_of_ignores_is_reported(write):
    text = NET.replace("units: 2", "unit: 2").replace("MARK", " # nnspec: ignore[NN232]").replace("END", "")
    assert "NN008" not in {d.code for d in validate(write(text))}


def test_what_is_ignored_is_not_reported_by_other_commands_either(write):
    silent = NET.replace("MARK", " # nnspec: ignore[NN232]").replace("END", " # nnspec: ignore[NN242]")
    assert nnspec.compile(nnspec.load(write(silent))).diagnostics == ()
    assert len(nnspec.compile(nnspec.load(write(silent.replace("ignore", "noted")))).diagnostics) == 2
