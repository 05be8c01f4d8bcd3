"""``RNN``, whose cell is a block, a network or a built-in cell, alone and in ``Bidirectional``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nnspec.spec import problems as p
from nnspec.spec.checked import check
from nnspec.spec.draft import Draft
from nnspec.spec.step import BothDirections, Recurrence, Step
from nnspec.spec.tree import MappingNode, Place, Scalar, Tree, Unknown
from nnspec.types import did_you_mean

if TYPE_CHECKING:
    from nnspec.spec.expand import Expander

_RNN, _BOTH = "RNN", "Bidirectional"


def runs_a_cell(draft: Draft) -> bool:
    """Whether a step is ``RNN``, or ``Bidirectional`` of it."""
    if draft.op.value == _BOTH and isinstance(draft.arguments, MappingNode):
        layers = (named(draft.arguments.get(name))[0] for name in ("layer", "backward_layer"))
        return any(key is not None and key.value == _RNN for key in layers)
    return draft.op.value == _RNN


def named(tree: Tree | None) -> tuple[Scalar | None, Tree | None]:
    """Return a name and its arguments, if any."""
    if isinstance(tree, Scalar):
        return tree, None
    if isinstance(tree, MappingNode) and len(tree) == 1:
        [(key, inner)] = tree.items()
        return key, inner
    return None, None


def read_recurrence(expander: Expander, draft: Draft) -> Recurrence | BothDirections | None:
    """Read a step that runs a cell; reports and returns None if it is invalid."""
    return _both(expander, draft) if draft.op.value == _BOTH else _recurrence(expander, draft)


def _recurrence(expander: Expander, draft: Draft) -> Recurrence | None:
    from nnspec.layers.recurrent_cells import CELLS
    from nnspec.layers.rnn import RNN

    arguments = draft.arguments
    if isinstance(arguments, Unknown):
        return None
    tree = arguments.get("cell") if isinstance(arguments, MappingNode) else arguments
    if tree is None or (isinstance(tree, Scalar) and tree.value is None):
        help = "write `RNN: {cell: {GRUCell: {units: 64}}}`, or the name of a block or network"
        path = f"{draft.path}.{_RNN}"
        expander.problems.append(p.MissingKey.at(draft.op.span, path, help=help, where=f"`{_RNN}`", key="cell"))
        return None
    key, inner = named(tree)
    own = key is not None and key.value in expander.operations
    if own and key is not None:
        expander.used.add(str(key.value))  # also if `RNN` has an invalid argument, so that only that is reported
    if key is not None and not own and key.value not in CELLS:
        otherwise = f"a cell is a block, a network or one of {', '.join(CELLS.names())}"
        help = did_you_mean(str(key.value), [*CELLS.names(), *expander.operations], otherwise, defined=True)
        expander.problems.append(p.UnknownMember.at(key.span, tree.path, help=help, kind=CELLS.kind, name=str(key.value)))
    if key is not None and (own or key.value not in CELLS):
        given = [entry for entry in arguments.items() if entry[1] is not tree] if isinstance(arguments, MappingNode) else []
        without = (Scalar("cell", tree.span), Scalar(None, tree.span))  # `RNN` itself knows the built-in cells only
        arguments = MappingNode([*given, without], tree.span, arguments.place if arguments is not None else None)
    layer = expander.layer(replace(draft, arguments=arguments))
    if not isinstance(layer, RNN) or key is None or not (own or layer.cell is not None):
        return None
    path = str(Place(tree.place, str(key.value))) if tree.place else draft.path
    within = Draft(key, inner, None, draft.scope, path)
    content = expander.content(within) if own else expander.layer(within)
    return None if content is None else Recurrence(layer, _step("cell", within, content))


def _both(expander: Expander, draft: Draft) -> BothDirections | None:
    from nnspec.layers.bidirectional import Bidirectional

    arguments = draft.arguments
    assert isinstance(arguments, MappingNode)
    drafts: dict[str, Draft] = {}
    others = []
    for key, value in arguments.items():
        name, inner = named(value)
        if key.value in ("layer", "backward_layer") and name is not None and name.value == _RNN:
            path = str(Place(value.place, _RNN)) if value.place else draft.path
            drafts[str(key.value)] = Draft(name, inner, None, draft.scope, path)
        elif key.value in ("layer", "backward_layer"):
            kind = value.kind if name is None else f"`{name.value}`"
            reason = f"`layer` and `backward_layer` must both be `RNN`, not {kind}"
            expander.problems.append(p.WrongValue.at(value.span, value.path, reason=reason))
            return None
        else:
            others.append((key, value))
    if "layer" not in drafts:
        help = "write `layer: {RNN: …}`"
        path = f"{draft.path}.{_BOTH}"
        expander.problems.append(p.MissingKey.at(draft.op.span, path, help=help, where=f"`{_BOTH}`", key="layer"))
        return None
    # `Bidirectional` itself knows the built-in layers only: any of them stands for `RNN` among the other arguments.
    at = draft.op.span
    stand_in = MappingNode([(Scalar("GRU", at), MappingNode([(Scalar("units", at), Scalar(1, at))], at))], at)
    rest = MappingNode([(Scalar("layer", at), stand_in), *others], arguments.span, arguments.place)
    settings = check(Bidirectional, rest, expander.problems, name=_BOTH, span=at)
    forward = _recurrence(expander, drafts["layer"])
    backward = _recurrence(expander, drafts["backward_layer"]) if "backward_layer" in drafts else forward
    if settings is None or forward is None or backward is None or not _are_a_pair(expander, forward, backward, drafts):
        return None
    backward = replace(backward, layer=backward.layer.model_copy(update={"go_backwards": True}))
    steps = (
        _step("forward", drafts["layer"], forward),
        _step("backward", drafts.get("backward_layer", drafts["layer"]), backward),
    )
    return BothDirections(steps, settings.merge_mode)


def _are_a_pair(expander: Expander, forward: Recurrence, backward: Recurrence, drafts: dict[str, Draft]) -> bool:
    """Whether two recurrences can run in two directions; reports why not."""
    before = len(expander.problems)

    def wrong(which: str, reason: str, help: str) -> None:
        at = drafts[which]
        expander.problems.append(p.WrongValue.at(at.op.span, at.path, help=help, reason=reason))

    if forward.layer.go_backwards:
        help = "remove `go_backwards`; write the backward layer under `backward_layer`"
        wrong("layer", "the forward layer has `go_backwards: true`", help)
    if "backward_layer" in drafts:
        if not backward.layer.go_backwards:
            wrong("backward_layer", "the backward layer does not have `go_backwards: true`", "write `go_backwards: true`")
        for argument in ("sequences", "return_sequences", "return_state"):
            a, b = getattr(forward.layer, argument), getattr(backward.layer, argument)
            if a != b:
                reason = f"`layer` and `backward_layer` differ in `{argument}`"
                wrong("backward_layer", reason, f"use the same `{argument}` for both")
    return len(expander.problems) == before


def _step(name: str, draft: Draft, content: object) -> Step:
    return Step(name, str(draft.op.value), content, None, False, draft.op.span, draft.path, draft.arguments)  # type: ignore[arg-type]
