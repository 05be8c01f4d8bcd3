"""Text: the lines of a file, or a folder for each class."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from nnspec.data.data_files import DataFile, size_of
from nnspec.data.folders import doubts_of_classes, examples_in
from nnspec.data.kinds import Column, DataError
from nnspec.data.readers.base import Files, Reader, Table
from nnspec.data.text_files import open_text, undecodable
from nnspec.layers.scalars import PositiveInt

if TYPE_CHECKING:
    from nnspec.data.readers.base import Rows, Values

_SUFFIXES = (".txt",)


class Text(Reader):
    """UTF-8 text: the lines of a file, or `.txt` files in a folder for each class.

    The columns are `text` and, for class folders, `label`, the name of the text's folder. Blank lines are skipped.
    """

    main_argument: ClassVar[str | None] = "path"
    paths: ClassVar[tuple[str, ...]] = ("path",)
    folders: ClassVar[tuple[str, ...]] = ("path",)
    not_of_values: ClassVar[tuple[str, ...]] = ("max_bytes",)

    path: str = Field(description="The file or the folder.", examples=["reviews"])
    max_bytes: PositiveInt = Field(2 * 2**30, description="The maximum size of all texts together, in bytes.")

    def columns(self, files: Files) -> dict[str, Column]:
        text = {"text": Column((), "text")}
        path = files["path"]
        if not isinstance(path, Path) or not path.is_dir():
            return text
        found = examples_in(path, _SUFFIXES, argument="path")
        return text | ({"label": Column((), "text")} if found.classes else {})

    def doubts(self, files: Files, used: Collection[str]) -> Iterable[DataError]:
        path = files["path"]
        if "label" in used and isinstance(path, Path) and path.is_dir():
            found = doubts_of_classes(path, self.path, "text")
            return [DataError(found.message, help=found.help, argument="path")] if found is not None else []
        return ()

    def open(self, files: Files) -> Table:
        path = files["path"]
        if isinstance(path, Path) and path.is_dir():
            found = examples_in(path, _SUFFIXES, argument="path")
            self._require_small(found.paths)
            texts = [_read(file, self.max_bytes) for file in found.paths]
            places = [str(file.relative_to(path.resolve())) for file in found.paths]
            return _TextTable(texts, places, [found.classes[i] for i in found.labels])
        self._require_small([path])
        lines = [(number, line) for number, line in enumerate(_read(path, self.max_bytes).split("\n"), 1) if line.strip()]
        return _TextTable([line for _, line in lines], [f"{path.name}, line {number}" for number, _ in lines], [])

    def _require_small(self, paths: Sequence[DataFile]) -> None:
        size = sum(map(size_of, paths))
        if size > self.max_bytes:
            reason = f"the texts have {size:,} bytes; `max_bytes` is {self.max_bytes:,}"
            raise DataError(reason, argument="path")


text = Text


def _read(path: DataFile, max_bytes: int) -> str:
    try:
        with open_text(path, "text", max_bytes, argument="path") as file:
            return file.read().replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        raise undecodable(path, error, max_bytes, "save it as UTF-8", argument="path") from None


class _TextTable(Table):
    def __init__(self, texts: list[str], places: list[str], labels: list[str]) -> None:
        import numpy as np

        self._places = places
        self._values: dict[str, Values] = {"text": np.array(texts, object)}
        if labels:
            self._values["label"] = np.array(labels, object)
        self.columns = dict.fromkeys(self._values, Column((), "text"))

    def __len__(self) -> int:
        return len(self._places)

    def read(self, column: str, rows: Rows) -> Values:
        return self._values[column][rows]

    def where(self, column: str, row: int) -> str:
        return f"{self._places[row]}, column `{column}`"
