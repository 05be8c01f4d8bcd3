"""Translation of a Keras layer or operation to steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from nnspec.keras_import.arguments import NoEquivalent
from nnspec.keras_import.lift import lifted
from nnspec.keras_import.lift.applications import OF_APPLICATIONS
from nnspec.keras_import.lift.operations import operation
from nnspec.keras_import.model import KerasCall, KerasLayer, Tensor, is_of_keras
from nnspec.keras_import.parts import Inside, Part, Source, Translation, Translator, Within
from nnspec.layers import snake_name
from nnspec.layers.normalization import BatchNormalization
from nnspec.layers.recurrence import RECURRENT
from nnspec.layers.spectral_normalization import SpectralNormalization
from nnspec.layers.unsupported_layers import UNSUPPORTED
from nnspec.types import Config


def translated(layer: KerasLayer, call: KerasCall, within: Within) -> Translation:
    """Translate one call of a layer.

    Raises:
        NoEquivalent: If there is no equivalent.
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
        # The config is untrusted: it may contain any value in any place.
        raise NoEquivalent(f"its config is invalid ({type(error).__name__}: {error})", setting=True) from error


def _check_sources(made: Translation) -> None:
    """Refuse a part whose inputs are not tensors or earlier parts."""
    for number, one in enumerate(() if isinstance(made, Tensor) else made):
        if not all(isinstance(read, Tensor) or (type(read) is int and 0 <= read < number) for read in one.sources.values()):
            raise NoEquivalent("it is called with an argument that is not a tensor", setting=True)


def _before_activation(layer: KerasLayer, call: KerasCall, within: Within) -> Translation:
    """Translate a layer whose activation is a layer, without the activation."""
    if layer.kind in RECURRENT:
        help = "use an activation by name, `activation='relu'`, and save the model again"
        raise NoEquivalent("its activation inside the recurrence is a layer", help, setting=True)
    if layer.config.get("activity_regularizer") is not None:
        raise NoEquivalent("its `activity_regularizer` has no equivalent if its activation is a layer", setting=True)
    return _translator(layer)(replace(layer, config={**layer.config, "activation": "linear"}), call, within)


def _activation(entry: Mapping[str, Any], within: Within) -> tuple[Part, ...]:
    """Translate a layer that is another's activation; its input is ``_BEFORE``."""
    config = entry.get("config")
    config = config if isinstance(config, dict) else {}
    layer = KerasLayer(str(config.get("name")), str(entry.get("class_name")), "keras.layers", None, config, (), None)
    made = translated(layer, KerasCall([_BEFORE], {}), replace(within, shape_of=lambda tensor: None))
    return () if isinstance(made, Tensor) else made


_BEFORE = Tensor("before the activation")


def _joined(before: Translation, after: tuple[Part, ...]) -> Translation:
    """Join a layer's parts and those of its activation."""
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
    """Whether Keras's call defaults to ``training=True``, as in image layers."""
    return layer.kind.startswith("Random") or layer.kind in (
        "AutoContrast",
        "CenterCrop",
        "RandAugment",
        "Resizing",
        "Solarization",
    )


def _refuse_training(parts: tuple[Part, ...]) -> None:
    """Refuse ``training=True`` if it has an effect."""
    if any(differs_in_training(part.layer) for part in parts):
        help = "call it without `training`, and save the model again"
        raise NoEquivalent("it is called with `training=True`, but a spec runs in inference mode", help, setting=True)


def differs_in_training(layer: Config) -> bool:
    """Whether a layer, or its inner layer, behaves differently in training."""
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
        if (found := operation(layer.kind)) is None:
            raise NoEquivalent(f"neither a layer nor a function computes `keras.ops.{snake_name(layer.kind)}`", _OPERATION)
        return found
    if (layer.module, layer.kind) in OF_APPLICATIONS:
        return OF_APPLICATIONS[layer.module, layer.kind]
    if layer.kind in ("Lambda", "TFOpLambda", "SlicingOpLambda"):
        function = _function(layer)
        raise NoEquivalent(f"its function{function} is code, which is never run", _CODE)
    if layer.kind in ("Functional", "Model", "Sequential"):
        raise NoEquivalent("it is a model without layers in its config", _SUBCLASSED)
    raise NoEquivalent(UNSUPPORTED.get(layer.kind, "there is no such layer"))


_OPERATION = "use a Keras layer if there is one, or move the operation before or after the model"
_CODE = "replace it with equivalent layers or operations (`x * 2`, `keras.ops.relu(x)`), and save the model again"
_SUBCLASSED = "inline its `call` in the outer model, `y = inner.call(x)` instead of `y = inner(x)`, and save the model again"
_OWN = "import the live model with `nnspec.from_keras(model, inline=True)`, or replace it with Keras layers"


def _own_class(layer: KerasLayer) -> NoEquivalent:
    if isinstance(layer.config, Mapping) and "layers" in layer.config:
        help = f"{_SUBCLASSED}; if its class does not override `call`, use `keras.Model(inner.inputs, inner.outputs)`"
        return NoEquivalent("it is a model of a custom class, and the code of its `call` is not in the file", help)
    return NoEquivalent("it is of a custom class, whose code is not in the file", f"{_OWN}; for a model: {_SUBCLASSED}")


def _function(layer: KerasLayer) -> str:
    """Return the name of a ``Lambda``'s function, if any."""
    given = layer.config.get("function")
    name = given.get("config") if isinstance(given, dict) else None
    return f" `{name[:40]}`" if isinstance(name, str) else ""


def kind_of(layer: KerasLayer) -> str:
    """Return the kind of a layer for messages: ``Conv2D``, ``keras.ops, Add``, ``mine>Attention``."""
    if layer.is_operation:
        return f"keras.ops, {layer.kind}"
    return layer.registered if layer.registered and "." not in layer.registered else layer.kind
