"""DataFrames and arrays as data: types, missing values, categories, texts and lists, and errors that name the column."""

from __future__ import annotations

import datetime as dt
import decimal
import subprocess
import sys

import numpy as np
import pytest

import nnspec
from nnspec.data.fingerprint import fingerprint
from nnspec.data.frames import frame_of, with_data
from nnspec.data.kinds import DataError
from nnspec.data.plan import Source
from nnspec.data.readers.frame import Frame
from nnspec.diagnostics import NnspecError, Span
from nnspec.training.loop.progress import Quiet

pd = pytest.importorskip("pandas")
pa = pytest.importorskip("pyarrow")
pl = pytest.importorskip("polars")

LIBRARIES = {"pandas": pd.DataFrame, "pyarrow": pa.table, "polars": pl.DataFrame, "dict": dict}
EPOCH = [dt.datetime(1970, 1, 1, 0, 0, 1), None, dt.datetime(1970, 1, 2)]

SPEC = {
    "nnspec": 1,
    "name": "net",
    "inputs": {"facts": [2]},
    "layers": [{"Dense": {"units": 2, "activation": "softmax"}, "name": "kind"}],
    "data": {
        "inputs": {"facts": {"columns": ["a", "b"], "transform": [{"impute": "mean"}, "standardize"]}},
        "targets": {"kind": {"column": "kind", "transform": ["label_encode"]}},
    },
    "train": {"epochs": 1, "loss": "SparseCategoricalCrossentropy"},
}
ROWS = {"a": [1.0, None, 3.0, 4.0] * 5, "b": [1, 2, 3, 4] * 5, "kind": ["x", "y", "x", "y"] * 5}


def spec(**data):
    return {**SPEC, "data": {**SPEC["data"], **data}}


@pytest.mark.parametrize("library", LIBRARIES)
def test_numbers_texts_and_lists_are_the_same_from_every_library(library):
    columns = {
        "whole": [1, 2, 3],
        "part": [1.5, None, 2.0],
        "yes": [True, False, True],
        "text": ["a", None, "c"],
        "pair": [[1, 2], [3, 4], [5, 6]],
        "ragged": [[1], [1, 2], [3]],
        "tokens": [["a"], ["b", "c"], []],
        "time": EPOCH,
    }
    frame = frame_of(LIBRARIES[library](columns), "train")
    assert frame.rows == 3
    kinds = {name: (column.shape, column.dtype, column.ragged) for name, column in frame.columns.items()}
    assert kinds == {
        "whole": ((), "int64", False),
        "part": ((), "float64", False),
        "yes": ((), "bool", False),
        "text": ((), "text", False),
        "pair": ((2,), "int64", False),
        "ragged": ((None,), "int64", True),
        "tokens": ((None,), "text", True),
        "time": ((), "float64", False),
    }
    np.testing.assert_array_equal(frame.values("part"), [1.5, np.nan, 2.0])
    np.testing.assert_array_equal(frame.values("time"), [1.0, np.nan, 86400.0])
    assert frame.values("text").tolist() == ["a", None, "c"]
    assert frame.values("tokens").tolist() == [["a"], ["b", "c"], []]
    assert [value.tolist() for value in frame.values("ragged")] == [[1], [1, 2], [3]]


def test_special_types_of_libraries_are_numbers_and_texts():
    pandas = frame_of(
        pd.DataFrame(
            {
                "nullable": pd.array([1, None, 3], dtype="Int64"),
                "category": pd.Categorical(["x", None, "y"]),
                "number": pd.Categorical([3, 1, 3]),
                "span": pd.to_timedelta([1, 2, 3], unit="s"),
                "date": [dt.date(1970, 1, 3)] * 3,
                "exact": [decimal.Decimal("1.5")] * 3,
                "image": [np.ones((2, 2))] * 3,
                "gone": [None] * 3,
                7: [1, 2, 3],
            }
        ),
        "train",
    )
    np.testing.assert_array_equal(pandas.values("nullable"), [1, np.nan, 3])
    assert pandas.values("category").tolist() == ["x", None, "y"]
    assert pandas.values("number").tolist() == [3, 1, 3]
    assert pandas.values("span").tolist() == [1.0, 2.0, 3.0]
    assert pandas.values("date").tolist() == [2.0, 2.0, 2.0]
    assert pandas.values("exact").tolist() == [1.5] * 3
    assert pandas.values("image").shape == (3, 2, 2)
    assert pandas.columns["image"].shape == (2, 2)
    assert np.isnan(pandas.values("gone")).all()
    assert pandas.values("7").tolist() == [1, 2, 3]
    polars = frame_of(
        pl.DataFrame(
            {
                "enum": pl.Series(["x", "y"], dtype=pl.Enum(["x", "y"])),
                "array": pl.Series([[1.0, 2.0], [3.0, 4.0]], dtype=pl.Array(pl.Float32, 2)),
            }
        ),
        "train",
    )
    assert polars.values("enum").tolist() == ["x", "y"]
    assert polars.values("array").tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert polars.columns["array"].dtype == "float32"


def test_arrays_keep_their_axes_and_element_types():
    frame = frame_of({"image": np.zeros((3, 4, 4), np.uint8), "name": np.array(["a", "b", "c"])}, "train")
    assert frame.columns["image"].shape == (4, 4)
    assert frame.values("image").dtype == np.uint8
    assert frame.values("name").tolist() == ["a", "b", "c"]
    table = np.array([(1, 2.5), (3, 4.5)], dtype=[("a", "i4"), ("b", "f8")])
    assert frame_of(table, "train").values("b").tolist() == [2.5, 4.5]


def test_a_column_of_another_type_is_an_error_only_if_it_is_used():
    frame = frame_of(pd.DataFrame({"x": [{"a": 1}, {}], "mixed": [1, "a"], "y": [1, 2]}), "train")
    assert frame.values("y").tolist() == [1, 2]
    with pytest.raises(DataError, match="the column `x` has values of the unsupported type `dict`"):
        frame.values("x")
    with pytest.raises(DataError, match="row 1, column `mixed`: got a string, but a number in the first row"):
        frame.values("mixed")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (np.zeros((3, 4)), r"an array of shape \(3, 4\) has no names of columns"),
        (pl.DataFrame({"a": [1]}).lazy(), r"`LazyFrame` that is not computed yet.*\n.*collect"),
        (3, "data of the type `int` are not supported"),
        ({}, "the dict has no columns"),
        ({"a": 3}, "the column `a` of the dict is a single `int`"),
        ({"a": [1], "b": [1, 2]}, "different numbers of rows: `a` 1, `b` 2"),
        ({1: [1], "1": [2]}, "the dict has two columns `1`"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "the DataFrame cannot be read: .*unique"),
    ],
    ids=str,
)
def test_what_is_no_table_is_refused_with_the_reason(data, message):
    with pytest.raises(NnspecError, match=f"(?s){message}"):
        frame_of(data, "train")


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_table_is_checked_as_files_are(library):
    make = LIBRARIES[library]
    assert nnspec.validate(SPEC, data=make(ROWS)) == []
    [problem] = nnspec.validate(SPEC, data=make({**ROWS, "kind": ["x", None] * 10}))
    assert (problem.code, problem.span.place) == ("NN422", "data.targets.kind")
    assert "row 1, column `kind`" in problem.message
    [problem] = nnspec.validate(SPEC, data=make({name: ROWS[name] for name in ("a", "kind")}))
    assert (problem.code, problem.path) == ("NN404", "data.inputs.facts.columns[1]")


def test_a_column_of_texts_for_numbers_is_reported_before_training():
    numbers = spec(inputs={"facts": {"columns": ["a", "b"]}})
    [problem] = nnspec.validate(numbers, data={**ROWS, "a": ["1", "?"] * 10, "b": ["1", "2"] * 10})
    assert (problem.code, problem.path) == ("NN462", "data.inputs.facts")


def test_a_table_replaces_that_of_a_reader_of_windows():
    series = spec(train={"series": {"csv": "gone.csv", "window": 3}})
    bound = with_data(nnspec.load(series), ROWS)
    assert bound.section("data").get("train").plain() == {"series": {"frame": "train", "window": 3}}
    assert bound.document.get("data").get("train").plain() == {"series": {"frame": "train", "window": 3}}
    again = nnspec.load(bound.document.plain())
    assert again.hash == bound.hash


def test_windows_are_cut_from_a_table():
    document = {
        "nnspec": 1,
        "name": "series",
        "inputs": {"past": [3, 1]},
        "layers": ["Flatten", {"Dense": {"units": 1}, "name": "next"}],
        "data": {
            "train": {"series": {"csv": "gone.csv", "window": 3, "time": "day"}},
            "inputs": {"past": {"columns": ["y"]}},
            "targets": {"next": {"column": "y"}},
        },
        "train": {"epochs": 1, "loss": "mse"},
    }
    rows = {"day": [f"2020-01-0{i}" for i in range(1, 9)], "y": [float(i) for i in range(8)]}
    assert nnspec.validate(document, data=pl.DataFrame(rows)) == []
    [problem] = nnspec.validate(document, data=pl.DataFrame({**rows, "day": rows["day"][::-1]}))
    assert problem.path.startswith("data.train.series")
    [problem] = nnspec.validate(document, data={"y": rows["y"]})
    assert problem.code == "NN404"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    pytest.importorskip("keras")
    folder = tmp_path_factory.mktemp("frames")
    return nnspec.train(SPEC, data=pd.DataFrame(ROWS), out=folder / "run", progress=Quiet())


def test_a_run_of_a_table_is_evaluated_and_records_what_it_was_trained_on(run):
    assert run.info["spec"]["document"]["data"]["train"] == {"frame": "train"}
    assert run.info["data"]["fingerprints"]["train"].startswith("blake2b:")
    assert nnspec.evaluate(run)["rows"] == 20
    found = nnspec.evaluate(run.path, data={name: values[:8] for name, values in ROWS.items()})
    assert (found["data"], found["rows"]) == ("test", 8)


def test_a_run_is_resumed_with_the_same_rows_only(run):
    longer = {"overrides": ["train.epochs=2"], "progress": Quiet()}
    other = {**ROWS, "b": [9, 2, 3, 4] * 5}
    with pytest.raises(NnspecError, match=r"the data changed since the start of the run: data\.train"):
        nnspec.resume(run.path, data=other, **longer)
    with pytest.raises(NnspecError, match="the rows of the frame `train` are not known"):
        nnspec.resume(run.path, **longer)
    assert nnspec.resume(run.path, data=pd.DataFrame(ROWS), **longer).info["epochs"] == 2


def test_a_run_that_is_opened_again_states_which_data_it_lacks(run):
    with pytest.raises(NnspecError, match=r"passed in Python(?s:.*)data=\{'train': frame\}"):
        nnspec.evaluate(run.path)
    assert nnspec.evaluate(run.path, data={"train": ROWS})["data"] == "train"


def test_a_run_of_files_takes_no_table_to_resume(tmp_path):
    pytest.importorskip("keras")
    (tmp_path / "a.csv").write_text("a,b,kind\n" + "1,2,x\n2,1,y\n" * 8)
    (tmp_path / "nnspec.toml").touch()
    document = spec(train={"csv": "a.csv"})
    (tmp_path / "net.nnspec.yaml").write_text(nnspec.load(document).resolved())
    file_run = nnspec.train(tmp_path / "net.nnspec.yaml", out=tmp_path / "run", progress=Quiet())
    with pytest.raises(NnspecError, match="the spec reads no rows that are passed as `train`"):
        nnspec.resume(file_run.path, data=ROWS, overrides=["train.epochs=2"], progress=Quiet())


def test_splits_are_passed_by_name(tmp_path):
    pytest.importorskip("keras")
    few = {name: values[:4] for name, values in ROWS.items()}
    found = nnspec.train(SPEC, data={"train": ROWS, "validation": few, "test": few}, out=tmp_path / "run", progress=Quiet())
    assert found.info["data"]["examples"] == {"train": 20, "validation": 4}
    assert nnspec.evaluate(found)["data"] == "test"


def digest(**columns) -> str:
    reader = Frame(name="train").with_frames({"train": frame_of(columns, "train")})
    return fingerprint(Source("train", reader, {}, Span.whole("a"), ""), reader.open({})).whole


def test_texts_lists_and_numbers_change_the_fingerprint():
    same = {"s": ["a", "b"], "l": [[1], [2, 3]], "x": [1.0, 2.0]}
    assert digest(**same) == digest(**{name: list(values) for name, values in same.items()})
    for change in ({"s": ["a", "c"]}, {"l": [[1], [2, 4]]}, {"x": [1.0, 3.0]}):
        assert digest(**{**same, **change}) != digest(**same)


def test_neither_narwhals_nor_numpy_is_imported_to_validate_a_file():
    code = (
        "import sys, nnspec; nnspec.validate('specs/digits.nnspec.yaml'); "
        "print([name for name in ('narwhals', 'pandas', 'numpy', 'keras') if name in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown.strip() == "[]"
