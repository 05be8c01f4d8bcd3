from __future__ import annotations

import os

import pytest

from nnspec.data.kinds import DataError
from nnspec.data.paths import MissingFileError, find_file


@pytest.fixture
def root(tmp_path):
    (tmp_path / "outside.csv").write_text("x")
    project = tmp_path / "project"
    (project / "specs" / "data").mkdir(parents=True)
    (project / "specs" / "data" / "a.csv").write_text("x")
    (project / "b.csv").write_text("x")
    return project


@pytest.mark.parametrize("text", ["data/a.csv", "./data/../data/a.csv", "../b.csv"])
def test_a_path_is_relative_to_the_specs_folder_and_stays_below_the_root(root, text):
    assert find_file(text, root / "specs", root).is_file()


@pytest.mark.parametrize("text", ["../../outside.csv", "/etc/hostname", "../../missing.csv"])
def test_a_path_may_not_leave_the_root(root, text):
    with pytest.raises(DataError, match="is outside the project"):
        find_file(text, root / "specs", root)


def test_a_link_may_not_lead_out_of_the_root(root):
    (root / "link.csv").symlink_to(root.parent / "outside.csv")
    (root / "inner.csv").symlink_to(root / "b.csv")
    with pytest.raises(DataError, match="is outside the project"):
        find_file("link.csv", root, root)
    assert find_file("inner.csv", root, root) == root / "b.csv"


def test_a_link_to_itself_is_refused(root):
    (root / "loop").symlink_to(root / "loop")
    with pytest.raises(DataError):
        find_file("loop", root, root)


@pytest.mark.parametrize(
    ("text", "reported"),
    [
        ("https://example.org/a.csv", "is a URL"),
        ("file:///etc/passwd", "is a URL"),
        ("data", "is a directory"),
        ("", "is empty"),
        ("a\0b", "null character"),
        ("~/a.csv", "not expanded"),
        ("x" * 5000, "cannot be"),
    ],
)
def test_what_is_no_path_to_a_file_is_refused(root, text, reported):
    with pytest.raises(DataError, match=reported):
        find_file(text, root / "specs", root)


def test_a_pipe_is_refused(root):
    os.mkfifo(root / "pipe")
    with pytest.raises(DataError, match="a device or a pipe"):
        find_file("pipe", root, root)


def test_a_missing_file_is_reported_apart(root):
    with pytest.raises(MissingFileError, match=r"there is no file `data/c\.csv`"):
        find_file("data/c.csv", root / "specs", root)
