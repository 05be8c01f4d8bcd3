"""U-Nets of every kind of way up: trained on small pictures, and the exported file equals Keras at sizes never trained."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nnspec import Predictor
from nnspec.data.recipe import open_data, read_inputs
from nnspec.exporting.keras_reference import keras_reference
from nnspec.exporting.runs import export_run
from nnspec.onnx_backend.parity import measure
from nnspec.spec import load
from nnspec.training import evaluate, train
from nnspec.training.loop.progress import Quiet

HEAD = """nnspec: 1
name: small
blocks:
  conv:
    params: {filters: int}
    layers:
      - Conv2D: {filters: $filters, kernel_size: 3, padding: %s, activation: relu}
inputs: {image: [H, W, 1]}
layers:
"""
TAIL = """
  - Conv2D: {filters: %s, kernel_size: 1, activation: %s}
    name: mask
data:
  train: {masks: {images: train/images, masks: train/masks}}
  test: {masks: {images: test/images, masks: test/masks}}
  inputs: {image: {column: image, transform: [standardize]}}
  targets: {mask: {column: mask%s}}
  augment: [{RandomFlip: {}, on: [image, mask]}]
train: {epochs: 25, batch_size: 4, seed: 1, optimizer: {Adam: {learning_rate: 0.01}}, loss: %s, metrics: [%s]}
"""
DOWN = "  - conv: {filters: 8}\n    name: down\n  - MaxPooling2D\n  - conv: {filters: 16}\n"
TRANSPOSED = DOWN + "  - Conv2DTranspose: {filters: 8, kernel_size: 2, strides: 2}\n    name: up\n"
NEAREST = DOWN + "  - UpSampling2D\n  - Conv2D: {filters: 8, kernel_size: 2, padding: same}\n    name: up\n"
UNPOOLED = (
    "  - conv: {filters: 8}\n    name: down\n  - MaxPoolingWithIndices2D: {pool_size: 2}\n    name: pool\n"
    "  - conv: {filters: 8}\n    from: pool.output\n    name: bottom\n"
    "  - MaxUnpooling2D: {pool_size: 2}\n    from: {x: bottom, indices: pool.indices, like: down}\n    name: up\n"
)
JOINED = "  - Concatenate:\n    from: [up, down]\n  - conv: {filters: 8}\n"
CROPPED = "  - Cropping2D: {cropping: 2}\n    from: down\n    name: skip\n  - Concatenate:\n    from: [up, skip]\n  - conv: {filters: 8}\n"
YES_OR_NO = ("1", "sigmoid")
KINDS = {
    "transposed": HEAD % "same" + TRANSPOSED + JOINED + TAIL % (*YES_OR_NO, "", "BinaryCrossentropy", "BinaryDice"),
    "nearest_by_dice": HEAD % "same" + NEAREST + JOINED + TAIL % (*YES_OR_NO, "", "Dice", "BinaryDice"),
    "nearest_by_tversky": HEAD % "same"
    + NEAREST
    + JOINED
    + TAIL % (*YES_OR_NO, "", "{Tversky: {alpha: 0.3, beta: 0.7}}", "BinaryDice"),
    "unpooled_by_focal_loss": HEAD % "same"
    + UNPOOLED
    + JOINED
    + TAIL % (*YES_OR_NO, "", "BinaryFocalCrossentropy", "BinaryDice"),
    "valid": HEAD % "valid"
    + TRANSPOSED
    + CROPPED
    + TAIL % ("2", "softmax", ", crop: 4, weight: {border: {w0: 5.0}}", "SparseCategoricalCrossentropy", "MeanDice"),
}
SIZES = ((26, 42), (50, 30), (62, 62))


def write(folder: Path) -> None:
    for part, size, count in (("train", (34, 30), 8), ("test", (38, 46), 3)):
        for name in ("images", "masks"):
            (folder / part / name).mkdir(parents=True)
        for number in range(count):
            random = np.random.default_rng(number + 10 * (part == "test"))
            mask = np.zeros(size, np.uint8)
            for y, x in random.integers(4, 22, (4, 2)):
                mask[y : y + 6, x : x + 6] = 1
            grey = mask * 60 + random.integers(30, 70, size)
            Image.fromarray(grey.astype(np.uint8)).save(folder / part / "images" / f"{number}.png")
            Image.fromarray(mask).save(folder / part / "masks" / f"{number}.png")


@pytest.mark.parametrize("kind", KINDS)
def test_it_learns_and_its_exported_file_equals_keras_at_sizes_never_trained(tmp_path: Path, kind: str) -> None:
    write(tmp_path)
    (tmp_path / "net.nnspec.yaml").write_text(KINDS[kind])
    run = train(load(tmp_path / "net.nnspec.yaml"), out=tmp_path / "run", progress=Quiet())
    figures = evaluate(run)
    assert next(value for name, value in figures.items() if name.endswith("dice")) > 0.8, figures
    export_run(tmp_path / "run", tmp_path / "model.onnx")
    predictor, keras = Predictor(tmp_path / "model.onnx"), keras_reference(run.main, run.weights())
    for height, width in SIZES:
        raw = np.random.default_rng(0).integers(0, 256, (2, height, width, 1), np.uint8)
        np.savez(tmp_path / "raw.npz", image=raw)
        table, name = open_data(str(tmp_path / "raw.npz"))
        inputs = read_inputs(table, name, run.recipe(), run.main.inputs)
        reference = keras.around(lambda answer, inputs=inputs: lambda _: answer(inputs))  # type: ignore[misc]
        found = measure(reference, predictor.predict, [{"image": raw}])
        assert found.agrees, found.text()
        margin = 8 if kind == "valid" else 0
        assert predictor.predict({"image": raw})["mask"].shape[1:3] == (height - margin, width - margin)
