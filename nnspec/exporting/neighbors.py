"""The knowledge base of a run: its rows, their vectors by Keras, and the search for the nearest ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.data.kinds import DataError
from nnspec.data.lazy import SomeRows
from nnspec.data.reader_arguments import of_one_member
from nnspec.data.readers.base import Reader, Table
from nnspec.data.recipe import Recipe, open_data, read_inputs
from nnspec.data.section import DataSection
from nnspec.diagnostics import Diagnostic, NnspecError, SpecError
from nnspec.exporting.connections import mapping_of
from nnspec.graph.exported import ExportSection
from nnspec.neighbors.check import Search, check_neighbors
from nnspec.onnx_backend.search import VectorSearch
from nnspec.runtime.neighbors import KnowledgeBase, Neighbors
from nnspec.spec.checked import check_known
from nnspec.training import Run
from nnspec.training.evaluation.evaluate import trained_model
from nnspec.types import did_you_mean, listed

_AT_ONCE = 256


@dataclass(frozen=True)
class Index:
    """A knowledge base and the search in it.

    Attributes:
        search: The search, with the vectors of the rows.
        knowledge: What is shown of the rows.
    """

    search: VectorSearch
    knowledge: KnowledgeBase

    def nearest(self, vectors: NDArray[np.float32]) -> Neighbors:
        """Find the nearest rows of examples, given their vectors."""
        return Neighbors(*self.search.nearest(np.asarray(vectors, np.float32)), self.knowledge)


def index_of_run(run: Run, exported: ExportSection, *, among: str | None = None, count: int | None = None) -> Index:
    """Compute the vectors of a run's knowledge base.

    Args:
        run: The run.
        exported: Its section ``export``, with the network that computes the vectors of examples.
        among: Other data, as [`open_data`][nnspec.data.recipe.open_data] accepts them; by default those of the spec.
        count: The number of neighbors; by default that of the spec.

    Raises:
        NnspecError: If the networks return no vectors, or the data cannot be read.
    """
    problems: list[Diagnostic] = []
    found = check_neighbors(run.spec, run.model, problems, exported=exported)
    if found is None:
        raise SpecError(problems)
    section = found.section
    fields = section.inputs if section.network is not None or section.inputs else exported.inputs
    mapping = mapping_of(run, found.base, exported.model_copy(update={"network": found.base.name, "inputs": fields}))
    recipe = mapping.recipe(run.recipe())
    if among is None:
        table, name = _own_table(run, section.data)
    else:
        table, name = open_data(among, of_one_member(recipe), found.base.inputs)
    vectors = _vectors(run, found, table, name, recipe)
    wrong = np.flatnonzero(~np.isfinite(vectors).all(1))
    if not len(vectors) or len(wrong):
        reason = f"the vector of row {wrong[0]} is not finite" if len(vectors) else "it has no rows"
        raise NnspecError(f"the knowledge base {name} cannot be searched: {reason}")
    search = VectorSearch.of(found.output, vectors, count or section.count, section.similarity)
    return Index(search, KnowledgeBase(len(vectors), found.output, _columns(table, name, section.show)))


def _own_table(run: Run, reader: Any) -> tuple[Table, str]:
    """Open the knowledge base that the spec states: by default the training data."""
    name = "under `neighbors.data`"
    if reader is None:
        name, tree = "under `data.train`", run.spec.section("data")
        data = None if tree is None else check_known(DataSection, tree, [], name="data").value
        reader = None if data is None else data.train
    if not isinstance(reader, Reader):
        raise NnspecError("the spec states no data among which neighbors are found\n  = help: write `neighbors: {data: …}`")
    try:
        return reader.open({key: reader.find(key, run.spec.folder, run.spec.root) for key in reader.named_paths()}), name
    except DataError as error:
        raise NnspecError(f"{name}: {error.message}" + (f"\n  = help: {error.help}" if error.help else "")) from None


def _vectors(run: Run, found: Search, table: Table, name: str, recipe: Recipe) -> NDArray[np.float32]:
    model = trained_model(run, found.base)
    parts = [np.zeros((0, 1), np.float32)] if not len(table) else []
    for start in range(0, len(table), _AT_ONCE):
        rows = SomeRows(table, np.arange(start, min(start + _AT_ONCE, len(table))))
        answers = model.predict(read_inputs(rows, name, recipe, found.base.inputs), verbose=0)
        parts.append(np.asarray(answers[found.base_output], np.float32))
    return np.concatenate(parts)


def _columns(table: Table, name: str, show: list[str] | None) -> dict[str, list[Any]]:
    """The values of the columns that are shown, as plain values; None if missing."""
    single = [column for column, kind in table.columns.items() if not kind.shape and not kind.ragged and not kind.refused]
    for column in show or ():
        if column not in table.columns:
            help = did_you_mean(column, table.columns, f"the columns are {listed(table.columns)}")
            raise NnspecError(f"the knowledge base {name} has no column `{column}`, which `show` lists\n  = help: {help}")
        if column not in single:
            raise NnspecError(
                f"`show` lists the column `{column}`, whose values are not single texts or numbers\n"
                f"  = help: list some of {listed(single)}"
            )
    return {column: [_plain(value) for value in table.read(column, slice(None)).tolist()] for column in show or single}


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not np.isfinite(value) else value
