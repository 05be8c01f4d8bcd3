"""The time of a series' rows, and several series in one table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnspec.data.readers.csv import Csv
from nnspec.data.readers.series import Series
from nnspec.data.split import InTime, fold_in_time, split_by_time

CASES = Path(__file__).parent.parent / "cases" / "series"
NET = "inputs: {h: [12, 2]}\nlayers:\n  - GRU: {units: 6}\n  - Dense: {units: 3}\n    name: y\n"


def spec(arguments: str, more: str = "", inputs: str = "{columns: [load, temp], transform: [standardize]}") -> str:
    data = f"data: {{train: {{series: {{{arguments}, window: 12, horizon: 3}}}}, inputs: {{h: {inputs}}}, targets: {{y: load}}{more}}}\n"
    return NET + data + "train: {epochs: 1, loss: mse}\n"


@pytest.fixture
def cases(project):
    for name in ("ok", "rev", "gap", "ids"):
        (project.folder / f"{name}.csv").write_bytes((CASES / f"{name}.csv").read_bytes())
    return project


@pytest.fixture
def times(project):
    """Writes times and numbers, and gives what the reader says of them."""

    def write(rows, more="", *, columns="time,load,temp"):
        lines = [f"{time},{i},{i * 2}" for i, time in enumerate(rows)]
        (project.folder / "a.csv").write_text("\n".join([columns, *lines, ""]))
        return spec(f"csv: a.csv, time: time{more}")

    return write


def hours(count, skip=()):
    return [f"2024-03-{1 + i // 24:02} {i % 24:02}:00:00" for i in range(count) if i not in skip]


@pytest.mark.parametrize(
    ("arguments", "reported"),
    [
        (
            "csv: rev.csv, time: time",
            "rev.csv, line 3, column `time`: the rows are in descending order, from 2024-03-09 07:00:00",
        ),
        (
            "csv: gap.csv, time: time",
            "gap.csv, line 82, column `time`: 2024-03-06 00:00:00 is 1 day, 17:00:00 after 2024-03-04 07:00:00",
        ),
        (
            "csv: ids.csv, time: time",
            "ids.csv, line 102, column `time`: 2024-03-01 00:00:00 is before the time of the previous row",
        ),
    ],
)
def test_what_is_wrong_with_the_times_is_an_error_with_its_row(cases, arguments, reported):
    [problem] = cases.refuses(spec(arguments))
    assert (problem.code, problem.path) == ("NN470", "data.train.series.time")
    assert reported in problem.message


def test_the_help_names_the_column_that_distinguishes_the_series(cases):
    [problem] = cases.refuses(spec("csv: ids.csv, time: time"))
    assert problem.help == "`id` probably identifies several series: write `by: id`"


@pytest.mark.parametrize(
    ("name", "reported", "help"),
    [
        ("rev", "`time` looks like the time, but it decreases at 199 rows, first at rev.csv, line 3", "sort the rows by it"),
        ("gap", "`time` looks like the time, but it is not evenly spaced at 1 row, first at gap.csv, line 82", "gaps: split"),
        ("ids", "`time` looks like the time, but it decreases at 1 row, first at ids.csv, line 102", "`by: id`"),
    ],
)
def test_without_time_what_can_be_seen_is_a_warning(cases, name, reported, help):
    [warning] = cases.prepare(spec(f"csv: {name}.csv")).warnings
    assert warning.code == "NN471"
    assert reported in warning.message
    assert help in warning.help


@pytest.mark.parametrize(
    ("form", "suspect"),
    [
        ("{d:02}.{m:02}.2024", True),
        ("{m}/{d}/2024 0:00", True),
        ("2024/{m:02}/{d:02}", True),
        ("{m:02}/{d:02}/24", True),
        ("{d:02}. day of {m}", False),
    ],
)
def test_dates_in_other_forms_are_seen_too(project, form, suspect):
    days = [(1 + i // 28, 1 + i % 28) for i in range(56)]
    for rows, warned in ((days[:28], False), (days[27::-1], suspect)):
        lines = [f"{form.format(m=m, d=d)},{i},{i}" for i, (m, d) in enumerate(rows)]
        (project.folder / "a.csv").write_text("\n".join(["when,load,temp", *lines, ""]))
        assert [w.code for w in project.prepare(spec("csv: a.csv")).warnings] == ["NN471"] * warned


def test_a_series_in_order_is_fine_with_and_without_time(cases):
    for arguments in ("csv: ok.csv", "csv: ok.csv, time: time", "csv: gap.csv, time: time, gaps: ignore"):
        assert cases.prepare(spec(arguments)).warnings == ()


def test_runs_of_one_name_look_like_several_series(project):
    rows = "".join(f"{'AB'[i // 40]},{i},{i}\n" for i in range(80))
    (project.folder / "a.csv").write_text("id,load,temp\n" + rows)
    [warning] = project.prepare(spec("csv: a.csv")).warnings
    assert "`id` looks like a series label: it is constant over 2 runs" in warning.message
    assert project.prepare(spec("csv: a.csv, by: id")).warnings == ()


def test_windows_never_span_a_gap_that_splits(times, project):
    prepared = project.prepare(times(hours(60, skip={20, 41}), ", gaps: split"))
    batch = prepared.train.batch(slice(None))
    steps = np.concatenate([batch.inputs["h"][..., 0], batch.targets["y"]], 1)
    assert len(steps) == (20 - 14) + (20 - 14) + (18 - 14)


def test_runs_shorter_than_a_window_are_reported(times, project):
    [warning] = project.prepare(times(hours(60, skip={20, 30}), ", gaps: split")).warnings
    assert (warning.code, warning.path) == ("NN471", "data.train.series.window")
    assert "a run of rows (9 in total) is shorter than `window` plus `horizon`, 15 rows" in warning.message


@pytest.mark.parametrize("mixed", [False, True])
def test_windows_never_cross_from_one_series_to_the_next(project, mixed):
    rows = [f"{name},{i},{base + i},0" for name, base in (("A", 0), ("B", 1000), ("C", 2000)) for i in range(20)]
    if mixed:
        rows = [rows[i + 20 * part] for i in range(20) for part in range(3)]
    (project.folder / "a.csv").write_text("\n".join(["id,time,load,temp", *rows, ""]))
    data = spec("csv: a.csv, time: time, by: id", inputs="{columns: [load, temp]}")
    batch = project.prepare(data).train.batch(slice(None))
    every = np.concatenate([batch.inputs["h"][..., 0], batch.targets["y"]], 1)
    assert len(every) == 18
    assert (np.diff(every, axis=1) == 1).all()


def test_several_columns_may_tell_series_apart(project):
    rows = [f"{a},{b},{i},{i},{i}" for a in "AB" for b in (1, 2) for i in range(20)]
    (project.folder / "a.csv").write_text("\n".join(["shop,item,time,load,temp", *rows, ""]))
    assert len(project.prepare(spec("csv: a.csv, time: time, by: [shop, item]")).train) == 4 * 6
    [problem] = project.refuses(spec("csv: a.csv, time: time, by: [shop]"))
    assert problem.code == "NN470"


@pytest.mark.parametrize(
    ("rows", "reported", "help"),
    [
        (["2024-02-27", "2024-02-28", "2024-02-28", *hours(20)], "is equal to the time of the previous row", "keep one row"),
        (["01.03.2024"] * 20, "`01.03.2024` is neither a number nor an ISO 8601 date", "write the year first: `2024-03-01`"),
        (["03/14/2024 10:00"] * 20, "`03/14/2024 10:00` is neither a number", "`2024-03-14 10:00`"),
        (["03/04/2024"] * 20, "`03/04/2024` is neither a number", "if the day comes first in the data, `2024-03-04` if the month does"),
        (["2024/03/01"] * 20, "`2024/03/01` is neither a number", "`2024-03-01`"),
        (["1 Mar 2024"] * 20, "`1 Mar 2024` is neither a number", "the month as a number"),
        (["10:00"] * 20, "`10:00` is neither a number", "a time of day does not order"),
        (["2024-03-01T00:00:00Z", "2024-03-01T01:00:00", *hours(20)], "has no UTC offset", "with a UTC offset, or all without"),
        (["2024-03-01", "", *hours(20)], "the time is missing", "fill in the time of every row"),
        ([1, 2, 3, 5, *range(6, 30)], "5 is 2 after 3, but the usual step is 1", "gaps: split"),
    ],
)  # fmt: skip
def test_times_that_are_none_are_reported_with_their_row_and_what_to_write(times, project, rows, reported, help):
    [problem] = project.refuses(times(rows))
    assert reported in problem.message
    assert "a.csv, line " in problem.message
    assert help in problem.help


@pytest.mark.parametrize(
    "rows",
    [
        [f"{2020 + i // 12}-{1 + i % 12:02}" for i in range(40)],  # months are of different length
        [f"{1900 + i}-01-01" for i in range(40)],  # and so are years
        [20240225 + i for i in range(5)] + [20240301 + i for i in range(20)],  # dates without hyphens
        [f"2024-03-31T{i:02}:00:00+01:00" for i in range(2)] + [f"2024-03-31T{i:02}:00:00+02:00" for i in range(3, 24)],
        [i * 0.5 for i in range(30)],
    ],
)
def test_even_steps_are_no_gaps(times, project, rows):
    assert len(project.prepare(times(rows)).train) == len(rows) - 14


@pytest.mark.parametrize(
    ("arguments", "code", "reported", "path"),
    [
        ("csv: ok.csv, time: tiem, by: idd", "NN404", "there is no column `tiem`", "data.train.series.time"),
        ("csv: ok.csv, gaps: split", "NN105", "`gaps` requires `time`", "data.train.series"),
        ("csv: ok.csv, time: time, gaps: spilt", "NN105", "split", "data.train.series.gaps"),
        ("csv: ok.csv, time: load", "NN470", "is before the time", "data.train.series.time"),
    ],
)
def test_validate_says_what_is_wrong_with_the_arguments(cases, arguments, code, reported, path):
    problem = cases.refuses(spec(arguments))[0]
    assert (problem.code, problem.path) == (code, path)
    assert reported in problem.message


@pytest.mark.parametrize(("key", "argument"), [("time", "time: time"), ("group", "by: id")])
def test_the_keys_of_single_rows_lead_to_those_of_the_reader(cases, key, argument):
    column = argument.partition(": ")[2]
    [problem] = cases.refuses(spec("csv: ids.csv", more=f", validation: 0.2, {key}: {column}"))
    assert (problem.code, problem.path) == ("NN464", f"data.{key}")
    assert f"series: {{…, {argument}}}" in problem.help


series_of_windows = st.tuples(
    st.lists(st.integers(1, 40), min_size=1, max_size=4), st.integers(1, 5), st.integers(1, 4), st.integers(1, 3)
)


def windows(lengths, window, horizon, stride):
    """The rows of a table of several series, one after another."""
    series, begin, base = [], [], 0
    for number, length in enumerate(lengths):
        first = np.arange(0, max(length - window - horizon + 1, 0), stride)
        series += [number] * len(first)
        begin += [*(base + first)]
        base += length
    begin = np.array(begin, np.int64)
    return InTime(np.array(series, np.int64), begin + window, begin + window + horizon)


@given(series_of_windows, st.floats(0.05, 0.9))
def test_the_last_part_of_each_series_is_kept_and_nothing_of_it_is_trained_on(drawn, fraction):
    rows = windows(*drawn)
    if not len(rows.series):
        return
    train, kept = split_by_time(rows, fraction)
    for number in {*rows.series}:
        before, after = (part[rows.series[part] == number] for part in (train, kept))
        own = int((rows.series == number).sum())
        assert len(after) in (0, int(np.ceil(fraction * own)))
        if len(after):
            assert rows.end[before].max() <= rows.target[after].min()


@settings(max_examples=50)
@given(series_of_windows, st.integers(2, 4), st.booleans())
def test_folds_walk_forward_and_are_apart(drawn, of, rolling):
    rows = windows(*drawn)
    if not len(rows.series) or min(np.bincount(rows.series)[[*{*rows.series}]]) <= of:
        return
    parts = [fold_in_time(rows, number, of, rolling=rolling) for number in range(1, of + 1)]
    kept = np.concatenate([kept for _, kept in parts])
    assert len(kept) == len({*kept})
    for number in {*rows.series}:
        sizes = []
        for train, after in parts:
            before, after = train[rows.series[train] == number], after[rows.series[after] == number]
            assert not len(before) or rows.end[before].max() <= rows.target[after].min()
            sizes.append(len(before))
        assert max(sizes) - min(sizes) <= 0 or sizes[0] == min(sizes)
        assert not rolling or len({*sizes}) == 1


def test_the_fingerprint_of_a_series_without_them_is_what_it_was(tmp_path):
    from nnspec.data.fingerprint import fingerprint
    from nnspec.data.plan import Source
    from nnspec.diagnostics import Span

    (tmp_path / "a.csv").write_text("n\n" + "\n".join(map(str, range(100))) + "\n")
    reader = Series(csv=Csv(file="a.csv"), window=7, horizon=2, stride=3)
    files = {"csv": tmp_path / "a.csv"}
    found = fingerprint(Source("train", reader, files, Span.whole(""), ""), reader.open(files))
    assert found.whole == "blake2b:74b0b8f26cf72ed034f675e9111f0b49"
