"""Runs exported in float32, float16 and int8, against the defaults of ONNX Runtime's `quantize_static`: metric, size, speed.

python -m benchmarks precision runs/lenet5 runs/resnet18

The metric is that of the validation data which selects the weights. Times are of a batch in milliseconds, medians of turns.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import onnx
from numpy.typing import NDArray

_CALIBRATED = 500


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks precision", description=__doc__)
    parser.add_argument("runs", nargs="+", type=Path, help="folders of runs")
    given = parser.parse_args(arguments)
    print("| run | numbers | metric | value | bytes | ms, batch 1 | ms, batch 32 | in float32 |")
    print("|---|---|---|---|---|---|---|---|")
    for path in given.runs:
        for row in rows_of(path):
            print("| " + " | ".join(row) + " |", flush=True)
    return 0


def rows_of(path: Path) -> Iterator[tuple[str, ...]]:
    """The rows of one run."""
    from nnspec.diagnostics import NnspecError
    from nnspec.exporting.runs import export_run
    from nnspec.runtime.predictor import Predictor
    from nnspec.training import Run

    run = Run.open(path)
    with tempfile.TemporaryDirectory() as folder:
        for precision in ("float16", "int8"):
            file = Path(folder) / f"{precision}.onnx"
            try:
                export_run(run, file, precision=precision, form="network")  # type: ignore[arg-type]
            except NnspecError as error:
                yield (run.name, precision, str(error).splitlines()[0], *[""] * 5)
                continue
            record = Predictor(file).precision
            assert record is not None
            metric = next((name for name in record.metrics if name != "loss" and not name.endswith("_loss")), "loss")
            if precision == "float16":
                yield _row(run.name, "float32", metric, record, 0)
            yield _row(run.name, precision, metric, record, 1)
        yield from _peers(run, metric, Path(folder))


def _row(name: str, precision: str, metric: str, record: Any, place: int) -> tuple[str, ...]:
    times = [f"{record.milliseconds[size][place]:.3f}" for size in ("1", "32")]
    kept = f"{len(record.in_float32)} of {len(record.errors)}" if precision == "int8" else ""
    return name, precision, metric, f"{record.metrics[metric][place]:.4f}", f"{record.bytes[place]:,}", *times, kept


def _peers(run: Any, metric: str, folder: Path) -> Iterator[tuple[str, ...]]:
    """The file in float32, quantized by ONNX Runtime's own tool."""
    from onnxruntime.quantization import CalibrationDataReader, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    from nnspec.exporting.precision import milliseconds_of
    from nnspec.onnx_backend.emit import to_onnx
    from nnspec.onnx_backend.proof import named_outputs
    from nnspec.training.evaluation.evaluate import AnswerMetrics, training_inputs

    graph = run.main
    inputs = training_inputs(run, _CALIBRATED)
    plain, prepared = folder / "plain.onnx", folder / "prepared.onnx"
    onnx.save(to_onnx(graph, run.weights()), plain)

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            count = len(next(iter(inputs.values())))
            self._cases = iter([{name: array[i : i + 1] for name, array in inputs.items()} for i in range(count)])

        def get_next(self) -> Mapping[str, NDArray[Any]] | None:
            return next(self._cases, None)

    for options in ({}, {"per_channel": True}, {"per_channel": True, "reduce_range": True}):
        name = "quantize_static, " + (", ".join(options) or "defaults")
        try:
            quant_pre_process(plain, prepared, skip_symbolic_shape=True)
            quantize_static(prepared, folder / "peer.onnx", Reader(), **options)
            model = onnx.load(folder / "peer.onnx")
            value = AnswerMetrics(run, graph.outputs).of(named_outputs(graph, model))[metric]
            first = {each: array[:1] for each, array in inputs.items()}
            times = milliseconds_of([model, model], first)
        except Exception as error:
            yield run.name, name, f"fails: {type(error).__name__}", *[""] * 5
            continue
        size = (folder / "peer.onnx").stat().st_size
        yield run.name, name, metric, f"{value:.4f}", f"{size:,}", *(f"{times[each][0]:.3f}" for each in ("1", "32")), ""
