"""Trains a small network with PyTorch Lightning, as its documentation says, and goes on from its newest checkpoint.

It runs in an environment that has torch and lightning, under ``python -m torch.distributed.run``:

    lightning_training.py DATA FOLDER EPOCHS

Each process appends the examples of each step to ``FOLDER/order-RANK.jsonl``.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

EVERY = 10
"""Steps from one checkpoint to the next."""


class Net(lightning.LightningModule):
    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Dropout(0.1), nn.Linear(64, 10))
        self.folder = folder
        self.last = float("nan")

    def on_train_start(self) -> None:
        self.log_file = (self.folder / f"order-{self.global_rank}.jsonl").open("a")

    def training_step(self, batch: Any, number: int) -> torch.Tensor:
        x, y, index = batch
        loss = nn.functional.cross_entropy(self.net(x), y)
        self.last = float(self.trainer.strategy.reduce(loss.detach(), reduce_op="mean"))
        self.log_file.write(json.dumps([self.global_step + 1, index.tolist(), self.last]) + "\n")
        self.log_file.flush()
        return loss

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), 1e-3)


def main(data: Path, folder: Path, epochs: int) -> None:
    lightning.seed_everything(3)
    arrays = np.load(data)
    examples = TensorDataset(
        torch.tensor(arrays["x"]), torch.tensor(arrays["y"].astype("int64")), torch.arange(len(arrays["x"]))
    )
    processes = int(os.environ["WORLD_SIZE"])
    net = Net(folder)
    trainer = lightning.Trainer(
        accelerator="cpu",
        devices=processes,
        strategy="ddp" if processes > 1 else "auto",
        max_epochs=epochs,
        default_root_dir=folder,
        callbacks=[ModelCheckpoint(folder / "checkpoints", every_n_train_steps=EVERY, save_last=True)],
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    last = folder / "checkpoints/last.ckpt"
    loader = DataLoader(examples, batch_size=16 // processes, shuffle=True, drop_last=True)
    trainer.fit(net, loader, ckpt_path=str(last) if last.exists() else None)
    if trainer.is_global_zero:
        print(json.dumps({"loss": net.last, "steps": trainer.global_step}), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
