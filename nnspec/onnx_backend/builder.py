"""Builds an ONNX graph: names, nodes and constants."""

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
    """A node of the ONNX graph; ``bodies`` are its graph-valued attributes."""

    type: str
    name: str
    inputs: list[str]
    outputs: list[str]
    attributes: dict[str, Any]
    bodies: dict[str, Body] = field(default_factory=dict)

    def reads(self) -> Iterator[str]:
        """Every tensor the node reads, including those its bodies capture."""
        yield from filter(None, self.inputs)
        for body in self.bodies.values():
            made = {name for operation in body.operations for name in operation.outputs} | {name for name, _ in body.inputs}
            for operation in body.operations:
                yield from (name for name in operation.reads() if name not in made)

    def replace(self, tensor: str, other: str) -> None:
        """Replace a tensor by another in inputs, outputs and bodies."""
        self.inputs = [other if name == tensor else name for name in self.inputs]
        self.outputs = [other if name == tensor else name for name in self.outputs]
        for body in self.bodies.values():
            for operation in body.operations:
                operation.replace(tensor, other)


@dataclass
class Body:
    """A subgraph of a node, such as the body of a ``Scan``. It may read constants of the enclosing graph.

    Attributes:
        inputs: The inputs with their types. An ONNX type does not include the batch axis.
        outputs: The outputs with their types.
        operations: The nodes.
    """

    inputs: list[tuple[str, TensorType | TypeProto]] = field(default_factory=list)
    outputs: list[tuple[str, TensorType | TypeProto]] = field(default_factory=list)
    operations: list[Operation] = field(default_factory=list)


class Builder:
    """An ONNX graph under construction. Names start with the path of the current layer (`at`).

    Attributes:
        opset: The ONNX opset.
        conditions: The known constraints on each free size, by symbol.
        operations: The nodes, in topological order.
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
        """Name new tensors after a layer, and new constants after the layer that owns its weights."""
        outer = self.scope, self._weights_at
        self.scope, self._weights_at = path, weights_at or path
        yield
        self.scope, self._weights_at = outer

    @contextmanager
    def body(self) -> Iterator[Body]:
        """Collect new nodes into the body of a later node."""
        outer, body = self._into, Body()
        self._into = body.operations
        yield body
        self._into = outer

    def claim(self, wanted: str) -> str:
        """Reserve a handle for a name; a number is appended if the name is taken."""
        handle, count = wanted, 0
        while handle in self._wanted:
            count += 1
            handle = f"{wanted}_{count}"
        self._wanted[handle] = wanted
        self._owner[handle] = self.scope
        return handle

    def rename(self, tensor: str, wanted: str) -> None:
        """Change the final name of a tensor."""
        self._wanted[tensor] = wanted

    def wanted(self, tensor: str) -> str:
        """The requested final name of a tensor."""
        return self._wanted[tensor]

    def owns(self, tensor: str) -> bool:
        """Whether the current layer created this tensor."""
        return self._owner.get(tensor) == self.scope

    def name(self, hint: str) -> str:
        """A new handle under the current layer's name."""
        return self.claim(f"{self.scope}/{hint}")

    def op(self, type: str, *inputs: str, bodies: dict[str, Body] | None = None, **attributes: Any) -> str:
        """Add a node with one output; returns the output's name.

        Args:
            type: The ONNX operator.
            inputs: Tensor names; empty for an omitted optional input.
            bodies: Graph-valued attributes.
            attributes: Other attributes; None values are omitted.
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
        """Add a node with several outputs; returns their names.

        Args:
            type: The ONNX operator.
            inputs: Tensor names; empty for an omitted optional input.
            outputs: The number of outputs, or which of the operator's outputs are used; unused ones get an empty name.
            bodies: Graph-valued attributes.
            attributes: Other attributes; None values are omitted.
        """
        wanted = [True] * outputs if isinstance(outputs, int) else outputs
        name = self.name(type)
        names = [self.name(type) if want else "" for want in wanted]
        kept = {key: value for key, value in attributes.items() if value is not None}
        self._into.append(Operation(type, name, list(inputs), names, kept, bodies or {}))
        return names

    def constant(self, value: ArrayLike, hint: str, dtype: Any = None, at: str | None = None) -> str:
        """Add an initializer; an equal array under the same name is stored once.

        Args:
            value: The elements.
            hint: The name within the layer.
            dtype: The element type; by default that of the array.
            at: The path of the owning layer; by default the current one.
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
        """Add an int64 vector: sizes, axes or pads."""
        return self.constant(list(values), hint, np.int64)

    def reduce(self, type: str, tensor: str, axes: Iterable[int], *, keepdims: bool) -> str:
        """Add a reduction over axes, in the form that the opset requires."""
        if self.opset >= 18 or type == "ReduceSum":
            return self.op(type, tensor, self.ints(axes, "axes"), keepdims=int(keepdims))
        return self.op(type, tensor, axes=list(axes), keepdims=int(keepdims))

    def become(self, tensor: str, output: str) -> None:
        """Rename a tensor to a graph output everywhere."""
        for operation in self.operations:
            operation.replace(tensor, output)

    def copy(self, tensor: str, output: str) -> None:
        """Copy a tensor that must keep its own name to a graph output."""
        self.operations.append(Operation("Identity", self.name("Identity"), [tensor], [output], {}))

    def once(self, key: tuple[Any, ...], make: Any) -> Any:
        """Return the cached result of `make` for a key."""
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]

    def named(self, name: str) -> Operation:
        """The node of a name, in the current body or in the graph."""
        return next(operation for operation in (*self._into, *self.operations) if operation.name == name)

    def move(self, operation: Operation) -> None:
        """Add a node that was collected in a body."""
        self._into.append(operation)

    def produced(self, tensor: str) -> Operation:
        """The node that outputs a tensor."""
        return next(operation for operation in reversed(self._into) if tensor in operation.outputs)
