"""Texts: a folder a class, or the lines of a file."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from nnspec.data.folders import doubts_of_classes, examples_in
from nnspec.data.kinds import Column, DataError
from nnspec.data.readers.base import Files, Reader, Table
from nnspec.data.text_files import open_text, undecodable
from nnspec.layers.scalars import PositiveInt

if TYPE_CHECKING:
    from nnspec.data.readers.base import Rows, Values

__all__ = ["Text", "text"]

_SUFFIXES = (".txt",)


class Text(Reader):
    """Texts, UTF-8: the lines of a file, or a folder with a folder of `.txt` files for each class.

    The columns are `text` and, of folders, `label`, the name of the folder that a text lies in. Blank lines are no texts.
    """

    main_argument: ClassVar[str | None] = "path"
    paths: ClassVar[tuple[str, ...]] = ("path",)
    folders: ClassVar[tuple[str, ...]] = ("path",)
    not_of_values: ClassVar[tuple[str, ...]] = ("max_bytes",)

    path: str = Field(description="The file or the folder.")
    max_bytes: PositiveInt = Field(2 * 2**30, description="The most that all texts may hold: they are read whole.")

    def columns(self, files: Files) -> dict[str, Column]:
        text = {"text": Column((), "text")}
        if not files["path"].is_dir():
            return text
        found = examples_in(files["path"], _SUFFIXES, argument="path")
        return text | ({"label": Column((), "text")} if found.classes else {})

    def doubts(self, files: Files, used: Collection[str]) -> Iterable[DataError]:
        if "label" in used and files["path"].is_dir():
            found = doubts_of_classes(files["path"], self.path, "text")
            return [DataError(found.message, help=found.help, argument="path")] if found is not None else []
        return ()

    def open(self, files: Files) -> Table:
        path = files["path"]
        if path.is_dir():
            found = examples_in(path, _SUFFIXES, argument="path")
            self._require_small(found.paths)
            texts = [_read(file, self.max_bytes) for file in found.paths]
            places = [str(file.relative_to(path.resolve())) for file in found.paths]
            return _TextTable(texts, places, [found.classes[i] for i in found.labels])
        self._require_small([path])
        lines = [(number, line) for number, line in enumerate(_read(path, self.max_bytes).split("\n"), 1) if line.strip()]
        return _TextTable([line for _, line in lines], [f"{path.name}, line {number}" for number, _ in lines], [])

    def _require_small(self, paths: list[Path]) -> None:
        size = sum(path.stat().st_size for path in paths)
        if size > self.max_bytes:
            reason = f"the texts hold {size:,} bytes; `max_bytes` is {self.max_bytes:,}"
            raise DataError(reason, argument="path")


text = Text


def _read(path: Path, max_bytes: int) -> str:
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
