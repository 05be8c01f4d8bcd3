"""The validation part by group, by time and by fold."""

from __future__ import annotations

import numpy as np
import pytest

NET = "inputs: {x: [2]}\nlayers:\n  - Dense: {units: 3, activation: softmax}\n    name: kind\n"
TRAIN = "train: {epochs: 1, loss: SparseCategoricalCrossentropy}\n"


def spec(data: str, inputs: str = "x: {columns: [a, b]}") -> str:
    return f"{NET}data: {{train: {{csv: a.csv}}, inputs: {{{inputs}}}, targets: {{kind: kind}}, {data}}}\n{TRAIN}"


@pytest.fixture
def table(project):
    lines = [f"{i},{i},{i % 3},p{i // 4},2026-01-{i // 2 + 1:02}" for i in range(60)]
    order = np.random.default_rng(0).permutation(60)
    (project.folder / "a.csv").write_text("\n".join(["a,b,kind,patient,day", *(lines[i] for i in order), ""]))
    return project


def drawn(project, text):
    """The numbers that are trained on and those that are kept, in the order of the file's lines before they were mixed."""
    prepared = project.prepare(text)
    return tuple(part.batch(slice(None)).inputs["x"][:, 0].astype(int) for part in (prepared.train, prepared.validation))


def test_the_rows_of_a_group_stay_together(table):
    train, kept = drawn(table, spec("validation: 0.2, group: patient"))
    assert len(kept) == 12
    assert not {*(train // 4)} & {*(kept // 4)}


def test_the_last_rows_by_time_are_kept_and_those_of_one_time_together(table):
    train, kept = drawn(table, spec("validation: 0.22, time: day"))
    assert sorted(kept) == list(range(46, 60))
    assert sorted(train) == list(range(46))


def test_time_may_be_a_number(table):
    _, kept = drawn(table, spec("validation: 0.2, time: b", "x: {columns: [a, b]}"))
    assert sorted(kept) == list(range(48, 60))


@pytest.mark.parametrize("more", ["", ", group: patient"])
def test_folds_are_apart_and_come_to_all_rows(table, more):
    kept = [drawn(table, spec(f"validation: {{fold: {{number: {n}, of: 5}}}}{more}"))[1] for n in range(1, 6)]
    assert sorted(np.concatenate(kept)) == list(range(60))
    if more:
        groups = [set(part // 4) for part in kept]
        assert sum(map(len, groups)) == 15
    else:
        assert all(np.bincount(part % 3).tolist() == [4, 4, 4] for part in kept)


def test_folds_in_time_are_trained_on_what_comes_before(table):
    for number in range(1, 5):
        train, kept = drawn(table, spec(f"validation: {{fold: {{number: {number}, of: 4}}}}, time: b"))
        assert sorted(train) == list(range(12 * number))
        assert sorted(kept) == list(range(12 * number, 12 * number + 12))


def test_rows_of_one_time_are_never_in_two_folds_nor_in_a_fold_and_its_training(table):
    (table.folder / "a.csv").write_text(
        "a,b,kind,day\n" + "".join(f"{i},{i},{i % 3},2026-01-{i // 7 + 1:02}\n" for i in range(60))
    )
    kept = []
    for number in range(1, 5):
        train, own = drawn(table, spec(f"validation: {{fold: {{number: {number}, of: 4}}}}, time: day"))
        assert max(train // 7) < min(own // 7)
        kept.append({*own // 7})
    assert sum(map(len, kept)) == len(set.union(*kept))


@pytest.mark.parametrize("test", ["", ", test: {fold: {number: 2, of: 3}}"])
def test_groups_and_times_divide_what_is_left_of_a_test_fold(table, test):
    prepared = table.prepare(spec(f"validation: 0.3, group: patient{test}"))
    parts = [prepared.train, prepared.validation, *([prepared.test] if test else [])]
    groups = [{*(part.batch(slice(None)).inputs["x"][:, 0].astype(int) // 4)} for part in parts]
    assert sum(map(len, groups)) == len(set.union(*groups)) == 15
    prepared = table.prepare(spec(f"validation: 0.3, time: b{test}"))
    ends = [part.batch(slice(None)).inputs["x"][:, 1] for part in (prepared.train, prepared.validation)]
    assert ends[0].max() < ends[1].min()
    assert not test or ends[1].max() < prepared.test.batch(slice(None)).inputs["x"][:, 1].min()


def test_the_columns_that_are_drawn_by_feed_nothing(table):
    (table.folder / "a.csv").write_text("a,b,kind,patient\n" + "".join(f"{i},1,{i % 3},{i // 3}\n" for i in range(30)))
    prepared = table.prepare(spec("validation: 0.5, group: patient", inputs=""))
    assert prepared.recipe["inputs"]["x"]["columns"] == ["a", "b"]


@pytest.mark.parametrize(
    ("data", "code", "reported", "path"),
    [
        ("validation: 0.2, group: patent", "NN404", "there is no column `patent`", "data.group"),
        ("validation: 0.2, group: patient, time: day", "NN105", "only one of `group` and `time`", "data"),
        ("validation: {fold: {number: 6, of: 5}}", "NN105", "`number` must be at most `of`, 5", "data.validation.fold"),
        ("validation: {fold: {number: 1, on: 5}}", "NN103", "on", "data.validation.fold.on"),
        ("validation: {fold: {number: 1, of: 61}}", "NN464", "cannot split 60 rows into 61 folds", "data.validation"),
        ("validation: {fold: {number: 1, of: 16}}, group: patient", "NN464", "cannot split 15 groups", "data.validation"),
        ("validation: 0.95, group: patient", "NN464", "0.95 of 15 groups leaves none to train on", "data.validation"),
        ("validation: 0.2, time: patient", "NN464", "is neither a number nor an ISO 8601 date", "data.time"),
    ],
)
def test_what_cannot_be_drawn_is_refused(table, data, code, reported, path):
    problem = table.refuses(spec(data))[0]
    assert (problem.code, problem.path) == (code, path)
    assert reported in problem.message
