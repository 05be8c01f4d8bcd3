"""Published results, reached by specs of the gallery on real data.

Each is trained with its seeds, exported with parity, and judged on its test data by ``nnspec evaluate``; the answers of the exported
model are held against Keras's on all of them. A run that is there from before, of the same spec, is not made again.
``python -m benchmarks results [NAME…]``.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nnspec
from benchmarks.rows import Row
from nnspec.cli.frameworks import load_frameworks
from nnspec.diagnostics import NnspecError
from nnspec.training import Run

ROOT = Path(__file__).parent.parent
RUNS = ROOT / "runs" / "results"
SEVERAL = (7, 8, 9)
"""Where a training takes about a minute; the first is the spec's own seed."""

Figures = dict[str, tuple[float, float]]
"""What was reached and what was published, by what to call it."""


@dataclass(frozen=True)
class Published:
    """A result.

    Attributes:
        what: The data set and the net.
        data: The set's name to ``examples.fetch``.
        spec: The document's name in ``specs/``.
        figures: Finds the figures in what ``nnspec evaluate`` says.
        unit: Of the figures.
        against: Whose the published ones are.
        better: As in `Row`.
        overrides: Values of the document that are replaced.
        seeds: With which it is trained.
    """

    what: str
    data: str
    spec: str
    figures: Callable[[dict[str, Any]], Figures]
    unit: str
    against: str
    better: str = "high"
    overrides: tuple[str, ...] = ()
    seeds: tuple[int, ...] = SEVERAL[:1]


def _accuracy(output: str, published: float) -> Callable[[dict[str, Any]], Figures]:
    return lambda said: {"": (said["outputs"][output]["accuracy"], published)}


def _beside(other: str) -> Callable[[dict[str, Any]], Figures]:
    """The error of each output but one, against that one's."""

    def figures(said: dict[str, Any]) -> Figures:
        errors = {name: report["root_mean_squared_error"] for name, report in said["outputs"].items()}
        return {name.replace("_", " "): (error, errors[other]) for name, error in errors.items() if name != other}

    return figures


def _ucr(name: str, published: float, seeds: tuple[int, ...], **params: int) -> Published:
    overrides = {"set": name.lower(), **params}
    return Published(
        f"{name}, FCN",
        name.lower(),
        "series_fcn",
        _accuracy("label", published),
        "accuracy",
        "Wang et al. 2017, table 1",
        overrides=tuple(f"params.{key}={value}" for key, value in overrides.items()),
        seeds=seeds,
    )


RESULTS = {
    "gunpoint": _ucr("GunPoint", 1.000, SEVERAL),
    "italypowerdemand": _ucr("ItalyPowerDemand", 0.970, SEVERAL, batch_size=6),
    "osuleaf": _ucr("OSULeaf", 0.988, SEVERAL[:1], classes=6, batch_size=16, epochs=250, patience=6),
    "sunspots": Published(
        "sunspots, a year ahead",
        "sunspots",
        "sunspots",
        _beside("persistence"),
        "sunspots (RMSE)",
        "persistence",
        better="low",
        seeds=SEVERAL,
    ),
    "r8": Published(
        "Reuters R8, CNN",
        "r8",
        "text_cnn",
        _accuracy("topic", 0.957),
        "accuracy",
        "CNN in Yao et al. 2019, table 2",
        seeds=SEVERAL,
    ),
    "spam": Published(
        "SpamAssassin, mean of word vectors",
        "spam",
        "spam",
        _accuracy("spam", 0.978),
        "accuracy",
        "BERT in Sahmoud and Mikki 2022",
        seeds=SEVERAL,
    ),
    "mnist": Published(
        "MNIST, LeNet-5", "mnist", "lenet5", _accuracy("digit", 0.9905), "accuracy", "LeCun et al. 1998, figure 9"
    ),
    "fashion_mnist": Published(
        "Fashion-MNIST, small CNN",
        "fashion_mnist",
        "fashion_mnist",
        _accuracy("clothes", 0.916),
        "accuracy",
        "2 convolutions, in the set's own list",
    ),
}


@dataclass(frozen=True)
class Trained:
    """One training of a result: its figures, how long it took, and whether its ONNX file answers as Keras does."""

    figures: Figures
    minutes: float
    same: bool


def trained(name: str, seed: int, *, again: bool = False) -> Trained:
    """Trains a result with a seed, or finds the run of it, exports it and judges it on its test data."""
    from examples.compare import compare

    published, folder = RESULTS[name], RUNS / f"{name}-{seed}"
    spec = ROOT / "specs" / f"{published.spec}.nnspec.yaml"
    overrides = (*published.overrides, f"train.seed={seed}")
    if again or not _is_of(folder, nnspec.load(spec, overrides).hash):
        sets = [word for override in overrides for word in ("--set", override)]
        _nnspec("train", spec, "--out", folder, "--overwrite", *sets)
    onnx = folder / f"{name}.onnx"
    _nnspec("export", folder, "-o", onnx)
    said = json.loads(_nnspec("evaluate", folder, "--format", "json"))
    parity, differing = compare(folder, onnx)
    minutes = float(Run.open(folder).info["seconds"]) / 60
    return Trained(published.figures(said), minutes, parity.agrees and not any(differing.values()))


def _is_of(folder: Path, hash: str) -> bool:
    """Whether a finished run of a spec is there."""
    try:
        run = Run.open(folder)
    except NnspecError:
        return False
    return run.status in ("finished", "stopped early") and run.info["spec"]["hash"] == hash


def _nnspec(command: str, *arguments: object) -> str:
    """What a command prints; what it says of its progress is seen where there is someone to see it."""
    shown = None if sys.stderr.isatty() else subprocess.PIPE
    line = [sys.executable, "-m", "nnspec", command, *map(str, arguments)]
    done = subprocess.run(line, cwd=ROOT, stdout=subprocess.PIPE, stderr=shown, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(line[2:])}\n{done.stderr or ''}")
    return done.stdout


def rows(published: Published, runs: list[Trained]) -> Iterator[tuple[Row, list[float]]]:
    """A row for each figure, the mean over the seeds, and what each seed gave."""
    for name in runs[0].figures:
        reached, others = zip(*(run.figures[name] for run in runs), strict=True)
        what = f"{published.what}: {name}" if name else published.what
        mean, peer = statistics.mean(reached), statistics.mean(others)
        yield Row(what, mean, peer, published.unit, published.against, published.better), list(reached)


def main(arguments: list[str]) -> int:
    """Prints the table, a row as it is reached; the status is 1 where an exported model answers otherwise than Keras."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks results", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one or several of {', '.join(RESULTS)}; all by default")
    parser.add_argument("--again", action="store_true", help="train anew where a run is there")
    given = parser.parse_args(arguments)
    if unknown := [name for name in given.names if name not in RESULTS]:
        parser.error(f"there is no result {unknown[0]}: {', '.join(RESULTS)}")
    load_frameworks("train", "export")
    from examples.fetch.__main__ import main as fetch

    print(f"{'what':<42} {'reached':>8} {'of seeds':>17} {'published':>9} {'unit':<16} {'minutes':>7} {'ONNX':<7} against")
    same = True
    for name in given.names or RESULTS:
        published = RESULTS[name]
        fetch([published.data])
        runs = [trained(name, seed, again=given.again) for seed in published.seeds]
        alike = all(run.same for run in runs)
        same = same and alike
        minutes = statistics.mean(run.minutes for run in runs)
        for row, reached in rows(published, runs):
            spread = f"{min(reached):.4g} to {max(reached):.4g}" if len(reached) > 1 else "one"
            figures = f"{row.ours:>8.4g} {spread:>17} {row.peer:>9.4g} {row.unit:<16} {minutes:>7.1f}"
            print(f"{row.what:<42} {figures} {'same' if alike else 'differs':<7} {row.against}", flush=True)
    return 0 if same else 1
