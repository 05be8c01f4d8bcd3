"""``convolutionalize``: converts a trained classifier to a fully convolutional network (Long et al. 2015)."""

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
from nnspec.onnx_backend.ties import Ties, discontinuous
from nnspec.runtime.metadata import SPEC_HASH, SPEC_NAME
from nnspec.runtime.session import Arrays, runner
from nnspec.spec import Spec, read_spec
from nnspec.spec.dumping import dumped
from nnspec.spec.problems import UnusedParam
from nnspec.types import Dim

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
    """Convert a classifier to a fully convolutional network, which accepts images of any size.

    ``Flatten`` is removed, the ``Dense`` after it becomes a convolution with a kernel of the size of the feature maps, later
    ones become 1×1 convolutions, and global pooling becomes pooling with a window of that size. On images of the classifier's
    size the outputs are equal, which is verified before a file is written. On larger images the network predicts what the
    classifier predicts for each window, except for the effect of padding at the window's edges.

    Args:
        path: A run folder, or a spec whose weights come from a file.
        folder: The folder of ``NAME_fcn.nnspec.yaml``, ``NAME_fcn.safetensors`` and ``NAME_fcn.onnx``; created if missing.
        opset: The ONNX opset; by default that of the spec.
        root: The folder that the spec's paths must be in.

    Raises:
        NnspecError: If a layer has no convolutional equivalent, or an output differs.

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
        raise NnspecError(f"cannot create the folder {folder}: {error.strerror}") from error
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
    """Read and compile the new document, without params that are no longer used."""
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
        raise NnspecError(f"{classifier.spec.file} cannot be converted for images of any size: {reason}")
    graph = model.main
    for output, type_ in graph.output_types.items():
        if not any(isinstance(size, Dim) for size in type_.shape[:-1]):
            way = graph.giving({output: graph.outputs[output]})
            node = next(global_layers(way), None)
            if node is not None:
                own = classifier.graph.nodes.get(node.name, node)
                raise layer_error(own, f"reduces `{output}` to one prediction for an image of any size", "remove it")
            raise NnspecError(f"`{output}` is {type_} for images of any size; expected one prediction per window")
    for node in global_layers(graph):
        own = classifier.graph.nodes.get(node.name, node)
        raise layer_error(own, "depends on the whole image, so its output changes with the image size", "remove it")
    return spec, graph, document


def _reshaped(array: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    return np.ascontiguousarray(np.asarray(array).reshape(shape))


def _on_own_size(classifier: Classifier, graph: Graph, weights: Mapping[str, NDArray[Any]], opset: int) -> Parity:
    """Compare the network with the classifier on images of the classifier's size, where each output has one position.

    Raises:
        NnspecError: If they differ.
    """
    answer = runner(serialized(to_onnx(graph, weights, opset=opset)))
    own = classifier.graph.output_types

    def at_single_position(inputs: Arrays) -> _Arrays:
        given = dict(zip(graph.outputs, answer(inputs).values(), strict=True))
        flat = {name: array.reshape(len(array), array.shape[-1]) for name, array in given.items() if own[name].rank == 1}
        return given | flat

    cases = [*draw(classifier.graph), *classifier.real]
    reference = keras_reference(classifier.graph, classifier.weights)
    names = discontinuous(classifier.graph)
    ties = Ties(names, reference.run, at_single_position) if names else None
    found = measure(reference, at_single_position, cases, ties=ties)
    if not found.agrees:
        lines = [f"  `{name}`: {result}" for name, result in found.differing.items()]
        head = "the fully convolutional network differs from the classifier on its input size, so nothing is written:"
        raise NnspecError("\n".join([head, *lines]))
    return found
