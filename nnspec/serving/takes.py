"""What a person gives a model: a picture, a text, or the columns of a row; told, and read from a request's body."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import orjson

from nnspec.data.kinds import Column, DataError
from nnspec.data.readers.base import Table
from nnspec.data.readers.csv import Csv
from nnspec.data.readers.images import Images
from nnspec.data.readers.jsonl import Jsonl
from nnspec.data.recipe import feed_of, read_inputs
from nnspec.data.transforms.words import tokenize
from nnspec.diagnostics import NnspecError, SpecError
from nnspec.runtime.ports import Port
from nnspec.runtime.predicting import input_types
from nnspec.runtime.predictor import Predictor
from nnspec.serving.batching import Arrays
from nnspec.serving.refusals import Refused

__all__ = ["Takes", "takes_of"]

_COLOURS: Mapping[int, Literal["grayscale", "rgb", "rgba"]] = {1: "grayscale", 3: "rgb", 4: "rgba"}
_MAX_PIXELS = 2**25
_DATA = "the request"


@dataclass(frozen=True)
class Takes:
    """What a person gives a model.

    Attributes:
        predictor: The model.
        kind: ``picture``, ``text`` or ``row``.
        columns: The columns of a row, in order, each with what stands in it.
        white: Of a picture, what white is.
    """

    predictor: Predictor
    kind: Literal["picture", "text", "row"]
    columns: Mapping[str, Mapping[str, Any]]
    white: int = 255

    @property
    def description(self) -> dict[str, Any]:
        """The same as plain values."""
        told: dict[str, Any] = {"takes": self.kind, "columns": [{"name": name, **said} for name, said in self.columns.items()]}
        if self.kind == "picture":
            told |= {"height": _size(self._port.shape[1]), "width": _size(self._port.shape[2]), "channels": self._channels}
        return told

    def read(self, body: bytes, kind: str) -> Arrays:
        """The model's inputs from a body.

        Args:
            body: A picture's bytes, rows as CSV or JSON, or a text.
            kind: The body's content type.

        Raises:
            Refused: With 400 or 415, where it is not what the model takes.
        """
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder) / "request"
            place.mkdir()
            try:
                table = self._table(body, kind.partition(";")[0].strip().lower(), place)
                return read_inputs(table, _DATA, self.predictor.recipe, input_types(self.predictor))
            except SpecError as error:
                # Their helps are for who writes the spec.
                raise Refused(400, "; ".join(one.message for one in error.diagnostics)) from None
            except DataError as error:
                raise Refused(400, error.message + (f" ({error.help})" if error.help else "")) from None
            except NnspecError as error:
                raise Refused(400, str(error).replace("\n  = help:", ";")) from None

    @property
    def _port(self) -> Port:
        return next(iter(self.predictor.inputs.values()))

    @property
    def _channels(self) -> int:
        return int(self._port.shape[3]) if len(self._port.shape) == 4 else 1  # type: ignore[arg-type]

    def _table(self, body: bytes, kind: str, place: Path) -> Table:
        if not body:
            raise Refused(400, f"the body is empty; this model takes {self._wanted}")
        if kind == "application/json":
            (place / "rows.jsonl").write_bytes(_lines(body, self))
            return Jsonl(file="rows.jsonl", max_bytes=2**31).open({"file": place / "rows.jsonl"})
        if kind == "text/csv":
            (place / "rows.csv").write_bytes(body)
            names = self._names(body)
            reader = Csv.model_validate({"file": "rows.csv", "names": names, "header": names is None})
            return reader.open({"file": place / "rows.csv"})
        picture = _suffix(body)
        if self.kind == "picture" and picture:
            (place / f"picture{picture}").write_bytes(body)
            return self._picture(place)
        if self.kind == "text" and kind.startswith("text/") and not picture:
            return _OneText(next(iter(self.columns)), _decoded(body))
        raise Refused(415, f"this model takes {self._wanted}; the content type {kind[:60] or 'is missing and'!r} is none of it")

    @property
    def _wanted(self) -> str:
        rows = "rows as JSON or as CSV (application/json, text/csv)"
        first = {"picture": "a PNG or JPEG picture, ", "text": "a text (text/plain), ", "row": ""}[self.kind]
        return first + rows

    def _names(self, body: bytes) -> list[str] | None:
        """The columns of a CSV whose first line does not name them: the model's, in order."""
        first = {cell.strip().strip('"') for cell in body.partition(b"\n")[0].decode(errors="replace").split(",")}
        return None if first & self.columns.keys() else list(self.columns)

    def _picture(self, place: Path) -> Table:
        height, width = (_size(size) for size in self._port.shape[1:3])
        size = [height, width] if height and width else None
        said = {"folder": "request", "image_size": size, "color_mode": _COLOURS[self._channels], "max_pixels": _MAX_PIXELS}
        reader = Images.model_validate(said)
        [pixels] = reader.open({"folder": place}).read("image", slice(None))
        values = pixels if self.white == 255 else (pixels / 255).astype(np.float32)
        shape = tuple(
            given if wanted is None else wanted
            for given, wanted in zip(pixels.shape, map(_size, self._port.shape[1:]), strict=False)
        )
        return _OneValue(next(iter(self.columns)), values.reshape(shape))


def takes_of(predictor: Predictor) -> Takes | None:
    """What a person gives a model; None where it decodes sequences, or its file does not say how its inputs are made."""
    inputs = predictor.recipe.get("inputs", {})
    # Whose units differ between series cannot be answered in them: a request does not say of which series its rows are.
    if not inputs or predictor.inputs.keys() - inputs.keys() or predictor.units:
        return None
    columns = {column: said for name, port in predictor.inputs.items() for column, said in _columns(name, port, predictor)}
    if len(predictor.inputs) == len(columns) == 1:
        [(name, port)] = predictor.inputs.items()
        if columns[next(iter(columns))]["kind"] == "text":
            return Takes(predictor, "text", columns)
        if "white" in inputs[name] and (len(port.shape) == 3 or (len(port.shape) == 4 and port.shape[3] in _COLOURS)):
            return Takes(predictor, "picture", columns, int(inputs[name]["white"]))
    return Takes(predictor, "row", columns)


def _columns(name: str, port: Port, predictor: Predictor) -> list[tuple[str, dict[str, Any]]]:
    said = predictor.recipe["inputs"][name]
    feed, learned = feed_of(name, predictor.recipe, "the model")
    first = feed.transforms[0] if feed.transforms else None
    choices = said.get("classes") or (learned[0].get("classes") if learned else None)
    told: dict[str, Any] = {"kind": "number", "may_miss": feed.may_miss or bool(first and first.fills)}
    if isinstance(first, tokenize):
        told["kind"] = "text"
    elif choices:
        told |= {"kind": "choice", "choices": list(choices)}
    elif not feed.stacked and len(port.shape) > 2:
        told |= {"kind": "numbers", "shape": [_size(size) for size in port.shape[1:]]}
    elif not feed.stacked and len(port.shape) == 2 and port.shape[1] != 1:
        told |= {"kind": "numbers", "shape": [_size(port.shape[1])]}
    return [(column, told) for column in feed.columns]


class _OneValue(Table):
    """One row with one array."""

    def __init__(self, column: str, value: Any) -> None:
        self.columns = {column: Column(value.shape, value.dtype.name)}
        self._values = value[np.newaxis]

    def __len__(self) -> int:
        return 1

    def read(self, column: str, rows: Any) -> Any:
        del column
        return self._values[rows]

    def where(self, column: str, row: int) -> str:
        del column, row
        return "the picture"


class _OneText(_OneValue):
    """One row with one text."""

    def __init__(self, column: str, text: str) -> None:
        super().__init__(column, np.zeros(()))
        self.columns = {column: Column((), "text")}
        self._values = np.array([text, None], object)[:1]

    def where(self, column: str, row: int) -> str:
        del column, row
        return "the text"


def _lines(body: bytes, takes: Takes) -> bytes:
    """A line for each row of JSON: an object, a list of objects, or a text alone."""
    try:
        said = orjson.loads(body)
    except ValueError as error:
        raise Refused(400, f"the request is no JSON: {str(error)[:200]}") from None
    if isinstance(said, str) and takes.kind == "text":
        said = {next(iter(takes.columns)): said}
    rows = said if isinstance(said, list) else [said]
    if not rows or not all(isinstance(row, dict) for row in rows):
        raise Refused(400, 'rows are JSON objects, {"column": value, …}, alone or in a list')
    return b"\n".join(orjson.dumps(row) for row in rows)


def _decoded(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise Refused(400, "the text is not UTF-8") from None


def _suffix(body: bytes) -> str | None:
    return ".png" if body.startswith(b"\x89PNG\r\n\x1a\n") else ".jpg" if body.startswith(b"\xff\xd8\xff") else None


def _size(size: int | str | None) -> int | None:
    return size if isinstance(size, int) else None
