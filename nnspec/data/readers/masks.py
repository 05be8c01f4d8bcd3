"""Images with label masks, for segmentation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from nnspec.data.folders import files_below
from nnspec.data.image_files import ImageFormat, headers
from nnspec.data.kinds import Column, DataError
from nnspec.data.readers.base import Files, Table, path_of
from nnspec.data.readers.image_arguments import SUFFIXES, ImageReader, read_images
from nnspec.layers.scalars import WholeNumber

if TYPE_CHECKING:
    from nnspec.data.readers.base import Rows, Values

_MODES = ("1", "L", "P", "I;16", "I")


class Masks(ImageReader):
    """Images in one folder, and label masks of the same names in another.

    The columns are `image` (height × width × channels, 0 to 255) and `mask` (height × width), integers: the gray values or
    palette indices, unchanged. `image_size` resizes both; masks use the nearest pixel.
    """

    added: ClassVar[frozenset[str]] = ImageReader.added | {"fill_label"}

    paths: ClassVar[tuple[str, ...]] = ("images", "masks")
    folders: ClassVar[tuple[str, ...]] = ("images", "masks")
    not_of_values: ClassVar[tuple[str, ...]] = ("max_pixels",)

    images: str = Field(description="The folder of images.", examples=["cells/images"])
    masks: str = Field(description="The folder of masks: PNG, with the names of the images.", examples=["cells/masks"])
    fill_label: WholeNumber = Field(0, description="The label of the padding, with `pad_to_aspect_ratio`.")

    def columns(self, files: Files) -> dict[str, Column]:
        images, _ = self.pairs(files)
        image = self.column_by(images[0])
        return {"image": image, "mask": Column(image.shape[:2], "int32")}

    def open(self, files: Files) -> Table:
        images, masks = self.pairs(files)
        look = self.look(images)
        of_images = headers(images, self.max_pixels)
        for path, header, image in zip(masks, headers(masks, self.max_pixels), of_images, strict=True):
            if header.mode not in _MODES:
                reason = f"{path.parent.name}/{path.name} has pixels of mode `{header.mode}`, which are not labels"
                raise DataError(reason, help="save one number per pixel: grayscale, or a palette", argument="masks")
            if (header.height, header.width) != (image.height, image.width):
                found = [f"{h.height}×{h.width}" for h in (header, image)]
                reason = f"{path.parent.name}/{path.name} is {found[0]}, but its image is {found[1]}"
                raise DataError(reason, argument="masks")
        return _MasksTable(images, masks, look, self.fill_label)

    def arguments_to_fit(self, files: Files, column: Column, wanted: Sequence[object]) -> str:
        return self.arguments_for(self.pairs(files)[0][0], column, wanted)

    def pairs(self, files: Files) -> tuple[list[Path], list[Path]]:
        """Return the images and their masks, sorted by name.

        Raises:
            DataError: If an image has no mask or a mask has no image.
        """
        found = {argument: self._by_name(path_of(files, argument), argument) for argument in self.paths}
        for argument, other in (("images", "masks"), ("masks", "images")):
            unmatched = sorted(found[argument].keys() - found[other].keys())
            if unmatched:
                more = f" (and {len(unmatched) - 1:,} more)" if len(unmatched) > 1 else ""
                reason = f"`{found[argument][unmatched[0]].name}` of `{argument}` has no counterpart in `{other}`{more}"
                raise DataError(reason, help="give an image and its mask the same name", argument=argument)
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
                reason = f"`{path.relative_to(root)}` in `{folder.name}` must end with {' or '.join(suffixes)}"
                help = (
                    "JPEG changes labels; save them as PNG" if path.suffix.lower() in SUFFIXES else "move it out of the folder"
                )
                raise DataError(reason, help=help, argument=argument)
            name = path.relative_to(root).with_suffix("").as_posix()
            if name in found:
                raise DataError(
                    f"`{found[name].name}` and `{path.name}` have the same name in `{folder.name}`", argument=argument
                )
            found[name] = path
        if not found:
            raise DataError(f"the folder `{folder.name}` contains no images", argument=argument)
        return found


masks = Masks


class _MasksTable(Table):
    def __init__(self, images: list[Path], masks: list[Path], look: ImageFormat, fill_label: int) -> None:
        labels = replace(look, color_mode=None, interpolation="nearest", fill_value=fill_label)
        self._of = {"image": (images, look), "mask": (masks, labels)}
        self.columns = {"image": Column(look.shape, "uint8"), "mask": Column(labels.shape, "int32")}
        self.lazy = ("image", "mask")
        self.image_columns = ("image",)

    def __len__(self) -> int:
        return len(self._of["image"][0])

    def read(self, column: str, rows: Rows) -> Values:
        paths, look = self._of[column]
        return read_images(paths[rows] if isinstance(rows, slice) else [paths[int(row)] for row in rows], look)

    def encoded(self, column: str, row: int) -> bytes | None:
        if column != "image":
            return None
        try:
            return self._of[column][0][row].read_bytes()
        except OSError as error:
            raise DataError(f"{self.where(column, row)} cannot be read: {error.strerror}") from None

    def where(self, column: str, row: int) -> str:
        path = self._of[column][0][row]
        return f"{path.parent.name}/{path.name}"
