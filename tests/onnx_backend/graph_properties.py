"""Whether a graph has each property that passes require and ensure, found without the passes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from nnspec.onnx_backend.builder import Body, Builder, Operation
from nnspec.onnx_backend.passes import Property
from nnspec.onnx_backend.passes.guard_empty_tensors import UNSAFE


def lists_of(operations: list[Operation]) -> Iterator[tuple[Body | None, list[Operation]]]:
    """The nodes of the graph, and those of each body in it."""
    yield None, operations
    for operation in operations:
        for body in operation.bodies.values():
            for inner, own in lists_of(body.operations):
                yield inner or body, own


def nodes_of(b: Builder) -> list[Operation]:
    return [operation for _, operations in lists_of(b.operations) for operation in operations]


def reads_of(b: Builder) -> Counter[str]:
    inputs = (name for operation in nodes_of(b) for name in operation.inputs)
    outputs = (name for body, _ in lists_of(b.operations) for name, _ in (body.outputs if body else []))
    return Counter([*inputs, *outputs, *b.outputs.values()])


def normalizations_folded(b: Builder) -> bool:
    reads, nodes = reads_of(b), nodes_of(b)
    linear = {
        node.outputs[0] for node in nodes if node.type in ("Conv", "ConvTranspose", "Gemm") and node.inputs[1] in b.constants
    }
    return not any(
        node.inputs[0] in linear and reads[node.inputs[0]] == 1 and node.inputs[1] in b.exact
        for node in nodes
        if node.type in ("BatchNormalization", "Mul", "Sub")
    )


def invariants_outside_loops(b: Builder) -> bool:
    for node in nodes_of(b):
        for body in node.bodies.values() if node.type in ("Loop", "Scan") else ():
            varying = {name for name, _ in body.inputs}
            for inner in body.operations:
                if varying.isdisjoint(inner.reads()) and inner.type != "Identity":
                    return False
                varying.update(inner.outputs)
    return True


def outputs_computed(b: Builder) -> bool:
    def computed(operations: list[Operation], outputs: list[str]) -> bool:
        return len(set(outputs)) == len(outputs) and {name for node in operations for name in node.outputs} >= set(outputs)

    bodies = [body for node in nodes_of(b) for body in node.bodies.values()]
    return computed(b.operations, list(b.outputs.values())) and all(
        computed(body.operations, [name for name, _ in body.outputs]) for body in bodies
    )


def nothing_unused(b: Builder) -> bool:
    reads = reads_of(b)
    return all(any(reads[name] for name in node.outputs) for node in nodes_of(b)) and all(reads[name] for name in b.constants)


def empty_tensors_guarded(b: Builder) -> bool:
    nodes = nodes_of(b)
    makers = {name: node for node in nodes for name in node.outputs}

    def guarded(name: str) -> bool:
        maker = makers.get(name)
        return name in b.constants or (maker is not None and maker.type == "Reshape" and makers[maker.inputs[1]].type == "Max")

    unsafe = [node for node in nodes if node.type in UNSAFE]
    unsafe = [node for node in unsafe if node.type != "ConvTranspose" or len(node.attributes["kernel_shape"]) == 3]
    return all(guarded(name) for node in unsafe for name in node.inputs[: UNSAFE[node.type]])


HOLDS: Mapping[Property, Callable[[Builder], bool]] = {
    Property.NORMALIZATIONS_FOLDED: normalizations_folded,
    Property.INVARIANTS_OUTSIDE_LOOPS: invariants_outside_loops,
    Property.OUTPUTS_COMPUTED: outputs_computed,
    Property.NOTHING_UNUSED: nothing_unused,
    Property.EMPTY_TENSORS_GUARDED: empty_tensors_guarded,
}
