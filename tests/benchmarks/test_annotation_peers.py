"""How the answers of other tools about mistakes in annotations are rated."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.annotation_mistakes import MISTAKES, Mistake, write
from benchmarks.annotation_peers.asking import Copy, _lines
from benchmarks.annotation_peers.table import changed_files, rating


def mistake(format_: str, kind: str) -> Mistake:
    return next(each for each in MISTAKES if (each.format, each.kind) == (format_, kind))


@pytest.mark.parametrize(
    ("format_", "kind", "line", "expected"),
    [
        ("yolo", "commas", "ValueError: could not convert string to float", "something"),
        ("yolo", "commas", "WARNING: images/001.png: ignoring corrupt label", "file"),
        ("yolo", "commas", "WARNING: labels/001.txt, line 1 is broken", "place"),
        ("yolo", "commas", "WARNING: labels/001.txt, line 1: expected five numbers", "remedy"),
        ("yolo", "class that is not listed", "images/001.png contains class_id 7", "place"),
        ("coco", "negative size", "Invalid box extent (-10, 20) in COCO annotation 3", "place"),
        ("coco", "truncated file", "JSONDecodeError: unexpected end: line 12 column 3", "place"),
        ("coco", "image file missing", "could not read images/001.png", "place"),
        ("coco", "image file missing", "could not read images/002.png", "something"),
        ("voc", "truncated file", "ParseError: unclosed token: line 19", "something"),
    ],
)
def test_the_best_line_is_rated_by_what_it_names(format_: str, kind: str, line: str, expected: str) -> None:
    assert rating(mistake(format_, kind), ["WARNING: something else", line]) == expected


def test_silence_is_nothing() -> None:
    assert rating(mistake("yolo", "commas"), []) == "nothing"


def test_any_of_the_changed_files_is_the_right_one(tmp_path: Path) -> None:
    write(tmp_path / "clean")
    made = mistake("yolo", "classes counted from 1")
    write(tmp_path / "copy")
    made.make(tmp_path / "copy/yolo")
    changed = changed_files(tmp_path / "clean/yolo", tmp_path / "copy/yolo")
    assert changed == {f"{number:03}" for number in range(6)}
    assert rating(made, ["images/004.png contains class_id 3"], changed) == "place"


def test_lines_of_source_code_and_of_progress_are_left_out(tmp_path: Path) -> None:
    printed = f"Traceback (most recent call last):\n  raise ValueError(error)\nValueError: {tmp_path}/labels/1.txt is wrong\nepoch 1 of 1\n"
    assert _lines(printed, tmp_path) == ["ValueError: labels/1.txt is wrong"]


def test_a_copy_with_splits_has_two_parts(tmp_path: Path) -> None:
    write(tmp_path / "clean")
    mistake("yolo", "image in two splits").make(tmp_path / "clean/yolo")
    assert [part["images"] for part in Copy(tmp_path / "clean/yolo", "yolo").parts] == ["images/train", "images/val"]
