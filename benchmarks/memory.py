"""Whether memory stays flat: what the process holds after each epoch, over many epochs, and on data far larger than memory holds.

python -m benchmarks memory                                  # 20 epochs of LeNet-5; then pictures of 4 GB, which are made first
python -m benchmarks memory --part large --gigabytes 4 --folder /tmp/pictures
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.training_cases import CASES

SIDE = 256
"""Pictures of 256 × 256 × 3 bytes, written without compression: their files take what their pixels take."""

LARGE = """nnspec: 1
name: large
inputs: {image: [256, 256, 3]}
layers:
  - AveragePooling2D: {pool_size: 8}
  - Conv2D: {filters: 8, kernel_size: 3, activation: relu}
  - GlobalAveragePooling2D
  - Dense: {units: 2, activation: softmax}
    name: kind
data:
  train: {images: {folder: pictures}}
  inputs: {image: {column: image, transform: [{rescale: 0.00392156862745098}]}}
  targets: {kind: {column: label, transform: [label_encode]}}
train: {epochs: EPOCHS, batch_size: 32, seed: 1, loss: SparseCategoricalCrossentropy}
"""
MOST_GROWTH = 0.05
"""How much more a training may hold after its last epoch than after its second: the first compiles."""


def main(arguments: list[str]) -> int:
    """Prints what is held after each epoch; 0 where it stays flat."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks memory", description=__doc__)
    parser.add_argument("--part", choices=("epochs", "large"), action="append", help="one of them alone")
    parser.add_argument("--epochs", type=int, default=20, help="epochs of LeNet-5")
    parser.add_argument("--large-epochs", type=int, default=4, help="epochs of the large data")
    parser.add_argument("--gigabytes", type=float, default=4.0, help="how large the large data are")
    parser.add_argument("--folder", type=Path, help="where the pictures are made, or were; by default somewhere for once")
    given = parser.parse_args(arguments)
    flat = []
    with tempfile.TemporaryDirectory() as made:
        if "epochs" in (given.part or ("epochs",)):
            case = CASES["lenet"]
            case.write(Path(made))
            flat.append(_train("LeNet-5 on 60,000 images in memory", Path(made), case.document(given.epochs)))
        if "large" in (given.part or ("large",)):
            folder = given.folder or Path(made)
            count, size = _write(folder / "pictures", given.gigabytes)
            what = f"{count:,} pictures, {size / 1e9:.2f} GB of files"
            flat.append(_train(what, folder, LARGE.replace("EPOCHS", str(given.large_epochs))))
    return 0 if all(flat) else 1


def _train(what: str, folder: Path, text: str) -> bool:
    from nnspec.spec import load
    from nnspec.training import train
    from nnspec.training.loop.progress import Quiet

    held: list[float] = []

    class Watching(Quiet):
        def epoch_ended(self, record: dict[str, Any]) -> None:
            held.append(_resident())
            rate = f"{record['examples_per_second']:,.0f} examples/s"
            print(f"  epoch {record['epoch']:>2}: {held[-1]:,.0f} MB held, {_most():,.0f} MB at most, {rate}", flush=True)

    (folder / "net.nnspec.yaml").write_text(text, encoding="utf-8")
    print(what, flush=True)
    with tempfile.TemporaryDirectory() as out:
        train(load(folder / "net.nnspec.yaml"), out=Path(out) / "run", progress=Watching())
    growth = held[-1] / held[1] - 1
    flat = growth <= MOST_GROWTH
    print(f"  from epoch 2 to epoch {len(held)}: {growth:+.1%}: {'flat' if flat else 'NOT FLAT'}", flush=True)
    return flat


def _write(folder: Path, gigabytes: float) -> tuple[int, int]:
    """Makes pictures until they take so much; those that are there are kept."""
    from PIL import Image

    random = np.random.default_rng(0)
    count = round(gigabytes * 1e9 / (SIDE * SIDE * 3))
    for i in range(count):
        path = folder / f"kind{i % 2}" / f"{i:06}.png"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(random.integers(0, 256, (SIDE, SIDE, 3), np.uint8)).save(path, compress_level=0)
    files = list(folder.rglob("*.png"))
    return len(files), sum(path.stat().st_size for path in files)


def _resident() -> float:
    """What the process holds in memory now, in MB."""
    return _status("VmRSS")


def _most() -> float:
    """The most it has held."""
    return _status("VmHWM")


def _status(name: str) -> float:
    lines: Sequence[str] = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(name))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
