"""Conversion of a Keras layer's config to the arguments of the spec's layer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

from nnspec.keras_import.model import is_of_keras
from nnspec.layers.families import CONSTRAINTS, INITIALIZERS, REGULARIZERS
from nnspec.types import Config, Family


class NoEquivalent(Exception):
    """A layer or setting that the spec language does not support.

    Attributes:
        reason: The reason.
        help: How to fix it.
        setting: Whether the layer is supported and only a setting is not.
    """

    def __init__(self, reason: str, help: str = "", *, setting: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.help = help
        self.setting = setting


Untranslated = Callable[[str], None]
"""Called with the reason if an initializer is dropped."""

_OF_ALL = frozenset({"name", "trainable", "dtype", "autocast", "batch_input_shape", "batch_shape", "input_length"})

_NEUTRAL: Mapping[str, tuple[Any, ...]] = {
    "data_format": ("channels_last", None),
    "quantization_config": (None,),
    "lora_rank": (None,),
    "lora_alpha": (None,),
    "synchronized": (False,),
    "renorm": (False,),
    "renorm_clipping": (None,),
    "rms_scaling": (False,),
    "stateful": (False,),
    "flash_attention": (None, False),
    "attention_axes": (None, 1, [1]),
    "time_major": (False,),
    "sparse": (False,),
}
"""Unsupported settings, each with the values that have no effect."""

_WITHOUT_EFFECT = frozenset(
    {"unroll", "implementation", "use_cudnn", "renorm_momentum", "reset_after_default", "scale_by_keep"}
)
"""Settings that do not affect results."""

_MEMBERS: Mapping[str, Family] = {"initializer": INITIALIZERS, "regularizer": REGULARIZERS, "constraint": CONSTRAINTS}


def configured(kind: type[Config], config: Mapping[str, Any], left_out: Untranslated, *, rank: int | None = None) -> Config:
    """Build the spec's layer from the config of Keras's layer of the same name.

    Args:
        kind: The class of the spec's layer.
        config: Keras's arguments.
        left_out: Called with the reason if an initializer is dropped.
        rank: The number of axes of the input, including the batch axis: a positive axis is then written as −1 if it is the
            last.

    Raises:
        NoEquivalent: If an argument has no equivalent.
    """
    given: dict[str, Any] = {}
    for name, value in config.items():
        if name in _OF_ALL and name not in kind.model_fields:
            continue
        if name not in kind.model_fields:
            _check_neutral(name, value)
        elif (converted := _value(kind, name, value, left_out, rank)) is not ... and not _is_default(kind, name, converted):
            given[name] = converted
    try:
        return kind.model_validate(given)
    except (ValidationError, ValueError) as error:
        one = {name: value[1] if _is_symmetric(value) else value for name, value in given.items()}
        try:
            return kind.model_validate(one)
        except (ValidationError, ValueError):
            raise NoEquivalent(in_words(error), setting=True) from None


def _is_symmetric(value: Any) -> bool:
    """Whether it is ``[-a, a]``, which Keras writes for a range given as ``a``."""
    numbers = isinstance(value, list | tuple) and len(value) == 2 and all(isinstance(one, int | float) for one in value)
    return bool(numbers and value[1] == -value[0])


def _is_default(kind: type[Config], name: str, value: Any) -> bool:
    """Whether it is the default. Keras's config contains all arguments, and some are invalid together if set."""
    field = kind.model_fields[name]
    return not field.is_required() and type(value) is type(field.default) and value == field.default


def _check_neutral(name: str, value: Any) -> None:
    if name in _WITHOUT_EFFECT or value in _NEUTRAL.get(name, (None,)):
        return
    help = "convert the model to channels-last" if name == "data_format" else ""
    raise NoEquivalent(f"`{name}: {_short(value)}` has no equivalent", help, setting=True)


def _value(kind: type[Config], name: str, value: Any, left_out: Untranslated, rank: int | None) -> Any:
    """Convert an argument's value; ``...`` if it is omitted."""
    family = _MEMBERS.get(name.rpartition("_")[2])
    if family is not None and value is not None:
        return _member(family, name, value, left_out)
    if name.endswith("activation") and value is not None:
        return None if value == "linear" and not kind.model_fields[name].is_required() else _activation(value)
    if name == "seed" and not isinstance(value, int):
        return ...  # the state of a generator, not a chosen seed
    if name == "axis" and rank is not None:
        axes = [axis - rank if axis == rank - 1 else axis for axis in (value if isinstance(value, list) else [value])]
        return axes[0] if len(axes) == 1 else axes
    return value


def _activation(value: Any) -> Any:
    if isinstance(value, dict):
        config = value.get("config")
        name = config if isinstance(config, str) else value.get("class_name")
        help = "write it with layers, or use a built-in activation"
        raise NoEquivalent(f"the activation `{name}` is not a built-in activation of Keras", help, setting=True)
    return value


def _member(family: Family, argument: str, value: Any, left_out: Untranslated) -> Any:
    """Convert an initializer, a regularizer or a constraint."""
    name: Any = value
    config: Any = {}
    own = False
    if isinstance(value, dict):
        name, config = value.get("class_name"), value.get("config") or {}
        own = not is_of_keras(value)
        name = value.get("registered_name") or name if own else name
    if own or not isinstance(name, str) or name not in family or not isinstance(config, dict):
        if family is INITIALIZERS:
            left_out(f"the initializer `{_short(name)}` has no equivalent")
            return ...
        raise NoEquivalent(f"the {family.kind} `{_short(name)}` of `{argument}` has no equivalent", setting=True)
    kind = family.get(name)
    known = {key: item for key, item in config.items() if key in kind.model_fields}
    if not isinstance(known.get("seed"), int):
        known.pop("seed", None)
    others = {key for key, item in config.items() if key not in kind.model_fields and item is not None}
    try:
        if others:
            raise ValueError(f"unsupported arguments {', '.join(sorted(others))}")
        return kind.model_validate(known)
    except (ValidationError, ValueError) as error:
        if family is INITIALIZERS:
            left_out(f"the initializer `{name}` has no equivalent: {in_words(error)}")
            return ...
        raise NoEquivalent(f"the {family.kind} `{name}` of `{argument}`: {in_words(error)}", setting=True) from None


def written(config: Config, plain: Mapping[str, Any]) -> dict[str, Any]:
    """Shorten arguments: a list of equal values, one per axis, becomes a single value.

    Args:
        config: The config with the arguments.
        plain: Its arguments that differ from their defaults, as plain values.
    """
    kind, short = type(config), dict(plain)
    for name, value in plain.items():
        while isinstance(value, list) and value and all(item == value[0] for item in value):
            try:
                same = kind.model_validate({**dict(config), name: value[0]}) == config
            except ValidationError:
                same = False
            if not same:
                break
            short[name] = value = value[0]
    return short


def in_words(error: Exception) -> str:
    """Return the message of a validation error in one line."""
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors(include_url=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    message = first["msg"].removeprefix("Value error, ")
    return message if f"`{place}`" in message else f"`{place}`: {message[:1].lower()}{message[1:]}"


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
