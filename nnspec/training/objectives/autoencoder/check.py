"""The check of the objective ``autoencoder``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nnspec.data.plan import TargetSource
from nnspec.data.token_masking import MaskTokens
from nnspec.graph.tables import table_rows
from nnspec.layers.base import Layer, LayerError
from nnspec.training.objectives.autoencoder import autoencoder
from nnspec.training.objectives.context import ObjectiveContext, Targets
from nnspec.training.plan import OutputPlan
from nnspec.types import Config, Dim, TensorType, same_size


def reconstructed(objective: autoencoder, context: ObjectiveContext) -> Targets | None:
    """Checks which output reconstructs which input.

    Args:
        objective: The objective.
        context: The network, and where problems are reported.
    """
    before = len(context.problems)
    pairs = {
        output: input_
        for output, input_ in (objective.restores or _default_mapping(context)).items()
        if context.knows_output(output, "restores", output) and context.knows_input(input_, "restores", output)
    }
    for output, input_ in pairs.items():
        _check_reconstruction(context.outputs[output], input_, context)
    _check_corruptions(objective, pairs, context)
    if any(problem.is_error for problem in context.problems[before:]):
        return None
    masked = masked_inputs(objective, list(dict.fromkeys(pairs.values())))
    outputs = {
        name: _ignoring_the_rest(output) if pairs.get(name) in masked else output for name, output in context.outputs.items()
    }
    sources = {output: MaskedTarget(name) if name in masked else TargetSource(name) for output, name in pairs.items()}
    return Targets(outputs, sources)


class MaskedTarget(TargetSource):
    """The tokens of an input that masking has selected."""

    @property
    def is_scored(self) -> bool:
        # There are too many tokens to list: metrics summarize them.
        return False


def masked_inputs(objective: autoencoder, inputs: Sequence[str]) -> dict[str, MaskTokens]:
    """The inputs whose tokens are masked, each with the arguments.

    Args:
        objective: The objective.
        inputs: The inputs that are reconstructed.
    """
    layers = ((name, layer) for name, own in corruptions_of(objective, inputs).items() for layer in own)
    return {name: layer for name, layer in layers if isinstance(layer, MaskTokens)}


_PADDING = 0
"""The token ``<PAD>``, which stands for tokens that do not count."""


def _ignoring_the_rest(output: OutputPlan) -> OutputPlan:
    """The output with a loss that ignores tokens that were not selected."""
    loss = output.loss
    if loss is None or getattr(loss, "ignore_class", None) is not None:
        return output
    return output.with_loss(loss.model_copy(update={"ignore_class": _PADDING}))


def _check_masking(layer: MaskTokens, name: str, pairs: Mapping[str, str], context: ObjectiveContext, *keys: str | int) -> None:
    """Reports what tokens cannot be masked, or restored from the output."""
    type_ = context.graph.inputs[name]
    if not type_.is_integer:
        context.does_not_fit(f"masks the tokens of `{name}`, which is {type_.dtype}", *keys, help="declare `dtype: int32`")
        return
    rows = next((rows for ref, rows in table_rows(context.graph).items() if ref.source == name), None)
    if rows is not None and layer.token >= rows:
        reason = f"masks with the token {layer.token}, but the table that `{name}` indexes has rows 0 to {rows - 1}"
        context.does_not_fit(reason, *keys, help=f"write `token: {rows - 1}`, or a larger `input_dim`")
    for output in (output for output, input_ in pairs.items() if input_ == name):
        loss = context.outputs[output].loss
        if loss is None or loss.target_kind() != "class" or "ignore_class" not in type(loss).model_fields:
            reason = f"masks tokens, which needs a loss over classes with `ignore_class` for `{output}`"
            context.does_not_fit(reason, *keys, help="use `SparseCategoricalCrossentropy`")


def corruptions_of(objective: autoencoder, inputs: Sequence[str]) -> Mapping[str, list[Config]]:
    """The layers that corrupt each input, by name.

    Args:
        objective: The objective.
        inputs: The inputs that are reconstructed.
    """
    if isinstance(objective.corrupt, dict):
        return objective.corrupt
    return {inputs[0]: objective.corrupt} if objective.corrupt and inputs else {}


def _default_mapping(context: ObjectiveContext) -> dict[str, str]:
    outputs, inputs = context.compared, list(context.graph.inputs)
    if len(outputs) == 1 and len(inputs) == 1:
        return {outputs[0]: inputs[0]}
    if not outputs:
        context.does_not_fit("needs a loss with a target, such as `MeanSquaredError`")
    else:
        context.unclear("which output reconstructs which input", f"write `restores: {{{outputs[0]}: {inputs[0]}}}`")
    return {}


def _check_reconstruction(output: OutputPlan, input_: str, context: ObjectiveContext) -> None:
    type_, wanted = context.graph.inputs[input_], _target_of(output)
    if wanted is None:
        loss = f"`{output.loss.title}` does not take such a target" if output.loss else "it has no loss"
        context.does_not_fit(f"compares `{output.name}` with the input `{input_}`, and {loss}", "restores", output.name)
    elif len(wanted) != type_.rank or not all(same_size(a, b) for a, b in zip(wanted, type_.shape, strict=True)):
        shown = str(TensorType(wanted))
        reason = f"compares `{output.name}`, whose target is {shown}, with the input `{input_}`, which is {type_}"
        context.does_not_fit(reason, "restores", output.name, help="give the output the shape of the input")


def _target_of(output: OutputPlan) -> tuple[int | Dim, ...] | None:
    """The shape of the target of an output's loss; None if it cannot be an input."""
    need = output.need
    return None if need is None or need.kind in ("label", "sequence") else need.shape


def _check_corruptions(objective: autoencoder, pairs: Mapping[str, str], context: ObjectiveContext) -> None:
    inputs = list(dict.fromkeys(pairs.values()))
    if objective.corrupt and not isinstance(objective.corrupt, dict) and len(inputs) > 1:
        listed = ", ".join(f"`{name}`" for name in inputs)
        context.unclear(f"which of {listed} is corrupted", f"write `corrupt: {{{inputs[0]}: […]}}`")
        return
    by_input = isinstance(objective.corrupt, dict)
    for name, layers in corruptions_of(objective, inputs).items():
        if by_input and not context.knows_input(name, "corrupt", name):
            continue
        for i, layer in enumerate(layers):
            keys: tuple[str | int, ...] = ("corrupt", name, i) if by_input else ("corrupt", i)
            if isinstance(layer, MaskTokens):
                _check_masking(layer, name, pairs, context, *keys, "MaskTokens", "token")
                continue
            assert isinstance(layer, Layer)
            try:
                layer.output_types({"x": context.graph.inputs[name]})
            except LayerError as error:
                context.does_not_fit(f"cannot corrupt `{name}`: {error.message}", *keys, help=error.help)
