"""Trains a small network with Hugging Face Accelerate, as its documentation says, and goes on from its newest checkpoint.

It runs in an environment that has torch and accelerate, under ``python -m torch.distributed.run``:

    accelerate_training.py DATA FOLDER EPOCHS

Each process appends the examples of each step to ``FOLDER/order-RANK.jsonl``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import DataLoaderConfiguration, ProjectConfiguration, set_seed
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

EVERY = 10
"""Steps from one checkpoint to the next."""


def main(data: Path, folder: Path, epochs: int) -> None:
    set_seed(3)
    accelerator = Accelerator(
        cpu=True,
        # The settings that make the order of examples the same whatever the number of processes, and that of a resumed one.
        dataloader_config=DataLoaderConfiguration(split_batches=True, use_seedable_sampler=True),
        project_config=ProjectConfiguration(project_dir=str(folder), automatic_checkpoint_naming=True, total_limit=2),
    )
    arrays = np.load(data)
    examples = TensorDataset(
        torch.tensor(arrays["x"]), torch.tensor(arrays["y"].astype("int64")), torch.arange(len(arrays["x"]))
    )
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Dropout(0.1), nn.Linear(64, 10))
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    loader = DataLoader(examples, batch_size=16, shuffle=True, drop_last=True)
    model, optimizer, loader = accelerator.prepare(model, optimizer, loader)
    done = 0
    saved = sorted((folder / "checkpoints").glob("checkpoint_*"), key=lambda path: int(path.name.rpartition("_")[2]))
    if saved:
        accelerator.load_state(str(saved[-1]))
        done = (int(saved[-1].name.rpartition("_")[2]) + 1) * EVERY
        accelerator.project_configuration.iteration = done // EVERY
    log = (folder / f"order-{accelerator.process_index}.jsonl").open("a")
    loss_of = nn.CrossEntropyLoss()
    for epoch in range(done // len(loader), epochs):
        loader.set_epoch(epoch)
        skipped = done - epoch * len(loader)
        for x, y, index in accelerator.skip_first_batches(loader, skipped) if skipped else loader:
            loss = loss_of(model(x), y)
            accelerator.backward(loss)
            optimizer.step()
            optimizer.zero_grad()
            done += 1
            loss = accelerator.reduce(loss.detach(), "mean").item()
            log.write(json.dumps([done, index.tolist(), loss]) + "\n")
            log.flush()
            if done % EVERY == 0:
                accelerator.save_state()
    if accelerator.is_main_process:
        print(json.dumps({"loss": loss, "steps": done}), flush=True)
    accelerator.end_training()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
