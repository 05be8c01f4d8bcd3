"""What is trained for its speed: each net as a spec, its data, and the same written by hand in Keras."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["CASES", "ON_ARRAYS", "Case"]

_ROOT = Path(__file__).parent.parent


ON_ARRAYS = "Keras fit on arrays"


@dataclass(frozen=True)
class Case:
    """One net with its data.

    Attributes:
        what: What a row calls it.
        batch_size: Examples of a step.
        examples: How many there are.
        spec: The document, without `train`; its data lie beside it.
        write: Writes the data into a folder.
        peer: The Keras model, and what is given to its `fit`; reads the same data.
        wanted: How many times faster it must be.
        against: What the peer is.
        lazy: Whether the data are read as they are used, which they else are only where memory does not hold them.
    """

    what: str
    batch_size: int
    examples: int
    spec: str
    write: Callable[[Path], None]
    peer: Callable[[Path], tuple[Any, dict[str, Any]]]
    wanted: float = 1.0
    against: str = ON_ARRAYS
    lazy: bool = False

    def document(self, epochs: int) -> str:
        """The whole spec."""
        return f"""nnspec: 1
{self.spec}
train:
  epochs: {epochs}
  batch_size: {self.batch_size}
  seed: 1
  optimizer: Adam
  loss: SparseCategoricalCrossentropy
  metrics: [SparseCategoricalAccuracy]
"""


_LENET = """name: lenet5
inputs: {image: [28, 28, 1]}
layers:
  - Conv2D: {filters: 6, kernel_size: 5, padding: same, activation: tanh}
  - AveragePooling2D: {pool_size: 2}
  - Conv2D: {filters: 16, kernel_size: 5, activation: tanh}
  - AveragePooling2D: {pool_size: 2}
  - Flatten
  - Dense: {units: 120, activation: tanh}
  - Dense: {units: 84, activation: tanh}
  - Dense: {units: 10, activation: softmax}
    name: digit
data:
  train: {idx: {images: images-idx3-ubyte, labels: labels-idx1-ubyte}}
  inputs: {image: {column: image, transform: [{rescale: 0.00392156862745098}]}}"""


def _write_digits(folder: Path) -> None:
    """MNIST, where `python -m examples.fetch mnist` has put it; else noise of its shape, on which a step takes as long."""
    mnist = _ROOT / "data/mnist"
    if (mnist / "train-images-idx3-ubyte").is_file():
        for kind in ("images-idx3-ubyte", "labels-idx1-ubyte"):
            (folder / kind).write_bytes((mnist / f"train-{kind}").read_bytes())
        return
    random = np.random.default_rng(0)
    images, labels = random.integers(0, 256, (60_000, 28, 28), np.uint8), random.integers(0, 10, 60_000, np.uint8)
    (folder / "images-idx3-ubyte").write_bytes(struct.pack(">4I", 0x803, *images.shape) + images.tobytes())
    (folder / "labels-idx1-ubyte").write_bytes(struct.pack(">2I", 0x801, len(labels)) + labels.tobytes())


def _lenet(folder: Path) -> tuple[Any, dict[str, Any]]:
    import keras
    from keras import layers

    x = np.fromfile(folder / "images-idx3-ubyte", np.uint8)[16:].reshape(-1, 28, 28, 1).astype("float32") / 255
    y = np.fromfile(folder / "labels-idx1-ubyte", np.uint8)[8:].astype("int64")
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(6, 5, padding="same", activation="tanh"),
            layers.AveragePooling2D(2),
            layers.Conv2D(16, 5, activation="tanh"),
            layers.AveragePooling2D(2),
            layers.Flatten(),
            layers.Dense(120, activation="tanh"),
            layers.Dense(84, activation="tanh"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    return model, {"x": x, "y": y, "batch_size": 128}


_COLUMNS = [f"c{i}" for i in range(30)]
_MLP = f"""name: mlp
inputs: {{facts: [30]}}
layers:
  - Dense: {{units: 64, activation: relu}}
  - Dense: {{units: 64, activation: relu}}
  - Dense: {{units: 2, activation: softmax}}
    name: kind
data:
  train: {{csv: table.csv}}
  inputs: {{facts: {{columns: [{", ".join(_COLUMNS)}], transform: [standardize]}}}}
  targets: {{kind: kind}}"""


def _write_table(folder: Path) -> None:
    random = np.random.default_rng(0)
    values = random.normal(3, 2, (60_000, 30))
    kind = (values[:, :5].sum(1) > 15).astype(int)
    header = ",".join([*_COLUMNS, "kind"])
    rows = np.column_stack([values.round(4), kind])
    np.savetxt(folder / "table.csv", rows, fmt=["%.4f"] * 30 + ["%d"], delimiter=",", header=header, comments="")


def _mlp(folder: Path) -> tuple[Any, dict[str, Any]]:
    import keras
    from keras import layers

    rows = np.loadtxt(folder / "table.csv", delimiter=",", skiprows=1)
    x, y = rows[:, :30], rows[:, 30].astype("int64")
    x = ((x - x.mean(0)) / x.std(0)).astype("float32")
    dense = [layers.Dense(64, activation="relu"), layers.Dense(64, activation="relu"), layers.Dense(2, activation="softmax")]
    return keras.Sequential([keras.Input((30,)), *dense]), {"x": x, "y": y, "batch_size": 128}


_LSTM = """name: lstm
inputs: {x: [50, 16]}
layers:
  - LSTM: {units: 64, return_sequences: true}
  - LSTM: {units: 64}
  - Dense: {units: 5, activation: softmax}
    name: kind
data: {train: {npz: data.npz}, targets: {kind: y}}"""


def _write_series(folder: Path) -> None:
    random = np.random.default_rng(0)
    np.savez(folder / "data.npz", x=random.standard_normal((2048, 50, 16), np.float32), y=random.integers(0, 5, 2048))


def _lstm(folder: Path) -> tuple[Any, dict[str, Any]]:
    import keras
    from keras import layers

    with np.load(folder / "data.npz") as data:
        x, y = data["x"], data["y"]
    steps = [layers.LSTM(64, return_sequences=True), layers.LSTM(64), layers.Dense(5, activation="softmax")]
    return keras.Sequential([keras.Input((50, 16)), *steps]), {"x": x, "y": y, "batch_size": 32}


def _resnet_spec() -> str:
    text = (_ROOT / "tests/corpus/resnet20.nnspec.yaml").read_text("utf-8")
    return text.partition("nnspec: 1\n")[2] + "data: {train: {npz: data.npz}, inputs: {image: x}, targets: {label: y}}"


def _write_pictures(folder: Path) -> None:
    random = np.random.default_rng(0)
    np.savez(folder / "data.npz", x=random.random((1280, 32, 32, 3), np.float32), y=random.integers(0, 10, 1280))


def _resnet(folder: Path) -> tuple[Any, dict[str, Any]]:
    import keras
    from keras import layers

    def conv_bn(x: Any, filters: int, size: int = 3, strides: int = 1) -> Any:
        x = layers.Conv2D(filters, size, strides=strides, padding="same", use_bias=False)(x)
        return layers.BatchNormalization()(x)

    with np.load(folder / "data.npz") as data:
        images, labels = data["x"], data["y"]
    image = keras.Input((32, 32, 3))
    x = layers.ReLU()(conv_bn(image, 16))
    for stage in range(3):
        for unit in range(3):
            strides = 2 if stage and not unit else 1
            filters = 16 * 2**stage
            y = conv_bn(layers.ReLU()(conv_bn(x, filters, strides=strides)), filters)
            x = layers.ReLU()(layers.Add()([y, conv_bn(x, filters, 1, strides) if strides == 2 else x]))
    x = layers.Dense(10, activation="softmax")(layers.GlobalAveragePooling2D()(x))
    return keras.Model(image, x), {"x": images, "y": labels, "batch_size": 64}


_FOLDER = """name: folder
inputs: {image: [96, 96, 3]}
layers:
  - Conv2D: {filters: 16, kernel_size: 3, strides: 2, activation: relu}
  - Conv2D: {filters: 32, kernel_size: 3, strides: 2, activation: relu}
  - Conv2D: {filters: 32, kernel_size: 3, strides: 2, activation: relu}
  - GlobalAveragePooling2D
  - Dense: {units: 4, activation: softmax}
    name: kind
data:
  train: {images: {folder: pictures}}
  inputs: {image: {column: image, transform: [{rescale: 0.00392156862745098}]}}
  targets: {kind: {column: label, transform: [label_encode]}}"""


def _write_folder(folder: Path) -> None:
    """JPEG pictures of soft blobs, so that decoding one costs what it costs of a photograph."""
    from PIL import Image

    random = np.random.default_rng(zlib.crc32(b"folder"))
    for i in range(3072):
        place = folder / "pictures" / f"kind{i % 4}"
        place.mkdir(parents=True, exist_ok=True)
        coarse = Image.fromarray(random.integers(0, 256, (12, 12, 3), np.uint8))
        coarse.resize((96, 96), Image.Resampling.BICUBIC).save(place / f"{i:05}.jpg", quality=90)


def _folder(folder: Path) -> tuple[Any, dict[str, Any]]:
    import keras
    from keras import layers

    dataset = keras.utils.image_dataset_from_directory(
        folder / "pictures", image_size=(96, 96), batch_size=32, seed=1, verbose=False
    )
    convolutions = [layers.Conv2D(filters, 3, strides=2, activation="relu") for filters in (16, 32, 32)]
    ends = [layers.GlobalAveragePooling2D(), layers.Dense(4, activation="softmax")]
    return keras.Sequential([keras.Input((96, 96, 3)), layers.Rescaling(1 / 255), *convolutions, *ends]), {"x": dataset}


_DIRECTORY = "image_dataset_from_directory"
CASES = {
    "lenet": Case("LeNet-5, MNIST", 128, 60_000, _LENET, _write_digits, _lenet, 1.3),
    "mlp": Case("MLP, CSV of 30 columns", 128, 60_000, _MLP, _write_table, _mlp, 1.3),
    "lstm": Case("LSTM × 2, 64 units, 50 steps", 32, 2048, _LSTM, _write_series, _lstm),
    "resnet20": Case("ResNet-20, 32²", 64, 1280, _resnet_spec(), _write_pictures, _resnet),
    "folder": Case("folder of JPEG, 96²", 32, 3072, _FOLDER, _write_folder, _folder, against=_DIRECTORY),
    "folder-lazy": Case(
        "folder of JPEG, 96², read each epoch", 32, 3072, _FOLDER, _write_folder, _folder, against=_DIRECTORY, lazy=True
    ),
}
"""Every case by its short name."""
