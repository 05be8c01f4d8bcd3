"""Symbolic tensors in place of variables while custom code is traced, so that what is computed from them is recorded."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from nnspec.keras_import.batch_axis import MixedExamples, is_moved, layer_call, moved_call
from nnspec.keras_import.decomposed import DECOMPOSED
from nnspec.keras_import.parts import VARIABLE_PREFIX, Variable
from nnspec.keras_import.tensorflow_calls import replaced_calls

__all__ = ["StandIns", "is_shared"]


_OPERATORS = (
    *(
        f"__{side}{name}__"
        for name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul")
        for side in ("", "r")
    ),
    *(f"__{name}__" for name in ("getitem", "neg", "abs", "lt", "le", "gt", "ge")),
)

_CREATORS = ("arange", "ones", "zeros", "full", "eye", "identity", "tri", "linspace")


def is_shared(tensor: Any) -> bool:
    """Whether a symbolic tensor is computed from variables and sizes alone, so that all examples share it."""
    return getattr(tensor, "_nnspec_shared", False)


class StandIns:
    """The stand-ins of one trace.

    Args:
        name: Returns the name of the step of a variable.
        replaced: Calls something else instead of a layer; None if it stays.
        layers: The layers of the model, which may hold functions of TensorFlow.
        anchor: An input of the model, which the constants depend on; None if they are computed.
    """

    def __init__(
        self, name: Callable[[Any], str], replaced: Callable[..., Any], layers: Iterable[Any], anchor: Any = None
    ) -> None:
        self._name, self._replaced, self._layers = name, replaced, list(layers)
        self._anchor = anchor
        self._tensors: dict[int, Any] = {}
        self.variables: dict[str, Variable] = {}
        self._reading = False

    @property
    def tensors(self) -> list[Any]:
        """The stand-ins, in the order of their first use."""
        return list(self._tensors.values())

    def of(self, value: Any) -> Any:
        """Return the stand-in of a variable, and any other value itself."""
        import keras

        if not isinstance(value, keras.Variable):
            return value
        if id(value) not in self._tensors:
            name = f"{VARIABLE_PREFIX}{len(self._tensors)}"
            tensor = keras.Input(batch_shape=value.shape, dtype=value.dtype, name=name)
            tensor._nnspec_shared = True
            self._tensors[id(value)] = tensor
            self.variables[name] = Variable(self._name(value), self._numbers(value), bool(value.trainable))
        return self._tensors[id(value)]

    @contextmanager
    def used(self) -> Iterator[None]:
        """Use them in what is called, except within the layers that stay layers."""
        import keras
        import keras.src.backend
        from keras.src.ops.operation import Operation

        holder = next(base for base in keras.Variable.__mro__ if "__add__" in vars(base))
        with ExitStack() as stack:
            for name in _OPERATORS:
                stack.enter_context(patch.object(holder, name, self._operator(name, getattr(holder, name))))
            for name in ("__array__", "__tf_tensor__"):
                if hasattr(keras.Variable, name):
                    stack.enter_context(patch.object(keras.Variable, name, self._unread(getattr(keras.Variable, name))))
            for module in [one for one in sys.modules.values() if _defines_operations(one)]:
                stack.enter_context(patch.object(module, "any_symbolic_tensors", self._any(module.any_symbolic_tensors)))
            for part in (keras.src.backend, keras.src.backend.numpy, keras.src.backend.nn):
                for name in ("cast", "convert_to_tensor") if part is keras.src.backend else dir(part):
                    if hasattr(keras.ops, name) and inspect.isfunction(getattr(part, name)):
                        stack.enter_context(patch.object(part, name, self._of_the_backend(name, getattr(part, name))))
            stack.enter_context(patch.object(Operation, "symbolic_call", self._recorded(Operation.symbolic_call)))
            stack.enter_context(patch.object(keras.Layer, "__call__", self._layer(keras.Layer.__call__)))
            calls = list(replaced_calls(_is_traced, _within_a_layer))
            held = {id(getattr(holder, name)): call for holder, name, call in calls}
            for layer, name in [(one, name) for one in self._layers for name, value in vars(one).items() if id(value) in held]:
                stack.enter_context(patch.dict(vars(layer), {name: held[id(vars(layer)[name])]}))
            for holder, name, call in calls:
                stack.enter_context(patch.object(holder, name, call))
            getitem = keras.KerasTensor.__getitem__
            stack.enter_context(patch.object(keras.KerasTensor, "__getitem__", lambda x, key: getitem(x, _key(key))))
            import keras.ops.numpy
            import keras.src.ops

            functions = [(name, _of_sizes(name, getattr(keras.ops, name))) for name in ("cast", "maximum", "minimum", "ndim")]
            if self._anchor is None:
                functions.append(("shape", _of_known_shape(keras.ops.shape)))
            else:
                functions += [(name, self._creator(name, getattr(keras.ops, name))) for name in _CREATORS]
            for name, made in functions:
                for module in (keras.ops, keras.ops.numpy, keras.src.ops, keras.src.ops.numpy):
                    if hasattr(module, name):
                        stack.enter_context(patch.object(module, name, made))
            yield

    def _numbers(self, variable: Any) -> Any:
        self._reading = True
        try:
            return variable.numpy()
        finally:
            self._reading = False

    def _unread(self, original: Any) -> Any:
        """Refuse to read the value of a trained variable: what is computed from it would be a constant."""

        def read(variable: Any, dtype: Any = None, *rest: Any) -> Any:
            if variable.trainable and not self._reading and not _within_a_layer():
                raise RuntimeError(f"the value of the variable `{variable.name}` is read by another library than `keras.ops`")
            return original(variable, dtype, *rest)

        return read

    def _operator(self, name: str, original: Any) -> Any:
        def compute(variable: Any, *others: Any) -> Any:
            if _within_a_layer():
                return original(variable, *others)
            return getattr(self.of(variable), name)(*map(self.of, others))

        return compute

    def _any(self, original: Any) -> Any:
        import keras

        def found(args: Any = None, kwargs: Any = None) -> bool:
            if original(args, kwargs):
                return True
            values = keras.tree.flatten([args or (), kwargs or {}])
            return not _within_a_layer() and any(isinstance(one, keras.Variable) for one in values)

        return found

    def _of_the_backend(self, name: str, original: Any) -> Any:
        """Record a function that Keras's layers take from the backend."""
        import keras

        def call(*args: Any, **kwargs: Any) -> Any:
            values = keras.tree.flatten([args, kwargs])
            if not _within_a_layer() and any(isinstance(one, keras.KerasTensor) for one in values):
                return getattr(keras.ops, name)(*args, **kwargs)
            return original(*args, **kwargs)

        return call

    def _recorded(self, original: Any) -> Any:
        import keras

        def call(operation: Any, *args: Any, **kwargs: Any) -> Any:
            if _within_a_layer():
                return original(operation, *args, **kwargs)
            args, kwargs = keras.tree.map_structure(self.of, (args, kwargs))
            if type(operation).__name__ in DECOMPOSED and not isinstance(operation, keras.Layer):
                outputs = DECOMPOSED[type(operation).__name__](operation, *args, **kwargs)
                if outputs is not None:
                    return outputs
            if (outputs := self._moved(operation, args, kwargs)) is not None:
                return outputs
            outputs = original(operation, *args, **kwargs)
            read = [one for one in keras.tree.flatten([args, kwargs]) if isinstance(one, keras.KerasTensor)]
            if all(map(is_shared, read)):
                for output in keras.tree.flatten(outputs):
                    output._nnspec_shared = True
            return outputs

        return call

    def _moved(self, operation: Any, args: Any, kwargs: Any) -> Any:
        """Record an operation that has or moves the batch to another axis; None for all others."""
        if self._anchor is None:
            return None
        try:
            return moved_call(operation, args, kwargs, is_shared, self._anchor.shape[0])
        except MixedExamples:
            raise RuntimeError(f"`{type(operation).__name__}` combines examples, which a spec describes one by one") from None

    def _layer(self, original: Any) -> Any:
        """Replace a layer of a custom class, and one of shared tensors, by its operations."""
        import keras

        def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
            read = [one for one in keras.tree.flatten([args, kwargs]) if isinstance(one, keras.KerasTensor)]
            if _within_a_layer() or not layer.built:
                return original(layer, *args, **kwargs)
            if (outputs := self._replaced(layer, original, *args, **kwargs)) is not None:
                return outputs
            if read and all(map(is_shared, read)):
                known = inspect.signature(layer.call).parameters
                return layer.call(
                    *args, **{name: value for name, value in kwargs.items() if name != "training" or name in known}
                )
            if any(map(is_moved, read)):
                try:
                    return layer_call(layer, args, kwargs, original)
                except MixedExamples:
                    reason = f"`{layer.name}` ({type(layer).__name__}) is called on examples that are not along the first axis"
                    raise RuntimeError(reason) from None
            outputs = original(layer, *args, **kwargs)
            if not any(None in one.shape for one in read):
                _complete(layer, args, kwargs, outputs)
            return outputs

        return call

    def _creator(self, name: str, original: Any) -> Any:
        """Record the creation of a constant, whose sizes may be free."""
        known = inspect.signature(original)

        def create(*args: Any, **kwargs: Any) -> Any:
            place = list(known.parameters).index("dtype")
            if len(args) > place:
                args, kwargs = args[:place], {**kwargs, "dtype": args[place]}
            plain = [*args, *(value for key, value in kwargs.items() if key != "dtype")]
            if _within_a_layer() or not all(map(_is_plain, plain)):
                return original(*args, **kwargs)
            tensor = _created_class()(name, list(args), kwargs).symbolic_call(self._anchor)
            tensor._nnspec_shared = True
            return tensor

        return create


def _complete(layer: Any, args: Any, kwargs: Any, outputs: Any) -> None:
    """Set the sizes of outputs that are known: some layers return those with which they were built."""
    import keras
    from keras.src.backend import compute_output_spec

    found = [one for one in keras.tree.flatten(outputs) if isinstance(one, keras.KerasTensor)]
    if any(None in one.shape for one in found):
        for output, spec in zip(found, keras.tree.flatten(compute_output_spec(layer.call, *args, **kwargs)), strict=True):
            output._shape = spec.shape


def _defines_operations(module: Any) -> bool:
    name = getattr(module, "__name__", "")
    return name.startswith(("keras.src.ops.", "keras.src.activations.")) and hasattr(module, "any_symbolic_tensors")


def _key(key: Any) -> Any:
    """Return a key as a tuple, one for each axis, as Keras records it."""
    if isinstance(key, list) and any(one is None or isinstance(one, slice) for one in key):
        return tuple(key)
    return (key,) if key is None or key is Ellipsis or isinstance(key, slice) else key


def _of_sizes(name: str, original: Any) -> Any:
    """Compute with sizes as such: a tensor would be a constant."""

    def compute(*args: Any, **kwargs: Any) -> Any:
        if name == "ndim" and hasattr(args[0], "shape"):
            return len(args[0].shape)
        if not _within_a_layer() and len(args) == 2 and type(args[0]) is int:
            if name == "cast" and args[1] == "int32":
                return args[0]
            if name != "cast" and type(args[1]) is int:
                return {"maximum": max, "minimum": min}[name](*args)
        return original(*args, **kwargs)

    return compute


def _of_known_shape(original: Any) -> Any:
    """Refuse an unknown size, which code may read as no bound of a slice: it is traced again with known ones."""

    def shape(x: Any) -> Any:
        found = original(x)
        if not _within_a_layer() and _is_traced(x) and None in found[1:]:
            raise RuntimeError("it computes with a size that is unknown")
        return found

    return shape


def _is_traced(value: Any) -> bool:
    import keras

    return isinstance(value, keras.KerasTensor | keras.Variable)


def _within_a_layer() -> bool:
    from keras.src.backend.common.symbolic_scope import in_symbolic_scope

    return bool(in_symbolic_scope())


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, int | float) or (isinstance(value, list | tuple) and all(map(_is_plain, value)))


_CLASSES: list[Any] = []


def _created_class() -> Any:
    """Return the operation that creates a constant, which is defined when Keras is loaded."""
    import keras

    if not _CLASSES:

        @keras.saving.register_keras_serializable(package="nnspec", name="Created")
        class Created(keras.Operation):  # type: ignore[misc]
            def __init__(self, function: str, values: list[Any], settings: dict[str, Any], name: str | None = None) -> None:
                super().__init__(name=name)
                dtype = settings.get("dtype")
                self.function, self.values = function, values
                self.settings = {**settings, **({"dtype": keras.backend.standardize_dtype(dtype)} if dtype is not None else {})}

            def call(self, anchor: Any) -> Any:
                return getattr(keras.ops, self.function)(*self.values, **self.settings)

            def compute_output_spec(self, anchor: Any) -> Any:
                from keras.src.backend.common.symbolic_scope import SymbolicScope

                with SymbolicScope():
                    made = self.call(anchor)
                return keras.KerasTensor(made.shape, dtype=keras.backend.standardize_dtype(made.dtype))

            def get_config(self) -> dict[str, Any]:
                return {"function": self.function, "values": self.values, "settings": self.settings, "name": self.name}

        _CLASSES.append(Created)
    return _CLASSES[0]
