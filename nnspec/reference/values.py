"""The accepted values of arguments, as text."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, get_args

from nnspec.layers.activation_names import ActivationName
from nnspec.types import Config
from nnspec.types.plain import plain

__all__ = ["default_text", "type_texts"]

_ACTIVATION = "the name of an activation"
_BARE = {"integer": "an integer", "number": "a number", "string": "text", "boolean": "true or false", "null": "null"}
_BOUNDS = {"minimum": "≥ {}", "exclusiveMinimum": "> {}", "maximum": "≤ {}", "exclusiveMaximum": "< {}"}


def type_texts(config: type[Config]) -> dict[str, str]:
    """Describe the accepted values of each argument of a class.

    Example:
        >>> from nnspec.layers.core import Dense
        >>> type_texts(Dense)["units"]
        'an integer > 0'
    """
    schema = config.model_json_schema()
    definitions = schema.get("$defs", {})
    texts = {name: _text(part, definitions) for name, part in schema.get("properties", {}).items()}
    every = _choices(get_args(ActivationName))
    return {name: text if name == config.main_argument else text.replace(every, _ACTIVATION) for name, text in texts.items()}


def _text(schema: dict[str, Any], definitions: dict[str, Any]) -> str:
    if "$ref" in schema:
        return _text(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    if "x-family" in schema:
        return _with_article(schema["x-family"])
    for union in ("anyOf", "oneOf", "allOf"):
        if union in schema:
            return " or ".join(dict.fromkeys(_text(part, definitions) for part in schema[union]))
    if "enum" in schema or "const" in schema:
        return _choices(schema.get("enum", [schema.get("const")]))
    if schema.get("type") == "array":
        return _list(schema, definitions)
    if schema.get("type") == "object":
        return "a mapping"
    text = _BARE.get(str(schema.get("type")), "any value")
    return " ".join([text, *(word.format(f"{schema[key]:g}") for key, word in _BOUNDS.items() if key in schema)])


def _choices(choices: Iterable[Any]) -> str:
    return ", ".join(f"`{_written(choice)}`" for choice in choices)


def _list(schema: dict[str, Any], definitions: dict[str, Any]) -> str:
    least, most = schema.get("minItems"), schema.get("maxItems")
    count = f"{least} " if least == most and least is not None else ""
    item = _text(schema["items"], definitions) if isinstance(schema.get("items"), dict) else "any value"
    return f"a list of {count}({item})" if " or " in item else f"a list of {count}{_plural(item)}"


def _plural(item: str) -> str:
    for one, many in (("an integer", "integers"), ("a number", "numbers"), ("text", "texts")):
        if item.startswith(one):
            return item.replace(one, many, 1)
    return item


def _with_article(kind: str) -> str:
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"


def default_text(config: type[Config], argument: str) -> str:
    """The default of an argument, as written in a spec; ``required`` if there is none.

    Example:
        >>> from nnspec.layers.core import Dense
        >>> default_text(Dense, "units"), default_text(Dense, "use_bias"), default_text(Dense, "kernel_initializer")
        ('required', '`true`', '`glorot_uniform`')
    """
    field = config.model_fields[argument]
    if field.is_required():
        return "required"
    return f"`{_written(plain(field.get_default(call_default_factory=True)))}`"


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
