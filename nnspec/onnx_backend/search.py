"""Nearest neighbors in an ONNX graph: the vectors of a knowledge base are a constant."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import onnx
from numpy.typing import NDArray

from nnspec.diagnostics import NnspecError
from nnspec.neighbors import INDICES, SIMILARITY
from nnspec.neighbors.section import Similarity
from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.proto import ELEMENT, serialized
from nnspec.runtime.session import Arrays, runner
from nnspec.types import TensorType

_TOLERANCE = 1e-5
_SMALLEST = 1e-12
_AT_ONCE = 256


@dataclass(frozen=True)
class VectorSearch:
    """A search for the rows of a knowledge base whose vectors are nearest to that of an example.

    Attributes:
        output: The graph's output with the vector of an example.
        vectors: Those of the knowledge base, (rows, numbers); of length 1 if the similarity is the cosine.
        count: The number of neighbors.
        similarity: The similarity of two vectors.
    """

    output: str
    vectors: NDArray[np.float32]
    count: int
    similarity: Similarity

    @classmethod
    def of(cls, output: str, vectors: NDArray[np.float32], count: int, similarity: Similarity) -> VectorSearch:
        """Create a search.

        Args:
            output: The output with the vector of an example.
            vectors: The vectors of the knowledge base.
            count: The most neighbors.
            similarity: The similarity of two vectors.

        Example:
            >>> search = VectorSearch.of("vector", np.eye(2, dtype=np.float32), 1, "cosine")
            >>> search.nearest(np.array([[0.0, 3.0]], np.float32))
            (array([[1]]), array([[1.]], dtype=float32))
        """
        unit = similarity == "cosine"
        return cls(output, _unit(vectors) if unit else vectors, min(count, len(vectors)), similarity)

    def scores(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """The similarity of examples and all rows."""
        return np.asarray((_unit(vectors) if self.similarity == "cosine" else vectors) @ self.vectors.T)

    def nearest(self, vectors: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """The nearest rows, nearest first, and their similarities."""
        parts = []
        for start in range(0, max(1, len(vectors)), _AT_ONCE):
            scores = self.scores(vectors[start : start + _AT_ONCE])
            rows = np.argsort(-scores, axis=1, kind="stable")[:, : self.count]
            parts.append((rows, np.take_along_axis(scores, rows, 1)))
        return np.concatenate([rows for rows, _ in parts]), np.concatenate([found for _, found in parts])

    def lower(self, b: Builder, vector: str, dtype: str) -> dict[str, TensorType]:
        """Write the nodes, and make the neighbors outputs of the graph; returns their types.

        Args:
            b: The graph; the names of both outputs are claimed.
            vector: The vector of an example.
            dtype: Its element type.
        """
        with b.at(INDICES):
            vector = vector if dtype == "float32" else b.op("Cast", vector, to=ELEMENT["float32"])
            if self.similarity == "cosine":
                length = b.reduce("ReduceL2", vector, [1], keepdims=True)
                vector = b.op("Div", vector, b.op("Max", length, b.constant(_SMALLEST, "smallest", np.float32)))
            scores = b.op("MatMul", vector, b.constant(self.vectors.T, "vectors"))
            b.outputs[SIMILARITY], b.outputs[INDICES] = b.ops("TopK", [scores, b.ints([self.count], "count")], 2, axis=1)
        return {INDICES: TensorType((self.count,), "int64"), SIMILARITY: TensorType((self.count,), "float32")}

    def verify(self, model: onnx.ModelProto, output: str, cases: Iterable[Arrays]) -> float:
        """Compare the neighbors that a model finds with those in NumPy.

        Neighbors of equal similarity may be in another order.

        Args:
            model: The model.
            output: The model's name of the output with the vector.
            cases: Batches of inputs.

        Returns:
            The largest difference of a similarity, relative to the largest one.

        Raises:
            NnspecError: If it exceeds the tolerance.
        """
        run, error = runner(serialized(model)), 0.0
        for inputs in cases:
            error = max(error, self._error(run(inputs), output))
        if not error <= _TOLERANCE:
            raise NnspecError(
                f"the neighbors that the ONNX model finds differ from those in NumPy by {error:.1e}, so no file is written"
            )
        return error

    def _error(self, answer: Arrays, output: str) -> float:
        scores = self.scores(answer[output].astype(np.float32))
        valid = np.isfinite(scores).all(1)  # the mean of an example of only padding is not a number
        scores, rows, found = scores[valid], answer[INDICES][valid], answer[SIMILARITY][valid]
        best = -np.sort(-scores, axis=1)[:, : self.count]
        taken = np.take_along_axis(scores, rows, 1)
        largest = max(float(np.abs(scores).max(initial=0.0)), _SMALLEST)
        return float(max(np.abs(taken - best).max(initial=0.0), np.abs(found - best).max(initial=0.0))) / largest


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), _SMALLEST), np.float32)
