"""Token for token: decoding in the graph, step by step on ONNX Runtime, and through Keras, on 1,000 sources.

Keras reads all tokens anew for each token, from the encoder's first states: nothing is carried there that could hide a mistake.
A token that differs is a tie where Keras finds both as likely within the tolerance of parity; what comes behind it in that
sequence is then another sequence, and is not counted.

    python -m benchmarks generate
    python -m benchmarks generate --sources 100 --nets transformer
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np

from benchmarks.decoding import NETS, _Net
from nnspec.keras_backend.run import keras_run
from nnspec.runtime.decoding.one_by_one import greedy

STEPS, BATCH, TOLERANCE = 16, 50, 1e-5


def main(arguments: list[str]) -> int:
    """Prints a line for each net; ends with 1 where a token differs that is no tie."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks generate")
    parser.add_argument("--nets", type=lambda text: text.split(","), default=list(NETS), help=f"some of {', '.join(NETS)}")
    parser.add_argument("--sources", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=7, help="of the sources; their lengths are from 1 to 20 tokens")
    given = parser.parse_args(arguments)
    wrong = 0
    for name in given.nets:
        start = time.perf_counter()
        counted = _compared(_Net.of(name, steps=STEPS), given.sources, given.seed)
        wrong += counted["differing"]
        print(
            f"{name}: {', '.join(f'{value:,} {what}' for what, value in counted.items())}, {time.perf_counter() - start:.0f} s"
        )
    return int(wrong > 0)


def _compared(net: _Net, count: int, seed: int) -> dict[str, int]:
    rng = np.random.default_rng(seed)
    keras = {part: keras_run(model, masks=True) for part, model in net.keras.items()}
    found = {"sources": 0, "tokens": 0, "ties": 0, "differing": 0, "between our two forms": 0}
    for first in range(0, count, BATCH):
        rows = min(BATCH, count - first)
        tokens = rng.integers(1, 800, (rows, 20)).astype("int32")
        tokens[np.arange(20)[None, :] >= rng.integers(1, 21, (rows, 1))] = 0
        looped = net.loop({"source": tokens})["generated"]
        stepped, _ = greedy(net.stepper, net.stepper.begin({"tokens": tokens}, rows), np.full((rows, 1), -1), STEPS)
        found["sources"] += rows
        found["tokens"] += looped.size
        found["between our two forms"] += int((looped != stepped).sum())
        ties, differing = _against_keras(net, keras, tokens, looped)
        found["ties"] += ties
        found["differing"] += differing
    return found


def _against_keras(net: _Net, keras: dict[str, Any], tokens: np.ndarray, ours: np.ndarray) -> tuple[int, int]:
    """How many sequences part from Keras's at a tie, and how many tokens differ otherwise."""
    decoding = net.models.decoding
    encoded = keras["encoder"]({"tokens": tokens})
    fed = {name: encoded[output] for name, output in {**decoding.memory, **decoding.begin}.items()}
    fed |= {f"{name}_mask": encoded[f"{output}_mask"] for name, output in decoding.memory.items()}
    read = np.full((len(tokens), 1), 1, "int32")
    together = np.ones(len(tokens), bool)
    ties = differing = 0
    for step in range(ours.shape[1]):
        logits = keras["decoder"]({**fed, "tokens": read})["logits"][:, -1]
        best = logits.argmax(-1)
        behind = (logits.max(-1) - logits[np.arange(len(best)), ours[:, step]]) / np.abs(logits).max()
        parts = together & (best != ours[:, step])
        ties += int((parts & (behind <= TOLERANCE)).sum())
        differing += int((parts & (behind > TOLERANCE)).sum())
        together &= ~parts
        read = np.concatenate([read, best[:, None].astype("int32")], axis=1)
    return ties, differing
