"""The models of ``keras.applications`` as specs: the same parameters, the same outputs, in Keras and in ONNX Runtime.

Each model gets random weights, its statistics of batch normalization and all that starts at 0 or 1 included, is saved as a
``.keras`` file and imported; the spec, read from its file with its weights from theirs, is lowered twice. They run in processes
of their own, on small pictures, the last activation left out: among 1,000 classes a softmax would hide what differs.

    python -m benchmarks imports [MODEL…]
    python -m benchmarks imports --probes [-v] [WORD…]
    python -m benchmarks imports --source kimm|keras_io|keras_hub --from FOLDER [WORD…]

With ``--probes``, some 800 small models in place of these: every layer class of Keras, called in several ways, models in models,
masks, operators, classes of one's own. Each must be imported and equal, or refused with its reason.

With ``--source``, models that others wrote, with custom layers that are inlined: of `kimm` and `keras-hub`, whose packages are in the
folder (``pip install --no-deps --target FOLDER kimm keras-hub tokenizers sentencepiece``), or of the keras.io code examples
(``examples/keras_io`` of keras-core), of which only the code that builds the models is run. It prints the lines of each spec before and
after folding.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

TOLERANCE = 1e-4
"""The largest ``max|a − b| / max|b|`` that is the same."""

SIZE = 64
SIZES = {"InceptionV3": 75, "InceptionResNetV2": 75, "Xception": 71}
"""Height and width of the pictures; of some models more is the least."""

MODELS = (
    *(f"ConvNeXt{size}" for size in ("Tiny", "Small", "Base", "Large", "XLarge")),
    *(f"DenseNet{depth}" for depth in (121, 169, 201)),
    *(f"EfficientNetB{number}" for number in range(8)),
    *(f"EfficientNetV2{size}" for size in ("B0", "B1", "B2", "B3", "S", "M", "L")),
    "InceptionResNetV2", "InceptionV3", "MobileNet", "MobileNetV2", "MobileNetV3Large", "MobileNetV3Small",
    "NASNetLarge", "NASNetMobile", "ResNet101", "ResNet101V2", "ResNet152", "ResNet152V2", "ResNet50", "ResNet50V2",
    "VGG16", "VGG19", "Xception",
)  # fmt: skip


@dataclass(frozen=True)
class Result:
    """One model's row.

    Attributes:
        theirs: Keras's number of weights' elements.
        ours: The spec's.
        constants: Statistics that became numbers in the spec.
        keras: ``max|a − b| / max|b|`` of our Keras model against theirs.
        onnx: The same of our ONNX file.
        spread: How much their outputs for two pictures differ, likewise: a model that answers the same to all shows nothing.
        seconds: What the import took, what reading and compiling the spec took, what writing the ONNX model took.
    """

    theirs: int
    ours: int
    constants: int
    keras: float
    onnx: float
    spread: float
    seconds: tuple[float, float, float]

    @property
    def verdict(self) -> str:
        if self.theirs != self.ours + self.constants:
            return "other parameters"
        error = max(self.keras, self.onnx)
        if not error <= TOLERANCE:
            return "other outputs"
        if not self.spread > 100 * error:
            return "shows nothing: two pictures differ as little as the two models"
        return "equal" + (f"; {self.constants} statistics are constants" if self.constants else "")


def disturb(model: Any, pictures: Any, seed: int = 0) -> None:
    """Gives a model weights that hide nothing.

    What starts at 0 or 1 gets other values, in the range of trained ones. Batch normalization takes the statistics of some
    pictures first, so that what tells pictures apart is not lost on the way through a deep model.
    """
    import numpy as np

    random = np.random.default_rng(seed)
    for variable in model.variables:
        array = variable.numpy()
        if array.dtype.kind != "f" or not array.size or np.ptp(array) > 0 or variable.name.startswith("moving_"):
            continue  # a kernel is random already
        if variable.name in ("gamma", "variance"):
            variable.assign(random.uniform(0.5, 1.5, array.shape))
        else:
            variable.assign(random.normal(0.0, 0.1, array.shape))
    normalizations = [layer for layer in model._flatten_layers() if type(layer).__name__ == "BatchNormalization"]
    for layer in normalizations:
        layer.momentum = 0.0
    model(pictures, training=True)
    for layer in normalizations:
        layer.momentum = 0.99
        mean, variance = layer.moving_mean.numpy(), layer.moving_variance.numpy()
        # A channel that varies little beside the others, or beside its mean, would amplify the last bit of what comes in.
        least = np.maximum(variance.mean() / 10, mean**2 / 16)
        layer.moving_variance.assign(np.maximum(variance, least) * random.uniform(0.7, 1.4, variance.shape))
        if any(type(node.operation).__name__ in ("Add", "Dropout") for node in layer._outbound_nodes) and layer.scale:
            layer.gamma.assign(layer.gamma.numpy() / 2)  # as in trained residual nets, which do not amplify from block to block
    for layer in model._flatten_layers():
        if type(layer).__name__ == "Normalization" and layer.input_mean is None:
            layer.finalize_state()  # it computes with what it held when it was built


def compared(model: Any, folder: Path, inputs: Mapping[str, Any]) -> Result:
    """A Keras model against its spec, through files.

    Args:
        model: The model.
        folder: Where the files are written.
        inputs: A batch for each of its inputs, by name.
    """
    import numpy as np
    import onnxruntime

    import nnspec
    from nnspec.exporting.keras_reference import keras_run
    from nnspec.keras_backend import set_weight_arrays
    from nnspec.onnx_backend.proto import serialized
    from nnspec.training.run.initial_weights import initial_weights

    wanted = [np.asarray(output) for output in _flat(model(_one_or_all(inputs.values()), training=False))]
    theirs, constants = model.count_params(), _constants(model)
    file = folder / "model.keras"
    model.save(file)
    took: list[float] = []
    imported = _timed(took, lambda: nnspec.from_keras(file).folded())
    spec_file, *_ = imported.write(folder / "model.nnspec.yaml")
    spec = nnspec.load(spec_file, root=folder)
    graph = _timed(took, lambda: nnspec.compile(spec).main)
    arrays = initial_weights(spec, graph)
    fed = dict(zip(graph.inputs, inputs.values(), strict=True))
    ours = nnspec.to_keras(graph)
    set_weight_arrays(ours, graph, arrays)
    given = list(keras_run(ours)(fed).values())
    exported = _timed(took, lambda: nnspec.to_onnx(graph, arrays))
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    content = serialized(exported)
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    served = session.run(list(graph.outputs), {name: np.asarray(array) for name, array in fed.items()})
    spread = min(_difference(output[:1], output[1:2]) for output in wanted)
    errors = [max(_difference(a, b) for a, b in zip(answers, wanted, strict=True)) for answers in (given, served)]
    return Result(theirs, graph.parameters, constants, *errors, spread, (took[0], took[1], took[2]))


def _one_or_all(arrays: Iterable[Any]) -> Any:
    found = list(arrays)
    return found[0] if len(found) == 1 else found


def _timed(took: list[float], run: Callable[[], Any]) -> Any:
    start = time.perf_counter()
    result = run()
    took.append(time.perf_counter() - start)
    return result


def _constants(model: Any) -> int:
    """The statistics of `Normalization` layers: mean, variance and count."""
    layers = model._flatten_layers()
    return sum(layer.count_params() for layer in layers if type(layer).__name__ == "Normalization")


def _flat(outputs: Any) -> list[Any]:
    if isinstance(outputs, dict):
        return list(outputs.values())
    return list(outputs) if isinstance(outputs, list | tuple) else [outputs]


def _difference(a: Any, b: Any) -> float:
    import numpy as np

    return float(np.max(np.abs(a - b)) / np.max(np.abs(b)))


def application(name: str) -> tuple[Any, dict[str, Any]]:
    """A model of ``keras.applications`` with disturbed weights, and two pictures for it."""
    import keras
    import numpy as np

    keras.utils.set_random_seed(1)
    size = SIZES.get(name, SIZE)
    model = getattr(keras.applications, name)(weights=None, input_shape=(size, size, 3), classifier_activation=None)
    scales = any(type(layer).__name__ in ("Rescaling", "Normalization") for layer in model.layers)
    drawn = np.random.default_rng(2).uniform(0, 255, (8, size, size, 3)).astype("float32")
    pictures = drawn if scales else drawn / 127.5 - 1
    disturb(model, pictures)
    return model, {model.inputs[0].name: pictures[:2]}


def main(names: list[str]) -> int:
    """Prints a row for each model; 1 where one is not equal."""
    if "--probes" in names:
        from benchmarks.import_probes.run import main as try_probes

        return try_probes([name for name in names if name != "--probes"])
    if names[:1] == ["--source"]:
        from benchmarks.foreign_models.run import SOURCES
        from benchmarks.foreign_models.run import main as try_models

        if len(names) < 4 or names[1] not in SOURCES or names[2] != "--from":
            print(f"write --source {'|'.join(SOURCES)} --from FOLDER", file=sys.stderr)
            return 2
        return try_models(names[1], Path(names[3]), names[4:])
    unknown = [name for name in names if name not in MODELS]
    if unknown:
        print(f"there is no model {unknown[0]}: {', '.join(MODELS)}", file=sys.stderr)
        return 2
    header = f"{'model':<20} {'parameters':>12} {'ours':>12} {'Keras':>8} {'ONNX':>8} {'import':>7} {'compile':>7} {'export':>7} {'spread':>7}"
    print(f"{header}  verdict", flush=True)
    wanted = names or list(MODELS)
    equal = 0
    for name, result in _in_processes(wanted):
        if isinstance(result, str):
            print(f"{name:<20} {result}", flush=True)
            continue
        seconds = " ".join(f"{second:>6.1f}s" for second in result.seconds)
        figures = (
            f"{result.theirs:>12,} {result.ours:>12,} {result.keras:>8.0e} {result.onnx:>8.0e} {seconds} {result.spread:>7.0e}"
        )
        print(f"{name:<20} {figures}  {result.verdict}", flush=True)
        equal += result.verdict.startswith("equal")
    print(f"{equal} of {len(wanted)} equal", flush=True)
    return 0 if equal == len(wanted) else 1


def _in_processes(names: list[str]) -> Iterator[tuple[str, Result | str]]:
    """The models, a few in a process: what one breaks is its own, and memory is given back."""
    waiting = list(names)
    while waiting:
        batch = waiting[:_A_PROCESS]
        with tempfile.TemporaryFile("w+") as said:
            command = [sys.executable, "-m", "benchmarks.imports", *batch]
            with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said, text=True) as process:
                assert process.stdout is not None
                for line in process.stdout:
                    told = json.loads(line)
                    yield waiting.pop(0), Result(**{**told, "seconds": tuple(told["seconds"])})
            if process.returncode:
                said.seek(0)
                yield waiting.pop(0), f"failed: {(said.read().strip().splitlines() or ['killed'])[-1]}"


_A_PROCESS = 8


def _one_by_one(names: list[str]) -> None:
    """What a process of its own does: a line of JSON for each model."""
    import keras

    for name in names:
        network, batch = application(name)
        with tempfile.TemporaryDirectory() as here:
            print(json.dumps(asdict(compared(network, Path(here), batch))), flush=True)
        del network
        keras.backend.clear_session()


if __name__ == "__main__":
    _one_by_one(sys.argv[1:])
