"""Writes an ONNX graph: names, nodes and constants."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nnspec.types import Condition, TensorType

if TYPE_CHECKING:
    from onnx import TypeProto

__all__ = ["Body", "Builder", "Operation"]


@dataclass
class Operation:
    """One node of the ONNX graph; ``bodies`` are its attributes that are graphs themselves."""

    type: str
    name: str
    inputs: list[str]
    outputs: list[str]
    attributes: dict[str, Any]
    bodies: dict[str, Body] = field(default_factory=dict)

    def reads(self) -> Iterator[str]:
        """Every tensor it needs, those its bodies take from outside too."""
        yield from filter(None, self.inputs)
        for body in self.bodies.values():
            made = {name for operation in body.operations for name in operation.outputs} | {name for name, _ in body.inputs}
            for operation in body.operations:
                yield from (name for name in operation.reads() if name not in made)

    def replace(self, tensor: str, other: str) -> None:
        """Reads and gives another tensor in the place of one, in its bodies too."""
        self.inputs = [other if name == tensor else name for name in self.inputs]
        self.outputs = [other if name == tensor else name for name in self.outputs]
        for body in self.bodies.values():
            for operation in body.operations:
                operation.replace(tensor, other)


@dataclass
class Body:
    """A graph inside a node: what runs at each step of a ``Scan``. It may read the constants of the graph around it.

    Attributes:
        inputs: Its inputs with their types; of an ONNX type the batch is no part.
        outputs: Its outputs with their types.
        operations: Its nodes.
    """

    inputs: list[tuple[str, TensorType | TypeProto]] = field(default_factory=list)
    outputs: list[tuple[str, TensorType | TypeProto]] = field(default_factory=list)
    operations: list[Operation] = field(default_factory=list)


class Builder:
    """The ONNX graph so far. Every name begins with the path of the layer under way (`at`).

    Attributes:
        opset: The version of the operators to write.
        conditions: What is known of a free size, by its symbol.
        operations: The nodes, each behind all it reads.
        constants: The initializers, by name.
    """

    def __init__(self, opset: int, conditions: Mapping[str, Condition] | None = None) -> None:
        self.opset = opset
        self.conditions = conditions or {}
        self.operations: list[Operation] = []
        self.constants: dict[str, NDArray[Any]] = {}
        self.scope = ""
        self._weights_at = ""
        self._wanted: dict[str, str] = {}
        self._owner: dict[str, str] = {}
        self._made: dict[tuple[Any, ...], Any] = {}
        self._into = self.operations

    @contextmanager
    def at(self, path: str, weights_at: str | None = None) -> Iterator[None]:
        """Everything made inside is named after this layer, its constants after the one whose weights it has."""
        outer = self.scope, self._weights_at
        self.scope, self._weights_at = path, weights_at or path
        yield
        self.scope, self._weights_at = outer

    @contextmanager
    def body(self) -> Iterator[Body]:
        """Nodes made inside become the body of a node to come."""
        outer, body = self._into, Body()
        self._into = body.operations
        yield body
        self._into = outer

    def claim(self, wanted: str) -> str:
        """A handle for a tensor or a node that is to bear a name; where several want it, all but the first get a number."""
        handle, count = wanted, 0
        while handle in self._wanted:
            count += 1
            handle = f"{wanted}_{count}"
        self._wanted[handle] = wanted
        self._owner[handle] = self.scope
        return handle

    def rename(self, tensor: str, wanted: str) -> None:
        """Gives a tensor another name in the end."""
        self._wanted[tensor] = wanted

    def wanted(self, tensor: str) -> str:
        """The name a tensor is to bear in the end."""
        return self._wanted[tensor]

    def owns(self, tensor: str) -> bool:
        """Whether the layer under way has made this tensor."""
        return self._owner.get(tensor) == self.scope

    def name(self, hint: str) -> str:
        """A handle under the layer's own name."""
        return self.claim(f"{self.scope}/{hint}")

    def op(self, type: str, *inputs: str, bodies: dict[str, Body] | None = None, **attributes: Any) -> str:
        """Adds a node of one output; returns the output's name.

        Args:
            type: The ONNX operator.
            inputs: Tensors; empty where an optional one is left out.
            bodies: Attributes that are graphs.
            attributes: The others; those that are None are left out.
        """
        return self.ops(type, inputs, 1, bodies=bodies, **attributes)[0]

    def ops(
        self,
        type: str,
        inputs: Sequence[str],
        outputs: int | Sequence[bool],
        *,
        bodies: dict[str, Body] | None = None,
        **attributes: Any,
    ) -> list[str]:
        """Adds a node of several outputs; returns their names.

        Args:
            type: The ONNX operator.
            inputs: Tensors; empty where an optional one is left out.
            outputs: How many, or which of the operator's are wanted; the others get an empty name.
            bodies: Attributes that are graphs.
            attributes: The others; those that are None are left out.
        """
        wanted = [True] * outputs if isinstance(outputs, int) else outputs
        name = self.name(type)
        names = [self.name(type) if want else "" for want in wanted]
        kept = {key: value for key, value in attributes.items() if value is not None}
        self._into.append(Operation(type, name, list(inputs), names, kept, bodies or {}))
        return names

    def constant(self, value: ArrayLike, hint: str, dtype: Any = None, at: str | None = None) -> str:
        """An initializer; the same array under the same name is written once.

        Args:
            value: Its elements.
            hint: Its name under the layer's own.
            dtype: Its element type; the array's own if left out.
            at: The path of the layer it belongs to, where that is not the one under way.
        """
        array = np.ascontiguousarray(np.asarray(value, dtype=dtype)).reshape(np.shape(value))
        name = f"{at or self._weights_at}/{hint}"
        alike: list[str] = self._made.setdefault(("constant", name, array.dtype.str, array.shape), [])
        for handle in alike:
            if self.constants[handle].tobytes() == array.tobytes():
                return handle
        alike.append(self.claim(name))
        self.constants[alike[-1]] = array
        return alike[-1]

    def ints(self, values: Iterable[int], hint: str) -> str:
        """A vector of int64: sizes, axes, pads."""
        return self.constant(list(values), hint, np.int64)

    def reduce(self, type: str, tensor: str, axes: Iterable[int], *, keepdims: bool) -> str:
        """A reduction over axes, in the form that the version of the operators has."""
        if self.opset >= 18 or type == "ReduceSum":
            return self.op(type, tensor, self.ints(axes, "axes"), keepdims=int(keepdims))
        return self.op(type, tensor, axes=list(axes), keepdims=int(keepdims))

    def become(self, tensor: str, output: str) -> None:
        """Gives a tensor the handle of an output of the graph, everywhere."""
        for operation in self.operations:
            operation.replace(tensor, output)

    def copy(self, tensor: str, output: str) -> None:
        """Gives an output of the graph the elements of a tensor that has to keep its own name."""
        self.operations.append(Operation("Identity", self.name("Identity"), [tensor], [output], {}))

    def once(self, key: tuple[Any, ...], make: Any) -> Any:
        """What `make` gave the first time it was asked for by this key."""
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]

    def produced(self, tensor: str) -> Operation:
        """The node that gives a tensor."""
        return next(operation for operation in reversed(self._into) if tensor in operation.outputs)
