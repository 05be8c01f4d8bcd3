"""Training batches with several examples of each class: `data.batches`."""

from __future__ import annotations

import numpy as np
import pytest

from nnspec.spec import load
from nnspec.training import resume, train
from nnspec.training.checks.class_batches import check_class_counts
from nnspec.training.loop.class_order import ClassSampling, grouped
from nnspec.training.loop.order import Order
from nnspec.training.loop.progress import Quiet

from .test_resume import Listening

NET = """inputs: {x: [2]}
layers:
  - Dense: {units: 3, activation: softmax}
    name: kind
"""


def spec(batches: str = "{of: kind, each: 4}", more: str = "", train: str = "batch_size: 8", data: str = "") -> str:
    fields = "inputs: {x: {columns: [a, b]}}, targets: {kind: {column: label, transform: [label_encode]}}"
    source = data or f"{{train: {{csv: rows.csv}}, {fields}, batches: {batches}{more}}}"
    return f"{NET}data: {source}\ntrain: {{epochs: 3, {train}, seed: 2, loss: SparseCategoricalCrossentropy}}\n"


@pytest.fixture(autouse=True)
def rows(project):
    """60 rows: 40 of u, 17 of v, 3 of w."""
    labels = ["u"] * 40 + ["v"] * 17 + ["w"] * 3
    lines = [f"{i},{i % 7},{label}" for i, label in enumerate(labels)]
    (project.folder / "rows.csv").write_text("a,b,label\n" + "\n".join(lines) + "\n", encoding="utf-8")


def orders(classes, each: int, batch_size: int, batches: int, seed: int = 0, epoch: int = 0):
    found = ClassSampling(np.asarray(classes), each, batch_size).order(batches, seed, epoch)
    return found.reshape(batches, batch_size // each, each)


@pytest.mark.parametrize(("each", "batch_size"), [(2, 4), (3, 6), (4, 8), (2, 6)])
def test_each_batch_has_as_many_examples_of_each_of_its_classes(each, batch_size):
    classes = np.random.default_rng(0).integers(0, 3, 50)
    for batch in orders(classes, each, batch_size, 20):
        found = classes[batch]
        assert (found == found[:, :1]).all()
        assert len(set(found[:, 0])) == batch_size // each
        assert all(len(set(group.tolist())) == each for group in batch)


def test_all_classes_are_picked_equally_often_and_so_are_the_examples_of_one():
    classes = np.array([0] * 40 + [1] * 8 + [2] * 4)
    found = orders(classes, 4, 4, 30)
    assert np.bincount(classes[found].ravel()).tolist() == [40, 40, 40]
    assert np.bincount(found.ravel()).tolist() == [1] * 40 + [5] * 8 + [10] * 4


def test_a_class_with_fewer_examples_repeats_them():
    classes = np.array([0] * 8 + [1] * 3 + [2])
    for batch in orders(classes, 4, 12, 10):
        groups = {int(classes[group[0]]): np.unique(group, return_counts=True)[1].tolist() for group in batch}
        assert groups[0] == [1, 1, 1, 1]
        assert sorted(groups[1]) == [1, 1, 2]
        assert groups[2] == [4]


def test_batches_depend_on_the_seed_and_the_epoch_only():
    classes = np.arange(40) % 5
    same = [orders(classes, 2, 6, 9, seed=1, epoch=3) for _ in range(2)]
    assert (same[0] == same[1]).all()
    assert (same[0] != orders(classes, 2, 6, 9, seed=1, epoch=4)).any()
    assert (same[0] != orders(classes, 2, 6, 9, seed=2, epoch=3)).any()


def test_an_epoch_has_as_many_steps_as_without_and_all_batches_are_full(project):
    class Pace:
        steps = 3

    prepared = project.prepare(spec())
    plain, sampled = (
        Order((prepared.train,), 8, 2, sampling) for sampling in (None, ClassSampling(prepared.classes["train"], 4, 8))
    )
    assert plain.steps == sampled.steps == 8
    calls = [rows for _, rows in sampled.calls(0, 0, 8, Pace())]
    assert [rows.shape for rows in calls] == [(3, 8), (3, 8), (2, 8)]
    rest = [rows for _, rows in sampled.calls(0, 5, 8, Pace())]
    assert (np.concatenate(rest) == np.concatenate(calls)[5:]).all()


def test_several_batches_of_a_step_are_each_sampled_by_class():
    classes = np.arange(64) % 4
    order = Order((np.zeros(64),), 16, 0, ClassSampling(classes, 4, 8))  # two batches of 8 a step

    class Pace:
        steps = 1

    for _, rows in order.calls(0, 0, order.steps, Pace()):
        for batch in rows.reshape(-1, 2, 4):
            assert (classes[batch] == classes[batch][:, :1]).all()


def test_validation_examples_are_grouped_by_class_and_each_is_used_once():
    classes = np.array([0, 1, 0, 1, 2, 0, 0, 1, 2, 0])
    found = grouped(classes, 2)
    assert sorted(found.tolist()) == list(range(10))
    assert classes[found].tolist() == [0, 0, 1, 1, 2, 2, 0, 0, 1, 0]


@pytest.mark.parametrize("of", ["kind", "label", "b"])
def test_the_class_is_that_of_a_target_an_input_or_a_column(project, of):
    prepared = project.prepare(spec(f"{{of: {of}, each: 2}}", ", validation: 0.2"))
    assert len(prepared.classes["train"]) == len(prepared.train)
    assert len(prepared.classes["validation"]) == len(prepared.validation)
    assert set(prepared.classes["train"].tolist()) == set(range(7 if of == "b" else 3))


def test_small_classes_are_a_warning(project):
    [warning] = [w for w in project.prepare(spec()).warnings if w.code == "NN452"]
    assert warning.path == "data.batches.each"
    assert "`w` (3)" in warning.message
    assert warning.help == "write `each: 3`"


@pytest.mark.parametrize(
    ("text", "code", "path", "help"),
    [
        (spec(train="batch_size: 10"), "NN451", "train.batch_size", "write `batch_size: 8`"),
        (spec(train="batch_size: 2"), "NN451", "train.batch_size", "write `batch_size: 4`"),
        (spec(train="phases: [{epochs: 1, batch_size: 6}]").replace("epochs: 3, ", ""), "NN451",
         "train.phases[0].batch_size", "write `batch_size: 4`"),
        (spec("{of: lable, each: 4}"), "NN404", "data.batches.of", "did you mean `label`?"),
        (spec("{of: x, each: 4}"), "NN451", "data.batches.of", "one class per row"),
        (spec("{of: kind, each: 1}"), "NN105", "data.batches.each", ""),
        (spec("{of: kind}"), "NN104", "data.batches", ""),
    ],
)  # fmt: skip
def test_what_cannot_be_sampled_is_reported_with_its_place_and_fix(project, text, code, path, help):
    problems = [problem for problem in project.plan(text, require_data=False)[1] if problem.is_error]
    assert [(problem.code, problem.path) for problem in problems] == [(code, path)]
    assert help in problems[0].help


def test_values_that_are_not_classes_are_reported_by_row(project):
    (project.folder / "rows.csv").write_text("a,b,label,size\n1,2,u,1\n1,2,v,0.25\n", encoding="utf-8")
    [problem] = project.refuses(spec("{of: size, each: 4}"))
    assert (problem.code, problem.path) == ("NN451", "data.batches.of")
    assert "line 3" in problem.message and "0.25 is not a class" in problem.message


def test_more_classes_a_batch_than_there_are_is_reported_before_the_first_step(project):
    plan, _ = project.plan(spec(train="batch_size: 16"))
    with pytest.raises(Exception, match=r"4 classes of 4, but the training data have 3") as caught:
        check_class_counts(plan, project.prepare(spec(train="batch_size: 16")))
    assert caught.value.diagnostics[0].help.startswith("write `batch_size: 12`")


def test_a_training_resumes_to_the_same_bits_and_its_run_records_the_sampling(project, monkeypatch):
    pytest.importorskip("keras")
    from nnspec.training.loop import loop

    monkeypatch.setattr(loop, "_INITIAL_STEPS_PER_CALL", 2)
    monkeypatch.setattr(loop, "_MOST_STEPS_PER_CALL", 2)
    file = project.folder / "net.nnspec.yaml"
    file.write_text("nnspec: 1\nname: net\n" + spec(more=", validation: 0.2"), encoding="utf-8")
    whole = train(load(file), out=project.folder / "whole", progress=Quiet())
    assert whole.info["data"]["batches"] == {"of": "kind", "each": 4, "classes": 3}
    assert train(load(file), out=project.folder / "cut", progress=Listening(5)).status == "interrupted"
    last = resume(project.folder / "cut", progress=Quiet())
    assert {name: value.tobytes() for name, value in last.weights().items()} == {
        name: value.tobytes() for name, value in whole.weights().items()
    }
