from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from nnspec.data.kinds import Column, DataError
from nnspec.data.readers import READERS
from nnspec.data.readers.builtin import Builtin
from nnspec.data.readers.csv import Csv
from nnspec.data.readers.idx import Idx
from nnspec.data.readers.npz import Npz

from .conftest import idx_bytes

IMAGES = np.arange(5 * 3 * 2, dtype=np.uint8).reshape(5, 3, 2)
LABELS = np.array([1, 0, 2, 1, 0], np.uint8)


def refused(read) -> str:
    with pytest.raises(DataError) as caught:
        read()
    return caught.value.message


@pytest.mark.parametrize("name", READERS.names())
def test_a_reader_is_found_by_its_name_in_a_spec(name):
    assert READERS.get(name).__name__.lower() == name


# --- builtin ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["breast_cancer", "diabetes", "digits", "iris", "wine"])
def test_a_builtin_set_has_the_columns_it_declares_before_it_is_loaded(name):
    reader = Builtin(set=name)
    table = reader.open({})
    for column, kind in reader.columns({}).items():
        values = table.read(column, slice(None))
        assert (values.shape[1:], values.dtype.name) == (kind.shape, kind.dtype)
        assert len(values) == len(table)


@pytest.mark.parametrize("name", ["breast_cancer", "diabetes", "iris", "wine"])
def test_a_builtin_table_has_the_feature_names_of_scikit_learn(name):
    from sklearn import datasets

    loaded = getattr(datasets, f"load_{name}")()
    assert list(Builtin(set=name).columns({})) == [*loaded.feature_names, "target"]


def test_digits_are_images_from_0_to_1():
    image = Builtin(set="digits").open({}).read("image", slice(None))
    assert image.shape == (1797, 8, 8, 1)
    assert (image.min(), image.max()) == (0, 1)


# --- idx --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("compressed", [False, True])
def test_idx_gives_images_with_a_channel_and_labels_of_any_rows(write_idx, compressed):
    files = {
        "images": write_idx("images", IMAGES, compressed=compressed),
        "labels": write_idx("labels", LABELS, compressed=compressed),
    }
    reader = Idx(images="images", labels="labels")
    assert reader.columns(files) == {"image": Column((3, 2, 1), "uint8"), "label": Column((), "uint8")}
    table = reader.open(files)
    rows = np.array([4, 0, 4])
    np.testing.assert_array_equal(table.read("image", rows), IMAGES[rows][..., None])
    np.testing.assert_array_equal(table.read("label", rows), LABELS[rows])


@pytest.mark.parametrize("dtype", [">i4", ">f4"])
def test_idx_gives_big_endian_numbers_in_the_order_of_this_machine(write_idx, dtype):
    files = {"images": write_idx("images", IMAGES, dtype)}
    values = Idx(images="images").open(files).read("image", slice(0, 2))
    np.testing.assert_array_equal(values[..., 0], IMAGES[:2])
    assert values.dtype.isnative


def test_idx_of_colour_images_keeps_its_channels(write_idx):
    files = {"images": write_idx("images", np.zeros((2, 4, 4, 3)))}
    assert Idx(images="images").columns(files)["image"].shape == (4, 4, 3)


@pytest.mark.parametrize(
    ("content", "reported"),
    [
        (b"", "not an IDX file: it starts with nothing"),
        (b"\x89PNG\r\n", "not an IDX file: it starts with 89 50 4e 47"),
        (b"\0\0\x07\x03" + bytes(12), "not an IDX file"),
        (b"\0\0\x08\x03\0\0", "ends in the middle of its header"),
        (idx_bytes(IMAGES)[:-1], "has fewer bytes than its header declares (5 × 3 × 2, 30 bytes)"),
        (idx_bytes(IMAGES) + b"x", "has more bytes than its header declares"),
        (struct.pack(">4B3I", 0, 0, 8, 3, 2**32 - 1, 2**32 - 1, 2**32 - 1), "`max_bytes`"),
        (b"\x1f\x8b\x08\x00garbage", "cannot be read"),
    ],
)
def test_idx_refuses_a_file_that_is_not_what_it_says(tmp_path, content, reported):
    path = tmp_path / "images"
    path.write_bytes(content)
    reader = Idx(images="images")
    assert reported in refused(lambda: reader.open({"images": path}))


def test_idx_refuses_a_compressed_file_that_unpacks_to_more_than_it_says(write_idx, tmp_path):
    import gzip

    path = tmp_path / "images"
    path.write_bytes(gzip.compress(idx_bytes(IMAGES) + bytes(1000)))
    assert "more bytes" in refused(lambda: Idx(images="images").open({"images": path}))


def test_idx_refuses_images_and_labels_of_different_number(write_idx):
    files = {"images": write_idx("images", IMAGES), "labels": write_idx("labels", LABELS[:4])}
    assert refused(lambda: Idx(images="i", labels="l").columns(files)) == "got 5 images but 4 labels"


def test_idx_refuses_labels_in_the_place_of_images(write_idx):
    assert "images are examples" in refused(lambda: Idx(images="i").columns({"images": write_idx("labels", LABELS)}))


# --- npz --------------------------------------------------------------------------------------------------------------


def npz(path: Path, **arrays) -> dict[str, Path]:
    np.savez_compressed(path, **arrays)
    return {"file": path}


def test_npz_returns_its_columns_without_reading_them(tmp_path):
    files = npz(
        tmp_path / "a.npz",
        x=np.zeros((4, 2, 3), np.float32),
        n=np.arange(4),
        b=np.zeros(4, bool),
        s=np.array(["a", "bc", "", "d"]),
        u=np.zeros(4, ">u2"),
    )
    reader = Npz(file="a.npz")
    wanted = {
        "x": Column((2, 3), "float32"),
        "n": Column((), "int64"),
        "b": Column((), "bool"),
        "s": Column((), "text"),
        "u": Column((), "uint16"),
    }
    assert reader.columns(files) == wanted
    table = reader.open(files)
    assert table.read("s", slice(None)).tolist() == ["a", "bc", "", "d"]
    assert table.read("n", np.array([3, 1])).tolist() == [3, 1]
    assert table.read("u", slice(None)).dtype.isnative


def test_npz_never_loads_pickled_objects(tmp_path):
    class Trap:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "sprung",))

    files = npz(tmp_path / "a.npz", x=np.array([Trap()], object))
    assert "Python objects" in refused(lambda: Npz(file="a").open(files))
    assert not (tmp_path / "sprung").exists()


def test_npz_refuses_to_unpack_more_than_its_limit(tmp_path):
    files = npz(tmp_path / "bomb.npz", x=np.zeros(10**7))
    assert files["file"].stat().st_size < 10**5
    assert "decompresses to 80,000" in refused(lambda: Npz(file="a", max_bytes=10**6).columns(files))


def npy(header: str, data: bytes = b"") -> bytes:
    text = header.encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + data


@pytest.mark.parametrize(
    ("content", "reported"),
    [
        (b"not numpy", "is not a NumPy array"),
        (npy("{'descr': '<f8', 'shape': (3,)}", bytes(8)), "not have the number of bytes"),
        (npy("{'descr': '<f8', 'shape': (-3,)}"), "invalid header"),
        (npy("{'descr': '<f8', 'shape': ()}", bytes(8)), "first axis must be the examples"),
        (npy("{'descr': [('a', '<f8')], 'shape': (1,)}", bytes(8)), "elements of type"),
        (npy("[" * 5000), "invalid header"),
        (npy("__import__('os')"), "invalid header"),
        (b"\x93NUMPY\x02\x00" + struct.pack("<I", 2**31), "invalid header"),
    ],
)
def test_npz_refuses_an_array_that_is_not_what_it_says(tmp_path, content, reported):
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", content)
    assert reported in refused(lambda: Npz(file="a").columns({"file": path}))


def test_npz_refuses_arrays_of_different_length(tmp_path):
    files = npz(tmp_path / "a.npz", x=np.zeros(3), y=np.zeros(4))
    assert "`x` 3, `y` 4" in refused(lambda: Npz(file="a").columns(files))


def test_npz_refuses_what_is_no_archive_or_a_damaged_one(tmp_path):
    path = tmp_path / "a.npz"
    path.write_bytes(b"hello")
    assert "not an archive" in refused(lambda: Npz(file="a").columns({"file": path}))
    files = npz(path, x=np.random.default_rng(0).normal(size=1000))
    content = bytearray(path.read_bytes())
    content[400] ^= 0xFF
    path.write_bytes(bytes(content))
    assert "cannot be read" in refused(lambda: Npz(file="a").open(files).read("x", slice(None)))


# --- csv --------------------------------------------------------------------------------------------------------------


def table(path: Path, text: str, **arguments):
    path.write_text(text, encoding="utf-8", newline="")
    return Csv(file=path.name, **arguments).open({"file": path})


def test_csv_distinguishes_numbers_from_text(tmp_path):
    found = table(tmp_path / "a.csv", 'age,"city, state",n\n31,"Berlin, BE",1e3\n-2.5," York ",7\n')
    assert [column.dtype for column in found.columns.values()] == ["float64", "text", "float64"]
    assert found.read("age", slice(None)).tolist() == [31, -2.5]
    assert found.read("city, state", np.array([1])).tolist() == ["York"]
    assert found.read("n", slice(0, 1)).tolist() == [1000]


@pytest.mark.parametrize("value", ["1_000", "١", "0x10", "12,5", "1 2"])
def test_csv_takes_for_a_number_only_what_everybody_does(tmp_path, value):
    assert table(tmp_path / "a.csv", f'x\n"{value}"\n1\n').columns["x"].is_text


def test_csv_gives_a_missing_number_as_nan_and_a_missing_text_as_none(tmp_path):
    found = table(tmp_path / "a.csv", "x,s\n1,a\n,\nNA,b\n")
    np.testing.assert_array_equal(found.read("x", slice(None)), [1, np.nan, np.nan])
    assert found.read("s", slice(None)).tolist() == ["a", None, "b"]


def test_csv_says_on_which_line_a_row_begins(tmp_path):
    found = table(tmp_path / "a.csv", '\ufeffx,s\r\n1,"two\r\nlines"\r\n\r\n2,b\r\n')
    assert list(found.columns) == ["x", "s"]
    assert [found.where("x", row) for row in (0, 1)] == ["a.csv, line 2, column `x`", "a.csv, line 5, column `x`"]


def test_csv_without_a_header_takes_the_names_given(tmp_path):
    found = table(tmp_path / "a.csv", "1;2\n3;4\n", delimiter=";", names=["a", "b"])
    assert found.read("b", slice(None)).tolist() == [2, 4]
    assert found.where("b", 1) == "a.csv, line 2, column `b`"


def test_csv_reads_tables_longer_than_a_chunk(tmp_path):
    rows = 20_000
    text = "x,s\n" + "".join(f"{i},t{i}\n" for i in range(rows))
    found = table(tmp_path / "a.csv", text)
    np.testing.assert_array_equal(found.read("x", slice(None)), np.arange(rows))
    assert found.read("s", np.array([rows - 1])).tolist() == [f"t{rows - 1}"]


def test_csv_finds_text_that_stands_late_in_a_column_of_numbers(tmp_path):
    text = "x\n" + "1\n" * 10_000 + "one\n"
    found = table(tmp_path / "a.csv", text)
    assert found.columns["x"].is_text
    assert found.read("x", slice(-2, None)).tolist() == ["1", "one"]


@pytest.mark.parametrize(
    ("text", "reported"),
    [
        ("", "is empty"),
        ("a,a\n1,2\n", "two columns `a`"),
        ("a,\n1,2\n", "column 2 has no name"),
        ("a;b\n1;2\n", "has one column"),
        ("a,b\n1,2\n3\n", "line 3: expected 2 values, got 1"),
        ('a,b\n1,2\n"3,4\n', "line 3"),
        ("a,b\n1,2\n3,4,5\n", "line 3: expected 2 values, got 3"),
        ("a\n" + "x" * 200_000 + "\n", "line 2: field larger than field limit"),
    ],
)
def test_csv_refuses_what_is_no_table(tmp_path, text, reported):
    assert reported in refused(lambda: table(tmp_path / "a.csv", text))


def test_csv_refuses_what_is_not_utf_8(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes("a,b\n1,2\nMünchen,3\n".encode("latin1"))
    assert "not UTF-8 text: byte 0xfc" in refused(lambda: Csv(file="a.csv").open({"file": path}))


def test_csv_reads_no_more_than_the_header_to_tell_its_columns(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("a,b\n1,2,3,4\n")
    assert list(Csv(file="a.csv").columns({"file": path})) == ["a", "b"]


def test_an_array_saved_by_numpy_is_read_whatever_its_version(tmp_path):
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.arange(3.0), version=(3, 0))
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", buffer.getvalue())
    assert Npz(file="a").open({"file": path}).read("x", slice(None)).tolist() == [0, 1, 2]
