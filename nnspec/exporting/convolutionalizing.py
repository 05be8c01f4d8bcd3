"""``convolutionalize``: a trained classifier as a fully convolutional network, its weights carried (Long et al. 2015)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.diagnostics import Diagnostic, NnspecError
from nnspec.exporting.classifier import Classifier
from nnspec.exporting.convolutional_spec import convolutional_spec, layer_error
from nnspec.exporting.keras_reference import keras_reference
from nnspec.files import write_whole
from nnspec.graph import Graph, build
from nnspec.graph.convolutional import global_layers
from nnspec.graph.exported import export_opset
from nnspec.onnx_backend.emit import to_onnx
from nnspec.onnx_backend.export import export
from nnspec.onnx_backend.parity import Parity, measure
from nnspec.onnx_backend.proto import serialized
from nnspec.onnx_backend.samples import draw
from nnspec.runtime.metadata import SPEC_HASH, SPEC_NAME
from nnspec.runtime.session import Arrays, runner
from nnspec.spec import Spec, read_spec
from nnspec.spec.dumping import dumped
from nnspec.spec.problems import UnusedParam
from nnspec.types import Dim

__all__ = ["Convolutional", "convolutionalize"]

_Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Convolutional:
    """The fully convolutional network that was written.

    Attributes:
        files: The spec, its weights, and the ONNX model.
        layers: The new operation of each changed layer, by the layer's name; None for a removed layer.
        outputs: The sizes of the outputs, by name.
        on_own_size: Its parity with the classifier on images of the classifier's size.
        parity: The parity of the ONNX model and Keras.
    """

    files: tuple[Path, ...]
    layers: Mapping[str, str | None]
    outputs: Mapping[str, str]
    on_own_size: Parity
    parity: Parity


def convolutionalize(
    path: str | Path, folder: str | Path, *, opset: int | None = None, root: Path | None = None
) -> Convolutional:
    """Writes a classifier as a network that takes pictures of any size and answers at every place.

    ``Flatten`` goes, the ``Dense`` behind it becomes a convolution whose kernel is as large as the feature maps, those behind
    that become convolutions of 1 × 1, and a global pooling becomes a window of the maps' size. On the classifier's own size the
    network gives what the classifier gives, which is proven before a file is written. On a larger picture it gives what the
    classifier gives for each window of that size, but for what is padded: the classifier sees nothing beyond the window.

    Args:
        path: A run folder, or a spec whose weights start from a file.
        folder: Where ``NAME_fcn.nnspec.yaml``, ``NAME_fcn.safetensors`` and ``NAME_fcn.onnx`` go; made if it is not there.
        opset: The version of ONNX's operators; what the spec says by default.
        root: What the paths of a spec may not leave.

    Raises:
        NnspecError: Where a layer cannot slide over a larger picture, with its place; where an output differs.

    Example:
        ``convolutionalize("runs/lenet5", "lenet5_fcn").outputs["digit"]`` is ``(H//4 - 6, W//4 - 6, 10)``.
    """
    classifier = Classifier.open(path, root=root)
    opset = opset or export_opset(classifier.spec)
    document, layers = convolutional_spec(classifier.spec, classifier.graph)
    name = str(document["name"])
    spec, graph, document = _compiled(document, classifier)
    weights = {identity: _reshaped(classifier.weights[identity], weight.shape) for identity, weight, _ in graph.weights()}
    on_own_size = _on_own_size(classifier, graph, weights, opset)
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NnspecError(f"cannot make the folder {folder}: {error.strerror}") from error
    metadata, preprocessing = classifier.preprocessing(graph)
    onnx, arrays, text = (folder / f"{name}{suffix}" for suffix in (".onnx", ".safetensors", ".nnspec.yaml"))
    parity = export(
        graph,
        weights,
        onnx,
        reference=keras_reference(graph, weights),
        rebuild=partial(keras_reference, weights=weights),
        golden=classifier.real,
        preprocessing=preprocessing,
        opset=opset,
        metadata={SPEC_NAME: name, SPEC_HASH: spec.hash, **metadata},
    )
    from safetensors.numpy import save

    write_whole(arrays, save(weights))
    write_whole(text, dumped(document))
    outputs = {output: str(type_) for output, type_ in graph.output_types.items()}
    return Convolutional((text, arrays, onnx), layers, outputs, on_own_size, parity)


def _compiled(document: dict[str, Any], classifier: Classifier) -> tuple[Spec, Graph, dict[str, Any]]:
    """The document read and compiled, as everything after it will read it; without the params that nothing uses any more."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "net.nnspec.yaml"
        while True:
            found: list[Diagnostic] = []
            file.write_text(dumped(document), encoding="utf-8")
            spec = read_spec(file, found)
            model = build(spec, found) if spec is not None else None
            unused = [problem.path.rpartition(".")[2] for problem in found if problem.code == UnusedParam.code]
            if not unused:
                break
            params = {key: value for key, value in document["params"].items() if key not in unused}
            document = {key: value for key, value in {**document, "params": params}.items() if key != "params" or params}
    errors = [problem for problem in found if problem.is_error]
    if spec is None or model is None or errors:
        reason = errors[0].message if errors else "it cannot be built"
        raise NnspecError(f"{classifier.spec.file} cannot take pictures of any size: {reason}")
    graph = model.main
    for output, type_ in graph.output_types.items():
        if not any(isinstance(size, Dim) for size in type_.shape[:-1]):
            way = graph.giving({output: graph.outputs[output]})
            node = next(global_layers(way), None)
            if node is not None:
                own = classifier.graph.nodes.get(node.name, node)
                raise layer_error(own, f"makes `{output}` one answer for the whole picture, whatever its size", "leave it out")
            raise NnspecError(f"`{output}` is {type_} whatever the picture's size: nothing of it slides")
    for node in global_layers(graph):
        own = classifier.graph.nodes.get(node.name, node)
        raise layer_error(own, "sees the whole picture: on a larger one it gives something else", "leave it out")
    return spec, graph, document


def _reshaped(array: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    return np.ascontiguousarray(np.asarray(array).reshape(shape))


def _on_own_size(classifier: Classifier, graph: Graph, weights: Mapping[str, NDArray[Any]], opset: int) -> Parity:
    """How far the network is from the classifier on pictures of its size, where each output has one place.

    Raises:
        NnspecError: Where they differ.
    """
    answer = runner(serialized(to_onnx(graph, weights, opset=opset)))
    own = classifier.graph.output_types

    def at_the_one_place(inputs: Arrays) -> _Arrays:
        given = dict(zip(graph.outputs, answer(inputs).values(), strict=True))
        flat = {name: array.reshape(len(array), array.shape[-1]) for name, array in given.items() if own[name].rank == 1}
        return given | flat

    cases = [*draw(classifier.graph), *classifier.real]
    found = measure(keras_reference(classifier.graph, classifier.weights), at_the_one_place, cases)
    if not found.agrees:
        lines = [f"  `{name}`: {figures}" for name, figures in found.differing.items()]
        head = "the fully convolutional network differs from the classifier on its own size, so nothing is written:"
        raise NnspecError("\n".join([head, *lines]))
    return found
