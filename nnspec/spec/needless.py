"""Arguments of other frameworks that state what is always so in a spec: they can be removed without a change of meaning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nnspec.diagnostics import Advice
from nnspec.diagnostics.remedies import Remove
from nnspec.spec.tree import Scalar, Tree

_ANY = None
_NEEDLESS: Mapping[str, tuple[Any, ...] | None] = {
    "activity_regularizer": (None,),
    "autocast": (True,),
    "batch_first": (True,),
    "data_format": ("channels_last", None),
    "device": ("auto", "cuda", "gpu"),
    "dtype": ("float32", None),
    "flash_attention": _ANY,
    "gpu": (True,),
    "gpus": (1, -1, "auto"),
    "implementation": _ANY,
    "in_channels": _ANY,
    "in_features": _ANY,
    "inplace": _ANY,
    "input_dim": _ANY,
    "input_length": _ANY,
    "input_size": _ANY,
    "lora_rank": (None,),
    "num_features": _ANY,
    "num_workers": _ANY,
    "quantization_config": (None,),
    "reduction": ("auto", "mean", "sum_over_batch_size"),
    "renorm": (False,),
    "restore_best_weights": (True,),
    "rms_scaling": (False,),
    "shuffle": (True,),
    "stateful": (False,),
    "synchronized": (False,),
    "time_major": (False,),
    "trainable": (True,),
    "unroll": _ANY,
    "use_cudnn": _ANY,
    "verbose": _ANY,
    "workers": _ANY,
}
"""The values with which an argument has no effect; any, if it never has one."""


def without(key: Scalar, value: Tree, help: str) -> str:
    """Return help for an argument that a spec does not have, with the remedy to remove it if it has no effect.

    Example:
        >>> from nnspec.diagnostics import Span
        >>> key, there = Scalar("batch_first", Span.whole("")), Span.whole("")
        >>> without(key, Scalar(True, there), "remove it").remedy is None
        False
        >>> without(key, Scalar(False, there), "remove it").remedy is None
        True
    """
    values = _NEEDLESS.get(str(key.value), ())
    plain = value.value if isinstance(value, Scalar) and not value.unknown else value
    is_needless = values is _ANY or any(type(plain) is type(other) and plain == other for other in values)
    return Advice(help, Remove(end=value.span) if is_needless else None)
