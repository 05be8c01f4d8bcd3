"""The baselines of a classification: the most frequent class, and the nearest neighbors of the inputs."""

from __future__ import annotations

import re
import time
from types import SimpleNamespace

import numpy as np
import pytest

from nnspec.data.examples import Examples
from nnspec.reports import to_page
from nnspec.spec import load
from nnspec.training import evaluate, evaluation_text, train
from nnspec.training.evaluation.baselines import baselines
from nnspec.training.evaluation.evaluate import run_evaluation
from nnspec.training.evaluation.predictions import ClassPredictions
from nnspec.training.loop.progress import Quiet

pytest.importorskip("keras")

WINE = """nnspec: 1
name: wine
inputs: {measures: [13]}
layers: [{Dense: {units: 3, activation: softmax}, name: kind}]
data:
  train: {builtin: wine}
  test: {fold: {number: 1, of: 4}}
  inputs: {measures: {columns: [alcohol, malic_acid, ash, alcalinity_of_ash, magnesium, total_phenols, flavanoids,
    nonflavanoid_phenols, proanthocyanins, color_intensity, hue, "od280/od315_of_diluted_wines", proline]}}
  targets: {kind: {column: target}}
train: {epochs: 1, seed: 1, loss: SparseCategoricalCrossentropy}
"""

WORDS = """nnspec: 1
name: words
inputs: {words: {shape: [4], dtype: int32}}
layers:
  - Embedding: {input_dim: 20, output_dim: 4}
  - GlobalAveragePooling1D
  - Dense: {units: 1, activation: sigmoid}
    name: good
data:
  train: {csv: reviews.csv}
  validation: 0.5
  inputs: {words: {column: text, transform: [tokenize, {pad: 4}]}}
  targets: {good: {column: good}}
train: {epochs: 1, loss: BinaryCrossentropy}
"""


def trained(folder, text):
    file = folder / "net.nnspec.yaml"
    file.write_text(text, encoding="utf-8")
    return train(load(file), out=folder / "run", progress=Quiet())


@pytest.fixture(scope="module")
def wine(tmp_path_factory):
    return trained(tmp_path_factory.mktemp("wine"), WINE)


def test_the_neighbors_are_those_of_scikit_learn_on_standardized_inputs(wine):
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    parts = [run_evaluation(wine, part=part).examples for part in ("train", "test")]
    (x, y), (tested, true) = ((part.inputs["measures"][part.rows], part.targets["kind"][part.rows].ravel()) for part in parts)
    expected = make_pipeline(StandardScaler(), KNeighborsClassifier(5)).fit(x, y).score(tested, true)
    found = evaluate(wine)["outputs"]["kind"]["baselines"]
    assert found["nearest_neighbors"] == {"accuracy": expected, "neighbors": 5, "training": len(x), "rows": len(tested)}
    assert expected > 0.9
    assert found["majority"] == np.bincount(true).max() / len(true)


def test_the_report_and_the_text_have_a_line_with_the_baselines(wine):
    text = evaluation_text(evaluate(wine))
    assert "  baselines: most frequent class 0.4000" in text
    assert "5 nearest neighbors 0.9" in text
    page = to_page(wine)
    assert re.search(r"<td>baseline: most frequent class</td><td class=\"n\">0\.4000</td>", page)
    assert "the model uses less of the data than it could" in page


def test_training_examples_are_not_their_own_neighbors(wine):
    assert "baselines" not in evaluate(wine, part="train")["outputs"]["kind"]


def test_texts_have_no_neighbors(tmp_path):
    rows = ["good food,1", "bad food,0", "bad service,0", "good service,1"] * 4
    (tmp_path / "reviews.csv").write_text("text,good\n" + "\n".join(rows), encoding="utf-8")
    found = evaluate(trained(tmp_path, WORDS))["outputs"]["good"]["baselines"]
    assert found == {"majority": 0.5, "nearest_neighbors": {"skipped": "the values of `words` are indices"}}


def test_without_the_training_data_the_line_says_so(tmp_path):
    rows = [f"{i},{i % 2}" for i in range(12)]
    for name in ("train", "test"):
        (tmp_path / f"{name}.csv").write_text("x,odd\n" + "\n".join(rows), encoding="utf-8")
    run = trained(
        tmp_path,
        "nnspec: 1\nname: odd\ninputs: {x: [1]}\nlayers: [{Dense: {units: 1}, name: odd}]\n"
        "data: {train: {csv: train.csv}, test: {csv: test.csv}, inputs: {x: {columns: [x]}}}\n"
        "train: {epochs: 1, loss: Hinge}\n",
    )
    assert evaluate(run)["outputs"]["odd"]["baselines"]["nearest_neighbors"]["training"] == 12
    (tmp_path / "train.csv").unlink()
    found = evaluate(run)["outputs"]["odd"]["baselines"]["nearest_neighbors"]
    assert found == {"skipped": "the training data cannot be read"}


OUTPUT = SimpleNamespace(name="kind", need=SimpleNamespace(kind="class", axis=-1, ignore=None))
"""What the baselines read of the plan of an output."""


def of_images(size, rows, each=1):
    random = np.random.default_rng(0)
    true = random.integers(0, 3, rows * each)
    images = random.normal(size=(rows, size, size)).astype(np.float32) + true[::each, None, None]
    examples = Examples({"image": images}, {"kind": true.reshape(rows, each)}, {}, np.arange(rows))
    scores = np.eye(3)[true]
    found = ClassPredictions([0, 1, 2], true, true, scores, True, np.repeat(np.arange(rows), each), each)
    return baselines(OUTPUT, found, examples, lambda: examples)["nearest_neighbors"]


def test_large_images_and_masks_have_no_neighbors():
    assert of_images(65, 10) == {"skipped": "an example has 4,225 numbers, more than 4,096"}
    assert of_images(3, 10, each=9) == {"skipped": "an example has several labels"}


def test_the_time_is_bounded():
    started = time.monotonic()
    found = of_images(64, 6_000)
    assert (found["training"], found["rows"]) == (4_000, 2_000)
    assert time.monotonic() - started < 30
