"""What the throughput table trains: specs without a mistake, and by hand the same nets."""

from __future__ import annotations

import pytest

from benchmarks.training_cases import CASES
from nnspec import compile, load, validate


@pytest.mark.parametrize("name", CASES)
def test_the_spec_of_a_case_has_no_errors(name, tmp_path):
    (tmp_path / "net.nnspec.yaml").write_text(CASES[name].document(2))
    assert [problem for problem in validate(tmp_path / "net.nnspec.yaml") if problem.is_error] == []


@pytest.mark.parametrize("name", ["lstm", "resnet20"])
def test_both_sides_train_nets_of_the_same_size_on_the_same_examples(name, tmp_path):
    pytest.importorskip("keras")
    case = CASES[name]
    case.write(tmp_path)
    (tmp_path / "net.nnspec.yaml").write_text(case.document(2))
    model, given = case.peer(tmp_path)
    assert model.count_params() == compile(load(tmp_path / "net.nnspec.yaml")).main.parameters
    assert (len(given["x"]), given["batch_size"]) == (case.examples, case.batch_size)
