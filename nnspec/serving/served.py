"""A served model: its ONNX Runtime session, its queue, and its metadata."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nnspec.diagnostics import NnspecError
from nnspec.runtime.metadata import GENERATE, SPEC_NAME
from nnspec.runtime.ports import Port
from nnspec.runtime.predictor import Predictor
from nnspec.runtime.reading import read_examples, read_model
from nnspec.runtime.seal import require_proven
from nnspec.runtime.tiled import Tiling, is_tileable
from nnspec.serving.batching import Arrays, Batcher
from nnspec.serving.request_decoder import request_decoder_of
from nnspec.serving.settings import Settings
from nnspec.serving.tensors import DATATYPES, protocol_shape
from nnspec.types.solving import sample

PLATFORM = "onnxruntime_onnx"
_WORDS = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Served:
    """One version of a model.

    Args:
        name: The name of the model.
        version: The version of the model.
        path: The model file. It is read as bytes, and no other file is opened.
        settings: The settings of the server.
        on_batch: Passed to the batcher.

    Attributes:
        predictor: The predictor.
        batcher: The queue.
        max_rows: The maximum number of rows of a request to a decoder, since each row has its own state; None for no limit.
        rows_at_once: The maximum number of rows queued together; None if rows cannot be split.
        request_decoder: Decodes ``/predict`` requests; None if the file does not describe its inputs.
        examples: Rows of the data that the file contains as examples; values by column.

    Raises:
        NnspecError: If the file is not a model, has no valid parity record, or cannot be run.
    """

    def __init__(
        self,
        name: str,
        version: str,
        path: Path,
        settings: Settings,
        on_batch: Callable[[int, float], None] = lambda rows, seconds: None,
    ) -> None:
        self.name = name
        self.version = version
        self.path = path
        content = read_model(path)
        self.predictor = Predictor(
            path, batch_size=settings.batch_rows, threads=settings.threads, spinning=False, content=content
        )
        if settings.require_proof:
            require_proven(content, self.predictor.metadata, f"`{path}`")
        self._tile = settings.tile if settings.tile is not None and is_tileable(self.predictor) else None
        if self._tile is not None:
            Tiling(self.predictor, self._tile)  # validate the tile size
        batchable = is_batchable(self.predictor.inputs, self.predictor.outputs)
        self.max_rows = settings.batch_rows if GENERATE in self.predictor.metadata else None
        self.rows_at_once = settings.batch_rows if batchable else None
        self.batcher = Batcher(
            self._compute,
            max_rows=settings.batch_rows if batchable else 1,
            max_waiting=settings.queue,
            on_batch=on_batch,
        )
        self.request_decoder = request_decoder_of(self.predictor)
        self.examples = read_examples(self.predictor.metadata, f"`{path}`")
        self._warm_up()

    @property
    def description(self) -> dict[str, Any]:
        """The metadata of the protocol, without the list of versions."""
        return {
            "name": self.name,
            "platform": PLATFORM,
            "inputs": [_port(port) for port in self.predictor.inputs.values()],
            "outputs": [_port(port) for port in self.predictor.outputs.values()],
        }

    def _compute(self, arrays: Arrays) -> Arrays:
        if self._tile is not None and max(next(iter(arrays.values())).shape[1:-1]) > self._tile:
            return Tiling(self.predictor, self._tile).predict(arrays)
        # A request with many rows is computed in parts.
        return self.predictor.in_parts(arrays) if self.rows_at_once else self.predictor.run(arrays)

    def _warm_up(self) -> None:
        """Run the model once on zeros of the smallest valid sizes, so that errors appear when it is loaded."""
        conditions = self.predictor.conditions
        symbols = sorted({*conditions, *(name for relation in conditions.relations for name in relation.symbols)})
        least = sample(symbols, conditions, conditions.relations, dict.fromkeys(symbols, 8)) or {}
        arrays = {name: np.zeros(_smallest(port, least), port.dtype) for name, port in self.predictor.inputs.items()}
        try:
            self.predictor.run(arrays)
        except NnspecError as error:
            # Without declared conditions on free sizes, the chosen sizes may be invalid.
            if all(isinstance(size, int) for port in self.predictor.inputs.values() for size in port.shape[1:]):
                raise error


def default_name(path: Path, content: bytes | None = None) -> str:
    """The default name of a model: the name of its spec, or else of its file.

    Raises:
        NnspecError: If the file is not a model.
    """
    return Predictor(path, threads=1, content=content).metadata.get(SPEC_NAME) or path.stem


def is_batchable(inputs: Mapping[str, Port], outputs: Mapping[str, Port]) -> bool:
    """Whether requests can be batched: all ports have the batch axis first, and output sizes follow from input sizes.

    An exported decoder returns as many steps as its longest row has, so its requests are not batched.

    Example:
        >>> is_batchable({"x": Port("x", ("batch", "T"), "int64")}, {"y": Port("y", ("batch", "T//2", 8), "float32")})
        True
        >>> is_batchable({"x": Port("x", ("batch", 4), "int64")}, {"y": Port("y", ("batch", "steps"), "int64")})
        False
    """
    symbols = {size for port in inputs.values() for size in port.shape if isinstance(size, str)}
    firsts = {port.shape[0] if port.shape else None for port in (*inputs.values(), *outputs.values())}
    if len(firsts) != 1 or not isinstance(next(iter(firsts)), str):
        return False
    return all(
        isinstance(size, int) or (size is not None and symbols.issuperset(_WORDS.findall(size)))
        for port in outputs.values()
        for size in port.shape
    )


def _port(port: Port) -> dict[str, Any]:
    return {"name": port.name, "datatype": DATATYPES[port.dtype], "shape": protocol_shape(port)}


def _smallest(port: Port, least: Mapping[str, int]) -> tuple[int, ...]:
    first = (1,) if port.shape else ()
    return first + tuple(size if isinstance(size, int) else least.get(str(size), 8) for size in port.shape[1:])
