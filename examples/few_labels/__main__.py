"""``python -m examples.few_labels RUN…``: scores the vectors that networks return for scikit-learn's digits.

A logistic regression is fitted to the vectors of a few labeled digits of each class, and scored on 400 test digits; the labeled
digits are drawn several times. The references are the same network with its initial random weights, and the pixels.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from examples.fetch.__main__ import DATA
from examples.fetch.__main__ import main as fetch
from nnspec.graph import Graph
from nnspec.keras_backend import to_keras
from nnspec.onnx_backend import to_onnx
from nnspec.onnx_backend.proto import serialized
from nnspec.runtime.model_file import ModelFile
from nnspec.training import Run

__all__ = ["accuracies"]

Vectors = Callable[[NDArray[Any]], NDArray[Any]]


def accuracies(vectors: Vectors, each: int, draws: int) -> NDArray[np.float64]:
    """The accuracy on the test digits for each draw of the labeled digits.

    Args:
        vectors: Returns the vectors (N, D) of images (N, 8, 8, 1).
        each: The number of labeled digits of each class.
        draws: How often they are drawn.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    train, test = (dict(np.load(DATA / f"digits_few/{part}.npz")) for part in ("train", "test"))
    known, asked = vectors(train["image"]), vectors(test["image"])
    found = []
    for seed in range(draws):
        order = np.random.default_rng(seed).permutation(len(known))
        rows = np.concatenate([order[train["digit"][order] == digit][:each] for digit in range(10)])
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(known[rows], train["digit"][rows])
        found.append(model.score(asked, test["digit"]))
    return np.asarray(found)


def _exported(run: Run) -> str:
    export = run.spec.section("export")
    network = export and export.get("network")
    return str(network.value) if network else "main"


def _trained(graph: Graph, run: Run) -> Vectors:
    model = ModelFile(serialized(to_onnx(graph, graph.own(run.weights()))), f"`{run.path}`")
    return lambda images: model({"image": images})[next(iter(graph.outputs))]


def _untrained(graph: Graph) -> Vectors:
    import keras

    keras.utils.set_random_seed(0)
    model = to_keras(graph)
    return lambda images: np.asarray(next(iter(model({"image": images}, training=False).values())))


@click.command()
@click.argument("runs", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--each", default=3, show_default=True, help="The number of labeled digits of each class.")
@click.option("--draws", default=20, show_default=True, help="How often they are drawn.")
def main(runs: tuple[Path, ...], each: int, draws: int) -> None:
    """Prints the mean and the standard deviation of the accuracy, for each run and for the references."""
    fetch(["digits_few"])

    def print_row(name: str, vectors: Vectors) -> None:
        found = accuracies(vectors, each, draws)
        print(f"{name:32} {found.mean():.4f} ± {found.std():.4f}", flush=True)

    for path in runs:
        run = Run.open(path)
        graph = run.model.networks[_exported(run)]
        print_row(str(path), _trained(graph, run))
        print_row(f"{path}, initial weights", _untrained(graph))
    print_row("pixels", lambda images: images.reshape(len(images), -1))


if __name__ == "__main__":
    main()
