"""How a layer depends on the time axis, for decoding token by token."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from nnspec.types import Dim, TensorType

POSITION = "position"
"""The port of position layers, and the input of the decoding step, with the position of the token."""

PAST = {"past_key": "key", "past_value": "value", "past_mask": "mask"}
"""The ports of causal attention for cached keys, values and masks, each with the output that extends the cache."""

LOOKS_AROUND = "depends on other tokens", "remove `carry` and `cache`, so that each step reads all tokens"


@dataclass(frozen=True)
class TimeDependence:
    """The behavior of a layer whose inputs include sequences of tokens.

    Attributes:
        sees_ahead: Whether an output position depends on later tokens.
        obstacle: Why it cannot run one token at a time, and how to fix that; None if it can.
        outputs: The outputs that have the time axis; None: all of them.
        states: The states passed from one token to the next; each is a port and an output of the same name.
        keeps: The cached tensors of earlier tokens that it needs, by the ports of `PAST`.
        placed: Whether it needs the position of the token.
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
) -> TimeDependence:
    """Return the behavior of attention along the time axis.

    Args:
        fed: The tensor connected to each port.
        along: The ports whose tensors have the time axis.
        causal: Whether a query attends only to its own and earlier positions.
        plain: Whether its inputs are (time, features) and it returns no attention scores.
        keeps: The tensors of earlier tokens that it caches, by port.
    """
    if along == {"query"}:
        unplaced = (
            "compares the positions of two sequences, and the position of a single token is not known to it",
            "remove its causal mask",
        )
        return TimeDependence(obstacle=unplaced if causal else None)
    outputs = None if "query" in along else ()
    if not causal:
        ahead = "is not causal: a token attends to later tokens", "write `use_causal_mask: true`"
        return TimeDependence(sees_ahead=True, obstacle=ahead, outputs=outputs)
    if "query" not in along or fed.get("key", fed["value"]) != fed["value"] or not plain:
        apart = (
            "uses keys and values that cannot be cached",
            "feed both its query and its value from the tokens",
        )
        return TimeDependence(obstacle=apart, outputs=outputs)
    return TimeDependence(keeps=keeps, outputs=outputs)


def past_mask(value: TensorType, steps: Dim) -> dict[str, TensorType]:
    """Return the cached mask of ``steps`` earlier tokens, by port; empty if the value has no mask."""
    return {} if value.mask is None else {"past_mask": TensorType((steps,), "bool")}
