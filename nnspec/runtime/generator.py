"""Decodes sequences with an exported model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nnspec.data.transforms.pointers import positions_of
from nnspec.diagnostics import NnspecError
from nnspec.generation.section import Beam, Sample
from nnspec.generation.vocabulary import points
from nnspec.runtime.decoding.beam import beam_search
from nnspec.runtime.decoding.one_by_one import drawn, greedy
from nnspec.runtime.decoding.procedure import Procedure, read_procedure
from nnspec.runtime.decoding.stepper import Stepper
from nnspec.runtime.metadata import DATA, GENERATE
from nnspec.runtime.model_file import ModelFile
from nnspec.runtime.ports import type_of
from nnspec.runtime.reading import read_model
from nnspec.runtime.token_output import padded, prompt_tokens, source_tokens, text_of
from nnspec.types import TensorType, did_you_mean, unknown

ENCODER, DECODER = "encoder.onnx", "decoder.onnx"
"""The files of a folder for step-by-step decoding."""


@dataclass(frozen=True)
class Generated:
    """One sequence.

    Attributes:
        tokens: The tokens, without the end.
        ended: Whether the end token was reached, rather than the maximum length.
        text: The text of the tokens; None without a tokenizer.
        positions: The positions that the tokens point at, from 0; None if they are tokens of a vocabulary.
        score: The score of beam search: the log-probability over the length penalty.
    """

    tokens: tuple[int, ...]
    ended: bool
    text: str | None = None
    score: float | None = None
    positions: tuple[int, ...] | None = None


class Generator:
    """A decoder, ready to generate sequences: a folder with an encoder and a decoder step, or one file with the loop inside.

    Args:
        path: A folder written by ``nnspec export --form parts``, or an ``.onnx`` file with the loop.
        threads: The number of threads per operator; None for one per core.

    Attributes:
        procedure: The decoding procedure.
        recipe: How its inputs are made from raw data, with the vocabularies.
        source_types: The type of each source.

    Raises:
        NnspecError: If the path is not a decoder.

    Example:
        ``Generator("translate.onnx").texts(["guten Morgen"])[0].text``
    """

    def __init__(self, path: str | Path, *, threads: int | None = None) -> None:
        self._path = Path(path)
        self._loop: ModelFile | None = None
        self._stepper: Stepper | None = None
        contents = self._contents(self._path)
        files = {name: ModelFile(content, f"`{name}`", threads=threads) for name, content in contents.items()}
        last = files[list(files)[-1]]
        if GENERATE not in last.metadata:
            raise NnspecError(
                f"`{path}` does not decode sequences\n  = help: `nnspec export RUN -o MODEL.onnx` writes a decoder for a "
                "run whose spec has a section `generate`"
            )
        self.procedure: Procedure = read_procedure(last.metadata[GENERATE], f"`{path}`")
        self.recipe: Mapping[str, Any] = last.json(DATA)
        reads = files.get(ENCODER, last)
        self.source_types: Mapping[str, TensorType] = {
            shown: _source_type(reads, shown if reads is last else own) for own, shown in self.procedure.sources.items()
        }
        if len(files) == 1 and self._path.is_file():
            self._loop = last
        else:
            encoder, decoder = files.get(ENCODER), files[DECODER]
            self.procedure.require_outputs(encoder.outputs if encoder is not None else (), decoder.outputs, f"`{path}`")
            self._stepper = Stepper(self.procedure, encoder, decoder)

    @staticmethod
    def _contents(path: Path) -> dict[str, bytes]:
        """The models of a folder or a file, by name; the one whose metadata describe the decoding is last."""
        if not path.is_dir():
            return {path.name: read_model(path)}
        if not (path / DECODER).is_file():
            raise NnspecError(f"`{path}` has no {DECODER}\n  = help: `nnspec export RUN -o {path} --form parts` writes it")
        return {name: read_model(path / name) for name in (ENCODER, DECODER) if (path / name).is_file()}

    @property
    def sources(self) -> tuple[str, ...]:
        """The input names; empty for a language model, which takes only a prompt."""
        return tuple(self.procedure.sources.values())

    @property
    def is_loop(self) -> bool:
        """Whether the file contains the loop; it then decodes greedily, whatever the spec states."""
        return self._loop is not None

    def texts(self, texts: Sequence[str], **wanted: Any) -> list[Generated]:
        """Generate sequences for texts, or for tokens written as numbers.

        Args:
            texts: The source of each sequence, or its prompt for a language model.
            **wanted: As for [`generate`][].

        Raises:
            NnspecError: If the model has several sources, or a text does not match its input.
        """
        if not self.sources:
            return self.generate(prompt=prompt_tokens(self.recipe, self.procedure.target, texts), **wanted)
        if len(self.sources) > 1:
            raise NnspecError(f"the model has several sources, {', '.join(self.sources)}: pass them with --data")
        return self.generate({self.sources[0]: source_tokens(self.recipe, self.sources[0], texts)}, **wanted)

    def generate(
        self,
        inputs: Mapping[str, ArrayLike] | None = None,
        *,
        prompt: ArrayLike | None = None,
        way: Beam | Sample | Literal["spec"] | None = "spec",
        max_length: int | None = None,
        batch_size: int = 32,
    ) -> list[Generated]:
        """Generate a sequence for each row.

        Args:
            inputs: An array for each source, by name, the batch axis first.
            prompt: The first tokens of each sequence: rows, steps, −1 after the prompt of a row.
            way: Beam search, sampling, or None for greedy decoding; by default as in the spec.
            max_length: The maximum number of tokens, including the end; by default as in the spec.
            batch_size: The number of rows that are decoded at once.

        Raises:
            NnspecError: If an input is missing or unknown, or a file with the loop does not support the request.
        """
        arrays, start = self._checked(inputs or {}, prompt)
        chosen = (None if self.is_loop else self.procedure.way) if isinstance(way, str) else way
        if self.is_loop and chosen is not None:
            raise NnspecError(
                "the loop in this file decodes greedily\n  = help: for beam search or sampling, use `nnspec export --form "
                "parts`"
            )
        found: list[Generated] = []
        for first in range(0, len(start), batch_size):
            rows = slice(first, first + batch_size)
            part = {name: array[rows] for name, array in arrays.items()}
            found += self._decoded(part, start[rows], chosen, max_length or self.procedure.max_length, first)
        return found

    def _decoded(
        self, arrays: Mapping[str, NDArray[Any]], prompt: NDArray[np.int64], way: Beam | Sample | None, most: int, first: int
    ) -> Iterator[Generated]:
        scores: Sequence[float | None] = [None] * len(prompt)
        if self._loop is not None:
            answer = self._loop({**arrays, "prompt": prompt, "max_length": np.array(most, np.int64)})
            tokens, lengths = answer["generated"], answer["lengths"]
        else:
            assert self._stepper is not None
            named = {own: arrays[shown] for own, shown in self.procedure.sources.items()}
            state = self._stepper.begin(named, len(prompt))
            if isinstance(way, Beam):
                tokens, lengths, worth = beam_search(self._stepper, state, prompt, most, way)
                scores = worth.tolist()
            elif isinstance(way, Sample):
                tokens, lengths = drawn(self._stepper, state, prompt, most, way, first)
            else:
                tokens, lengths = greedy(self._stepper, state, prompt, most)
        yield from generated_of(self.recipe, self.procedure, tokens, lengths, scores)

    def _checked(
        self, inputs: Mapping[str, ArrayLike], prompt: ArrayLike | None
    ) -> tuple[dict[str, NDArray[Any]], NDArray[np.int64]]:
        for name in inputs:
            if name not in self.sources:
                takes = did_you_mean(name, self.sources, f"the model has {', '.join(self.sources) or 'only a prompt'}")
                raise NnspecError(f"the model has no input `{name}`; {takes}")
        for name in self.sources:
            if name not in inputs:
                raise NnspecError(f"the input `{name}` is missing")
        arrays = {name: _array(value) for name, value in inputs.items()}
        for name, array in arrays.items():
            if not array.size and array.ndim and len(array):
                raise NnspecError(f"the input `{name}` is empty: got the shape {array.shape}; give at least one token or step")
        counts = {len(array) for array in arrays.values()} or {1 if prompt is None else len(np.asarray(prompt))}
        if len(counts) > 1:
            raise NnspecError(f"the inputs have {' and '.join(map(str, sorted(counts)))} rows; the numbers must be equal")
        [rows] = counts
        start = np.full((rows, 1), -1, np.int64) if prompt is None else np.asarray(prompt, np.int64)
        if start.ndim != 2 or len(start) != rows:
            raise NnspecError(f"the prompt must have the shape ({rows}, steps); got {start.shape}")
        if self.is_loop and self.sources and (start >= 0).any():
            raise NnspecError("the loop in this file accepts no prompt in addition to its source")
        if self.procedure.start is None and (start.shape[1] == 0 or (start[:, 0] < 0).any()):
            raise NnspecError("the model has no `start`: pass a prompt of at least one token for each sequence")
        vocabulary = self.procedure.vocabulary
        if vocabulary is None and (start >= 0).any():
            raise NnspecError("the model points at positions of its source, and accepts no prompt")
        if vocabulary is not None and (start >= vocabulary).any():
            raise NnspecError(f"the prompt has a token above {vocabulary - 1}, the vocabulary's last")
        return arrays, start

    def __repr__(self) -> str:
        return f"Generator({str(self._path)!r})"


def generated_of(
    recipe: Mapping[str, Any],
    procedure: Procedure,
    tokens: NDArray[Any],
    lengths: NDArray[Any],
    scores: Sequence[float | None] | None = None,
) -> Iterator[Generated]:
    """Build the sequences of decoded tokens.

    Args:
        recipe: The recipe of the model's inputs, with the vocabularies.
        procedure: The decoding procedure.
        tokens: The tokens: rows, steps.
        lengths: The number of tokens of each row's sequence.
        scores: The scores of beam search.
    """
    for row, length, score in zip(tokens, lengths, scores or [None] * len(tokens), strict=True):
        own = tuple(int(token) for token in row[: int(length)])
        ended = bool(length < len(row)) and int(row[int(length)]) == procedure.end
        pointed = tuple(positions_of(own)) if points(recipe, procedure.target) else None
        yield Generated(own, ended, text_of(recipe, procedure.target, own), score, pointed)


def _source_type(file: ModelFile, name: str) -> TensorType:
    """The type of an input of a file. Rows of tokens may have any length and any integer type."""
    port = file.inputs.get(name)
    if port is None or (len(port.shape) == 2 and port.dtype.startswith("int")):
        return TensorType((unknown(),), "int64")
    return type_of(port)


def _array(value: ArrayLike) -> NDArray[Any]:
    """Convert to an array; token rows of different lengths are padded with 0."""
    if isinstance(value, Sequence) and value and isinstance(value[0], Sequence) and len({len(row) for row in value}) > 1:  # type: ignore[arg-type]
        return padded(value, 0)
    return np.asarray(value)
