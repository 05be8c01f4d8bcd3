"""How CSV tables are written: separators, quotes, headers, encodings, compression, marks of missing values."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnspec.api import validate
from nnspec.data.kinds import DataError
from nnspec.data.readers.csv import Csv
from nnspec.data.readers.csv_numbers import Notation


def table(path, content, **arguments):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return Csv.model_validate({"file": path.name, **arguments}).open({"file": path})


def refused(read) -> DataError:
    with pytest.raises(DataError) as caught:
        read()
    return caught.value


def values(found, column: str = "x") -> list:
    return found.read(column, slice(None)).tolist()


@pytest.mark.parametrize(
    ("text", "arguments", "wanted"),
    [
        ('"1,234.5"\n-2\n', {"thousands": ","}, [1234.5, -2]),
        ('"1,234"\n"12,34,567"\n', {"thousands": ","}, [1234, 1234567]),
        ('"1,5"\n"-,25"\n"1,5e3"\n', {"decimal": ","}, [1.5, -0.25, 1500]),
        ('"1.234,5"\n7\n', {"decimal": ",", "thousands": "."}, [1234.5, 7]),
        ("1 234.5\n1\u00a0000\n1\u202f000\n", {"thousands": " "}, [1234.5, 1000, 1000]),
        ("1'000\n", {"thousands": "'"}, [1000]),
        ("\u22125\n+3\n", {}, [-5, 3]),
        ("1\n-999\n", {"missing": ["-999"]}, [1, None]),
        ("1\n?\n\n2\n-\n", {"missing": ["?", "-"]}, [1, None, 2, None]),
        ("0\n3\n", {"missing": ["0"], "thousands": ","}, [None, 3]),
    ],
)
def test_numbers_are_read_as_the_arguments_say(tmp_path, text, arguments, wanted):
    found = values(table(tmp_path / "a.csv", "x\n" + text, **arguments))
    assert [None if value != value else value for value in found] == wanted


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ('"1,5"', {"thousands": ","}),
        ('"1,23,4"', {"thousands": ","}),
        ('"1.5"', {"decimal": ","}),
        ('"1,234,5"', {"decimal": ","}),
        ("1_000", {"thousands": ","}),
    ],
)
def test_what_is_grouped_or_divided_otherwise_is_no_number(tmp_path, text, arguments):
    assert table(tmp_path / "a.csv", f"x\n{text}\n2\n", **arguments).columns["x"].is_text


@given(
    st.floats(-1e12, 1e12, allow_nan=False).map(lambda x: round(x, 3)), st.sampled_from([(".", ","), (",", "."), (",", " ")])
)
def test_a_number_that_is_written_in_a_notation_is_read_by_it(number, separators):
    decimal, thousands = separators
    text = f"{number:,.3f}".replace(",", "T").replace(".", decimal).replace("T", thousands)
    notation = Notation(decimal, thousands, frozenset())
    np.testing.assert_array_equal(notation.numbers([text]), [number])


def test_quote_none_takes_quotes_for_ordinary_characters(tmp_path):
    found = table(tmp_path / "a.csv", 'x\n5" pipe\n"open\n', quote="none")
    assert values(found) == ['5" pipe', '"open']


@pytest.mark.parametrize("header", [None, True])
def test_names_replace_those_of_a_header(tmp_path, header):
    found = table(tmp_path / "a.csv", ",x,kind\n0,1,r\n1,2,g\n", names=["i", "x", "k"], header=header)
    assert (list(found.columns), values(found), values(found, "k")) == (["i", "x", "k"], [1, 2], ["r", "g"])
    assert found.where("x", 0) == "a.csv, line 2, column `x`"


@pytest.mark.parametrize(
    "text", ["i,a,b\n0,1,r\n1,2,g\n", "u,v,w\nr,s,t\nr,s,t\np,q,o\np,q,o\n", "id,2019,2020\n1,2,3\n4,5,6\n"]
)
def test_a_first_line_that_may_be_a_header_is_asked_about_where_names_are_given(tmp_path, text):
    error = refused(lambda: table(tmp_path / "a.csv", text, names=["x", "y", "z"]))
    assert (error.argument, "`header: true`" in error.help, "`header: false`" in error.help) == ("names", True, True)
    assert len(table(tmp_path / "a.csv", text, names=["x", "y", "z"], header=False)) == text.count("\n")
    assert len(table(tmp_path / "a.csv", text, names=["x", "y", "z"], header=True)) == text.count("\n") - 1


@pytest.mark.parametrize("text", ["1,2,r\n3,4,g\n", "one,two,three\n", "x,1,r\nq,2,g\n", "no,r,s\nit,u,v\nis,w,x\n"])
def test_a_first_line_of_data_is_a_row_where_names_are_given(tmp_path, text):
    assert len(table(tmp_path / "a.csv", text, names=["a", "b", "c"])) == text.count("\n")


def test_without_a_header_names_are_needed():
    with pytest.raises(ValueError, match="give the column names"):
        Csv.model_validate({"file": "a.csv", "header": False})


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_the_byte_order_mark_says_how_text_is_encoded(tmp_path, encoding):
    assert values(table(tmp_path / "a.csv", "x\ngrün\n".encode(encoding))) == ["grün"]


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-16"])
def test_an_encoding_can_be_given(tmp_path, encoding):
    assert values(table(tmp_path / "a.csv", "x\ngrün\n".encode(encoding), encoding=encoding)) == ["grün"]


def test_bytes_of_another_encoding_are_named_with_their_line(tmp_path):
    error = refused(lambda: table(tmp_path / "a.csv", "x\n1\ngrün\n".encode("latin-1")))
    assert ("byte 0xfc in line 3" in error.message, "`encoding: latin-1`" in error.help) == (True, True)


def test_a_file_compressed_with_gzip_is_read_whatever_its_name(tmp_path):
    for name in ("a.csv.gz", "b.csv"):
        assert values(table(tmp_path / name, gzip.compress(b"x\n1\n2\n"))) == [1, 2]


def test_a_compressed_file_decompresses_to_no_more_than_its_limit(tmp_path):
    content = gzip.compress(b"x\n" + b"1\n" * 10**5)
    assert "more than `max_bytes`, 1,000" in refused(lambda: table(tmp_path / "a.csv.gz", content, max_bytes=1000)).message


@pytest.mark.parametrize("cut", [10, 20])
def test_a_compressed_file_that_is_cut_short_is_refused(tmp_path, cut):
    assert "truncated" in refused(lambda: table(tmp_path / "a.csv.gz", gzip.compress(b"x\n1\n2\n")[:-cut])).help


@pytest.mark.parametrize("name", ["a.tsv", "a.TSV", "a.tsv.gz"])
def test_a_tab_stands_between_the_values_of_a_tsv_file(tmp_path, name):
    content = b"x\ty\n1\t2\n"
    assert values(table(tmp_path / name, gzip.compress(content) if name.endswith("gz") else content), "y") == [2]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_as_they_do_on_any_system(tmp_path, end):
    assert values(table(tmp_path / "a.csv", f"x{end}1{end}2{end}")) == [1, 2]


@pytest.mark.parametrize(
    ("content", "reported"),
    [
        (b"PAR1" + bytes(20), "is a Parquet file, not CSV text"),
        (b"\x89HDF\r\n\x1a\n" + bytes(20), "is an HDF5 file"),
        (b"\xd0\xcf\x11\xe0" + bytes(20), "is an Excel workbook"),
        (b"<!DOCTYPE html><html>", "is an HTML page"),
        (b"version https://git-lfs.github.com/spec/v1\n", "is a Git LFS pointer"),
        (b'[{"x": 1}]', "is JSON, not CSV text"),
        ("x\n1\n".encode("utf-16-le"), "contains null bytes"),
        (b"x\n" + b"1\n" * 5000 + b"\0\n", "line 5002: null character"),
        (b"sep=,\nx,y\n1,2\n", "starts with the line `sep=`"),
        (b"# made by hand\nx\n", "starts with the line `# made by hand`"),
    ],
)
def test_what_is_no_csv_is_named_for_what_it_is(tmp_path, content, reported):
    error = refused(lambda: table(tmp_path / "a.csv", content))
    assert reported in error.message and error.help


def test_whole_numbers_keep_their_digits(tmp_path):
    near = [2**53, 2**53 + 1, 2**53 + 2]
    found = table(tmp_path / "a.csv", "x,y\n" + "".join(f"{n},{n * 10**10 + 1}\n" for n in near))
    assert (found.columns["x"].dtype, values(found)) == ("int64", near)
    assert found.columns["y"].is_text


@pytest.fixture
def passes(monkeypatch):
    """The rows of each pass through a CSV file."""
    found = []

    def counted(self, path, read=Csv.table):
        found.append(0)
        for chunk in read(self, path):
            found[-1] += len(chunk[0])
            yield chunk

    monkeypatch.setattr(Csv, "table", counted)
    return found


def test_a_file_is_parsed_once_however_many_columns_are_text(tmp_path, passes):
    names = [f"c{i}" for i in range(300)]
    rows = "".join(",".join(f"x{row}" if i % 2 else str(row) for i in range(300)) + "\n" for row in range(3))
    found = table(tmp_path / "a.csv", ",".join(names) + "\n" + rows)
    assert [found.read(name, slice(None))[2] for name in names] == [2.0, "x2"] * 150
    assert passes == [3]


def test_columns_that_become_text_after_many_rows_are_parsed_in_one_more_pass(tmp_path, passes):
    found = table(tmp_path / "a.csv", "x,y,z\n" + "007,1,9007199254740993\n" * 20_000 + "?,none,1\n")
    assert [found.read(name, slice(None))[[0, -1]].tolist() for name in "xyz"] == [
        ["007", "?"],
        ["1", "none"],
        [9007199254740993, 1],
    ]
    assert passes == [20_001] * 2


def test_a_chunk_of_a_wide_table_has_few_rows(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(",".join(f"c{i}" for i in range(20_000)) + "\n" + (",".join("1" * 20_000) + "\n") * 40)
    chunks = [len(chunk[0]) for chunk in Csv.model_validate({"file": "a.csv"}).table(path)]
    assert sum(chunks) == 40
    assert max(chunks) * 20_000 <= 2**19


def test_numbers_are_converted_as_a_whole_although_nan_means_a_missing_value(tmp_path, monkeypatch):
    monkeypatch.setattr(Notation, "_plain", None)
    found = table(tmp_path / "a.csv", "x,y\n1.5,NA\nnan,2\n,NaN\n")
    assert np.array_equal(found.read("x", slice(None)), [1.5, np.nan, np.nan], equal_nan=True)
    assert np.array_equal(found.read("y", slice(None)), [np.nan, 2, np.nan], equal_nan=True)


def test_the_delimiter_of_a_tsv_file_is_no_argument_for_other_files():
    assert "delimiter" not in Csv.model_validate({"file": "a.tsv"}).value_arguments()
    assert Csv.model_validate({"file": "a.tsv", "delimiter": ";"}).value_arguments()["delimiter"] == ";"


def prices(folder, *values: str, arguments: str = ""):
    """What is reported of a column of numbers, in rows from line 2 on."""
    rows = "".join(f"{value};{i};{i % 3}\n" for i, value in enumerate(values))
    (folder / "a.csv").write_text("p;q;y\n" + rows, encoding="utf-8")
    spec = folder / "net.nnspec.yaml"
    spec.write_text(
        "nnspec: 1\nname: net\ninputs: {x: [2]}\nlayers:\n  - Dense: {units: 1}\n    name: y\n"
        f'data:\n  train: {{csv: {{file: a.csv, delimiter: ";"{arguments}}}}}\n  inputs: {{x: {{columns: [p, q]}}}}\n'
        "train: {epochs: 1, loss: MeanSquaredError}\n",
        encoding="utf-8",
    )
    return [(found.message, found.help) for found in validate(spec, data=True) if found.is_error]


def test_a_value_that_is_no_number_is_named_in_a_table_of_decimal_commas(tmp_path):
    [(message, _)] = prices(tmp_path, "1,5", "1.234,5", "abc", "2,5", arguments=', decimal: ",", thousands: "."')
    assert message == "a.csv, line 4, column `p`: 'abc' is not a number"


def test_a_missing_thousands_separator_is_asked_for_at_the_first_number_that_has_it(tmp_path):
    [(message, help)] = prices(tmp_path, "1,5", "2,5", "1.234,5", arguments=', decimal: ","')
    assert message == "a.csv, line 4, column `p`: '1.234,5' is not a number"
    assert 'decimal: ",", thousands: "."' in help


def test_decimal_commas_are_explained_beside_a_value_that_is_damaged(tmp_path):
    [(message, help)] = prices(tmp_path, "1,5", "1.234,5", "12,x", "2,5")
    assert message.startswith("a.csv, line 2, column `p`: '1,5' is not a number")
    assert 'decimal: ",", thousands: "."' in help


def test_one_number_among_words_does_not_suggest_a_notation(tmp_path):
    [(_, help)] = prices(tmp_path, "red", "green", "1,5", "blue")
    assert "decimal" not in help
