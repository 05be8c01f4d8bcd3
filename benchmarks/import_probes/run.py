"""Builds, saves, imports and compares the probes."""

from __future__ import annotations

import tempfile
import traceback
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.import_comparison import called, difference, disturb, drawn_inputs, flat
from benchmarks.import_probes.probe import PROBES, Probe

__all__ = ["VERDICTS", "all_probes", "tried"]

VERDICTS = ("equal", "refused with its reason", "refused badly", "crash", "WRONG", "cannot be built in Keras")

_TOLERANCE = 1e-4


def all_probes() -> list[Probe]:
    """Every probe."""
    from benchmarks.import_probes import calls, compositions, operations, own_classes, parts_of_layers, single_layers

    del compositions, own_classes
    return [
        *single_layers.single_layer_probes(),
        *calls.operation_probes(),
        *operations.single_call_probes(),
        *parts_of_layers.wrapper_probes(),
        *PROBES,
    ]


def tried(probe: Probe, folder: Path) -> tuple[str, str]:
    """The verdict on a probe, and why."""
    import keras

    from nnspec.diagnostics import SpecError

    keras.backend.clear_session()
    keras.utils.set_random_seed(1)
    file = folder / f"model{probe.suffix}"
    try:
        model = probe.model()
        disturb(model)
        model.save(file)
    except Exception as error:
        return "cannot be built in Keras", _first(error)
    try:
        return _imported(probe, model, file, folder)
    except SpecError as error:
        said = "; ".join(f"{d.code} {d.message}" + (f" [{d.help}]" if d.help else "") for d in error.diagnostics if d.is_error)
        if probe.refused is None or probe.refused not in said or any(d.code == "NN604" for d in error.diagnostics):
            return "refused badly", said
        return "refused with its reason", said
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        return "crash", f"{_first(error)} ({Path(place.filename).name}:{place.lineno})"


def _imported(probe: Probe, model: Any, file: Path, folder: Path) -> tuple[str, str]:
    import numpy as np

    import nnspec
    from nnspec.exporting.keras_reference import keras_run
    from nnspec.keras_backend import set_weight_arrays
    from nnspec.training.run.initial_weights import initial_weights

    imported = nnspec.from_keras(file)
    spec_file, *_ = imported.write(folder / "model.nnspec.yaml")
    spec = nnspec.load(spec_file, root=folder)
    graph = nnspec.compile(spec).main
    arrays = initial_weights(spec, graph) if imported.weights else {}
    inputs = drawn_inputs(model, probe.inputs)
    named = {tensor._keras_history.operation.name: array for tensor, array in zip(model.inputs, inputs, strict=True)}
    theirs = {ours: name for name, ours in imported.networks["main"].input_names.items()}
    ordered = [named[theirs[name]] for name in graph.inputs]
    wanted = flat(called(model, inputs))
    ours = nnspec.to_keras(graph)
    if imported.weights:
        set_weight_arrays(ours, graph, arrays)
    fed = {name: _as(array, type_.dtype) for (name, type_), array in zip(graph.inputs.items(), ordered, strict=True)}
    given = [np.asarray(value) for value in keras_run(ours)(fed).values()]
    if [a.shape for a in given] != [b.shape for b in wanted]:
        return "WRONG", f"shapes {[a.shape for a in given]}, not {[b.shape for b in wanted]}"
    errors = [difference(a, b) for a, b in zip(given, wanted, strict=True)]
    tolerance = 2e-2 if any(d.code == "NN622" for d in imported.diagnostics) else _TOLERANCE
    if not all(error <= tolerance for error in errors):
        return "WRONG", f"differs by {max(errors):.2g}"
    warnings = "; ".join(f"{d.code} {d.message}" for d in imported.diagnostics)
    return "equal", warnings


def _as(array: Any, dtype: str) -> Any:
    return array.astype(dtype)


def _first(error: Exception) -> str:
    return f"{type(error).__name__}: {(str(error).strip().splitlines() or [''])[0][:200]}"


def results(probes: list[Probe]) -> Iterator[tuple[Probe, str, str]]:
    """Every probe with its verdict."""
    for probe in probes:
        with tempfile.TemporaryDirectory() as folder:
            yield probe, *tried(probe, Path(folder))


def main(words: list[str]) -> int:
    """Prints each probe that is not equal or refused with its reason, or all with ``-v``; then how many there are of each."""
    shown = "-v" in words
    wanted = [word for word in words if word != "-v"]
    counts: Counter[str] = Counter()
    for probe, verdict, why in results([p for p in all_probes() if not wanted or any(word in p.name for word in wanted)]):
        counts[verdict] += 1
        if shown or verdict not in VERDICTS[:2]:
            print(f"{verdict:<24} {probe.name}: {why}", flush=True)
    print(f"{counts.total()} probes: " + ", ".join(f"{counts[verdict]} {verdict}" for verdict in VERDICTS), flush=True)
    return 0 if set(counts) <= set(VERDICTS[:2]) else 1
