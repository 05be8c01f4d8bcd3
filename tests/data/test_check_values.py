"""`validate --data` of a spec that has no section `train` yet."""

from __future__ import annotations

import pytest

from nnspec.api import validate

ROWS = ["p,q,y", *(f"{i},{i * 2},{'rg'[i % 2]}" for i in range(12))]


def reported(
    folder,
    *,
    more: str = "",
    end: str = "",
    x: str = "{columns: [p, q]}",
    y: str = "{column: y, transform: [label_encode]}",
    **files: dict[int, str],
):
    """What is reported; of each file some lines are others."""
    for name, changes in ({"a": {}} | files).items():
        lines = [changes.get(number, row) for number, row in enumerate(ROWS, 1)]
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    spec = folder / "net.nnspec.yaml"
    spec.write_text(
        "nnspec: 1\nname: net\ninputs: {x: [2]}\nlayers:\n  - Dense: {units: 2, activation: softmax}\n    name: y\n"
        f"data:\n  train: {{csv: a.csv}}\n{more}  inputs: {{x: {x}}}\n  targets: {{y: {y}}}\n{end}",
        encoding="utf-8",
    )
    return [(problem.code, problem.path, problem.message) for problem in validate(spec, data=True)]


def test_good_values_are_good_without_a_training(tmp_path):
    assert reported(tmp_path) == []


def test_a_damaged_input_is_reported_with_its_line(tmp_path):
    assert reported(tmp_path, a={5: "x1,2,r"}) == [
        ("NN421", "data.inputs.x", "a.csv, line 5, column `p`: 'x1' is not a number")
    ]


def test_a_target_that_does_not_parse_is_reported_with_its_line(tmp_path):
    found = reported(tmp_path, y="q", a={5: "1,x,r"})
    assert ("NN421", "data.targets.y", "a.csv, line 5, column `q`: 'x' is not a number") in found


@pytest.mark.parametrize("part", ["validation", "test"])
def test_the_values_of_the_other_data_are_checked(tmp_path, part):
    found = reported(tmp_path, more=f"  {part}: {{csv: b.csv}}\n", b={7: "1,,g", 9: "1,2,blue"})
    assert [code for code, *_ in found] == ["NN422", "NN427"]
    assert all("b.csv" in message for *_, message in found)


def test_an_unknown_column_of_a_target_is_reported(tmp_path):
    assert [(code, path) for code, path, _ in reported(tmp_path, y="colour")] == [("NN404", "data.targets.y")]


def test_a_missing_file_is_an_error_where_data_are_to_be_opened(tmp_path):
    assert [code for code, *_ in reported(tmp_path, more="  test: {csv: nowhere.csv}\n")] == ["NN402"]


def test_a_damaged_file_is_reported_once(tmp_path):
    assert [code for code, *_ in reported(tmp_path, a={6: "1,2"})] == ["NN403"]


TRAIN = "train: {epochs: 1, loss: SparseCategoricalCrossentropy}\n"


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ("  shuffel: true\n", "NN103"),
        ("  test: {csv: nowhere.csv}\n", "NN402"),
        ("  validation: {csv: {file: a.csv, delimter: x}}\n", "NN103"),
        ("  group: nothing\n", "NN404"),
        (f"{TRAIN}", ""),
        (f"{TRAIN.replace('epochs', 'epoch')}", "NN103"),
    ],
)
def test_values_are_checked_although_the_sections_have_errors(tmp_path, more, code):
    found = reported(tmp_path, more=more if "train:" not in more else "", a={5: "x1,2,r"}, end=more if "train:" in more else "")
    assert ("NN421", "data.inputs.x", "a.csv, line 5, column `p`: 'x1' is not a number") in found
    assert {code} - {""} <= {each for each, *_ in found}


def test_the_values_of_a_target_are_checked_although_an_input_has_errors(tmp_path):
    found = reported(tmp_path, x="{columns: [p, r]}", y="q", a={5: "1,x,r"})
    assert [(code, path) for code, path, _ in found] == [("NN404", "data.inputs.x.columns[1]"), ("NN421", "data.targets.y")]


@pytest.mark.parametrize("x", ["{columns: [p, y], transform: [standardise_it]}", "{columns: [p, q, y]}"])
def test_the_values_of_what_has_errors_are_not_checked(tmp_path, x):
    found = reported(tmp_path, x=x)
    assert [path for _, path, _ in found if not path.startswith("data.inputs.x")] == []
    assert all("is not a number" not in message for *_, message in found)
