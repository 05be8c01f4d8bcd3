"""From a layer of a Keras model to steps: one table for layers, one for operations, one for what others define."""

from __future__ import annotations

from nnspec.keras_import.applications import OF_APPLICATIONS
from nnspec.keras_import.arguments import NoEqual
from nnspec.keras_import.layers import OF_KERAS, OF_OURS
from nnspec.keras_import.model import KerasCall, KerasLayer
from nnspec.keras_import.operations import OPERATIONS
from nnspec.keras_import.parts import Translation, Translator, Within, same

__all__ = ["kind_of", "translated"]


def translated(layer: KerasLayer, call: KerasCall, within: Within) -> Translation:
    """What one call of a layer becomes.

    Raises:
        NoEqual: Where the language has no equal.
    """
    try:
        return _translator(layer)(layer, call, within)
    except (TypeError, ValueError, KeyError, IndexError, AttributeError, ArithmeticError) as error:
        # The config comes from outside: anything may stand where Keras writes a number.
        raise NoEqual(f"its config is not as Keras writes it ({type(error).__name__}: {error})", setting=True) from error


def _translator(layer: KerasLayer) -> Translator:
    if layer.registered in OF_OURS:
        return OF_OURS[str(layer.registered)]
    if (layer.module, layer.kind) in OF_APPLICATIONS:
        return OF_APPLICATIONS[layer.module, layer.kind]
    if layer.is_operation:
        if layer.kind not in OPERATIONS:
            raise NoEqual("no layer computes the same", "write it as a layer before the model is saved, if there is one")
        return OPERATIONS[layer.kind]
    if layer.registered is not None or not layer.is_keras:
        help = "it is not run to see what it computes: replace it by layers that compute the same, and save the model again"
        raise NoEqual("it is a class of your own", help)
    if layer.kind in ("Lambda", "TFOpLambda", "SlicingOpLambda"):
        raise NoEqual("what it computes is code, which is not run", "write it with layers or `keras.ops`, and save it again")
    if layer.kind in ("Functional", "Model"):
        raise NoEqual("it is a model that does not tell what it computes", "build it of `keras.Input` and layers")
    return OF_KERAS.get(layer.kind, same)


def kind_of(layer: KerasLayer) -> str:
    """What a layer is, as people know it: ``Conv2D``, ``keras.ops.Add``, ``mine>Attention``."""
    if layer.is_operation:
        return f"keras.ops, {layer.kind}"
    return layer.registered if layer.registered and "." not in layer.registered else layer.kind
