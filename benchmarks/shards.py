"""Images in Parquet shards against the folder of their files, `tf.data` and PyTorch's loader: examples a second, waiting, memory.

python -m benchmarks shards                  # 400 MB of JPEG files
python -m benchmarks shards --size 4000 --only nnspec    # 4 GB
python -m benchmarks shards --torch ENVIRONMENT/bin/python

Each training runs in a process of its own, for two epochs. Before the first, the files are removed from the system's page
cache (cold); the second reads what is left in it (warm). "waited" is the share of the time that steps wait for data, and
"memory" what the process takes more than after loading its libraries.
"""

from __future__ import annotations

import argparse
import io
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

CLASSES = 4
SPEC = """nnspec: 1
name: net
inputs: {image: [SIDE, SIDE, 3]}
layers:
  - Conv2D: {filters: 8, kernel_size: 5, strides: 4, activation: relu}
  - Conv2D: {filters: 16, kernel_size: 3, strides: 2, activation: relu}
  - GlobalAveragePooling2D
  - Dense: {units: 4, activation: softmax}
    name: kind
data:
  train: READER
  inputs: {image: {column: image, transform: [{rescale: 0.00392156862745098}]}}
  targets: {kind: {column: label, transform: [label_encode]}}
train: {epochs: 2, batch_size: 32, seed: 1, optimizer: SGD, loss: SparseCategoricalCrossentropy}
"""


def keras_model(side: int, classes: int) -> Any:
    """The network of the spec."""
    import keras

    return keras.Sequential(
        [
            keras.Input((side, side, 3)),
            keras.layers.Conv2D(8, 5, 4, activation="relu"),
            keras.layers.Conv2D(16, 3, 2, activation="relu"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(classes, activation="softmax"),
        ]
    )


def write_images(folder: Path, size: int, side: int) -> int:
    """Writes JPEG files with some structure and some noise, until they have a size; returns their number."""
    from PIL import Image

    draw = np.random.default_rng(1)
    contents = []
    for _ in range(64):
        coarse = Image.fromarray(draw.integers(0, 256, (side // 16, side // 16, 3), np.uint8)).resize((side, side), 3)
        pixels = np.asarray(coarse, np.int16) + draw.integers(-12, 13, (side, side, 3))
        file = io.BytesIO()
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(file, "JPEG", quality=90)
        contents.append(file.getvalue())
    for kind in range(CLASSES):
        (folder / f"c{kind}").mkdir(parents=True)
    written = count = 0
    while written < size:
        content = contents[count % 64]
        (folder / f"c{count % CLASSES}" / f"{count:07}.jpg").write_bytes(content)
        written += len(content)
        count += 1
    return count


def measured(command: Sequence[object]) -> dict[str, Any]:
    """What a process prints on its last line."""
    child = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False)
    if child.returncode:
        raise RuntimeError(child.stderr[-2000:])
    found: dict[str, Any] = json.loads(child.stdout.splitlines()[-1])
    return found


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks shards", description=__doc__)
    parser.add_argument("--size", type=float, default=400.0, help="megabytes of JPEG files")
    parser.add_argument("--side", type=int, default=256, help="height and width of an image")
    parser.add_argument("--folder", type=Path, help="where the images are written, or were; by default a temporary folder")
    parser.add_argument("--only", metavar="TEXT", default="", help="only what has this text in its name: shards")
    parser.add_argument("--torch", metavar="PYTHON", help="an interpreter that has torch and Pillow")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        place = given.folder or Path(temporary)
        return compare(place, int(given.size * 1e6), given.side, given.torch, given.only)


def compare(place: Path, size: int, side: int, torch: str | None, only: str = "") -> int:
    from nnspec.data.conversion import convert
    from nnspec.files import is_free

    place.mkdir(parents=True, exist_ok=True)
    (place / "nnspec.toml").touch()
    if is_free(place / "images"):
        write_images(place / "images", size, side)
    if is_free(place / "shards"):
        convert(str(place / "images"), place / "shards")
    for name, reader in (("folder", "{images: images}"), ("shards", "{images: {parquet: shards, column: image}}")):
        (place / f"{name}.nnspec.yaml").write_text(SPEC.replace("SIDE", str(side)).replace("READER", reader))
    files = sum(1 for _ in (place / "images").rglob("*.jpg"))
    shards = list((place / "shards").iterdir())
    print(
        f"{files:,} images of {side}×{side}, {sum(path.stat().st_size for path in shards) / 1e6:,.0f} MB, {len(shards)} shards"
    )
    print(f"{'':<38}{'cold':>8}{'warm':>8} examples/s  {'waited':>7}  {'memory':>8}")
    cases = [
        ("nnspec, folder of files", ("train", place / "folder.nnspec.yaml", place / "a", "--cold", place / "images")),
        ("nnspec, shards", ("train", place / "shards.nnspec.yaml", place / "b", "--cold", place / "shards")),
        ("nnspec, shards, nothing ahead", ("train", place / "shards.nnspec.yaml", place / "c", "--cold", place / "shards", "--ahead", 0)),
        ("Keras's fit, tf.data, files", ("keras", place / "images", "--cold", place / "images", "--side", side, "--epochs", 2)),
    ]  # fmt: skip
    ours = [sys.executable, "-m", "benchmarks.streaming"]
    commands = [(name, [*ours, *arguments]) for name, arguments in cases]
    if torch is not None:
        script = Path(__file__).with_name("torch_loading.py")
        commands.append(("PyTorch, DataLoader, 2 workers, files", [torch, script, place / "images", 2]))
    for name, command in (each for each in commands if only in each[0]):
        found = measured(command)
        cold, warm = found["epochs"]
        waited = warm["waited"] / warm.get("seconds", 1)
        share = "" if np.isnan(waited) else f"{waited:.0%}"
        memory = (found["peak"] - found["begin"]) / 1e6
        print(f"{name:<38}{cold['rate']:>8,.0f}{warm['rate']:>8,.0f}             {share:>7}  {memory:>5,.0f} MB", flush=True)
    return 0
