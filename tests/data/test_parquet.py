"""Parquet, where pyarrow is installed."""

from __future__ import annotations

import datetime
import subprocess
import sys

import numpy as np
import pytest

from nnspec.data.kinds import Column, DataError
from nnspec.data.readers.parquet import Parquet

pyarrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")

NET = "inputs: {x: [4]}\nlayers:\n  - Dense: {units: 3, activation: softmax}\n    name: kind\n"
TRAIN = "train: {epochs: 1, loss: SparseCategoricalCrossentropy}\n"


def write(path, **columns):
    parquet.write_table(pyarrow.table(columns), path)
    return {"file": path}


def refused(read) -> str:
    with pytest.raises(DataError) as caught:
        read()
    return caught.value.message


def test_iris_as_parquet_is_iris(project):
    from sklearn.datasets import load_iris

    iris = load_iris()
    names = [name.removesuffix(" (cm)") for name in iris.feature_names]
    columns = {name: iris.data[:, i] for i, name in enumerate(names)}
    write(project.folder / "iris.parquet", **columns, kind=[str(iris.target_names[y]) for y in iris.target])
    data = "data: {train: {parquet: iris.parquet}, validation: 0.2, targets: {kind: {transform: [label_encode]}}}\n"
    spec = NET + data + TRAIN
    _, problems = project.plan(spec)
    assert problems == []
    prepared = project.prepare(spec)
    rows = prepared.train.rows
    np.testing.assert_allclose(prepared.train.batch(slice(None)).inputs["x"], iris.data[rows], rtol=1e-6)
    np.testing.assert_array_equal(prepared.train.batch(slice(None)).targets["kind"], iris.target[rows])


def test_every_kind_of_column_is_what_it_is_reported_as(tmp_path):
    day = datetime.date(2026, 1, 31)
    files = write(
        tmp_path / "a.parquet",
        i=pyarrow.array([1, 2], "int32"),
        f=pyarrow.array([0.5, None], "float32"),
        n=pyarrow.array([1, None], "int64"),
        b=[True, False],
        t=["a", None],
        d=pyarrow.array(["x", "y"]).dictionary_encode(),
        day=[day, day],
        v=pyarrow.array([[1.0, 2.0], [3.0, 4.0]], pyarrow.list_(pyarrow.float32(), 2)),
        s=[[1, 2], [3]],
        m=[[[1, 2]], [[3, 4]]],
    )
    reported = Parquet(file="a.parquet").columns(files)
    table = Parquet(file="a.parquet").open(files)
    assert reported | {} == {**reported, "i": Column((), "int32"), "f": Column((), "float32"), "t": Column((), "text")}
    assert reported["v"] == Column((2,), "float32")
    assert table.columns["s"] == Column((None,), "int64", ragged=True)
    assert table.columns["m"].shape == (1, 2)
    read = {name: table.read(name, slice(None)).tolist() for name in ("i", "b", "t", "d", "v", "m")}
    assert read == {
        "i": [1, 2], "b": [True, False], "t": ["a", None], "d": ["x", "y"], "v": [[1, 2], [3, 4]], "m": [[[1, 2]], [[3, 4]]],
    }  # fmt: skip
    assert np.isnan(table.read("f", slice(None))[1])
    assert np.isnan(table.read("n", slice(None))[1])
    assert table.read("day", slice(None))[0] == (day - datetime.date(1970, 1, 1)).days
    assert [row.tolist() for row in table.read("s", np.array([1, 0]))] == [[3], [1, 2]]


def test_columns_in_several_row_groups_are_one(tmp_path):
    parquet.write_table(
        pyarrow.table({"x": np.arange(100), "t": [str(i) for i in range(100)]}), tmp_path / "a", row_group_size=7
    )
    table = Parquet(file="a").open({"file": tmp_path / "a"})
    assert table.read("x", slice(None)).tolist() == list(range(100))
    assert table.read("t", np.array([99, 3])).tolist() == ["99", "3"]


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1" + bytes(40) + b"PAR1", b"hello" * 100])
def test_what_is_no_parquet_file_is_refused(tmp_path, content):
    (tmp_path / "a.parquet").write_bytes(content)
    assert "a.parquet is not a readable Parquet file" in refused(
        lambda: Parquet(file="a.parquet").columns({"file": tmp_path / "a.parquet"})
    )


def test_a_file_with_bytes_turned_is_refused_or_read_and_never_a_traceback(tmp_path):
    draw = np.random.default_rng(5)
    path = tmp_path / "a.parquet"
    write(path, x=np.arange(50.0), t=[str(i) for i in range(50)])
    whole = path.read_bytes()
    for _ in range(60):
        garbled = bytearray(whole)
        for place in draw.integers(0, len(whole), 4):
            garbled[place] = draw.integers(0, 256)
        path.write_bytes(garbled)
        try:
            table = Parquet(file="a.parquet").open({"file": path})
            for column in table.columns:
                table.read(column, slice(None))
        except DataError as error:
            assert "a.parquet" in error.message


def test_a_column_of_another_kind_is_refused_when_it_is_read(tmp_path):
    table = Parquet(file="a").open(write(tmp_path / "a", s=[{"x": 1}], b=[b"x\xff"]))
    assert "the column `s` has the unsupported type struct" in refused(lambda: table.read("s", slice(None)))
    assert "row 0, column `b`: the bytes are not valid UTF-8" in refused(lambda: table.read("b", slice(None)))


def test_without_pyarrow_the_extra_is_named():
    code = (
        "import sys; sys.modules['pyarrow'] = None\n"
        "from pathlib import Path\nfrom nnspec.data.kinds import DataError\nfrom nnspec.data.readers.parquet import Parquet\n"
        "try: Parquet(file='a').columns({'file': Path('a')})\n"
        "except DataError as error: print(error.message, error.help)"
    )
    reported = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "Parquet requires pyarrow, which is not installed pip install 'nnspec[parquet]'" in reported
