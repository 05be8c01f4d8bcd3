"""Holds a run's Keras model against its ONNX file at sizes that were never trained on.

Run ``python -m examples.segmentation.sizes runs/unet_nuclei data/nuclei/whole/images/000.png``.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from nnspec import Predictor
from nnspec.cli.frameworks import load_frameworks
from nnspec.data.kinds import Column
from nnspec.data.readers.base import Table
from nnspec.data.recipe import read_inputs
from nnspec.onnx_backend.parity import Parity, measure
from nnspec.runtime.session import Run as Answers
from nnspec.training import Run
from nnspec.types import Condition

__all__ = ["at_sizes"]

_WANTED = ((40, 72), (136, 104), (264, 184), (500, 190))


class _Pictures(Table):
    """Pictures in memory, as a reader gives them."""

    def __init__(self, images: NDArray[np.uint8]) -> None:
        self._images = images
        self.columns = {"image": Column(images.shape[1:], "uint8")}

    def __len__(self) -> int:
        return len(self._images)

    def read(self, column: str, rows: Any) -> NDArray[np.uint8]:
        return self._images[rows]


def at_sizes(run_path: str | Path, picture: str | Path) -> dict[tuple[int, int], Parity]:
    """The parity on the middle of a picture, each time of the next size the network takes; beyond it is its mirror image.

    Args:
        run_path: The run folder, with the exported ``model.onnx``.
        picture: The picture, grey.
    """
    from nnspec.exporting.keras_reference import keras_reference
    from nnspec.training.evaluation.evaluate import examples_of

    run, predictor = Run.open(run_path), Predictor(Path(run_path, "model.onnx"))
    graph = run.main
    trained = examples_of(run, "train")[1].inputs["image"].shape[1:3]

    def of_pictures(keras: Answers) -> Answers:
        return lambda raw: keras(read_inputs(_Pictures(raw["image"]), "the picture", run.recipe(), graph.inputs))

    reference = keras_reference(graph, run.weights()).around(of_pictures)
    found = {}
    for wanted in _WANTED:
        height, width = (
            graph.conditions.get(name, Condition()).next_fit(size) for name, size in zip("HW", wanted, strict=True)
        )
        assert (height, width) != trained
        image = np.asarray(Image.open(picture))
        image = np.pad(image, [(0, max(0, height - image.shape[0])), (0, max(0, width - image.shape[1]))], mode="symmetric")
        top, left = (image.shape[0] - height) // 2, (image.shape[1] - width) // 2
        middle = image[top : top + height, left : left + width]
        found[height, width] = measure(reference, predictor.predict, [{"image": middle[None, :, :, None]}])
    return found


def main(run_path: str, picture: str) -> int:
    """Prints the parity at each size; the status is 1 where they differ."""
    load_frameworks("train", "serve")
    found = at_sizes(run_path, picture)
    for (height, width), parity in found.items():
        print(f"{height} × {width}: {parity.text().splitlines()[0]}")
    return 0 if all(parity.agrees for parity in found.values()) else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
