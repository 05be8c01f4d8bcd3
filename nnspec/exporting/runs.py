"""Exports a run to ONNX, and compares the file with its Keras model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal

from numpy.typing import NDArray

from nnspec.data.reader_arguments import of_one_member
from nnspec.data.recipe import Recipe
from nnspec.data.transforms.text import pad
from nnspec.diagnostics import Diagnostic, NnspecError, SpecError
from nnspec.exporting.decoder_models import decoder_models
from nnspec.exporting.decoder_proof import DecodingParity, prove_decoder
from nnspec.exporting.decoder_writing import write_loop, write_parts
from nnspec.exporting.embedded_preprocessing import embed_preprocessing, unit_postprocessing
from nnspec.exporting.keras_reference import keras_reference
from nnspec.exporting.output_metadata import output_metadata, with_white_levels
from nnspec.exporting.sampler_models import SamplerParity, prove_sampler
from nnspec.exporting.samplers import sampler_of_run
from nnspec.generation.sampler_check import describes_sampler, sampling_of
from nnspec.graph import Graph, Model
from nnspec.graph.activation_maps import map_name
from nnspec.graph.budget import check_onnx_bytes
from nnspec.graph.decoding import input_feeding
from nnspec.graph.exported import ExportSection, exported, length_for, read_export
from nnspec.graph.model import NetworkCall
from nnspec.onnx_backend.export import export
from nnspec.onnx_backend.parity import Parity
from nnspec.runtime.metadata import DATA, MAPS, SAMPLES, SPEC_HASH, SPEC_NAME
from nnspec.spec.program import Program
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
    path: str | Path,
    out: str | Path | None = None,
    *,
    opset: int | None = None,
    form: Form | None = None,
    network: str | None = None,
) -> Parity | DecodingParity | SamplerParity:
    """Write the ONNX model of a run's best weights, if it agrees with Keras.

    Args:
        path: The run folder.
        out: The file, or the folder if the form is ``parts``; by default in the run folder. It is written completely or not at
            all.
        opset: The version of ONNX's operators; by default that of the spec.
        form: What to write; by default the loop if the spec has a section ``generate`` and its section ``export`` names
            neither a network nor outputs, else the network.
        network: One of the spec's networks, with all its outputs; by default that of the section ``export``.

    Returns:
        The parity of the file and Keras.

    Raises:
        NnspecError: If the run is damaged, the network is unknown, or an output differs.
    """
    run = Run.open(path)
    out = out if out is not None else default_output(path, form=form, network=network)
    sampling = sampling_of(run.spec, run.model)
    default = _trained(run) or network or (sampling.graph.name if sampling is not None else "")
    section = _section_of(run, default, "use `--network NAME`, or write")
    if network is not None:
        section = _with_network(section, run, network, form)
    decodes = run.spec.section("generate") is not None
    form = form or ("loop" if decodes and section.network is None and section.outputs is None else "network")
    weights = run.weights()
    if form == "network":
        section = section.model_copy(update={"network": section.network or default})
        return _export_network(run, section, weights, out, opset or section.opset)
    if sampling is not None:
        return _export_sampler(run, weights, out, opset or section.opset, form)
    models = decoder_models(run.spec, run.model, weights, run.recipe(), opset=opset or section.opset)
    if models is None:
        raise NnspecError(
            f"the spec of {path} has no section `generate`, which defines how sequences are decoded\n"
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


def network_of_program(run: Run) -> tuple[Graph, IOMapping]:
    """The network of a run of a program that is exported, and how it is connected.

    Raises:
        NnspecError: If the spec states no network.
    """
    section = _section_of(run, _trained(run), "export it with `--network NAME`, or train again with")
    if section.network is None and describes_sampler(run.spec):
        help = "`nnspec generate` generates samples; an ONNX file of `nnspec export --network NAME` predicts with a network"
        raise NnspecError(f"{run.path} generates samples, as its section `generate` states\n  = help: {help}")
    graph = exported(section, run.model, default=_trained(run))
    return graph, mapping_of(run, graph, section)


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


def _export_network(
    run: Run, section: ExportSection, weights: Mapping[str, NDArray[Any]], out: str | Path, opset: int
) -> Parity:
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
        **output_metadata(run, mapping.outputs, {field: name for name, field in mapping.fields.items()}),
        DATA: json.dumps(of_one_member(served)),
    }
    if section.activation_maps:
        metadata[MAPS] = json.dumps({map_name(name): name for name in section.activation_maps})
    if generator is not None:
        metadata[SAMPLES] = json.dumps(generator)
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
    )


@dataclass(frozen=True)
class IOMapping:
    """How an exported network is connected in its document.

    Attributes:
        fields: The document's input that feeds each of the network's inputs; inputs that a layer feeds are omitted.
        outputs: The network's name of each of the document's outputs that it computes.
        inputs: The number of its inputs.
        adapted: The length of each input that takes the transforms of a field of another length; 1 for a single value.
    """

    fields: Mapping[str, str]
    outputs: Mapping[str, str]
    inputs: int
    adapted: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, model: Model, graph: Graph) -> IOMapping:
        """Map a network. If the document calls it several times, the first call counts.

        Args:
            model: The document's networks.
            graph: The exported part of one of them.
        """
        if graph.name == "main" or "main" not in model.networks:
            return cls({name: name for name in graph.inputs}, {name: name for name in graph.outputs}, len(graph.inputs))
        fed = {name: input_feeding(model, graph, name) for name in graph.inputs}
        fields = {name: field for name, field in fed.items() if field is not None}
        use = next((use for use in model.main.uses if use.network == graph.name), None)
        outputs = {} if use is None else _outputs_of(use, model.networks[graph.name], model.main)
        return cls(fields, {shown: own for shown, own in outputs.items() if own in graph.outputs}, len(graph.inputs))

    @classmethod
    def of_program(cls, program: Program, graph: Graph, fields: Mapping[str, str]) -> IOMapping:
        """Map a network of a program. An input takes the transforms of the field of the same name if that fits it.

        Args:
            program: The program.
            graph: The exported part of the network.
            fields: The fields that other inputs take the transforms of.
        """
        types = {name: given.type for name, given in program.fields.items() if given is not None}
        lengths = {
            name: length_for(type_, types[found])
            for name, type_ in graph.inputs.items()
            if (found := fields.get(name, name)) in types
        }
        named = {name: fields.get(name, name) for name, length in lengths.items() if length is not None}
        adapted = {name: length for name, length in lengths.items() if length}
        return cls(named, {name: name for name in graph.outputs}, len(graph.inputs), adapted)

    def recipe(self, recipe: Recipe) -> Recipe:
        """The recipe of the network's inputs.

        Args:
            recipe: The document's recipe.
        """
        known = recipe.get("inputs", {})
        own = {name: known[field] for name, field in self.fields.items() if field in known}
        own |= {name: _of_length(own[name], length) for name, length in self.adapted.items() if name in own}
        return {**recipe, "inputs": own} if known else recipe

    def golden(self, rows: Mapping[str, NDArray[Any]]) -> list[dict[str, NDArray[Any]]]:
        """Real inputs of the network; empty if the data do not feed all of them.

        Args:
            rows: Real inputs of the document, by name.
        """
        own = {name: rows[field] for name, field in self.fields.items() if field in rows and name not in self.adapted}
        return [own] if len(own) == self.inputs else []


def mapping_of(run: Run, graph: Graph, section: ExportSection) -> IOMapping:
    """How an exported network is connected in the document of a run.

    Args:
        run: The run.
        graph: The exported part of the network.
        section: The section ``export``.
    """
    program = run.spec.program
    return IOMapping.of(run.model, graph) if program is None else IOMapping.of_program(program, graph, section.inputs)


def _of_length(entry: dict[str, Any], length: int) -> dict[str, Any]:
    """The recipe of an input, for rows of another length."""
    *steps, last = entry["transforms"] or [None]
    if last is None or last["transform"] != "pad":
        return entry
    whole = pad.model_validate({**last["arguments"], "length": length, "buckets": None})
    changed = {**last, "arguments": whole.model_dump(mode="json"), "learned": {**last["learned"], "length": length}}
    return {**entry, "transforms": [*steps, changed]}


def _outputs_of(use: NetworkCall, network: Graph, main: Graph) -> dict[str, str]:
    """The network's name of each of the document's outputs that it computes."""
    own = {ref: name for name, ref in zip(network.outputs, use.outputs.values(), strict=False)}
    return {shown: own[ref] for shown, ref in main.outputs.items() if ref in own}
