"""``build``: writes the compiled graph and the Keras and ONNX models of every network, with initial weights."""

from __future__ import annotations

import json
import secrets
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import keras

from nnspec.data.transforms.text import SPECIAL
from nnspec.diagnostics import NnspecError
from nnspec.exporting.decoder_models import decoder_models
from nnspec.exporting.decoder_proof import prove_decoder
from nnspec.exporting.decoder_writing import write_loop, write_parts
from nnspec.exporting.ejected import verified_code, write_weights
from nnspec.exporting.keras_reference import keras_reference
from nnspec.exporting.sampler_models import SamplerModel, prove_sampler
from nnspec.files import write_whole
from nnspec.generation.sampler_check import sampling_of
from nnspec.generation.sampling import Sampling
from nnspec.graph import Graph, Model
from nnspec.graph.budget import check_onnx_bytes
from nnspec.graph.describe import describe
from nnspec.graph.exported import export_opset
from nnspec.keras_backend import set_weight_arrays, to_keras, weight_arrays
from nnspec.onnx_backend.export import export
from nnspec.onnx_backend.parity import Reference
from nnspec.runtime.metadata import SPEC_HASH, SPEC_NAME
from nnspec.spec import Spec
from nnspec.training.run.initial_weights import initial_weights


def write_build(spec: Spec, model: Model, folder: Path, *, seed: int | None = None, eject: bool = False) -> list[Path]:
    """Write ``graph.json`` and, for each network, its Keras and ONNX models.

    Args:
        spec: The spec.
        model: Its graphs.
        folder: The output folder; created if missing.
        seed: The seed of the initial weights; None for a random one. A layer of two networks has the same weights in both.
        eject: Whether to write ``model.py``, standalone Keras code of the networks, and ``weights.safetensors``.

    Returns:
        The files.

    Raises:
        NnspecError: If a file cannot be written, a layer cannot be ejected, or an ONNX model or the standalone code differs
            from the Keras model; it is not written then.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NnspecError(f"cannot create the folder {folder}: {error.strerror}") from error
    seed = secrets.randbits(31) if seed is None else seed
    written = [write_whole(folder / "graph.json", json.dumps({"hash": spec.hash, "seed": seed, **describe(model)}, indent=1))]
    built: dict[str, keras.Model] = {}
    weights: dict[str, Any] = {}
    for name, graph in model.networks.items():
        keras_model = to_keras(graph, seed=seed)
        own = {**weight_arrays(keras_model, graph), **initial_weights(spec, graph)}
        set_weight_arrays(keras_model, graph, own)
        written += _write_network(spec, graph, keras_model, own, folder / ("model" if name == "main" else name))
        if eject:
            built[name] = keras_model
            weights |= own
    if eject:
        text = verified_code(spec.name, model.networks, weights, built)
        written.append(write_whole(folder / "model.py", text))
        written.append(write_whole(folder / "weights.safetensors", partial(write_weights, weights)))
    return written + _write_decoder(spec, model, folder, seed)


def _write_decoder(spec: Spec, model: Model, folder: Path, seed: int) -> list[Path]:
    """Write the decoder of ``generate``: ``generate.onnx`` with the loop, and the folder ``generate`` with its parts.

    Skipped if `start` or `end` is a word: its token is known only after training.
    """
    sampling = sampling_of(spec, model)
    if sampling is not None:
        return _write_sampler(spec, sampling, folder, seed)
    models = decoder_models(spec, model, {}, {}, opset=export_opset(spec))
    if models is None or {x for x in (models.section.start, models.section.end) if isinstance(x, str)} - {*SPECIAL}:
        return []
    weights: dict[str, Any] = {}
    keras_models = {}
    for graph in (models.decoding.encoder, models.decoding.decoder):
        if graph is not None:
            keras_models[graph.name] = to_keras(graph, seed=seed)
            weights |= {**weight_arrays(keras_models[graph.name], graph), **initial_weights(spec, graph)}
            set_weight_arrays(keras_models[graph.name], graph, graph.own(weights))
    models = replace(models, weights=weights)
    check_size = partial(check_onnx_bytes, spec)

    def keras_of(graph: Graph) -> Reference:
        return keras_reference(graph, weights, masks=True, model=keras_models[graph.name])

    parity = prove_decoder(models, keras_of, seed=seed)
    write_loop(models, folder / "generate.onnx", parity, check_size)
    write_parts(models, folder / "generate", parity, check_size)
    return [folder / "generate.onnx", folder / "generate"]


def _write_sampler(spec: Spec, sampling: Sampling, folder: Path, seed: int) -> list[Path]:
    """Write the sampler of ``generate``: ``generate.onnx``."""
    graph = sampling.graph
    keras_model = to_keras(graph, seed=seed)
    weights = {**weight_arrays(keras_model, graph), **initial_weights(spec, graph)}
    set_weight_arrays(keras_model, graph, weights)
    sampler = SamplerModel(sampling, weights, {SPEC_NAME: spec.name, SPEC_HASH: spec.hash}, export_opset(spec))
    parity = prove_sampler(sampler, lambda graph: keras_reference(graph, weights, model=keras_model), seed=seed)
    sampler.write(folder / "generate.onnx", parity, partial(check_onnx_bytes, spec))
    return [folder / "generate.onnx"]


def _write_network(spec: Spec, graph: Graph, keras_model: keras.Model, weights: dict[str, Any], stem: Path) -> list[Path]:
    keras_file = write_whole(stem.with_suffix(".keras"), keras_model.save)
    onnx_file = stem.with_suffix(".onnx")
    metadata = {SPEC_NAME: spec.name, SPEC_HASH: spec.hash}
    check_size = partial(check_onnx_bytes, spec)
    reference = keras_reference(graph, weights, model=keras_model)
    opset = export_opset(spec)
    export(graph, weights, onnx_file, reference=reference, opset=opset, metadata=metadata, check_size=check_size)
    return [keras_file, onnx_file]
