"""Verification of a layer: its declarations, Keras and ONNX Runtime agree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import onnx

from nnspec.exporting.keras_reference import keras_reference
from nnspec.keras_backend import set_weight_arrays, to_keras
from nnspec.keras_backend.plugin import is_plugin
from nnspec.layers.base import Layer
from nnspec.onnx_backend.emit import to_onnx
from nnspec.onnx_backend.parity import Parity, measure
from nnspec.onnx_backend.proof import ties_of
from nnspec.onnx_backend.proto import serialized
from nnspec.onnx_backend.samples import sizes
from nnspec.runtime.session import Arrays, Run, runner
from nnspec.testing.case import Case, Input
from nnspec.testing.claims import Batch, ProofError, check_claims
from nnspec.types import substitute

_BATCHES = (1, 5)


def prove(layer: Layer, inputs: Input | Mapping[str, Input], *, opset: int = 23) -> Parity:
    """Verify a layer in four ways, like every built-in layer.

    Inferred shapes, element types and masks equal those of Keras, symbolic and computed, and of ONNX Runtime; ``weights`` equal
    Keras's variables; outputs agree by the parity that ``export`` requires, at two batch sizes and two values of each symbol,
    with right padding, left padding, holes and rows of only padding if the input is masked. A plug-in layer is also recreated
    from its Keras configuration, as in loading a saved model.

    Args:
        layer: The layer, such as ``GatedLinearUnit(units=3)``.
        inputs: The input, or the input of each port, ``"0"``, ``"1"``, … of a merge.
        opset: The ONNX opset.

    Returns:
        The parity of ONNX Runtime and Keras.

    Raises:
        ProofError: If something differs.
        NnspecError: If the layer cannot be lowered.
        LayerError: If the layer does not accept the inputs.

    Example:
        >>> from nnspec.layers.core import Dense
        >>> prove(Dense(units=3), Input(("T", 4))).agrees
        True
    """
    case = Case.of(layer, {next(iter(layer.ports.required), "x"): inputs} if isinstance(inputs, Input) else inputs)
    chosen = sizes(case.graph())
    batches = list(zip(_BATCHES, (chosen * 2)[:2], strict=True))
    check_claims(case, batches)
    if is_plugin(layer):
        _check_saved(case, *batches[-1])
    return check_onnx(case, batches, opset=opset)[1]


def check_onnx(case: Case, batches: Iterable[Batch], *, opset: int = 23) -> tuple[onnx.ModelProto, Parity]:
    """Compare the outputs and masks of ONNX Runtime with those of Keras.

    Args:
        case: The layer and its inputs.
        batches: The batches.
        opset: The ONNX opset.

    Raises:
        ProofError: If they differ.
    """
    graph, batches = case.graph(), list(batches)
    weights = case.weights(graph)
    model = to_onnx(graph, weights, opset=opset, masks=True)
    onnx.checker.check_model(model, full_check=True)
    run = runner(serialized(model))
    cases = [case.data(batch, free) for batch, free in batches]
    reference = keras_reference(graph, weights, masks=True)

    def lowered(others: Arrays) -> Run:
        return runner(serialized(to_onnx(graph, others, opset=opset, masks=True)))

    parity = measure(reference, run, cases, ties=ties_of(graph, weights, reference, run, lowered))
    if not parity.agrees:
        raise ProofError(f"ONNX Runtime differs from Keras:\n{parity.text()}")
    for data, (batch, free) in zip(cases, batches, strict=True):
        _check_types(case, run(data), batch, free)
    return model, parity


def _check_types(case: Case, answers: Arrays, batch: int, free: Mapping[str, int]) -> None:
    for name, type_ in case.graph().output_types.items():
        shape, dtype = answers[name].shape, answers[name].dtype.name
        inferred = (batch, *(substitute(size, dict(free)) for size in type_.shape))
        if (shape, dtype) != (inferred, type_.dtype):
            raise ProofError(f"`{name}`: `infer` returns {inferred} of {type_.dtype}; ONNX Runtime outputs {shape} of {dtype}")


def _check_saved(case: Case, batch: int, free: Mapping[str, int]) -> None:
    """A saved Keras model is made anew from what its layers say of themselves."""
    graph = case.graph()
    model = to_keras(graph, seed=1)
    set_weight_arrays(model, graph, case.weights(graph))
    try:
        again = type(model).from_config(model.get_config())
    except Exception as error:  # any error of plug-in code
        reason = f"{type(error).__name__}: {error}"
        raise ProofError(
            f"its Keras layer cannot be made anew from its `get_config`, as a saved model is ({reason})"
        ) from error
    again.set_weights(model.get_weights())
    data = case.data(batch, free)
    for name, tensor in model(data, training=False).items():
        if not np.array_equal(tensor.numpy(), again(data)[name].numpy(), equal_nan=tensor.dtype.is_floating):
            raise ProofError(f"`{name}`: recreated from its `get_config`, the Keras layer returns different values")
