"""Images with boxes in the format of YOLO."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
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
    image_headers,
    is_image,
)
from nnspec.data.folders import files_below, is_file, subfolders
from nnspec.data.image_files import load_pillow
from nnspec.data.kinds import DataError
from nnspec.data.readers.base import Files, Table, path_of
from nnspec.data.readers.image_arguments import SUFFIXES
from nnspec.diagnostics import Diagnostic
from nnspec.spec.reader import read_text
from nnspec.types import did_you_mean, listed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NAMES_FILES = ("data.yaml", "data.yml", "dataset.yaml", "dataset.yml", "classes.txt", "obj.names")
"""The files that list the classes, in the order in which they are looked for."""

_NO_LABELS = ("classes", "train", "val", "test")
"""The names of text files that other tools write among label files."""

_LARGEST = 2**26
_DECIMAL_COMMA = re.compile(r"-?\d+(,\d+)?")
_EDGE = 1e-3
"""By how much a number may exceed 0 and 1, as after rounding."""


class Yolo(AnnotationReader):
    """Images with boxes, a text file for each image, in the format of YOLO (Redmon et al. 2016).

    The folder has `images/` and `labels/`, with files of the same names, or both below or above a folder for each split. A line
    of a label file is a class and a box, ``class x y width height``, of which x and y are the center, as fractions of the
    image; or a class and a polygon, whose enclosing box is taken. An image with an empty file, or none, has no boxes.

    The columns are `image`, `boxes` (a row ``x1 y1 x2 y2`` for each box, in pixels of the image as stored), `class` (their
    names, those of `data.yaml` or `classes.txt`) and `crowd` (0).
    """

    main_argument: ClassVar[str | None] = "folder"
    paths: ClassVar[tuple[str, ...]] = ("folder", "names")
    folders: ClassVar[tuple[str, ...]] = ("folder",)
    not_of_values: ClassVar[tuple[str, ...]] = ("split", "max_pixels")

    folder: str = Field(description="The folder with `images` and `labels`.", examples=["pets"])
    split: str | None = Field(
        None,
        description="The folder of a split: `images/train` and `labels/train`, or `train/images` and `train/labels`.",
        examples=["train"],
    )
    names: str | None = Field(
        None,
        description="The file with the names of the classes: YAML with `names`, or text with one on each line. By default "
        "`data.yaml`, `dataset.yaml`, `classes.txt` or `obj.names` in the folder.",
        examples=["pets/data.yaml"],
    )

    def image_folder(self, files: Files) -> Path:
        return self._folders(files)[0]

    def no_images(self, files: Files) -> tuple[str, str]:
        return f"`{self._written(self.image_folder(files), files)}` contains no images", "put the images into it"

    def open(self, files: Files) -> Table:
        found, mistakes = self.read(files)
        return AnnotatedTable(self, found, mistakes, _advice)

    def read(self, files: Files) -> tuple[Annotations, Mistakes]:
        """Read the label files of all images.

        Raises:
            DataError: If the folder is not in the format, or an image cannot be read.
        """
        images, labels = self._folders(files)
        found = _Reading(self, path_of(files, "folder"), images, labels, self._description(files))
        return found.read()

    def class_names(self, files: Files) -> list[str]:
        """Return the names of the classes.

        Raises:
            DataError: If there is no file of names, or it is invalid.
        """
        return self._description(files).names

    def _description(self, files: Files) -> _Description:
        if self.names is not None:
            return _described(path_of(files, "names"), "names")
        folder = path_of(files, "folder")
        for name in NAMES_FILES:
            if (folder / name).is_file():
                return _described(folder / name, "folder")
        others = [path for path in sorted(folder.glob("*.y*ml")) if path.is_file()]
        if len(others) == 1:
            return _described(others[0], "folder")
        help = "write the names in `data.yaml`, `names: [cat, dog]`, or set `names` to the file that has them"
        raise DataError(f"`{self.folder}` has no file with the names of the classes", help=help, argument="folder")

    def _folders(self, files: Files) -> tuple[Path, Path]:
        """Return the folders of the images and of the labels."""
        root = path_of(files, "folder")
        if not root.is_dir():
            raise DataError(f"`{self.folder}` is a file, not a folder with `images` and `labels`", argument="folder")
        if self.split is not None:
            if not self.split or any(part in ("..", "") for part in Path(self.split).parts) or Path(self.split).is_absolute():
                raise DataError(f"`{self.split}` is not the name of a folder", argument="split")
            for images, labels in (
                (root / "images" / self.split, root / "labels" / self.split),
                (root / self.split / "images", root / self.split / "labels"),
            ):
                if images.is_dir():
                    return images, labels
            splits = _splits(root)
            help = did_you_mean(self.split, splits, f"the splits are {listed(splits)}") if splits else ""
            reason = f"`{self.folder}` has neither `images/{self.split}` nor `{self.split}/images`"
            raise DataError(reason, help=help or "remove `split`", argument="split")
        images = root / "images"
        inner = subfolders(images) if images.is_dir() else []
        splits = _splits(root)
        if not images.is_dir() or (inner and not any(path.parent == images for path in files_below(images))):
            if splits:
                help = f"write `yolo: {{folder: {self.folder}, split: {splits[0]}}}`, and the others for validation and test"
                raise DataError(f"`{self.folder}` has the splits {listed(splits)}", help=help, argument="folder")
            help = "name the folder that contains `images` and `labels`"
            raise DataError(f"`{self.folder}` has no folder `images`", help=help, argument="folder")
        return images, root / "labels"

    def _written(self, path: Path, files: Files) -> str:
        return f"{self.folder.rstrip('/')}/{path.relative_to(path_of(files, 'folder')).as_posix()}"


yolo = Yolo


def _splits(root: Path) -> list[str]:
    below = subfolders(root / "images") if (root / "images").is_dir() else []
    return sorted({*below, *(name for name in subfolders(root) if (root / name / "images").is_dir())})


@dataclass(frozen=True)
class _Description:
    """What the file of the names states.

    Attributes:
        path: The file.
        names: The names of the classes.
        keypoints: How many numbers of keypoints each row has after its box.
    """

    path: Path
    names: list[str]
    keypoints: int = 0


def _described(path: Path, argument: str) -> _Description:
    """Read the names of the classes from a YAML or text file."""
    try:
        if path.stat().st_size > _LARGEST:
            raise DataError(f"{path.name} is too large for a list of names", argument=argument)
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise DataError(f"{path.name} is not UTF-8 text", help="save it as UTF-8", argument=argument) from None
    except OSError as error:
        raise DataError(f"{path.name} cannot be read: {error.strerror}", argument=argument) from None
    if path.suffix.lower() not in (".yaml", ".yml"):
        names = [line.strip() for line in text.splitlines()]
        while names and not names[-1]:
            names.pop()
        return _Description(path, _valid_names(path, dict(enumerate(names)), argument))
    problems: list[Diagnostic] = []
    tree = read_text(text, path.name, problems)
    if problems and (tree is None or any(problem.is_error for problem in problems)):
        raise DataError(f"{path.name}, line {problems[0].span.line}: {problems[0].message}", argument=argument)
    data: Any = tree.plain() if tree is not None else None
    given = data.get("names") if isinstance(data, Mapping) else None
    if isinstance(given, Sequence) and not isinstance(given, str):
        found = dict(enumerate(given))
    elif isinstance(given, Mapping):
        found = {int(key) if str(key).isdigit() else key: name for key, name in given.items()}
    else:
        help = "write `names: [cat, dog]`, in the order of the class numbers"
        raise DataError(f"{path.name} has no list `names`", help=help, argument=argument)
    names = _valid_names(path, found, argument)
    count = data.get("nc", len(names))
    if count != len(names):
        reason = f"{path.name}: `nc` is {count}, but `names` has {len(names)}"
        raise DataError(reason, help="correct one of them: the classes are those of `names`", argument=argument)
    keypoints = data.get("kpt_shape", [0, 0])
    if not (isinstance(keypoints, list) and len(keypoints) == 2 and all(type(n) is int and 0 <= n < 1000 for n in keypoints)):
        help = "write the number of keypoints and the numbers of each: `kpt_shape: [17, 3]`"
        raise DataError(f"{path.name}: `kpt_shape` is {str(keypoints)[:40]}", help=help, argument=argument)
    return _Description(path, names, keypoints[0] * keypoints[1])


def _valid_names(path: Path, given: Mapping[Any, Any], argument: str) -> list[str]:
    absent = next((number for number in range(len(given)) if number not in given), None)
    if not given or absent is not None:
        reason = f"{path.name} has {len(given)} names, but none for the class {absent or 0}"
        help = "number the classes from 0 without gaps: the numbers in the label files are these"
        raise DataError(reason, help=help, argument=argument)
    names = [str(given[number]).strip() for number in range(len(given))]
    for number, name in enumerate(names):
        if not name:
            raise DataError(f"{path.name}: the class {number} has no name", help="write a name", argument=argument)
        if name in names[:number]:
            reason = f"{path.name}: the classes {names.index(name)} and {number} have the same name, `{name[:80]}`"
            raise DataError(reason, help="give them different names", argument=argument)
    return names


class _Reading:
    def __init__(self, reader: Yolo, root: Path, images: Path, labels: Path, described: _Description) -> None:
        self._reader, self._root, self._images, self._labels = reader, root, images, labels
        self._described = described
        self._mistakes = Mistakes()
        self._found = Annotations(self._place, "folder", classes=described.names)
        self._files: list[Path] = []
        self._used: set[int] = set()

    def read(self) -> tuple[Annotations, Mistakes]:
        load_pillow()
        found = list(files_below(self._images))
        images = [path for path in found if path.suffix.lower() in SUFFIXES]
        stems: dict[str, Path] = {}
        absent = []
        labels = files_below(self._labels) if self._labels.is_dir() else ()
        left = {self._stem(path, self._labels): path for path in labels if path.suffix.lower() == ".txt"}
        others = composed(left)
        for path in images:
            stem = self._stem(path, self._images)
            if stem in stems:
                reason = f"`{stems[stem].name}` and `{path.name}` in `{self._images.name}` would have the same label file"
                self._error("same name", reason, "give them different names")
                continue
            stems[stem] = path
            written = stem if stem in left or stem.isascii() else others.get(normalize("NFC", stem), stem)
            if written not in left:
                absent.append(stem)
            self._found.add_image(path)
            self._files.append(left.pop(written, self._labels / f"{stem}.txt"))
        self._check_folders(found, stems, left, absent)
        self._check_names()
        headers = image_headers(self._found, self._reader.max_pixels, self._mistakes)
        for number, header in enumerate(headers):
            self._read_labels(number, header.width, header.height)
        self._check_numbers()
        return self._found, self._mistakes

    def _error(self, kind: str, message: str, help: str, argument: str = "folder") -> None:
        self._mistakes.error(kind, message, help=help, argument=argument)

    def _name(self, path: Path) -> str:
        return path.relative_to(self._root).as_posix()

    def _place(self, image: int, line: int | None) -> str:
        name = self._name(self._files[image])
        return name if line is None else f"{name}, line {line}"

    @staticmethod
    def _stem(path: Path, folder: Path) -> str:
        """The path of a file relative to a folder, without extension."""
        return path.relative_to(folder).with_suffix("").as_posix()

    def _check_names(self) -> None:
        """Warn of another list of classes than the one that is used, as annotation tools write it beside their files."""
        if self._reader.names is not None:
            return
        used = self._described
        folders = (self._root, self._labels, self._images)
        for path in (folder / name for folder in folders for name in NAMES_FILES):
            if path == used.path or not path.is_file():
                continue
            try:
                names = _described(path, "folder").names
            except DataError:
                continue
            differing = next((i for i, (a, b) in enumerate(zip(names, used.names, strict=False)) if a != b), None)
            if differing is not None:
                first, second = f"`{names[differing]}`", f"`{used.names[differing]}`"
                reason = (
                    f"{self._name(path)} and {self._name(used.path)} list other classes: {differing} is {first} in the first"
                )
                reason += f", and {second} in the second, which is used"
                help = "give both the same order, that of the numbers in the label files, or remove the wrong one"
                self._mistakes.warning("lists", reason, help=help, argument="folder")

    def _check_folders(
        self, found: Iterable[Path], stems: Mapping[str, Path], orphans: Mapping[str, Path], absent: Sequence[str]
    ) -> None:
        """Report label files beside images or without one, and images without a label file.

        Args:
            found: The files among the images.
            stems: The images by their path without extension.
            orphans: The label files of no image, by their path without extension.
            absent: The images without a label file, in the same way.
        """
        beside = [path for path in found if path.suffix.lower() == ".txt" and self._stem(path, self._images) in stems]
        if beside:
            reason = f"`{self._name(beside[0])}` is a label file among the images"
            help = f"move the label files to `{self._name(self._labels)}`"
            self._mistakes.error("among images", reason, help=help, argument="folder", count=len(beside))
        elif not self._labels.is_dir():
            reason = f"there is no folder `{self._name(self._labels)}` for the images in `{self._name(self._images)}`"
            names = {path.stem for path in stems.values()}
            others = [path for path in sorted(self._root.rglob("*.txt")) if path.stem in names]
            help = f"`{self._name(others[0])}` seems to be a label file: " if others else ""
            self._error("no labels", reason, f"{help}put the label files into `{self._name(self._labels)}`")
        left = sorted(name for name in orphans if name.rpartition("/")[2] not in _NO_LABELS)
        if left:
            reason = f"`{self._name(orphans[left[0]])}` has no image in `{self._name(self._images)}`"
            help = self._image_of(left[0], found)
            self._mistakes.error("orphan", reason, help=help, argument="folder", count=len(left))
        if absent and self._labels.is_dir() and not beside:
            reason = f"`{self._name(stems[absent[0]])}` has no label file, and is taken as an image without objects"
            help = f"if it has none, write the empty file `{self._name(self._labels)}/{absent[0]}.txt`"
            self._mistakes.warning("background", reason, help=help, argument="folder", count=len(absent))

    def _image_of(self, orphan: str, found: Iterable[Path]) -> str:
        """Return the remedy for a label file without an image."""
        if is_image(orphan) and is_file(self._images / orphan):
            return f"rename it to `{self._name(self._labels)}/{orphan.rpartition('.')[0]}.txt`"
        other = next((path for path in found if self._stem(path, self._images) == orphan), None)
        if other is not None:
            return f"its image is `{self._name(other)}`: convert it to PNG or JPEG"
        images = (path for path in files_below(self._root) if is_image(path.name))
        elsewhere = next((path for path in images if path.stem == Path(orphan).name), None)
        if elsewhere is not None:
            return f"its image is `{self._name(elsewhere)}`: put the label file into the folder of the same name in `labels`"
        return "add the image, or remove the label file"

    def _read_labels(self, number: int, width: int, height: int) -> None:
        path = self._files[number]
        try:
            if path.stat().st_size > _LARGEST:
                self._error("large", f"{self._name(path)} has more than {_LARGEST:,} bytes", "it is no label file")
                return
            text = path.read_text("utf-8-sig")
        except FileNotFoundError:
            return
        except UnicodeDecodeError:
            self._error("encoding", f"{self._name(path)} is not UTF-8 text", "save it as UTF-8")
            return
        except OSError as error:
            self._error("unreadable", f"{self._name(path)} cannot be read: {error.strerror}", "")
            return
        for line, row in enumerate(text.splitlines(), 1):
            if row.strip():
                self._line(number, line, row, width, height)

    def _line(self, number: int, line: int, row: str, width: int, height: int) -> None:
        place = self._place(number, line)
        texts = row.split()
        try:
            values = [float(text) for text in texts]
        except ValueError:
            help = self._help_of_text(row.strip(), texts)
            self._error("text", f"{place}: `{row.strip()[:60]}` is not a row of numbers", help)
            return
        if self._described.keypoints and len(values) == 5 + self._described.keypoints:
            del values[5:]
        if len(values) < 5 or len(values) % 2 == 0:
            self._error("count", f"{place}: {len(values)} numbers", _help_of_count(values))
            return
        kind, *rest = values
        if not all(map(math.isfinite, values)):
            self._error("finite", f"{place}: a number is not finite", "write numbers from 0 to 1")
            return
        if kind != int(kind) or kind < 0:
            self._error("class", f"{place}: the class is {texts[0][:20]}", "write the number of the class, from 0")
            return
        outside = [value for value in rest if not -_EDGE <= value <= 1 + _EDGE]
        if outside:
            help = "write fractions of the image: divide x and width by its width, y and height by its height"
            if max(outside) <= 1:
                help = "write the center and the size as fractions from 0 to 1"
            self._error("range", f"{place}: {outside[0]:g} is not from 0 to 1", help)
            return
        names = self._found.classes
        self._used.add(int(kind))
        if kind >= len(names):
            reason = f"{place}: the class {int(kind)} has no name: there are {len(names)}, from 0 to {len(names) - 1}"
            self._error("unknown", reason, _COUNTED_FROM_1)
            return
        if len(rest) > 4:
            xs, ys = rest[0::2], rest[1::2]
            corners = (min(xs), min(ys), max(xs), max(ys))
        else:
            x, y, w, h = rest
            corners = (x - w / 2, y - h / 2, x + w / 2, y + h / 2)
        scaled = tuple(value * size for value, size in zip(corners, (width, height) * 2, strict=True))
        self._found.add_box(number, scaled, int(kind), 0, line)  # type: ignore[arg-type]

    def _help_of_text(self, row: str, texts: Sequence[str]) -> str:
        """Return the remedy for a row that is not numbers."""
        if row.startswith(("#", "//")):
            return "remove the comment: a label file has only rows of numbers"
        if len(texts) >= 5 and all(_DECIMAL_COMMA.fullmatch(text) for text in texts[1:]):
            return f"write a decimal point, {texts[1].replace(',', '.')}, not a comma"
        if row.count(",") + row.count(";") >= 4:
            return "separate the numbers by spaces, not by commas"
        # A name can have spaces.
        name, names = " ".join(texts[:-4]), self._found.classes
        if name in names:
            return f"write {names.index(name)}, the number of `{name}`, not its name"
        return "write numbers, separated by spaces: class x y width height"

    def _check_numbers(self) -> None:
        """State whether unknown classes seem to be numbered from 1."""
        names = self._found.classes
        unknown = sorted(kind for kind in self._used if kind >= len(names))
        if unknown and (0 in self._used or unknown != [len(names)]):
            self._mistakes.replace_help("unknown", _COUNTED_FROM_1, "add its name to `names`, or correct the number")


def _help_of_count(values: Sequence[float]) -> str:
    """Return the remedy for a row of too few or too many numbers."""
    if len(values) == 6 and 0 <= values[5] <= 1:
        return "a sixth number is the confidence of a prediction: write five, class x y width height"
    if len(values) == 6:
        return "a sixth number seems to be an angle: write the four corners, class x1 y1 x2 y2 x3 y3 x4 y4"
    if len(values) > 6:
        return "write five numbers, class x y width height; if keypoints follow, write `kpt_shape` in `data.yaml`"
    return "write five numbers: class x y width height"


_COUNTED_FROM_1 = "the classes seem to be numbered from 1: number them from 0, in the order of `names`"


def _advice(corners: NDArray[np.float64], sizes: NDArray[np.float64]) -> str:
    """State whether boxes read in another way would be in their images."""
    if corners.max() <= 1:
        return "the numbers seem to be divided by the width and height twice: divide pixels once"
    centers, sides = (corners[:, :2] + corners[:, 2:]) / 2, corners[:, 2:] - corners[:, :2]
    if (sides > centers).all() and (sides <= sizes + 1).all():
        return "the boxes seem to have two corners; YOLO's are the center and the size: (x1 + x2) / 2, …, x2 - x1, y2 - y1"
    over = ((corners < -1) | (corners[:, [0, 1, 2, 3]] > sizes[:, [0, 1, 0, 1]] + 1)).any(1)
    if over.any() and (centers + sides <= sizes + 1).all():
        return "x and y seem to be the corner at the top left; YOLO's are the center: x + width / 2, y + height / 2"
    return ""
