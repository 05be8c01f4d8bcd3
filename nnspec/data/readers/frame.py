"""Rows that are passed to the Python functions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field, PrivateAttr

from nnspec.data.kinds import Column
from nnspec.data.paths import MissingFileError
from nnspec.data.readers.base import Files, Reader, Table

if TYPE_CHECKING:
    from nnspec.data import frames

_HELP = "pass them to the function as `data`, as in `nnspec.train(spec, data=frame)`, or name a file: `csv: data.csv`"


class Frame(Reader):
    """The rows that are passed as `data` to a Python function: a DataFrame, or a dict of arrays.

    `nnspec.train(spec, data=frame)` writes it in place of the reader of `train`. The commands cannot read such data.
    """

    main_argument: ClassVar[str | None] = "name"
    not_of_values: ClassVar[tuple[str, ...]] = ("name",)

    name: str = Field(description="The name of the rows: that of their split.", examples=["train"])

    _rows: frames.Frame | None = PrivateAttr(None)

    @property
    def missing_frame(self) -> str | None:
        return self.name if self._rows is None else None

    def with_frames(self, given: Mapping[str, Any]) -> Frame:
        if self.name not in given:
            return self
        bound = self.model_copy()
        bound._rows = given[self.name]
        return bound

    def named_paths(self) -> dict[str, str]:
        return {"name": self.name} if self._rows is None else {}

    def find(self, argument: str, folder: Path, root: Path) -> Path:
        del argument, folder, root
        raise MissingFileError(f"the rows of the frame `{self.name}` are not known: they are passed in Python", help=_HELP)

    def columns(self, files: Files) -> dict[str, Column]:
        del files
        return dict(self._given.columns)

    def open(self, files: Files) -> Table:
        del files
        return self._given.table()

    @property
    def _given(self) -> frames.Frame:
        assert self._rows is not None, "source_of binds the rows"
        return self._rows


frame = Frame
