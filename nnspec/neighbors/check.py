"""The static check of the section ``neighbors``. No framework is loaded."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from nnspec.data.check import columns_of, source_of
from nnspec.data.locations import locate
from nnspec.diagnostics import Diagnostic
from nnspec.graph import Graph, Model
from nnspec.graph.exported import ExportSection, read_export
from nnspec.neighbors import INDICES, SIMILARITY
from nnspec.neighbors.problems import NoVectors
from nnspec.neighbors.section import NeighborsSection
from nnspec.spec import Spec
from nnspec.spec.checked import check_known
from nnspec.spec.tree import MappingNode
from nnspec.types import TensorType, did_you_mean, listed


@dataclass(frozen=True)
class Search:
    """The networks and the output by which neighbors are found.

    Attributes:
        section: The section.
        asking: The exported network, which computes the vector of an example.
        base: The network that computes the vectors of the knowledge base.
        output: The output of `asking` with the vector.
        base_output: The output of `base` with the vector.
    """

    section: NeighborsSection
    asking: Graph
    base: Graph
    output: str
    base_output: str


def check_neighbors(
    spec: Spec, model: Model, problems: list[Diagnostic], *, exported: ExportSection | None = None
) -> Search | None:
    """Check the section ``neighbors``; a document without it has all defaults.

    Args:
        spec: The spec.
        model: Its graphs.
        problems: Problems are appended here.
        exported: The section ``export``, if its network is known; else it is read.

    Returns:
        The search; None if there are errors, or no network is exported by default.
    """
    tree = spec.section("neighbors") or MappingNode([], next(iter(spec.document.items()))[0].span)
    checked = check_known(NeighborsSection, tree, problems, name="neighbors")
    section = checked.value
    if section is not None and "data" not in checked.wrong:
        _check_base(spec, section, tree, problems)
    exported = exported or read_export(spec, model, [])
    if section is None or exported is None or checked.wrong & {"network", "inputs", "output"}:
        return None
    found = _Check(spec, model, section, tree, problems).search(exported)
    return found if checked.is_right else None


def _check_base(spec: Spec, section: NeighborsSection, tree: MappingNode, problems: list[Diagnostic]) -> None:
    """Report files of the knowledge base that are missing, and columns that it does not have."""
    source = source_of(spec, section.data, tree, "data", problems)
    columns = columns_of(source, tree, problems) if source is not None else None
    for number, column in enumerate(section.show or ()):
        if columns is not None and column not in columns:
            help = did_you_mean(column, columns, f"the columns are {listed(columns)}")
            reason = f"the knowledge base has no column `{column}`"
            problems.append(NoVectors.at(*locate(tree, "show", number), help=help, reason=reason))


@dataclass(frozen=True)
class _Check:
    spec: Spec
    model: Model
    section: NeighborsSection
    tree: MappingNode
    problems: list[Diagnostic]

    def search(self, exported: ExportSection) -> Search | None:
        section = self.section
        asking = self.model.networks.get(exported.network or "main")
        base = asking if section.network is None else self.model.networks.get(section.network)
        if section.network is not None and base is None:
            self._unknown("network", section.network, self.model.networks, "network")
        if asking is None or base is None or asking.gaps or base.gaps:
            return None
        self._check_inputs(base)
        output = self._output(asking, exported.outputs, section.output)
        if output is None:
            return None
        own = output if output in base.outputs else self._output(base)
        if own is None:
            return None
        sizes = asking.output_types[output].shape[0], base.output_types[own].shape[0]
        if sizes[0] != sizes[1]:
            reason = f"the vectors of `{asking.name}` have {sizes[0]} numbers, and those of `{base.name}` {sizes[1]}"
            self._report(reason, "make both sizes equal", "network")
            return None
        taken = [name for name in (INDICES, SIMILARITY) if name in {*asking.inputs, *asking.outputs}]
        if taken:
            self._report(f"the exported file has an output `{taken[0]}` with the result", f"rename `{taken[0]}`")
            return None
        return Search(section, asking, base, output, own)

    def _check_inputs(self, base: Graph) -> None:
        """Check the fields that the inputs of the knowledge base's network are named after."""
        program = self.spec.program
        if program is None and self.section.inputs:
            self._report("`inputs` is for training programs", "remove it: inputs are fed as in the document", "inputs")
            return
        for name, field in self.section.inputs.items():
            if name not in base.inputs:
                self._unknown("input", name, base.inputs, "inputs", name)
            elif program is not None and field not in program.fields:
                self._unknown("field", field, program.fields, "inputs", name)

    def _output(self, graph: Graph, among: list[str] | None = None, name: str | None = None) -> str | None:
        """The output of a network with a vector: the given one, or the only one."""
        types = {output: type_ for output, type_ in graph.output_types.items() if among is None or output in among}
        vectors = [output for output, type_ in types.items() if _is_vector(type_)]
        if name is not None and name not in types:
            self._unknown("output", name, types, "output")
            return None
        if name is None and len(types) != 1:
            help = f"write `output: {next(iter(vectors or types))}`"
            self._report(f"`{graph.name}` has the outputs {listed(types)}, and one of them is compared", help)
            return None
        name = next(iter(types)) if name is None else name
        if name not in vectors:
            reason = f"`{name}` of `{graph.name}` is {types[name]}, and neighbors are found by a vector"
            self._report(reason, "end with a layer whose output has one axis, such as `GlobalAveragePooling2D`", "output")
            return None
        return name

    def _unknown(self, what: str, name: str, known: Iterable[str], *at: str) -> None:
        help = did_you_mean(name, known, f"there are {listed(known)}")
        self._report(f"there is no {what} `{name}`", help, *at)

    def _report(self, reason: str, help: str, *at: str) -> None:
        self.problems.append(NoVectors.at(*locate(self.tree, *at), help=help, reason=reason))


def _is_vector(type_: TensorType) -> bool:
    return type_.rank == 1 and isinstance(type_.shape[0], int) and type_.dtype in ("float32", "float16", "bfloat16")
