"""Decoding of ``/predict`` requests: an image, a text, or rows, converted to the inputs of a model."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

from nnspec.data.image_rows import image_columns
from nnspec.data.kinds import Column, DataError
from nnspec.data.per_series import RowSeries, series_of_rows
from nnspec.data.plan import Feed
from nnspec.data.reader_arguments import COLOR_MODES
from nnspec.data.readers.base import Table
from nnspec.data.recipe import feed_of, read_inputs, series_columns
from nnspec.data.transforms.boxes import boxes
from nnspec.data.transforms.text import tokenize
from nnspec.diagnostics import NnspecError, SpecError
from nnspec.runtime.detections import frames_of
from nnspec.runtime.ports import Port
from nnspec.runtime.predicting import GivenRows, input_types, predictions_of
from nnspec.runtime.predictor import Predictor
from nnspec.serving.batching import Arrays
from nnspec.serving.bodies import Content
from nnspec.serving.budget import BYTES_A_VALUE, Budget
from nnspec.serving.decoders import Decoder, decoder_of
from nnspec.serving.errors import RequestError
from nnspec.serving.tables import ImageInputs, csv_table, decode_image, json_table, text_table

_IMAGE_TYPES = ("image/png", "image/jpeg", "image/jpg", "application/octet-stream")
_BYTES_AN_ELEMENT = 16
"""The memory per element while an input is computed: eight bytes, twice."""
_DATA = "the request"
_SEQUENCES = 32
"""The batch size of decoding, as in `nnspec generate`."""


@dataclass(frozen=True)
class Limits:
    """The limits of the detections of an answer.

    Attributes:
        score: The least score; None for no limit.
        top: The most objects of an image; None for no limit.
    """

    score: float | None = None
    top: int | None = None

    @classmethod
    def of(cls, query: Mapping[str, str], predictor: Predictor) -> Limits:
        """The limits in the query of a request.

        Args:
            query: The parameters.
            predictor: The model.

        Raises:
            RequestError: With 400, if one is not a number, is unknown, or is for a detector and the model is none.
        """
        known = ("score", "top")
        if predictor.detector is None:
            if given := [name for name in known if name in query]:
                raise RequestError(400, f"the query parameter `{given[0]}` is for detectors, and this model is none")
            return NO_LIMITS
        for name in query:
            if name not in known:
                raise RequestError(400, f"unknown query parameter {name[:60]!r}; a detector takes `score` and `top`")
        try:
            score = float(query["score"]) if "score" in query else None
            top = int(query["top"]) if "top" in query else None
        except ValueError:
            raise RequestError(400, "`score` must be a number, and `top` a whole number, as in ?score=0.5&top=10") from None
        if (top is not None and top < 1) or (score is not None and not math.isfinite(score)):
            raise RequestError(400, "`score` must be finite, and `top` at least 1, as in ?score=0.5&top=10")
        return cls(score, top)


NO_LIMITS = Limits()


@dataclass(frozen=True)
class RequestDecoder:
    """Decodes the ``/predict`` requests of one model.

    Attributes:
        predictor: The model.
        kind: What a request contains: ``image``, ``text`` or ``row``.
        columns: The columns of a row, in order, with the kind of their values.
        decoder: The decoder of sequences, if the model is one.
    """

    predictor: Predictor
    kind: Literal["image", "text", "row"]
    columns: Mapping[str, Mapping[str, Any]]
    decoder: Decoder | None = None

    @property
    def rows_at_once(self) -> int | None:
        """The maximum rows in one batch; None for no limit."""
        return _SEQUENCES if self.decoder is not None else None

    def rows(self, given: GivenRows, outputs: Arrays, limits: Limits = NO_LIMITS) -> Iterator[dict[str, Any]]:
        """The rows of the response, as `nnspec predict` and `nnspec generate` print them.

        Args:
            given: The inputs.
            outputs: The outputs.
            limits: The limits of detections.
        """
        if self.decoder is not None:
            yield from self.decoder.rows(outputs)
            return
        found = predictions_of(self.predictor, given.arrays, outputs, series=given.series, frames=given.frames)
        if found.detections is not None:
            found = replace(found, detections=found.detections.limited(limits.score, limits.top))
        for row in found.rows():
            del row["row"]
            yield row

    @property
    def description(self) -> dict[str, Any]:
        """The description of requests, as plain values."""
        description: dict[str, Any] = {
            "takes": self.kind,
            "columns": [{"name": name, **column} for name, column in self.columns.items()],
        }
        if self.kind == "image":
            description |= {
                "height": _size(self._port.shape[1]),
                "width": _size(self._port.shape[2]),
                "channels": self._channels,
            }
        if (knowledge := self.predictor.knowledge) is not None:
            description["neighbors"] = {"rows": knowledge.rows, "columns": list(knowledge.columns)}
        return description

    @property
    def white(self) -> float:
        """The value of a white pixel of an image."""
        return float(self.predictor.recipe["inputs"][self._port.name]["white"])

    def read(self, body: Content, kind: str, budget: Budget) -> GivenRows:
        """Decode a body into the model's inputs, and the series of each row if the units differ between series.

        Args:
            body: An image file, rows as CSV or JSON, or a text.
            kind: The body's content type.
            budget: The budget of the request.

        Raises:
            RequestError: With 400, 413 or 415, if the body does not match the model, or is too large. The help texts of
                readers and transforms address the author of the spec, and are its advice.
        """
        budget.require_time()
        try:
            table = self._table(body, kind.partition(";")[0].strip().lower(), budget)
            budget.require_rows(len(table))
            self._take_room(table, budget)
            if self.decoder is not None:
                return GivenRows(self.decoder.inputs(table, _DATA))
            series = series_of_rows(table, self._series)
            if series is not None:
                self._require_known(series)
            arrays = read_inputs(table, _DATA, self.predictor.recipe, input_types(self.predictor))
            detector = self.predictor.detector
            frames = None if detector is None else frames_of(table, self.predictor.recipe, detector.image)
            return GivenRows(arrays, series, frames)
        except SpecError as error:
            message = "; ".join(one.message for one in error.diagnostics)
            raise RequestError(400, message, advice="; ".join(one.help for one in error.diagnostics if one.help)) from None
        except DataError as error:
            raise RequestError(400, error.message, advice=error.help) from None
        except NnspecError as error:
            message, _, help = str(error).partition("\n  = help: ")
            raise RequestError(400, message, advice=help) from None

    def _require_known(self, series: RowSeries) -> None:
        """Refuse rows of unknown series before anything is computed."""
        for units in self.predictor.units.values():
            try:
                series.indices(units.labels)
            except DataError as error:
                raise RequestError(400, f"{error.message}; {error.help}") from None

    @property
    def _port(self) -> Port:
        return next(iter(self.predictor.inputs.values()))

    @property
    def _channels(self) -> int:
        return int(self._port.shape[3]) if len(self._port.shape) == 4 else 1  # type: ignore[arg-type]

    @cached_property
    def _feeds(self) -> list[Feed]:
        if self.decoder is not None:
            return list(self.decoder.feeds.values())
        return [feed_of(name, self.predictor.recipe, _DATA)[0] for name in self.predictor.inputs]

    @property
    def _series(self) -> tuple[str, ...]:
        return () if self.decoder is not None else series_columns(self.predictor.recipe)

    def _table(self, body: Content, kind: str, budget: Budget) -> Table:
        if not body:
            raise RequestError(400, f"the body is empty; expected {self._expected}")
        first = next(iter(self.columns))
        is_text = any(column["kind"] == "text" for column in self.columns.values())
        if is_text and kind in ("application/json", "text/csv", "text/plain"):
            # Each character may become a token.
            budget.require_values(len(body), text=True)
            budget.memory.reserve(BYTES_A_VALUE * len(body))
        if kind == "application/json":
            text_column = first if self.kind == "text" else None
            return json_table(body, self._feeds, self._series, text_column, budget, self._images)
        if kind == "text/csv":
            return csv_table(body, self._feeds, self._series, list(self.columns), self.predictor.recipe, budget)
        if self.kind == "image" and (is_image(body) or kind in _IMAGE_TYPES):
            column = Column(tuple(_size(size) for size in self._port.shape[1:]), self._port.dtype)
            return decode_image(body, first, column, self.predictor.recipe, budget)
        if self.kind == "text" and kind.startswith("text/") and not is_image(body):
            return text_table(body, first, budget)
        raise RequestError(
            415,
            f"unsupported content type {kind[:60]!r}; expected {self._expected}"
            if kind
            else f"missing content type; expected {self._expected}",
        )

    @cached_property
    def _images(self) -> ImageInputs | None:
        """The columns of images, which rows can have as files."""
        if self.decoder is not None:
            return None
        recipe = self.predictor.recipe
        ports = {column: self.predictor.inputs[name] for column, name in image_columns(recipe).items()}
        columns = {name: Column(tuple(_size(size) for size in port.shape[1:]), port.dtype) for name, port in ports.items()}
        return ImageInputs(columns, recipe) if columns else None

    def _take_room(self, table: Table, budget: Budget) -> None:
        """Reserve memory for the inputs and the intermediate results of their transforms."""
        longest = 1
        for feed in self._feeds:
            steps = self.predictor.recipe["inputs"][feed.name]["transforms"]
            longest = max(longest, *(int(step["learned"].get("length", 1)) for step in steps if step["transform"] == "pad"), 1)
            for column in feed.columns:
                if table.columns[column].is_text or table.columns[column].ragged:
                    longest = max(longest, *(len(value) for value in table.read(column, slice(None)) if value is not None), 1)
        sizes = [
            math.prod(size if isinstance(size, int) else longest for size in port.shape[1:])
            for port in self.predictor.inputs.values()
        ]
        budget.memory.reserve(_BYTES_AN_ELEMENT * len(table) * sum(sizes))

    @property
    def _expected(self) -> str:
        rows = "rows as JSON or as CSV (application/json, text/csv)"
        prefix = {"image": "a PNG or JPEG image, ", "text": "a text (text/plain), ", "row": ""}[self.kind]
        return prefix + rows


def request_decoder_of(predictor: Predictor) -> RequestDecoder | None:
    """The request decoder of a model; None if its file does not describe how its inputs are made."""
    decoder = decoder_of(predictor)
    if decoder is not None:
        return _of_decoder(decoder)
    inputs = predictor.recipe.get("inputs", {})
    series = series_columns(predictor.recipe)
    if not inputs or predictor.inputs.keys() - inputs.keys() or (predictor.units and not series):
        return None
    columns = {column: kind for name, port in predictor.inputs.items() for column, kind in _columns(name, port, predictor)}
    columns = {**{name: _series_column(number, predictor) for number, name in enumerate(series)}, **columns}
    if len(predictor.inputs) == len(columns) == 1:
        [(name, port)] = predictor.inputs.items()
        if columns[next(iter(columns))]["kind"] == "text":
            return RequestDecoder(predictor, "text", columns)
        if "white" in inputs[name] and (len(port.shape) == 3 or (len(port.shape) == 4 and port.shape[3] in COLOR_MODES)):
            return RequestDecoder(predictor, "image", columns)
    return RequestDecoder(predictor, "row", columns)


def _series_column(number: int, predictor: Predictor) -> dict[str, Any]:
    """Describe a column that identifies the series of a row."""
    labels = dict.fromkeys(label[number] for units in predictor.units.values() for label in units.labels)
    return {"kind": "choice", "may_miss": False, "choices": list(labels)} if labels else {"kind": "text", "may_miss": False}


def _of_decoder(decoder: Decoder) -> RequestDecoder:
    texts = {name: decoder.is_text(name) for name in decoder.feeds}
    text = {"kind": "text", "may_miss": False}
    columns = {
        column: text if texts[name] else kind
        for name, feed in decoder.feeds.items()
        for column, kind in (
            [(feed.columns[0], text)] if texts[name] else _columns(name, decoder.predictor.inputs[name], decoder.predictor)
        )
    }
    return RequestDecoder(
        decoder.predictor, "text" if len(columns) == 1 and all(texts.values()) else "row", columns, decoder=decoder
    )


def _columns(name: str, port: Port, predictor: Predictor) -> list[tuple[str, dict[str, Any]]]:
    described = predictor.recipe["inputs"][name]
    feed, learned = feed_of(name, predictor.recipe, "the model")
    first = feed.transforms[0] if feed.transforms else None
    choices = described.get("classes") or (learned[0].get("classes") if learned else None)
    description: dict[str, Any] = {"kind": "number", "may_miss": feed.may_miss or bool(first and first.fills)}
    if isinstance(first, tokenize):
        description["kind"] = "text"
    elif isinstance(first, boxes):
        description |= {"kind": "boxes", "of": first.of, "most": _size(port.shape[1])}
    elif "white" in described and len(port.shape) == 4 and len(predictor.inputs) > 1:
        height, width, channels = (_size(size) for size in port.shape[1:])
        description |= {"kind": "image", "height": height, "width": width, "channels": channels}
    elif choices:
        description |= {"kind": "choice", "choices": list(choices)}
    elif not feed.stacked and len(port.shape) > 2:
        description |= {"kind": "numbers", "shape": [_size(size) for size in port.shape[1:]]}
    elif not feed.stacked and len(port.shape) == 2 and port.shape[1] != 1:
        description |= {"kind": "numbers", "shape": [_size(port.shape[1])]}
    return [(column, description) for column in feed.columns]


def is_image(body: Content) -> bool:
    """Whether a body starts with the signature of PNG or JPEG."""
    return body.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"))


def _size(size: int | str | None) -> int | None:
    return size if isinstance(size, int) else None
