"""Images with boxes in the format of YOLO."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from nnspec.data.annotations import AnnotatedTable, AnnotationReader, Annotations, Mistakes, image_headers
from nnspec.data.folders import files_below, subfolders
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

_NAMES = ("data.yaml", "data.yml", "dataset.yaml", "dataset.yml", "classes.txt", "obj.names")
_LARGEST = 2**26
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
        return _Reading(self, path_of(files, "folder"), images, labels, self.class_names(files)).read()

    def class_names(self, files: Files) -> list[str]:
        """Return the names of the classes.

        Raises:
            DataError: If there is no file of names, or it is invalid.
        """
        if self.names is not None:
            return _names_in(path_of(files, "names"), "names")
        folder = path_of(files, "folder")
        for name in _NAMES:
            if (folder / name).is_file():
                return _names_in(folder / name, "folder")
        others = [path for path in sorted(folder.glob("*.y*ml")) if path.is_file()]
        if len(others) == 1:
            return _names_in(others[0], "folder")
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


def _names_in(path: Path, argument: str) -> list[str]:
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
        return _valid_names(path, dict(enumerate(names)), argument)
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
    return names


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
    def __init__(self, reader: Yolo, root: Path, images: Path, labels: Path, names: list[str]) -> None:
        self._reader, self._root, self._images, self._labels = reader, root, images, labels
        self._mistakes = Mistakes()
        self._found = Annotations(self._place, "folder", classes=names)
        self._files: list[Path] = []
        self._used: set[int] = set()

    def read(self) -> tuple[Annotations, Mistakes]:
        load_pillow()
        found = list(files_below(self._images))
        images = [path for path in found if path.suffix.lower() in SUFFIXES]
        stems: dict[Path, Path] = {}
        for path in images:
            stem = path.relative_to(self._images).with_suffix("")
            if stem in stems:
                reason = f"`{stems[stem].name}` and `{path.name}` in `{self._images.name}` would have the same label file"
                self._error("same name", reason, "give them different names")
            stems[stem] = path
            self._found.add_image(path)
            self._files.append(self._labels / f"{stem.as_posix()}.txt")
        self._check_folders(found, stems)
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

    def _check_folders(self, found: Iterable[Path], stems: Mapping[Path, Path]) -> None:
        """Report label files beside images, without an image, and images without a label file."""
        beside = [
            path for path in found if path.suffix.lower() == ".txt" and path.relative_to(self._images).with_suffix("") in stems
        ]
        labels = list(files_below(self._labels)) if self._labels.is_dir() else []
        present = {path.relative_to(self._labels).with_suffix("") for path in labels if path.suffix.lower() == ".txt"}
        if beside:
            reason = f"`{self._name(beside[0])}` is a label file among the images"
            help = f"move the label files to `{self._name(self._labels)}`"
            self._mistakes.error("among images", reason, help=help, argument="folder", count=len(beside))
        elif not self._labels.is_dir():
            reason = f"there is no folder `{self._name(self._labels)}` for the images in `{self._name(self._images)}`"
            others = [path for path in sorted(self._root.rglob("*.txt")) if path.stem in {stem.name for stem in stems}]
            help = f"`{self._name(others[0])}` seems to be a label file: " if others else ""
            self._error("no labels", reason, f"{help}put the label files into `{self._name(self._labels)}`")
        orphans = sorted(stem for stem in present - stems.keys() if stem.name not in ("classes", "train", "val", "test"))
        if orphans:
            elsewhere = next((path for path in _images_below(self._root) if path.stem == orphans[0].name), None)
            reason = f"`{self._name(self._labels)}/{orphans[0].as_posix()}.txt` has no image in `{self._name(self._images)}`"
            help = "add the image, or remove the label file"
            if elsewhere is not None:
                help = (
                    f"its image is `{self._name(elsewhere)}`: put the label file into the folder of the same name in `labels`"
                )
            self._mistakes.error("orphan", reason, help=help, argument="folder", count=len(orphans))
        absent = sorted(stem for stem in stems.keys() - present)
        if absent and self._labels.is_dir() and not beside:
            reason = f"`{self._name(stems[absent[0]])}` has no label file, and is taken as an image without objects"
            help = f"if it has none, write the empty file `{self._name(self._labels)}/{absent[0].as_posix()}.txt`"
            self._mistakes.warning("background", reason, help=help, argument="folder", count=len(absent))

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
            help = "write numbers, separated by spaces: class x y width height"
            if row.count(",") + row.count(";") >= 4:
                help = "separate the numbers by spaces, not by commas"
            self._error("text", f"{place}: `{row.strip()[:60]}` is not a row of numbers", help)
            return
        if len(values) < 5 or len(values) % 2 == 0:
            help = "write five numbers: class x y width height"
            if len(values) == 6:
                help = "a sixth number is the confidence of a prediction: write five, class x y width height"
            self._error("count", f"{place}: {len(values)} numbers", help)
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

    def _check_numbers(self) -> None:
        """State whether unknown classes seem to be numbered from 1."""
        names = self._found.classes
        unknown = sorted(kind for kind in self._used if kind >= len(names))
        if unknown and (0 in self._used or unknown != [len(names)]):
            self._mistakes.replace_help("unknown", _COUNTED_FROM_1, "add its name to `names`, or correct the number")


_COUNTED_FROM_1 = "the classes seem to be numbered from 1: number them from 0, in the order of `names`"


def _images_below(root: Path) -> Iterable[Path]:
    return (path for path in files_below(root) if path.suffix.lower() in SUFFIXES)


def _advice(corners: NDArray[np.float64], sizes: NDArray[np.float64]) -> str:
    """State whether boxes read as corners would be in their images."""
    centers, sides = (corners[:, :2] + corners[:, 2:]) / 2, corners[:, 2:] - corners[:, :2]
    if (sides > centers).all() and (sides <= sizes + 1).all():
        return "the boxes seem to have two corners; YOLO's are the center and the size: (x1 + x2) / 2, …, x2 - x1, y2 - y1"
    over = ((corners < -1) | (corners[:, [0, 1, 2, 3]] > sizes[:, [0, 1, 0, 1]] + 1)).any(1)
    if over.any() and (centers + sides <= sizes + 1).all():
        return "x and y seem to be the corner at the top left; YOLO's are the center: x + width / 2, y + height / 2"
    return ""
