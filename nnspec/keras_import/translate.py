"""From a layer of a Keras model to steps: one table for layers, one for operations, one for what others define."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from nnspec.keras_import.arguments import NoEqual
from nnspec.keras_import.lift import lifted
from nnspec.keras_import.lift.applications import OF_APPLICATIONS
from nnspec.keras_import.lift.operations import OPERATIONS
from nnspec.keras_import.model import KerasCall, KerasLayer, Tensor, is_of_keras
from nnspec.keras_import.parts import Inside, Part, Source, Translation, Translator, Within
from nnspec.layers import snake_name
from nnspec.layers.left_out import LEFT_OUT
from nnspec.layers.normalization import BatchNormalization
from nnspec.layers.recurrence import RECURRENT
from nnspec.layers.spectral_normalization import SpectralNormalization
from nnspec.types import Config

__all__ = ["differs_in_training", "kind_of", "translated"]


def translated(layer: KerasLayer, call: KerasCall, within: Within) -> Translation:
    """What one call of a layer becomes.

    Raises:
        NoEqual: Where the language has no equal.
    """
    try:
        within = replace(within, translated=translated)
        activation = layer.config.get("activation")
        if isinstance(activation, dict) and activation.get("module") == "keras.layers" and is_of_keras(activation):
            made = _before_activation(layer, call, within), _activation(activation, within)
            parts = _joined(*made)
        else:
            parts = _translator(layer)(layer, call, within)
        _check_sources(parts)
        if call.kwargs.get("training") is True and not _trains_by_default(layer) and not isinstance(parts, Tensor):
            _refuse_training(parts)
        return parts
    except (TypeError, ValueError, KeyError, IndexError, AttributeError, ArithmeticError, RecursionError) as error:
        # The config comes from outside: anything may stand where Keras writes a number.
        raise NoEqual(f"its config is not as Keras writes it ({type(error).__name__}: {error})", setting=True) from error


def _check_sources(made: Translation) -> None:
    """Refuses a part that reads something else than a tensor or an earlier part."""
    for number, one in enumerate(() if isinstance(made, Tensor) else made):
        if not all(isinstance(read, Tensor) or (type(read) is int and 0 <= read < number) for read in one.sources.values()):
            raise NoEqual("it is called with something that is no tensor", setting=True)


def _before_activation(layer: KerasLayer, call: KerasCall, within: Within) -> Translation:
    """A layer whose activation is a layer, without it."""
    if layer.kind in RECURRENT:
        help = "give it an activation by name, `activation='relu'`, and save the model again"
        raise NoEqual("its activation is a layer, within the recurrence", help, setting=True)
    if layer.config.get("activity_regularizer") is not None:
        raise NoEqual("its activation is a layer, and the penalty on its output has no equal", setting=True)
    return _translator(layer)(replace(layer, config={**layer.config, "activation": "linear"}), call, within)


def _activation(entry: Mapping[str, Any], within: Within) -> tuple[Part, ...]:
    """What a layer that is another's activation becomes; it reads ``_BEFORE``."""
    config = entry.get("config")
    config = config if isinstance(config, dict) else {}
    layer = KerasLayer(str(config.get("name")), str(entry.get("class_name")), "keras.layers", None, config, (), None)
    made = translated(layer, KerasCall([_BEFORE], {}), replace(within, shape_of=lambda tensor: None))
    return () if isinstance(made, Tensor) else made


_BEFORE = Tensor("before the activation")


def _joined(before: Translation, after: tuple[Part, ...]) -> Translation:
    """A layer's parts, then those of its activation."""
    if isinstance(before, Tensor):
        first: tuple[Part, ...] = ()
        source: Source = before
    else:
        first, source = before, len(before) - 1

    def moved(read: Source) -> Source:
        return source if read == _BEFORE else read + len(first) if isinstance(read, int) else read

    inside = Inside("activation", ("activation",))
    rest = [replace(one, sources={port: moved(read) for port, read in one.sources.items()}, inside=inside) for one in after]
    if not rest:
        return before
    named = [replace(one, suffix=one.suffix or "_linear") for one in first]
    return (*named, *rest)


def _trains_by_default(layer: KerasLayer) -> bool:
    """Whether Keras calls it with ``training=True`` by itself: its layers for images do so, and change nothing in use."""
    return layer.kind.startswith("Random") or layer.kind in (
        "AutoContrast",
        "CenterCrop",
        "RandAugment",
        "Resizing",
        "Solarization",
    )


def _refuse_training(parts: tuple[Part, ...]) -> None:
    """Refuses ``training=True`` where it makes a difference."""
    if any(differs_in_training(part.layer) for part in parts):
        help = "call it without `training`, and save the model again"
        raise NoEqual("it is called with `training=True`, and in a spec nothing trains in use", help, setting=True)


def differs_in_training(layer: Config) -> bool:
    """Whether a layer, or the one within it, computes something else in training."""
    inner = [layer, *(held for name in ("layer", "backward_layer") if (held := getattr(layer, name, None)) is not None)]
    return any(
        getattr(one, "is_random", False)
        or getattr(one, "dropout", 0)
        or getattr(one, "recurrent_dropout", 0)
        or isinstance(one, BatchNormalization | SpectralNormalization)
        for one in inner
    )


def _translator(layer: KerasLayer) -> Translator:
    translator = lifted(layer)
    if translator is not None:
        return translator
    if not layer.is_keras:
        raise _own_class(layer)
    if layer.is_operation:
        if layer.kind not in OPERATIONS:
            raise NoEqual(f"no layer computes `keras.ops.{snake_name(layer.kind)}`", _OPERATION)
        return OPERATIONS[layer.kind]
    if (layer.module, layer.kind) in OF_APPLICATIONS:
        return OF_APPLICATIONS[layer.module, layer.kind]
    if layer.kind in ("Lambda", "TFOpLambda", "SlicingOpLambda"):
        function = _function(layer)
        raise NoEqual(f"its function{function} is code, which is not run", _CODE)
    if layer.kind in ("Functional", "Model", "Sequential"):
        raise NoEqual("it is a model whose config lists no layers", _SUBCLASSED)
    raise NoEqual(LEFT_OUT.get(layer.kind, "the language has no such layer"))


_OPERATION = "write it with a layer of Keras where there is one, or compute it before the model or after it"
_CODE = "replace it by layers or operations (`x * 2`, `keras.ops.relu(x)`) that compute the same, and save the model again"
_SUBCLASSED = (
    "replace it by what its `call` does on the tensors of the model around it: `y = inner.call(x)` in place of `y = inner(x)`, "
    "and save the model again"
)
_OWN = "replace it by layers of Keras that compute the same, and save the model again"


def _own_class(layer: KerasLayer) -> NoEqual:
    if isinstance(layer.config, Mapping) and "layers" in layer.config:
        help = f"{_SUBCLASSED}; where its class leaves `call` as it is, `keras.Model(inner.inputs, inner.outputs)` is the same"
        return NoEqual("it is a model of your own class, and what its `call` computes is not in the file", help)
    return NoEqual("it is of your own class, and what it computes is not in the file", f"{_OWN}; of a model: {_SUBCLASSED}")


def _function(layer: KerasLayer) -> str:
    """The name of a ``Lambda``'s function, where it has one."""
    given = layer.config.get("function")
    name = given.get("config") if isinstance(given, dict) else None
    return f" `{name[:40]}`" if isinstance(name, str) else ""


def kind_of(layer: KerasLayer) -> str:
    """What a layer is, as people know it: ``Conv2D``, ``keras.ops.Add``, ``mine>Attention``."""
    if layer.is_operation:
        return f"keras.ops, {layer.kind}"
    return layer.registered if layer.registered and "." not in layer.registered else layer.kind
