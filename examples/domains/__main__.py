"""``python -m examples.domains RUN CLASSIFIER``: classifies MNIST's test digits by a network of scikit-learn's digits.

``CLASSIFIER`` is a run of ``specs/digits.nnspec.yaml``, and ``RUN`` one of ``specs/digits_cycle_gan.nnspec.yaml``, which
translates the digits of MNIST, resized to 8 × 8. The accuracy with and without the translation is printed.
"""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from examples.fetch.__main__ import DATA
from nnspec.onnx_backend import to_onnx
from nnspec.onnx_backend.proto import serialized
from nnspec.runtime.model_file import ModelFile
from nnspec.training import Run
from nnspec.training.evaluation.evaluate import examples_of

TRANSLATOR = "to_other"


def _model(run: Run, network: str) -> ModelFile:
    graph = run.model.networks[network]
    return ModelFile(serialized(to_onnx(graph, graph.own(run.weights()))), f"`{run.path}`")


@click.command()
@click.argument("translation", type=click.Path(exists=True, path_type=Path))
@click.argument("classifier", type=click.Path(exists=True, path_type=Path))
def main(translation: Path, classifier: Path) -> None:
    """Prints the accuracy on MNIST before and after the translation."""
    run, classify = Run.open(translation), _model(Run.open(classifier), "main")
    translate = _model(run, TRANSLATOR)
    images = np.asarray(examples_of(run, "test")[1].batch(slice(None)).inputs["mnist"])
    labels = np.fromfile(DATA / "mnist/t10k-labels-idx1-ubyte", np.uint8, offset=8)
    [translated] = translate({"image": images}).values()

    def accuracy(digits: NDArray[np.float32]) -> float:
        return float((classify({"image": digits})["digit"].argmax(1) == labels).mean())

    print(f"MNIST            {accuracy(images):.4f}\nMNIST translated {accuracy(translated):.4f}")


if __name__ == "__main__":
    main()
