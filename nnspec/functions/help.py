"""What to write in place of what expressions do not have."""

from __future__ import annotations

import re

from nnspec.functions.catalogue import FUNCTIONS, INSTEAD
from nnspec.functions.terms import Term


def with_operand(help: str, operand: str) -> str:
    """Help with the operand that an error points at: ``cast(…`` becomes ``cast(n``."""
    if len(operand) > _LONGEST_SHOWN or "\n" in operand:
        return help
    return re.sub(r"(\b(?:cast|expand_dims|transpose)\(|`)…(?=[,) ])", lambda match: f"{match[1]}{operand}", help)


_LONGEST_SHOWN = 60


def instead(name: str, arguments: str) -> str:
    """What to write for a function of another library."""
    if name not in INSTEAD:
        return "`nnspec layers` lists the functions"
    text = INSTEAD[name].replace("(…", f"({arguments}")
    tensor = arguments.partition(",")[0]
    return f"write {text.replace('x.shape', f'{tensor}.shape') if tensor.isidentifier() else text}"


def instead_of_attribute(name: str, tensor: str) -> str:
    """What to write for an attribute that tensors have elsewhere."""
    if name in ("T", "mT"):
        return f"write `swapaxes({tensor}, -2, -1)`"
    if name in FUNCTIONS:
        return f"write `{name}({tensor})`" if len(FUNCTIONS[name].parameters) == 1 else f"write `{name}({tensor}, …)`"
    return "the only attribute of a tensor is `shape`"


def axes_of(x: Term) -> str:
    first = int(x.is_batched)
    return f"its axes are {first} to {x.rank - 1}" if x.rank > first + 1 else f"its only axis is {first}"
