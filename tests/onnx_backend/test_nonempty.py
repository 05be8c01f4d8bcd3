"""A tensor without elements is an error or an answer without elements, and never the end of the process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import nnspec
from nnspec.diagnostics import NnspecError
from nnspec.onnx_backend.emit import to_onnx
from nnspec.onnx_backend.proto import serialized
from nnspec.runtime.generator import Generator
from tests.generation.documents import RECURRENT, language_model, models_of

from .nets import graph_of, random_weights

GATED = "  - {kind}: {{units: 3}}\n"
NETS = {
    "GRU": (GATED.format(kind="GRU"), "{x: [T, 4]}"),
    "LSTM": (GATED.format(kind="LSTM"), "{x: [T, 4]}"),
    "both": ("  - Bidirectional: {layer: {GRU: {units: 3, return_sequences: true}}}\n", "{x: [T, 4]}"),
    "masked": ("  - Embedding: {input_dim: 9, output_dim: 4, mask_zero: true}\n  - GRU: {units: 3}\n", "{x: {shape: [T], dtype: int32}}"),
    "behind a convolution": ("  - Conv1D: {filters: 4, kernel_size: 5}\n  - GRU: {units: 3}\n", "{x: [T, 4]}"),
    "behind a slice": ("  - Slice: {axis: 1, start: 5}\n  - GRU: {units: 3}\n", "{x: [T, 4]}"),
    "at every step": ("  - TimeDistributed: {layer: {GRU: {units: 3}}}\n", "{x: [T, 6, 4]}"),
    "groups": ("  - GroupNormalization: {groups: 2}\n", "{x: [T, 4]}"),
    "volumes": ("  - Conv3DTranspose: {filters: 2, kernel_size: 3, strides: 2}\n", "{x: [4, T, 4, 2]}"),
    "a dense layer along several axes": (
        "  - EinsumDense: {equation: 'abc,bcd->abd', output_shape: [3, 5]}\n",
        "{x: [3, 4]}",
    ),
    "a product": ("  - Dot: {axes: 1}\n    from: [x, x]\n", "{x: [4]}"),
}  # fmt: skip

RUN = """
import sys, numpy as np, onnxruntime as ort
options = ort.SessionOptions()
options.log_severity_level = 4
for file in sys.argv[1:]:
    session = ort.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    given = session.get_inputs()
    for free in ({"batch": 0}, {"T": 0}, {"T": 1}, {"T": 4}, {"T": 5}, {"batch": 0, "T": 0}):
        shapes = {i.name: [s if isinstance(s, int) else free.get(s, 2) for s in i.shape] for i in given}
        kinds = {i.name: "int32" if "int32" in i.type else "int64" if "int64" in i.type else "float32" for i in given}
        try:
            session.run(None, {name: np.ones(shape, kinds[name]) for name, shape in shapes.items()})
        except Exception:
            pass
    print("alive", flush=True)
"""


def survived(files: list[Path]) -> int:
    done = subprocess.run([sys.executable, "-c", RUN, *map(str, files)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"ended by {done.returncode} after {done.stdout.count('alive')} of {[f.stem for f in files]}"
    return done.stdout.count("alive")


def test_no_file_ends_the_process(tmp_path: Path) -> None:
    for name, (layers, inputs) in NETS.items():
        graph = graph_of(layers, inputs)
        (tmp_path / f"{name}.onnx").write_bytes(serialized(to_onnx(graph, random_weights(graph))))
    for name, text in (("encoder", RECURRENT), ("words", language_model("  - GRU: {units: 5}\n"))):
        models = models_of(text)
        (tmp_path / f"{name} loop.onnx").write_bytes(serialized(models.loop()))
        for part, model in models.parts().items():
            (tmp_path / f"{name} {part}.onnx").write_bytes(serialized(model))
    files = sorted(tmp_path.glob("*.onnx"))
    assert survived(files) == len(files) == len(NETS) + 5


def test_the_error_names_the_layer(tmp_path: Path) -> None:
    import numpy as np

    graph = graph_of("  - Slice: {axis: 1, start: 3}\n  - GRU: {units: 3}\n    name: read\n", "{x: [T, 4]}")
    (tmp_path / "m.onnx").write_bytes(serialized(to_onnx(graph, random_weights(graph))))
    model = nnspec.Predictor(tmp_path / "m.onnx")
    with pytest.raises(NnspecError, match="read"):
        model.run({"x": np.zeros((2, 3, 4), np.float32)})


@pytest.mark.parametrize("form", ["loop", "parts"])
def test_a_source_without_tokens_is_refused(tmp_path: Path, form: str) -> None:
    models = models_of(RECURRENT)
    place = tmp_path / "model.onnx"
    if form == "loop":
        place.write_bytes(serialized(models.loop()))
    else:
        place = tmp_path
        for name, content in models.contents().items():
            (tmp_path / f"{name}.onnx").write_bytes(content)
    generator = Generator(place)
    for empty in ([[]], [[], []]):
        with pytest.raises(NnspecError, match=r"`.*` is empty: got the shape \(\d, 0\)"):
            generator.generate({generator.sources[0]: empty})
    assert len(generator.texts([""])) == 1
    assert generator.generate({generator.sources[0]: []}) == []
