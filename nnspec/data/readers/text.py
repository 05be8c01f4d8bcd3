"""Texts: a folder a class, or the lines of a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from nnspec.data.folders import examples_in
from nnspec.data.kinds import Column, DataError
from nnspec.data.readers.base import Files, Reader, Table
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

    def open(self, files: Files) -> Table:
        path = files["path"]
        if path.is_dir():
            found = examples_in(path, _SUFFIXES, argument="path")
            self._require_small(found.paths)
            texts = [_read(file) for file in found.paths]
            places = [str(file.relative_to(path.resolve())) for file in found.paths]
            return _TextTable(texts, places, [found.classes[i] for i in found.labels])
        self._require_small([path])
        lines = [(number, line) for number, line in enumerate(_read(path).splitlines(), 1) if line.strip()]
        return _TextTable([line for _, line in lines], [f"{path.name}, line {number}" for number, _ in lines], [])

    def _require_small(self, paths: list[Path]) -> None:
        size = sum(path.stat().st_size for path in paths)
        if size > self.max_bytes:
            reason = f"the texts hold {size:,} bytes; `max_bytes` is {self.max_bytes:,}"
            raise DataError(reason, argument="path")


text = Text


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        reason = f"{path.parent.name}/{path.name} is not UTF-8 text: byte {error.object[error.start]:#04x} at {error.start:,}"
        raise DataError(reason, help="save it as UTF-8", argument="path") from None
    except OSError as error:
        raise DataError(f"{path.name} cannot be read: {error.strerror}", argument="path") from None


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
