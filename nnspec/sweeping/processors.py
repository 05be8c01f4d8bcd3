"""The share of a machine's processors that each worker gets."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from nnspec.system import processors


@dataclass(frozen=True)
class Share:
    """What one worker computes on.

    Attributes:
        processors: The numbers of its processors; empty if it shares them with others.
        variables: Environment variables for its frameworks.
    """

    processors: tuple[int, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)


def shares(workers: int, processors: Sequence[int], gpus: Sequence[str]) -> list[Share]:
    """Divide processors and GPUs among workers.

    Args:
        workers: The number of workers.
        processors: The numbers of the processors.
        gpus: The numbers of the GPUs.

    Example:
        >>> [share.processors for share in shares(2, [0, 1, 2, 3, 4], [])]
        [(0, 1), (2, 3)]
        >>> shares(3, [0, 1], ["0"])[2].processors
        ()
        >>> [share.variables["CUDA_VISIBLE_DEVICES"] for share in shares(3, [0, 1, 2], ["0", "1"])]
        ['0', '1', '0']
    """
    each = len(processors) // workers
    threads = str(max(1, each))
    variables = dict.fromkeys(("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"), threads)
    return [
        Share(
            tuple(processors[each * number : each * (number + 1)]),
            {**variables, **({"CUDA_VISIBLE_DEVICES": gpus[number % len(gpus)]} if len(gpus) > 1 else {})},
        )
        for number in range(workers)
    ]


def own_shares(workers: int) -> list[Share]:
    """Divide the processors and the GPUs of this process among workers.

    Args:
        workers: The number of workers.
    """
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        gpus = [name.strip() for name in visible.split(",") if name.strip()]
    else:
        found = (re.fullmatch(r"nvidia(\d+)", path.name) for path in Path("/dev").glob("nvidia*"))
        gpus = sorted((match[1] for match in found if match), key=int)
    return shares(workers, processors(), gpus)
