"""Images with boxes in the format of COCO."""

from __future__ import annotations

import json
import math
from array import array
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar
from unicodedata import normalize

from pydantic import Field

from nnspec.data.annotations import (
    AnnotatedTable,
    AnnotationReader,
    Annotations,
    Mistakes,
    composed,
    missing_image,
    report_unlisted,
)
from nnspec.data.data_files import DataFile, size_of
from nnspec.data.folders import files_below, inside
from nnspec.data.kinds import DataError
from nnspec.data.readers.base import Files, Table, path_of
from nnspec.data.readers.image_arguments import SUFFIXES
from nnspec.data.readers.json_objects import word_for
from nnspec.data.readers.json_stream import JsonStream
from nnspec.data.text_files import open_text, undecodable
from nnspec.layers.scalars import PositiveInt

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_ARGUMENT = "annotations"
_LISTS = ("images", "annotations", "categories")
_SKIPPED = ("segmentation", "counts")
_LARGEST = 2**53
_NO_OBJECT = (
    'a list is a file of predictions; name the file of annotations: {"images": […], "annotations": […], "categories": […]}'
)


class Coco(AnnotationReader):
    """Images with boxes, listed in a JSON file in the format of COCO (Lin et al. 2014).

    The columns are `image`, `boxes` (a row ``x1 y1 x2 y2`` for each box, in pixels of the image as stored), `class` (their
    names) and `crowd` (1 for groups of objects, else 0). Classes are those of `categories`, in that order.
    """

    main_argument: ClassVar[str | None] = "annotations"
    image_argument: ClassVar[str] = "images"
    paths: ClassVar[tuple[str, ...]] = ("annotations", "images")
    folders: ClassVar[tuple[str, ...]] = ("images",)
    not_of_values: ClassVar[tuple[str, ...]] = ("max_pixels", "max_bytes")

    annotations: str = Field(description="The JSON file.", examples=["coco/annotations/instances_train2017.json"])
    images: str | None = Field(
        None,
        description="The folder that the file names of the images are relative to, by default that of the JSON file.",
        examples=["coco/train2017"],
    )
    max_bytes: PositiveInt = Field(4 * 2**30, description="The maximum size of the JSON file after decompression, in bytes.")

    def no_images(self, files: Files) -> tuple[str, str]:
        return f"`{self._written(files)}` contains no images", "set `images` to the folder that contains them"

    def open(self, files: Files) -> Table:
        found, mistakes = self.read(files)
        return AnnotatedTable(self, found, mistakes, _advice)

    def read(self, files: Files) -> tuple[Annotations, Mistakes]:
        """Read the file, and find the images.

        Raises:
            DataError: If the file is not in the format.
        """
        file = files["annotations"]
        size = size_of(file)
        if size > self.max_bytes:
            reason = f"{file.name} has {size:,} bytes; `max_bytes` is {self.max_bytes:,}"
            raise DataError(reason, help="if the file is that large, increase `max_bytes`", argument=_ARGUMENT)
        folder = self.image_folder(files)
        return _Reading(file, folder, self._written(files), self.max_bytes).read()

    def image_folder(self, files: Files) -> Path:
        if self.images is None:
            return path_of(files, "annotations").parent
        folder = path_of(files, "images")
        if not folder.is_dir():
            raise DataError(f"`{self.images}` is a file, not a folder of images", argument="images")
        return folder

    def _written(self, files: Files) -> str:
        return self.images or path_of(files, "annotations").parent.name or "."


coco = Coco


class _Reading:
    """Reads one file; lists of the file can be in any order."""

    def __init__(self, file: DataFile, folder: Path, written: str, max_bytes: int) -> None:
        self._file, self._folder, self._written, self._max_bytes = file, folder, written, max_bytes
        self._mistakes = Mistakes()
        self._images: dict[Any, int] = {}
        self._image_ids: list[Any] = []
        self._names: list[str | None] = []
        self._sizes: array[int] = array("q")
        self._files: dict[str, Any] = {}
        self._kinds: dict[Any, int] = {}
        self._kind_ids: list[Any] = []
        self._kind_names: dict[int, str] = {}
        self._first_use: dict[tuple[str, int], str] = {}
        self._ids: list[Any] | array[int] = array("q")
        self._stream: JsonStream | None = None
        self._found = Annotations(self._place, _ARGUMENT)

    def read(self) -> tuple[Annotations, Mistakes]:
        present = set()
        try:
            with open_text(self._file, "JSON", self._max_bytes, name=self._file.name, argument=_ARGUMENT) as text:
                self._stream = stream = JsonStream(text, self._file.name, _ARGUMENT, _SKIPPED, _NO_OBJECT)
                for key, number, value in stream.members():
                    present.add(key)
                    if key in _LISTS and number is None:
                        raise self._no_list(key, value)
                    if key in _LISTS:
                        self._take(key, int(number or 0), value)
        except UnicodeDecodeError as error:
            raise undecodable(self._file, error, self._max_bytes, "save it as UTF-8", argument=_ARGUMENT) from None
        for key in _LISTS:
            if key not in present:
                help = 'name a file of instances in the format of COCO: {"images": […], "annotations": […], "categories": […]}'
                raise DataError(f"{self._file.name} has no list `{key}`", help=help, argument=_ARGUMENT)
        self._check_links()
        self._find_images()
        self._order_classes()
        return self._found, self._mistakes

    def _no_list(self, key: str, value: object) -> DataError:
        return DataError(f"{self._file.name}: `{key}` must be a list, got {word_for(value)}", argument=_ARGUMENT)

    def _take(self, key: str, number: int, value: Any) -> None:
        take = {"images": self._image, "annotations": self._annotation, "categories": self._category}[key]
        if isinstance(value, dict):
            take(number, value)
        else:
            self._error("object", f"{self._at(key, number)} must be an object, got {word_for(value)}", "write {…}")

    def _at(self, key: str, number: int) -> str:
        return f"{self._file.name}, line {self._line:,}, `{key}[{number}]`"

    @property
    def _line(self) -> int:
        return self._stream.line if self._stream is not None else 1

    def _error(self, kind: str, message: str, help: str) -> None:
        self._mistakes.error(kind, message, help=help, argument=_ARGUMENT)

    def _image_number(self, id_: Any) -> int:
        number = self._images.setdefault(id_, len(self._image_ids))
        if number == len(self._image_ids):
            self._image_ids.append(id_)
            self._names.append(None)
            self._sizes.extend((0, 0))
        return number

    def _image(self, number: int, value: dict[str, Any]) -> None:
        id_, name = value.get("id"), value.get("file_name")
        if not _is_id(id_):
            self._error("image id", f"{self._at('images', number)} has no valid `id`", "give each image its own integer")
            return
        if not isinstance(name, str) or not name or "\0" in name:
            help = "write the path of the image, relative to `images`"
            self._error("file name", f"{self._file.name}: the image {id_} has no valid `file_name`", help)
            return
        image = self._image_number(id_)
        if self._names[image] is not None:
            help = "give each image its own `id`, and correct the `image_id` of its annotations"
            reason = f"{self._at('images', number)}: the id {id_} is that of `{self._names[image]}` and of `{name[:200]}`"
            self._error("duplicate image", reason, help)
            return
        if name in self._files:
            reason = f"{self._file.name}: the images {self._files[name]} and {id_} have the same file, `{name[:200]}`"
            self._error("same file", reason, "list each image once, with all of its annotations")
        self._files[name] = id_
        self._names[image] = name
        for axis, key in enumerate(("width", "height")):
            size = value.get(key)
            if isinstance(size, int) and 0 < size < 2**31:
                self._sizes[2 * image + axis] = size
            elif size is not None:
                help = "write the size of the image in pixels, or leave it out"
                self._error("stated size", f"{self._file.name}: the image {id_} has `{key}: {str(size)[:40]}`", help)

    def _category(self, number: int, value: dict[str, Any]) -> None:
        id_, name = value.get("id"), value.get("name")
        if not _is_id(id_) or not isinstance(name, str) or not name:
            help = "give each category an `id` and a `name`"
            self._error("category", f"{self._at('categories', number)} has no valid `id` and `name`", help)
            return
        kind = self._kind_number(id_)
        if kind in self._kind_names:
            reason = (
                f"{self._at('categories', number)}: the id {id_} is that of `{self._kind_names[kind]}` and of `{name[:80]}`"
            )
            self._error("duplicate category", reason, "give each category its own `id`")
            return
        if name in self._kind_names.values():
            other = next(self._kind_ids[k] for k, known in self._kind_names.items() if known == name)
            reason = f"{self._file.name}: the categories {other} and {id_} have the same name, `{name[:80]}`"
            self._error("same name", reason, "give them different names, or list the class once")
        self._kind_names[kind] = name

    def _kind_number(self, id_: Any) -> int:
        kind = self._kinds.setdefault(id_, len(self._kind_ids))
        if kind == len(self._kind_ids):
            self._kind_ids.append(id_)
        return kind

    def _of(self, id_: Any) -> str:
        return f"{self._file.name}, line {self._line:,}, annotation {str(id_)[:40]}"

    def _annotation(self, number: int, value: dict[str, Any]) -> None:
        id_ = value.get("id", number)
        image_id, kind_id, bbox, crowd = (value.get(key) for key in ("image_id", "category_id", "bbox", "iscrowd"))
        if not _is_id(image_id):
            self._error("image of box", f"{self._of(id_)} has no valid `image_id`", "write the `id` of its image")
            return
        if not _is_id(kind_id):
            self._error("class of box", f"{self._of(id_)} has no valid `category_id`", "write the `id` of its category")
            return
        if bbox is None:
            self._error(
                "no box",
                f"{self._of(id_)} has no `bbox`",
                "name the file of the instances, or add `bbox: [x, y, width, height]`",
            )
            return
        if not isinstance(bbox, list) or len(bbox) != 4 or any(type(x) is not int and type(x) is not float for x in bbox):
            shown = json.dumps(bbox)[:80]
            help = "write four numbers: [x, y, width, height]"
            if isinstance(bbox, str) or (isinstance(bbox, list) and len(bbox) == 4 and all(map(_is_numeric, bbox))):
                help = "write the numbers without quotes: [x, y, width, height]"
            self._error("box", f"{self._of(id_)}: `bbox` is {shown}", help)
            return
        x, y, width, height = map(float, bbox) if max(bbox) < _LARGEST and min(bbox) > -_LARGEST else (math.nan,) * 4
        if x != x:
            self._error("box", f"{self._of(id_)}: `bbox` has a number that is too large", "write pixels")
            return
        if width < 0 or height < 0:
            help = "write the position of the corner at the top left, and a positive size: [x, y, width, height]"
            self._error("negative", f"{self._of(id_)}: `bbox` {bbox} has a negative size", help)
            return
        if crowd not in (0, 1, None):
            self._error("crowd", f"{self._of(id_)}: `iscrowd` is {json.dumps(crowd)[:40]}", "write 0 or 1")
            crowd = 0
        image, kind = self._image_number(image_id), self._kind_number(kind_id)
        if self._names[image] is None and ("image", image) not in self._first_use:
            self._first_use.setdefault(("image", image), self._of(id_))
        if kind not in self._kind_names and ("category", kind) not in self._first_use:
            self._first_use.setdefault(("category", kind), self._of(id_))
        self._found.add_box(image, (x, y, x + width, y + height), kind, int(crowd or 0), len(self._ids))
        self._add_id(id_)

    def _add_id(self, id_: Any) -> None:
        if isinstance(self._ids, array) and not (type(id_) is int and -(2**62) < id_ < 2**62):
            self._ids = list(self._ids)
        self._ids.append(id_)

    def _place(self, image: int, number: int | None) -> str:
        if number is None:
            return f"{self._file.name}, image {self._image_ids[image]}"
        return f"{self._file.name}, annotation {self._ids[number]} of image {self._image_ids[image]}"

    def _check_links(self) -> None:
        """Report annotations whose image or category is not listed, and repeated ids."""
        for (what, number), place in self._first_use.items():
            if what == "image" and self._names[number] is None:
                id_ = self._image_ids[number]
                reason = f"{place}: the image {json.dumps(id_)} is not in `images`"
                help = _of_another_type(id_, self._is_image, "add the image, or remove the annotation")
                self._error("unlisted image", reason, help)
            elif what == "category" and number not in self._kind_names:
                id_ = self._kind_ids[number]
                known = ", ".join(f"{self._kind_ids[kind]} `{name}`" for kind, name in [*self._kind_names.items()][:6])
                reason = f"{place}: the category {json.dumps(id_)} is not in `categories`"
                help = f"add it, or correct `category_id`; the categories are {known}"
                self._error("unknown category", reason, _of_another_type(id_, self._is_category, help))
        if len(set(self._ids)) < len(self._ids):
            again, _ = Counter(self._ids).most_common(1)[0]
            count = len(self._ids) - len(set(self._ids))
            reason = f"{self._file.name}: the annotation id {again} occurs twice"
            help = "give each annotation its own `id`: other tools keep only one of them"
            self._mistakes.warning("annotation id", reason, help=help, argument=_ARGUMENT, count=count)

    def _is_image(self, id_: object) -> bool:
        return id_ in self._images and self._names[self._images[id_]] is not None

    def _is_category(self, id_: object) -> bool:
        return id_ in self._kinds and self._kinds[id_] in self._kind_names

    def _find_images(self) -> None:
        root = self._folder.resolve()
        used: set[str] = set()
        present = [path.relative_to(root).as_posix() for path in files_below(root) if path.suffix.lower() in SUFFIXES]
        names, others = set(present), composed(present)
        for number, name in enumerate(self._names):
            if name is None:
                self._found.add_image(root)
                continue
            written, name = name, name if name in names else others.get(normalize("NFC", name), name)
            used.add(name)
            path = root / name
            if name not in names and (not inside(path, root) or path.suffix.lower() not in SUFFIXES or not path.is_file()):
                place = f"{self._file.name}, image {self._image_ids[number]}"
                missing_image(path, written, names, place, self._written, _ARGUMENT, self._mistakes)
            self._found.add_image(path, self._sizes[2 * number], self._sizes[2 * number + 1])
        unlisted = [name for name in present if name not in used]
        help = "if no other file lists it, add it to `images`, without annotations if it has no objects, or remove it"
        report_unlisted(unlisted, self._written, f"is not in {self._file.name}", help, _ARGUMENT, self._mistakes)

    def _order_classes(self) -> None:
        """Number the classes in the order of `categories`, and state ids that are not their numbers."""
        order = {kind: place for place, kind in enumerate(self._kind_names)}
        self._found.classes = list(self._kind_names.values())
        for place, kind in enumerate(self._found.kinds):
            self._found.kinds[place] = order.get(kind, 0)
        ids = [self._kind_ids[kind] for kind in self._kind_names]
        if ids and all(isinstance(id_, int) for id_ in ids):
            low, high = min(ids), max(ids)
            if high - low + 1 > len(ids):
                absent = next(number for number in range(low, high + 1) if number not in set(ids))
                reason = f"{self._file.name}: the category ids from {low} to {high} have gaps, such as {absent}"
                pairs = zip(self._found.classes[:3], ids, strict=False)
                shown = ", ".join(f"`{name}` (id {id_}) is {place}" for place, (name, id_) in enumerate(pairs))
                help = f"no change is needed: classes are known by name, and numbered as in `categories`: {shown}"
                self._mistakes.note("gaps", reason, help=help, argument=_ARGUMENT)


def _is_id(value: object) -> bool:
    return type(value) in (int, str)


def _is_numeric(value: object) -> bool:
    try:
        return isinstance(value, str | int | float) and math.isfinite(float(value))
    except ValueError:
        return False


def _of_another_type(id_: object, is_listed: Callable[[object], bool], help: str) -> str:
    """Return the remedy for an id that is text where the listed one is a number, or the reverse; `help` if it is neither."""
    if isinstance(id_, str) and id_.isascii() and id_.isdigit() and len(id_) < 19 and is_listed(int(id_)):
        return f"write {int(id_)} without quotes, as in its list"
    if isinstance(id_, int) and is_listed(str(id_)):
        return f'write "{id_}" in quotes, as in its list'
    return help


def _advice(corners: NDArray[np.float64], sizes: NDArray[np.float64]) -> str:
    """State whether boxes read as corners would be in their images."""
    x2y2 = corners[:, 2:] - corners[:, :2]
    bad = (corners[:, 2:] > sizes + 1).any(1)
    if bad.any() and (x2y2 > corners[:, :2]).all() and (x2y2 <= sizes + 1).all():
        return "`bbox` seems to have two corners; COCO's is [x, y, width, height]: write [x1, y1, x2 - x1, y2 - y1]"
    return ""
