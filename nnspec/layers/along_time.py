"""How a layer stands to the time of a sequence: what decoding token by token has to know of it."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from nnspec.types import Dim, TensorType

__all__ = ["LOOKS_AROUND", "PAST", "POSITION", "AlongTime", "attending", "past_mask"]

POSITION = "position"
"""The port by which a layer that adds positions is told where the token stands, and the step's input that tells it."""

PAST = {"past_key": "key", "past_value": "value", "past_mask": "mask"}
"""The ports by which causal attention is given what it has seen, each with the output that gives it the next time."""

LOOKS_AROUND = "looks at other tokens than its own", "leave out `carry` and `cache`: all tokens are then read at each step"


@dataclass(frozen=True)
class AlongTime:
    """What a layer does where some of its inputs run along the time of a sequence of tokens.

    Attributes:
        sees_ahead: Whether a position sees tokens that come after it.
        obstacle: What keeps it from running over one token at a time, and what would let it; None: nothing.
        outputs: Those of its outputs that run along that time too; None: all of them.
        states: What has to be carried from one token to the next, by ports and outputs of one name.
        keeps: What it has to be given of the tokens before, by the ports of `PAST`.
        placed: Whether it has to be told where the token stands.
    """

    sees_ahead: bool = False
    obstacle: tuple[str, str] | None = None
    outputs: tuple[str, ...] | None = None
    states: tuple[str, ...] = ()
    keeps: Mapping[str, TensorType] = field(default_factory=dict)
    placed: bool = False


def attending(
    fed: Mapping[str, Hashable],
    along: AbstractSet[str],
    *,
    causal: bool,
    plain: bool,
    keeps: Mapping[str, TensorType],
) -> AlongTime:
    """How attention stands to time, whatever its heads.

    Args:
        fed: For each port, which tensor feeds it.
        along: The ports whose tensors run along the time.
        causal: Whether a query sees no later value than its own position.
        plain: Whether it runs over sequences alone, and gives nothing beside what it is for.
        keeps: What it keeps of the tokens it has seen, by port.
    """
    if along == {"query"}:
        unplaced = (
            "compares positions of two sequences, and cannot tell where a token alone stands",
            "take its causal mask away",
        )
        return AlongTime(obstacle=unplaced if causal else None)
    outputs = None if "query" in along else ()
    if not causal:
        ahead = "is not causal: a token sees those that come after it", "write `use_causal_mask: true`"
        return AlongTime(sees_ahead=True, obstacle=ahead, outputs=outputs)
    if "query" not in along or fed.get("key", fed["value"]) != fed["value"] or not plain:
        apart = (
            "attends in a way whose keys and values cannot be carried",
            "feed query and value from the tokens alone",
        )
        return AlongTime(obstacle=apart, outputs=outputs)
    return AlongTime(keeps=keeps, outputs=outputs)


def past_mask(value: TensorType, steps: Dim) -> dict[str, TensorType]:
    """What attention keeps of the mask of so many tokens that it has seen."""
    return {} if value.mask is None else {"past_mask": TensorType((steps,), "bool")}
