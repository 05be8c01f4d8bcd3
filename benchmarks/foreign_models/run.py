"""Builds, imports and compares the models of one source, in a process that is replaced when one hangs or crashes."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.import_comparison import called, difference, disturb, drawn_inputs, flat, rounding

SOURCES = ("kimm", "keras_io", "keras_hub")

_ROOT = Path(__file__).parents[2]

_TOLERANCE = 1e-4

_SECONDS = 240.0
"""The longest that one model may take."""

_TEXT = ("StringLookup", "TextVectorization", "IntegerLookup", "Tokenizer", "Hashing")
"""Layers of text: their models are counted apart."""


@dataclass(frozen=True)
class Row:
    """What came of one model.

    Attributes:
        verdict: One of `VERDICTS`.
        why: The reason, or the largest difference.
        flat: The lines of the spec that was imported.
        folded: The lines of the folded spec.
    """

    verdict: str
    why: str
    flat: int = 0
    folded: int = 0


VERDICTS = ("equal", "refused", "refused: text", "WRONG", "crash", "cannot be built", "not counted")


def main(source: str, place: Path, names: list[str]) -> int:
    """Print a row for each model and the counts; return 1 unless each is equal, or refused with a reason."""
    known = list(_models(source, place))
    wanted = [name for name in known if not names or any(one in name for one in names)]
    counts: Counter[str] = Counter()
    lines = [0, 0]
    for name, row in _rows(source, place, wanted):
        counts[row.verdict] += 1
        lines = [lines[0] + row.flat, lines[1] + row.folded]
        size = f"{row.flat:>6} {row.folded:>6}" if row.flat else " " * 13
        print(f"{name:<64} {size}  {row.verdict:<14} {row.why}", flush=True)
    print(f"{source}: " + ", ".join(f"{counts[verdict]} {verdict}" for verdict in VERDICTS if counts[verdict]), flush=True)
    apart = counts["refused: text"] + counts["not counted"]
    print(f"{source}: {counts['equal']} of {len(wanted) - apart} without text equal", flush=True)
    print(f"{source}: {lines[0]:,} lines flat, {lines[1]:,} folded", flush=True)
    return 0 if counts["equal"] + counts["refused"] + apart == len(wanted) else 1


def _models(source: str, place: Path) -> Mapping[str, Callable[[], Any]]:
    sys.path.append(str(place))
    if source == "kimm":
        from benchmarks.foreign_models import kimm

        return kimm.models()
    if source == "keras_hub":
        from benchmarks.foreign_models import keras_hub

        return keras_hub.models()
    from benchmarks.foreign_models import keras_io

    return keras_io.models(place)


def _rows(source: str, place: Path, names: list[str]) -> Iterator[tuple[str, Row]]:
    """Yield each model's row; what breaks or blocks a process is its own."""
    waiting = list(names)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(_ROOT), os.environ.get("PYTHONPATH", "")])}
    while waiting:
        command = [sys.executable, "-m", "benchmarks.foreign_models.run", source, str(place.resolve()), *waiting]
        with (
            tempfile.TemporaryFile("w+") as errors,
            tempfile.TemporaryDirectory() as folder,  # some scripts write files
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=folder, env=environment) as process,
        ):
            while waiting:
                line = _line(process)
                if not line.startswith("{"):
                    break
                yield waiting.pop(0), Row(**json.loads(line))
            process.kill()
            if waiting:
                errors.seek(0)
                last = (errors.read().strip().splitlines() or ["killed"])[-1]
                late = f"it took more than {_SECONDS:.0f} seconds" if line == "late" else last
                yield waiting.pop(0), Row("crash", late[:200])


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    with selectors.DefaultSelector() as ready:
        ready.register(process.stdout, selectors.EVENT_READ)
        while ready.select(_SECONDS):
            line = process.stdout.readline()
            if not line or line.startswith('{"verdict"'):
                return line
    return "late"


def _row(build: Callable[[], Any], folder: Path, free: range) -> Row:
    import keras

    from benchmarks.foreign_models.keras_io import Unbuildable
    from nnspec.diagnostics import SpecError

    keras.backend.clear_session()
    keras.utils.set_random_seed(1)
    try:
        model = build()
        disturb(model)
    except Unbuildable as error:
        return Row("not counted", str(error))
    except Exception as error:
        return Row("cannot be built", _first(error))
    try:
        return _compared(model, folder, free)
    except SpecError as error:
        reasons = [f"{d.code} {d.message}" for d in error.diagnostics if d.is_error]
        is_text = any(kind in reason for reason in reasons for kind in _TEXT)
        bad = any(d.code == "NN604" for d in error.diagnostics)
        return Row("crash" if bad else "refused: text" if is_text else "refused", "; ".join(dict.fromkeys(reasons))[:600])
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        return Row("crash", f"{_first(error)} ({Path(place.filename).name}:{place.lineno})")


def _compared(model: Any, folder: Path, free: range) -> Row:
    import numpy as np
    import onnxruntime

    import nnspec
    from nnspec.keras_backend import set_weight_arrays
    from nnspec.keras_backend.run import keras_run
    from nnspec.onnx_backend.proto import serialized
    from nnspec.training.run.initial_weights import initial_weights

    imported = nnspec.from_keras(model, inline=True)
    folded = imported.folded()
    flat_lines, folded_lines = (one.text().count("\n") for one in (imported, folded))
    spec_file, *_ = folded.write(folder / "model.nnspec.yaml")
    spec = nnspec.load(spec_file, root=folder)
    graph = nnspec.compile(spec).main
    arrays = initial_weights(spec, graph) if folded.weights else {}
    inputs = drawn_inputs(model, free=free)
    wanted = flat(called(model, inputs))
    ours_of = imported.networks["main"].input_names
    given = zip((tensor._keras_history.operation.name for tensor in model.inputs), inputs, strict=True)
    named = {ours_of.get(name, name): array for name, array in given}
    fed = {name: named[name].astype(type_.dtype) for name, type_ in graph.inputs.items()}
    ours = nnspec.to_keras(graph)
    if arrays:
        set_weight_arrays(ours, graph, arrays)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    file = serialized(nnspec.to_onnx(graph, arrays))
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    worst, allowed = 0.0, _TOLERANCE
    for where, given in (
        ("Keras", [np.asarray(value) for value in keras_run(ours)(fed).values()]),
        ("ONNX Runtime", session.run(list(graph.outputs), fed)),
    ):
        if [a.shape for a in given] != [b.shape for b in wanted]:
            return Row(
                "WRONG", f"{where}: {[a.shape for a in given]}, not {[b.shape for b in wanted]}", flat_lines, folded_lines
            )
        error = max(difference(a, b) for a, b in zip(given, wanted, strict=True))
        if error > allowed:
            allowed = max(_TOLERANCE, 4 * rounding(model, inputs))
        if not error <= allowed:
            return Row("WRONG", f"{where} differs by {error:.2g}", flat_lines, folded_lines)
        worst = max(worst, error)
    theirs, mine = model.count_params(), imported.parameters
    counts = "" if theirs == mine else f", {theirs:,} parameters and {mine:,} here"
    counts += "" if allowed == _TOLERANCE else f", within its rounding, {allowed:.0e}"
    return Row("equal", f"{worst:.0e}{counts}", flat_lines, folded_lines)


def _first(error: Exception) -> str:
    return f"{type(error).__name__}: {(str(error).strip().splitlines() or [''])[0][:200]}"


def _one_by_one(source: str, place: Path, names: list[str]) -> None:
    """Print a line of JSON for each model; run in a process of its own."""
    from benchmarks.foreign_models.keras_io import free_sizes

    found, free = _models(source, place), free_sizes()
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps(asdict(_row(found[name], Path(folder), free.get(name, range(7, 17))))), flush=True)


if __name__ == "__main__":
    _one_by_one(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
