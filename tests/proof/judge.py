"""The four-way proof of one graph: what is inferred is what Keras says, what Keras gives and what ONNX Runtime gives.

Shapes and element types agree in all four; weights are Keras's variables one by one; masks are those that Keras computes;
outputs are in parity by the one parity function, at several batch sizes, two lengths and padding of every kind. Where they are
not, they may yet be as near as ONNX Runtime's gates allow (`exact`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import onnx
import tensorflow as tf

from nnspec.exporting.keras_reference import keras_reference
from nnspec.graph.model import Graph
from nnspec.keras_backend import set_weight_arrays, to_keras
from nnspec.keras_backend.weights import variables
from nnspec.onnx_backend.emit import output_names, to_onnx
from nnspec.onnx_backend.parity import Bound, Reference
from nnspec.onnx_backend.proof import named_outputs, verify
from nnspec.onnx_backend.proto import serialized
from nnspec.onnx_backend.samples import draw, sizes
from nnspec.runtime.session import Arrays, Run, runner
from nnspec.types import Dim, substitute

from ..onnx_backend.nets import random_weights
from .exact import exactly, has_gates, only_coarse

__all__ = ["Unproven", "concrete", "judge"]

LARGEST = 1e6


class Unproven(Exception):
    """Nothing can be concluded, for the reason that it gives."""


RANGE = "out of float32's range"
REFUSED = "TensorFlow's kernels refuse it"
"""Faults of oneDNN in TensorFlow 2.21 on some processors with AVX-512, which hand-written Keras meets as well: a compiled
convolution of one channel into one filter, by a kernel of one position, has no memory layout it can tell apart; and a softmax
that is run eagerly takes tensors of at most five axes. An index that an expression computes may be out of range, which is
undefined, and raises on a CPU."""
_REFUSALS = ("could not create a primitive descriptor", "Input dims must be <= 5", "is not in [0, ")
TIED = "ties decide too many elements"
COARSE = "what ONNX Runtime rounds away is more than the outputs"
"""The file is proven, computed exactly, and ONNX Runtime is off by the last bit of its gates: see ``only_coarse``."""


def judge(graph: Graph, opset: int = 23, *, seed: int = 1, bound: Bound = "quick") -> None:
    """Proves a graph with random weights.

    Args:
        graph: The graph.
        opset: The version of the operators.
        seed: Of the weights. It is not that of the inputs: a mean that were one of them would leave exactly nothing of it.
        bound: By which bound outputs are compared.

    Raises:
        AssertionError: What differs.
        Unproven: Where nothing can be concluded, with the reason.
    """
    weights = random_weights(graph, seed)
    model = to_keras(graph, seed=1)
    check_symbolic(graph, model)
    check_weights(graph, model)
    set_weight_arrays(model, graph, weights)
    check_eager(graph, model)
    reference = compiled(keras_reference(graph, weights, masks=True, model=model))
    check_range(graph, reference)
    written = to_onnx(graph, weights, masks=True, opset=opset)
    onnx.checker.check_model(written, full_check=True)
    check_written(graph, written, reference)
    parity = verify(graph, weights, written, reference, opset=opset, bound=bound)
    if not parity.agrees and has_gates(written) and is_coarse(graph, written, reference):
        raise Unproven(COARSE)
    if parity.differing and all(found.is_undecided and found.tolerance_used <= 1 for found in parity.differing.values()):
        raise Unproven(TIED)
    assert parity.agrees, "\n" + parity.text()


def is_coarse(graph: Graph, written: onnx.ModelProto, reference: Run) -> bool:
    try:
        return only_coarse(
            wanted_of(graph, reference), named_outputs(graph, written), renamed(graph, exactly(written)), draw(graph)
        )
    except Exception:  # ONNX's reference has not every operator: then nothing is known
        return False


def wanted_of(graph: Graph, reference: Run) -> Run:
    """Keras's answers without the masks beside them."""
    return lambda inputs: {name: array for name, array in reference(inputs).items() if name in graph.outputs}


def renamed(graph: Graph, run: Run) -> Run:
    """The model's answers under the graph's names."""
    given = output_names(graph)

    def answers(inputs: Arrays) -> Arrays:
        found = run(inputs)
        return {name: found[given[name]] for name in graph.outputs}

    return answers


def symbolic(shape: tuple[int | Dim, ...]) -> tuple[int | None, ...]:
    """A shape as Keras writes it before anything runs."""
    return (None, *(size if isinstance(size, int) else None for size in shape))


def concrete(shape: tuple[int | Dim, ...], batch: int, free: Mapping[str, int]) -> tuple[Any, ...]:
    """A shape as an array has it."""
    return (batch, *(substitute(size, free) for size in shape))


def mask_of(tensor: Any) -> Any:
    return getattr(tensor, "_keras_mask", None)


def check_symbolic(graph: Graph, model: keras.Model) -> None:
    for name, inferred in graph.output_types.items():
        tensor = model.output[name]
        check_certain(name, tensor.shape, inferred.shape)
        mask = mask_of(tensor)
        assert (mask is None) == (inferred.mask is None), f"{name}: Keras's mask is {mask}, inferred {inferred.mask}"
        if mask is not None and inferred.mask is not None:
            check_certain(f"the mask of {name}", mask.shape, inferred.mask)


def check_certain(name: str, reported: Any, inferred: tuple[int | Dim, ...]) -> None:
    """A merge of a free size and a number is that number: Keras says so of some layers, and of others nothing."""
    wanted = symbolic(inferred)
    certain = tuple(known if size is None else size for size, known in zip(reported, wanted, strict=True))
    assert certain == wanted, f"{name}: Keras says {reported}, inferred {inferred}"


def check_weights(graph: Graph, model: keras.Model) -> None:
    ours = {name: (weight.shape, weight.trainable and not node.frozen) for name, weight, node in graph.weights()}
    theirs = {name: (tuple(v.shape), v.trainable) for name, v in variables(model, graph).items()}
    assert theirs == ours, f"Keras has the weights {theirs}, inferred {ours}"
    counts = model.count_params(), sum(int(np.prod(v.shape)) for v in model.trainable_weights)
    assert counts == (graph.parameters, graph.trainable_parameters), f"Keras counts the parameters {counts}"


def check_eager(graph: Graph, model: keras.Model) -> None:
    """Sizes as they come, in a batch of a size that no axis has: Keras 3.15.1 adds a bias to the batch axis otherwise."""
    free, batch = sizes(graph)[-1], 13
    *_, drawn = draw(graph)  # Positions in a picture are those of its last sizes.
    inputs = {name: np.resize(array, concrete(kind_of(graph, name), batch, free)) for name, array in drawn.items()}
    try:
        outputs = model(inputs, training=False)
    except (tf.errors.AbortedError, tf.errors.InvalidArgumentError) as error:
        raise _unless_refused(error) from None
    assert list(outputs) == list(graph.outputs)
    for name, inferred in graph.output_types.items():
        found, mask = outputs[name], mask_of(outputs[name])
        assert tuple(found.shape) == concrete(inferred.shape, batch, free), f"{name}: {found.shape}, inferred {inferred}"
        assert keras.backend.standardize_dtype(found.dtype) == inferred.dtype, f"{name}: {found.dtype}, not {inferred.dtype}"
        assert (mask is None) == (inferred.mask is None), name
        if mask is not None and inferred.mask is not None:
            assert tuple(mask.shape) == concrete(inferred.mask, batch, free), f"the mask of {name}"


def kind_of(graph: Graph, name: str) -> tuple[int | Dim, ...]:
    """The shape of an input, or of the mask that comes in with one."""
    if name in graph.inputs:
        return graph.inputs[name].shape
    return graph.inputs[name.removesuffix("_mask")].mask or ()


def compiled(reference: Reference) -> Reference:
    """Keras's answers, each followed by its mask where it has one; what TensorFlow refuses is distinguished from an error."""

    def telling(run: Run) -> Run:
        def answers(inputs: Arrays) -> Arrays:
            try:
                return run(inputs)
            except (tf.errors.AbortedError, tf.errors.InvalidArgumentError) as error:
                raise _unless_refused(error) from None

        return answers

    return reference.around(telling)


def _unless_refused(error: Exception) -> Exception:
    return Unproven(REFUSED) if any(reported in str(error) for reported in _REFUSALS) else error


def check_range(graph: Graph, reference: Run) -> None:
    for inputs in draw(graph, empty_rows=False):
        for array in reference(inputs).values():
            if array.dtype.kind == "f" and not (np.abs(array) < LARGEST).all():
                raise Unproven(RANGE)


def check_written(graph: Graph, model: onnx.ModelProto, reference: Run) -> None:
    """What ONNX Runtime gives has the inferred shapes and types, and the very masks that Keras computes."""
    run, given = runner(serialized(model)), output_names(graph)
    for place, inputs in enumerate(draw(graph)):
        batches = len(next(iter(inputs.values())))
        free = sizes(graph)[place // 3 if len(sizes(graph)) > 1 else 0]
        answers, wanted = run(inputs), reference(inputs)
        for name, inferred in graph.output_types.items():
            array = answers[given[name]]
            assert array.shape == concrete(inferred.shape, batches, free), f"ONNX gives {array.shape} for {name}, {inferred}"
            assert array.dtype.name == inferred.dtype, name
            assert (inferred.mask is None) == (f"{given[name]}_mask" not in answers), name
            if inferred.mask is not None:
                assert np.array_equal(answers[f"{given[name]}_mask"], wanted[f"{name}_mask"]), f"the mask of {name}"
