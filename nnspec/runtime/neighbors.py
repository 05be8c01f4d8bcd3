"""The nearest rows of a knowledge base, which an exported model returns by their numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.diagnostics import NnspecError
from nnspec.neighbors import INDICES, SIMILARITY

__all__ = ["INDICES", "SIMILARITY", "KnowledgeBase", "Neighbors"]


@dataclass(frozen=True)
class KnowledgeBase:
    """What is known of the rows in which neighbors are found.

    Attributes:
        rows: Their number.
        output: The output of the model with the vector of an example.
        columns: The columns that are shown: a text or a number for each row.
    """

    rows: int
    output: str
    columns: Mapping[str, list[Any]]

    def as_json(self) -> dict[str, Any]:
        """The metadata of a file."""
        return {"rows": self.rows, "output": self.output, "columns": {**self.columns}}

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> KnowledgeBase | None:
        """Read the metadata of a file; None if they are empty.

        Raises:
            ValueError: If they are damaged.
        """
        if not given:
            return None
        rows, output, columns = (given.get(key) for key in ("rows", "output", "columns"))
        if not isinstance(rows, int) or not isinstance(output, str) or not isinstance(columns, dict):
            raise ValueError("`rows`, `output` and `columns` are missing")
        if not all(isinstance(values, list) and len(values) == rows for values in columns.values()):
            raise ValueError("the columns have different lengths")
        return cls(rows, output, columns)

    def found(self, outputs: Mapping[str, NDArray[Any]]) -> Neighbors:
        """The neighbors in the outputs of a model.

        Raises:
            NnspecError: If they are not rows of the knowledge base.
        """
        rows, similarity = outputs.get(INDICES), outputs.get(SIMILARITY)
        if rows is None or similarity is None or rows.shape != similarity.shape or rows.ndim != 2:
            raise NnspecError(f"the model has a knowledge base, but not the outputs `{INDICES}` and `{SIMILARITY}`")
        if rows.size and not 0 <= rows.min() <= rows.max() < self.rows:
            raise NnspecError("the model returns rows that its knowledge base does not have; export it again")
        return Neighbors(rows, similarity, self)


@dataclass(frozen=True)
class Neighbors:
    """The nearest rows of a knowledge base, nearest first.

    Attributes:
        rows: Their numbers, (examples, count).
        similarity: Their similarities.
        knowledge: The knowledge base.
    """

    rows: NDArray[np.int64]
    similarity: NDArray[np.float32]
    knowledge: KnowledgeBase

    def first(self, count: int) -> Neighbors:
        """The nearest of them.

        Raises:
            NnspecError: If there are fewer.
        """
        if count > self.rows.shape[1]:
            raise NnspecError(
                f"{count} neighbors are requested, and the model returns {self.rows.shape[1]} of {self.knowledge.rows} rows\n"
                f"  = help: write `neighbors: {{count: {count}}}` in the spec, and export the run again"
            )
        return Neighbors(self.rows[:, :count], self.similarity[:, :count], self.knowledge)

    def of(self, example: int) -> Iterator[dict[str, Any]]:
        """The neighbors of an example as plain values: row, similarity and columns.

        Example:
            >>> base = KnowledgeBase(2, "vector", {"answer": ["yes", "no"]})
            >>> list(Neighbors(np.array([[1]]), np.array([[0.5]]), base).of(0))
            [{'row': 1, 'similarity': 0.5, 'answer': 'no'}]
        """
        for row, similarity in zip(self.rows[example].tolist(), self.similarity[example].tolist(), strict=True):
            shown = {name: values[row] for name, values in self.knowledge.columns.items()}
            yield {"row": row, "similarity": similarity, **shown}
