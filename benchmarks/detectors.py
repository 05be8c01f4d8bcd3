"""The detectors of the gallery on the same scenes: precision, latency, size and minutes of training, in one table.

Each is trained for about the stated minutes: an epoch is timed first, which is remembered, and `params.epochs` follows from it, so
that the learning rate falls to 0 at the end. The precision is that of `nnspec evaluate` on the test scenes, whose cut-outs and
backgrounds are in no training scene. The exported file is run by ONNX Runtime on one thread. Finished trainings are kept in
`runs/detectors`, and interrupted ones continue, so the same command continues the table.

    python -m examples.detection.scenes                        # the data
    python -m benchmarks detectors                             # all, 6 minutes each
    python -m benchmarks detectors yolo fcos --epochs 12       # where other programs make minutes meaningless
    python -m benchmarks detectors --peers --python ENV/bin/python    # and, for the same minutes, FCOS by hand in Keras and
                                                               # RetinaNet of KerasHub; ENV has keras-hub
    python -m benchmarks detectors --write                     # also writes the table into examples/detection/README.md
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from PIL import Image

import nnspec
from benchmarks.gallery import shown_networks
from nnspec.diagnostics import NnspecError
from nnspec.training import Run
from nnspec.training.detection.average_precision import AveragePrecisions

ROOT = Path(__file__).parent.parent
RUNS = ROOT / "runs/detectors"
SCENES = ROOT / "data/scenes"
README = ROOT / "examples/detection/README.md"
START, END = "<!-- python -m benchmarks detectors --write -->", "<!-- end -->"

DETECTORS = ("sliding_window", "r_cnn", "fast_r_cnn", "faster_r_cnn", "yolo", "fcos")
"""Their names in `specs/`, in the order of their publication."""

PEERS = {"fcos_in_keras": "`fcos` by hand in Keras", "retinanet_of_keras_hub": "RetinaNet of KerasHub, small"}
"""The scripts of `benchmarks/detector_peers`, and what they train."""

ROUNDS = 50


@dataclass(frozen=True)
class Result:
    """What a detector reached.

    Attributes:
        precision: Its mean average precision.
        precision_50: That at an IoU of 0.5.
        parameters: Its parameters.
        minutes: How long it was trained.
        images: The images that it was trained on, those of all epochs.
        milliseconds: The latency of one scene in ONNX Runtime; None if there is no file.
    """

    precision: float
    precision_50: float
    parameters: int
    minutes: float
    images: int
    milliseconds: float | None = None


def detector(name: str, epochs: int) -> Result:
    """Train a detector, or find its finished run, evaluate and export it.

    Args:
        name: The name of its spec.
        epochs: How long to train.
    """
    spec, folder = ROOT / f"specs/{name}.nnspec.yaml", RUNS / f"{name}-{epochs}"
    overrides = (f"params.epochs={epochs}",)
    _train(spec, folder, overrides)
    run, cached = Run.open(folder), folder.with_suffix(".json")
    started = run.info["started"]
    if cached.is_file() and (known := json.loads(cached.read_text()))["started"] == started:
        return Result(**known["result"])
    found = json.loads(_nnspec("evaluate", folder, "--format", "json"))
    file = folder.with_suffix(".onnx")
    _nnspec("export", folder, "-o", file)
    model = nnspec.compile(nnspec.load(spec, overrides))
    images = run.info["epochs"] * len(json.loads((SCENES / "train/annotations.json").read_text("utf-8"))["images"])
    result = Result(
        found["mean_average_precision"],
        found["mean_average_precision_50"],
        shown_networks(model, None)["main"].parameters,
        float(run.info["seconds"]) / 60,
        images,
        latency(file),
    )
    cached.write_text(json.dumps({"started": started, "result": asdict(result)}))
    return result


def epochs_of(name: str, minutes: float) -> int:
    """The epochs that take the minutes, at least one; the seconds of an epoch are measured once."""
    spec, folder = ROOT / f"specs/{name}.nnspec.yaml", RUNS / f"{name}-1"
    _train(spec, folder, ("params.epochs=1",))
    [record] = Run.open(folder).metrics()
    return max(1, round(60 * minutes / record["seconds"]))


def _train(spec: Path, folder: Path, overrides: Sequence[str]) -> None:
    """Train a spec, unless there is a finished run of it; an interrupted run continues."""
    wanted = nnspec.load(spec, overrides).hash
    try:
        run = Run.open(folder)
        status = run.status if run.info["spec"]["hash"] == wanted else "other"
    except NnspecError:
        status = "none"
    if status in ("finished", "stopped early"):
        return
    print(f"{folder.name}: {' '.join(overrides)}", file=sys.stderr, flush=True)
    if status in ("interrupted", "running"):
        _nnspec("train", "--resume", folder)
    else:
        _nnspec("train", spec, "--out", folder, "--overwrite", *(word for each in overrides for word in ("--set", each)))


def _nnspec(command: str, *arguments: object) -> str:
    """What a command prints; its progress is shown in a terminal."""
    shown = None if sys.stderr.isatty() else subprocess.PIPE
    line = [sys.executable, "-P", "-m", "nnspec", command, *map(str, arguments)]
    done = subprocess.run(line, cwd=ROOT, stdout=subprocess.PIPE, stderr=shown, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(line[3:])}\n{done.stderr or ''}")
    return done.stdout


def latency(file: Path) -> float:
    """The median milliseconds of the first test scene, alone, on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    given = scene({each.name: each.type for each in session.get_inputs()})
    taken = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        session.run(None, given)
        taken.append(time.perf_counter() - start)
    return float(np.median(taken)) * 1e3


def scene(types: dict[str, str]) -> dict[str, np.ndarray]:
    """The first test scene as inputs of an exported file.

    Args:
        types: The types of the inputs, by name.

    Returns:
        ``image`` (1, 128, 128, 3) and, if the file takes them, ``proposals`` (1, 64, 4), filled with −1.
    """
    folder = SCENES / "test"
    with (folder / "scenes.jsonl").open() as lines:
        first = json.loads(next(lines))
    pixels = np.asarray(Image.open(folder / first["file"]))[None]
    given = {"image": pixels.astype(np.uint8 if types["image"] == "tensor(uint8)" else np.float32)}
    if "proposals" in types:
        given["proposals"] = np.full((1, 64, 4), -1, np.float32)
        given["proposals"][0, : len(first["proposals"])] = first["proposals"]
    return given


def peer(name: str, python: str, minutes: float) -> Result:
    """Train a detector of another library for the minutes, or find its result, and score its detections.

    Args:
        name: The name of its script.
        python: The interpreter that it runs in.
        minutes: How long to train.
    """
    script, file = Path(__file__).parent / f"detector_peers/{name}.py", RUNS / f"{name}-{minutes:g}.npz"
    cached = file.with_suffix(".json")
    if not cached.is_file():
        print(f"{file.stem}: {script.name}", file=sys.stderr, flush=True)
        line = [python, str(script), str(SCENES), str(minutes), str(file)]
        done = subprocess.run(line, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{' '.join(line)}\n{done.stderr[-4000:]}")
        cached.write_text(done.stdout.splitlines()[-1])
    report: dict[str, Any] = json.loads(cached.read_text())
    precision, half = scored(file)
    return Result(precision, half, report["parameters"], report["minutes"], report["images"])


def scored(file: Path) -> tuple[float, float]:
    """The mean average precision of detections of the test scenes, and that at an IoU of 0.5.

    Args:
        file: ``boxes`` (N, K, 4), ``scores`` (N, K) and ``class`` (N, K), −1 for rows without a detection.
    """
    content = json.loads((SCENES / "test/annotations.json").read_text())
    places = {image["id"]: number for number, image in enumerate(content["images"])}
    classes = {category["id"]: number for number, category in enumerate(content["categories"])}
    rows: list[list[tuple[list[float], int]]] = [[] for _ in places]
    for each in content["annotations"]:
        x, y, width, height = each["bbox"]
        rows[places[each["image_id"]]].append(([x, y, x + width, y + height], classes[each["category_id"]]))
    boxes, labels = np.full((len(rows), max(map(len, rows)), 4), -1.0), np.full((len(rows), max(map(len, rows))), -1)
    for number, own in enumerate(rows):
        for place, (box, label) in enumerate(own):
            boxes[number, place], labels[number, place] = box, label
    found = np.load(file)
    whole = AveragePrecisions()
    whole.add(found["boxes"], found["scores"], found["class"], boxes, labels)
    numbers = whole.result().numbers
    return numbers["mean_average_precision"], numbers["mean_average_precision_50"]


def table(results: dict[str, Result]) -> Iterator[str]:
    """The lines of the table in Markdown.

    Args:
        results: The results, by title.
    """
    yield "| detector | mAP | mAP@0.5 | ms at batch 1 | parameters | minutes of training | images a second |"
    yield "|---|---|---|---|---|---|---|"
    for title, one in results.items():
        taken = "" if one.milliseconds is None else f"{one.milliseconds:.1f}"
        rate = one.images / (60 * one.minutes)
        yield (
            f"| {title} | {one.precision:.3f} | {one.precision_50:.3f} | {taken} | {one.parameters:,} | {one.minutes:.1f} | {rate:.0f} |"
        )


def write(lines: Sequence[str]) -> None:
    """Replace the table in the README of the example."""
    text = README.read_text("utf-8")
    before, rest = text.split(START)
    README.write_text(f"{before}{START}\n{chr(10).join(lines)}\n{END}{rest.split(END, 1)[1]}", "utf-8")


def main(arguments: list[str]) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks detectors", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of {', '.join(DETECTORS)}; all by default")
    parser.add_argument("--minutes", type=float, default=6.0, help="how long each is trained, about  [default: 6]")
    parser.add_argument("--epochs", type=int, help="how long each is trained, instead of the minutes")
    parser.add_argument("--peers", action="store_true", help="also train the peers")
    parser.add_argument("--python", default=sys.executable, help="an interpreter that has keras, tensorflow and keras-hub")
    parser.add_argument("--write", action="store_true", help=f"write the table into {README.relative_to(ROOT)}")
    given = parser.parse_args(arguments)
    if unknown := [name for name in given.names if name not in DETECTORS]:
        parser.error(f"there is no detector {unknown[0]}: {', '.join(DETECTORS)}")
    if not (SCENES / "test/annotations.json").is_file():
        print("there are no scenes: run `python -m examples.detection.scenes`", file=sys.stderr)
        return 2
    RUNS.mkdir(parents=True, exist_ok=True)
    results = {
        f"[`{name}`](../../specs/{name}.nnspec.yaml)": detector(name, given.epochs or epochs_of(name, given.minutes))
        for name in given.names or DETECTORS
    }
    if given.peers:
        results |= {title: peer(name, given.python, given.minutes) for name, title in PEERS.items()}
    lines = list(table(results))
    print("\n".join(lines))
    if given.write:
        write(lines)
    return 0
