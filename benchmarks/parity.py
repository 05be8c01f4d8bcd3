"""Parity on trial: correct files pass by the quick bound and by float64 alone, files with one mistake by neither.

Networks are drawn, with random weights. Correct ones run at several levels of ONNX Runtime's optimization, which round otherwise;
set `ONEDNN_MAX_CPU_ISA=AVX2` and `TF_ENABLE_ONEDNN_OPTS=0` in the environment for other kernels of TensorFlow. A mistake is one
weight, one pad, or two gates of an LSTM or GRU exchanged; one that changes no output by 1e-4 of its largest value, on each of
four other draws of inputs, is drawn again.

    python -m benchmarks parity --nets 200 --seed 1
"""

from __future__ import annotations

import argparse
import warnings
from collections import Counter
from itertools import islice
from random import Random

from nnspec.onnx_backend.parity import Bound, Parity
from nnspec.runtime.session import Level
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
    parser.add_argument("--nets", type=int, default=200, help="correct networks, and networks with a mistake")
    parser.add_argument("--seed", type=int, default=0, help="other networks")
    given = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    failed = correct(given.nets, given.seed)
    for part, kind in enumerate(AROUND):
        failed += mistaken(given.nets // len(AROUND) + (part < given.nets % len(AROUND)), given.seed, kind)
    return int(failed > 0)


def correct(count: int, seed: int) -> int:
    """Tries correct networks by both bounds; how many false alarms there are.

    Args:
        count: How many networks.
        seed: Other networks.
    """
    found: Counter[str] = Counter()
    for number, trial in enumerate(islice(trials(seed), count)):
        level = LEVELS[number % len(LEVELS)]
        parity = trial.parity(trial.model, "exact", level)
        quick = all(figures.error <= figures.tolerance for figures in parity.outputs.values())
        both = not quick and not trial.parity(trial.model, "quick", level).agrees
        found.update(quick=not quick, exact=not parity.agrees, both=both)
        if both or not parity.agrees:
            print(f"false alarm: {trial.name}, {level}: {_figures(parity)}", flush=True)
    print(
        f"correct: {count} networks; refused by parity {found['both']}, by float64 alone {found['exact']}, by the quick bound "
        f"alone {found['quick']}",
        flush=True,
    )
    return found["both"] + found["exact"]


def mistaken(count: int, seed: int, kind: str) -> int:
    """Tries networks with one mistake by both bounds; how many pass.

    Args:
        count: How many networks.
        seed: Other networks.
        kind: The kind of mistake.
    """
    found: Counter[Bound] = Counter()
    bounds: tuple[Bound, ...] = ("quick", "exact")
    random = Random(f"{seed} {kind}")
    made = ((trial, trial.mistaken(random, kind)) for trial in trials(seed, AROUND[kind]))
    for trial, mutant in islice(((trial, mutant) for trial, mutant in made if mutant is not None), count):
        for bound in bounds:
            parity = trial.parity(mutant.model, bound)
            if parity.agrees:
                found[bound] += 1
                print(f"passes ({bound}): {trial.name}: {mutant.told}: {_figures(parity)}", flush=True)
    print(
        f"mistaken ({kind}): {count} networks; passed by parity {found['quick']}, by float64 alone {found['exact']}", flush=True
    )
    return found.total()


def _figures(parity: Parity) -> str:
    return "; ".join(f"`{name}` {figures}" for name, figures in parity.outputs.items())
