"""Runs an ONNX model and its reference on inputs of every kind that the graph can take."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import onnx
from numpy.typing import ArrayLike

from nnspec.graph.model import Graph, Ref
from nnspec.onnx_backend.emit import output_names, to_onnx
from nnspec.onnx_backend.entry import Entries, Exit
from nnspec.onnx_backend.parity import Arrays, Bound, Parity, Reference, Run, measure
from nnspec.onnx_backend.proto import serialized
from nnspec.onnx_backend.samples import draw, draw_many
from nnspec.onnx_backend.session import Level, runner

__all__ = ["first_difference", "masks_of", "prove", "prove_entries", "prove_varied", "spelled"]


def prove(
    graph: Graph,
    weights: Mapping[str, ArrayLike],
    model: onnx.ModelProto,
    reference: Run | Reference,
    *,
    golden: Sequence[Arrays] = (),
    opset: int = 23,
    seed: int = 0,
    bound: Bound = "quick",
    level: Level = "all",
) -> Parity:
    """How far a model of a graph is from the reference, on random and golden inputs.

    Args:
        graph: What the model was made of.
        weights: Likewise.
        model: The model.
        reference: Runs the graph in Keras: inputs by name to outputs by name.
        golden: Batches of real inputs.
        opset: The version of ONNX's operators.
        seed: Of the random inputs.
        bound: ``exact`` asks float64 everywhere, also where the quick bound holds.
        level: How far ONNX Runtime optimizes the model before it runs.
    """
    masks = masks_of(graph, weights, opset)
    empty = _takes_empty_rows(graph, weights, opset, seed)
    cases = [*draw(graph, seed=seed, empty_rows=empty), *draw_many(graph, seed=seed, empty_rows=empty), *golden]
    return measure(_wanted(graph, reference), spelled(graph, model, level=level), cases, masks=masks, seed=seed, bound=bound)


def prove_varied(
    graph: Graph,
    weights: Mapping[str, ArrayLike],
    parity: Parity,
    reference: Run | Reference,
    *,
    opset: int = 23,
    seed: int = 0,
) -> Parity:
    """The parity, with that under drawn weights where the given ones prove too little.

    They do where an output hardly varies with the inputs, and where a weight is all 0 or all 1, as before training: a mistake
    in what is multiplied by it, or in itself, is not seen. The graph is written again with the drawn weights.

    Args:
        graph: What the model was made of.
        weights: Likewise.
        parity: What was found with them.
        reference: Runs the graph in Keras.
        opset: The version of ONNX's operators.
        seed: Of the random inputs.
    """
    drawn = reference.drawn if isinstance(reference, Reference) else None
    if drawn is None or not (parity.constant or any(_is_fresh(np.asarray(weights[name])) for name, *_ in graph.weights())):
        return parity
    *_, batch = draw(graph, seed=seed, empty_rows=False)
    others, changed = drawn(batch)
    return replace(parity, drawn=prove(graph, others, to_onnx(graph, others, opset=opset), changed, opset=opset, seed=seed))


def _is_fresh(array: np.ndarray) -> bool:
    return bool(array.size and array.flat[0] in (0, 1) and (array == array.flat[0]).all())


def prove_entries(
    graph: Graph,
    weights: Mapping[str, ArrayLike],
    entries: Entries | None,
    exits: Mapping[str, Exit],
    model: onnx.ModelProto,
    reference: Run | Reference,
    *,
    golden: Sequence[Arrays] = (),
    opset: int = 23,
    seed: int = 0,
) -> Parity:
    """How far a model of raw values is from the reference between the transforms in NumPy.

    Args:
        graph: What the model was made of.
        weights: Likewise.
        entries: What stands before the graph's inputs, and raw inputs; None for nothing.
        exits: What stands behind the graph's outputs.
        model: The model.
        reference: Runs the graph in Keras: inputs by name to outputs by name.
        golden: Batches of real inputs, used if nothing stands before the graph's.
        opset: The version of ONNX's operators.
        seed: Of the directions in which inputs move.
    """
    masks = masks_of(graph, weights, opset)

    def before_run(run: Run) -> Run:
        return run if entries is None else lambda raw: run(entries.apply(raw))

    def after_run(run: Run) -> Run:
        return lambda inputs: {
            name: exits[name].apply(array) if name in exits else array for name, array in run(inputs).items()
        }

    empty = entries is None and _takes_empty_rows(graph, weights, opset, seed)
    return measure(
        _wanted(graph, reference).around(lambda run: before_run(after_run(run))),
        spelled(graph, model),
        entries.cases if entries is not None else [*draw(graph, seed=seed, empty_rows=empty), *golden],
        masks=None if masks is None else before_run(masks),
        seed=seed,
    )


def first_difference(
    graph: Graph,
    weights: Mapping[str, ArrayLike],
    rebuild: Callable[[Graph], Run | Reference],
    *,
    golden: Sequence[Arrays] = (),
    opset: int = 23,
    seed: int = 0,
) -> str | None:
    """The first layer whose output differs from Keras's, each layer written on its own; None where all agree.

    Args:
        graph: What to look through.
        weights: Its arrays by identity.
        rebuild: Runs the same layers with other outputs in Keras.
        golden: Batches of real inputs.
        opset: The version of ONNX's operators.
        seed: Of the random inputs.
    """
    opened = _opened(graph)
    model = to_onnx(opened, weights, opset=opset)
    parity = prove(opened, weights, model, rebuild(opened), golden=golden, opset=opset, seed=seed)
    return next((ref.source for name, ref in opened.outputs.items() if name in parity.differing), None)


def _opened(graph: Graph) -> Graph:
    """The graph with every layer's outputs as outputs, but for those whose examples are the steps of the graph's."""
    refs = [Ref(node.name, output) for node in graph.nodes.values() if node.times == 1 for output in node.outputs]
    return replace(graph, outputs={f"{ref.source}/{ref.output}/opened": ref for ref in refs})


def _takes_empty_rows(graph: Graph, weights: Mapping[str, ArrayLike], opset: int, seed: int) -> bool:
    """Whether every layer has an answer for an example that is nothing but padding; the mean over no steps is 0 / 0."""
    if all(type.mask is None for node in graph.nodes.values() for type in node.outputs.values()):
        return True
    run = runner(serialized(to_onnx(_opened(graph), weights, opset=opset)))
    tensors = (array for inputs in draw(graph, seed=seed) for array in run(inputs).values())
    return all(np.isfinite(array).all() for array in tensors if array.dtype.kind == "f")


def _wanted(graph: Graph, reference: Run | Reference) -> Reference:
    """The reference's outputs that are the graph's: it may give masks beside them."""

    def own(run: Run) -> Run:
        return lambda inputs: {name: array for name, array in run(inputs).items() if name in graph.outputs}

    return (reference if isinstance(reference, Reference) else Reference(reference)).around(own)


def spelled(graph: Graph, model: onnx.ModelProto, *, level: Level = "all") -> Run:
    """The model in ONNX Runtime, its outputs called as in the spec.

    Args:
        graph: What the model was made of.
        model: The model.
        level: How far it is optimized before it runs.
    """
    answer = runner(serialized(model), level=level)
    names = {given: name for name, given in output_names(graph).items()}
    return lambda inputs: {names.get(name, name): array for name, array in answer(inputs).items()}


def masks_of(graph: Graph, weights: Mapping[str, ArrayLike], opset: int = 23) -> Run | None:
    """Computes the outputs' masks, by the outputs' names; None if no output has one.

    Args:
        graph: The network.
        weights: Its weights.
        opset: The opset of the model that computes them.
    """
    if all(type.mask is None for type in graph.output_types.values()):
        return None
    run = spelled(graph, to_onnx(graph, weights, opset=opset, masks=True))
    given = output_names(graph)
    masked = [name for name, type in graph.output_types.items() if type.mask is not None]

    def masks(inputs: Arrays) -> Arrays:
        answer = run(inputs)
        return {name: answer[f"{given[name]}_mask"] for name in masked}

    return masks
