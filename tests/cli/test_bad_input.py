"""Bad input, kind by kind: a diagnostic with file, line and column, and never a traceback."""

from __future__ import annotations

import re

import numpy as np
import pytest
from click.testing import CliRunner

from nnspec.cli import main

HEAD = "nnspec: 1\nname: net\ninputs: {x: [8, 8, 1]}\nlayers:\n"
DATA = (
    "nnspec: 1\nname: net\ninputs: {x: [4]}\nlayers:\n  - Dense: {units: 3, activation: softmax}\n    name: k\n"
    "data:\n  train: {npz: data.npz}\n  inputs: {x: x}\n  targets: {k: y}\ntrain:\n  epochs: 1\n"
    "  loss: {k: SparseCategoricalCrossentropy}\n"
)


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run(text, *command):
        if text is not None:
            (tmp_path / "net.yaml").write_text(text, encoding="utf-8")
        result = CliRunner().invoke(main, [*command, "net.yaml"])
        assert result.exit_code == 1, result.output
        assert "Traceback" not in result.output
        assert "internal error" not in result.output
        return result.output

    return run


def places(output):
    return [
        (code, int(line), int(column))
        for code, line, column in re.findall(r"\[(NN\d+)\].*\n +--> net\.yaml:(\d+):(\d+)", output)
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: [1\n", ("NN010", 2, 1)),
        ("- 1\n", ("NN101", 1, 1)),
        (HEAD + "  - Conv2d: {filters: 1, kernel_size: 3}\n", ("NN204", 5, 5)),
        (HEAD + "  - Conv2D: {filter: 1, kernel_size: 3}\n", ("NN103", 5, 14)),
        (HEAD + "  - Flatten:\n    from: y\n", ("NN221", 6, 11)),
        (HEAD + "  - Conv2D: {filters: -1, kernel_size: 3}\n", ("NN105", 5, 23)),
        (HEAD + "  - Conv2D: {filters: 4, kernel_size: 3, groups: 3}\n", ("NN301", 5, 50)),
        (HEAD + "  - MaxPooling2D: {pool_size: 9}\n", ("NN301", 5, 5)),
        (HEAD + "  - Flatten:\n    name: a\n    from: b\n  - Flatten:\n    name: b\n    from: a\n", ("NN223", 7, 11)),
        (HEAD + "  - Flatten:\n    name: a\n  - Flatten:\n    name: a\n", ("NN206", 8, 11)),
    ],
    ids=[
        "not YAML",
        "a list at the top",
        "layer",
        "argument",
        "from",
        "negative",
        "channels",
        "pooling",
        "cycle",
        "two of one name",
    ],
)
def test_a_mistake_in_a_spec_is_reported_at_its_place(run, text, expected):
    assert places(run(text, "validate")) == [expected]


def test_a_spec_of_10_mb_is_refused_with_the_limit(run):
    assert places(run("#" * 10 * 2**20, "validate")) == [("NN005", 1, 1)]


def test_a_directory_for_a_file_is_reported(run, tmp_path):
    (tmp_path / "net.yaml").mkdir()
    output = run(None, "inspect")
    assert places(output) == [("NN002", 1, 1)]


@pytest.mark.parametrize(
    ("x", "y", "expected"),
    [
        (None, None, ("NN402", 8, 16)),
        (np.ones((9, 4), np.float32), np.r_[np.arange(8) % 3, 7], ("NN425", 10, 16)),
        (np.r_[np.ones((8, 4)), [[1, 1, np.nan, 1]]].astype(np.float32), np.arange(9) % 3, ("NN422", 9, 15)),
    ],
    ids=["a missing file", "labels outside the classes", "NaN"],
)
@pytest.mark.parametrize("command", [["validate", "--data"], ["train"]])
def test_a_mistake_in_the_data_is_reported_at_its_place_before_the_first_step(run, tmp_path, x, y, expected, command):
    if x is not None:
        np.savez(tmp_path / "data.npz", x=x, y=y)
    assert expected in places(run(DATA, *command))
    assert not (tmp_path / "runs").exists()


def test_several_mistakes_are_all_reported(run):
    text = HEAD + "  - Conv2d: {filters: 1, kernel_size: 3}\n  - Conv2D: {filter: 1, kernel_size: 3}\n    from: y\n"
    assert [code for code, *_ in places(run(text, "validate"))] == ["NN204", "NN103", "NN221"]
