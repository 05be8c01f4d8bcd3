"""``export``: selection of the exported network and outputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, Strict

from nnspec.diagnostics import Diagnostic, Note
from nnspec.graph import problems as g
from nnspec.graph.activation_maps import NoMapError, head_of, map_name, with_activation_maps
from nnspec.graph.model import Graph, Model, Node
from nnspec.spec import Spec
from nnspec.spec.checked import check_known
from nnspec.spec.tree import MappingNode, SequenceNode, Tree
from nnspec.types import Config, Dim, TensorType, did_you_mean, listed, symbols_of

DEFAULT_OPSET = 23
"""ONNX opset of a file by default; ONNX Runtime 1.23 and newer load it."""
NEWEST_OPSET = 26
"""Newest ONNX opset that ONNX Runtime 1.31 supports."""


Precision = Literal["float32", "float16", "int8"]
"""The numbers in an exported file: weights in float16, or layers in 8-bit integers."""


class Int8Section(Config):
    """Settings of a file in 8-bit integers."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"calibrate": 500, "lose_at_most": {"accuracy": 0.005}}]})

    calibrate: Annotated[int, Strict(), Field(ge=1, le=100_000)] = Field(
        500, description="Number of training examples from which the ranges of activations are measured.", examples=[500]
    )
    lose_at_most: dict[str, Annotated[float, Field(ge=0)]] | None = Field(
        None,
        min_length=1,
        description="What metrics may lose on validation data, by their names in the log; null: 0.5 % of each metric that is "
        "better if it is larger, or of the loss if there is none. The layers whose integers cost most stay in float32.",
        examples=[{"accuracy": 0.005}],
    )


class ExportSection(Config):
    """Settings of `export`."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"outputs": ["digit"], "opset": 21}]})

    network: Annotated[str, Strict()] | None = Field(
        None, description="Network to export; null: the main network, or the generator of a GAN.", examples=["encoder"]
    )
    outputs: list[Annotated[str, Strict()]] | None = Field(
        None, min_length=1, description="Outputs to export; null: all of them.", examples=[["digit"]]
    )
    activation_maps: list[Annotated[str, Strict()]] = Field(
        [],
        description="Outputs whose class activation maps (Zhou et al. 2016) are also exported, each as `NAME_map`: the "
        "output of the last layer at each position, before `GlobalAveragePooling2D`. Its mean is the logit.",
        examples=[["digit"]],
    )
    inputs: dict[str, Annotated[str, Strict()]] = Field(
        {},
        description="With a program: the field whose transforms an input of the network takes, if it has another name.",
        examples=[{"token": "words"}],
    )
    opset: Annotated[int, Strict(), Field(ge=17, le=NEWEST_OPSET)] = Field(
        DEFAULT_OPSET,
        description="ONNX opset version. Default: 23, or the newest one that ONNX Runtime implements for all layers.",
        examples=[21],
    )
    precision: Precision | None = Field(
        None,
        description="Numbers in the file. float16: weights are stored in half the bytes, and computed with in float32. int8: "
        "layers run on 8-bit integers. null: float32, or int8 if `int8` is given.",
        examples=["float16"],
    )
    int8: Int8Section | None = Field(None, description="Settings of `precision: int8`.", examples=[{"calibrate": 500}])

    @property
    def chosen_precision(self) -> Precision:
        """The precision of the file."""
        return self.precision or ("float32" if self.int8 is None else "int8")


def read_export(spec: Spec, model: Model, problems: list[Diagnostic], *, default: str = "main") -> ExportSection | None:
    """Read the section ``export`` and check it against the networks.

    Args:
        spec: Spec to read.
        model: Its networks.
        problems: List to which problems are appended.
        default: Network to export if none is named.
    """
    tree = spec.section("export") or MappingNode([], next((key.span for key, _ in spec.document.items()), spec.document.span))
    checked = check_known(ExportSection, tree, problems, name="export")
    section = checked.value
    if section is None or "network" in checked.wrong:
        return None
    name = section.network or default
    if name not in model.networks:
        if section.network is not None:
            at = tree.get("network") or tree
            help = did_you_mean(name, model.networks, "the networks are " + listed(model.networks), defined=True)
            problems.append(g.UnknownExport.at(at.span, at.path, help=help, what="network", name=name))
        return None
    graph = model.networks[name]
    known = graph.output_names
    for key in ("outputs", "activation_maps"):
        for number, output in enumerate(getattr(section, key) or ()):
            at = _item(tree, key, number)
            if output not in known and graph.gaps.are_named:
                help = did_you_mean(output, known, "the outputs are " + listed(known), defined=True)
                problems.append(g.UnknownExport.at(at.span, at.path, help=help, what="output", name=output))
            elif key == "activation_maps" and not graph.gaps:
                problems += _without_map(graph, output, at)
    if "opset" in section.model_fields_set and (node := limiting_node(graph, section.opset)) is not None:
        at = tree.get("opset") or tree
        most = node.layer.newest_opset
        facts = {"opset": section.opset, "layer": type(node.layer).__name__, "most": most}
        notes = [Note(f"`{node.name}` is here", node.span)]
        problems.append(g.OpsetTooNew.at(at.span, at.path, help=f"write `opset: {most}`, or remove it", notes=notes, **facts))
    _check_fields(spec, graph, section, tree, problems)
    return section if checked.is_right else None


def _check_fields(spec: Spec, graph: Graph, section: ExportSection, tree: MappingNode, problems: list[Diagnostic]) -> None:
    """Check the fields that the inputs of the exported network are named after."""
    given = tree.get("inputs")
    if spec.program is None and section.inputs:
        at = given or tree
        help = "remove it: the inputs are fed as in the document's own layers"
        problems.append(g.UnknownExport.at(at.span, at.path, help=help, what="program, so no", name="inputs"))
        return
    for name, field in section.inputs.items():
        at = (given.get(name) if isinstance(given, MappingNode) else None) or tree
        known = graph.input_names
        fields = spec.program.fields if spec.program is not None else {}
        if name not in known:
            help = did_you_mean(name, known, "the inputs are " + listed(known), defined=True)
            problems.append(g.UnknownExport.at(at.span, at.path, help=help, what="input", name=name))
        elif field not in fields:
            help = did_you_mean(field, fields, "the fields are " + listed(fields))
            problems.append(g.UnknownExport.at(at.span, at.path, help=help, what="field", name=field))


def limiting_node(graph: Graph, opset: int) -> Node | None:
    """Return the step whose operators ONNX Runtime implements in the oldest opset, if an opset is newer than that one.

    Args:
        graph: The network.
        opset: The opset.
    """
    limited = [node for node in graph.every_node() if (node.layer.newest_opset or opset) < opset]
    return min(limited, key=lambda node: node.layer.newest_opset or opset, default=None)


def length_for(wanted: TensorType, field: TensorType) -> int | None:
    """Return how an input takes the transforms of a field: 0 unchanged, another length than the field's, 1 for a single value.

    None if it cannot: then both differ in more than the length of a sequence.
    """
    if wanted.is_integer != field.is_integer:
        return None
    if len(wanted.shape) == len(field.shape) and all(map(_may_equal, wanted.shape, field.shape)):
        return 0
    if field.rank != 1 or not field.is_integer or wanted.rank > 1:
        return None
    length = wanted.shape[0] if wanted.shape else 1
    return length if isinstance(length, int) else None


def _may_equal(a: Dim | int, b: Dim | int) -> bool:
    return not isinstance(a, int) or not isinstance(b, int) or a == b


def export_opset(spec: Spec) -> int:
    """Return the ONNX opset version for a document's files.

    Args:
        spec: Spec whose section ``export`` has been checked.
    """
    tree = spec.section("export")
    section = None if tree is None else check_known(ExportSection, tree, [], name="export").value
    return DEFAULT_OPSET if section is None else section.opset


def _item(tree: MappingNode, key: str, number: int) -> Tree:
    """Return an item of a list, for its location."""
    given = tree.get(key) or tree
    return given.items[number] if isinstance(given, SequenceNode) and number < len(given.items) else given


def _without_map(graph: Graph, output: str, at: Tree) -> Iterator[Diagnostic]:
    """Yield an error if an output has no class activation map."""
    if map_name(output) in {*graph.outputs, *graph.nodes}:
        reason, help = f"the name `{map_name(output)}` is in use", f"rename the step or output `{map_name(output)}`"
        yield g.NoActivationMap.at(at.span, at.path, help=help, name=output, reason=reason)
        return
    try:
        head_of(graph, output)
    except NoMapError as error:
        help = "end with `GlobalAveragePooling2D` and one `Dense`, or remove it from the list"
        yield g.NoActivationMap.at(at.span, at.path, help=help, name=output, reason=str(error))


def exported(section: ExportSection, model: Model, *, default: str = "main") -> Graph:
    """Return the exported graph: the selected outputs, their activation maps, and everything they depend on."""
    graph = model.networks[section.network or default]
    wanted = list(graph.outputs if section.outputs is None else section.outputs)
    graph = with_activation_maps(graph, section.activation_maps)
    graph = graph.giving({name: graph.outputs[name] for name in [*wanted, *map(map_name, section.activation_maps)]})
    return graph if section.outputs is None else _reading(graph)


def _reading(graph: Graph) -> Graph:
    """Return the graph without unused inputs and the conditions on their sizes."""
    read = {ref.source for refs in (graph.outputs, *(node.inputs for node in graph.nodes.values())) for ref in refs.values()}
    inputs = {name: type_ for name, type_ in graph.inputs.items() if name in read}
    if not inputs:  # outputs depend on weights only: keep one input for the batch size
        inputs = dict([next(iter(graph.inputs.items()))])
    return replace(graph, inputs=inputs, conditions=graph.conditions.without(_symbols(graph.inputs) - _symbols(inputs)))


def _symbols(inputs: Mapping[str, TensorType]) -> set[str]:
    sizes = (size for type_ in inputs.values() for size in (*type_.shape, *(type_.mask or ())))
    return set().union(*map(symbols_of, sizes))
