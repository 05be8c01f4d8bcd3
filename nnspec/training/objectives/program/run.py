"""The computation of a program with Keras, for one batch: each tensor when a loss needs it, and at most once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from types import SimpleNamespace
from typing import Any

import keras
from keras import ops

from nnspec.functions.terms import Application, Input, Term
from nnspec.graph import Graph
from nnspec.graph.model import Ref
from nnspec.keras_backend import to_keras
from nnspec.keras_backend.call import mask_for, mask_of
from nnspec.keras_backend.layers.compute import KerasRun, joined_masks
from nnspec.spec.program import BATCH, STEPS
from nnspec.training.backends.gradients import input_gradient
from nnspec.training.catalogue.block_values import aligned
from nnspec.training.loop.keras_objects import keras_loss
from nnspec.training.objectives.program.builder import Unit
from nnspec.training.objectives.program.compute import GRADIENT, ProgramCompute
from nnspec.training.objectives.program.plan import ProgramPlan

__all__ = ["ProgramModels", "ProgramRun"]

_FLOAT32: Any = SimpleNamespace(compute_dtype="float32", generator=None)


class ProgramModels:
    """The Keras models of a program.

    Args:
        plan: The program.
        networks: The models of its networks, by name.
        seed: The seed of the training.

    Attributes:
        step: The number of completed steps, a Keras variable.
    """

    def __init__(self, plan: ProgramPlan, networks: Mapping[str, keras.Model], seed: int) -> None:
        self.plan, self.networks = plan, networks
        self._typed = plan.typed
        self.step = keras.Variable(0, dtype="int32", trainable=False, name="step")
        self._inner: dict[str, tuple[Graph, keras.Model]] = {}
        self._losses: dict[str, Any] = {}
        for unit in self._typed.units.values():
            if unit.network is None and unit.layer is None:
                graph = self._typed.inner(unit)
                self._inner[unit.name] = graph, to_keras(graph, seed=seed)
            elif unit.layer is not None and not isinstance(unit.layer, ProgramCompute):
                self._losses[unit.name] = keras_loss(unit.layer.loss)

    @property
    def random_variables(self) -> list[Any]:
        """The step, and the states of the random generators outside the networks."""
        return [self.step, *(variable for _, model in self._inner.values() for variable in model.variables)]

    def model(self, unit: Unit) -> tuple[Graph, keras.Model]:
        """The graph and model of a network, a block or a layer."""
        if unit.network is None:
            return self._inner[unit.name]
        return self.plan.networks[unit.network], self.networks[unit.network]

    def loss(self, unit: Unit) -> Any:
        """The Keras loss of a step."""
        return self._losses[unit.name]

    def in_training(self, unit: Unit, training: bool) -> bool:
        """Whether a step runs in training mode.

        Args:
            unit: The step.
            training: Whether the batch is trained on; validation always runs in inference mode.
        """
        return training and self.plan.in_training(unit)

    @cached_property
    def has_gradients(self) -> bool:
        """Whether an expression computes a gradient."""
        return any(
            application.function is GRADIENT
            for unit in self._typed.units.values()
            if isinstance(unit.layer, ProgramCompute)
            for application in unit.layer.typed(unit.types).applications
        )

    def dependents(self, ref: Ref) -> frozenset[str]:
        """The steps that depend on a tensor."""
        reached, found = {ref}, set()
        for unit in self._typed.units.values():
            if reached.intersection(unit.ports.values()):
                found.add(unit.name)
                reached.update(unit.outputs.values())
        return frozenset(found)


class ProgramRun:
    """Computes tensors of a program.

    Args:
        models: The models.
        given: The fields and draws.
        size: The number of examples of the batch.
        training: Whether the batch is trained on.
    """

    def __init__(self, models: ProgramModels, given: Mapping[str, Any], size: int, *, training: bool) -> None:
        self.models, self.size, self.training = models, size, training
        self._values: dict[Ref, Any] = {Ref(name): tensor for name, tensor in given.items()}
        self._masks: dict[Ref, Any] = {}
        self._seeds: dict[str, list[Any]] = {}

    def value(self, ref: Ref) -> Any:
        """A tensor."""
        if ref not in self._values:
            for unit in self.models.plan.typed.needed([ref], self._values):
                self._compute(unit)
        return self._values[ref]

    def mask(self, ref: Ref) -> Any:
        """The mask of a tensor; None if it has none."""
        self.value(ref)
        return self._masks.get(ref)

    def mean(self, ref: Ref) -> Any:
        """The mean of the elements of a tensor that its mask leaves, in float32."""
        values, mask = ops.cast(self.value(ref), "float32"), self.mask(ref)
        if mask is None:
            return ops.mean(values)
        valid = ops.broadcast_to(aligned(ops.cast(mask, "float32"), values), ops.shape(values))
        return ops.sum(values * valid) / ops.maximum(ops.sum(valid), 1e-7)

    def _compute(self, unit: Unit) -> None:
        if all(ref in self._values for ref in unit.outputs.values()):
            return
        if isinstance(unit.layer, ProgramCompute):
            typed = unit.layer.typed(unit.types)
            results = _Expressions(self, unit)(*typed.results.values())
            for (name, term), result in zip(typed.results.items(), results, strict=True):
                mask = joined_masks(self._masks.get(unit.ports[each]) for each in term.masks) if term.masks else None
                self._keep(unit.outputs[name], result, mask)
        elif unit.layer is not None:
            target, output = (self.value(unit.ports[port]) for port in ("target", "output"))
            self._keep(unit.outputs["output"], ops.cast(self.models.loss(unit).call(target, output), "float32"), None)
        else:
            self._apply(unit)

    def _apply(self, unit: Unit) -> None:
        """Computes a network, a block or a layer."""
        graph, model = self.models.model(unit)
        fed: dict[str, Any] = {}
        for port, type_ in graph.inputs.items():
            ref = unit.ports[port]
            values = self.value(ref)
            fed[port] = ops.cast(values, type_.dtype)
            if type_.mask is not None:
                fed[f"{port}_mask"] = mask_for(type_, values, self._masks.get(ref))
        training = self.models.in_training(unit, self.training)
        # A network names its outputs for itself, and a step names them for others, in the same order.
        for ref, result in zip(unit.outputs.values(), self._called(unit, model, fed, training).values(), strict=True):
            dtype = keras.backend.standardize_dtype(result.dtype)
            wanted = "bool" if dtype == "bool" else "int32" if "int" in dtype else "float32"
            self._keep(ref, ops.cast(result, wanted), mask_of(result))

    def _called(self, unit: Unit, model: keras.Model, fed: Mapping[str, Any], training: bool) -> Mapping[str, Any]:
        """What a model returns; its statistics are updated unless it is an average."""
        if self.models.has_gradients:
            self._seeds[unit.name] = [ops.copy(ops.convert_to_tensor(variable)) for variable in _seeds(model)]
        if training and unit.network in self.models.plan.averages:
            return self._without_statistics(model, fed)
        found: Mapping[str, Any] = model(fed, training=training)
        return found

    def _without_statistics(self, model: keras.Model, fed: Mapping[str, Any]) -> Mapping[str, Any]:
        """What a model returns in training mode; of its variables only the states of random generators change."""
        trainable, others = model.trainable_variables, model.non_trainable_variables
        found: Mapping[str, Any]
        found, changed = model.stateless_call([v.value for v in trainable], [v.value for v in others], fed, training=True)
        random = set(map(id, _seeds(model)))
        for variable, value in zip(others, changed, strict=True):
            if id(variable) in random:
                variable.assign(value)
        return found

    def _keep(self, ref: Ref, value: Any, mask: Any) -> None:
        self._values[ref] = value
        if mask is not None:
            self._masks[ref] = mask

    def gradient(self, unit: Unit, application: Application) -> Any:
        """The gradient of the sum of a tensor with respect to another; the path between them is computed again.

        Args:
            unit: The step that computes it.
            application: The call, in its expression.
        """
        y, x = application.operands
        assert isinstance(x.origin, Input)
        ref = unit.ports[x.origin.name]
        values = self.value(ref)
        for name in y.axes:
            self.value(unit.ports[name])

        def computed(given: Any) -> Any:
            return _Again(self, ref, given).term(unit, y)

        return input_gradient(computed, values)


class _Again(ProgramRun):
    """Computes what depends on a tensor again, with another value of it, and changes no variable.

    Args:
        run: The run that has computed it.
        ref: The tensor.
        value: Its value.
    """

    def __init__(self, run: ProgramRun, ref: Ref, value: Any) -> None:
        super().__init__(run.models, {}, run.size, training=run.training)
        again = run.models.dependents(ref)
        owners = run.models.plan.typed.owners
        kept = {at: known for at, known in run._values.items() if at not in owners or owners[at].name not in again}
        self._values = {**kept, ref: value}
        self._masks = dict(run._masks)
        self._seeds = run._seeds

    def term(self, unit: Unit, term: Term) -> Any:
        """The value of a term of an expression."""
        return _Expressions(self, unit, list(term.axes))(term)[0]

    def _called(self, unit: Unit, model: keras.Model, fed: Mapping[str, Any], training: bool) -> Mapping[str, Any]:
        trainable, others = model.trainable_variables, model.non_trainable_variables
        known = dict(zip(map(id, _seeds(model)), self._seeds.get(unit.name, ()), strict=False))
        given = [known.get(id(variable), variable.value) for variable in others]
        found: Mapping[str, Any]
        found, _ = model.stateless_call([v.value for v in trainable], given, fed, training=training)
        return found


def _seeds(model: keras.Model) -> list[Any]:
    """The states of the random generators of a model."""
    named = model.non_trainable_variables
    return [variable for variable in named if "seed_generator" in variable.path]


class _Expressions(KerasRun):
    """Computes the expressions of a step.

    Args:
        run: The run.
        unit: The step.
        names: The tensors that are read; by default all.
    """

    def __init__(self, run: ProgramRun, unit: Unit, names: list[str] | None = None) -> None:
        ports = {name: ref for name, ref in unit.ports.items() if names is None or name in names}
        inputs = {BATCH: run.size, STEPS: run.models.step.value, **{name: run.value(ref) for name, ref in ports.items()}}
        masks = {name: run.mask(ref) for name, ref in ports.items()}
        super().__init__(_FLOAT32, inputs, masks, run.training)
        self._run, self._unit = run, unit

    def gradient(self, application: Application) -> Any:
        """The gradient that an expression calls for."""
        return self._run.gradient(self._unit, application)

    def _read(self, tensor: Any) -> Any:
        return tensor if isinstance(tensor, int) else super()._read(tensor)
