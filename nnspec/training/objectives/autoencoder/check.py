"""The objective ``autoencoder`` against the network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nnspec.data.plan import Derived
from nnspec.layers.base import Layer, LayerError
from nnspec.training.objectives.autoencoder.fields import autoencoder
from nnspec.training.objectives.context import Made, Where
from nnspec.training.plan import OutputPlan
from nnspec.types import Config, Dim, TensorType, same_size

__all__ = ["corruptions_of", "restored"]


def restored(objective: autoencoder, where: Where) -> Made:
    """Which output gives back which input.

    Args:
        objective: The objective.
        where: The network, and where what is wrong is said.
    """
    pairs = {
        output: input_
        for output, input_ in (objective.restores or _without_saying(where)).items()
        if where.knows_output(output, "restores", output) and where.knows_input(input_, "restores", output)
    }
    for output, input_ in pairs.items():
        _check_pair(where.outputs[output], input_, where)
    _check_corruptions(objective, pairs, where)
    return Made(where.outputs, {output: Derived(input_) for output, input_ in pairs.items()})


def corruptions_of(objective: autoencoder, restored: Sequence[str]) -> Mapping[str, list[Config]]:
    """What is done to each input, by name.

    Args:
        objective: The objective.
        restored: The inputs that are given back.
    """
    if isinstance(objective.corrupt, dict):
        return objective.corrupt
    return {restored[0]: objective.corrupt} if objective.corrupt and restored else {}


def _without_saying(where: Where) -> dict[str, str]:
    outputs, inputs = where.compared, list(where.graph.inputs)
    if len(outputs) == 1 and len(inputs) == 1:
        return {outputs[0]: inputs[0]}
    if not outputs:
        where.does_not_fit("needs a loss that takes a target, as `MeanSquaredError`")
    else:
        where.unclear("which output gives back which input", f"write `restores: {{{outputs[0]}: {inputs[0]}}}`")
    return {}


def _check_pair(output: OutputPlan, input_: str, where: Where) -> None:
    type_, wanted = where.graph.inputs[input_], _target_of(output)
    if wanted is None:
        loss = f"`{type(output.loss).__name__}` takes no such target" if output.loss else "it has no loss"
        where.does_not_fit(f"compares `{output.name}` with the input `{input_}`, and {loss}", "restores", output.name)
    elif len(wanted) != type_.rank or not all(same_size(a, b) for a, b in zip(wanted, type_.shape, strict=True)):
        shown = str(TensorType(wanted))
        reason = f"compares `{output.name}`, whose target is {shown}, with the input `{input_}`, which is {type_}"
        where.does_not_fit(reason, "restores", output.name, help="give the output the shape of the input")


def _target_of(output: OutputPlan) -> tuple[int | Dim, ...] | None:
    """The shape of what a loss compares an output with; None where that has nothing to do with an input."""
    kind = output.loss.target_kind() if output.loss is not None else None
    if kind in (None, "label", "sequence"):
        return None
    shape = list(output.type.shape)
    if kind == "class" and shape:
        del shape[getattr(output.loss, "axis", -1)]
    return tuple(shape)


def _check_corruptions(objective: autoencoder, pairs: Mapping[str, str], where: Where) -> None:
    inputs = list(dict.fromkeys(pairs.values()))
    if objective.corrupt and not isinstance(objective.corrupt, dict) and len(inputs) > 1:
        listed = ", ".join(f"`{name}`" for name in inputs)
        where.unclear(f"which of {listed} is corrupted", f"write `corrupt: {{{inputs[0]}: […]}}`")
        return
    by_input = isinstance(objective.corrupt, dict)
    for name, layers in corruptions_of(objective, inputs).items():
        if by_input and not where.knows_input(name, "corrupt", name):
            continue
        for i, layer in enumerate(layers):
            assert isinstance(layer, Layer)
            keys: tuple[str | int, ...] = ("corrupt", name, i) if by_input else ("corrupt", i)
            try:
                layer.output_types({"x": where.graph.inputs[name]})
            except LayerError as error:
                where.does_not_fit(f"cannot corrupt `{name}`: {error.message}", *keys, help=error.help)
