"""What is padded counts in no figure: neither in the loss nor in any metric, however long rows are padded to."""

from __future__ import annotations

import json
import random

import pytest

import nnspec

SPEC = """\
nnspec: 1
name: masked
inputs: {{x: {{shape: [T], dtype: int32}}}}
layers:
  - Embedding: {{input_dim: 10, output_dim: 8, mask_zero: true}}
    name: e
  - Dense: {{units: 1, activation: sigmoid}}
    name: y
    from: e
  - Dense: {{units: 4, activation: softmax}}
    name: z
    from: e
outputs: [y, z]
data:
  train: {{jsonl: rows.jsonl}}
  validation: 0.5
  inputs: {{x: {{column: x, transform: [{{pad: {length}}}]}}}}
  targets: {{y: {{column: y, transform: [{{pad: {length}}}]}}, z: {{column: z, transform: [{{pad: {length}}}]}}}}
train:
  epochs: 1
  seed: 1
  optimizer: {{SGD: {{learning_rate: 1e-9}}}}
  loss: {{y: BinaryCrossentropy, z: {{SparseCategoricalCrossentropy: {{ignore_class: {ignored}}}}}}}
  metrics:
    y: [BinaryAccuracy, AUC, Precision, MeanSquaredError, BinaryIoU, TruePositives, FalsePositives, BinaryDice]
    z: [SparseCategoricalAccuracy, {{MeanIoU: {{num_classes: 4, sparse_y_pred: false}}}}, ExactMatch, Perplexity]
"""


@pytest.mark.parametrize("ignored", ["null", "3"])
def test_figures_are_the_same_however_long_rows_are_padded(tmp_path, ignored):
    draw = random.Random(0)
    with (tmp_path / "rows.jsonl").open("w", encoding="utf-8") as file:
        for _ in range(64):
            rows = [(draw.randint(1, 9), draw.randint(0, 1), draw.randint(0, 3)) for _ in range(draw.randint(1, 6))]
            file.write(json.dumps(dict(zip("xyz", map(list, zip(*rows, strict=True)), strict=True))) + "\n")
    found = []
    for length in (6, 11):
        spec = tmp_path / f"{length}.nnspec.yaml"
        spec.write_text(SPEC.format(length=length, ignored=ignored), encoding="utf-8")
        found.append(nnspec.train(nnspec.load(spec), out=tmp_path / f"run-{length}").metrics()[-1])
    short, long = ({name: value for name, value in record.items() if name.startswith(("y_", "z_", "val_"))} for record in found)
    assert long == pytest.approx(short, rel=1e-5)
    assert {"val_y_auc", "val_z_mean_io_u", "val_z_exact_match"} <= short.keys()
