"""Systems of the gallery that compute their own loss: learning rules, a tagger with a CRF, a normalizing flow, a neural Turing machine."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from examples.copy_task.make import sequences, write_sequences
from examples.fetch.tables import iris
from nnspec import Predictor
from nnspec.spec import load
from nnspec.training import train
from nnspec.training.evaluation.evaluate import run_evaluation, trained_model
from nnspec.training.loop.progress import Quiet

keras = pytest.importorskip("keras")

SPECS = Path(__file__).parents[2] / "specs"


def trained(folder: Path, name: str, *overrides: str):
    """Trains a spec of the gallery on the data in ``data`` beside it."""
    file = folder / "specs" / f"{name}.nnspec.yaml"
    file.parent.mkdir()
    file.write_text((SPECS / file.name).read_text(encoding="utf-8"), encoding="utf-8")
    return train(load(file, overrides, root=folder), out=folder / "run", progress=Quiet())


def addresses(file: Path, count: int) -> None:
    """Writes addresses of up to four words, which are their tags or unknown."""
    random = np.random.default_rng(count)
    rows = []
    for length in random.integers(1, 5, count):
        tags = [*("ab"[i % 2] for i in range(length - 1)), "c"]
        words = [str(random.choice([tag, "x"])) for tag in tags]
        rows.append(json.dumps({"words": words, "shapes": words, "endings": words, "tags": tags}))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(rows), encoding="utf-8")


def test_the_crf_is_normalized_over_all_paths_and_the_path_is_the_best_of_them(tmp_path):
    for split, count in (("train", 64), ("validation", 8), ("test", 12)):
        addresses(tmp_path / f"data/addresses/{split}.jsonl", count)
    found = run_evaluation(trained(tmp_path, "crf_tagger", "params.tags=7", "params.width=6", "train.epochs=3"))
    inputs = found.examples.batch(slice(None)).inputs
    outputs = found.model.predict(inputs, verbose=0)
    losses = []
    for row, length in enumerate((inputs["words"] != 0).sum(1)):
        scores, transitions, best = (outputs[name][row] for name in ("scores", "transitions", "path"))
        paths = np.array(list(product(range(7), repeat=length)))
        before = np.insert(paths[:, :-1], 0, 1, axis=1)
        total = scores[np.arange(length), paths].sum(1) + transitions[before, paths].sum(1)
        target = found.examples.targets["scores"][row, :length]
        [right] = total[(paths == target).all(1)]
        losses.append(np.log(np.exp(total).sum()) - right)
        assert best[:length].argmax(-1).tolist() == paths[total.argmax()].tolist()
    assert found.metrics["loss"] == pytest.approx(np.mean(losses), rel=1e-4)


def test_the_log_determinant_of_the_flow_is_that_of_its_jacobian(tmp_path):
    tf = pytest.importorskip("tensorflow")
    digits = np.random.default_rng(0).uniform(0, 17, (64, 8, 8)).astype(np.float32)
    (tmp_path / "data/real_nvp").mkdir(parents=True)
    for split in ("train", "validation", "test"):
        np.savez(tmp_path / f"data/real_nvp/{split}.npz", image=digits)
    run = trained(tmp_path, "real_nvp", "train.epochs=3", "params.width=16", "params.couplings=3")
    image, model = tf.constant(digits[:2]), trained_model(run)
    with tf.GradientTape() as tape:
        tape.watch(image)
        outputs = model({"image": image}, training=False)
    jacobian = tf.reshape(tape.batch_jacobian(outputs["z"], image), (2, 64, 64)).numpy()
    np.testing.assert_allclose(outputs["log_det"][:, 0], np.linalg.slogdet(jacobian)[1], rtol=1e-4)


def test_a_neural_turing_machine_learns(tmp_path):
    (tmp_path / "data/copy_task").mkdir(parents=True)
    for split in ("train", "validation", "test"):
        np.savez(tmp_path / f"data/copy_task/{split}.npz", **sequences(128, 1, 2, 0))
    sizes = ("params.slots=5", "params.word=4", "params.width=8", "train.epochs=4")
    losses = [record["loss"] for record in trained(tmp_path, "neural_turing_machine", *sizes).metrics()]
    assert losses[-1] < losses[0]


@pytest.mark.full
def test_a_neural_turing_machine_copies_sequences_twice_as_long_as_in_training(tmp_path):
    pytest.importorskip("jax")
    write_sequences(tmp_path / "data/copy_task")
    (tmp_path / "specs").mkdir()
    file = tmp_path / "specs/neural_turing_machine.nnspec.yaml"
    file.write_text((SPECS / file.name).read_text(encoding="utf-8"), encoding="utf-8")
    run = tmp_path / "run"
    for command in (
        ["train", file, "--root", tmp_path, "--backend", "jax", "--out", run],
        ["export", run, "-o", run / "model.onnx"],
    ):
        subprocess.run([sys.executable, "-m", "nnspec", *map(str, command)], check=True)
    predictor = Predictor(run / "model.onnx")
    for split in ("test", "longer"):
        with np.load(tmp_path / f"data/copy_task/{split}.npz") as data:
            wrong = (predictor.predict({"sequence": data["sequence"]})["bits"] > 0.5) != (data["bits"] > 0.5)
            assert wrong[data["recall"] > 0].mean() <= 0.01


def examples_of_iris(run):
    """The standardized measures of the training examples, with a 1 for the bias, and their classes."""
    found = run_evaluation(run, part="train").examples
    measures = found.inputs["measures"][found.rows].astype(np.float64)
    return np.append(measures, np.ones((len(measures), 1)), 1), found.targets["sum"][found.rows].ravel()


def test_the_hebbian_rule_sums_the_examples_with_the_sign_of_their_class(tmp_path):
    (tmp_path / "data/iris").mkdir(parents=True)
    iris(tmp_path / "data/iris")
    run = trained(tmp_path, "hebb")
    measures, species = examples_of_iris(run)
    weights = np.append(run.weights()["sum/kernel"], run.weights()["sum/bias"])
    np.testing.assert_allclose(weights, (2 * species - 1) @ measures, rtol=1e-4, atol=1e-4)


def test_the_perceptron_stops_changing_once_it_makes_no_mistake(tmp_path):
    (tmp_path / "data/iris").mkdir(parents=True)
    iris(tmp_path / "data/iris")
    file = tmp_path / "data/iris/pair.csv"
    header, *rows = file.read_text(encoding="utf-8").splitlines()
    # The two species that a line separates: those of the other class are moved away.
    far = [row if row.endswith("versicolor") else f"9,9,9,9,{row.rpartition(',')[2]}" for row in rows]
    file.write_text("\n".join([header, *far]), encoding="utf-8")
    run = trained(tmp_path, "perceptron", "train.epochs=5")
    measures, species = examples_of_iris(run)
    weights = np.append(run.weights()["sum/kernel"], run.weights()["sum/bias"])
    assert ((measures @ weights > 0) == species).all()
    assert [record["loss"] for record in run.metrics()][-2:] == [0, 0]
    # Each change is an example, added or subtracted, so that the bias counts them.
    assert run.weights()["sum/bias"] == np.round(run.weights()["sum/bias"])
