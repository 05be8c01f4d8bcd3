"""Images with boxes in the formats of COCO, YOLO and VOC, and mistakes in them."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.annotation_mistakes import MISTAKES, VARIANTS, Mistake, Variant, write
from benchmarks.annotations import found, is_found, misread
from nnspec.data.conversion import convert
from nnspec.data.kinds import AnnotationError, DataError
from nnspec.data.readers import Table
from nnspec.data.readers.coco import Coco
from nnspec.data.readers.json_stream import JsonStream
from nnspec.data.readers.voc import Voc
from nnspec.data.readers.yolo import Yolo


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pets") / "clean"
    write(folder)
    return folder


def opened(folder: Path, format_: str, **arguments: object) -> Table:
    given = {"coco": {"annotations": "instances.json", "images": "images"}, "yolo": {"folder": "."}, "voc": {"folder": "."}}
    reader = {"coco": Coco, "yolo": Yolo, "voc": Voc}[format_].model_validate({**given[format_], **arguments})
    table = reader.open({argument: folder / text for argument, text in reader.named_paths().items()})
    assert list(reader.columns({argument: folder / text for argument, text in reader.named_paths().items()})) == [
        *table.columns
    ]
    return table


def rows(table: Table) -> list[tuple[list[list[float]], list[str]]]:
    everything = slice(None)
    boxes, classes = table.read("boxes", everything), table.read("class", everything)
    return [(np.round(own, 3).tolist(), list(kinds)) for own, kinds in zip(boxes, classes, strict=True)]


def test_the_three_formats_have_the_same_boxes(clean: Path) -> None:
    coco, yolo, voc = (opened(clean / name, name) for name in ("coco", "yolo", "voc"))
    assert rows(coco) == rows(voc)
    for (ours, kinds), (theirs, others) in zip(rows(coco), rows(yolo), strict=True):
        assert kinds == others
        np.testing.assert_allclose(ours, theirs, atol=1e-3)
    assert coco.read("image", slice(0, 2)).shape == (2, 60, 80, 3)
    assert not [*coco.warnings(), *yolo.warnings(), *voc.warnings()]


def test_images_are_resized_and_boxes_stay_those_of_the_stored_image(clean: Path) -> None:
    table = opened(clean / "coco", "coco", image_size=[30, 40])
    assert table.columns["image"].shape == (30, 40, 3)
    sizes = table.image_sizes("image")
    assert sizes is not None and sizes[0].tolist() == [60, 80]
    assert rows(table) == rows(opened(clean / "coco", "coco"))


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: f"{mistake.format}: {mistake.kind}")
def test_a_mistake_is_reported_with_its_place_and_remedy(tmp_path: Path, clean: Path, mistake: Mistake) -> None:
    reported = found(mistake, clean, tmp_path / "copy")
    assert is_found(mistake, reported), reported


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: f"{variant.format}: {variant.kind}")
def test_another_valid_way_to_write_the_data_set_is_read_as_the_same_boxes(
    tmp_path: Path, clean: Path, variant: Variant
) -> None:
    assert misread(variant, clean, tmp_path / "copy") == []


def test_all_kinds_of_mistakes_are_reported_at_once(tmp_path: Path, clean: Path) -> None:
    data = json.loads((clean / "coco/instances.json").read_text())
    data["annotations"][0]["image_id"] = 99
    data["annotations"][1]["category_id"] = 99
    data["annotations"][2]["bbox"] = [1, 2]
    (tmp_path / "instances.json").write_text(json.dumps(data))
    reader = Coco(annotations="instances.json", images="images")
    with pytest.raises(AnnotationError) as error:
        reader.open({"annotations": tmp_path / "instances.json", "images": clean / "coco/images"})
    messages = [each.message for each in (error.value, *error.value.others)]
    assert len(messages) == 3
    assert all(any(f"annotation {number}" in message for message in messages) for number in (1, 2, 3))


def renumbered(clean: Path, folder: Path, ids: dict[int, int], *more: dict[str, object]) -> Table:
    """The data in COCO with other ids of the categories, and further categories before them."""
    shutil.copytree(clean / "coco/images", folder / "images")
    data = json.loads((clean / "coco/instances.json").read_text())
    for entry in data["categories"]:
        entry["id"] = ids[entry["id"]]
    for entry in data["annotations"]:
        entry["category_id"] = ids[entry["category_id"]]
    data["categories"] = [*more, *data["categories"]]
    (folder / "instances.json").write_text(json.dumps(data))
    return opened(folder, "coco")


def test_gaps_in_the_ids_of_categories_are_a_note(tmp_path: Path, clean: Path) -> None:
    known = [entry["id"] for entry in json.loads((clean / "coco/instances.json").read_text())["categories"]]
    table = renumbered(clean, tmp_path, dict(zip(known, [1, 13, 90], strict=True)))
    [note] = table.warnings()
    assert note.is_note
    assert "the category ids from 1 to 90 have gaps, such as 2" in note.message
    assert "numbered as in `categories`" in note.help
    assert rows(table) == rows(opened(clean / "coco", "coco"))


def test_a_category_that_shifts_the_classes_and_has_no_box_is_a_warning(tmp_path: Path, clean: Path) -> None:
    known = [entry["id"] for entry in json.loads((clean / "coco/instances.json").read_text())["categories"]]
    table = renumbered(clean, tmp_path, dict(zip(known, [1, 2, 3], strict=True)), {"id": 0, "name": "animals"})
    [warning] = table.warnings()
    assert not warning.is_note
    assert "no box has the class `animals`" in warning.message


def test_a_note_on_the_data_is_reported_by_validate_and_is_no_warning(tmp_path: Path, clean: Path) -> None:
    from nnspec.api import validate

    known = [entry["id"] for entry in json.loads((clean / "coco/instances.json").read_text())["categories"]]
    renumbered(clean, tmp_path, dict(zip(known, [1, 13, 90], strict=True)))
    (tmp_path / "net.nnspec.yaml").write_text(
        "nnspec: 1\nname: net\ninputs: {image: [60, 80, 3], boxes: [9, 4], class: {shape: [9], dtype: int32}}\n"
        "networks:\n  net:\n    inputs: {image: [60, 80, 3]}\n    layers: [GlobalAveragePooling2D, {Dense: 4}]\n"
        "data:\n  train: {coco: {annotations: instances.json, images: images}}\n  inputs:\n"
        "    boxes: {transform: [{pad: 9}]}\n    class: {transform: [label_encode, {pad: 9}]}\n"
        "train:\n  epochs: 1\n  objective:\n    program:\n      layers:\n        - net:\n          from: image\n"
        "        - Compute: \"square(net - mean(boxes, axis=1)) + mean(cast(class, 'float32'), axis=1, keepdims=True)\"\n"
        "          name: loss\n      minimize: [{loss: loss, of: net}]\nexport: {network: net}\n"
    )
    found = [(each.severity, each.code) for each in validate(tmp_path / "net.nnspec.yaml", data=True)]
    assert found == [("note", "NN479")]


def test_splits_are_folders_of_yolo_and_lists_of_voc(tmp_path: Path, clean: Path) -> None:
    for folder in ("images", "labels"):
        shutil.copytree(clean / "yolo" / folder, tmp_path / "y" / folder / "train")
    (tmp_path / "y/data.yaml").write_text("names: {0: cat, 1: dog, 2: bird}\n")
    with pytest.raises(DataError, match="has the splits `train`"):
        opened(tmp_path / "y", "yolo")
    with pytest.raises(DataError, match="neither `images/tran`"):
        opened(tmp_path / "y", "yolo", split="tran")
    assert rows(opened(tmp_path / "y", "yolo", split="train")) == rows(opened(clean / "yolo", "yolo"))


def test_a_list_of_voc_selects_images(tmp_path: Path, clean: Path) -> None:
    for name in ("Annotations", "JPEGImages"):
        (tmp_path / name).symlink_to(clean / "voc" / name)
    (tmp_path / "ImageSets/Main").mkdir(parents=True)
    (tmp_path / "ImageSets/Main/cat_train.txt").write_text("000  1\n001 -1\n003  0\n")
    assert rows(opened(tmp_path, "voc", split="cat_train")) == [rows(opened(clean / "voc", "voc"))[i] for i in (0, 3)]


def test_polygons_of_yolo_become_their_enclosing_boxes(tmp_path: Path, clean: Path) -> None:
    (tmp_path / "images").symlink_to(clean / "yolo/images")
    (tmp_path / "labels").mkdir()
    for number in range(6):
        (tmp_path / f"labels/{number:03}.txt").write_text("2 0.1 0.2 0.5 0.1 0.3 0.9\n")
    (tmp_path / "data.yaml").write_text("names: [cat, dog, bird]\n")
    boxes, kinds = rows(opened(tmp_path, "yolo"))[0]
    np.testing.assert_allclose(boxes, [[8, 6, 40, 54]], atol=1e-3)
    assert kinds == ["bird"]


@pytest.mark.parametrize(
    ("start", "end"), [("coco", "yolo"), ("yolo", "voc"), ("voc", "coco"), ("coco", "voc"), ("voc", "yolo")]
)
def test_a_conversion_there_and_back_keeps_the_boxes(
    tmp_path: Path, clean: Path, monkeypatch: pytest.MonkeyPatch, start: str, end: str
) -> None:
    monkeypatch.chdir(clean / start)
    readers = {"coco": "coco: {annotations: instances.json, images: images}", "yolo": "yolo: .", "voc": "voc: ."}
    [there] = convert(readers[start], tmp_path / "there", to=end)  # type: ignore[arg-type]
    [back] = convert(there.reader[1:-1], tmp_path / "back", to=start)  # type: ignore[arg-type]
    assert (there.rows, back.rows, there.lost) == (6, 6, [])
    for (ours, kinds), (theirs, others) in zip(
        rows(opened(clean / start, start)), rows(opened(tmp_path / "back", start)), strict=True
    ):
        assert kinds == others
        np.testing.assert_allclose(ours, theirs, atol=1e-3)
    images = {path.name: path.read_bytes() for path in tmp_path.rglob("back/**/*.png")}
    assert images == {path.name: path.read_bytes() for path in (clean / start).rglob("*.png")}


def test_a_conversion_states_what_a_format_does_not_have(tmp_path: Path, clean: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = json.loads((clean / "coco/instances.json").read_text())
    data["annotations"][3]["iscrowd"] = 1
    (tmp_path / "a.json").write_text(json.dumps(data))
    (tmp_path / "images").symlink_to(clean / "coco/images")
    monkeypatch.chdir(tmp_path)
    [made] = convert("coco: {annotations: a.json, images: images}", tmp_path / "out", to="yolo")
    assert made.lost == ["YOLO has no `crowd`: 1 boxes are written without it"]


def test_boxes_go_through_parquet(tmp_path: Path, clean: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyarrow")
    monkeypatch.chdir(clean / "coco")
    [made] = convert("coco: {annotations: instances.json, images: images}", tmp_path / "shards")
    [again] = convert(made.reader[1:-1], tmp_path / "yolo", to="yolo")
    assert again.rows == 6
    for (ours, kinds), (theirs, others) in zip(
        rows(opened(clean / "coco", "coco")), rows(opened(tmp_path / "yolo", "yolo")), strict=True
    ):
        assert kinds == others
        np.testing.assert_allclose(ours, theirs, atol=1e-3)


def test_100_000_boxes_in_one_image_are_read_and_stay_in_order(tmp_path: Path, clean: Path) -> None:
    (tmp_path / "images").symlink_to(clean / "coco/images")
    data = json.loads((clean / "coco/instances.json").read_text())
    data["annotations"] = [
        {"id": i, "image_id": 2, "category_id": i % 3 + 1, "bbox": [i % 70, i % 50, 5 + i / 100_000, 5]} for i in range(100_000)
    ]
    (tmp_path / "instances.json").write_text(json.dumps(data))
    table = opened(tmp_path, "coco")
    [own] = table.read("boxes", np.array([1]))
    assert own.shape == (100_000, 4) and own[99_999].tolist() == pytest.approx([39, 49, 45, 54], abs=1e-4)
    assert table.where_item("boxes", 1, 70) == "instances.json, annotation 70 of image 2"


# --- streams of JSON ----------------------------------------------------------------------------------------------------

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=12,
)


@given(data=st.dictionaries(st.text(max_size=6), _VALUES, max_size=4), indent=st.sampled_from([None, 1]))
def test_a_stream_has_the_values_of_the_whole_file(data: dict[str, object], indent: int | None) -> None:
    stream = JsonStream(_Slow(json.dumps(data, indent=indent)), "a.json", "annotations")
    made: dict[str, object] = {key: [] for key, value in data.items() if isinstance(value, list)}
    for key, number, value in stream.members():
        if number is None:
            made[key] = value
        else:
            own = made[key]
            assert isinstance(own, list) and len(own) == number
            own.append(value)
    assert made == data


class _Slow(io.StringIO):
    """A file of which a few characters are read at a time."""

    def read(self, size: int | None = -1) -> str:
        del size
        return super().read(7)


def test_lists_of_skipped_keys_are_not_decoded_and_lines_stay_right() -> None:
    text = '{"annotations": [\n {"segmentation": [[1.5,\n 2, -3e4]], "s": "\\"segmentation\\": [1]", "id": 1},\n {"id": 2}]}'
    stream = JsonStream(io.StringIO(text), "a.json", "annotations", ("segmentation",))
    found = [(stream.line, value) for _, _, value in stream.members()]
    assert found == [(2, {"segmentation": 0, "s": '"segmentation": [1]', "id": 1}), (4, {"id": 2})]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[1]", "must be one JSON object"),
        ('{"a": 1', "`,` is missing"),
        ('{"a": [1, 2', "`,` is missing"),
        ('{"a": [1, {"b": "c', "truncated"),
        ('{"a": 1} 2', "unexpected text"),
        ('{"a": 1, "a": 2}', "duplicate key `a`"),
        ('{"a": NaN}', "`NaN` is not valid JSON"),
        ('{"a":\n [1,\n ]}', "line 2: there is a comma after the last item"),
        ('{"a": [{"b": 1,\n}]}', "line 1: there is a comma after the last item"),
        ('{"a": [1],\n}', "line 1: there is a comma after the last item"),
        ('{"a": [1,\n # one\n 2]}', "line 2: there is a comment"),
        ('{"a": ' + "[" * 100_000, "nested too deep"),
    ],
)
def test_a_damaged_file_is_refused_with_its_line(text: str, words: str) -> None:
    with pytest.raises(DataError, match=words):
        list(JsonStream(io.StringIO(text), "a.json", "annotations").members())


def test_a_billion_laughs_are_not_expanded(tmp_path: Path, clean: Path) -> None:
    (tmp_path / "JPEGImages").symlink_to(clean / "voc/JPEGImages")
    (tmp_path / "Annotations").mkdir()
    entities = '<!ENTITY a "ha">' + "".join(
        f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    text = f"<!DOCTYPE x [{entities}]><annotation><filename>&i;</filename></annotation>"
    (tmp_path / "Annotations/000.xml").write_text(text)
    with pytest.raises(AnnotationError, match="document type"):
        opened(tmp_path, "voc")
