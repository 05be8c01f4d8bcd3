"""A Keras model as its config tells it: layers, their calls, and what flows between them. Nothing is instantiated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["KerasCall", "KerasLayer", "KerasModel", "Tensor", "is_of_keras", "tensors_in"]

_OWN_MODULES = ("keras", "keras_core")


def is_of_keras(entry: Mapping[str, Any]) -> bool:
    """Whether a serialized object is of a class, or a function, of Keras itself, and not one that only has its name.

    Keras writes the public module of its own classes and no registered name; of those it does not export, a module under
    ``keras.src`` and the class's name once more. Everything else is a user's own: another module, null (for ``__main__``),
    or another name, ``package>Name``, that it was registered as. Keras 2 wrote neither key.
    """
    kind, registered = entry.get("class_name"), entry.get("registered_name")
    module = entry.get("module", "keras")
    if not isinstance(kind, str) or not isinstance(module, str) or module.partition(".")[0] not in _OWN_MODULES:
        return False
    return ">" not in kind and registered in (None, kind)


@dataclass(frozen=True, slots=True)
class Tensor:
    """What a call reads.

    Attributes:
        layer: The name of the layer that gives it, or of an input.
        call: Which call of that layer, from 0.
        index: Which of its outputs, from 0.
        shape: Its sizes, the batch axis first; None where the config does not tell.
    """

    layer: str
    call: int = 0
    index: int = 0
    shape: tuple[int | None, ...] | None = field(default=None, compare=False)


@dataclass(frozen=True)
class KerasCall:
    """One application of a layer.

    Attributes:
        args: What it is called with: tensors, plain values, lists of them.
        kwargs: The same by name.
    """

    args: list[Any]
    kwargs: dict[str, Any]


@dataclass(frozen=True)
class KerasLayer:
    """One layer, or one operation of ``keras.ops``.

    Attributes:
        name: Its name in its model.
        kind: Its class, ``Conv2D``.
        module: Where Keras says that class is.
        registered: What the class is registered as, where the config says so.
        same_as: The name, in another model, of the very same layer, which has the weights; empty if there is none before it.
        is_keras: Whether it is a class of Keras itself, and not one that only has its name.
        config: Its arguments.
        calls: Its applications in their order.
        group: Where its weights stand in the file, ``layers/conv2d_1``; None for an operation.
        model: What it holds, where it is a model itself.
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

    @property
    def is_operation(self) -> bool:
        """Whether it is an operation between layers, which drops masks and has no weights."""
        return self.is_keras and self.module.startswith("keras.src.ops.")

    @property
    def is_ours(self) -> bool:
        """Whether it is a class of ``keras_backend.layers``."""
        return self.registered == f"nnspec>{self.kind}"

    @property
    def precision(self) -> str:
        """The element type it computes in, ``float32``, or the name of a policy, ``mixed_float16``."""
        given = self.config.get("dtype")
        if isinstance(given, dict):
            inner = given.get("config")
            given = inner.get("name") if isinstance(inner, dict) else None
        return given if isinstance(given, str) else "float32"


@dataclass(frozen=True)
class KerasModel:
    """One model, or one within another.

    Attributes:
        name: Its name.
        inputs: Its inputs' shapes, the batch axis first, and element types, by name.
        layers: Its layers by name, in the config's order.
        outputs: What it gives, by name.
        keys: What its inputs are called where it takes them as a mapping, in the same order.
        input_order: The names of its inputs in the order in which Keras counts them.
        output_order: The names of its outputs in the order in which Keras counts them.
    """

    name: str
    inputs: Mapping[str, tuple[tuple[int | None, ...], str]]
    layers: Mapping[str, KerasLayer]
    outputs: Mapping[str, Tensor]
    keys: tuple[str, ...] = ()
    input_order: tuple[str, ...] = ()
    output_order: tuple[str, ...] = ()


def tensors_in(value: Any) -> Iterator[Tensor]:
    """The tensors among arguments, in their order."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from tensors_in(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from tensors_in(item)
