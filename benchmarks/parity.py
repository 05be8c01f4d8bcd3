"""Parity on trial: correct files pass by the quick bound and by float64 alone, files with one mistake by neither.

Networks are drawn, with random weights. Correct ones run at several levels of ONNX Runtime's optimization, which round otherwise;
set `ONEDNN_MAX_CPU_ISA=AVX2` and `TF_ENABLE_ONEDNN_OPTS=0` in the environment for other kernels of TensorFlow. A mistake is one
weight, one pad, or two gates of an LSTM or GRU exchanged; one that changes no output by 1e-4 of its largest value is drawn again.

    python -m benchmarks parity --nets 200 --seed 1
"""

from __future__ import annotations

import argparse
import os
import warnings
from collections import Counter
from itertools import islice
from random import Random

from nnspec.onnx_backend.parity import Bound, Parity
from nnspec.onnx_backend.session import Level
from tests.proof.mutants import KINDS
from tests.proof.trials import trials

LEVELS: tuple[Level, ...] = ("all", "basic", "disabled")
AROUND = {
    "weight": (),
    "pad": ("Conv1D", "Conv2D", "SeparableConv2D", "DepthwiseConv2D", "MaxPooling2D", "AveragePooling2D"),
    "gates": ("GRU", "LSTM", "Bidirectional"),
}
"""Layers around which networks are drawn that are to have a mistake of a kind."""


def main(arguments: list[str]) -> int:
    """Runs the trials and prints what came of them; 1 where there is a false alarm or a mistake passes."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks parity", description="Correct files, and files with a mistake.")
    parser.add_argument("--nets", type=int, default=200, help="networks of each kind")
    parser.add_argument("--seed", type=int, default=0, help="other networks")
    given = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    return int(_correct(given.nets, given.seed) + _mistaken(given.nets, given.seed) > 0)


def _correct(count: int, seed: int) -> int:
    found: Counter[str] = Counter()
    for number, trial in enumerate(islice(trials(seed), count)):
        level = LEVELS[number % len(LEVELS)]
        parity = trial.parity(trial.model, "exact", level)
        quick = all(figures.error <= figures.tolerance for figures in parity.outputs.values())
        found["quick"] += not quick
        found["exact"] += not parity.agrees
        both = not quick and not trial.parity(trial.model, "quick", level).agrees
        found["both"] += both
        if both or not parity.agrees:
            print(f"false alarm: {trial.name}, {level}: {_figures(parity)}", flush=True)
    print(
        f"correct: {count} networks; refused by the quick bound alone {found['quick']}, by float64 alone {found['exact']}, "
        f"by parity {found['both']}",
        flush=True,
    )
    return found["exact"] + found["both"]


def _mistaken(count: int, seed: int) -> int:
    found: Counter[str] = Counter()
    bounds: tuple[Bound, ...] = ("quick", "exact")
    for part, kind in enumerate(KINDS):
        random = Random(f"{seed} {kind}")
        wanted = count // len(KINDS) + (part < count % len(KINDS))
        for trial in trials(seed, AROUND[kind]):
            if found[kind] == wanted:
                break
            mutant = trial.mistaken(random, kind)
            if mutant is None:
                continue
            found[kind] += 1
            for bound in bounds:
                parity = trial.parity(mutant.model, bound)
                if parity.agrees:
                    found[bound] += 1
                    print(f"missed ({bound}): {trial.name}: {mutant.told}: {_figures(parity)}", flush=True)
    kinds = ", ".join(f"{kind} {found[kind]}" for kind in KINDS)
    print(
        f"mistaken: {count} networks ({kinds}); passed by parity {found['quick']}, by float64 alone {found['exact']}", flush=True
    )
    return found["quick"] + found["exact"]


def _figures(parity: Parity) -> str:
    return "; ".join(f"`{name}` {figures}" for name, figures in parity.outputs.items() if figures.strain > 0.5)
