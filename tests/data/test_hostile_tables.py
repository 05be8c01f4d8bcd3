"""Tables of any content: read, or refused with a reason; nothing else."""

from __future__ import annotations

import gzip
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnspec.data.kinds import DataError
from nnspec.data.readers.csv import Csv
from nnspec.data.readers.jsonl import Jsonl
from nnspec.data.readers.text import Text

CELLS = st.sampled_from(
    [
        "",
        "1",
        "-2.5",
        "1e400",
        "nan",
        "inf",
        "NA",
        "?",
        "None",
        "1,5",
        "1.234,5",
        "a",
        '"',
        '""',
        "\0",
        "\n",
        "\r",
        "é",
        "\ud83d\ude00",
        "9" * 40,
    ]
)
SIGNS = st.sampled_from([",", ";", "\t", "\n", "\r\n", '"', "'", " ", "#", "\ufeff"])
TEXT = st.lists(st.one_of(CELLS, SIGNS, st.text(max_size=3)), max_size=40).map("".join)
CONTENT = st.one_of(
    st.binary(max_size=200),
    TEXT.map(lambda text: text.encode(errors="replace")),
    TEXT.map(lambda text: text.encode("utf-16", errors="replace")),
    TEXT.map(lambda text: gzip.compress(text.encode(errors="replace"))),
    st.binary(max_size=60).map(lambda data: b"\x1f\x8b\x08\x00" + data),
    st.binary(max_size=60).map(lambda data: b"PK\x03\x04" + data),
)
ARGUMENTS = st.fixed_dictionaries(
    {},
    optional={
        "delimiter": st.sampled_from([",", ";", "\t", " "]),
        "quote": st.sampled_from(["none", "'", '"']),
        "decimal": st.sampled_from([".", ","]),
        "thousands": st.sampled_from([" ", "'", "_"]),
        "header": st.just(True),
        "names": st.sampled_from([["a"], ["a", "b"], ["a", "b", "c"]]),
        "missing": st.sampled_from([[], ["?"], ["1", "a"]]),
        "encoding": st.sampled_from([None, "utf-8", "utf-16", "latin-1", "cp1252"]),
        "max_bytes": st.sampled_from([5, 1000]),
    },
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("tables") / "t.csv"


def everything(reader, path) -> None:
    """Reads all that a reader can say of a file."""
    try:
        known = reader.columns({next(iter(reader.paths)): path})
        table = reader.open({next(iter(reader.paths)): path})
    except DataError as error:
        assert error.message
        return
    assert list(table.columns) == list(known)
    for name, column in table.columns.items():
        values = table.read(name, slice(None))
        assert len(values) == len(table)
        if len(table):
            assert table.where(name, len(table) - 1)
        if column.is_text and not column.shape:
            texts = {value for value in values.tolist() if value is not None}
            assert isinstance(table.mend(name, texts), str)


@settings(max_examples=150, deadline=None)
@given(CONTENT, ARGUMENTS)
def test_a_csv_file_of_any_content_is_a_table_or_refused(path, content, arguments):
    path.write_bytes(content)
    everything(Csv.model_validate({"file": "t.csv", **arguments}), path)


@settings(max_examples=100, deadline=None)
@given(
    st.one_of(
        CONTENT,
        st.lists(VALUES, max_size=4).map(lambda rows: json.dumps(rows).encode()),
        st.lists(VALUES, max_size=4).map(lambda rows: "\n".join(map(json.dumps, rows)).encode()),
    )
)
def test_a_json_file_of_any_content_is_a_table_or_refused(path, content):
    path.write_bytes(content)
    everything(Jsonl.model_validate({"file": "t.jsonl", "max_bytes": 1000}), path)


@settings(max_examples=50, deadline=None)
@given(CONTENT)
def test_a_text_file_of_any_content_is_lines_or_refused(path, content):
    path.write_bytes(content)
    everything(Text.model_validate({"path": "t.txt", "max_bytes": 1000}), path)
