from __future__ import annotations

from nnspec.diagnostics import Diagnostic, Note, Span
from nnspec.diagnostics.render import render, summary


def _rendered(text: str, column: int, end: int, **more: object) -> str:
    diagnostic = Diagnostic("NN000", "error", "wrong", Span("f", 1, column, 1, end), **more)
    return render(diagnostic, lines=lambda _: [text])


def test_the_caret_stands_under_the_token():
    assert _rendered("a: bad", 4, 7).splitlines()[-2:] == ["1 | a: bad", "  |    ^^^"]


def test_wide_characters_and_tabs_move_the_caret_by_what_they_take_on_the_screen():
    assert _rendered("\t界: bad", 5, 8).splitlines()[-1] == "  | \t    ^^^"


def test_a_very_long_line_is_shown_around_the_place():
    text = "x" * 5000 + "bad" + "y" * 5000
    shown, caret = _rendered(text, 5001, 5004).splitlines()[-2:]
    assert len(shown) < 200
    assert shown[caret.index("^") : caret.index("^") + 3] == "bad"


def test_a_note_without_a_place_is_one_line():
    assert _rendered("a: bad", 4, 7, notes=(Note("because"),)).endswith("= note: because")


def test_a_place_outside_the_file_shows_no_source():
    diagnostic = Diagnostic("NN000", "error", "wrong", Span("f", 9, 1, 9, 2))
    assert render(diagnostic, lines=lambda _: ["a"]) == "error[NN000]: wrong\n --> f:9:1"


def test_the_summary_counts_files_with_errors():
    bad = Diagnostic("NN000", "error", "wrong", Span("f", 1, 1, 1, 2))
    assert summary([bad, bad], 3) == "2 errors in 1 of 3 specs"
