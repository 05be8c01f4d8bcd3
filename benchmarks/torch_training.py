"""Trains the nets of `training_cases` in PyTorch, by a loop as its users write it. `training_throughput` starts it.

It runs in an environment that has torch, and nothing of nnspec's:

    PYTHON benchmarks/torch_training.py NET FOLDER EPOCHS

It waits for a line before each epoch, and prints the seconds that the epoch took.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch_nets import lenet, resnet20


class Lstm(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.rnn, self.kind = nn.LSTM(16, 64, num_layers=2, batch_first=True), nn.Linear(64, 5)

    def forward(self, x: Tensor) -> Tensor:
        return self.kind(self.rnn(x)[0][:, -1])


def mlp() -> nn.Module:
    return nn.Sequential(nn.Linear(30, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))


def digits(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    x = np.fromfile(folder / "images-idx3-ubyte", np.uint8)[16:].reshape(-1, 1, 28, 28).astype("float32") / 255
    return x, np.fromfile(folder / "labels-idx1-ubyte", np.uint8)[8:]


def table(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    rows = np.loadtxt(folder / "table.csv", delimiter=",", skiprows=1)
    x = rows[:, :30]
    return (x - x.mean(0)) / x.std(0), rows[:, 30]


def arrays(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    with np.load(folder / "data.npz") as data:
        x, y = data["x"], data["y"]
    return (np.moveaxis(x, -1, 1) if x.ndim == 4 else x), y


# The softmax at the end is part of the loss here.
NETS = {
    "lenet": (lambda: lenet()[:-1], digits, 128),
    "mlp": (mlp, table, 128),
    "lstm": (Lstm, arrays, 32),
    "resnet20": (lambda: resnet20()[:-1], arrays, 64),
}


def main(name: str, folder: Path, epochs: int) -> None:
    make, read, size = NETS[name]
    net, (values, kinds) = make(), read(folder)
    x, y = torch.from_numpy(np.ascontiguousarray(values, np.float32)), torch.from_numpy(kinds.astype(np.int64))
    adam, loss_of = torch.optim.Adam(net.parameters()), nn.CrossEntropyLoss()
    for _ in range(epochs):
        sys.stdin.readline()
        began = time.perf_counter()
        total, right = torch.zeros(()), torch.zeros(())
        for rows in torch.randperm(len(x)).split(size):
            adam.zero_grad(set_to_none=True)
            answers = net(x[rows])
            loss = loss_of(answers, y[rows])
            loss.backward()
            adam.step()
            total += loss.detach() * len(rows)
            right += (answers.detach().argmax(1) == y[rows]).sum()
        print(time.perf_counter() - began, flush=True)
    sys.stdin.readline()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
