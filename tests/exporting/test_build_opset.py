"""``build`` writes its files with the operators that the spec's section ``export`` names."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest

import nnspec
from tests.generation.documents import RECURRENT

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras, as it saves

PLAIN = "nnspec: 1\nname: net\ninputs: {x: [4]}\nlayers: [{Dense: {units: 3}}]\n"
PAIR = (
    "nnspec: 1\nname: net\nnetworks:\n"
    "  one: {inputs: {x: [4]}, layers: [{Dense: {units: 3}}]}\n"
    "  two: {inputs: {y: [3]}, layers: [{Dense: {units: 4}}]}\n"
)


@pytest.mark.parametrize("text", [PLAIN, PAIR, RECURRENT], ids=["layers", "networks alone", "a decoder"])
def test_every_file_has_the_opset_of_the_spec(text: str, tmp_path: Path) -> None:
    network = ", network: one" if text is PAIR else ""
    (tmp_path / "net.nnspec.yaml").write_text(f"{text}export: {{opset: 18{network}}}\n")
    nnspec.build(nnspec.load(tmp_path / "net.nnspec.yaml"), tmp_path / "build", seed=1)
    files = sorted((tmp_path / "build").rglob("*.onnx"))
    assert len(files) == {PLAIN: 1, PAIR: 2, RECURRENT: 6}[text]
    for file in files:
        versions = {entry.domain: entry.version for entry in onnx.load(file).opset_import}
        assert versions[""] == 18, file


def test_build_takes_the_file_of_a_spec(tmp_path):
    (tmp_path / "net.nnspec.yaml").write_text("nnspec: 1\nname: net\ninputs: {x: [4]}\nlayers:\n  - Dense: {units: 2}\n")
    files, warnings = nnspec.build(tmp_path / "net.nnspec.yaml", tmp_path / "build", seed=1)
    assert {file.name for file in files} == {"graph.json", "model.keras", "model.onnx"}
    assert warnings == ()
