"""The arguments of a class as text: documentation, types, defaults and examples."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterable
from typing import Any, get_args

from nnspec.spec.dumping import flow
from nnspec.types import Config
from nnspec.types.activation_names import ActivationName
from nnspec.types.plain import plain


def documentation(kind: type) -> str:
    """The docstring of a class as Markdown; empty if it has none of its own."""
    text = inspect.cleandoc(kind.__dict__.get("__doc__") or "")
    return re.sub(r"\[`(\w+)`\]\[[\w.]*\]", r"`\1`", text).replace("``", "`")


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
    if "x-operation" in schema:  # the operation, with other keys beside it
        return _text(schema["properties"][schema["x-operation"]], definitions)
    if "x-main" in schema:  # a class whose main argument can be written alone
        alone = _text(schema["properties"][schema["x-main"]], definitions)
        return " or ".join(dict.fromkeys([*(part for part in alone.split(" or ") if part != "null"), "a mapping"]))
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
        values = schema.get("additionalProperties")
        return f"a mapping of names to {_many(_text(values, definitions))}" if isinstance(values, dict) else "a mapping"
    text = _BARE.get(str(schema.get("type")), "any value")
    bounds = [word.format(_number(schema[key])) for key, word in _BOUNDS.items() if key in schema]
    return f"{text} {' and '.join(bounds)}" if bounds else text


def _choices(choices: Iterable[Any]) -> str:
    return ", ".join(f"`{_written(choice)}`" for choice in choices)


def _list(schema: dict[str, Any], definitions: dict[str, Any]) -> str:
    least, most = schema.get("minItems"), schema.get("maxItems")
    count = f"{least} " if least == most and least is not None else ""
    item = _text(schema["items"], definitions) if isinstance(schema.get("items"), dict) else "any value"
    return f"a list of {count}{_many(item)}"


def _many(item: str) -> str:
    """The plural of a kind of values; in parentheses if there are several kinds."""
    if " or " in item:
        return f"({item})"
    if item in ("text", "any value"):
        return {"text": "texts", "any value": "values"}[item]
    article, _, rest = item.partition(" ")
    if article not in ("a", "an"):
        return item
    noun, space, more = rest.partition(" ")
    if noun in ("list", "mapping", "number", "integer"):
        return f"{noun}s{space}{more}"
    return rest + ("es" if rest.endswith("s") else "s")


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) or (value.is_integer() and abs(value) >= 1e6) else f"{value:g}"


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


def example_value(config: type[Config], argument: str) -> Any:
    """An example of an argument's value: a stated one, else its default, else one of its type; None if there is none.

    Example:
        >>> from nnspec.layers.core import Dense
        >>> example_value(Dense, "use_bias"), example_value(Dense, "activation")
        (False, 'celu')
    """
    field = config.model_fields[argument]
    if field.examples:
        return field.examples[0]
    schema = config.model_json_schema()
    default = None if field.is_required() else plain(field.get_default(call_default_factory=True))
    return _example(schema["properties"].get(argument, {}), schema.get("$defs", {}), default)


def _example(schema: dict[str, Any], definitions: dict[str, Any], default: Any) -> Any:
    if isinstance(default, bool):
        return not default
    if "$ref" in schema:
        return _example(definitions[schema["$ref"].rpartition("/")[2]], definitions, default)
    choices = schema.get("enum", [schema["const"]] if "const" in schema else [])
    if choices:
        return next((choice for choice in choices if choice not in (default, None)), choices[0])
    if default not in (None, [], {}):
        return default
    for union in ("anyOf", "oneOf", "allOf"):
        found = [_example(part, definitions, default) for part in schema.get(union, ())]
        if any(value is not None for value in found):
            return next(value for value in found if value is not None)
    return True if schema.get("type") == "boolean" else None


def example_text(config: type[Config], argument: str) -> str:
    """An example of an argument in YAML; empty if there is none."""
    value = example_value(config, argument)
    return "" if value is None else f"{argument}: {flow(value)}"
