"""The boxes of the images of a data set, as the readers of annotation formats find them, and the mistakes in them."""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar
from unicodedata import normalize

from nnspec.data.folders import files_below, is_file
from nnspec.data.image_copies import first_copies
from nnspec.data.image_files import Header, ImageFormat, headers
from nnspec.data.kinds import AnnotationError, Column, DataError, DataWarning
from nnspec.data.readers.base import Files, Table
from nnspec.data.readers.image_arguments import SUFFIXES, ImageReader, read_images
from nnspec.types import listed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from nnspec.data.readers.base import Rows, Values

_ROUNDING = 1.0
"""How far a box may exceed its image, in pixels, without a warning."""

_TOO_MANY_OUTSIDE = 0.05
_SMALLEST = 4
"""Boxes of at most one pixel are not suspect in images of this size."""


@dataclass
class _Found:
    message: str
    help: str
    argument: str | None
    count: int = 1
    is_note: bool = False


class Mistakes:
    """The mistakes in annotations: of each kind the first one, and how many there are.

    Example:
        >>> found = Mistakes()
        >>> for number in (3, 8):
        ...     found.error("area", f"box {number} has no area", help="remove it")
        >>> found.errors[0].message
        'box 3 has no area (and 1 more)'
    """

    def __init__(self) -> None:
        self._errors: dict[str, _Found] = {}
        self._warnings: dict[str, _Found] = {}

    def error(self, kind: str, message: str, *, help: str, argument: str | None = None, count: int = 1) -> None:
        """Report data that cannot be used."""
        self._add(self._errors, kind, message, help, argument, count)

    def warning(self, kind: str, message: str, *, help: str, argument: str | None = None, count: int = 1) -> None:
        """Report data that are probably not as intended."""
        self._add(self._warnings, kind, message, help, argument, count)

    def note(self, kind: str, message: str, *, help: str, argument: str | None = None) -> None:
        """Report a fact that may be unexpected, and is usual."""
        self._add(self._warnings, kind, message, help, argument, 1)
        self._warnings[kind].is_note = True

    def has(self, kind: str) -> bool:
        """Whether a kind of mistake was reported."""
        return kind in self._errors or kind in self._warnings

    def replace_help(self, kind: str, old: str, new: str) -> None:
        """Give the reported mistakes of a kind another help, if it is `old`."""
        if kind in self._errors and self._errors[kind].help == old:
            self._errors[kind].help = new

    @property
    def errors(self) -> list[AnnotationError]:
        return [AnnotationError(_counted(one), help=one.help, argument=one.argument) for one in self._errors.values()]

    @property
    def warnings(self) -> list[DataWarning]:
        return [DataWarning(_counted(one), one.help, one.argument, one.is_note) for one in self._warnings.values()]

    def stop(self) -> None:
        """Raise the errors, if there are any.

        Raises:
            AnnotationError: The first, with the others.
        """
        if errors := self.errors:
            errors[0].others = tuple(errors[1:])
            raise errors[0]

    @staticmethod
    def _add(found: dict[str, _Found], kind: str, message: str, help: str, argument: str | None, count: int) -> None:
        if kind in found:
            found[kind].count += count
        else:
            found[kind] = _Found(message, help, argument, count)


def _counted(one: _Found) -> str:
    return one.message if one.count == 1 else f"{one.message} (and {one.count - 1:,} more)"


@dataclass
class Annotations:
    """The images of a data set and their boxes, as they are read from files.

    Attributes:
        paths: The image files.
        sizes: The stated width and height of each image; zeros if a file does not state them.
        classes: The names of the classes, in the order of the files.
        declared: Whether the files list the classes, so that the order and number do not depend on the boxes.
        columns: The flags of the boxes: `crowd`, and in VOC `difficult`.
        place: Returns the place of an image, or of one of its boxes by the number that was added with it.
        argument: The reader's argument that names the annotations.
    """

    place: Callable[[int, int | None], str]
    argument: str
    paths: list[Path] = field(default_factory=list)
    sizes: array[int] = field(default_factory=lambda: array("q"))
    classes: list[str] = field(default_factory=list)
    declared: bool = True
    columns: tuple[str, ...] = ("crowd",)
    images: array[int] = field(default_factory=lambda: array("q"))
    corners: array[float] = field(default_factory=lambda: array("d"))
    kinds: array[int] = field(default_factory=lambda: array("q"))
    flags: array[int] = field(default_factory=lambda: array("b"))
    numbers: array[int] = field(default_factory=lambda: array("q"))

    def add_image(self, path: Path, width: int = 0, height: int = 0) -> None:
        """Add an image; the boxes name it by its number."""
        self.paths.append(path)
        self.sizes.extend((width, height))

    def add_box(self, image: int, corners: tuple[float, float, float, float], kind: int, flag: int, number: int) -> None:
        """Add a box.

        Args:
            image: The number of its image.
            corners: ``x1, y1, x2, y2`` in pixels of the image as stored.
            kind: The number of its class.
            flag: The value of the last of `columns`.
            number: What identifies it in the file, such as the line.
        """
        self.images.append(image)
        self.corners.extend(corners)
        self.kinds.append(kind)
        self.flags.append(flag)
        self.numbers.append(number)


def image_headers(found: Annotations, max_pixels: int, mistakes: Mistakes) -> list[Header]:
    """Return the headers of the images, and report stated sizes that differ from them."""
    known = headers(found.paths, max_pixels) if found.paths else []
    for number, header in enumerate(known):
        width, height = found.sizes[2 * number], found.sizes[2 * number + 1]
        if not width or (width, height) == (header.width, header.height):
            continue
        help = "if the images were resized, resize their boxes too; if only the stated size is wrong, correct it"
        if (height, width) == (header.width, header.height):
            help = "width and height are swapped: correct them, or, if the image has an Exif orientation, annotate it upright"
        reason = f"{found.place(number, None)}: stated as {width}×{height} (width × height), "
        reason += f"but `{found.paths[number].name}` is {header.width}×{header.height}"
        mistakes.error("size", reason, help=help, argument=found.argument)
    return known


class AnnotationReader(ImageReader):
    """The base class of readers of images with boxes."""

    image_argument: ClassVar[str] = "folder"
    flags: ClassVar[tuple[str, ...]] = ("crowd",)

    def columns(self, files: Files) -> dict[str, Column]:
        first = self._first(files)
        if first is None:
            reason, help = self.no_images(files)
            raise DataError(reason, help=help, argument=self.image_argument)
        classes = self.class_names(files)
        try:
            image = self.column_by(first)
        except DataError as error:
            raise DataError(error.message, help=error.help, argument=self.image_argument) from None
        return {"image": image, **box_columns(self.flags, classes)}

    def arguments_to_fit(self, files: Files, column: Column, wanted: Sequence[object]) -> str:
        return self.arguments_for(self._first(files), column, wanted)

    def class_names(self, files: Files) -> Sequence[str]:
        """The names of the classes, if they are known before the annotations are read."""
        del files
        return ()

    def image_folder(self, files: Files) -> Path:
        """The folder of the images.

        Raises:
            DataError: If there is none.
        """
        raise NotImplementedError

    def no_images(self, files: Files) -> tuple[str, str]:
        """What to report if the folder has no images, and the help."""
        raise NotImplementedError

    def _first(self, files: Files) -> Path | None:
        return next((path for path in files_below(self.image_folder(files)) if path.suffix.lower() in SUFFIXES), None)


class AnnotatedTable(Table):
    """The table of annotated images. Boxes without an area are left out, and boxes are clipped to their image.

    Args:
        reader: The reader of the images.
        found: The annotations.
        mistakes: The mistakes that were found; those in the boxes are added.
        advice: Returns the remedy for boxes that are not in their images, from them and the images' widths and heights.

    Raises:
        AnnotationError: If there are errors.
    """

    def __init__(
        self,
        reader: ImageReader,
        found: Annotations,
        mistakes: Mistakes,
        advice: Callable[[NDArray[np.float64], NDArray[np.float64]], str],
    ) -> None:
        import numpy as np

        mistakes.stop()
        known = image_headers(found, reader.max_pixels, mistakes)
        mistakes.stop()
        try:
            self._look = reader.look(found.paths, known) if known else ImageFormat(1, 1, "rgb", "bilinear", reader.max_pixels)
        except DataError as error:
            raise DataError(error.message, help=error.help) from None
        self._paths, self._place, self._mistakes = found.paths, found.place, mistakes
        self._argument = found.argument
        self.image_paths = found.paths
        self._sizes = np.array([(header.height, header.width) for header in known], np.int64).reshape(-1, 2)
        images = np.frombuffer(found.images, np.int64) if found.images else np.zeros(0, np.int64)
        corners = np.array(found.corners, np.float64).reshape(-1, 4)
        kept = self._check(found, images, corners, advice)
        mistakes.stop()
        order = kept[np.argsort(images[kept], kind="stable")]
        self._starts = np.searchsorted(images[order], np.arange(len(found.paths) + 1))
        self._boxes = corners[order].astype(np.float32)
        self._numbers = np.array(found.numbers, np.int64)[order]
        self._classes = np.array([*found.classes, None], object)[:-1]
        self._kinds = np.array(found.kinds, np.int64)[order]
        self._flags = {name: np.zeros(len(order), np.int32) for name in found.columns}
        self._flags[found.columns[-1]] = np.array(found.flags, np.int32)[order]
        self._warn_of_unused(found)
        self._warn_of_similar(found, images)
        names = tuple(found.classes) if found.declared else ()
        self.columns = {
            "image": Column(self._look.shape, "uint8"),
            **box_columns(found.columns, names),
        }
        self.lazy = ("image",)
        self.image_columns = ("image",)
        self.pads_images = self._look.padded

    def __len__(self) -> int:
        return len(self._paths)

    def read(self, column: str, rows: Rows) -> Values:
        import numpy as np

        taken = np.arange(len(self))[rows]
        if column == "image":
            return read_images([self._paths[row] for row in taken.tolist()], self._look)
        values: Values = self._boxes if column == "boxes" else self._flags.get(column, self._kinds)
        made = np.empty(len(taken), object)
        for place, row in enumerate(taken.tolist()):
            own = values[self._starts[row] : self._starts[row + 1]]
            made[place] = self._classes[own].tolist() if column == "class" else own
        return made

    def image_sizes(self, column: str) -> NDArray[np.int64] | None:
        return self._sizes if column == "image" else None

    @property
    def class_names(self) -> list[str]:
        """The names of the classes."""
        return [str(name) for name in self._classes]

    def encoded(self, column: str, row: int) -> bytes | None:
        if column != "image":
            return None
        try:
            return self._paths[row].read_bytes()
        except OSError as error:
            raise DataError(f"{self.where(column, row)} cannot be read: {error.strerror}") from None

    def where(self, column: str, row: int) -> str:
        return self._name(row) if column == "image" else self._place(row, None)

    def where_item(self, column: str, row: int, item: int) -> str:
        return self._place(row, int(self._numbers[self._starts[row] + item]))

    def warnings(self) -> Iterable[DataWarning]:
        copies = first_copies(self._paths)
        if copies and not self._mistakes.has("copy"):
            row, first = next(iter(copies.items()))
            reason = f"{self._place(row, None)}: `{self._name(row)}` has the same content as `{self._name(first)}`"
            help = "remove one of them, or replace it by the image that was meant"
            self._mistakes.warning("copy", reason, help=help, argument=self._argument, count=len(copies))
        return self._mistakes.warnings

    def _name(self, row: int) -> str:
        return f"{self._paths[row].parent.name}/{self._paths[row].name}"

    def _check(
        self,
        found: Annotations,
        images: NDArray[np.int64],
        corners: NDArray[np.float64],
        advice: Callable[[NDArray[np.float64], NDArray[np.float64]], str],
    ) -> NDArray[np.int64]:
        """Report boxes that are not in their image, clip the others in place, and return the numbers of those with an area."""
        import numpy as np

        if not len(corners):
            return np.zeros(0, np.int64)
        sizes = self._sizes[images][:, ::-1].astype(np.float64)

        def place(bad: Any) -> str:
            first = int(bad.argmax())
            return found.place(int(images[first]), found.numbers[first])

        def shown(bad: Any) -> str:
            first = int(bad.argmax())
            box = ", ".join(f"{value:g}" for value in corners[first])
            return f"the box [{box}] (x1, y1, x2, y2) of an image of {sizes[first, 0]:g}×{sizes[first, 1]:g}"

        sides = corners[:, 2:] - corners[:, :2]
        reversed_ = (sides < 0).any(1)
        flat = ~reversed_ & (sides == 0).any(1)
        over = np.maximum(-corners[:, :2], corners[:, 2:] - sizes).max(1)
        apart = ((corners[:, 2:] <= 0) | (corners[:, :2] >= sizes)).any(1) & ~reversed_ & ~flat
        outside = (over > _ROUNDING) & ~apart & ~reversed_ & ~flat
        wrong: NDArray[np.bool_] = reversed_ | apart | outside
        all_ = np.ones(len(corners), bool)
        tiny = corners.max() <= 1 and sizes.min() > _SMALLEST
        help = advice(corners, sizes) if wrong.any() or tiny else ""
        if tiny:
            reason = f"{place(all_)}: {shown(all_)} is smaller than a pixel, as are all others"
            own = help or "the numbers seem to be fractions of the image: write pixels"
            self._mistakes.error("fractions", reason, help=own, argument=found.argument)
        argument = found.argument
        if reversed_.any():
            reason = f"{place(reversed_)}: {shown(reversed_)} has corners in the wrong order"
            own = help or "the second corner is right of and below the first: exchange them"
            self._mistakes.error("reversed", reason, help=own, argument=argument, count=int(reversed_.sum()))
        if apart.any():
            reason = f"{place(apart)}: {shown(apart)} is outside it"
            own = help or "correct the box, or remove it"
            self._mistakes.error("apart", reason, help=own, argument=argument, count=int(apart.sum()))
        if outside.any():
            reason = f"{place(outside)}: {shown(outside)} exceeds it, and is clipped to it"
            own = help or "correct the box"
            report = self._mistakes.error if help and outside.mean() > _TOO_MANY_OUTSIDE else self._mistakes.warning
            report("outside", reason, help=own, argument=argument, count=int(outside.sum()))
        if flat.any():
            reason = f"{place(flat)}: {shown(flat)} has no area, and is left out"
            own = "remove the box, or correct it"
            self._mistakes.warning("area", reason, help=own, argument=argument, count=int(flat.sum()))
        self._warn_of_repeated(found, images, corners)
        corners[:, 0::2] = np.clip(corners[:, 0::2], 0, sizes[:, :1])
        corners[:, 1::2] = np.clip(corners[:, 1::2], 0, sizes[:, 1:])
        kept: NDArray[np.int64] = np.flatnonzero((corners[:, 2:] > corners[:, :2]).all(1))
        return kept

    def _warn_of_repeated(self, found: Annotations, images: NDArray[np.int64], corners: NDArray[np.float64]) -> None:
        """Warn of boxes with the same class and corners in one image, which count twice."""
        import numpy as np

        keys = np.column_stack([images, np.array(found.kinds, np.int64), corners])
        order = np.lexsort(keys.T)
        keys = keys[order]
        same = (keys[1:] == keys[:-1]).all(1)
        if same.any():
            second = int(order[1:][same].min())
            reason = f"{found.place(int(images[second]), found.numbers[second])}: the box and its class are listed twice"
            self._mistakes.warning(
                "repeated", reason, help="remove one of them", argument=found.argument, count=int(same.sum())
            )

    def _warn_of_unused(self, found: Annotations) -> None:
        import numpy as np

        counts = np.bincount(self._kinds, minlength=len(found.classes))
        unused = [name for name, count in zip(found.classes, counts.tolist(), strict=True) if not count]
        if unused and len(self._kinds) and found.declared:
            reason = f"no box has the class {listed(unused[:6])}" + (
                f" (and {len(unused) - 6:,} more)" if len(unused) > 6 else ""
            )
            help = "if the class is not used, remove it from the list of classes; it stays a class of the network otherwise"
            self._mistakes.warning("unused", reason, help=help, argument=found.argument)

    def _warn_of_similar(self, found: Annotations, images: NDArray[np.int64]) -> None:
        """Warn of classes whose names differ only in case or spaces, at the first box of the rarer one."""
        import numpy as np

        kinds = np.array(found.kinds, np.int64)
        counts = np.bincount(kinds, minlength=len(found.classes))
        alike: dict[str, list[int]] = {}
        for kind, name in enumerate(found.classes):
            if counts[kind]:
                alike.setdefault("".join(name.split()).casefold(), []).append(kind)
        for group in alike.values():
            common, *others = sorted(group, key=lambda kind: (-counts[kind], kind))
            for kind in others:
                first = int((kinds == kind).argmax())
                name, other = found.classes[kind], found.classes[common]
                place = found.place(int(images[first]), found.numbers[first])
                reason = f"{place}: the class `{name}` differs from `{other}` only in case or spaces"
                help = f"if they are the same class, write one spelling, such as `{other}`"
                self._mistakes.warning("similar", reason, help=help, argument=found.argument)


def box_columns(flags: Sequence[str], classes: Sequence[str] = ()) -> dict[str, Column]:
    """Return the columns of annotations besides the image."""
    return {
        "boxes": Column((None, 4), "float32", ragged=True, fill=-1, boxes_of="image"),
        "class": Column((None,), "text", ragged=True, fill=-1, rows_of="boxes", classes=tuple(classes)),
        **{name: Column((None,), "int32", ragged=True, fill=-1, rows_of="boxes") for name in flags},
    }


def composed(names: Iterable[str]) -> dict[str, str]:
    """Return the names that are not ASCII by their composed Unicode form: file systems and tools differ in the form.

    Example:
        >>> composed(["a.png", "Zu\u0308rich.png"]) == {"Z\u00fcrich.png": "Zu\u0308rich.png"}
        True
    """
    return {normalize("NFC", name): name for name in names if not name.isascii()}


def missing_image(
    path: Path, written: str, names: Collection[str], place: str, folder: str, argument: str | None, mistakes: Mistakes
) -> None:
    """Report an image whose file does not exist, or has another format.

    Args:
        path: Where it was looked for.
        written: The name as written.
        names: The paths of the images in the folder, relative to it.
        place: The place of the entry, for messages.
        folder: The folder as written in the spec.
        argument: The reader's argument that names the folder.
        mistakes: Where it is reported.
    """
    reason, help = f"{place}: the image `{written[:200]}` is not in `{folder}`", ""
    if path.suffix.lower() not in SUFFIXES and is_file(path):
        reason = f"{place}: `{written[:200]}` in `{folder}` is neither a PNG nor a JPEG file"
        help = "convert it to PNG or JPEG, and write its new name"
    elif not mistakes.has("image"):  # the names are searched only once
        help = _where_it_is(path, written, names, folder)
    mistakes.error("image", reason, help=help, argument=argument)


def _where_it_is(path: Path, written: str, names: Collection[str], folder: str) -> str:
    parts = re.split(r"[/\\]", written)
    meant = next((name for i in range(len(parts)) if (name := "/".join(parts[i:])) in names), "")
    if meant and ("\\" in written or written.startswith("/")):
        return f"write `{meant}`: the path relative to `{folder}`, with `/`"
    if meant:
        return f"name the folder that contains `{written[:200]}`, or write `{meant}`"
    same = sorted(name for name in names if Path(name).name.lower() == path.name.lower())
    if same:
        return f"`{same[0]}` is in `{folder}`: name the folder that contains the images, or correct the name"
    stem = sorted(name for name in names if Path(name).stem == path.stem)
    if stem:
        correct = "correct the extension" if path.suffix else f"write `{stem[0]}`, the name with its extension"
        return f"`{stem[0]}` is in `{folder}`: {correct}"
    return f"add it to `{folder}`, or remove its entry"


def report_unlisted(names: Sequence[str], folder: str, what: str, help: str, argument: str, mistakes: Mistakes) -> None:
    """Warn of images in a folder that have no entry."""
    if names:
        reason = f"`{names[0]}` in `{folder}` {what}"
        mistakes.warning("unlisted", reason, help=help, argument=argument, count=len(names))


def is_image(name: str) -> bool:
    """Whether a file is an image by its name."""
    return Path(name).suffix.lower() in SUFFIXES
