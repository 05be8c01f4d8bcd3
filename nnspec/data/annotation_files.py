"""Writing of the images and boxes of a table in the formats of COCO, YOLO and VOC."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from xml.sax.saxutils import escape

from nnspec.data.annotations import AnnotatedTable
from nnspec.data.kinds import DataError
from nnspec.data.readers.base import Table
from nnspec.files import whole_folder

BoxFormat = Literal["coco", "yolo", "voc"]
_NEEDED = ("image", "boxes", "class")
_ROWS = 256
_DIGITS = 4
"""The number of decimals of pixels."""


@dataclass(frozen=True)
class _Example:
    """One image with its boxes.

    Attributes:
        number: Its number, from 0.
        name: The name of its file.
        height: Its height as stored.
        width: Its width as stored.
        boxes: The corners of each box.
        kinds: The class of each box, as a number.
        flags: The flags of each box, by column.
    """

    number: int
    name: str
    height: int
    width: int
    boxes: list[list[float]]
    kinds: list[int]
    flags: Mapping[str, list[int]]


def write_annotations(table: Table, folder: Path, format_: BoxFormat) -> tuple[dict[str, Any], list[str]]:
    """Write the images of a table, unchanged, and their boxes.

    Args:
        table: A table with the columns `image`, `boxes` and `class`.
        folder: The folder to write, which must not exist or be empty.
        format_: The format.

    Returns:
        How a spec reads them, and what the format cannot express.

    Raises:
        DataError: If a column is missing, or an image cannot be read.
        NnspecError: If the folder is not free, or cannot be written.
    """
    absent = [name for name in _NEEDED if name not in table.columns]
    if absent:
        help = "name data with boxes: `coco`, `yolo`, `voc`, or a table with these columns"
        raise DataError(f"the data have no column `{absent[0]}`", help=help)
    if not len(table) or table.encoded("image", 0) is None:
        raise DataError("the images are not from files", help="name data whose images are PNG or JPEG files")
    with whole_folder(folder) as beside:
        names = _class_names(table)
        lost = _WRITERS[format_](beside, names, _examples(table, names, beside / _IMAGES[format_]))
    place = folder.as_posix()
    if format_ == "coco":
        return {"coco": {"annotations": f"{place}/instances.json", "images": f"{place}/images"}}, lost
    return {format_: place}, lost


_IMAGES = {"coco": "images", "yolo": "images", "voc": "JPEGImages"}


def _class_names(table: Table) -> list[str]:
    """Return the names of the classes: those that the data declare, or those of the boxes, sorted."""
    import numpy as np

    if table.columns["class"].classes:
        return list(table.columns["class"].classes)
    found: set[str] = set()
    for start in range(0, len(table), _ROWS):
        for own in table.read("class", np.arange(start, min(start + _ROWS, len(table)))):
            found.update(map(str, own))
    return sorted(found)


def _examples(table: Table, names: list[str], images: Path) -> Iterator[_Example]:
    """Yield the examples, and write their images."""
    import numpy as np

    images.mkdir(parents=True, exist_ok=True)
    places = {name: place for place, name in enumerate(names)}
    sizes = table.image_sizes("image")
    flags = [name for name in ("crowd", "difficult") if name in table.columns]
    used: set[str] = set()
    for start in range(0, len(table), _ROWS):
        rows = np.arange(start, min(start + _ROWS, len(table)))
        boxes, kinds, *more = (table.read(name, rows) for name in ("boxes", "class", *flags))
        for i, row in enumerate(rows.tolist()):
            content = table.encoded("image", row)
            if content is None:
                raise DataError(f"{table.where('image', row)}: the image is missing")
            height, width = sizes[row].tolist() if sizes is not None else table.columns["image"].shape[:2]
            name = _file_name(table, row, content, used)
            (images / name).write_bytes(content)
            yield _Example(
                row,
                name,
                int(height or 0),
                int(width or 0),
                np.asarray(boxes[i], np.float64).reshape(-1, 4).tolist(),
                [places[str(kind)] for kind in kinds[i]],
                {key: [int(value) for value in values[i]] for key, values in zip(flags, more, strict=True)},
            )


def _file_name(table: Table, row: int, content: bytes, used: set[str]) -> str:
    """Return the name of an image's file, if no other image has it, or a number."""
    suffix = ".png" if content.startswith(b"\x89PNG") else ".jpg"
    name = table.image_paths[row].name if isinstance(table, AnnotatedTable) else ""
    # Label files have the same names with another extension.
    if not name or Path(name).stem in used:
        name = f"{row:09}{suffix}"
    used.add(Path(name).stem)
    return name


def _short(value: float) -> float | int:
    value = round(value, _DIGITS)
    return int(value) if value == int(value) else value


def _coco(folder: Path, names: list[str], examples: Iterator[_Example]) -> list[str]:
    lost = _Lost("difficult")
    (folder / "images").mkdir(parents=True, exist_ok=True)
    images, count = [], 0
    with (folder / "instances.json").open("w", encoding="utf-8") as file:
        file.write('{"annotations": [')
        for each in examples:
            lost.add(each)
            image = {"id": each.number + 1, "file_name": each.name, "width": each.width, "height": each.height}
            images.append(json.dumps(image, ensure_ascii=False))
            for place, (x1, y1, x2, y2) in enumerate(each.boxes):
                count += 1
                size = x2 - x1, y2 - y1
                found = {
                    "id": count,
                    "image_id": each.number + 1,
                    "category_id": each.kinds[place] + 1,
                    "bbox": [_short(value) for value in (x1, y1, *size)],
                    "area": _short(size[0] * size[1]),
                    "iscrowd": each.flags.get("crowd", [0] * len(each.boxes))[place],
                }
                file.write(("," if count > 1 else "") + "\n " + json.dumps(found))
        file.write('\n], "images": [\n ' + ",\n ".join(images) + '\n], "categories": ')
        categories = [{"id": place + 1, "name": name} for place, name in enumerate(names)]
        file.write(json.dumps(categories, ensure_ascii=False) + "}\n")
    return lost.texts("COCO")


def _yolo(folder: Path, names: list[str], examples: Iterator[_Example]) -> list[str]:
    lost = _Lost("crowd", "difficult")
    (folder / "labels").mkdir(parents=True)
    for each in examples:
        lost.add(each)
        lines = []
        for kind, (x1, y1, x2, y2) in zip(each.kinds, each.boxes, strict=True):
            center = (x1 + x2) / 2 / each.width, (y1 + y2) / 2 / each.height
            parts = *center, (x2 - x1) / each.width, (y2 - y1) / each.height
            lines.append(" ".join([str(kind), *(f"{part:.8f}" for part in parts)]) + "\n")
        (folder / "labels" / f"{Path(each.name).stem}.txt").write_text("".join(lines), "utf-8")
    text = f"nc: {len(names)}\nnames: {json.dumps(names, ensure_ascii=False)}\n"
    (folder / "data.yaml").write_text(text, "utf-8")
    return lost.texts("YOLO")


def _voc(folder: Path, names: list[str], examples: Iterator[_Example]) -> list[str]:
    lost = _Lost("crowd")
    (folder / "Annotations").mkdir(parents=True)
    for each in examples:
        lost.add(each)
        parts = [
            "<annotation>\n",
            f"  <filename>{escape(each.name)}</filename>\n",
            f"  <size><width>{each.width}</width><height>{each.height}</height><depth>3</depth></size>\n",
        ]
        for place, (x1, y1, x2, y2) in enumerate(each.boxes):
            # Pixels are counted from 1, and the last one belongs to the box.
            corners = zip(("xmin", "ymin", "xmax", "ymax"), (x1 + 1, y1 + 1, x2, y2), strict=True)
            box = "".join(f"<{key}>{_short(value)}</{key}>" for key, value in corners)
            difficult = each.flags.get("difficult", [0] * len(each.boxes))[place]
            parts.append(f"  <object>\n    <name>{escape(names[each.kinds[place]])}</name>\n")
            parts.append(f"    <difficult>{difficult}</difficult>\n    <bndbox>{box}</bndbox>\n  </object>\n")
        parts.append("</annotation>\n")
        (folder / "Annotations" / f"{Path(each.name).stem}.xml").write_text("".join(parts), "utf-8")
    return lost.texts("VOC")


_WRITERS: Mapping[BoxFormat, Callable[[Path, list[str], Iterator[_Example]], list[str]]] = {
    "coco": _coco,
    "yolo": _yolo,
    "voc": _voc,
}


class _Lost:
    """Counts the boxes with flags that a format does not have."""

    def __init__(self, *flags: str) -> None:
        self._counts = dict.fromkeys(flags, 0)

    def add(self, example: _Example) -> None:
        for flag in self._counts:
            self._counts[flag] += sum(value == 1 for value in example.flags.get(flag, ()))

    def texts(self, format_: str) -> list[str]:
        return [
            f"{format_} has no `{flag}`: {count:,} boxes are written without it"
            for flag, count in self._counts.items()
            if count
        ]
