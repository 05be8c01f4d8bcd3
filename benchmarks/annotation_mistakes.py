"""One data set of boxes in COCO, YOLO and VOC, mistakes made by rule in copies of it, and copies written in other valid ways."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

NAMES = ("cat", "dog", "bird")
_SPEC = """nnspec: 1
name: pets
inputs: {{image: [32, 32, 3], boxes: [8, 4], class: {{shape: [8], dtype: int32}}}}
networks:
  net:
    inputs: {{image: [32, 32, 3]}}
    layers: [GlobalAveragePooling2D, {{Dense: 4}}]
data:
  train: {reader}
  inputs:
    image: {{transform: [{{rescale: 0.00392156862745098}}]}}
    boxes: {{transform: [{{pad: 8}}]}}
    class: {{transform: [{{label_encode: {{classes: [cat, dog, bird]}}}}, {{pad: 8}}]}}
train:
  objective:
    program:
      layers:
        - net:
          from: image
        - Compute: "square(net - mean(boxes, axis=1)) + mean(cast(class, 'float32'), axis=1, keepdims=True)"
          name: loss
      minimize: [{{loss: loss, of: net}}]
  epochs: 1
export: {{network: net}}
"""
_READERS = {
    "coco": "{coco: {annotations: instances.json, images: images, image_size: [32, 32]}}",
    "yolo": "{yolo: {folder: ., image_size: [32, 32]}}",
    "voc": "{voc: {folder: ., image_size: [32, 32]}}",
}


@dataclass(frozen=True)
class Mistake:
    """A mistake in one format.

    Attributes:
        kind: What is wrong.
        format: ``coco``, ``yolo`` or ``voc``.
        make: Makes it in a folder.
        where: What the message must contain: the file and the line or id.
        remedy: What the help must contain.
        reported: A public report of such data: the repository and the number of the issue or pull request.
    """

    kind: str
    format: str
    make: Callable[[Path], None]
    where: str
    remedy: str
    reported: str = ""


def write(folder: Path, images: int = 6) -> None:
    """Write the data set in the three formats, each in a folder of its name."""
    from PIL import Image

    random = Random(0)
    for name in ("coco/images", "yolo/images", "yolo/labels", "voc/JPEGImages", "voc/Annotations"):
        (folder / name).mkdir(parents=True)
    coco: dict[str, list[Any]] = {"images": [], "annotations": [], "categories": []}
    coco["categories"] = [{"id": place + 1, "name": name} for place, name in enumerate(NAMES)]
    for number in range(images):
        width, height = 80, 60
        file = f"{number:03}.png"
        for name in ("coco/images", "yolo/images", "voc/JPEGImages"):
            Image.new("RGB", (width, height), (40 * number % 256, 90 + number, 120)).save(folder / name / file)
        coco["images"].append({"id": number + 1, "file_name": file, "width": width, "height": height})
        lines, objects = [], []
        for place in range(2):
            kind = (number + place) % 3
            w, h = random.randint(12, 30), random.randint(12, 24)
            # Not in the corner at the top left, so that no box can be read in another format.
            x, y = random.randint(30, width - w), random.randint(26, height - h)
            coco["annotations"].append(
                {
                    "id": len(coco["annotations"]) + 1,
                    "image_id": number + 1,
                    "category_id": kind + 1,
                    "bbox": [x, y, w, h],
                    "iscrowd": 0,
                }
            )
            lines.append(f"{kind} {(x + w / 2) / width:.6f} {(y + h / 2) / height:.6f} {w / width:.6f} {h / height:.6f}\n")
            corners = zip(("xmin", "ymin", "xmax", "ymax"), (x + 1, y + 1, x + w, y + h), strict=True)
            box = "".join(f"      <{key}>{value}</{key}>\n" for key, value in corners)
            objects.append(
                f"  <object>\n    <name>{NAMES[kind]}</name>\n    <difficult>0</difficult>\n"
                f"    <bndbox>\n{box}    </bndbox>\n  </object>\n"
            )
        (folder / f"yolo/labels/{number:03}.txt").write_text("".join(lines))
        size = f"  <size>\n    <width>{width}</width>\n    <height>{height}</height>\n    <depth>3</depth>\n  </size>\n"
        text = f"<annotation>\n  <filename>{file}</filename>\n{size}{''.join(objects)}</annotation>\n"
        (folder / f"voc/Annotations/{number:03}.xml").write_text(text)
    (folder / "coco/instances.json").write_text(json.dumps(coco, indent=1))
    (folder / "yolo/data.yaml").write_text(f"train: images\nval: images\nnc: 3\nnames: [{', '.join(NAMES)}]\n")
    for name, reader in _READERS.items():
        (folder / name / "pets.nnspec.yaml").write_text(_SPEC.format(reader=reader))


def _coco(change: Callable[[dict[str, Any]], None]) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        path = folder / "instances.json"
        data = json.loads(path.read_text())
        change(data)
        path.write_text(json.dumps(data, indent=1))

    return make


def _box(number: int, **values: Any) -> Callable[[Path], None]:
    return _coco(lambda data: data["annotations"][number].update(values))


def _text(file: str, old: str, new: str, count: int = 1) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        path = folder / file
        text = path.read_text()
        made = re.sub(old, new, text, count=count, flags=re.MULTILINE)
        assert made != text, (file, old)
        path.write_text(made)

    return make


def _all(files: str, change: Callable[[list[float]], list[float]]) -> Callable[[Path], None]:
    """Change the numbers of every line of label files but the class."""

    def make(folder: Path) -> None:
        for path in sorted(folder.glob(files)):
            rows = [line.split() for line in path.read_text().splitlines()]
            lines = [" ".join([row[0], *(f"{value:g}" for value in change([float(x) for x in row[1:]]))]) for row in rows]
            path.write_text("\n".join(lines) + "\n")

    return make


def _sized(folder: Path) -> None:
    """VOC boxes as x y width height."""
    for path in sorted((folder / "Annotations").glob("*.xml")):
        text = path.read_text()
        numbers = [int(value) for value in re.findall(r"<[xy]m(?:in|ax)>(\d+)<", text)]
        parts = re.split(r"(?<=m(?:in|ax)>)\d+(?=<)", text)
        made = [str(x) for i in range(0, len(numbers), 4) for x in _as_size(*numbers[i : i + 4])]
        path.write_text("".join(part + number for part, number in zip(parts, [*made, ""], strict=True)))


def _as_size(x1: int, y1: int, x2: int, y2: int) -> tuple[int, int, int, int]:
    return x1, y1, x2 - x1 + 1, y2 - y1 + 1


def _moved(file: str, to: str) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        (folder / to).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).rename(folder / to)

    return make


def _copied(file: str, to: str) -> Callable[[Path], None]:
    return lambda folder: (shutil.copy(folder / file, folder / to), None)[1]


def _resized(file: str) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        from PIL import Image

        Image.open(folder / file).resize((40, 30)).save(folder / file)

    return make


def _corners(data: dict[str, Any]) -> None:
    for each in data["annotations"]:
        x, y, w, h = each["bbox"]
        each["bbox"] = [x, y, x + w, y + h]


def _fractions(data: dict[str, Any]) -> None:
    for each in data["annotations"]:
        x, y, w, h = each["bbox"]
        each["bbox"] = [x / 80, y / 60, w / 80, h / 60]


def _all_labels_among_images(folder: Path) -> None:
    for path in sorted((folder / "labels").iterdir()):
        path.rename(folder / "images" / path.name)


def _two_corners(row: list[float]) -> list[float]:
    x, y, w, h = row
    return [x - w / 2, y - h / 2, x + w / 2, y + h / 2]


def _from_one(folder: Path) -> None:
    for path in sorted((folder / "labels").iterdir()):
        path.write_text(re.sub(r"^(\d)", lambda found: str(int(found[1]) + 1), path.read_text(), flags=re.MULTILINE))


def _cut(path: Path) -> None:
    text = path.read_text()
    path.write_text(text[: 2 * len(text) // 3])


def _every(number: str, **values: Any) -> Callable[[Path], None]:
    """Change all items of a list of COCO; a value that is a function is called with the old one."""

    def change(data: dict[str, Any]) -> None:
        for each in data[number]:
            for key, value in values.items():
                each[key] = value(each.get(key)) if callable(value) else value

    return _coco(change)


def _without(number: str, *keys: str) -> Callable[[Path], None]:
    def change(data: dict[str, Any]) -> None:
        for each in data[number]:
            for key in keys:
                each.pop(key, None)

    return _coco(change)


def _encoded(files: str, encoding: str, newline: str = "\n") -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        for path in sorted(folder.glob(files)):
            path.write_bytes(path.read_text().replace("\n", newline).encode(encoding))

    return make


def _all_of(*makes: Callable[[Path], None]) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        for each in makes:
            each(folder)

    return make


def _listed_copy(data: dict[str, Any]) -> None:
    data["images"].append({**data["images"][1], "id": 99, "file_name": "copy.png"})
    data["annotations"].append({**data["annotations"][2], "id": 99, "image_id": 99})


def _validation(reader: str) -> Callable[[Path], None]:
    """Give the spec validation data of its own."""
    return _text("pets.nnspec.yaml", r"^  inputs:\n    image", f"  validation: {reader}\n  inputs:\n    image")


def _leaked_yolo(folder: Path) -> None:
    """Split the images, and copy one of them into both splits."""
    for path in sorted(folder.glob("*/0*.*")):
        split = "train" if path.stem < "003" else "val"
        (path.parent / split).mkdir(exist_ok=True)
        path.rename(path.parent / split / path.name)
    for name, suffix in (("images", "png"), ("labels", "txt")):
        shutil.copy(folder / f"{name}/train/001.{suffix}", folder / f"{name}/val/copy.{suffix}")
    spec = folder / "pets.nnspec.yaml"
    spec.write_text(spec.read_text().replace("{folder: .,", "{folder: ., split: train,"))
    _validation("{yolo: {folder: ., split: val, image_size: [32, 32]}}")(folder)


def _leaked_coco(folder: Path) -> None:
    """Write a second file with three of the images, of which one is in the first file too."""
    data = json.loads((folder / "instances.json").read_text())
    for name, kept in (("instances.json", range(1, 5)), ("val.json", range(4, 7))):
        own = {**data, "images": [each for each in data["images"] if each["id"] in kept]}
        own["annotations"] = [each for each in data["annotations"] if each["image_id"] in kept]
        (folder / name).write_text(json.dumps(own, indent=1))
    _validation("{coco: {annotations: val.json, images: images, image_size: [32, 32]}}")(folder)


def _as_predictions(folder: Path) -> None:
    path = folder / "instances.json"
    data = json.loads(path.read_text())
    keys = ("image_id", "category_id", "bbox")
    path.write_text(json.dumps([{**{key: each[key] for key in keys}, "score": 0.9} for each in data["annotations"]]))


def _decomposed(folder: Path) -> None:
    """Give an image a name in two Unicode forms: composed in the annotations, decomposed on disk."""
    import unicodedata

    composed = "Zürich"
    [image] = folder.glob("*/001.png")
    image.rename(image.with_name(f"{unicodedata.normalize('NFD', composed)}.png"))
    for path in (folder / "labels/001.txt", folder / "Annotations/001.xml"):
        if path.exists():
            path.write_text(path.read_text().replace("001.png", f"{composed}.png"))
            path.rename(path.with_stem(composed))
    if (path := folder / "instances.json").exists():
        path.write_text(path.read_text().replace("001.png", f"{composed}.png"))


def _as_bmp(folder: Path) -> None:
    from PIL import Image

    Image.open(folder / "images/001.png").save(folder / "images/001.bmp")
    (folder / "images/001.png").unlink()


def _turned(folder: Path) -> None:
    """Store an image lying, with an Exif orientation that shows it upright."""
    from PIL import Image

    [path] = folder.glob("*/001.png")
    exif = Image.Exif()
    exif[0x0112] = 6
    with Image.open(path) as image:
        image.transpose(Image.Transpose.ROTATE_90).save(path, exif=exif)


def _rows(change: Callable[[list[str]], list[str]]) -> Callable[[Path], None]:
    """Change the texts of each row of label files."""

    def make(folder: Path) -> None:
        for path in sorted((folder / "labels").glob("*.txt")):
            path.write_text("".join(" ".join(change(line.split())) + "\n" for line in path.read_text().splitlines()))

    return make


def _corners_of(row: list[str]) -> list[str]:
    x, y, w, h = map(float, row[1:])
    around = ((x - w / 2, y - h / 2), (x + w / 2, y - h / 2), (x + w / 2, y + h / 2), (x - w / 2, y + h / 2))
    return [row[0], *(f"{value:.7f}" for point in around for value in point)]


def _some(change: Callable[[list[str]], list[str]]) -> Callable[[list[str]], list[str]]:
    return lambda row: change(row) if row[0] == "1" else row


def _top_left(row: list[float]) -> list[float]:
    x, y, w, h = row
    return [x - w / 2, y - h / 2, w, h]


A = "annotation 3 of image 2"
XML = "Annotations/001.xml"
TXT = "labels/001.txt"
MISTAKES = (
    Mistake("box outside the image", "coco", _box(2, bbox=[100, 10, 20, 20]), A, "correct the box"),
    Mistake("box outside the image", "yolo", _text(TXT, r"^.*$", "0 0.99 0.5 0.4 0.2"), f"{TXT}, line 1", "correct the box"),
    Mistake("box outside the image", "voc", _text(XML, r"<xmax>\d+", "<xmax>95"), f"{XML}, line 8", "correct the box"),
    Mistake("box without area", "coco", _box(2, bbox=[10, 10, 0, 20]), A, "remove the box"),
    Mistake("box without area", "yolo", _text(TXT, r"^.*$", "0 0.5 0.5 0 0.2"), f"{TXT}, line 1", "remove the box"),
    Mistake("negative size", "coco", _box(2, bbox=[30, 30, -10, 20]), "annotation 3", "a positive size"),
    Mistake("corners exchanged", "voc", _text(XML, r"<xmin>\d+", "<xmin>79"), f"{XML}, line 8", "exchange them"),
    Mistake("corners for a size", "coco", _coco(_corners), "annotation 1 of image 1", "two corners"),
    Mistake("size for corners", "voc", _sized, "Annotations/000.xml, line 8", "x, y, width, height"),
    Mistake("corners for the center and size", "yolo", _all("labels/*.txt", _two_corners), "labels/002.txt, line 1", "two corners"),
    Mistake("fractions for pixels", "coco", _coco(_fractions), "annotation 1 of image 1", "fractions"),
    Mistake("pixels for fractions", "yolo", _all("labels/*.txt", lambda row: [80 * x for x in row]), "labels/000.txt, line 1", "divide x"),
    Mistake("class that is not listed", "coco", _box(2, category_id=9), "annotation 3", "category_id"),
    Mistake("class that is not listed", "yolo", _text(TXT, r"^\d", "7"), f"{TXT}, line 1", "add its name"),
    Mistake("class misspelled", "voc", _text(XML, "<name>dog", "<name>dgo"), f"{XML}, line 8", "`classes`"),
    Mistake("classes counted from 1", "yolo", _from_one, "labels/001.txt, line 2", "numbered from 1"),
    Mistake("category ids with gaps", "coco", _coco(lambda data: data["categories"].append({"id": 90, "name": "fish"})), "from 1 to 90", "numbered as in `categories`"),
    Mistake("names with gaps", "yolo", _text("data.yaml", r"\[cat, dog, bird\]", "{0: cat, 1: dog, 3: bird}"), "data.yaml", "without gaps"),
    Mistake("number of names", "yolo", _text("data.yaml", "nc: 3", "nc: 4"), "data.yaml", "those of `names`"),
    Mistake("image file missing", "coco", lambda folder: (folder / "images/001.png").unlink(), "image 2", "remove its entry"),
    Mistake("image file missing", "voc", lambda folder: (folder / "JPEGImages/001.png").unlink(), XML, "remove its entry"),
    Mistake("extension of the image", "voc", _text(XML, "001.png", "001.jpg"), XML, "correct the extension"),
    Mistake("image without annotations", "coco", _copied("images/001.png", "images/new.png"), "new.png", "add it to `images`"),
    Mistake("image without annotations", "yolo", lambda folder: (folder / TXT).unlink(), "001.png", "write the empty file"),
    Mistake("label file without image", "yolo", _copied(TXT, "labels/new.txt"), "labels/new.txt", "add the image"),
    Mistake("label files among images", "yolo", _all_labels_among_images, "images/000.txt", "move the label files to `labels`"),
    Mistake("duplicate image id", "coco", _coco(lambda data: data["images"][2].update(id=2)), "id 2", "its own `id`"),
    Mistake("image listed twice", "coco", _coco(lambda data: data["images"].append({**data["images"][1], "id": 99})), "images 2 and 99", "list each image once"),
    Mistake("annotation of an unlisted image", "coco", _box(2, image_id=77), "annotation 3", "add the image"),
    Mistake("duplicate annotation id", "coco", _box(2, id=1), "annotation id 1", "its own `id`"),
    Mistake("stated size", "coco", _resized("images/001.png"), "image 2", "resize their boxes"),
    Mistake("stated size", "voc", _resized("JPEGImages/001.png"), XML, "resize their boxes"),
    Mistake("width and height exchanged", "voc", _text(XML, r"<width>80</width>\n    <height>60", "<width>60</width>\n    <height>80"), XML, "swapped"),
    Mistake("two files for one image", "voc", _text("Annotations/002.xml", "002.png", "001.png"), "Annotations/002.xml", "correct `filename`"),
    Mistake("a number that is none", "yolo", _text(TXT, r"^(\S+) \S+", r"\1 x"), f"{TXT}, line 1", "write numbers"),
    Mistake("commas", "yolo", _text(TXT, r"^(\S+) (\S+) (\S+) (\S+) (\S+)$", r"\1,\2,\3,\4,\5"), f"{TXT}, line 1", "by spaces"),
    Mistake("confidences", "yolo", _text(TXT, r"$", " 0.9"), f"{TXT}, line 1", "confidence"),
    Mistake("object without a box", "voc", _text(XML, r"      <ymax>\d+</ymax>\n", ""), f"{XML}, line 8", "`xmin`"),
    Mistake("truncated file", "coco", lambda folder: _cut(folder / "instances.json"), "instances.json, line", "truncated"),
    Mistake("truncated file", "voc", lambda folder: _cut(folder / XML), f"{XML}, line", "damaged"),
    Mistake("entity", "voc", _text(XML, r"\A", '<!DOCTYPE a [<!ENTITY b "c">]>\n'), f"{XML}, line 1", "remove `<!DOCTYPE"),
    Mistake("box listed twice", "coco", _coco(lambda data: data["annotations"].append({**data["annotations"][2], "id": 50})), "annotation 50 of image 2", "remove one"),
    Mistake("box listed twice", "yolo", _text(TXT, r"\A(.*\n)", r"\1\1"), f"{TXT}, line 2", "remove one"),
    Mistake("pixels counted from 0", "voc", _text(XML, r"<xmin>\d+", "<xmin>0"), f"{XML}, line 8", "from_one: false"),
    # What users of the formats report.
    Mistake("ids as text", "coco", _box(2, image_id="2"), "annotation 3", "write 2 without quotes", "cvat-ai/cvat#298"),
    Mistake("ids as text", "coco", _every("annotations", category_id=str), "annotation 1", "without quotes", "cvat-ai/cvat#298"),
    Mistake("numbers as text", "coco", _box(2, bbox=["10", "10", "5", "5"]), "annotation 3", "without quotes"),
    Mistake("backslashes in a path", "coco", _every("images", file_name=lambda name: f"images\\{name}"), "image 1", "`/`", "voxel51/fiftyone#1675"),
    Mistake("absolute path", "coco", _every("images", file_name=lambda name: f"C:\\pets\\{name}"), "image 1", "relative to `images`", "LibreYOLO/libreyolo#400"),
    Mistake("absolute path", "voc", _text(XML, "001.png", r"C:\\pets\\001.png"), XML, "write `001.png`", "microsoft/VoTT#926"),
    Mistake("size of -1", "coco", _coco(lambda data: data["images"][1].update(width=-1, height=-1)), "image 2", "leave it out", "facebookresearch/detectron2#1966"),
    Mistake("predictions for annotations", "coco", _as_predictions, "instances.json", "predictions"),
    Mistake("no `bbox`", "coco", _coco(lambda data: data["annotations"][2].pop("bbox")), "annotation 3", "`bbox`", "ultralytics/JSON2YOLO#83"),
    Mistake("not a number", "coco", _box(2, bbox=[10, 10, float("nan"), 5]), "instances.json, line", "write a number"),
    Mistake("comment", "coco", _text("instances.json", r"\A\{\n", "{\n // pets\n"), "instances.json, line 2", "comments"),
    Mistake("comma at the end", "coco", _text("instances.json", r"\}\n \]\n\}\Z", "},\n ]\n}"), "instances.json, line", "remove the comma"),
    Mistake("classes that differ in case", "coco", _all_of(_coco(lambda data: data["categories"].append({"id": 4, "name": "Dog"})), _box(2, category_id=4)), "instances.json", "one spelling", "roboflow/supervision#1641"),
    Mistake("classes that differ in case", "voc", _text(XML, "<name>dog", "<name>Dog"), f"{XML}, line 8", "`dog`", "roboflow/supervision#1641"),
    Mistake("copy of an image", "coco", _all_of(_copied("images/001.png", "images/copy.png"), _coco(_listed_copy)), "image 99", "remove one", "sartorius-research/LIVECell#26"),
    Mistake("copy of an image", "yolo", _all_of(_copied("images/001.png", "images/copy.png"), _copied(TXT, "labels/copy.txt")), "copy.png", "remove one", "tqwei05/PlantSeg#11"),
    Mistake("image in two splits", "coco", _leaked_coco, "003.png", "remove", "joojs/fairface#21"),
    Mistake("image in two splits", "yolo", _leaked_yolo, "val/copy.png", "remove", "tqwei05/PlantSeg#11"),
    Mistake("fractions divided twice", "yolo", _all("labels/*.txt", lambda row: [x / size for x, size in zip(row, (80, 60, 80, 60), strict=True)]), "labels/000.txt, line 1", "divided", "ultralytics/yolov5#4798"),
    Mistake("corner for the center", "yolo", _all_of(_text(TXT, r"^.*$", "0 0.8 0.8 0.4 0.3"), _all("labels/*.txt", _top_left), _text(TXT, r"^.*$", "0 0 0.5 0.4 0.3")), f"{TXT}, line 1", "top left"),
    Mistake("name for a class number", "yolo", _text(TXT, r"^\d", "dog"), f"{TXT}, line 1", "write 1"),
    Mistake("decimal commas", "yolo", _text(TXT, r"(?<=\d)\.(?=\d)", ",", 8), f"{TXT}, line 1", "decimal point"),
    Mistake("comment", "yolo", _text(TXT, r"\A", "# two pets\n"), f"{TXT}, line 1", "remove the comment"),
    Mistake("UTF-16", "yolo", _encoded(TXT, "utf-16"), TXT, "UTF-8"),
    Mistake("extension of the image in the name", "yolo", _moved(TXT, "labels/001.png.txt"), "labels/001.png.txt", "`labels/001.txt`", "fsoco/fsoco-devkit#48"),
    Mistake("image of another format", "yolo", _as_bmp, TXT, "convert it to PNG or JPEG", "developer0hye/Yolo_Label#68"),
    Mistake("another folder of labels", "yolo", _moved("labels", "label"), "labels", "put the label files into `labels`", "ultralytics/yolov3#1340"),
    Mistake("labels beside the images", "yolo", _moved(TXT, "images/001.txt"), "images/001.txt", "move the label files", "ultralytics/ultralytics#21224"),
    Mistake("angle", "yolo", _rows(lambda row: [*row, "45"]), "labels/000.txt, line 1", "angle"),
    Mistake("`names` as one text", "yolo", _text("data.yaml", r"\[cat, dog, bird\]", "cat, dog, bird"), "data.yaml", "names: [cat, dog]"),
    Mistake("lists of names that differ", "yolo", lambda folder: (folder / "labels/classes.txt").write_text("dog\ncat\nbird\n"), "labels/classes.txt", "the same order"),
    Mistake("file name without extension", "voc", _text(XML, "001.png", "001"), XML, "write `001.png`", "HumanSignal/labelImg#92"),
    Mistake("decimal commas", "voc", _text(XML, r"<xmin>(\d+)", r"<xmin>\1,5"), f"{XML}, line", "decimal point"),
    Mistake("annotations beside the images", "voc", _moved(XML, "JPEGImages/001.xml"), "JPEGImages/001.xml", "`Annotations`", "CVHub520/X-AnyLabeling#1023"),
    Mistake("polygon without a box", "voc", _text(XML, r"<bndbox>[^/]*(?:</[xy]m..>[^/]*)*</bndbox>", "<polygon><x1>1</x1><y1>1</y1></polygon>"), f"{XML}, line 8", "<bndbox>"),
    Mistake("another encoding", "voc", lambda folder: (folder / XML).write_bytes((folder / XML).read_bytes().replace(b">dog<", ">Hündin<".encode("cp1252"))), f"{XML}, line", "UTF-8"),
    Mistake("empty file", "voc", lambda folder: (folder / XML).write_text(""), XML, "empty"),
)  # fmt: skip


@dataclass(frozen=True)
class Variant:
    """Another valid way to write the data set, which must be read as the same boxes without a message.

    Attributes:
        kind: What is different.
        format: ``coco``, ``yolo`` or ``voc``.
        make: Rewrites the files in a folder.
        reported: A public report of such data.
    """

    kind: str
    format: str
    make: Callable[[Path], None]
    reported: str = ""


VARIANTS = (
    Variant("byte order mark and CRLF", "coco", _encoded("instances.json", "utf-8-sig", "\r\n")),
    Variant("byte order mark and CRLF", "yolo", _all_of(_encoded("labels/*.txt", "utf-8-sig", "\r\n"), _encoded("data.yaml", "utf-8-sig", "\r\n"))),
    Variant("byte order mark and CRLF", "voc", _encoded("Annotations/*.xml", "utf-8-sig", "\r\n")),
    Variant("neither `iscrowd` nor `area`", "coco", _without("annotations", "iscrowd", "area"), "cocodataset/cocoapi#374"),
    Variant("no ids of annotations", "coco", _without("annotations", "id"), "matterport/Mask_RCNN#1439"),
    Variant("all ids as text", "coco", _all_of(_every("images", id=str), _every("categories", id=str), _every("annotations", image_id=str, category_id=str)), "cvat-ai/cvat#298"),
    Variant("no sizes", "coco", _without("images", "width", "height")),
    Variant("run-length masks", "coco", _every("annotations", segmentation={"size": [60, 80], "counts": "abc"})),
    Variant("Exif orientation", "coco", _turned, "voxel51/fiftyone#3778"),
    Variant("Exif orientation", "yolo", _turned, "roboflow/supervision#2577"),
    Variant("Exif orientation", "voc", _turned, "HumanSignal/labelImg#376"),
    Variant("another Unicode form", "coco", _decomposed, "renpy/renpy#2327"),
    Variant("another Unicode form", "yolo", _decomposed, "renpy/renpy#2327"),
    Variant("another Unicode form", "voc", _decomposed, "renpy/renpy#2327"),
    Variant("names by number", "yolo", _text("data.yaml", r"\[cat, dog, bird\]", "{0: cat, 1: dog, 2: bird}")),
    Variant("names by number as text", "yolo", _text("data.yaml", r"\[cat, dog, bird\]", "{'0': cat, '1': dog, '2': bird}")),
    Variant("classes.txt", "yolo", lambda folder: ((folder / "data.yaml").unlink(), (folder / "classes.txt").write_text("cat\ndog\nbird\n"))[0]),
    Variant("blank lines and tabs", "yolo", _text(TXT, r" ", "\t", 4)),
    Variant("blank lines and tabs", "yolo", _text(TXT, r"\A", " \n\n")),
    Variant("polygons", "yolo", _rows(_corners_of), "ultralytics/ultralytics#1008"),
    Variant("boxes and oriented boxes mixed", "yolo", _rows(_some(_corners_of)), "ultralytics/ultralytics#1008"),
    Variant("keypoints", "yolo", _all_of(_text("data.yaml", r"^nc", "kpt_shape: [2, 3]\nnc"), _rows(lambda row: [*row, "0.1", "0.1", "2", "0.2", "0.2", "1"]))),
    Variant("keypoints", "yolo", _all_of(_text("data.yaml", r"^nc", "kpt_shape: [2, 2]\nnc"), _rows(lambda row: [*row, "0.1", "0.1", "0.2", "0.2"]))),
    Variant("class with decimals", "yolo", _rows(lambda row: [f"{row[0]}.0", *row[1:]])),
    Variant("no size, or a size of 0", "voc", _text("Annotations/001.xml", r"<width>80</width>\n    <height>60", "<width>0</width>\n    <height>0")),
    Variant("path of another computer", "voc", _text("Annotations/001.xml", r"^  <size>", r"  <folder>x</folder>\n  <path>C:\\pets\\1.png</path>\n  <size>"), "HumanSignal/labelImg#467"),
    Variant("another declared encoding", "voc", _all_of(_text("Annotations/001.xml", r"\A", '<?xml version="1.0" encoding="ISO-8859-1"?>\n<!-- Hündin -->\n'), _encoded("Annotations/001.xml", "latin-1"))),
    Variant("spaces around texts", "voc", _text("Annotations/001.xml", r"<name>dog</name>", "<name> dog\n</name>")),
)  # fmt: skip
