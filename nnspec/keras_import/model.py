"""A parsed Keras config: layers, their calls, and tensors. No Keras object is created."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["KerasCall", "KerasLayer", "KerasModel", "Tensor", "is_of_keras", "tensors_in"]

_OWN_MODULES = ("keras", "keras_core")


def is_of_keras(entry: Mapping[str, Any]) -> bool:
    """Whether a serialized object is of a built-in Keras class or function.

    For its public classes, Keras writes the public module and no registered name; for private ones, a module under
    ``keras.src`` and the class name again. Custom classes have another module, null (for ``__main__``), or a registered name
    ``package>Name``. Keras 2 wrote neither key.
    """
    kind, registered = entry.get("class_name"), entry.get("registered_name")
    module = entry.get("module", "keras")
    if not isinstance(kind, str) or not isinstance(module, str) or module.partition(".")[0] not in _OWN_MODULES:
        return False
    return ">" not in kind and registered in (None, kind)


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor in a Keras model.

    Attributes:
        layer: The name of the layer that returns it, or of an input.
        call: The index of the layer's call.
        index: The index of the output.
        shape: Its shape with the batch axis; None if unknown.
    """

    layer: str
    call: int = 0
    index: int = 0
    shape: tuple[int | None, ...] | None = field(default=None, compare=False)


@dataclass(frozen=True)
class KerasCall:
    """One call of a layer.

    Attributes:
        args: The positional arguments: tensors, plain values, lists of them.
        kwargs: The keyword arguments.
    """

    args: list[Any]
    kwargs: dict[str, Any]


@dataclass(frozen=True)
class KerasLayer:
    """One layer, or one operation of ``keras.ops``.

    Attributes:
        name: Its name in its model.
        kind: Its class, ``Conv2D``.
        module: The module of the class.
        registered: The registered name of the class, if any.
        same_as: The name of the same layer object in another model, which has the weights; empty if it is the first.
        is_keras: Whether it is a built-in class of Keras.
        config: Its arguments.
        calls: Its calls, in order.
        group: The group of its weights in the file, ``layers/conv2d_1``; None for an operation.
        model: The nested model, if it is one or applies one at every time step.
        every_step: Whether it is a ``TimeDistributed`` of `model`.
    """

    name: str
    kind: str
    module: str
    registered: str | None
    config: Mapping[str, Any]
    calls: tuple[KerasCall, ...]
    group: str | None
    model: KerasModel | None = None
    is_keras: bool = True
    same_as: str = ""
    every_step: bool = False

    @property
    def is_operation(self) -> bool:
        """Whether it is an operation between layers, which drops masks and has no weights."""
        return self.is_keras and self.module.startswith("keras.src.ops.")

    @property
    def is_model(self) -> bool:
        """Whether it is a nested model, or a functional model of a custom class."""
        return (self.model is not None and not self.every_step) or "output_layers" in self.config

    @property
    def is_ours(self) -> bool:
        """Whether it is a class of ``keras_backend.layers``."""
        return self.registered == f"nnspec>{self.kind}"

    @property
    def precision(self) -> str:
        """Its dtype, ``float32``, or the name of its dtype policy, ``mixed_float16``."""
        given = self.config.get("dtype")
        if isinstance(given, dict):
            inner = given.get("config")
            given = inner.get("name") if isinstance(inner, dict) else None
        return given if isinstance(given, str) else "float32"


@dataclass(frozen=True)
class KerasModel:
    """A model or a nested model.

    Attributes:
        name: Its name.
        inputs: The shapes with the batch axis, and the dtypes of its inputs, by name.
        layers: Its layers by name, in the config's order.
        outputs: Its outputs, by name.
        keys: The keys of its inputs if it takes a mapping, in the same order.
        input_order: The names of its inputs in Keras's numbering.
        output_order: The names of its outputs in Keras's numbering.
        variables: The names of what stands for the variables of a live model.
    """

    name: str
    inputs: Mapping[str, tuple[tuple[int | None, ...], str]]
    layers: Mapping[str, KerasLayer]
    outputs: Mapping[str, Tensor]
    keys: tuple[str, ...] = ()
    input_order: tuple[str, ...] = ()
    output_order: tuple[str, ...] = ()
    variables: frozenset[str] = frozenset()


def tensors_in(value: Any) -> Iterator[Tensor]:
    """Yield the tensors in arguments, in order."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from tensors_in(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from tensors_in(item)
