"""Parquet columns of every Arrow type, wherever a spec names one: read, or a diagnostic."""

from __future__ import annotations

import datetime
from decimal import Decimal

import numpy as np
import pytest

from nnspec.data.kinds import Column
from nnspec.data.readers.parquet import Parquet
from nnspec.diagnostics import SpecError

pyarrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")

ROWS = 20
NOW = datetime.datetime(2026, 1, 31, 12)
NET = "inputs: {x: [1]}\nlayers:\n  - Dense: {units: 3, activation: softmax}\n    name: y\n"
TRAIN = "train: {epochs: 1, loss: SparseCategoricalCrossentropy}\n"

NUMBERS = {
    "decimal128": (pyarrow.decimal128(10, 2), Decimal("1.50")),
    "decimal256": (pyarrow.decimal256(50, 2), Decimal("1.50")),
    "timestamp_s": (pyarrow.timestamp("s"), NOW),
    "timestamp_ns_utc": (pyarrow.timestamp("ns", "UTC"), NOW),
    "date32": (pyarrow.date32(), NOW.date()),
    "date64": (pyarrow.date64(), NOW.date()),
    "time32": (pyarrow.time32("ms"), NOW.time()),
    "time64": (pyarrow.time64("us"), NOW.time()),
    "duration": (pyarrow.duration("ms"), datetime.timedelta(seconds=3)),
    "uint64": (pyarrow.uint64(), 2**63 + 1),
    "int8": (pyarrow.int8(), -3),
    "float16": (pyarrow.float16(), np.float16(1.5)),
    "bool": (pyarrow.bool_(), True),
}
TEXTS = {
    "string": (pyarrow.string(), "a"),
    "large_string": (pyarrow.large_string(), "a"),
    "binary": (pyarrow.binary(), b"a"),
    "large_binary": (pyarrow.large_binary(), b"a"),
    "dictionary": (pyarrow.dictionary(pyarrow.int8(), pyarrow.string()), "a"),
} | ({"string_view": (pyarrow.string_view(), "a"), "binary_view": (pyarrow.binary_view(), b"a")})
REFUSED = {
    "struct": (pyarrow.struct([("a", pyarrow.int64())]), {"a": 1}),
    "map": (pyarrow.map_(pyarrow.string(), pyarrow.int64()), [("a", 1)]),
    "fixed_size_binary": (pyarrow.binary(4), b"abcd"),
    "list_of_structs": (pyarrow.list_(pyarrow.struct([("a", pyarrow.int64())])), [{"a": 1}]),
    "list_of_dates": (pyarrow.list_(pyarrow.date32()), [NOW.date()]),
    "list_of_lists_of_texts": (pyarrow.list_(pyarrow.list_(pyarrow.string())), [["a"]]),
}
BROKEN = {
    "bytes_that_are_no_text": (pyarrow.binary(), b"\xff\xfe"),
    "lists_of_two_depths": (pyarrow.list_(pyarrow.list_(pyarrow.int64())), [[1, 2], [3]]),
    "list_of_nothing": (pyarrow.list_(pyarrow.null()), [None]),
    "null": (pyarrow.null(), None),
}


def write(folder, type_, value, missing: bool = False):
    values = [None if missing and i == 3 else value for i in range(ROWS)]
    table = pyarrow.table(
        {
            "c": pyarrow.array(values, type_),
            "n": np.arange(ROWS) / 7,
            "k": ["r", "g"] * (ROWS // 2),
            "g": list("abcd") * (ROWS // 4),
        }
    )
    parquet.write_table(table, folder / "t.parquet")


def spec(*, inputs="n", target="k", weight="", more="") -> str:
    return (
        f"{NET}data:\n  train: {{parquet: t.parquet}}\n  validation: 0.25\n{more}"
        f"  inputs: {{x: {{column: {inputs}}}}}\n"
        f"  targets: {{y: {{column: {target}, transform: [label_encode]{weight}}}}}\n{TRAIN}"
    )


ROLES = {
    "input": spec(inputs="c"),
    "target": spec(target="c"),
    "weight": spec(weight=", weight: c"),
    "group": spec(more="  group: c\n"),
    "time": spec(more="  time: c\n"),
}


def codes(project, text: str) -> set[str]:
    _, problems = project.plan(text)
    found = {problem.code for problem in problems if problem.is_error}
    if not found:
        try:
            project.prepare(text)
        except SpecError as error:
            found = {problem.code for problem in error.diagnostics if problem.is_error}
    return found


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("name", NUMBERS | TEXTS | REFUSED | BROKEN)
def test_a_column_of_any_type_is_read_or_refused_whatever_it_is_for(project, name, missing, role):
    write(project.folder, *(NUMBERS | TEXTS | REFUSED | BROKEN)[name], missing)
    found = codes(project, ROLES[role])
    if name in REFUSED:
        assert found == {"NN480"}
    if name in NUMBERS and role in ("input", "time") and not missing:
        assert found == set() or (role, found) == ("time", {"NN464"})


@pytest.mark.parametrize("name", REFUSED | BROKEN)
def test_a_column_that_cannot_be_read_does_no_harm_where_nothing_uses_it(project, name):
    write(project.folder, *(REFUSED | BROKEN)[name])
    assert codes(project, spec()) == set()


@pytest.mark.parametrize("name", TEXTS)
def test_text_is_text_however_it_is_stored(tmp_path, name):
    write(tmp_path, *TEXTS[name], missing=True)
    table = Parquet(file="t.parquet").open({"file": tmp_path / "t.parquet"})
    assert table.columns["c"] == Column((), "text")
    assert table.read("c", slice(2, 4)).tolist() == ["a", None]


def test_a_list_of_texts_is_a_list_of_tokens(tmp_path):
    write(tmp_path, pyarrow.list_(pyarrow.string()), ["B-PER", "O"])
    table = Parquet(file="t.parquet").open({"file": tmp_path / "t.parquet"})
    assert table.columns["c"].is_token_list
    assert table.read("c", slice(0, 1)).tolist() == [["B-PER", "O"]]


def test_a_column_is_read_by_its_own_name_where_that_has_dots(tmp_path):
    parquet.write_table(pyarrow.table({"a": [1, 2], "a.b": [3, 4]}), tmp_path / "t.parquet")
    table = Parquet(file="t.parquet").open({"file": tmp_path / "t.parquet"})
    assert [table.read(name, slice(None)).tolist() for name in ("a", "a.b")] == [[1, 2], [3, 4]]
