"""The check of the objectives that predict the next token."""

from __future__ import annotations

from nnspec.data.targets.next_token import NextTokenTarget
from nnspec.graph.causality import first_noncausal_layer
from nnspec.training.objectives.context import ObjectiveContext, Targets
from nnspec.training.objectives.next_token import NextToken, sequence_to_sequence
from nnspec.training.objectives.next_token.problems import ReadsAhead
from nnspec.training.plan import OutputPlan
from nnspec.types import TensorType, same_size

_PADDING = 0
"""The token ``<PAD>``, and the default value of the transform `pad`."""


def next_token_targets(objective: NextToken, context: ObjectiveContext) -> Targets | None:
    """Checks which output predicts the next token of which input, and which class its loss ignores.

    Args:
        objective: The objective.
        context: The network, and where problems are reported.
    """
    output = _output(objective, context)
    input_ = _input(objective, output, context) if output is not None else None
    if output is None or input_ is None:
        return None
    padding = getattr(output.loss, "ignore_class", None)
    if padding is None:
        padding = _PADDING
        assert output.loss is not None
        output = output.with_loss(output.loss.model_copy(update={"ignore_class": padding}))
    window = getattr(objective, "window", None)
    size = context.graph.inputs[input_].shape[0]
    if window is not None and same_size(size, window) is False:
        reason = f"cuts windows of {window} tokens, and `{input_}` takes {size}"
        context.does_not_fit(reason, "window", help=f"write `window: {size}`, or a symbol in the input's shape")
    bounded = isinstance(objective, sequence_to_sequence)
    _check_causality(input_, output, context)
    sources = {output.name: NextTokenTarget(input_, padding, window, bounded)}
    return Targets(context.outputs | {output.name: output}, sources)


def _check_causality(input_: str, output: OutputPlan, context: ObjectiveContext) -> None:
    """Reports the layer through which a position reads the token that it predicts, if the graph alone shows it."""
    node = first_noncausal_layer(context.graph, input_, output.name)
    if node is None:
        return
    arguments = type(node.layer).model_fields
    help = "use a layer that runs forward only"
    if "use_causal_mask" in arguments:
        help = "write `use_causal_mask: true`"
    elif "padding" in arguments and node.layer.receptive_field(node.input_types) is not None:
        help = "write `padding: causal`" if node.op in _CAUSAL else "use `Conv1D` with `padding: causal`"
        help += ", and no padding or cropping before it" if getattr(node.layer, "padding", None) == "valid" else ""
    reason = f"through `{node.name}`, a position reads later tokens"
    context.problems.append(ReadsAhead.at(node.span, node.path, help=help, name=output.name, where=reason))


_CAUSAL = ("Conv1D", "DepthwiseConv1D", "SeparableConv1D")
"""The layers that support `padding: causal`."""


def _output(objective: NextToken, context: ObjectiveContext) -> OutputPlan | None:
    """The output that predicts the next token; its loss must support `ignore_class`."""
    name = objective.output
    if name is None:
        if len(context.compared) != 1:
            outputs = context.compared or list(context.outputs)
            context.unclear("which output predicts the next token", f"write `output: {outputs[0]}`")
            return None
        [name] = context.compared
    elif not context.knows_output(name, "output"):
        return None
    output = context.outputs[name]
    loss = output.loss
    if loss is None or loss.target_kind() != "class" or "ignore_class" not in type(loss).model_fields:
        got = f"`{type(loss).__name__}`" if loss is not None else "none"
        reason = f"needs a loss over classes with `ignore_class`, and the loss of `{name}` is {got}"
        context.does_not_fit(reason, "output", help="use `SparseCategoricalCrossentropy`")
        return None
    if output.type.rank != 2 or getattr(loss, "axis", -1) not in (-1, 1):
        reason = f"needs an output of shape (positions, tokens), and `{name}` is {output.type}"
        context.does_not_fit(
            reason, "output", help="return a sequence, as a recurrent layer does with `return_sequences: true`"
        )
        return None
    return output


def _input(objective: NextToken, output: OutputPlan, context: ObjectiveContext) -> str | None:
    """The integer input with the positions of the output."""
    inputs = context.graph.inputs
    fitting = [name for name, type_ in inputs.items() if _holds_tokens(type_, output)]
    if objective.input is not None:
        if not context.knows_input(objective.input, "input"):
            return None
        if objective.input in fitting:
            return objective.input
        fitting = []
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        context.unclear("which input holds the tokens", f"write `input: {fitting[0]}`")
        return None
    size = output.type.shape[0]
    wanted = f"needs an integer input of the shape ({size},), the positions of `{output.name}`"
    shown = ", ".join(f"`{name}` {type_} {type_.dtype}" for name, type_ in inputs.items())
    context.does_not_fit(f"{wanted}; there is {shown}", "input", help="declare it as `{shape: [T], dtype: int32}`")
    return None


def _holds_tokens(type_: TensorType, output: OutputPlan) -> bool:
    whole = type_.dtype.startswith(("int", "uint"))
    return whole and type_.rank == 1 and same_size(type_.shape[0], output.type.shape[0]) is True
