"""Parquet data sets of several files and row groups, with images as bytes."""

from __future__ import annotations

import io
import os
import signal

import numpy as np
import pytest

from nnspec.data import lazy
from nnspec.data.conversion import convert
from nnspec.data.kinds import DataError
from nnspec.data.readers import parquet as parquet_module
from nnspec.data.readers.images import Images
from nnspec.data.readers.parquet import Parquet
from nnspec.data.shards import write_shards
from nnspec.diagnostics import NnspecError, SpecError
from nnspec.spec import load
from nnspec.training import resume, train
from nnspec.training.loop import loop
from nnspec.training.loop.order import order_of_groups
from nnspec.training.loop.progress import Quiet

from .pictures import write_digits

pyarrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")
Image = pytest.importorskip("PIL.Image")

SPEC = """nnspec: 1
name: net
inputs: {image: [8, 8, 1]}
layers:
  - Flatten
  - Dense: {units: 10, activation: softmax}
    name: digit
data:
  train: READER
  inputs: {image: {transform: [{rescale: 0.0039}]}}
  targets: {digit: {column: label, transform: [label_encode]}}
train: {epochs: 2, batch_size: 8, loss: SparseCategoricalCrossentropy}
"""
BYTES = "{images: {parquet: shards, column: image}}"


@pytest.fixture
def digits(tmp_path):
    """100 digits in a folder, and in 4 shards of row groups of 10 rows."""
    write_digits(tmp_path / "digits", 100)
    spec = tmp_path / "folder.nnspec.yaml"
    spec.write_text(SPEC.replace("READER", "{images: digits}"))
    table = Images(folder="digits").open({"folder": tmp_path / "digits"})
    write_shards(table, tmp_path / "shards", 4)
    return tmp_path


@pytest.fixture
def small_groups(monkeypatch):
    """Row groups of 10 rows, read one by one."""
    monkeypatch.setattr("nnspec.data.shards._MOST_ROWS", 10)
    monkeypatch.setattr(parquet_module, "_READ_WHOLE", 0)


@pytest.fixture
def streamed(monkeypatch):
    """Everything is too large for memory and for the device."""
    from nnspec.training.backends import tensorflow as tensorflow_steps

    monkeypatch.setattr(lazy, "IN_MEMORY", 0)
    monkeypatch.setattr(tensorflow_steps.TensorFlowSteps.__init__, "__kwdefaults__", {"resident_bytes": 0})


def spec_of(folder, reader=BYTES, **other):
    file = folder / "net.nnspec.yaml"
    text = SPEC.replace("READER", reader)
    for old, new in other.values():
        text = text.replace(old, new)
    file.write_text(text)
    return load(file)


def open_parquet(folder, text):
    reader = Parquet(file=text)
    files = {"file": reader.find("file", folder, folder)}
    return reader.columns(files), reader.open(files)


def refused(read) -> str:
    with pytest.raises(DataError) as caught:
        read()
    return caught.value.message


def test_shards_have_the_images_and_labels_of_the_folder(small_groups, digits):
    folder = Images(folder="digits").open({"folder": digits / "digits"})
    reader = Images.model_validate({"parquet": {"file": "shards"}, "column": "image"})
    shards = reader.open({"parquet": reader.find("parquet", digits, digits)})
    rows = np.random.default_rng(1).permutation(100)
    np.testing.assert_array_equal(shards.read("image", rows), folder.read("image", rows))
    assert shards.read("label", rows).tolist() == folder.read("label", rows).tolist()
    assert shards.columns == folder.columns
    assert shards.groups.starts.tolist() == [0, 10, 20, 25, 35, 45, 50, 60, 70, 75, 85, 95, 100]


def test_an_image_is_stored_as_its_file(digits):
    table = Parquet(file="shards").open({"file": Parquet(file="shards").find("file", digits, digits)})
    assert table.encoded("image", 0) == min((digits / "digits").rglob("*.png")).read_bytes()


def test_a_training_on_shards_has_the_weights_of_one_on_the_folder(digits):
    folder = train(load(digits / "folder.nnspec.yaml"), out=digits / "a", progress=Quiet()).weights()
    shards = train(spec_of(digits), out=digits / "b", progress=Quiet()).weights()
    assert all(np.array_equal(folder[name], shards[name]) for name in folder)


def test_a_training_that_reads_row_groups_resumes_in_the_middle_of_an_epoch_to_the_same_bits(
    small_groups, digits, streamed, monkeypatch
):
    monkeypatch.setattr(loop, "_INITIAL_STEPS_PER_CALL", 1)
    monkeypatch.setattr(loop, "_MOST_STEPS_PER_CALL", 1)
    spec = spec_of(digits)
    whole = train(spec, out=digits / "whole", progress=Quiet()).weights()
    stopped = train(spec, out=digits / "run", progress=Pressing(17))
    assert stopped.status == "interrupted"
    again = resume(digits / "run", progress=Quiet()).weights()
    assert all(np.array_equal(whole[name], again[name]) for name in whole)


class Pressing(Quiet):
    """Presses Ctrl-C after some steps."""

    def __init__(self, at: int) -> None:
        self.left = at

    def stepped(self, *args: object) -> None:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGINT)


def test_an_epoch_uses_every_row_once_and_few_row_groups_at_a_time():
    groups = np.repeat(np.arange(40), 25)
    order = order_of_groups(groups, 4, 3, 0)
    assert sorted(order) == list(range(1000))
    assert max(len(set(groups[order[start : start + 50]])) for start in range(0, 1000, 50)) <= 4 + 4
    assert len(set(groups[order[500:550]])) > 2


def test_the_order_of_row_groups_depends_on_seed_and_epoch_only():
    groups = np.repeat(np.arange(40), 25)
    orders = [order_of_groups(groups, 4, seed, epoch).tolist() for seed, epoch in ((1, 0), (1, 0), (1, 1), (2, 0))]
    assert orders[0] == orders[1]
    assert orders[0] != orders[2] != orders[3]


def test_a_row_group_is_read_once_by_two_batches_that_use_it(small_groups, digits, monkeypatch):
    _, table = open_parquet(digits, "shards")
    read: list[int] = []
    loaded = parquet_module.ParquetTable._converted_group
    monkeypatch.setattr(
        parquet_module.ParquetTable,
        "_converted_group",
        lambda self, number, *rest: read.append(number) or loaded(self, number, *rest),
    )
    table.read_encoded("image", np.array([3, 4, 27]))
    table.read_encoded("image", np.array([9, 26]))
    assert sorted(read) == [0, 3]


def test_a_flipped_bit_in_a_shard_is_found_and_the_shard_is_named(digits):
    path = digits / "shards" / "shard-00002-of-00004.parquet"
    content = bytearray(path.read_bytes())
    content[200] ^= 4
    path.write_bytes(content)
    reader = Images.model_validate({"parquet": {"file": "shards"}, "column": "image"})
    table = reader.open({"parquet": reader.find("parquet", digits, digits)})
    assert refused(lambda: table.read("image", np.arange(100))) == (
        "shard-00002-of-00004.parquet is damaged: the checksum of a page is wrong"
    )


def test_no_flipped_bit_of_a_page_gives_other_values(digits):
    path = digits / "shards" / "shard-00000-of-00004.parquet"
    content = path.read_bytes()
    _, table = open_parquet(digits, "shards")
    whole = table.read_encoded("image", np.arange(25))
    last = parquet.read_metadata(path).row_group(0).column(0)
    draw = np.random.default_rng(2)
    found = 0
    for place in draw.integers(last.data_page_offset, last.data_page_offset + last.total_compressed_size, 60).tolist():
        damaged = bytearray(content)
        damaged[place] ^= 1 << int(draw.integers(8))
        path.write_bytes(damaged)
        _, table = open_parquet(digits, "shards")
        try:
            assert table.read_encoded("image", np.arange(25)) == whole
        except DataError as error:
            assert path.name in error.message
            found += 1
    assert found > 50


def test_a_truncated_shard_is_named(digits):
    path = digits / "shards" / "shard-00001-of-00004.parquet"
    path.write_bytes(path.read_bytes()[:-40])
    assert "shard-00001-of-00004.parquet is not a readable Parquet file" in refused(lambda: open_parquet(digits, "shards"))


def test_shards_with_other_columns_are_refused(digits):
    parquet.write_table(pyarrow.table({"image": [b"x"], "label": [1]}), digits / "shards" / "z.parquet")
    message = refused(lambda: open_parquet(digits, "shards"))
    assert message.startswith(
        "the files differ in their columns: `label` has the type int64 in z.parquet, and has the type string"
    )


@pytest.mark.parametrize("text", ["shards", "shards/", "shards/shard-*.parquet"])
def test_a_folder_and_a_pattern_name_the_files_in_the_order_of_their_names(digits, text):
    columns, table = open_parquet(digits, text)
    assert (len(table), set(columns)) == (100, {"image", "label"})
    assert table.where("label", 26) == "shard-00001-of-00004.parquet, row 1, column `label`"


def test_a_pattern_may_not_leave_the_root(digits):
    assert "is outside the project root" in refused(lambda: open_parquet(digits / "digits", "../shards/*.parquet"))


def test_a_changed_shard_is_named_when_the_training_is_resumed(digits):
    train(spec_of(digits), out=digits / "run", progress=Quiet())
    table = Images(folder="digits").open({"folder": digits / "digits"})
    (digits / "shards" / "shard-00003-of-00004.parquet").unlink()
    write_shards(table, digits / "other", 4)
    other = digits / "other" / "shard-00000-of-00004.parquet"
    other.rename(digits / "shards" / "shard-00003-of-00004.parquet")
    with pytest.raises(NnspecError, match=r"shards/shard-00003-of-00004\.parquet"):
        resume(digits / "run", overrides=["train.epochs=3"], progress=Quiet())


def png(value: int, size: tuple[int, int] = (8, 8), mode: str = "L") -> bytes:
    file = io.BytesIO()
    Image.new(mode, size, value).save(file, "PNG")
    return file.getvalue()


def test_images_of_hugging_face_are_read(tmp_path):
    images = [{"bytes": png(i), "path": f"{i}.png"} for i in range(4)]
    parquet.write_table(pyarrow.table({"image": images, "label": [0, 1, 0, 1]}), tmp_path / "a.parquet")
    reader = Images.model_validate({"parquet": {"file": "a.parquet"}, "column": "image"})
    files = {"parquet": tmp_path / "a.parquet"}
    assert reader.columns(files)["image"].shape == (8, 8, 1)
    assert reader.open(files).read("image", np.array([3, 1]))[:, 0, 0, 0].tolist() == [3, 1]


@pytest.mark.parametrize(
    ("content", "reported"),
    [
        (png(1, (9, 8)), "a.parquet, row 1, column `image` is 8×9, but the first one is 8×8"),
        (png(1, mode="RGB"), "a.parquet, row 1, column `image` is rgb, but the first one is grayscale"),
        (png(1)[:-20], "a.parquet, row 1, column `image` cannot"),
        (b"GIF89a\0\xff", "a.parquet, row 1, column `image` is not a PNG or JPEG image"),
        (None, "a.parquet, row 1, column `image`: the image is missing"),
    ],
)
def test_an_image_that_cannot_be_used_is_reported_with_its_row(tmp_path, content, reported):
    parquet.write_table(pyarrow.table({"image": pyarrow.array([png(0), content], "binary")}), tmp_path / "a.parquet")
    reader = Images.model_validate({"parquet": {"file": "a.parquet"}, "column": "image"})
    table = reader.open({"parquet": tmp_path / "a.parquet"})
    assert reported in refused(lambda: table.read("image", slice(None)))


def test_a_column_of_paths_in_bytes_is_still_a_column_of_paths(tmp_path):
    (tmp_path / "a.png").write_bytes(png(7))
    parquet.write_table(pyarrow.table({"file": [b"a.png"], "label": [1]}), tmp_path / "a.parquet")
    reader = Images.model_validate({"parquet": {"file": "a.parquet"}, "column": "file"})
    assert reader.open({"parquet": tmp_path / "a.parquet"}).read("image", slice(None)).max() == 7


def test_every_kind_of_value_is_the_same_after_conversion(tmp_path):
    (tmp_path / "a.jsonl").write_text(
        '{"n": 1, "f": 0.5, "t": "a", "b": true, "v": [1, 2], "r": [1], "w": ["x", "y"]}\n'
        '{"n": 2, "f": null, "t": null, "b": false, "v": [3, 4], "r": [2, 3], "w": []}\n'
    )
    [found] = convert(str(tmp_path / "a.jsonl"), tmp_path / "out", shards=2)
    assert (found.rows, len(found.files)) == (2, 2)
    columns, table = open_parquet(tmp_path, "out")
    read = {name: table.read(name, slice(None)).tolist() for name in columns}
    assert read["f"][0] == 0.5 and np.isnan(read["f"][1])
    assert [row.tolist() for row in read.pop("r")] == [[1], [2, 3]]
    assert {**read, "f": 0} == {
        "n": [1, 2], "f": 0, "t": ["a", None], "b": [True, False], "v": [[1, 2], [3, 4]], "w": [["x", "y"], []],
    }  # fmt: skip


def test_arrays_are_lists_of_a_fixed_size_and_are_read_by_row_groups(small_groups, tmp_path):
    values = np.arange(50 * 6, dtype=np.float32).reshape(50, 2, 3)
    np.savez(tmp_path / "a.npz", x=values, y=np.arange(50))
    convert(str(tmp_path / "a.npz"), tmp_path / "out", shards=3)
    columns, table = open_parquet(tmp_path, "out")
    assert (columns["x"].shape, columns["x"].dtype) == ((2, 3), "float32")
    rows = np.array([49, 0, 17, 17])
    np.testing.assert_array_equal(table.read("x", rows), values[rows])
    assert table.read("y", rows).tolist() == rows.tolist()


def test_the_splits_of_a_spec_become_folders(digits):
    text = SPEC.replace(
        "READER", "{images: {folder: digits, color_mode: grayscale}}\n  validation: 0.1\n  test: {images: digits}"
    )
    (digits / "net.nnspec.yaml").write_text(text)
    found = convert(str(digits / "net.nnspec.yaml"), digits / "out", shards=2)
    assert [(each.part, each.rows, len(each.files)) for each in found] == [("train", 100, 2), ("test", 100, 2)]
    assert found[0].reader == f'{{images: {{parquet: "{digits}/out/train", column: image, color_mode: grayscale}}}}'


def test_a_conversion_that_fails_leaves_no_files(digits):
    (digits / "digits" / "d3" / "0003.png").unlink()
    table = Images(folder="digits").open({"folder": digits / "digits"})
    next((digits / "digits" / "d3").glob("*.png")).unlink()
    before = sorted(digits.iterdir())
    with pytest.raises(DataError, match="cannot be read"):
        write_shards(table, digits / "broken", 2)
    assert sorted(digits.iterdir()) == before


def test_a_folder_that_is_not_empty_is_not_overwritten(digits):
    with pytest.raises(NnspecError, match="is not empty"):
        convert(str(digits / "digits"), digits / "shards")


def test_a_damaged_image_in_a_shard_stops_the_training_with_its_row(small_groups, tmp_path, streamed):
    parquet.write_table(
        pyarrow.table({"image": [*(png(i) for i in range(29)), png(1)[:-20]], "label": ["a", "b"] * 15}),
        tmp_path / "a.parquet",
    )
    reader = "{images: {parquet: a.parquet, column: image}}"
    with pytest.raises((NnspecError, SpecError), match=r"a\.parquet, row 29, column `image` cannot"):
        train(spec_of(tmp_path, reader), out=tmp_path / "run", progress=Quiet())
