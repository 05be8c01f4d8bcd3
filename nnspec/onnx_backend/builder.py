"""Builds an ONNX graph: names, nodes and constants."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nnspec.types import Condition, TensorType

if TYPE_CHECKING:
    from onnx import TypeProto


@dataclass
class Operation:
    """A node of the ONNX graph; ``bodies`` are its graph-valued attributes."""

    type: str
    name: str
    inputs: list[str]
    outputs: list[str]
    attributes: dict[str, Any]
    bodies: dict[str, Body] = field(default_factory=dict)

    @property
    def scope(self) -> str:
        """The path of the layer that the node belongs to."""
        return self.name.rpartition("/")[0]

    def reads(self) -> Iterator[str]:
        """Every tensor the node reads, including those its bodies capture."""
        yield from filter(None, self.inputs)
        for body in self.bodies.values():
            yield from body.captures()


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

    def captures(self) -> Iterator[str]:
        """Every tensor of the enclosing graph that the body reads or outputs."""
        own = {name for operation in self.operations for name in operation.outputs} | {name for name, _ in self.inputs}
        read = (name for operation in self.operations for name in operation.reads())
        yield from (name for name in chain(read, (name for name, _ in self.outputs)) if name not in own)


class Builder:
    """An ONNX graph under construction. Names start with the path of the current layer (`at`).

    Attributes:
        opset: The ONNX opset.
        conditions: The known constraints on each free size, by symbol.
        operations: The nodes, in topological order.
        constants: The initializers, by name.
        exact: The elements of constants before they were rounded to float32, for passes that compute with them.
        outputs: The tensor of each output of the graph.
    """

    def __init__(self, opset: int, conditions: Mapping[str, Condition] | None = None) -> None:
        self.opset = opset
        self.conditions = conditions or {}
        self.operations: list[Operation] = []
        self.constants: dict[str, NDArray[Any]] = {}
        self.exact: dict[str, NDArray[np.float64]] = {}
        self.outputs: dict[str, str] = {}
        self.scope = ""
        self._weights_at = ""
        self._wanted: dict[str, str] = {}
        self._owner: dict[str, str] = {}
        self._alike: dict[tuple[Any, ...], list[str]] = {}
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
        """Collect new nodes into the body of a later node. What is cached in it is not used outside of it."""
        outer, made, body = self._into, self._made, Body()
        self._into, self._made = body.operations, dict(made)
        yield body
        self._into, self._made = outer, made

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

    def constant(self, value: ArrayLike, hint: str, dtype: Any = None) -> str:
        """Add an initializer; an equal array under the same name is stored once.

        Args:
            value: The elements.
            hint: The name within the layer.
            dtype: The element type; by default that of the array.
        """
        array = np.ascontiguousarray(np.asarray(value, dtype=dtype)).reshape(np.shape(value))
        name = f"{self._weights_at}/{hint}"
        alike = self._alike.setdefault((name, array.dtype.str, array.shape), [])
        for handle in alike:
            if self.constants[handle].tobytes() == array.tobytes():
                return handle
        alike.append(self.claim(name))
        self.constants[alike[-1]] = array
        return alike[-1]

    def rounded(self, value: NDArray[np.float64], hint: str) -> str:
        """Add a float32 initializer whose float64 elements are kept in `exact`."""
        name = self.constant(value, hint, np.float32)
        self.exact[name] = value
        return name

    def ints(self, values: Iterable[int], hint: str) -> str:
        """Add an int64 vector: sizes, axes or pads."""
        return self.constant(list(values), hint, np.int64)

    def reduce(self, type: str, tensor: str, axes: Iterable[int], *, keepdims: bool) -> str:
        """Add a reduction over axes, in the form that the opset requires."""
        if self.opset >= 18 or type == "ReduceSum":
            return self.op(type, tensor, self.ints(axes, "axes"), keepdims=int(keepdims))
        return self.op(type, tensor, axes=list(axes), keepdims=int(keepdims))

    def once(self, key: tuple[Any, ...], make: Any) -> Any:
        """Return the cached result of `make` for a key."""
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]

    def produced(self, tensor: str) -> Operation:
        """The node that outputs a tensor."""
        return next(operation for operation in reversed(self._into) if tensor in operation.outputs)
