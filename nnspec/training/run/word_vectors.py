"""Word vectors from a file as the initial rows of an `Embedding`: ``weights: {vectors: FILE}``."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnspec.data.kinds import DataError
from nnspec.data.paths import MissingFileError, find_file
from nnspec.diagnostics import Diagnostic, SpecError
from nnspec.graph import Graph
from nnspec.graph import problems as g
from nnspec.graph.model import Node, Start
from nnspec.spec import Spec
from nnspec.transfer.safetensors_header import UnreadableHeader, read_header
from nnspec.types import listed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vectors = dict[str, NDArray[Any]]

_SPECIAL = 4
"""The number of special tokens at the start of a vocabulary, which have no vectors."""

_NAMED = 5


def check_vectors(spec: Spec, graph: Graph, node: Node, start: Start) -> Diagnostic | None:
    """Return the problem of a layer that starts from word vectors; None if there is none.

    Args:
        spec: The spec.
        graph: The network.
        node: The layer.
        start: The source of its weights.
    """
    if node.op not in ("Embedding", "ReversibleEmbedding"):
        reason = f"`vectors` are the rows of an `Embedding`, and `{node.name}` is `{node.op}`"
        return g.BadStart.at(start.span, start.path, help="move it to an `Embedding`", reason=reason)
    if input_of(graph, node) is None:
        reason = f"`{node.name}` must look up an input, since the vectors are joined to that input's vocabulary"
        return g.BadStart.at(start.span, start.path, reason=reason)
    try:
        size = vector_size(find_file(start.file, spec.folder, spec.root), start.file)
    except MissingFileError as error:
        help = "download the file; paths are relative to the spec"
        return g.MissingStart.at(start.span, start.path, help=help, reason=error.message)
    except DataError as error:
        return g.BadStart.at(start.span, start.path, help=error.help, reason=error.message)
    own = node.weights[0].shape[1]
    if size != own:
        reason = f"the vectors in `{start.file}` have {size} numbers, and those of `{node.name}` {own}"
        return g.BadStart.at(start.span, start.path, help=f"write `output_dim: {size}`", reason=reason)
    return None


def input_of(graph: Graph, node: Node) -> str | None:
    """Return the network's input whose tokens a layer looks up; None if another layer computes them."""
    source = next(iter(node.inputs.values())).source
    return source if source in graph.inputs else None


@dataclass(frozen=True)
class JoinedVectors:
    """An embedding whose rows are joined from word vectors.

    Attributes:
        weights: Its rows; those of tokens without a vector keep their initial values.
        file: The file, as written.
        tokens: The number of tokens of the vocabulary, without the special ones.
        missing: The tokens without a vector, the most frequent ones first.
    """

    weights: NDArray[Any]
    file: str
    tokens: int
    missing: Sequence[str]

    def as_json(self) -> dict[str, Any]:
        """Return the entry of ``run.json``."""
        return {"file": self.file, "tokens": self.tokens, "found": self.tokens - len(self.missing), "missing": [*self.missing]}

    def text(self, name: str) -> str:
        """Return the report of what was found."""
        rest = f"; without: {listed(self.missing[:_NAMED])}" if self.missing else ""
        more = f" and {len(self.missing) - _NAMED:,} more" if len(self.missing) > _NAMED else ""
        found = self.tokens - len(self.missing)
        return f"{name}: {found:,} of {self.tokens:,} tokens have a vector in {self.file}{rest}{more}"


def join_vectors(
    spec: Spec, graph: Graph, state: Mapping[str, Sequence[Mapping[str, Any]]], initial: Mapping[str, NDArray[Any]]
) -> dict[str, JoinedVectors]:
    """Join the vectors in files to the vocabularies of the inputs that embeddings look up, by weight.

    Args:
        spec: The spec.
        graph: The network.
        state: The fitted transforms, by ``inputs.NAME``.
        initial: The initial weights of all layers, by name.

    Raises:
        SpecError: If a file is damaged, an input has no vocabulary, or none of its tokens has a vector.
    """
    found = {}
    for identity, _, node in graph.weights():
        start = node.start
        if start is None or not start.vectors:
            continue
        problem = check_vectors(spec, graph, node, start)
        if problem is not None:
            raise SpecError([problem])
        name = input_of(graph, node)
        vocabulary = next(
            (step["learned"]["vocabulary"] for step in state.get(f"inputs.{name}", ()) if step["transform"] == "tokenize"), None
        )
        if vocabulary is None:
            help = f"put `tokenize` under `transform` of the input `{name}`"
            raise SpecError([g.BadStart.at(start.span, start.path, help=help, reason=f"the input `{name}` has no vocabulary")])
        tokens = vocabulary[_SPECIAL:]
        try:
            vectors = read_vectors(find_file(start.file, spec.folder, spec.root), start.file, set(tokens))
        except DataError as error:
            raise SpecError([g.BadStart.at(start.span, start.path, help=error.help, reason=error.message)]) from None
        if not vectors:
            reason = f"none of the {len(tokens):,} tokens of `{name}` has a vector in `{start.file}`"
            help = "check `lower` and `by` of `tokenize`"
            raise SpecError([g.BadStart.at(start.span, start.path, help=help, reason=reason)])
        weights = initial[identity].copy()
        for row, token in enumerate(vocabulary[: len(weights)]):
            if row >= _SPECIAL and token in vectors:
                weights[row] = vectors[token]
        found[identity] = JoinedVectors(weights, start.file, len(tokens), [token for token in tokens if token not in vectors])
    return found


def vector_size(path: Path, name: str) -> int:
    """Return the number of values of the vectors in a file, from its first lines or its header.

    Raises:
        DataError: If it is not a file of vectors.
    """
    if path.suffix == ".safetensors":
        return _array_of(path, name)[1]
    with path.open("rb") as file:
        first = file.readline(1 << 20).decode("utf-8", "replace").split()
        second = file.readline(1 << 20).decode("utf-8", "replace").split() if len(first) == 2 else first
    size = int(first[1]) if len(first) == 2 and first[1].isdigit() else len(second) - 1
    if size < 1 or len(second) < size + 1 or not _are_numbers(second[-size:]):
        reason = f"`{name}` is not a text file of word vectors: each line has a token and its numbers"
        raise DataError(reason, help="convert it to the text format of word2vec or GloVe, or to .safetensors")
    return size


def read_vectors(path: Path, name: str, wanted: Collection[str]) -> Vectors:
    """Read the vectors of some tokens from a text file of word2vec or GloVe, or from a safetensors file.

    A safetensors file has one array, (tokens, size), and the tokens in its metadata: ``{"tokens": "[\\"the\\", …]"}``.

    Args:
        path: The file.
        name: Its name in messages.
        wanted: The tokens.

    Raises:
        DataError: If it is damaged.
    """
    import numpy as np

    if path.suffix == ".safetensors":
        from safetensors import safe_open

        array, _ = _array_of(path, name)
        with safe_open(path, framework="numpy") as file:
            tokens = _tokens(file.metadata() or {}, name)
            values = file.get_tensor(array)
        if len(tokens) != len(values):
            raise DataError(f"`{name}` has {len(tokens):,} tokens and {len(values):,} vectors")
        return {token: vector for token, vector in zip(tokens, values, strict=True) if token in wanted}
    size = vector_size(path, name)
    found: Vectors = {}
    with path.open(encoding="utf-8", errors="replace", newline="\n") as lines:
        for number, line in enumerate(lines, 1):
            parts = line.rstrip().rsplit(" ", size)
            if parts[0] not in wanted or len(parts) != size + 1:
                if number > 1 and len(parts) != size + 1 and line.strip():
                    raise DataError(f"`{name}`, line {number}: expected a token and {size} numbers")
                continue
            if not _are_numbers(parts[1:]):
                raise DataError(f"`{name}`, line {number}: expected a token and {size} finite numbers")
            found.setdefault(parts[0], np.array(parts[1:], np.float32))
    return found


def _are_numbers(texts: Sequence[str]) -> bool:
    try:
        return all(abs(float(text)) < float("inf") for text in texts)
    except ValueError:
        return False


def _array_of(path: Path, name: str) -> tuple[str, int]:
    """Return the name of the only array of a safetensors file, and the size of its vectors."""
    try:
        shapes = read_header(path)
    except UnreadableHeader as error:
        raise DataError(f"`{name}` {error}") from None
    if len(shapes) != 1 or len(shape := next(iter(shapes.values()))) != 2:
        raise DataError(f"`{name}` must have one array, of shape (tokens, size)")
    return next(iter(shapes)), shape[1]


def _tokens(metadata: Mapping[str, str], name: str) -> list[str]:
    try:
        tokens = json.loads(metadata["tokens"])
    except (KeyError, ValueError):
        tokens = None
    if not isinstance(tokens, list) or not all(isinstance(token, str) for token in tokens):
        raise DataError(f"`{name}` has no tokens", help='write them into its metadata: `{"tokens": "[\\"the\\", …]"}`')
    return tokens
