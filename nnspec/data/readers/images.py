"""Images in a folder for each class, or listed in a table."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field, model_validator

from nnspec.data.folders import doubts_of_classes, examples_in, inside, is_file
from nnspec.data.image_files import header_of, headers, load_pillow
from nnspec.data.kinds import Column, DataError
from nnspec.data.readers.base import Files, Table, path_of
from nnspec.data.readers.image_arguments import SUFFIXES, ImageReader, read_images
from nnspec.data.readers.parquet import ParquetTable
from nnspec.data.readers.table_backed import TABLES, TableBackedReader
from nnspec.types import did_you_mean, listed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from nnspec.data.readers.base import Rows, Values


class Images(ImageReader, TableBackedReader):
    """PNG and JPEG images, in a folder for each class, listed in a column of a table, or as bytes in a Parquet column.

    The columns are `image` (height × width × channels, 0 to 255) and `label`, the name of the image's folder; without class
    folders, `image` alone. With a table, the columns are `image` and the other columns of the table. Images are decoded in
    threads, and if they do not fit in memory, when they are used. Their Exif orientation is applied.
    """

    added: ClassVar[frozenset[str]] = ImageReader.added | TableBackedReader.added
    main_argument: ClassVar[str | None] = "folder"
    paths: ClassVar[tuple[str, ...]] = ("folder",)
    folders: ClassVar[tuple[str, ...]] = ("folder",)
    not_of_values: ClassVar[tuple[str, ...]] = ("column", "max_pixels")

    folder: str | None = Field(
        None,
        description="The folder; with a table, the folder that its paths are relative to, by default that of the table.",
        examples=["flowers"],
    )
    column: str | None = Field(None, description="The table's column of image paths, or of image files in Parquet.")

    @model_validator(mode="after")
    def _one_source(self) -> Images:
        given = [name for name in TABLES if getattr(self, name) is not None]
        if len(given) > 1:
            raise ValueError(f"only one of `{given[0]}` and `{given[1]}` can be given")
        if given and self.column is None:
            raise ValueError("a table needs `column`, the name of its column of paths")
        if not given and self.column is not None:
            raise ValueError("`column` names a column of a table: give `csv`, `jsonl`, `parquet` or `frame`")
        if not given and self.folder is None:
            raise ValueError("give `folder`, or a table: `csv`, `jsonl`, `parquet` or `frame`")
        return self

    def columns(self, files: Files) -> dict[str, Column]:
        if self.table_kind is not None:
            encoded = self._first_encoded(files)
            columns = self._of_table(self.table_columns(files), encoded=encoded is not None)
            return {"image": self._image_of_size() if encoded is None else self._encoded_column(encoded, files), **columns}
        found = examples_in(self._folder(files), SUFFIXES, argument="folder")
        label = {"label": Column((), "text")} if found.classes else {}
        return {"image": self.column_of(found.paths[0]), **label}

    def open(self, files: Files) -> Table:
        if self.table_kind is not None:
            return self._open_table(files)
        found = examples_in(self._folder(files), SUFFIXES, argument="folder")
        return _FolderTable(self, self._folder(files), found.paths, [found.classes[i] for i in found.labels])

    def arguments_to_fit(self, files: Files, column: Column, wanted: Sequence[object]) -> str:
        first = None
        if self.table_kind is None:
            first = examples_in(self._folder(files), SUFFIXES, argument="folder").paths[0]
        return self.arguments_for(first, column, wanted)

    def doubts(self, files: Files, used: Collection[str]) -> Iterable[DataError]:
        if self.table_kind is None and "label" in used and self.folder is not None:
            found = doubts_of_classes(path_of(files, "folder"), self.folder, "images")
            return [found] if found is not None else []
        return ()

    def column_of(self, first: Path) -> Column:
        """Return the column of images; an error of the first image is attributed to the folder."""
        try:
            return self.column_by(first)
        except DataError as error:
            raise DataError(error.message, help=error.help, argument="folder") from None

    def _first_encoded(self, files: Files) -> bytes | None:
        """Return the first image file in the table's column; None if it has paths."""
        if self.parquet is None or self.column is None:
            return None
        try:
            return self.parquet.first_encoded({"file": files["parquet"]}, self.column)
        except DataError as error:
            raise self._moved(error) from None

    def _encoded_column(self, first: bytes, files: Files) -> Column:
        from nnspec.data.readers.encoded_images import format_of

        name = f"{files['parquet'].name}, row 0, column `{self.column}`"
        try:
            load_pillow()
        except DataError:
            return self._image_of_size()
        try:
            return Column(format_of(self, header_of(first, name, self.max_pixels), name).shape, "uint8")
        except DataError as error:
            raise DataError(error.message, help=error.help, argument="column") from None

    def _image_of_size(self) -> Column:
        size: tuple[int | None, ...] = tuple(self.image_size or (None, None))
        return Column((*size, self.channels), "uint8")

    def _folder(self, files: Files) -> Path:
        if "folder" not in files:
            assert self.table_kind is not None
            if self.table_kind not in files:
                raise DataError("the folder of the images is unknown", help="give `folder`, which the paths are relative to")
            return path_of(files, self.table_kind).parent
        folder = path_of(files, "folder")
        if not folder.is_dir():
            help = f"for a table of paths, write `csv: {self.folder}` and `column`"
            suffix = folder.suffix.lower()
            if suffix in (*SUFFIXES, ".zip", ".gz", ".tar", ".tgz"):
                help = "give the folder of the images" if suffix in SUFFIXES else "extract it and give the folder"
            raise DataError(f"`{self.folder}` is a file, not a folder of images", help=help, argument="folder")
        return folder

    def _of_table(self, columns: Mapping[str, Column], *, encoded: bool = False) -> dict[str, Column]:
        """Return the columns of the table without the column of paths or image files."""
        assert self.column is not None
        if self.column not in columns:
            help = did_you_mean(self.column, columns, f"the columns are {listed(list(columns)[:12])}")
            raise DataError(f"the table has no column `{self.column}`", help=help, argument="column")
        if columns[self.column].refused and not encoded:
            reason = f"the column `{self.column}` {columns[self.column].refused}"
            raise DataError(reason, help="give a column of paths to images", argument="column")
        others = {name: column for name, column in columns.items() if name != self.column}
        if "image" in others:
            reason = "the table has a column `image`, the name of the column of images"
            raise DataError(reason, help="rename it", argument="column")
        return others

    def _open_table(self, files: Files) -> Table:
        table = self.open_table(files)
        encoded = self._first_encoded(files)
        others = self._of_table(table.columns, encoded=encoded is not None)
        assert self.column is not None
        if encoded is not None:
            from nnspec.data.readers.encoded_images import EncodedImages

            assert isinstance(table, ParquetTable)
            return EncodedImages(self, table, self.column, encoded, others)
        texts = table.read(self.column, slice(None))
        folder = self._folder(files).resolve()
        paths = []
        for row, text in enumerate(texts.tolist()):
            path = folder / text if isinstance(text, str) and "\0" not in text else None
            if path is None or not inside(path, folder) or not is_file(path):
                raise self._bad_path(table.where(self.column, row), text, path, folder)
            paths.append(path)
        return _FolderTable(self, folder, paths, None, table, others)

    def _bad_path(self, where: str, text: object, path: Path | None, folder: Path) -> DataError:
        """Describe a path that is no image in the folder. Finding its line may read the whole table."""
        if not isinstance(text, str):
            return DataError(f"{where}: the image path is missing", argument="column")
        if path is None or not inside(path, folder):
            reason = f"{where}: `{text[:200]}` is outside the folder `{folder.name}`"
            return DataError(reason, help="set `folder` to a folder that contains all images", argument="column")
        help = f"looked for `{str(path)[:300]}`"
        return DataError(f"{where}: image `{text[:200]}` not found", help=help, argument="column")


images = Images


class _FolderTable(Table):
    def __init__(
        self,
        reader: Images,
        folder: Path,
        paths: list[Path],
        labels: list[str] | None,
        table: Table | None = None,
        others: Mapping[str, Column] | None = None,
    ) -> None:
        import numpy as np

        self._root = folder.resolve()
        self._paths = self.image_paths = paths
        argument = "column" if table is not None else "folder"
        try:
            known = headers(paths, reader.max_pixels)
            self._look = reader.look(paths, known) if paths else None
        except DataError as error:
            raise DataError(error.message, help=error.help, argument=argument) from None
        self._sizes = np.array([(header.height, header.width) for header in known], np.int64).reshape(-1, 2)
        self.pads_images = reader.pad_to_aspect_ratio
        self._table = table
        self._labels = np.array(labels, object) if labels else None
        image = Column(self._look.shape, "uint8") if self._look else Column((None, None, None), "uint8")
        label = {"label": Column((), "text")} if labels else {}
        self.columns = {"image": image, **label, **(others or {})}
        self.lazy = ("image",)
        self.image_columns = ("image",)

    def __len__(self) -> int:
        return len(self._paths)

    def read(self, column: str, rows: Rows) -> Values:
        import numpy as np

        if column == "image":
            if self._look is None:
                return np.empty((0, 1, 1, 1), np.uint8)
            taken = self._paths[rows] if isinstance(rows, slice) else [self._paths[int(row)] for row in rows]
            return read_images(taken, self._look)
        if self._labels is not None:
            values: Values = self._labels[rows]
            return values
        assert self._table is not None
        return self._table.read(column, rows)

    def image_sizes(self, column: str) -> NDArray[np.int64] | None:
        return self._sizes if column == "image" else None

    def where_item(self, column: str, row: int, item: int) -> str:
        return super().where_item(column, row, item) if self._table is None else self._table.where_item(column, row, item)

    def encoded(self, column: str, row: int) -> bytes | None:
        if column != "image":
            return None
        try:
            return self._paths[row].read_bytes()
        except OSError as error:
            raise DataError(f"{self.where(column, row)} cannot be read: {error.strerror}") from None

    def is_number(self, text: str) -> bool:
        return self._table.is_number(text) if self._table is not None else super().is_number(text)

    def mend(self, column: str, texts: Collection[str]) -> str:
        return self._table.mend(column, texts) if self._table is not None else ""

    def where(self, column: str, row: int) -> str:
        if self._table is not None and column != "image":
            return self._table.where(column, row)
        name = self._paths[row].resolve().relative_to(self._root)
        return str(name) if column == "image" else f"{name}, column `{column}`"
