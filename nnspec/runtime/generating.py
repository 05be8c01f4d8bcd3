"""``generate``: decodes sequences for texts or rows of data, as plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.data.lazy import SomeRows
from nnspec.data.readers.base import Table
from nnspec.data.recipe import open_data, read_inputs
from nnspec.diagnostics import NnspecError
from nnspec.runtime.generator import Generated, Generator
from nnspec.runtime.token_output import source_tokens


def generate_rows(
    generator: Generator, given: str | Sequence[str], *, limit: int | None = None, **wanted: Any
) -> list[dict[str, Any]]:
    """Generate sequences as plain values: row, text if available, tokens, and whether the end was reached.

    Args:
        generator: The decoder.
        given: Data, as [`open_data`][nnspec.data.recipe.open_data] accepts them, or a list of texts.
        limit: The maximum number of rows to decode.
        **wanted: As for [`Generator.generate`][nnspec.runtime.generator.Generator.generate].

    Raises:
        NnspecError: If the data do not match the model.
    """
    found = _of_data(generator, given, limit, wanted) if isinstance(given, str) else generator.texts(given, **wanted)
    return [{"row": row, **plain_values(one)} for row, one in enumerate(found)]


def plain_values(one: Generated) -> dict[str, Any]:
    """A sequence as plain values: text or positions if available, tokens, and whether the end was reached."""
    text: dict[str, Any] = {"text": one.text} if one.text is not None else {}
    text |= {"positions": list(one.positions)} if one.positions is not None else {}
    score = {"score": one.score} if one.score is not None else {}
    return {**text, "tokens": list(one.tokens), **score, "ended": one.ended}


def _of_data(generator: Generator, data: str, limit: int | None, wanted: Mapping[str, Any]) -> list[Generated]:
    table, name = open_data(data, generator.recipe)
    if not generator.sources:
        column = _column(generator)
        if column not in table.columns:
            raise NnspecError(f"the data have no column `{column}`, the prompt of the sequences")
        return generator.texts([str(text) for text in table.read(column, slice(limit))], **wanted)
    if limit is not None and limit < len(table):
        table = SomeRows(table, np.arange(limit))
    return generator.generate({source: _source(generator, source, table, name) for source in generator.sources}, **wanted)


def _source(generator: Generator, source: str, table: Table, name: str) -> NDArray[Any]:
    """Read the input of a source from data: the tokens of texts, or the result of its transforms."""
    feed = generator.recipe.get("inputs", {}).get(source)
    columns = feed["columns"] if feed else [source]
    if len(columns) == 1 and columns[0] in table.columns and table.columns[columns[0]].is_text:
        texts = [str(text) for text in table.read(columns[0], slice(None))]
        return source_tokens(generator.recipe, source, texts)
    arrays = read_inputs(table, name, generator.recipe, {source: generator.source_types[source]})
    return np.asarray(arrays[source])


def _column(generator: Generator) -> str:
    feed = generator.recipe.get("inputs", {}).get(generator.procedure.target)
    return str(feed["columns"][0]) if feed else str(generator.procedure.target)
