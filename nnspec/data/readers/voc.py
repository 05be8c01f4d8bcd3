"""Images with boxes in the format of Pascal VOC."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar
from unicodedata import normalize

from pydantic import Field

from nnspec.data.annotations import (
    AnnotatedTable,
    AnnotationReader,
    Annotations,
    Mistakes,
    composed,
    is_image,
    missing_image,
    report_unlisted,
)
from nnspec.data.folders import files_below
from nnspec.data.kinds import DataError
from nnspec.data.readers.base import Files, Table, path_of
from nnspec.data.readers.image_arguments import SUFFIXES
from nnspec.data.readers.voc_xml import VocFile, VocObject, read_voc
from nnspec.layers.scalars import Flag
from nnspec.types import did_you_mean, listed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_CORNERS = ("xmin", "ymin", "xmax", "ymax")


class Voc(AnnotationReader):
    """Images with boxes, an XML file for each image, in the format of Pascal VOC (Everingham et al. 2010).

    The folder has `Annotations/*.xml`, `JPEGImages/` and, for splits, `ImageSets/Main/NAME.txt`. The columns are `image`,
    `boxes` (a row ``x1 y1 x2 y2`` for each box, in pixels of the image as stored), `class` (their names), `crowd` (0) and
    `difficult` (0 or 1). XML is read without document types and entities.
    """

    main_argument: ClassVar[str | None] = "folder"
    paths: ClassVar[tuple[str, ...]] = ("folder",)
    folders: ClassVar[tuple[str, ...]] = ("folder",)
    flags: ClassVar[tuple[str, ...]] = ("crowd", "difficult")
    not_of_values: ClassVar[tuple[str, ...]] = ("split", "max_pixels")

    folder: str = Field(description="The folder with `Annotations` and `JPEGImages`.", examples=["VOCdevkit/VOC2012"])
    split: str | None = Field(
        None,
        description="The name of a list in `ImageSets/Main`. By default, all files of `Annotations`.",
        examples=["train"],
    )
    from_one: Flag = Field(
        True,
        description="Whether the pixels are counted from 1, as those of VOC are: the first one extends from 0 to 1. If not, "
        "the numbers are coordinates.",
    )

    def image_folder(self, files: Files) -> Path:
        return self._part(files, "JPEGImages")

    def no_images(self, files: Files) -> tuple[str, str]:
        del files
        return f"`{self.folder}/JPEGImages` contains no images", "put the images into it"

    def open(self, files: Files) -> Table:
        found, mistakes = self.read(files)
        return AnnotatedTable(self, found, mistakes, _advice)

    def read(self, files: Files) -> tuple[Annotations, Mistakes]:
        """Read the annotations of the images.

        Raises:
            DataError: If the folder is not in the format.
        """
        return _Reading(self, self._part(files, "Annotations"), self.image_folder(files), self._listed(files)).read()

    def _part(self, files: Files, name: str) -> Path:
        root = path_of(files, "folder")
        if not (root / name).is_dir():
            inner = sorted(root.glob(f"*/{name}")) if root.is_dir() else []
            help = "name the folder that contains `Annotations` and `JPEGImages`"
            if inner:
                help = f"write `voc: {self.folder.rstrip('/')}/{inner[0].parent.name}`"
            raise DataError(f"`{self.folder}` has no folder `{name}`", help=help, argument="folder")
        return root / name

    def _listed(self, files: Files) -> list[tuple[str, int]] | None:
        """Return the names of the split with their lines; None for all."""
        if self.split is None:
            return None
        folder = path_of(files, "folder") / "ImageSets" / "Main"
        path = folder / f"{self.split}.txt"
        if "/" in self.split or "\\" in self.split or not path.is_file():
            known = sorted(path.stem for path in folder.glob("*.txt")) if folder.is_dir() else []
            help = did_you_mean(self.split, known, f"the lists are {listed(known[:8])}") if known else "remove `split`"
            reason = f"`{self.folder}/ImageSets/Main` has no list `{self.split}.txt`"
            raise DataError(reason, help=help, argument="split")
        try:
            lines = path.read_text("utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError):
            raise DataError(f"{path.name} cannot be read as UTF-8 text", argument="split") from None
        found = []
        for number, line in enumerate(lines, 1):
            parts = line.split()
            # The lists of a class have 1, 0 or -1 after the name; images with -1 do not show it.
            if parts and (len(parts) == 1 or parts[1] != "-1"):
                found.append((parts[0], number))
        if not found:
            raise DataError(f"{path.name} lists no images", help="write a name on each line", argument="split")
        return found


voc = Voc


class _Reading:
    def __init__(self, reader: Voc, annotations: Path, images: Path, names: list[tuple[str, int]] | None) -> None:
        self._reader, self._annotations, self._images, self._names = reader, annotations, images, names
        self._mistakes = Mistakes()
        self._found = Annotations(self._place, "folder", declared=False, columns=("crowd", "difficult"))
        self._files: list[str] = []
        self._kinds: dict[str, int] = {}
        self._forms: dict[str, str] = {}
        self._zero: str | None = None

    def read(self) -> tuple[Annotations, Mistakes]:
        files = [path.relative_to(self._images).as_posix() for path in files_below(self._images)]
        present = {name for name in files if is_image(name)}
        self._forms = composed(present)
        if beside := [name for name in files if name.lower().endswith(".xml")]:
            reason = f"`JPEGImages/{beside[0]}` is a file of annotations among the images"
            help = "move it to `Annotations`"
            self._mistakes.error("among images", reason, help=help, argument="folder", count=len(beside))
        used: dict[str, str] = {}
        for path in self._paths():
            name = f"Annotations/{path.relative_to(self._annotations).as_posix()}"
            try:
                found = read_voc(path, name)
            except DataError as error:
                self._error("xml", error.message, error.help)
                continue
            self._file(path, name, found, present, used)
        if self._names is None:
            unlisted = sorted(present - used.keys())
            help = "add its file to `Annotations`, without objects if it has none, or remove the image"
            report_unlisted(unlisted, "JPEGImages", "has no file in `Annotations`", help, "folder", self._mistakes)
        if self._zero is not None:
            reason = f"{self._zero}: a corner is 0, but the pixels of VOC are counted from 1"
            help = "if they are counted from 0, write `from_one: false`"
            self._mistakes.warning("from one", reason, help=help, argument="folder")
        order = sorted(self._kinds)
        places = {self._kinds[name]: place for place, name in enumerate(order)}
        self._found.classes = order
        for place, kind in enumerate(self._found.kinds):
            self._found.kinds[place] = places[kind]
        return self._found, self._mistakes

    def _error(self, kind: str, message: str, help: str) -> None:
        self._mistakes.error(kind, message, help=help, argument="folder")

    def _place(self, image: int, line: int | None) -> str:
        return self._files[image] if line is None else f"{self._files[image]}, line {line}"

    def _paths(self) -> list[Path]:
        if self._names is None:
            found = list(files_below(self._annotations))
            others = [path for path in found if path.suffix.lower() != ".xml"]
            if others:
                name = others[0].relative_to(self._annotations).as_posix()
                help = (
                    "put the images into `JPEGImages`" if others[0].suffix.lower() in SUFFIXES else "move it out of the folder"
                )
                self._error("other file", f"`Annotations/{name}` is not an XML file", help)
            paths = [path for path in found if path.suffix.lower() == ".xml"]
            if not paths:
                self._error("empty", "`Annotations` contains no XML files", "put the annotations into it")
            return paths
        found = []
        seen: set[str] = set()
        for name, line in self._names:
            place = f"ImageSets/Main/{self._reader.split}.txt, line {line}"
            path = self._annotations / f"{name}.xml"
            if name in seen:
                self._error("listed twice", f"{place}: `{name[:80]}` is listed twice", "remove one of the lines")
            elif "/" in name or "\\" in name or not path.is_file():
                help = "add the file, or remove the line"
                if Path(name).suffix.lower() in (".jpg", ".png", ".xml"):
                    help = f"write the name without its extension: `{Path(name).stem}`"
                self._error("listed", f"{place}: `{name[:80]}` has no file in `Annotations`", help)
            else:
                found.append(path)
            seen.add(name)
        return found

    def _file(self, path: Path, name: str, found: VocFile, present: set[str], used: dict[str, str]) -> None:
        written = found.texts.get("filename", "")
        if not written or "\0" in written or "/" in written or "\\" in written:
            last = re.split(r"[/\\]", written)[-1]
            help = "write the name of the image in `JPEGImages`: `<filename>000001.jpg</filename>`"
            if last in present:
                help = f"write `{last}`: the name of the image in `JPEGImages`, without a folder"
            self._error("filename", f"{name}: `filename` is `{written[:80]}`", help)
            return
        if written not in present:
            written = self._forms.get(normalize("NFC", written), written)
        image = self._images / written
        if written not in present:
            missing_image(image, written, present, name, "JPEGImages", "folder", self._mistakes)
            return
        if written in used:
            reason = f"{name}: `{written}` is also the image of {used[written]}"
            self._error("same file", reason, "correct `filename`, or list the objects of an image in one file")
            return
        used[written] = name
        if normalize("NFC", Path(written).stem) != normalize("NFC", path.stem):
            reason = f"{name}: `filename` is `{written}`, that of another image than the file's name"
            help = "if the file was copied or renamed, correct `filename`"
            self._mistakes.warning("other name", reason, help=help, argument="folder")
        number = len(self._files)
        self._files.append(name)
        sizes = [self._size(name, found.texts, key) for key in ("width", "height")]
        self._found.add_image(image, *(sizes if all(sizes) else (0, 0)))
        for one in found.objects:
            self._object(number, name, one)

    def _size(self, name: str, texts: Mapping[str, str], key: str) -> int:
        text = texts.get(f"size/{key}")
        if text is None or text == "0":  # some tools write 0 for an unknown size
            return 0
        if not (text.isascii() and text.isdigit() and len(text) < 10):
            help = "write the size of the image in pixels, or leave `size` out"
            self._error("stated size", f"{name}: `{key}` is `{text[:40]}`", help)
            return 0
        return int(text)

    def _object(self, number: int, name: str, one: VocObject) -> None:
        place = f"{name}, line {one.line}"
        kind = one.texts.get("name", "")
        if not kind:
            self._error("no name", f"{place}: the object has no `name`", "write its class: `<name>dog</name>`")
            return
        values = []
        for key in _CORNERS:
            text = one.texts.get(f"bndbox/{key}")
            if text is None:
                help = "write `<bndbox>` with `xmin`, `ymin`, `xmax` and `ymax`"
                self._error("no corner", f"{place}: the object has no `{key}`", help)
                return
            try:
                value = float(text)
            except ValueError:
                value = math.nan
            if not abs(value) < 2**53:
                line = one.lines[f"bndbox/{key}"]
                help = "write a number of pixels"
                if re.fullmatch(r"\d+,\d+", text):
                    help = f"write a decimal point, {text.replace(',', '.')}, not a comma"
                self._error("corner", f"{name}, line {line}: `{key}` is `{text[:40]}`", help)
                return
            values.append(value)
        difficult = one.texts.get("difficult", "0") or "0"
        if difficult not in ("0", "1"):
            self._error("difficult", f"{place}: `difficult` is `{difficult[:40]}`", "write 0 or 1")
            return
        x1, y1, x2, y2 = values
        if self._reader.from_one:
            if min(x1, y1) == 0 and self._zero is None:
                self._zero = place
            x1, y1 = x1 - 1, y1 - 1
        index = self._kinds.setdefault(kind, len(self._kinds))
        self._found.add_box(number, (x1, y1, x2, y2), index, int(difficult), one.line)


def _advice(corners: NDArray[np.float64], sizes: NDArray[np.float64]) -> str:
    """State whether boxes read as a corner and a size would be in their images."""
    if (corners[:, :2] + corners[:, 2:] <= sizes + 2).all() and (corners[:, 2:] < corners[:, :2]).any():
        return "the boxes seem to be x, y, width, height; VOC's are two corners: xmax is x + width, ymax is y + height"
    return ""
