"""A program that mixes the examples of a batch is validated and evaluated on all examples, also if they fill no whole batches."""

from __future__ import annotations

import numpy as np
import pytest

from nnspec.spec import load
from nnspec.training import evaluate, train
from nnspec.training.loop.progress import Quiet

pytest.importorskip("keras")

TEXT = """nnspec: 1
name: net
networks:
  net:
    inputs: {x: [3]}
    layers: [{Dense: {units: 1, kernel_initializer: ones}}]
inputs: {x: [3]}
data: {train: {npz: train.npz}, validation: {npz: validation.npz}, test: {npz: test.npz}}
train:
  objective:
    program:
      layers:
        - net:
          from: x
        - Compute: sum(square(net)) / B
          name: loss
      minimize: [{loss: loss, of: net}]
  epochs: 1
  batch_size: 4
  optimizer: {SGD: {learning_rate: 1e-9}}
export: {network: net}
"""


def rows(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, 3)).astype(np.float32)


@pytest.mark.parametrize("count", [1, 3, 4, 5, 8, 10, 13])
def test_the_loss_of_a_split_is_that_of_all_its_rows(tmp_path, count):
    arrays = {"train": rows(8, 0), "validation": rows(count, 1), "test": rows(count, 2)}
    for part, x in arrays.items():
        np.savez(tmp_path / f"{part}.npz", x=x)
    (tmp_path / "net.nnspec.yaml").write_text(TEXT)
    run = train(load(tmp_path / "net.nnspec.yaml"), out=tmp_path / "run", progress=Quiet())
    wanted = {part: float(np.mean(x.sum(1) ** 2)) for part, x in arrays.items()}
    assert run.metrics()[0]["val_loss"] == pytest.approx(wanted["validation"], rel=1e-5)
    for part in ("validation", "test"):
        found = evaluate(run, part=part)
        assert found["rows"] == count
        assert found["loss"] == pytest.approx(wanted[part], rel=1e-5)


def test_the_batches_of_a_validation_are_of_about_one_size():
    from nnspec.training.loop.order import even_batches

    for count in range(1, 60):
        for size in range(1, 20):
            sizes = even_batches(count, size)
            assert sum(sizes) == count
            assert max(sizes) <= size
            assert max(sizes) - min(sizes) <= 1
            assert len(sizes) == -(-count // size)


def test_the_examples_of_a_class_stay_in_one_batch_of_a_validation():
    from nnspec.training.loop.order import even_batches

    for count in range(1, 80):
        for size, group in ((8, 4), (12, 3), (4, 4), (6, 2)):
            sizes = even_batches(count, size, group)
            assert sum(sizes) == count
            assert max(sizes) <= size
            assert all(each % group == 0 for each in sizes[:-1])
            assert min(sizes) > 0
