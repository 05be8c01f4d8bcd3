"""Pictures in folders and in tables: what they become, and which are refused."""

from __future__ import annotations

import random
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from nnspec.data.kinds import Column, DataError
from nnspec.data.readers.csv import Csv
from nnspec.data.readers.images import Images

from .pictures import bomb, write_digits

NET = "inputs: {image: [8, 8, 1]}\nlayers:\n  - Flatten\n  - Dense: {units: 10, activation: softmax}\n    name: digit\n"
TRAIN = "train: {epochs: 1, loss: SparseCategoricalCrossentropy}\n"
TARGETS = "targets: {digit: {transform: [label_encode]}}"


def spec(reader: str, more: str = TARGETS, net: str = NET) -> str:
    return f"{net}data: {{train: {{images: {reader}}}, {more}}}\n{TRAIN}"


def refused(reader: Images, files) -> DataError:
    with pytest.raises(DataError) as caught:
        reader.open(files)
    return caught.value


def test_a_folder_a_class_gives_pixels_and_the_folders_names(tmp_path):
    pixels, classes = write_digits(tmp_path / "digits")
    reader, files = Images(folder="digits"), {"folder": tmp_path / "digits"}
    assert reader.columns(files) == {"image": Column((8, 8, 1), "uint8"), "label": Column((), "text")}
    table = reader.open(files)
    rows = np.array([39, 0, 7])
    np.testing.assert_array_equal(table.read("image", rows)[..., 0], pixels[rows])
    assert table.read("label", rows).tolist() == [f"d{n}" for n in classes[rows]]
    assert table.where("image", 0) == "d0/0000.png"


def test_classes_are_learned_in_the_order_of_their_names(project):
    _, classes = write_digits(project.folder / "digits")
    prepared = project.prepare(spec("digits"))
    assert prepared.train.batch(slice(None)).targets["digit"].tolist() == classes.tolist()
    assert prepared.state["targets.digit"][0]["learned"] == {"classes": [f"d{n}" for n in range(10)]}


def test_pictures_in_one_folder_have_no_label(tmp_path):
    write_digits(tmp_path / "digits")
    assert list(Images(folder="d").columns({"folder": tmp_path / "digits" / "d3"})) == ["image"]


def test_pictures_are_resized_and_recoloured(tmp_path):
    (tmp_path / "p" / "a").mkdir(parents=True)
    Image.new("RGB", (20, 10), (255, 0, 0)).save(tmp_path / "p" / "a" / "1.jpg")
    Image.new("L", (6, 6), 200).save(tmp_path / "p" / "a" / "2.png")
    Image.new("RGBA", (4, 4), (0, 0, 255, 0)).save(tmp_path / "p" / "a" / "3.png")
    files = {"folder": tmp_path / "p"}
    rgb = Images(folder="p", image_size=[4, 5], color_mode="rgb").open(files)
    values = rgb.read("image", slice(None))
    assert values.shape == (3, 4, 5, 3)
    assert values[1].min() == values[1].max() == 200
    assert abs(values[0].astype(int) - [255, 0, 0]).max() <= 2
    assert Images(folder="p", image_size=[2, 2], color_mode="grayscale").columns(files)["image"].shape == (2, 2, 1)
    assert refused(Images(folder="p", color_mode="rgb"), files).help == "write `image_size: [10, 20]`"
    assert "differ in their channels: a/2.png is grayscale" in refused(Images(folder="p", image_size=[4, 4]), files).message


def test_pictures_named_in_a_table_come_with_its_columns(project):
    pixels, classes = write_digits(project.folder / "pictures", 6)
    names = sorted((project.folder / "pictures").rglob("*.png"))
    lines = [f"{path.relative_to(project.folder)},{label}" for path, label in zip(names, classes, strict=True)]
    (project.folder / "labels.csv").write_text("\n".join(["file,digit", *lines, ""]))
    prepared = project.prepare(spec("{csv: labels.csv, column: file}", "validation: 0.5"))
    batch = prepared.train.batch(slice(None))
    np.testing.assert_array_equal(batch.inputs["image"][..., 0], pixels[prepared.train.rows])
    np.testing.assert_array_equal(batch.targets["digit"], classes[prepared.train.rows])
    for name in ("labels.csv", "pictures/d0/0000.png"):
        (project.folder / name).touch()
        again = project.prepare(spec("{csv: labels.csv, column: file}", "validation: 0.5"))
        assert again.fingerprints["train"] == prepared.fingerprints["train"]


def test_the_line_of_a_row_is_not_looked_up_unless_its_path_is_wrong(tmp_path, monkeypatch):
    names = [f"{number}.png" for number in range(20)]
    for name in names:
        Image.new("L", (2, 2)).save(tmp_path / name)
    (tmp_path / "a.csv").write_text("\n".join(["file,label", *(f"{name},x" for name in names), ""]))
    monkeypatch.setattr(Csv, "line", lambda *_: pytest.fail("the table is read again for a row"))
    assert len(Images(csv=Csv(file="a.csv"), column="file").open({"csv": tmp_path / "a.csv"})) == 20


@pytest.mark.parametrize(
    ("path", "reported"),
    [
        ("../secret.png", "`../secret.png` is outside the folder"),
        ("/etc/hostname", "is outside the folder"),
        ("missing.png", "image `missing.png` not found"),
        ("", "the image path is missing"),
    ],
)
def test_a_path_in_a_table_may_not_leave_its_folder(tmp_path, path, reported):
    (tmp_path / "t").mkdir()
    Image.new("L", (2, 2)).save(tmp_path / "secret.png")
    (tmp_path / "t" / "a.csv").write_text(f"file,label\n{path},x\n")
    error = refused(Images(csv=Csv(file="a.csv"), column="file"), {"csv": tmp_path / "t" / "a.csv"})
    assert reported in error.message
    assert "a.csv, line 2, column `file`" in error.message


def test_a_link_out_of_the_folder_is_refused(tmp_path):
    (tmp_path / "p" / "a").mkdir(parents=True)
    Image.new("L", (2, 2)).save(tmp_path / "secret.png")
    (tmp_path / "p" / "a" / "1.png").symlink_to(tmp_path / "secret.png")
    assert "the link `a/1.png` leads out of `p`" in refused(Images(folder="p"), {"folder": tmp_path / "p"}).message


@pytest.mark.parametrize(
    ("name", "content", "reported"),
    [
        ("a/x.png", b"", "a/x.png is not a PNG or JPEG image"),
        ("a/x.jpg", b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff!", "a/x.jpg is not a PNG or JPEG image"),
        ("a/x.png", bomb(100_000, 100_000), "more pixels than `max_pixels`, 67,108,864"),
        ("a/x.png", bomb(9000, 9000), "67,108,864: 9,000 × 9,000"),
        ("a/x.txt", b"hello", "`a/x.txt` in `p` has an unsupported extension"),
        ("x.png", bomb(2, 2), "`p` contains both files (`x.png`) and class folders (`a`)"),
    ],
)
def test_what_is_no_picture_is_named_before_the_first_step(tmp_path, name, content, reported):
    (tmp_path / "p" / "a").mkdir(parents=True)
    Image.new("L", (2, 2)).save(tmp_path / "p" / "a" / "1.png")
    (tmp_path / "p" / name).write_bytes(content)
    assert reported in refused(Images(folder="p"), {"folder": tmp_path / "p"}).message


def test_all_files_of_other_kinds_are_reported_at_once(tmp_path):
    (tmp_path / "p" / "a").mkdir(parents=True)
    for name in ("1.webp", "2.WEBP", "3.gif", "README"):
        (tmp_path / "p" / "a" / name).touch()
    error = refused(Images(folder="p"), {"folder": tmp_path / "p"})
    assert "`a/1.webp` and 3 other files in `p` have unsupported extensions (`.gif`, `.webp`, `none`)" in error.message
    assert error.help == "convert images to PNG or JPEG, and move other files out of the folder"


def test_a_picture_of_16_bits_is_refused_rather_than_cut(tmp_path):
    (tmp_path / "p").mkdir()
    Image.fromarray(np.full((2, 2), 40_000, np.uint16)).save(tmp_path / "p" / "1.png")
    error = refused(Images(folder="p", color_mode="grayscale"), {"folder": tmp_path / "p"})
    assert "`I;16`, more than 8 bits per channel" in error.message


def test_a_picture_cut_short_is_named_at_the_input_it_feeds(project):
    write_digits(project.folder / "digits")
    path = project.folder / "digits" / "d3" / "0003.png"
    path.write_bytes(path.read_bytes()[:-30])
    [problem] = project.refuses(spec("digits"))
    assert problem.code == "NN460"
    assert "d3/0003.png cannot be decoded" in problem.message


def test_garbled_pictures_are_refused_and_never_a_traceback(tmp_path):
    draw = random.Random(3)
    for kind in ("png", "jpg"):
        (tmp_path / kind).mkdir()
        path = tmp_path / kind / f"1.{kind}"
        Image.effect_noise((16, 16), 60).save(path)
        whole = path.read_bytes()
        for _ in range(150):
            garbled = bytearray(whole[: draw.choice([len(whole), draw.randrange(len(whole))])])
            for _ in range(draw.randrange(6)):
                if garbled:
                    garbled[draw.randrange(len(garbled))] = draw.randrange(256)
            path.write_bytes(garbled)
            try:
                table = Images(folder=kind, max_pixels=10_000).open({"folder": path.parent})
                values = table.read("image", slice(None))
            except DataError as error:
                assert f"1.{kind}" in error.message
            else:
                assert values.dtype == np.uint8


def test_an_empty_class_is_refused(tmp_path):
    write_digits(tmp_path / "digits", 10)
    (tmp_path / "digits" / "empty").mkdir()
    assert "`digits/empty` contains no examples" in refused(Images(folder="d"), {"folder": tmp_path / "digits"}).message


@pytest.mark.parametrize(
    ("reader", "code", "reported"),
    [
        ("{folder: digits, image_sise: [8, 8]}", "NN103", "image_sise"),
        ("{folder: digits, color_mode: grey}", "NN105", "color_mode"),
        ("{csv: a.csv}", "NN105", "a table needs `column`"),
        ("{}", "NN105", "give `folder`, or a table"),
        ("missing", "NN402", "there is no file or folder `missing`"),
        ("../digits", "NN401", "is outside the project root"),
        ("net.nnspec.yaml", "NN403", "is a file, not a folder of images"),
        ("{csv: a.csv, column: fil}", "NN403", "the table has no column `fil`"),
        ("{folder: digits, image_size: [9, 9]}", "NN407", "(9, 9, 1)"),
    ],
)
def test_validate_says_what_is_wrong_with_the_reader(project, reader, code, reported):
    write_digits(project.folder / "digits", 10)
    (project.folder / "a.csv").write_text("file,digit\n")
    _, problems = project.plan(spec(reader, "validation: 0.5, " + TARGETS))
    assert (problems[0].code, reported in problems[0].message) == (code, True), problems


def test_text_without_a_transform_is_reported_by_validate(project):
    write_digits(project.folder / "digits", 10)
    _, [problem] = project.plan(spec("digits", "validation: 0.5"))
    assert problem.code == "NN462"
    assert "label_encode" in problem.help


def test_the_fingerprint_is_of_every_picture(project):
    write_digits(project.folder / "digits")
    first = project.prepare(spec("digits")).fingerprints["train"]
    assert project.prepare(spec("digits")).fingerprints["train"] == first
    Image.new("L", (8, 8), 7).save(project.folder / "digits" / "d3" / "0003.png")
    assert project.prepare(spec("digits")).fingerprints["train"] != first


def test_a_spec_over_pictures_is_checked_without_numpy(project):
    write_digits(project.folder / "digits", 10)
    project.plan(spec("digits", "validation: 0.5, " + TARGETS))
    code = (
        "import sys\nfrom nnspec.api import validate\n"
        f"assert validate({str(project.folder / 'net.nnspec.yaml')!r}) == []\n"
        "assert not {'numpy', 'tensorflow', 'keras', 'onnx'} & set(sys.modules), 'loaded'"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
