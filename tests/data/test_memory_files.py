"""Readers open a named file in memory as they open a path."""

from __future__ import annotations

import gzip
import io

import numpy as np
import pytest

from nnspec.data.data_files import MemoryFile, size_of
from nnspec.data.kinds import DataError
from nnspec.data.readers.csv import Csv
from nnspec.data.readers.idx import Idx
from nnspec.data.readers.images import Images
from nnspec.data.readers.jsonl import Jsonl
from nnspec.data.readers.npz import Npz
from nnspec.data.readers.parquet import Parquet
from nnspec.data.readers.series import Series
from nnspec.data.readers.text import Text

from .conftest import idx_bytes


def npz_bytes(**arrays) -> bytes:
    content = io.BytesIO()
    np.savez(content, **arrays)
    return content.getvalue()


def parquet_bytes() -> bytes:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    content = io.BytesIO()
    parquet.write_table(pyarrow.table({"x": [1.5, 2.5], "word": ["a", "b"]}), content)
    return content.getvalue()


CASES = {
    "csv": (Csv(file="a.csv"), {"file": lambda: b"x,word\n1.5,a\n2.5,b\n"}),
    "csv with gzip": (Csv(file="a.csv"), {"file": lambda: gzip.compress(b"x,word\n1.5,a\n2.5,b\n")}),
    "csv in UTF-16": (Csv(file="a.csv"), {"file": lambda: "x,word\n1.5,a\n2.5,b\n".encode("utf-16")}),
    "jsonl": (Jsonl(file="a.jsonl"), {"file": lambda: b'{"x": 1.5, "word": "a"}\n{"x": 2.5, "word": "b"}\n'}),
    "npz": (Npz(file="a.npz"), {"file": lambda: npz_bytes(x=[1.5, 2.5], word=["a", "b"])}),
    "parquet": (Parquet(file="a.parquet"), {"file": parquet_bytes}),
    "text": (Text(path="a.txt"), {"path": lambda: b"one\n\ntwo\n"}),
    "idx": (
        Idx(images="i", labels="l"),
        {"images": lambda: idx_bytes(np.ones((2, 3, 3))), "labels": lambda: idx_bytes(np.array([1, 0]))},
    ),
    "idx with gzip": (Idx(images="i"), {"images": lambda: gzip.compress(idx_bytes(np.ones((2, 3, 3))))}),
    "series": (
        Series(csv=Csv(file="a.csv"), window=1, horizon=1),
        {"csv": lambda: b"x\n1\n2\n3\n"},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_file_in_memory_gives_the_table_of_the_same_file_on_disk(tmp_path, case):
    reader, contents = CASES[case]
    on_disk, in_memory = {}, {}
    for argument, content in contents.items():
        on_disk[argument] = tmp_path / argument
        on_disk[argument].write_bytes(content())
        in_memory[argument] = MemoryFile(argument, bytearray(content()))
    assert reader.columns(in_memory) == reader.columns(on_disk)
    wanted, found = reader.open(on_disk), reader.open(in_memory)
    assert found.columns == wanted.columns
    for column in wanted.columns:
        assert np.array_equal(found.read(column, slice(None)), wanted.read(column, slice(None)))
        assert found.where(column, 1) == wanted.where(column, 1)


@pytest.mark.parametrize(
    "content", [b"", b"\x89PNG\r\n\x1a\n", b"PK\x03\x04", b"PAR1", b"\0", b'a\n"', b"\xff\xfe\xff", b"\x1f\x8b\x08"]
)
@pytest.mark.parametrize("case", ["csv", "jsonl", "npz", "parquet", "idx", "text"])
def test_a_damaged_file_in_memory_is_refused_as_on_disk(tmp_path, case, content):
    reader, contents = CASES[case]
    argument = next(iter(contents))
    (tmp_path / argument).write_bytes(content)
    reasons = []
    for file in (tmp_path / argument, MemoryFile(argument, content)):
        try:
            table = reader.open({**{name: MemoryFile(name, make()) for name, make in contents.items()}, argument: file})
            reasons.append(str([table.read(column, slice(None)).tolist() for column in table.columns]))
        except DataError as error:
            reasons.append(error.message)
    assert reasons[0] == reasons[1]


def test_a_compressed_file_in_memory_decompresses_to_no_more_than_its_limit():
    bomb = MemoryFile("a.csv", gzip.compress(b"x\n" + b"1\n" * 100_000))
    with pytest.raises(DataError, match="max_bytes"):
        Csv(file="a.csv", max_bytes=1000).open({"file": bomb})


def test_a_reader_of_a_folder_refuses_a_file_in_memory():
    with pytest.raises(DataError, match="must be a path"):
        Images(folder="a").open({"folder": MemoryFile("a", b"")})


def test_the_content_is_not_copied_and_is_released_when_the_file_is_closed():
    content = bytearray(b"a" * 100_000)
    file = MemoryFile("a", content)
    with file.open("rb") as stream:
        assert stream.read(3) == b"aaa"
        assert stream.seek(-2, io.SEEK_END) == 99_998
        assert stream.read() == b"aa"
    content.append(0)
    assert size_of(file) == 100_001
