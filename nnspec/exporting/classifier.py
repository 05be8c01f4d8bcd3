"""A trained classifier, from a run or from a spec whose weights come from a file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from nnspec.data.readers.base import Table
from nnspec.data.recipe import Recipe, steps_of
from nnspec.diagnostics import NnspecError
from nnspec.exporting.embedded_preprocessing import embed_preprocessing
from nnspec.exporting.output_metadata import output_metadata, with_white_levels
from nnspec.exporting.runs import GOLDEN_ROWS
from nnspec.graph import Graph, compile
from nnspec.onnx_backend.preprocessing import Preprocessing
from nnspec.runtime.metadata import DATA
from nnspec.runtime.session import Arrays
from nnspec.spec import Spec, load
from nnspec.training import Run, golden_rows
from nnspec.training.run.initial_weights import initial_weights


@dataclass(frozen=True)
class Classifier:
    """A network with its trained weights.

    Attributes:
        spec: Its spec.
        graph: Its network.
        weights: Its arrays by identity.
        real: Real inputs, if its data are known.
        metadata: The metadata of its outputs in an exported file.
        recipe: How its inputs are made from raw data.
        table: Some rows of its data.
    """

    spec: Spec
    graph: Graph
    weights: Mapping[str, NDArray[Any]]
    real: tuple[Arrays, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    recipe: Recipe = field(default_factory=dict)
    table: Table | None = None

    @classmethod
    def open(cls, path: str | Path, *, root: Path | None = None) -> Classifier:
        """Open a run folder, or a spec that names the files of all its weights.

        Args:
            path: The folder or the spec.
            root: The folder that the spec's paths must be in.

        Raises:
            NnspecError: If the run is damaged, or a weight has no value.
        """
        path = Path(path)
        if path.is_dir():
            return cls._of_run(Run.open(path))
        spec = load(path, root=root)
        graph = compile(spec).networks.get("main")
        if graph is None:
            raise NnspecError(f"{path} has no top-level `layers`, only `networks`")
        weights = initial_weights(spec, graph)
        missing = [name for name, *_ in graph.weights() if name not in weights]
        if missing:
            raise NnspecError(
                f"{path} has no value for the weight `{missing[0]}`\n"
                "  = help: train it and pass the run folder, or name the trained weights: `weights: {file: NAME.safetensors}`"
            )
        return cls(spec, graph, weights)

    @classmethod
    def _of_run(cls, run: Run) -> Classifier:
        graph = run.main
        table, real = golden_rows(run, GOLDEN_ROWS)
        metadata = output_metadata(run, graph, {name: name for name in graph.outputs})
        known = ({name: real[name] for name in graph.inputs},) if all(name in real for name in graph.inputs) else ()
        return cls(run.spec, graph, graph.own(run.weights()), known, metadata, with_white_levels(run.recipe(), table), table)

    def preprocessing(self, graph: Graph) -> tuple[dict[str, str], Preprocessing | None]:
        """The metadata and the embedded preprocessing of an exported network with the same inputs."""
        if self.table is None:
            return {}, None
        served, preprocessing = embed_preprocessing(self.recipe, self.table, graph.inputs)
        return {**self.metadata, DATA: json.dumps(_of_any_size(served))}, preprocessing


def _of_any_size(recipe: Recipe) -> Recipe:
    """A recipe without the transforms that resize images."""
    inputs = {
        name: {
            **entry,
            "transforms": [
                step for step, read in zip(entry["transforms"], steps_of(entry), strict=True) if not read.transform.sets_size
            ],
        }
        for name, entry in recipe.get("inputs", {}).items()
    }
    return {**recipe, "inputs": inputs} if inputs else recipe
