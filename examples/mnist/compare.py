"""Compares a run's Keras model with its ONNX file on all test images: accuracy of each, and where their classes differ.

The ONNX model takes the images as they are in the files, bytes from 0 to 255.

Run ``python examples/mnist/compare.py runs/lenet5 lenet5.onnx``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from nnspec.runtime.predicting import predict_file
from nnspec.training import Run
from nnspec.training.evaluation import examples_of, trained_model

TEST = "idx: {images: data/mnist/t10k-images-idx3-ubyte, labels: data/mnist/t10k-labels-idx1-ubyte}"


def main(run_path: str, onnx_path: str) -> int:
    """Prints the figures; the status is 1 where a class differs."""
    run = Run.open(Path(run_path))
    part, examples = examples_of(run, "test")
    batch = examples.batch(slice(None))
    [(output, target)] = batch.targets.items()
    keras = np.asarray(trained_model(run).predict(dict(batch.inputs), verbose=0)[output]).argmax(-1)
    onnx = predict_file(onnx_path, TEST).outputs[output].argmax(-1)
    differing = int((keras != onnx).sum())
    print(f"{len(target):,} images of the {part} data")
    print(f"Keras         {(keras == target).mean():.4f}")
    print(f"ONNX Runtime  {(onnx == target).mean():.4f}")
    print(f"classes that differ: {differing}")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
