"""Pictures with a picture of labels each, for segmentation."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from nnspec.data.folders import files_below
from nnspec.data.image_files import ImageFormat, headers
from nnspec.data.kinds import Column, DataError
from nnspec.data.readers.base import Files, Table
from nnspec.data.readers.picture_arguments import SUFFIXES, PictureReader, read_pictures

if TYPE_CHECKING:
    from nnspec.data.readers.base import Rows, Values

__all__ = ["Masks", "masks"]

_MODES = ("1", "L", "P", "I;16", "I")


class Masks(PictureReader):
    """Pictures in one folder, and for each a picture of labels of the same name in another.

    The columns are `image` (height × width × channels, 0 to 255) and `mask` (height × width), whole numbers: the grey values
    or the palette's numbers, as they are. `image_size` resizes both, the labels by their nearest pixel.
    """

    paths: ClassVar[tuple[str, ...]] = ("images", "masks")
    folders: ClassVar[tuple[str, ...]] = ("images", "masks")
    not_of_values: ClassVar[tuple[str, ...]] = ("max_pixels",)

    images: str = Field(description="The folder of pictures.")
    masks: str = Field(description="The folder of their labels: PNG, with the pictures' names.")

    def columns(self, files: Files) -> dict[str, Column]:
        images, _ = self.pairs(files)
        image = self.column_by(images[0])
        return {"image": image, "mask": Column(image.shape[:2], "int32")}

    def open(self, files: Files) -> Table:
        images, masks = self.pairs(files)
        look = self.look(images)
        pictures = headers(images, self.max_pixels)
        for path, header, picture in zip(masks, headers(masks, self.max_pixels), pictures, strict=True):
            if header.mode not in _MODES:
                reason = f"{path.parent.name}/{path.name} has pixels of the kind `{header.mode}`, which are no labels"
                raise DataError(reason, help="write one number a pixel: greyscale, or a palette", argument="masks")
            if (header.height, header.width) != (picture.height, picture.width):
                found = [f"{h.height} × {h.width}" for h in (header, picture)]
                reason = f"{path.parent.name}/{path.name} is {found[0]}, and its picture {found[1]}"
                raise DataError(reason, argument="masks")
        return _MasksTable(images, masks, look)

    def arguments_to_fit(self, files: Files, made: Column, wanted: Sequence[object]) -> str:
        return self.arguments_for(self.pairs(files)[0][0], made, wanted)

    def pairs(self, files: Files) -> tuple[list[Path], list[Path]]:
        """The pictures and their labels, in the order of their names.

        Raises:
            DataError: Where one has no partner, or several.
        """
        found = {argument: self._by_name(files[argument], argument) for argument in self.paths}
        for argument, other in (("images", "masks"), ("masks", "images")):
            alone = sorted(found[argument].keys() - found[other].keys())
            if alone:
                more = f" (and {len(alone) - 1:,} more)" if len(alone) > 1 else ""
                reason = f"`{found[argument][alone[0]].name}` of `{argument}` has no partner in `{other}`{more}"
                raise DataError(reason, help="a picture and its labels have the same name", argument=argument)
        names = sorted(found["images"])
        return [found["images"][name] for name in names], [found["masks"][name] for name in names]

    def _by_name(self, folder: Path, argument: str) -> dict[str, Path]:
        if not folder.is_dir():
            raise DataError(f"`{getattr(self, argument)}` is a file, not a folder", argument=argument)
        root = folder.resolve()
        found: dict[str, Path] = {}
        for path in files_below(root):
            suffixes = SUFFIXES if argument == "images" else (".png",)
            if path.suffix.lower() not in suffixes:
                reason = f"`{path.relative_to(root)}` in `{folder.name}` ends with none of {', '.join(suffixes)}"
                help = "JPEG changes the labels: write PNG" if path.suffix.lower() in SUFFIXES else "move it out of the folder"
                raise DataError(reason, help=help, argument=argument)
            name = path.relative_to(root).with_suffix("").as_posix()
            if name in found:
                raise DataError(f"`{found[name].name}` and `{path.name}` have one name in `{folder.name}`", argument=argument)
            found[name] = path
        if not found:
            raise DataError(f"the folder `{folder.name}` holds no picture", argument=argument)
        return found


masks = Masks


class _MasksTable(Table):
    def __init__(self, images: list[Path], masks: list[Path], look: ImageFormat) -> None:
        labels = ImageFormat(look.height, look.width, None, "nearest", look.max_pixels)
        self._of = {"image": (images, look), "mask": (masks, labels)}
        self.columns = {"image": Column(look.shape, "uint8"), "mask": Column(labels.shape, "int32")}
        self.lazy = ("image", "mask")
        self.pictures = ("image",)

    def __len__(self) -> int:
        return len(self._of["image"][0])

    def read(self, column: str, rows: Rows) -> Values:
        paths, look = self._of[column]
        return read_pictures(paths[rows] if isinstance(rows, slice) else [paths[int(row)] for row in rows], look)

    def where(self, column: str, row: int) -> str:
        path = self._of[column][0][row]
        return f"{path.parent.name}/{path.name}"
