"""Traversal of one Keras model, with a step for each call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from nnspec.keras_import.arguments import NoEquivalent
from nnspec.keras_import.chains import join_chains
from nnspec.keras_import.config_values import ConfigError
from nnspec.keras_import.lift.created import is_for_each_example
from nnspec.keras_import.model import KerasCall, KerasLayer, Tensor, tensors_in
from nnspec.keras_import.naming import Names
from nnspec.keras_import.order import calls_in_order
from nnspec.keras_import.parts import Part, Variable, Within, part
from nnspec.keras_import.planned import PlannedNetwork, PlannedStep
from nnspec.keras_import.shared import letters_of, moved, repeats_examples, replaced, wanted_rank
from nnspec.keras_import.translate import translated
from nnspec.layers.base import Layer, LayerError
from nnspec.types import Dim, TensorType, symbol, unknown

if TYPE_CHECKING:
    from nnspec.keras_import.plan import Planner

__all__ = ["Walk"]


@dataclass
class Walk:
    """Plans the steps of one model."""

    planner: Planner
    network: PlannedNetwork
    path: str

    def __post_init__(self) -> None:
        self.names = self.planner.main_scope() if self.network.name == "main" else Names()
        self._texts: dict[Tensor, str] = {}
        self._first: dict[tuple[str, int], PlannedStep] = {}
        self._variables: dict[tuple[Variable, str], tuple[str, TensorType | None]] = {}
        self._shapes: dict[Tensor, tuple[int | None, ...]] = {}
        self._steps_of_variables: set[str] = set()

    def run(self) -> None:
        """Plan the network's steps."""
        model = self.network.keras
        for layer in model.layers.values():
            for call in layer.calls:
                for tensor in tensors_in([call.args, call.kwargs]):
                    if tensor.shape is not None:
                        self._shapes[tensor] = tensor.shape
        self.names.reserve(layer.name for layer in model.layers.values())
        self.names.claim(layer.name for layer in model.layers.values() if layer.model is None)
        self._inputs()
        self._find_variables()
        for layer_name, call_number in calls_in_order(model, self.path):
            self._emit(model.layers[layer_name], call_number)
        if not self.network.steps and not self.planner.has_errors:
            self._identities()
        for name, tensor in model.outputs.items():
            self.network.outputs[self.names.output(name)] = self._texts.get(tensor, tensor.layer)
        if not self.planner.has_errors:
            join_chains(self.network)

    def _inputs(self) -> None:
        symbols, named = _symbols(), dict[str, Dim]()
        whole = self.planner.whole.of(self.network.keras)
        for given, (shape, dtype) in self.network.keras.inputs.items():
            if given in self.network.keras.layers:
                own = NoEquivalent("it is an input layer of a custom class", "use `keras.Input`, and save the model again")
                self.planner.say(self.network.keras.layers[given], self.path, own)
            name = self.names.input(given)
            sizes: list[int | Dim] = []
            for axis, size in enumerate(shape[1:], 1):
                key = self.planner.sizes.get((given, axis), f"{given} {axis}") if not self.path else f"{given} {axis}"
                sizes.append(size if size is not None else named[key] if key in named else symbol(next(symbols)))
                if size is None:
                    named[key] = sizes[-1]  # type: ignore[assignment]
            ours = "int32" if given in whole else dtype
            if ours != dtype and not self.path:
                self.planner.note_type(name, dtype, ours)
            self.network.inputs[name] = self.network.types[Tensor(given)] = TensorType(tuple(sizes), ours)
            self.network.input_names[given] = name
            self._texts[Tensor(given)] = name

    def _identities(self) -> None:
        """Add an Identity step for each output of a model without steps."""
        for name, tensor in self.network.keras.outputs.items():
            keras = KerasLayer(name, "Identity", "keras.layers", None, {}, (KerasCall([tensor], {}),), None)
            step = self.names.step(name, 0)
            sources = {"x": self._texts.get(tensor, tensor.layer)}
            [made] = (part("Identity", {}, [tensor]),)
            assert isinstance(made.layer, Layer)
            self.network.steps.append(PlannedStep(step, made.layer, None, None, sources, False, keras, -1))
            self._texts[tensor] = step

    def _emit(self, layer: KerasLayer, number: int) -> None:
        call = layer.calls[number]
        within = Within(
            self._shape_of,
            self.planner.left_out(layer, self.path),
            self.planner.saved,
            translated,
            self._dtype_of,
            self.planner.stores,
            self.planner.variables,
            {size: (Tensor(given), axis) for (given, axis), size in reversed(list(self.planner.sizes.items()))},
        )
        try:
            layer, call = self._with_shared(layer, call)
            if layer.model is not None:
                self._use(layer, number)
                return
            if not layer.is_operation:
                self.planner.note_precision(layer)
            made = translated(layer, call, within)
            if isinstance(made, Tensor):
                self._pass_on(made, Tensor(layer.name, number))
            else:
                self._parts(layer, number, made)
        except NoEquivalent as error:
            self.planner.say(layer, self.path, error)

    # --- tensors that all examples share --------------------------------------------------------------------------------------

    def _is_shared(self, tensor: Tensor) -> bool:
        return tensor.layer in self.planner.variables or Tensor(tensor.layer, tensor.call) in self.network.shared

    def _find_variables(self) -> None:
        """Find the variables that need a step with all their axes, and the tensors that are computed from variables alone.

        The others get the axes of the operation that reads them.
        """
        ranks: dict[str, set[int]] = {}
        for name, number in calls_in_order(self.network.keras, self.path) if not self.path else ():
            layer = self.network.keras.layers[name]
            tensors = list(tensors_in([layer.calls[number].args, layer.calls[number].kwargs]))
            variables = {one.layer for one in tensors if one.layer in self.planner.variables}
            others = [one for one in tensors if not self._is_shared(one)]
            if layer.is_ours and layer.kind == "Created":
                others = [] if not is_for_each_example(layer) else others
            if not others and not (layer.is_operation and repeats_examples(layer)) and (layer.is_operation or layer.is_ours):
                self.network.shared.add(Tensor(name, number))
            if not others or not layer.is_operation or layer.kind in ("Concatenate", "Stack"):
                self._steps_of_variables |= variables
            for variable in variables:
                rank = max((len(one.shape or ()) for one in others), default=0)
                ranks.setdefault(variable, set()).add(rank if layer.kind not in ("Take", "Einsum") else 0)
        self._steps_of_variables |= {name for name, found in ranks.items() if len(found) > 1}

    def _rank(self, tensor: Tensor) -> int:
        """Return the number of a tensor's axes in Keras."""
        shape = self._shape_of(tensor)
        if shape is None:
            raise NoEquivalent("the shape of its operand is unknown", setting=True)
        return len(shape) - self._is_shared(tensor)

    def _with_shared(self, layer: KerasLayer, call: KerasCall) -> tuple[KerasLayer, KerasCall]:
        """Return a call in which shared tensors have the batch axis of the others."""
        tensors = list(tensors_in([call.args, call.kwargs]))
        shared = [one for one in tensors if self._is_shared(one)]
        if not shared:
            return layer, call
        if not layer.is_operation or layer.model is not None:
            args, kwargs = replaced([call.args, call.kwargs], lambda one: self._aligned(one, self._rank(one)))
            return layer, KerasCall(args, kwargs)
        if len(shared) < len(tensors):
            return self._mixed(layer, call)
        if repeats_examples(layer):
            wide = wanted_rank(layer, call, self._rank, self._is_shared) or self._rank(shared[0])
            args = replaced(call.args, lambda one: self._aligned(one, wide))
            if layer.kind == "Repeat":
                layer = replace(layer, kind="Copy")
            if layer.kind == "Tile":
                layer = replace(layer, config={**layer.config, "repeats": [1, *layer.config["repeats"][1:]]})
            return layer, KerasCall(args, call.kwargs)
        rank = wanted_rank(layer, call, self._rank, self._is_shared)
        made, call = moved(layer, call, self._rank)
        args, kwargs = replaced([call.args, call.kwargs], lambda one: self._aligned(one, rank))
        return replace(made, kind="TakeOfEach") if made.kind == "Take" else made, KerasCall(args, kwargs)

    def _mixed(self, layer: KerasLayer, call: KerasCall) -> tuple[KerasLayer, KerasCall]:
        operands = [one for one in call.args if isinstance(one, Tensor)]
        if layer.kind == "Matmul" and [(self._rank(one), self._is_shared(one)) for one in operands] == [(2, False), (2, True)]:
            layer = replace(layer, kind="Einsum", config={"subscripts": "ab,bc->ac"})
        rank = wanted_rank(layer, call, self._rank, self._is_shared)

        def one(tensor: Tensor) -> Any:
            if not self._is_shared(tensor):
                return tensor
            if tensor.layer in self.planner.variables and tensor.layer not in self._steps_of_variables:
                return {"__variable__": tensor.layer}
            return self._aligned(tensor, rank)

        args, kwargs = replaced([call.args, call.kwargs], one)
        if layer.kind == "Einsum":
            layer = letters_of(layer, KerasCall(args, kwargs), self._is_shared)
        if layer.kind == "Take" and all(isinstance(value, Tensor) for value in args[:2]):
            axis = layer.config.get("axis")
            if axis is None:
                raise NoEquivalent("it covers all axes of a constant", "give its `axis`", setting=True)
            moves = self._is_shared(args[0]) and axis >= 0
            layer = replace(layer, kind="TakeOfEach", config={**layer.config, "axis": axis + moves})
        return layer, KerasCall(args, kwargs)

    def _aligned(self, tensor: Tensor, rank: int | None) -> Tensor:
        """Return a shared tensor with a number of axes, in a step of its own if it has another."""
        if not self._is_shared(tensor):
            return tensor
        if tensor.layer in self.planner.variables:
            self._add_variable(tensor)
        sizes = self._shape_of(tensor)
        if rank is None or sizes is None or len(sizes) == rank:
            return tensor
        if len(sizes) > rank + 1 or (len(sizes) == rank + 1 and sizes[1] != 1):
            raise NoEquivalent("it combines values of its own for each example with others", setting=True)
        key = "[:, 0]" if len(sizes) == rank + 1 else f"[:{', null' * (rank - len(sizes))}]"
        made = part("Compute", {"results": {"output": f"x{key}"}}, [tensor])
        text = self._texts.get(tensor, tensor.layer)  # without a step if what computes it was refused
        name = self.names.step(text.replace(".", "_"), 0, "_aligned")
        given = self.network.types.get(tensor)
        assert isinstance(made.layer, Layer)
        outputs = _outputs(made.layer, {"x": given})
        keras = KerasLayer(name, "Compute", "keras.layers", None, {}, (KerasCall([tensor], {}),), None)
        self.network.steps.append(PlannedStep(name, made.layer, None, None, {"x": text}, False, keras, -1))
        result = Tensor(
            name, 0, 0, (None, *sizes[2:]) if len(sizes) == rank + 1 else (None, *(1,) * (rank - len(sizes)), *sizes[1:])
        )
        self._texts[result], self._shapes[result] = name, result.shape or ()
        if outputs:
            self.network.types[result] = next(iter(outputs.values()))
        return result

    def _add_variable(self, tensor: Tensor) -> None:
        """Add the `Parameter` of a variable."""
        if tensor in self._texts:
            return
        variable = self.planner.variables[tensor.layer]
        made = part("Parameter", {"shape": list(variable.shape), "initializer": "zeros"}, []).layer
        assert isinstance(made, Layer)
        name = self.names.step(variable.name, 0)
        keras = KerasLayer(name, "Parameter", "keras.layers", None, {}, (KerasCall([], {}),), None)
        frozen = not variable.is_trainable
        self.network.steps.append(PlannedStep(name, made, None, None, {}, frozen, keras, -1, value=variable.value))
        self._texts[tensor], self._shapes[tensor] = name, variable.shape
        self.network.types[tensor] = TensorType(variable.shape, "float32")

    def _pass_on(self, source: Tensor, target: Tensor) -> None:
        if source in self._texts:
            self._texts[target] = self._texts[source]
        if source in self.network.types:
            self.network.types[target] = self.network.types[source]

    def _parts(self, layer: KerasLayer, number: int, parts: tuple[Part, ...]) -> None:
        texts: list[str] = []
        types: list[TensorType | None] = []
        for place, one in enumerate(parts):
            if one.variable is not None and (one.variable, str(one.layer)) in self._variables:
                earlier, type_ = self._variables[one.variable, str(one.layer)]
                texts.append(earlier)
                types.append(type_)
                continue
            last = place == len(parts) - 1
            read = one.sources.items()
            sources = {p: texts[s] if isinstance(s, int) else self._texts.get(s, s.layer) for p, s in read}
            known = {p: types[s] if isinstance(s, int) else self._type_of(s) for p, s in read}
            assert isinstance(one.layer, Layer)
            if layer.kind in _PROMOTE:
                self._promote(layer, number, sources, known)
            outputs = _outputs(one.layer, known)
            gives = one.gives if one.gives is not None else dict(enumerate(outputs or ())) if last else {}
            suffix = "" if last else one.suffix
            name = self.names.step(one.variable.name, 0) if one.variable else self.names.step(layer.name, number, suffix)
            frozen = one.is_constant or (layer.config.get("trainable") is False and _has_weights(one.layer))
            by_output = {output: index for index, output in gives.items()}
            at = number if gives or last else -1
            step = PlannedStep(name, one.layer, None, None, sources, frozen, layer, at, one.inside, by_output, value=one.value)
            step = self._shared(step, place)
            if layer.same_as and _has_weights(one.layer):
                self.planner.note_copy(layer, self.path)
            self.network.steps.append(step)
            texts.append(step.name)
            types.append(next(iter(outputs.values())) if outputs else None)
            if one.variable is not None:
                self._variables[one.variable, str(one.layer)] = step.name, types[-1]
            self._give(step, outputs)
            if last:
                self._texts.setdefault(Tensor(layer.name, number), step.name)

    def _shared(self, step: PlannedStep, place: int) -> PlannedStep:
        """Return the step, sharing an earlier one if the same layer was called before."""
        first = self._first.setdefault((step.keras.name, place), step)
        assert step.layer is not None
        assert first.layer is not None
        if first is step or not (_has_weights(step.layer) or step.layer.is_random):
            return step
        at_call = step.layer.at_call
        calling = {name: value for name, value in at_call.items() if value != first.layer.at_call[name]}
        if step.layer != first.layer.model_copy(update=calling):
            raise NoEquivalent("its calls differ in more than their inputs", "use two layers", setting=True)
        return replace(step, share=first.name, calling=calling)

    def _promote(self, layer: KerasLayer, number: int, sources: dict[str, str], known: dict[str, TensorType | None]) -> None:
        """Add a conversion to floats before a layer that Keras applies to integers."""
        for port, type_ in list(known.items()):
            if type_ is None or "float" in type_.dtype:
                continue
            made = part("Compute", {"results": {"output": "cast(x, 'float32')"}}, [Tensor(layer.name)]).layer
            assert isinstance(made, Layer)
            name = self.names.step(layer.name, number, "_floats")
            self.network.steps.append(PlannedStep(name, made, None, None, {"x": sources[port]}, False, layer, -1))
            sources[port] = name
            known[port] = replace(type_, dtype="float32")

    def _give(self, step: PlannedStep, outputs: Mapping[str, TensorType] | None) -> None:
        for output, index in step.gives.items():
            tensor = Tensor(step.keras.name, step.call, index)
            several = len(outputs or {}) > 1
            self._texts[tensor] = step.name if output == "output" or not several else f"{step.name}.{output}"
            if outputs:
                self.network.types[tensor] = outputs[output]

    def _use(self, layer: KerasLayer, number: int) -> None:
        """Add a step that uses a network."""
        inner = self.planner.inner(layer, f"{self.path}{layer.name}/")
        if layer.calls[number].kwargs.get("training") is True and self.planner.trains(inner):
            help = "call it without `training`, and save the model again"
            raise NoEquivalent("it is called with `training=True`, but a spec runs in inference mode", help, setting=True)
        given = self._ports(layer, number, inner)
        for port, tensor in given.items():
            ours, wanted = self._dtype_of(tensor), inner.inputs[port].dtype
            if ours is not None and ("int" in ours) != ("int" in wanted):
                raise NoEquivalent(
                    f"its input `{port}` is {wanted}, but it is called with {ours}",
                    "declare both with the same dtype",
                    setting=True,
                )
        name = self.names.step(layer.name, number, network=inner.name)
        sources = {port: self._texts.get(tensor, tensor.layer) for port, tensor in given.items()}
        step = PlannedStep(name, None, inner.name, None, sources, False, layer, number, every_step=layer.every_step)
        self.network.steps.append(step)
        several = len(inner.outputs) > 1
        names = dict(zip(inner.keras.outputs, inner.outputs, strict=True))
        for index, theirs in enumerate(inner.keras.output_order):
            output, end = names[theirs], inner.keras.outputs[theirs]
            tensor = Tensor(layer.name, number, index)
            self._texts[tensor] = f"{name}.{output}" if several else name
            known, type_ = self._shapes.get(tensor), inner.types.get(end)
            if known is not None:
                sizes = tuple(unknown() if size is None else size for size in known[1:])
                self.network.types[tensor] = TensorType(sizes, type_.dtype if type_ is not None else "float32")
            elif type_ is not None and not layer.every_step:
                self.network.types[tensor] = type_

    def _ports(self, layer: KerasLayer, number: int, inner: PlannedNetwork) -> dict[str, Tensor]:
        call = layer.calls[number]
        value = call.args[0] if call.args else call.kwargs.get("inputs")
        names = list(inner.input_names.values())
        keys = inner.keras.keys or tuple(inner.keras.inputs)
        by_key = dict(zip(keys, names, strict=False))
        if isinstance(value, dict) and set(keys) <= value.keys() and len(keys) == len(names):
            return {by_key[key]: tensor for key, tensor in value.items() if key in by_key and isinstance(tensor, Tensor)}
        tensors = list(tensors_in(_sorted(value)))
        if len(tensors) != len(names):
            raise ConfigError(f"`{self.path}{layer.name}` has {len(names)} inputs, but is called with {len(tensors)}")
        return dict(zip((inner.input_names[given] for given in inner.keras.input_order), tensors, strict=True))

    def _type_of(self, tensor: Tensor) -> TensorType | None:
        return self.network.types.get(tensor)

    def _dtype_of(self, tensor: Tensor) -> str | None:
        type_ = self._type_of(tensor)
        return None if type_ is None else type_.dtype

    def _shape_of(self, tensor: Tensor) -> tuple[int | None, ...] | None:
        known = self._shapes.get(tensor, tensor.shape)
        if tensor.layer in self.planner.variables:
            known = self.planner.variables[tensor.layer].shape
        if known is not None:
            return (None, *known) if self._is_shared(tensor) else known
        type_ = self._type_of(tensor)
        return None if type_ is None else (None, *(None if isinstance(size, Dim) else size for size in type_.shape))


_PROMOTE = ("Dense", "EinsumDense")
"""The layers that Keras applies to integers."""


def _has_weights(layer: Layer) -> bool:
    return type(layer).weights is not Layer.weights


def _sorted(value: Any) -> Any:
    """Sort the keys of mappings, as Keras does to number tensors."""
    if isinstance(value, dict):
        return [_sorted(value[key]) for key in sorted(value)]
    return [_sorted(item) for item in value] if isinstance(value, list | tuple) else value


def _outputs(layer: Layer, inputs: Mapping[str, TensorType | None]) -> Mapping[str, TensorType] | None:
    """Return the output types of a layer; None if its inputs are unknown because an earlier layer has no equivalent."""
    known = {port: type_ for port, type_ in inputs.items() if type_ is not None}
    if len(known) < len(inputs):
        return None
    try:
        layer.weights(known)
        return layer.output_types(known)
    except LayerError as error:
        raise NoEquivalent(error.message, error.help, setting=True) from None


def _symbols() -> Iterator[str]:
    """Yield names for free sizes."""
    yield from ("T", "U", "V", "W")
    number = 1
    while True:
        yield f"N{number}"
        number += 1
