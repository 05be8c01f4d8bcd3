"""An opset in which ONNX Runtime does not implement a layer's operators is refused with the layer, and never replaced silently."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from nnspec.api import validate
from nnspec.diagnostics import NnspecError
from nnspec.spec import load

TEXT = """nnspec: 1
name: regions
inputs: {x: [8, 8, 2], boxes: [3, 4]}
layers:
  - RoIAlign: {size: 2, stride: 1}
    from: {x: x, boxes: boxes}
    name: regions
  - Flatten
  - Dense: {units: 1}
    name: y
data: {train: {npz: a.npz}, targets: {y: {column: y}}}
train: {epochs: 1, loss: {y: MeanSquaredError}}
"""


def problems(folder: Path, text: str) -> list[tuple[str, str, str]]:
    (folder / "net.nnspec.yaml").write_text(text)
    found = validate(folder / "net.nnspec.yaml")
    return [(each.code, each.message, each.help) for each in found if each.is_error]


@pytest.mark.parametrize("opset", [22, 23, 26])
@pytest.mark.parametrize("layer", ["RoIAlign", "RoIPooling"])
def test_a_newer_opset_than_that_of_a_layer_is_an_error_of_the_spec(tmp_path, layer, opset):
    found = problems(tmp_path, TEXT.replace("RoIAlign", layer) + f"export: {{opset: {opset}}}\n")
    assert found == [
        (
            "NN245",
            f"`opset: {opset}` is not possible: ONNX Runtime implements the operators of `{layer}` up to opset 21",
            "write `opset: 21`, or remove it",
        )
    ]


@pytest.mark.parametrize("export", ["", "export: {opset: 21}\n", "export: {opset: 17}\n", "export: {outputs: [y]}\n"])
def test_other_opsets_and_none_are_valid(tmp_path, export):
    assert problems(tmp_path, TEXT + export) == []


def test_an_opset_of_the_command_is_refused_and_the_default_is_the_newest_one_of_all_layers(tmp_path):
    pytest.importorskip("keras")
    from nnspec.exporting.runs import export_run
    from nnspec.training import train
    from nnspec.training.loop.progress import Quiet

    random = np.random.default_rng(0)
    arrays = {"x": random.random((8, 8, 8, 2)), "boxes": np.tile([0.6, 0.6, 5.3, 6.2], (8, 3, 1)), "y": random.random((8, 1))}
    np.savez(tmp_path / "a.npz", **{name: values.astype(np.float32) for name, values in arrays.items()})
    (tmp_path / "net.nnspec.yaml").write_text(TEXT)
    run = train(load(tmp_path / "net.nnspec.yaml"), out=tmp_path / "run", progress=Quiet())
    with pytest.raises(NnspecError, match=r"operators of `RoIAlign`, step `regions`, up to opset 21, not in 23"):
        export_run(run, tmp_path / "a.onnx", opset=23)
    assert not (tmp_path / "a.onnx").exists()
    export_run(run, tmp_path / "a.onnx")
    assert {entry.domain: entry.version for entry in onnx.load(tmp_path / "a.onnx").opset_import}[""] == 21
