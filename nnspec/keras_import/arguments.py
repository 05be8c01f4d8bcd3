"""A Keras layer's config as the arguments of ours: what has its default is left out when it is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

from nnspec.keras_import.model import is_of_keras
from nnspec.layers.families import CONSTRAINTS, INITIALIZERS, REGULARIZERS
from nnspec.types import Config, Family

__all__ = ["NoEqual", "Untranslated", "configured", "in_words", "written"]


class NoEqual(Exception):
    """A layer, or a setting of it, that the language has not.

    Attributes:
        reason: Why, in words.
        help: What to do.
        setting: Whether the layer itself is known.
    """

    def __init__(self, reason: str, help: str = "", *, setting: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.help = help
        self.setting = setting


Untranslated = Callable[[str], None]
"""Is told of an initializer that is left out."""

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
"""Settings that the language has not, each with the values that change nothing."""

_WITHOUT_EFFECT = frozenset(
    {"unroll", "implementation", "use_cudnn", "renorm_momentum", "reset_after_default", "scale_by_keep"}
)
"""Settings of how Keras computes, and not of what."""

_MEMBERS: Mapping[str, Family] = {"initializer": INITIALIZERS, "regularizer": REGULARIZERS, "constraint": CONSTRAINTS}


def configured(kind: type[Config], config: Mapping[str, Any], left_out: Untranslated, *, rank: int | None = None) -> Config:
    """A layer of ours with the arguments of Keras's of the same name.

    Args:
        kind: Our class.
        config: Keras's arguments.
        left_out: Is told of an initializer that the language has not.
        rank: The number of axes of what comes in, the batch axis counted: an axis counted from the front is then written as
            −1 where it is the last.

    Raises:
        NoEqual: Where an argument has no equal.
    """
    given: dict[str, Any] = {}
    for name, value in config.items():
        if name in _OF_ALL and name not in kind.model_fields:
            continue
        if name not in kind.model_fields:
            _check_neutral(name, value)
        elif (told := _value(kind, name, value, left_out, rank)) is not ... and not _is_default(kind, name, told):
            given[name] = told
    try:
        return kind.model_validate(given)
    except (ValidationError, ValueError) as error:
        one = {name: value[1] if _is_both_ways(value) else value for name, value in given.items()}
        try:
            return kind.model_validate(one)
        except (ValidationError, ValueError):
            raise NoEqual(in_words(error), setting=True) from None


def _is_both_ways(value: Any) -> bool:
    """Whether it is ``[-a, a]``, as Keras writes a range that was given as ``a``."""
    numbers = isinstance(value, list | tuple) and len(value) == 2 and all(isinstance(one, int | float) for one in value)
    return bool(numbers and value[1] == -value[0])


def _is_default(kind: type[Config], name: str, value: Any) -> bool:
    """Whether it goes without saying: what is said may be refused beside other settings, and Keras's config says everything."""
    field = kind.model_fields[name]
    return not field.is_required() and type(value) is type(field.default) and value == field.default


def _check_neutral(name: str, value: Any) -> None:
    if name in _WITHOUT_EFFECT or value in _NEUTRAL.get(name, (None,)):
        return
    help = "convert the model to channels last" if name == "data_format" else ""
    raise NoEqual(f"`{name}: {_short(value)}` has no equal", help, setting=True)


def _value(kind: type[Config], name: str, value: Any, left_out: Untranslated, rank: int | None) -> Any:
    """An argument's value; ``...`` where it is left out."""
    family = _MEMBERS.get(name.rpartition("_")[2])
    if family is not None and value is not None:
        return _member(family, name, value, left_out)
    if name.endswith("activation") and value is not None:
        return None if value == "linear" and not kind.model_fields[name].is_required() else _activation(value)
    if name == "seed" and not isinstance(value, int):
        return ...  # a generator's state, not a number someone chose
    if name == "axis" and rank is not None:
        axes = [axis - rank if axis == rank - 1 else axis for axis in (value if isinstance(value, list) else [value])]
        return axes[0] if len(axes) == 1 else axes
    return value


def _activation(value: Any) -> Any:
    if isinstance(value, dict):
        config = value.get("config")
        name = config if isinstance(config, str) else value.get("class_name")
        help = "register nothing: write it with layers, or with one of the activations of the language"
        raise NoEqual(f"the activation `{name}` is not one of Keras's by name", help, setting=True)
    return value


def _member(family: Family, argument: str, value: Any, left_out: Untranslated) -> Any:
    """An initializer, a regularizer or a constraint."""
    name: Any = value
    config: Any = {}
    own = False
    if isinstance(value, dict):
        name, config = value.get("class_name"), value.get("config") or {}
        own = not is_of_keras(value)
        name = value.get("registered_name") or name if own else name
    if own or not isinstance(name, str) or name not in family or not isinstance(config, dict):
        if family is INITIALIZERS:
            left_out(f"the initializer `{_short(name)}` has no equal")
            return ...
        raise NoEqual(f"the {family.kind} `{_short(name)}` of `{argument}` has no equal", setting=True)
    kind = family.get(name)
    known = {key: item for key, item in config.items() if key in kind.model_fields}
    if not isinstance(known.get("seed"), int):
        known.pop("seed", None)
    others = {key for key, item in config.items() if key not in kind.model_fields and item is not None}
    try:
        if others:
            raise ValueError(f"it has {', '.join(sorted(others))}")
        return kind.model_validate(known)
    except (ValidationError, ValueError) as error:
        if family is INITIALIZERS:
            left_out(f"the initializer `{name}` has no equal: {in_words(error)}")
            return ...
        raise NoEqual(f"the {family.kind} `{name}` of `{argument}`: {in_words(error)}", setting=True) from None


def written(config: Config, plain: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments in their shortest form: one number for all axes where a list has the same for each.

    Args:
        config: What they are the arguments of.
        plain: Its arguments that have not their default, as plain values.
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
    """What is wrong with arguments, in one line."""
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors(include_url=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    message = first["msg"].removeprefix("Value error, ")
    return message if f"`{place}`" in message else f"`{place}`: {message[:1].lower()}{message[1:]}"


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
