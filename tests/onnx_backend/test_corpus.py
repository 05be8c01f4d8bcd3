"""The corpus through both lowerings: the same numbers, from every network on its own."""

from __future__ import annotations

from pathlib import Path

import pytest

import nnspec
from nnspec.keras_backend import to_keras, weight_arrays
from nnspec.onnx_backend.export import export
from tests.conftest import CORPUS

SPECS = sorted(CORPUS.glob("*.nnspec.yaml"))


@pytest.mark.parametrize("file", SPECS, ids=lambda file: file.name.partition(".")[0])
def test_every_network_of_a_corpus_spec_is_exported_with_parity(file: Path, tmp_path: Path) -> None:
    for name, graph in nnspec.compile(nnspec.load(file)).networks.items():
        model = to_keras(graph, seed=1)
        parity = export(graph, weight_arrays(model, graph), tmp_path / f"{name}.onnx", reference=model)
        assert parity.agrees
        assert (tmp_path / f"{name}.onnx").exists()
