"""The number of classes that a detector predicts, against that of its data."""

from __future__ import annotations

from pathlib import Path

import pytest

import nnspec
from benchmarks.annotation_mistakes import write
from nnspec.drafting import draft_spec


def reported(folder: Path, classes: int) -> list[tuple[str, str]]:
    write(folder / "pets")
    (folder / "pyproject.toml").write_text("")
    text = draft_spec(folder / "pets/voc", folder).text
    file = folder / "pets.nnspec.yaml"
    file.write_text(text.replace("params: {classes: 3", f"params: {{classes: {classes}"))
    return [(each.code, each.message) for each in nnspec.validate(file, data=True)]


def test_as_many_as_the_boxes_have_are_right(tmp_path):
    assert reported(tmp_path, 3) == []


@pytest.mark.parametrize(("classes", "code"), [(2, "NN527"), (5, "NN528")])
def test_fewer_are_an_error_and_more_a_warning(tmp_path, classes, code):
    assert reported(tmp_path, classes) == [
        (code, f"the detections have scores of {classes} classes, but the boxes have 3: `bird`, `cat`, `dog`")
    ]
