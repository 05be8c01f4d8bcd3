"""Outputs trained with CTC: a run, its ONNX model and the server answer the text of the best path."""

from __future__ import annotations

from itertools import groupby

import numpy as np
import pytest

from nnspec.diagnostics import SpecError
from nnspec.spec import load

pytest.importorskip("keras")

SPEC = """nnspec: 1
name: net
inputs: {heard: {shape: [8], dtype: int32}}
layers:
  - Embedding: {input_dim: 12, output_dim: 16}
  - Dense: {units: 10}
    name: spoken
data:
  train: {csv: a.csv}
  inputs: {heard: {column: heard, transform: [{tokenize: character}, {pad: 8}]}}
  targets: {spoken: {column: spoken, transform: [{tokenize: character}, {pad: 4}]}}
train: {loss: CTC, epochs: 3, batch_size: 8}
"""


def test_an_output_that_was_trained_with_ctc_answers_text(tmp_path):
    from nnspec.exporting.run_predictions import predict_run
    from nnspec.exporting.runs import export_run
    from nnspec.runtime.predicting import predict_file
    from nnspec.training import train
    from nnspec.training.loop.progress import Quiet

    words = ["abca", "cab", "ba", "bcab"] * 8
    rows = [f"{''.join(2 * letter for letter in word)},{word}" for word in words]
    (tmp_path / "a.csv").write_text("heard,spoken\n" + "\n".join(rows) + "\n", encoding="utf-8")
    (tmp_path / "net.nnspec.yaml").write_text(SPEC, encoding="utf-8")
    run = train(load(tmp_path / "net.nnspec.yaml"), out=tmp_path / "run", progress=Quiet())
    export_run(run.path, tmp_path / "net.onnx")
    vocabulary = run.targets()["spoken"][0]["learned"]["vocabulary"]
    data = f"csv: {tmp_path / 'a.csv'}"
    for predictions in (predict_run(run.path, data), predict_file(tmp_path / "net.onnx", data)):
        best = np.asarray(predictions.outputs["spoken"]).argmax(-1)
        expected = ["".join(vocabulary[i] for i, _ in groupby(row.tolist()) if i > 3) for row in best]
        assert predictions.texts == {"spoken": expected}
    from tests.serving.conftest import running

    with running([tmp_path / "net.onnx"]) as server:
        body = "\n".join(["heard", *(row.partition(",")[0] for row in rows)]).encode()
        status, found = server.json("POST", "/predict", body, {"Content-Type": "text/csv"})
    assert status == 200, found
    assert [row["spoken_text"] for row in found["predictions"]] == expected


@pytest.mark.parametrize(
    ("word", "units", "message"),
    [
        ("abcaabcab", 10, "line 2, column `spoken`: 9 labels need 10 frames, and `spoken` has 8"),
        ("ab", 5, "line 2, column `spoken`: class 5, but the output `spoken` has 5 classes, 0 to 4"),
    ],
)
def test_labels_that_the_output_cannot_have_are_reported(tmp_path, word, units, message):
    from nnspec.training import train

    (tmp_path / "a.csv").write_text(f"heard,spoken\nabab,{word}\n", encoding="utf-8")
    spec = SPEC.replace("pad: 4", "pad: 10").replace("units: 10", f"units: {units}")
    (tmp_path / "net.nnspec.yaml").write_text(spec, encoding="utf-8")
    loaded = load(tmp_path / "net.nnspec.yaml")
    with pytest.raises(SpecError) as caught:
        train(loaded, out=tmp_path / "run")
    assert message in caught.value.diagnostics[0].message
