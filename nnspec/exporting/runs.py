"""Exports a run to ONNX, and compares the file with its Keras model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, Literal

from numpy.typing import NDArray

from nnspec.data.frames import bound, frames_by_part
from nnspec.data.reader_arguments import of_one_member
from nnspec.diagnostics import Diagnostic, NnspecError, SpecError
from nnspec.exporting.connections import IOMapping, mapping_of
from nnspec.exporting.decoder_models import decoder_models
from nnspec.exporting.decoder_proof import DecodingParity, prove_decoder
from nnspec.exporting.decoder_writing import write_loop, write_parts
from nnspec.exporting.embedded_preprocessing import embed_preprocessing, unit_postprocessing
from nnspec.exporting.examples import MOST_EXAMPLES, example_metadata
from nnspec.exporting.keras_reference import keras_reference
from nnspec.exporting.neighbors import Index, index_of_run
from nnspec.exporting.output_metadata import output_metadata, with_white_levels
from nnspec.exporting.precision import reduction_of
from nnspec.exporting.sampler_models import SamplerParity, prove_sampler
from nnspec.exporting.samplers import sampler_of_run
from nnspec.generation.sampler_check import describes_sampler, sampling_of
from nnspec.graph import Graph
from nnspec.graph.activation_maps import map_name
from nnspec.graph.budget import check_onnx_bytes
from nnspec.graph.exported import NEWEST_OPSET, ExportSection, Precision, exported, limiting_node, read_export
from nnspec.onnx_backend.export import export
from nnspec.onnx_backend.parity import Parity
from nnspec.onnx_backend.passes import PASSES
from nnspec.onnx_backend.reduced.float16 import FLOAT16_PASSES, in_float16
from nnspec.runtime.metadata import DATA, MAPS, NEIGHBORS, SAMPLES, SPEC_HASH, SPEC_NAME
from nnspec.training import Run, golden_rows
from nnspec.training.evaluation.evaluate import units_of_run
from nnspec.training.objectives.plugin import guarded
from nnspec.types import did_you_mean, listed

GOLDEN_ROWS = 64
"""The number of real examples on which the file is compared with Keras, in addition to random ones."""

Form = Literal["network", "loop", "parts"]
"""A network; the decoder or sampler of ``generate`` with the loop inside; the encoder and the decoder step, in a folder."""


def default_output(path: str | Path, *, form: Form | None = None, network: str | None = None) -> Path:
    """Return where a run is exported to by default: a file in the run folder, named after the model or its network.

    Args:
        path: The run folder.
        form: What to write; of ``parts``, a folder.
        network: The network that is exported; None for the default one.

    Raises:
        NnspecError: If the folder is not a run.
    """
    run = Run.open(path)
    name = network or run.name
    return run.path / (name if form == "parts" else f"{name}.onnx")


def export_run(
    path: Run | str | Path,
    out: str | Path | None = None,
    *,
    data: Any = None,
    opset: int | None = None,
    newest_opset: int = NEWEST_OPSET,
    form: Form | None = None,
    network: str | None = None,
    among: str | None = None,
    examples: int = 0,
    precision: Precision | None = None,
) -> Parity | DecodingParity | SamplerParity:
    """Write the ONNX model of a run's best weights, if it agrees with Keras.

    Args:
        path: The run, or its folder.
        data: The data of a run that was trained on tables in memory, if it is opened again: the file is compared with Keras on
            some of their rows.
        out: The file, or the folder if the form is ``parts``; by default in the run folder. It is written completely or not at
            all.
        opset: The version of ONNX's operators; by default that of the spec.
        newest_opset: The newest version of ONNX's operators, if none is given.
        form: What to write; by default the loop if the spec has a section ``generate`` and its section ``export`` names
            neither a network nor outputs, else the network.
        network: One of the spec's networks, with all its outputs; by default that of the section ``export``.
        among: The data in which the file finds neighbors, as [`open_data`][nnspec.data.recipe.open_data] accepts them; by
            default those of the section ``neighbors``, if there is one and `network` is not given.
        examples: The number of rows of the test data that the file contains, which the server's page offers as examples.
            Everyone who has the file can read them.
        precision: The numbers in the file; by default those of the section ``export``.

    Returns:
        The parity of the file and Keras.

    Raises:
        NnspecError: If the run is damaged, the network is unknown, or an output differs.
    """
    if isinstance(examples, bool) or not isinstance(examples, int) or not 0 <= examples <= MOST_EXAMPLES:
        raise NnspecError(f"examples must be a number from 0 to {MOST_EXAMPLES}, not {examples!r}")
    run = Run.of(path)
    if data is not None:
        frames = frames_by_part(data, "train")
        bound(run.spec, frames)
        run = run.with_frames(frames)
    out = out if out is not None else default_output(run.path, form=form, network=network)
    sampling = sampling_of(run.spec, run.model)
    default = _trained(run) or network or (sampling.graph.name if sampling is not None else "")
    section = _section_of(run, default, "use `--network NAME`, or write")
    if network is not None:
        section = _with_network(section, run, network, form)
    decodes = run.spec.section("generate") is not None
    chosen = opset or min(section.opset, newest_opset)
    form = form or ("loop" if decodes and section.network is None and section.outputs is None else "network")
    weights = run.weights()
    if form == "network":
        section = section.model_copy(update={"network": section.network or default})
        finds = among is not None or (network is None and run.spec.section("neighbors") is not None)
        index = index_of_run(run, section, among=among) if finds else None
        if opset is not None:
            _require_opset(run, section, default, opset)
        return _export_network(run, section, weights, out, chosen, index, examples, precision)
    if (precision or section.chosen_precision) != "float32":
        raise NnspecError(
            "a file with a loop is written in float32 only\n  = help: omit the precision, or add `--form network`"
        )
    if examples:
        raise NnspecError("--examples is for networks, not for decoding loops\n  = help: omit it, or add `--form network`")
    if among is not None:
        raise NnspecError("--among is for networks that return a vector\n  = help: add `--form network`")
    if sampling is not None:
        return _export_sampler(run, weights, out, chosen, form)
    models = decoder_models(run.spec, run.model, weights, run.recipe(), opset=chosen)
    if models is None:
        raise NnspecError(
            f"the spec of {run.path} has no section `generate`, which defines how sequences are decoded\n"
            "  = help: add one, or omit `--form` to export the network"
        )
    _, golden = golden_rows(run, GOLDEN_ROWS)
    known = {own: golden[shown] for own, shown in models.decoding.sources.items() if shown in golden}
    real = known if len(known) == len(models.decoding.sources) else {}
    parity = prove_decoder(models, partial(keras_reference, weights=weights, masks=True), golden=real)
    write = write_loop if form == "loop" else write_parts
    write(models, Path(out), parity, partial(check_onnx_bytes, run.spec))
    return parity


def _section_of(run: Run, default: str, help: str) -> ExportSection:
    """The section ``export`` of a run.

    Raises:
        NnspecError: If it has errors, or states no network and there is no default.
    """
    problems: list[Diagnostic] = []
    section = read_export(run.spec, run.model, problems, default=default)
    if section is None and not problems:
        raise NnspecError(
            f"the spec of {run.path} does not state which of its networks is exported\n"
            f"  = help: {help} `export: {{network: {next(iter(run.model.networks))}}}`"
        )
    if section is None or any(problem.is_error for problem in problems):
        raise SpecError(problems)
    return section


def exported_network(run: Run) -> tuple[Graph, IOMapping, ExportSection]:
    """The network of a run that is exported, how it is connected, and the section ``export``.

    Raises:
        NnspecError: If the spec states no network.
    """
    section = _section_of(run, _trained(run), "export it with `--network NAME`, or train again with")
    if section.network is None and describes_sampler(run.spec):
        help = "`nnspec generate` generates samples; an ONNX file of `nnspec export --network NAME` predicts with a network"
        raise NnspecError(f"{run.path} generates samples, as its section `generate` states\n  = help: {help}")
    graph = exported(section, run.model, default=_trained(run))
    return graph, mapping_of(run, graph, section), section.model_copy(update={"network": graph.name})


def _export_sampler(run: Run, weights: Mapping[str, NDArray[Any]], out: str | Path, opset: int, form: Form) -> SamplerParity:
    if form == "parts":
        raise NnspecError("a sampler has one file\n  = help: omit `--form parts`, or write `--form loop`")
    model = sampler_of_run(run, weights, opset=opset)
    _, golden = golden_rows(run, GOLDEN_ROWS)
    conditions = model.sampling.conditions
    real = {name: golden[name] for name in conditions} if {*conditions} <= golden.keys() else {}
    parity = prove_sampler(model, partial(keras_reference, weights=weights), golden=real)
    model.write(Path(out), parity, partial(check_onnx_bytes, run.spec))
    return parity


def _with_network(section: ExportSection, run: Run, name: str, form: Form | None) -> ExportSection:
    if form not in (None, "network"):
        raise NnspecError(f"--network {name} exports a network; it cannot be combined with `--form {form}`")
    if name not in run.model.networks:
        help = did_you_mean(name, run.model.networks, "there are " + listed(run.model.networks))
        raise NnspecError(f"the spec has no network `{name}`\n  = help: {help}")
    return section.model_copy(update={"network": name, "outputs": None, "activation_maps": []})


def _trained(run: Run) -> str:
    """The network that is exported by default."""
    return guarded(run.objective, run.objective.exported_network, run.info)


def _require_opset(run: Run, section: ExportSection, default: str, opset: int) -> None:
    """Require that ONNX Runtime implements the operators of all layers in an opset.

    Raises:
        NnspecError: If it does not.
    """
    node = limiting_node(exported(section, run.model, default=default), opset)
    if node is not None:
        most, layer = node.layer.newest_opset, type(node.layer).__name__
        reason = f"ONNX Runtime implements the operators of `{layer}`, step `{node.name}`, up to opset {most}, not in {opset}"
        raise NnspecError(f"{reason}\n  = help: choose {most}, or omit the opset")


def _export_network(
    run: Run,
    section: ExportSection,
    weights: Mapping[str, NDArray[Any]],
    out: str | Path,
    opset: int,
    index: Index | None = None,
    examples: int = 0,
    precision: Precision | None = None,
) -> Parity:
    precision = precision or section.chosen_precision
    if precision == "float16":
        weights = in_float16(weights)
    graph = exported(section, run.model, default=_trained(run))
    table, golden = golden_rows(run, GOLDEN_ROWS)
    mapping = mapping_of(run, graph, section)
    # The network of a sampler is not a sampler by itself: `generate` may draw inputs at every step.
    generates = graph.name == _trained(run) and not describes_sampler(run.spec)
    generator = run.generator_record() if generates else None
    recipe = mapping.recipe(with_white_levels(run.recipe(), table))
    # A generator reads noise and conditions, which are transformed already. The examples of the data do not fit an input of
    # another shape, so its transforms stay outside.
    outside = generator is not None or bool(mapping.adapted)
    served, preprocessing = (recipe, None) if outside else embed_preprocessing(recipe, table, graph.inputs)
    metadata = {
        SPEC_NAME: run.name,
        SPEC_HASH: run.spec.hash,
        **output_metadata(run, graph, mapping.outputs, {field: name for name, field in mapping.fields.items()}),
        DATA: json.dumps(of_one_member(served)),
    }
    if section.activation_maps:
        metadata[MAPS] = json.dumps({map_name(name): name for name in section.activation_maps})
    if examples:
        metadata |= example_metadata(run, served if generator is None else {}, examples)
    if generator is not None:
        metadata[SAMPLES] = json.dumps(generator)
    if index is not None:
        metadata[NEIGHBORS] = json.dumps(index.knowledge.as_json())
    keras_of = partial(keras_reference, weights=weights)
    return export(
        graph,
        weights,
        out,
        reference=keras_of(graph),
        rebuild=keras_of,
        golden=mapping.golden(golden),
        preprocessing=preprocessing,
        postprocessing=unit_postprocessing(units_of_run(run), mapping.outputs),
        opset=opset,
        metadata=metadata,
        check_size=lambda size: check_onnx_bytes(run.spec, size),
        search=None if index is None else index.search,
        passes=FLOAT16_PASSES if precision == "float16" else PASSES,
        reduced=None if precision == "float32" else reduction_of(run, graph, mapping, section, precision, opset),
    )
