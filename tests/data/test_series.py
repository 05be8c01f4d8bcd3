"""Windows over a table: what stands where, and what is kept from the training."""

from __future__ import annotations

import numpy as np
import pytest

from nnspec.data.readers.csv import Csv
from nnspec.data.readers.series import Series

NET = "inputs: {x: [4, 2]}\nlayers:\n  - Flatten\n  - Dense: {units: 3}\n    name: y\n"
TRAIN = "train: {epochs: 1, loss: mse}\n"


def spec(window="window: 4, horizon: 3", x="{columns: [load, heat]}", y="load", more="") -> str:
    data = f"data: {{train: {{series: {{csv: a.csv, {window}}}}}, inputs: {{x: {x}}}, targets: {{y: {y}}}{more}}}\n"
    return NET + data + TRAIN


@pytest.fixture
def table(project):
    lines = "".join(f"{i},{i * 10},day {i}\n" for i in range(30))
    (project.folder / "a.csv").write_text("load,heat,day\n" + lines)
    return project


def test_a_window_has_the_rows_of_the_past_and_those_behind_it(table):
    batch = table.prepare(spec()).train.batch(np.array([0, 23]))
    assert batch.inputs["x"][0].tolist() == [[0, 0], [1, 10], [2, 20], [3, 30]]
    assert batch.targets["y"].tolist() == [[4, 5, 6], [27, 28, 29]]
    assert len(table.prepare(spec()).train) == 24


def test_the_stride_lies_between_windows(table):
    prepared = table.prepare(spec("window: 4, horizon: 3, stride: 5"))
    assert prepared.train.batch(slice(None)).targets["y"][:, 0].tolist() == [4, 9, 14, 19, 24]


def test_what_is_known_of_the_future_can_feed_an_input(table):
    x = "{columns: [load, heat], at: future}"
    batch = table.prepare(
        spec("window: 9, horizon: 4", x=x, y="{column: heat, at: past}").replace("units: 3", "units: 9")
    ).train
    assert batch.batch(np.array([0])).inputs["x"][0, :, 0].tolist() == [9, 10, 11, 12]
    assert batch.batch(np.array([0])).targets["y"][0].tolist() == [10.0 * i for i in range(9)]


@pytest.mark.parametrize("stride", [1, 2])
def test_the_last_part_is_kept_and_none_of_its_targets_is_trained_on(table, stride):
    prepared = table.prepare(spec(f"window: 4, horizon: 3, stride: {stride}", more=", validation: 0.25"))
    trained = prepared.train.batch(slice(None))
    kept = prepared.validation.batch(slice(None)).targets["y"]
    assert kept[-1, -1] == 29 - (stride - 1)
    assert len(kept) == -(-len(range(0, 24, stride)) // 4)
    seen = max(trained.inputs["x"][..., 0].max(), trained.targets["y"].max())
    assert kept.min() - stride <= seen < kept.min()


@pytest.mark.parametrize(
    ("text", "code", "reported"),
    [
        (spec(y="lod"), "NN404", "there is no column `lod` in the training data"),
        (spec("window: 5, horizon: 3"), "NN407", "(5, 2)"),
        (spec("window: 4, horizon: 2"), "NN407", "(2,)"),
        (spec("windw: 4"), "NN103", "windw"),
        (spec("window: 0"), "NN105", "window"),
        (spec().replace("csv: a.csv, ", ""), "NN105", "exactly one of `csv`, `jsonl`, `parquet` and `frame`"),
        (spec().replace("csv: a.csv", "csv: b.csv"), "NN402", "there is no file `b.csv`"),
        (spec(y="{column: load, at: now}"), "NN105", "past"),
        (spec().replace("series: {csv: a.csv, window: 4, horizon: 3}", "csv: a.csv").replace("load}}", "{column: load, at: past}}}"),
         "NN463", "`at` requires the reader `series`"),
    ],
)  # fmt: skip
def test_validate_says_what_is_wrong_with_the_windows(table, text, code, reported):
    _, problems = table.plan(text)
    assert (problems[0].code, reported in problems[0].message) == (code, True), problems


def test_columns_nearly_named_are_suggested_without_their_time(table):
    _, [problem] = table.plan(spec(y="lod"))
    assert problem.help == "did you mean `load`?"


def test_a_table_shorter_than_a_window_is_refused(table):
    [problem] = table.refuses(spec("window: 4, horizon: 3").replace("[4, 2]", "[28, 2]").replace("window: 4", "window: 28"))
    assert "got 30 rows, but `window` plus `horizon` is 31" in problem.message


def test_text_is_reported_by_the_row_it_stands_in(table):
    [problem] = table.refuses(spec(x="{columns: [load, day]}"))
    assert problem.code in ("NN408", "NN421")


def test_sunspots_hold_their_order(tmp_path):
    (tmp_path / "a.csv").write_text("n\n" + "\n".join(map(str, range(100))) + "\n")
    reader = Series(csv=Csv(file="a.csv"), window=7, horizon=2, stride=3)
    made = reader.open({"csv": tmp_path / "a.csv"})
    np.testing.assert_array_equal(made.read("n at past", slice(None))[:, 0], np.arange(0, 92, 3))
    line = made.timeline
    assert (line.end[:-1] <= line.future[1:]).all()  # nothing that a window predicts is in the window before


@pytest.mark.parametrize("reader", ["{series: {csv: {file: a.csv, delimeter: x}, window: 4}}", "{images: {foldr: p}}"])
def test_a_misspelt_argument_is_all_that_is_reported(table, reader):
    _, problems = table.plan(spec().replace("{series: {csv: a.csv, window: 4, horizon: 3}}", reader))
    assert [problem.code for problem in problems] == ["NN103"]


def test_an_unknown_column_of_times_is_reported_when_the_data_are_checked_too(tmp_path):
    from nnspec.api import validate

    (tmp_path / "a.csv").write_text("load,heat\n" + "1,2\n" * 9)
    (tmp_path / "net.nnspec.yaml").write_text("nnspec: 1\nname: net\n" + spec("window: 4, horizon: 3, time: hour"))
    [problem] = validate(tmp_path / "net.nnspec.yaml", data=True)
    assert (problem.code, problem.message) == ("NN404", "there is no column `hour` in the training data")
