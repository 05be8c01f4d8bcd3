"""``python -m benchmarks annotations``: mistakes made by rule in the annotations of one data set, in COCO, YOLO and VOC.

Each mistake is made alone in a copy of the data set. It counts as found if `nnspec validate --data` reports it with the file and
the line or id where it was made, and with the remedy.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from nnspec.api import validate

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
    """

    kind: str
    format: str
    make: Callable[[Path], None]
    where: str
    remedy: str


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
            Image.new("RGB", (width, height), (40 * number, 90, 120)).save(folder / name / file)
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
    (folder / "yolo/data.yaml").write_text(f"nc: 3\nnames: [{', '.join(NAMES)}]\n")
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
)  # fmt: skip


def _cut(path: Path) -> None:
    text = path.read_text()
    path.write_text(text[: 2 * len(text) // 3])


def found(mistake: Mistake, clean: Path, folder: Path) -> list[str]:
    """Make a mistake in a copy of the data set, and return what `validate --data` reports of it."""
    shutil.copytree(clean / mistake.format, folder)
    mistake.make(folder)
    reported = validate(folder / "pets.nnspec.yaml", data=True)
    return [f"{each.severity}[{each.code}]: {each.message} | help: {each.help}" for each in reported]


def is_found(mistake: Mistake, reported: list[str]) -> bool:
    """Whether a report has the place of a mistake, and its remedy."""
    return any(
        mistake.where in line.partition(" | help: ")[0]
        and mistake.remedy in line.replace("the file ends within a value: it is", "the file is")
        for line in reported
    )


_LARGE_IMAGES = 20_000
_READ = """
import resource, sys, time
from pathlib import Path
from nnspec.data.readers.coco import Coco
folder = Path(sys.argv[1])
reader = Coco(annotations="instances.json", images="images", image_size=[32, 32], color_mode="rgb")
start, used = time.perf_counter(), time.process_time()
table = reader.open({"annotations": folder / "instances.json", "images": folder / "images"})
boxes = sum(map(len, table.read("boxes", slice(None))))
seconds, used = time.perf_counter() - start, time.process_time() - used
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(f"{len(table):,} images, {boxes:,} boxes: {seconds:.1f} s ({used:.1f} s of processor time), at most {peak:,.0f} MiB of memory")
"""


def read_large(gigabytes: float) -> int:
    """Write a COCO file of a size, with polygons of 30 points, and print the time and memory that its reading takes."""
    import subprocess

    from PIL import Image

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "images").mkdir()
        Image.new("RGB", (64, 48)).save(folder / "images/0.png")
        for number in range(1, _LARGE_IMAGES):
            (folder / f"images/{number}.png").hardlink_to(folder / "images/0.png")
        random = Random(0)
        shapes = [json.dumps([[round(random.uniform(0, 64), 2) for _ in range(60)]]) for _ in range(50)]
        written = 0
        with (folder / "instances.json").open("w") as file:
            images = [{"id": i, "file_name": f"{i}.png", "width": 64, "height": 48} for i in range(_LARGE_IMAGES)]
            file.write('{"categories": [{"id": 1, "name": "cat"}], "images": ' + json.dumps(images) + ', "annotations": [')
            while file.tell() < gigabytes * 1e9 if written % 1000 == 0 else True:
                x, y = random.randint(0, 50), random.randint(0, 30)
                box = f'"bbox": [{x}.5, {y}, {random.randint(1, 12)}.25, 9], "area": 90.5, "iscrowd": 0, "category_id": 1'
                image = random.randrange(_LARGE_IMAGES)
                comma = "," if written else ""
                shape = shapes[written % 50]
                file.write(f'{comma}{{"id": {written}, "image_id": {image}, {box}, "segmentation": {shape}}}')
                written += 1
            file.write("]}")
        size = (folder / "instances.json").stat().st_size
        print(f"{size / 1e9:.2f} GB:", end=" ", flush=True)
        return subprocess.run([sys.executable, "-c", _READ, temporary], check=False).returncode


def main(arguments: list[str]) -> int:
    """Print whether each mistake is found, and what is reported."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks annotations", description=__doc__)
    parser.add_argument("--all", action="store_true", help="print what is reported for each mistake")
    parser.add_argument("--large", type=float, metavar="GB", help="instead, read a COCO file of this size")
    options = parser.parse_args(arguments)
    if options.large is not None:
        return read_large(options.large)
    right = 0
    with tempfile.TemporaryDirectory() as temporary:
        clean = Path(temporary) / "clean"
        write(clean)
        for name in _READERS:
            silent = not validate(clean / name / "pets.nnspec.yaml", data=True)
            print(f"{name}: without mistakes, {'nothing' if silent else 'something'} is reported", flush=True)
            right -= not silent
        for number, mistake in enumerate(MISTAKES):
            reported = found(mistake, clean, Path(temporary) / str(number))
            ok = is_found(mistake, reported)
            right += ok
            print(f"{'found' if ok else 'MISSED':<7} {mistake.format:<5} {mistake.kind}", flush=True)
            for line in reported if options.all or not ok else ():
                print(f"          {line}")
    kinds = len({mistake.kind for mistake in MISTAKES})
    print(f"{right} of {len(MISTAKES)} mistakes of {kinds} kinds are found with their place and remedy")
    return 0 if right == len(MISTAKES) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
