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
    assert problem.message == f"there is no {kind} `data/My_B.CSV`"
    assert (problem.path, problem.help) == (f"data.{part}", "write the reader before the path: `{csv: PATH}`")


@pytest.mark.parametrize(("written", "meant"), [("0.2", "of: 5"), ("0.1", "of: 10"), ("20", "of: 5"), ("0.9", "of: 5")])
def test_a_fraction_as_test_data_is_answered_with_the_fold(tmp_path, written, meant):
    problem = found(tmp_path, f"test: {written}")
    assert (problem.path, problem.help) == ("data.test", f"did you mean `test: {{fold: {{number: 1, {meant}}}}}`?")
