"""Trains the network of `shards` in PyTorch on a folder of JPEG files, by a `DataLoader` with two workers. `shards` starts it.

It runs in an environment that has torch and Pillow, and nothing of nnspec's:

    PYTHON benchmarks/torch_loading.py FOLDER EPOCHS

The last line is JSON: examples a second in each epoch, and memory of this process and its workers in bytes.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Files(Dataset):
    """Images and the numbers of their folders."""

    def __init__(self, folder: Path) -> None:
        self.paths = sorted(map(str, folder.rglob("*.jpg")))
        self.classes = sorted({Path(path).parent.name for path in self.paths})

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, row: int) -> tuple[torch.Tensor, int]:
        path = self.paths[row]
        pixels = np.asarray(Image.open(path).convert("RGB"), np.float32) / 255
        return torch.from_numpy(pixels).permute(2, 0, 1), self.classes.index(Path(path).parent.name)


def resident() -> int:
    """The memory of this process and its children, less what they share."""
    pids = [os.getpid(), *map(int, Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())]
    pages = 0
    for pid in pids:
        try:
            _, whole, shared, *_ = map(int, Path(f"/proc/{pid}/statm").read_text().split())
        except OSError:
            continue  # it has ended
        pages += whole - (shared if pid != os.getpid() else 0)
    return pages * os.sysconf("SC_PAGESIZE")


def main(folder: Path, epochs: int) -> None:
    for path in folder.rglob("*.jpg"):
        file = os.open(path, os.O_RDONLY)
        os.fsync(file)
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(file)
    files = Files(folder)
    loader = DataLoader(files, 32, shuffle=True, num_workers=2)
    net = nn.Sequential(
        nn.Conv2d(3, 8, 5, 4),
        nn.ReLU(),
        nn.Conv2d(8, 16, 3, 2),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(16, 4),
    )
    optimizer, loss_of = torch.optim.SGD(net.parameters(), 0.01), nn.CrossEntropyLoss()
    begin = peak = resident()

    def watch() -> None:
        nonlocal peak
        while True:
            peak = max(peak, resident())
            time.sleep(0.2)

    threading.Thread(target=watch, daemon=True).start()
    found = []
    for _ in range(epochs):
        began = time.perf_counter()
        for x, y in loader:
            optimizer.zero_grad()
            loss_of(net(x), y).backward()
            optimizer.step()
        found.append({"rate": len(files) / (time.perf_counter() - began), "waited": float("nan")})
    print(json.dumps({"epochs": found, "peak": peak, "begin": begin}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
