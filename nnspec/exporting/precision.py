"""Files with smaller numbers than float32: what they lose, and what they gain."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from statistics import median
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from nnspec.diagnostics import NnspecError
from nnspec.exporting.connections import IOMapping
from nnspec.graph.exported import ExportSection, Int8Section, Precision
from nnspec.graph.model import Graph
from nnspec.onnx_backend.emit import to_onnx
from nnspec.onnx_backend.export import Reduction
from nnspec.onnx_backend.passes import PASSES, Pass
from nnspec.onnx_backend.proof import named_outputs
from nnspec.onnx_backend.proto import serialized
from nnspec.onnx_backend.reduced.float16 import FLOAT16_PASSES, in_float16
from nnspec.onnx_backend.reduced.int8 import Int8, Observation
from nnspec.runtime.metadata import PRECISION
from nnspec.runtime.precision import PrecisionRecord
from nnspec.runtime.session import Arrays, Run, runner
from nnspec.training import Run as TrainedRun
from nnspec.training.evaluation.evaluate import AnswerMetrics, training_inputs
from nnspec.types import did_you_mean, listed

_ROWS_AT_A_TIME = 32
_LOSS = 0.005
"""What a metric may lose by default, relative to its value in float32."""

_TIMED_SECONDS = 0.3


def reduction_of(
    run: TrainedRun, graph: Graph, mapping: IOMapping, section: ExportSection, precision: Precision, opset: int
) -> Reduction:
    """Return what makes a file with smaller numbers from the verified one, with the record of what it loses and gains.

    Args:
        run: The run.
        graph: The exported network.
        mapping: How it is connected in its document.
        section: The section ``export``.
        precision: The precision of the file.
        opset: The ONNX opset.

    Raises:
        NnspecError: When it is called, if a metric loses more than the section allows, or cannot be computed.
    """
    masked = any(type.mask is not None for type in graph.output_types.values())

    def lower(weights: Arrays, passes: Sequence[Pass] = PASSES) -> onnx.ModelProto:
        return to_onnx(graph, weights, opset=opset, passes=passes, masks=masked)

    def answering(model: onnx.ModelProto) -> Run:
        own = named_outputs(graph, model)

        def answer(inputs: Arrays) -> Arrays:
            found = own({name: inputs[field] for name, field in mapping.fields.items()})
            shown = {name: found[network] for name, network in mapping.outputs.items()}
            masks = {f"{name}_mask": found.get(f"{network}_mask") for name, network in mapping.outputs.items()}
            return shown | {name: mask for name, mask in masks.items() if mask is not None}

        return answer

    def reduce(built: Callable[..., onnx.ModelProto]) -> onnx.ModelProto:
        weights = run.weights()
        settings = section.int8 or Int8Section.model_validate({})
        rows = mapping.golden(training_inputs(run, settings.calibrate))
        if precision == "float16":
            passes, smaller = FLOAT16_PASSES, in_float16(weights)
            record = _of_float16(run, mapping, [answering(lower(weights)), answering(lower(smaller, passes))])
        else:
            if not rows:
                raise NnspecError(f"the data do not feed all inputs of `{graph.name}`, from which int8 is calibrated")
            search = Int8Search(partial(lower, weights), answering, rows[0], AnswerMetrics(run, mapping.outputs), settings)
            passes, smaller, record = search.pass_.passes, weights, search.record
        models = built(passes=PASSES), built(passes=passes)
        record = replace(
            record,
            bytes=(len(serialized(models[0])), len(serialized(models[1]))),
            milliseconds=milliseconds_of([lower(smaller), lower(smaller, passes)], rows[0]) if rows else {},
        )
        metadata = {entry.key: entry.value for entry in models[1].metadata_props}
        onnx.helper.set_model_props(models[1], dict(sorted((metadata | {PRECISION: json.dumps(record.as_json())}).items())))
        return models[1]

    return reduce


def _of_float16(run: TrainedRun, mapping: IOMapping, runs: Sequence[Run]) -> PrecisionRecord:
    """The record of weights in float16; without metrics if no output is compared with targets."""
    try:
        metrics = AnswerMetrics(run, mapping.outputs)
    except NnspecError:
        return PrecisionRecord("float16")
    before, after = (metrics.of(each) for each in runs)
    return PrecisionRecord(
        "float16", metrics.part, len(metrics.examples), {name: (before[name], after[name]) for name in before}
    )


class Int8Search:
    """Finds which layers of a network can run on 8-bit integers.

    The layers whose integers change the outputs most stay in float32, as few as the bounds on the metrics require.

    Args:
        lower: Builds the network's model with passes.
        answering: A model as a function from the document's inputs to its outputs.
        inputs: Inputs of training examples, by the network's names, from which the ranges of activations are measured.
        metrics: The metrics of the outputs.
        settings: The section ``export.int8``.

    Attributes:
        pass_: Writes the layers that were found.
        record: What they lose.

    Raises:
        NnspecError: If a metric is unknown, no layer can run on integers, or a bound does not hold even if a single one does.
    """

    def __init__(
        self,
        lower: Callable[[Sequence[Pass]], onnx.ModelProto],
        answering: Callable[[onnx.ModelProto], Run],
        inputs: Arrays,
        metrics: AnswerMetrics,
        settings: Int8Section,
    ) -> None:
        self._lower, self._answering, self._metrics = lower, answering, metrics
        self._cases = list(_batches(inputs))
        observation = Observation()
        self._ranges = observation.ranges(runner(serialized(lower(observation.passes))), self._cases)
        self._layers = observation.layers
        if not self._layers:
            raise NnspecError("no layer of the network can run on 8-bit integers\n  = help: export in float32 or float16")
        exact = lower(PASSES)
        self._before = metrics.of(answering(exact))
        self._bounds = _bounds(self._before, metrics.better, settings.lose_at_most)
        errors = self._errors(runner(serialized(exact)))
        self.pass_, after = self._search(sorted(self._layers, key=lambda layer: -errors[layer]))
        self.record = PrecisionRecord(
            "int8",
            metrics.part,
            len(metrics.examples),
            {name: (value, after[name]) for name, value in self._before.items()},
            calibrated=sum(map(_rows, self._cases)),
            errors=errors,
            in_float32=[layer for layer in self._layers if layer in self.pass_.in_float],
        )

    def _search(self, by_error: Sequence[str]) -> tuple[Int8, dict[str, float]]:
        """The pass with as few of the first layers in float32 as the bounds require, and its metrics."""
        low, high, kept = 0, len(by_error), 0
        best: tuple[Int8, dict[str, float]] | None = None
        first: dict[str, float] = {}
        while low < high:
            tried = Int8(self._ranges, frozenset(by_error[:kept]))
            found = self._metrics.of(self._answering(self._lower(tried.passes)))
            first = first or found
            if all(self._loses(name, found[name]) <= bound for name, bound in self._bounds.items()):
                best, high = (tried, found), kept
            else:
                low = kept + 1
            kept = (low + high) // 2
        if best is None:
            raise NnspecError(self._refusal(first))
        return best

    def _loses(self, name: str, value: float) -> float:
        before = self._before[name]
        return value - before if self._metrics.better.get(name) == "min" else before - value

    def _refusal(self, found: Mapping[str, float]) -> str:
        lines = ["the int8 network loses more than allowed, so no file is written:"]
        lines += [
            f"  `{name}` {self._before[name]:.4f} → {found[name]:.4f}, at most {bound:.4g} may be lost"
            for name, bound in self._bounds.items()
        ]
        lines.append("  = help: raise `export.int8.lose_at_most`, or export in float16")
        return "\n".join(lines)

    def _errors(self, exact: Run) -> dict[str, float]:
        """The error of the outputs if only one layer has integers, by layer."""
        wanted = [exact(case) for case in self._cases]
        found = {}
        for layer in self._layers:
            alone = Int8(self._ranges, frozenset(self._layers) - {layer})
            run = runner(serialized(self._lower(alone.passes)))
            found[layer] = _error(wanted, [run(case) for case in self._cases])
        return found


def _rows(inputs: Arrays) -> int:
    return len(next(iter(inputs.values())))


def _batches(inputs: Arrays) -> Iterator[Arrays]:
    for start in range(0, _rows(inputs), _ROWS_AT_A_TIME):
        yield {name: array[start : start + _ROWS_AT_A_TIME] for name, array in inputs.items()}


def _error(wanted: Sequence[Arrays], given: Sequence[Arrays]) -> float:
    """The largest relative root mean square error of an output of floats."""
    worst = 0.0
    for name, first in wanted[0].items():
        if first.dtype.kind != "f":
            continue
        exact, found = (
            np.concatenate([each[name].ravel() for each in arrays]).astype(np.float64) for arrays in (wanted, given)
        )
        scale = float(np.sqrt(np.mean(exact**2))) if exact.size else 0.0
        worst = max(worst, float(np.sqrt(np.mean((found - exact) ** 2))) / scale if scale else 0.0)
    return worst


def _bounds(
    before: Mapping[str, float], better: Mapping[str, str | None], given: Mapping[str, float] | None
) -> Mapping[str, float]:
    """What each metric may lose.

    Raises:
        NnspecError: If a metric is unknown.
    """
    for name in given or ():
        if name not in before:
            raise NnspecError(
                f"`export.int8.lose_at_most` names no metric `{name}`\n"
                f"  = help: {did_you_mean(name, before, 'the metrics are ' + listed(before))}"
            )
    if given:
        return given
    larger = {name: abs(value) * _LOSS for name, value in before.items() if better.get(name) == "max"}
    return larger or {"loss": abs(before["loss"]) * _LOSS}


def _timed(runs: Sequence[Callable[[], object]]) -> list[float]:
    """The median time of each function in milliseconds; they run in turns, so that all meet the same conditions."""
    taken: list[list[float]] = [[] for _ in runs]
    for run in runs:
        run()
    until = time.perf_counter() + _TIMED_SECONDS * len(runs)
    while time.perf_counter() < until or len(taken[0]) < 5:
        for run, times in zip(runs, taken, strict=True):
            began = time.perf_counter()
            run()
            times.append(1000 * (time.perf_counter() - began))
    return [median(times) for times in taken]


def milliseconds_of(models: Sequence[onnx.ModelProto], inputs: Mapping[str, NDArray[Any]]) -> dict[str, tuple[float, float]]:
    """The time of a batch of 1 and of 32 examples in each of two models, in milliseconds, by the size of the batch.

    Args:
        models: The two models.
        inputs: Examples, by input, which are repeated to fill a batch.
    """
    runs = [runner(serialized(model)) for model in models]
    found = {}
    for size in (1, _ROWS_AT_A_TIME):
        case = {name: np.resize(array, (size, *array.shape[1:])) for name, array in inputs.items()}
        first, second = _timed([partial(run, case) for run in runs])
        found[str(size)] = (first, second)
    return found
