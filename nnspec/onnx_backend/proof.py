"""Verifies an ONNX model against its reference on inputs of every kind that the graph accepts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np
import onnx
from numpy.typing import ArrayLike

from nnspec.graph.model import Graph, Ref
from nnspec.onnx_backend.emit import output_names, to_onnx
from nnspec.onnx_backend.parity import Bound, Parity, Reference, measure
from nnspec.onnx_backend.preprocessing import OutputPostprocessing, Preprocessing
from nnspec.onnx_backend.proto import serialized
from nnspec.onnx_backend.samples import draw, draw_many
from nnspec.onnx_backend.ties import Ties, discontinuous
from nnspec.runtime.session import Arrays, Level, Run, runner


def verify(
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
    """Compare the model of a graph with the reference, on random and golden inputs.

    Args:
        graph: The graph of the model.
        weights: The weights of the model.
        model: The model.
        reference: The Keras reference: from named inputs to named outputs.
        golden: Batches of real inputs.
        opset: The ONNX opset.
        seed: The seed of the random inputs.
        bound: ``exact`` compares with float64 even if the quick bound holds.
        level: ONNX Runtime's level of graph optimization.
    """
    masks = masks_of(graph, weights, opset)
    empty = _takes_empty_rows(graph, weights, opset, seed)
    cases = [*draw(graph, seed=seed, empty_rows=empty), *draw_many(graph, seed=seed, empty_rows=empty), *golden]
    wanted, given = _wanted(graph, reference), named_outputs(graph, model, level=level)

    def lowered(others: Arrays) -> Run:
        return named_outputs(graph, to_onnx(graph, others, opset=opset), level=level)

    ties = ties_of(graph, weights, wanted, given, lowered, seed=seed)
    return measure(wanted, given, cases, masks=masks, seed=seed, bound=bound, ties=ties)


def ties_of(
    graph: Graph,
    weights: Mapping[str, ArrayLike],
    reference: Reference,
    candidate: Run,
    lowered: Callable[[Arrays], Run],
    *,
    seed: int = 0,
    repeated: Collection[str] = (),
) -> Ties | None:
    """Return what finds the undecided elements; None if no output depends on a discontinuous layer.

    Args:
        graph: The graph of both models.
        weights: Their weights.
        reference: The Keras reference.
        candidate: The ONNX model.
        lowered: Builds the candidate with other weights.
        seed: The seed of the perturbations.
        repeated: The outputs of both models if they run the graph repeatedly: a jump of any output reaches all of them.
    """
    names = discontinuous(graph)
    if not names:
        return None
    names = {*repeated} or names
    own = {name: np.asarray(array) for name, array in graph.own(weights).items()}
    build = reference.with_weights
    return Ties(names, reference.run, candidate, own, build and (lambda others: (build(others), lowered(others))), seed)


def verify_varied(
    graph: Graph,
    weights: Mapping[str, ArrayLike],
    parity: Parity,
    reference: Run | Reference,
    *,
    opset: int = 23,
    seed: int = 0,
) -> Parity:
    """Extend a parity by one with random weights, if the model's own weights hide differences.

    They do if an output hardly varies with the inputs, or a weight is all 0 or all 1, as before training: an error in the
    weight or in what it multiplies has no effect. The graph is lowered again with the random weights.

    Args:
        graph: The graph of the model.
        weights: The weights of the model.
        parity: The parity with these weights.
        reference: The Keras reference.
        opset: The ONNX opset.
        seed: The seed of the random inputs.
    """
    drawn = reference.drawn if isinstance(reference, Reference) else None
    if drawn is None or not (parity.constant or any(_is_fresh(np.asarray(weights[name])) for name, *_ in graph.weights())):
        return parity
    *_, batch = draw(graph, seed=seed, empty_rows=False)
    others, changed = drawn(batch)
    return replace(parity, drawn=verify(graph, others, to_onnx(graph, others, opset=opset), changed, opset=opset, seed=seed))


def _is_fresh(array: np.ndarray) -> bool:
    return bool(array.size and array.flat[0] in (0, 1) and (array == array.flat[0]).all())


def verify_preprocessing(
    graph: Graph,
    weights: Mapping[str, ArrayLike],
    preprocessing: Preprocessing | None,
    postprocessing: Mapping[str, OutputPostprocessing],
    model: onnx.ModelProto,
    reference: Run | Reference,
    *,
    golden: Sequence[Arrays] = (),
    opset: int = 23,
    seed: int = 0,
) -> Parity:
    """Compare a model of raw values with the reference and the transforms in NumPy.

    Args:
        graph: The graph of the model.
        weights: The weights of the model.
        preprocessing: The preprocessing of the graph's inputs, and raw inputs; None for none.
        postprocessing: The postprocessing of the graph's outputs.
        model: The model.
        reference: The Keras reference: from named inputs to named outputs.
        golden: Batches of real inputs, used without preprocessing.
        opset: The ONNX opset.
        seed: The seed of the input perturbations.
    """
    masks = masks_of(graph, weights, opset)

    def before_run(run: Run) -> Run:
        return run if preprocessing is None else lambda raw: run(preprocessing.apply(raw))

    def after_run(run: Run) -> Run:
        return lambda inputs: {
            name: postprocessing[name].apply(array) if name in postprocessing else array for name, array in run(inputs).items()
        }

    def lowered(others: Arrays) -> Run:
        before = {} if preprocessing is None else preprocessing.inputs
        return named_outputs(graph, to_onnx(graph, others, opset=opset, preprocessing=before, postprocessing=postprocessing))

    empty = preprocessing is None and _takes_empty_rows(graph, weights, opset, seed)
    wanted, given = _wanted(graph, reference).around(lambda run: before_run(after_run(run))), named_outputs(graph, model)
    return measure(
        wanted,
        given,
        preprocessing.cases if preprocessing is not None else [*draw(graph, seed=seed, empty_rows=empty), *golden],
        masks=None if masks is None else before_run(masks),
        seed=seed,
        ties=ties_of(graph, weights, wanted, given, lowered, seed=seed),
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
    """Find the first layer whose output differs from Keras's; None if all layers agree by themselves.

    Args:
        graph: The graph.
        weights: The arrays by identity.
        rebuild: Builds the Keras reference of a graph of the same layers with other outputs.
        golden: Batches of real inputs.
        opset: The ONNX opset.
        seed: The seed of the random inputs.
    """
    opened = _opened(graph)
    model = to_onnx(opened, weights, opset=opset)
    parity = verify(opened, weights, model, rebuild(opened), golden=golden, opset=opset, seed=seed)
    return next((ref.source for name, ref in opened.outputs.items() if name in parity.differing), None)


def _opened(graph: Graph) -> Graph:
    """The graph with all layer outputs as outputs, except those with steps merged into the batch."""
    refs = [Ref(node.name, output) for node in graph.nodes.values() if node.times == 1 for output in node.outputs]
    return replace(graph, outputs={f"{ref.source}/{ref.output}/opened": ref for ref in refs})


def _takes_empty_rows(graph: Graph, weights: Mapping[str, ArrayLike], opset: int, seed: int) -> bool:
    """Whether all outputs are finite for an example of only padding; a mean over no steps is 0 / 0."""
    if all(type.mask is None for node in graph.nodes.values() for type in node.outputs.values()):
        return True
    run = runner(serialized(to_onnx(_opened(graph), weights, opset=opset)))
    tensors = (array for inputs in draw(graph, seed=seed) for array in run(inputs).values())
    return all(np.isfinite(array).all() for array in tensors if array.dtype.kind == "f")


def _wanted(graph: Graph, reference: Run | Reference) -> Reference:
    """Restrict the reference to the graph's outputs, without masks."""

    def own(run: Run) -> Run:
        return lambda inputs: {name: array for name, array in run(inputs).items() if name in graph.outputs}

    return (reference if isinstance(reference, Reference) else Reference(reference)).around(own)


def named_outputs(graph: Graph, model: onnx.ModelProto, *, level: Level = "all") -> Run:
    """Load a model in ONNX Runtime, with the spec's output names.

    Args:
        graph: The graph of the model.
        model: The model.
        level: The level of graph optimization.
    """
    answer = runner(serialized(model), level=level)
    names = {given: name for name, given in output_names(graph).items()}
    return lambda inputs: {names.get(name, name): array for name, array in answer(inputs).items()}


def masks_of(graph: Graph, weights: Mapping[str, ArrayLike], opset: int = 23) -> Run | None:
    """Build a function that computes the masks of outputs, by output name; None if no output has one.

    Args:
        graph: The network.
        weights: Its weights.
        opset: The opset of the model that computes them.
    """
    if all(type.mask is None for type in graph.output_types.values()):
        return None
    run = named_outputs(graph, to_onnx(graph, weights, opset=opset, masks=True))
    given = output_names(graph)
    masked = [name for name, type in graph.output_types.items() if type.mask is not None]

    def masks(inputs: Arrays) -> Arrays:
        answer = run(inputs)
        return {name: answer[f"{given[name]}_mask"] for name in masked}

    return masks
