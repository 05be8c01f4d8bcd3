"""What is written under `train`, `validation` and `test` and is no reader."""

from __future__ import annotations

import pytest

from nnspec.api import validate

NET = "nnspec: 1\nname: net\ninputs: {x: [2]}\nlayers:\n  - Dense: {units: 1}\n    name: y\n"


def found(folder, data: str):
    spec = folder / "net.nnspec.yaml"
    spec.write_text(f"{NET}data:\n  {data}\n", encoding="utf-8")
    [problem] = [problem for problem in validate(spec) if problem.is_error]
    return problem


@pytest.mark.parametrize(("part", "kind"), [("train", "reader"), ("validation", "reader or fold"), ("test", "reader or fold")])
def test_a_bare_file_name_is_answered_with_its_reader(tmp_path, part, kind):
    problem = found(tmp_path, f"{part}: data/My_B.CSV")
    assert problem.message == f"unknown {kind} `data/My_B.CSV`"
    assert (problem.path, problem.help) == (f"data.{part}", "write the reader before the path: `{csv: PATH}`")


@pytest.mark.parametrize(("written", "meant"), [("0.2", "of: 5"), ("0.1", "of: 10"), ("20", "of: 5"), ("0.9", "of: 5")])
def test_a_fraction_as_test_data_is_answered_with_the_fold(tmp_path, written, meant):
    problem = found(tmp_path, f"test: {written}")
    assert (problem.path, problem.help) == ("data.test", f"did you mean `test: {{fold: {{number: 1, {meant}}}}}`?")


@pytest.mark.parametrize(
    ("written", "part"), [("validation: 0.25", "validation"), ("test: {fold: {number: 1, of: 3}}", "test")]
)
def test_data_that_are_not_drawn_by_class_are_named(tmp_path, written, part):
    (tmp_path / "a.csv").write_text("a,b,y\n" + "1,2,0\n2,3,0\n" * 5 + "1,1,1\n", encoding="utf-8")
    spec = tmp_path / "net.nnspec.yaml"
    classes = NET.replace("{units: 1}", "{units: 2, activation: softmax}")
    train = "train: {epochs: 1, loss: SparseCategoricalCrossentropy}\n"
    spec.write_text(f"{classes}data:\n  train: {{csv: a.csv}}\n  {written}\n  inputs: {{x: {{columns: [a, b]}}}}\n{train}")
    reported = [(problem.path, problem.message) for problem in validate(spec, data=True) if problem.code == "NN431"]
    assert [(path, message.partition(":")[0]) for path, message in reported] == [
        (f"data.{part}", f"the {part} split is not stratified by class")
    ]
