"""One bit of a run folder flipped: every command that reads the run names the file, or its result is the same.

``python -m benchmarks flips --places 200 --seed 1`` trains a small run, once to its end and once interrupted in the middle of an
epoch, flips one bit at a time at random places of a copy, and runs the commands on it. Half of the places are drawn over the
bytes, so most of them are in arrays; the other half over the files, so each file has some.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from nnspec.diagnostics import NnspecError
from nnspec.spec import load
from nnspec.training.loop.progress import Quiet

NET = """nnspec: 1
name: flips
inputs: {x: [2], word: {shape: [4], dtype: int32}}
layers:
  - Embedding: {input_dim: 12, output_dim: 4}
    from: word
  - Flatten:
    name: flat
  - Concatenate:
    from: [x, flat]
  - Dense: {units: 16, activation: relu}
    name: hidden
  - Dense: {units: 3, activation: softmax}
    name: kind
data:
  train: {csv: train.csv}
  validation: 0.25
  test: {csv: test.csv}
  inputs:
    x: {columns: [a, b], transform: [standardize]}
    word: {column: text, transform: [{tokenize: {by: word, size: 12}}, {pad: 4}]}
  targets: {kind: {column: kind, transform: [label_encode]}}
train:
  epochs: 4
  batch_size: 16
  seed: 3
  optimizer: {Adam: {learning_rate: 0.02}}
  loss: SparseCategoricalCrossentropy
  metrics: [SparseCategoricalAccuracy]
"""
START = NET.replace("    name: hidden\n", "    name: hidden\n    weights: {file: run}\n")
_TIMES = {"seconds", "examples_per_second"}
STATUSES = ("finished", "interrupted")
"""How the runs ended whose bits are flipped."""


@dataclass(frozen=True)
class Place:
    """A bit of a run folder.

    Attributes:
        status: How the run ended.
        file: The file, relative to the folder.
        byte: The byte in it.
        bit: The bit in that.
        array: The array that the byte is of; empty where it is of none.
    """

    status: str
    file: str
    byte: int
    bit: int
    array: str = ""


@dataclass
class Tally:
    """What became of the flips in one file, a command each.

    Attributes:
        named: How often a command named the file, and the array where there is one.
        equal: How often its result was that of the undamaged run.
        missed: What was neither, in words.
    """

    named: int = 0
    equal: int = 0
    missed: list[str] = field(default_factory=list)


class _Said(Quiet):
    """Notes what is said, and interrupts after some steps."""

    def __init__(self, steps: int | None = None) -> None:
        self.lines: list[str] = []
        self.left = steps

    def print(self, text: str) -> None:
        self.lines.append(text)

    def stepped(self, epoch: int, step: int, rate: float, figures: Callable[[], Mapping[str, Any]]) -> None:
        del epoch, step, rate, figures
        self.left = None if self.left is None else self.left - 1

    def __call__(self) -> bool:
        return self.left is not None and self.left <= 0


def project(folder: Path) -> dict[str, Path]:
    """Makes a project with a run for each of the [`STATUSES`][], each in a folder of its own.

    Args:
        folder: Where.

    Returns:
        The projects, each with a run folder ``run`` in it, by status.
    """
    from nnspec.training import train
    from nnspec.training.loop import loop

    made = {}
    steps = loop._INITIAL_STEPS_PER_CALL, loop._MOST_STEPS_PER_CALL
    loop._INITIAL_STEPS_PER_CALL = loop._MOST_STEPS_PER_CALL = 2
    try:
        for status in STATUSES:
            own = made[status] = folder / status
            own.mkdir()
            _write_data(own)
            said = _Said(8 if status == "interrupted" else None)
            run = train(load(own / "net.nnspec.yaml"), out=own / "run", progress=said, stop=said)
            if run.status != status:
                raise RuntimeError(f"the run is {run.status}, and was to be {status}")
    finally:
        loop._INITIAL_STEPS_PER_CALL, loop._MOST_STEPS_PER_CALL = steps
    return made


def _write_data(folder: Path) -> None:
    (folder / "pyproject.toml").write_text("", encoding="utf-8")
    (folder / "net.nnspec.yaml").write_text(NET, encoding="utf-8")
    (folder / "start.nnspec.yaml").write_text(START, encoding="utf-8")
    rng = random.Random(0)
    words = ("red", "green", "blue", "dark", "light", "café", "grey")
    for name, rows in (("train", 96), ("test", 24)):
        lines = ["a,b,text,kind"]
        for _ in range(rows):
            a, b, text = rng.gauss(3, 2), rng.gauss(-1, 5), " ".join(rng.choices(words, k=4))
            lines.append(f"{a:.4f},{b:.4f},{text},{('low', 'mid', 'high')[(a > 3) + ('dark' in text)]}")
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def drawn(projects: Mapping[str, Path], places: int, seed: int) -> list[Place]:
    """Random bits of the runs: half drawn over all bytes, half over the files."""
    rng = random.Random(seed)
    found = []
    for number in range(places):
        status = STATUSES[number % len(STATUSES)]
        run = projects[status] / "run"
        files = sorted(path for path in run.rglob("*") if path.is_file())
        sizes = [path.stat().st_size if number % 4 < 2 else 1 for path in files]
        [path] = rng.choices(files, sizes)
        byte = rng.randrange(path.stat().st_size)
        name = path.relative_to(run).as_posix()
        found.append(Place(status, name, byte, rng.randrange(8), _array_at(path, byte)))
    return found


def _array_at(path: Path, byte: int) -> str:
    if path.suffix != ".safetensors":
        return ""
    content = path.read_bytes()
    data = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:data])
    for name, entry in header.items():
        if name != "__metadata__" and data + entry["data_offsets"][0] <= byte < data + entry["data_offsets"][1]:
            return str(name)
    return ""


# --- the commands ---------------------------------------------------------------------------------------------------------


def _resume(folder: Path, said: _Said) -> Any:
    from nnspec.training import resume

    run = resume(folder / "run", progress=said)
    records = [{name: value for name, value in record.items() if name not in _TIMES} for record in run.metrics()]
    best = {name: value for name, value in (run.info["best"] or {}).items() if name != "figures"}
    return _bytes(run.weights()), run.transforms(), records, best, run.spec.hash, run.status


def _evaluate(folder: Path, said: _Said) -> Any:
    del said
    from nnspec.training import Run, evaluate

    return evaluate(Run.open(folder / "run"))


def _predict(folder: Path, said: _Said) -> Any:
    del said
    from nnspec.exporting.run_predictions import predict_run

    return _bytes(predict_run(folder / "run", str(folder / "test.csv")).outputs)


def _export(folder: Path, said: _Said) -> Any:
    del said
    from nnspec.exporting.runs import export_run
    from nnspec.runtime.predictor import Predictor

    export_run(folder / "run", folder / "model.onnx")
    predictor = Predictor(folder / "model.onnx")
    rows = predictor.run({"x": np.float32([[0.5, 1.5], [3.0, -9.0]]), "word": np.int32([[4, 5, 6, 7], [5, 5, 8, 0]])})
    return _bytes(rows), {name: text for name, text in predictor.metadata.items() if "parity" not in name}


def _report(folder: Path, said: _Said) -> Any:
    del said
    from nnspec.reports import write_report

    return write_report(folder / "run", folder / "report.html").read_text("utf-8")


def _start(folder: Path, said: _Said) -> Any:
    """Another training that begins with the run's weights."""
    del said
    from nnspec.graph import compile
    from nnspec.training.run.initial_weights import initial_weights

    spec = load(folder / "start.nnspec.yaml")
    return _bytes(initial_weights(spec, compile(spec).main))


COMMANDS: dict[str, Callable[[Path, _Said], Any]] = {
    "resume": _resume,
    "evaluate": _evaluate,
    "predict": _predict,
    "export": _export,
    "report": _report,
    "start": _start,
}
"""What reads a run; ``start`` is ``weights: {file: RUN}``."""


def _bytes(arrays: Mapping[str, Any]) -> dict[str, bytes]:
    return {name: array.tobytes() for name, array in sorted(arrays.items())}


# --- flipping -------------------------------------------------------------------------------------------------------------


def flip(projects: Mapping[str, Path], places: Sequence[Place], commands: Sequence[str]) -> dict[str, dict[str, Tally]]:
    """Flips one bit after the other, and runs the commands on each.

    Args:
        projects: The undamaged runs, by status.
        places: The bits.
        commands: Names of [`COMMANDS`][].

    Returns:
        What became of them, by file and command.
    """
    expected: dict[tuple[str, str], Any] = {}
    tallies: dict[str, dict[str, Tally]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for place in places:
            kind = _kind(place.file)
            for command in commands:
                if (place.status, command) not in expected:
                    copy = _copied(projects[place.status], scratch)
                    expected[place.status, command] = COMMANDS[command](copy, _Said())
                copy = _copied(projects[place.status], scratch)
                file = copy / "run" / place.file
                content = bytearray(file.read_bytes())
                content[place.byte] ^= 1 << place.bit
                file.write_bytes(content)
                tally = tallies.setdefault(kind, {}).setdefault(command, Tally())
                _judge(place, command, copy, expected[place.status, command], tally)
    return tallies


def _copied(folder: Path, scratch: str) -> Path:
    # The same path each time: a run's text names it.
    copy = Path(scratch) / "project"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(folder, copy)
    return copy


def _judge(place: Place, command: str, folder: Path, expected: Any, tally: Tally) -> None:
    said = _Said()
    what = f"{place}: {command}"
    try:
        found = COMMANDS[command](folder, said)
    except NnspecError as error:
        if _names(str(error), place):
            tally.named += 1
        else:
            tally.missed.append(f"{what} says {error}")
        return
    except Exception as error:
        tally.missed.append(f"{what} raises {type(error).__name__}: {error}")
        return
    named = any(_names(line, place) for line in said.lines)
    if found != expected:
        tally.missed.append(f"{what} has another result" + (", though it named the file" if named else ""))
    elif named:
        tally.named += 1
    else:
        tally.equal += 1


def _names(text: str, place: Place) -> bool:
    return place.file in text and (not place.array or f"`{place.array}`" in text)


def _kind(file: str) -> str:
    return "checkpoints/*" if file.startswith("checkpoints/") else file


def main(arguments: list[str]) -> int:
    """Prints the table; the status is 1 where a flip was missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks flips", description=__doc__.splitlines()[0])
    parser.add_argument("--places", type=int, default=200, help="how many bits are flipped")
    parser.add_argument("--seed", type=int, default=1, help="which")
    parser.add_argument("--commands", nargs="+", choices=[*COMMANDS], default=[*COMMANDS], help="what reads the run")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        projects = project(Path(folder))
        places = drawn(projects, given.places, given.seed)
        tallies = flip(projects, places, given.commands)
    counts = Counter(_kind(place.file) for place in places)
    print("named / same result / missed, by file and command")
    print(f"{'file':<22} {'flips':>5}  " + "  ".join(f"{name:>13}" for name in given.commands))
    for kind, by_command in sorted(tallies.items()):
        cells = (by_command[name] for name in given.commands)
        shown = "  ".join(f"{f'{t.named} / {t.equal} / {len(t.missed)}':>13}" for t in cells)
        print(f"{kind:<22} {counts[kind]:>5}  {shown}")
    missed = [text for by_command in tallies.values() for tally in by_command.values() for text in tally.missed]
    print(*missed, f"{len(places)} flips, {len(missed)} missed", sep="\n")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
