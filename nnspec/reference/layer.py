"""The reference of one layer, as Markdown."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, get_args

from nnspec.layers import LAYERS
from nnspec.layers.base import Layer
from nnspec.layers.plugin import converted, plugin_of_class
from nnspec.layers.unsupported import EVERYWHERE
from nnspec.reference.examples import Example, examples
from nnspec.types import Config, Dim, TensorType, size_text
from nnspec.types.activation_names import ActivationName
from nnspec.types.plain import plain

Operators = Callable[[Example], Sequence[str]]
"""Returns the ONNX operators of an example."""


def layer_text(name: str, *, operators: Operators | None = None) -> str:
    """Render the reference of a layer: description, arguments, and examples of shapes.

    Args:
        name: The name of a built-in or plug-in layer.
        operators: Returns the ONNX operators of an example; None to omit them.

    Raises:
        KeyError: If there is no such layer.
        PluginError: If its package is broken.

    Example:
        >>> print("\\n".join(layer_text("Flatten").splitlines()[:3]))
        ## Flatten
        <BLANKLINE>
        Flattens all axes into one; a scalar gets an axis of size 1.
    """
    kind = LAYERS.get(name)
    assert issubclass(kind, Layer)
    found = examples(kind)
    parts = [f"## {name}", _documentation(kind), *_origin(kind), *_arguments(kind), *_not_taken(kind), *_places(found)]
    if operators is not None and found and not converted(found[0].layer):
        parts.append(exported(operators(found[-1])))
    return "\n\n".join([*parts, _notes(kind)]).rstrip() + "\n"


def _documentation(kind: type[Layer]) -> str:
    text = inspect.cleandoc(kind.__dict__.get("__doc__") or "")
    return re.sub(r"\[`(\w+)`\]\[[\w.]*\]", r"`\1`", text).replace("``", "`")


def _origin(kind: type[Layer]) -> Iterator[str]:
    plugin = plugin_of_class(kind)
    if plugin is not None:
        how = "with tf2onnx" if not hasattr(kind, "to_onnx") else "with its `to_onnx`"
        yield f"A layer of the package {plugin.package}; exported {how}."


def _arguments(kind: type[Layer]) -> Iterator[str]:
    types = type_texts(kind)
    if types:
        rows = []
        fields = sorted(
            ((name, kind.model_fields[name]) for name in kind.arguments()), key=lambda item: not item[1].is_required()
        )
        for name, field in fields:
            beyond = " Not in Keras." if name in kind.beyond_keras else ""
            rows.append([f"`{name}`", types[name], default_text(kind, name), f"{field.description or ''}{beyond}"])
        yield table(["argument", "type", "default", "description"], rows)
    if types and kind.main_argument is not None:
        yield f"`{kind.__name__}: …` is short for `{kind.__name__}: {{{kind.main_argument}: …}}`."


def _not_taken(kind: type[Layer]) -> Iterator[str]:
    ours = {name: reason for name, reason in kind.unsupported.items() if EVERYWHERE.get(name) != reason}
    if ours:
        yield "Unsupported arguments of Keras's layer:\n\n" + "\n".join(f"- `{n}`: {why}" for n, why in ours.items())


def _places(found: Sequence[Example]) -> Iterator[str]:
    if not found:
        return
    written = ", ".join(f"{name}: {_argument(value)}" for name, value in found[0].arguments.items())
    if not type_texts(type(found[0].layer)):  # the only argument has no name in a spec
        written = _argument(next(iter(found[0].arguments.values()), "")).strip("{}")
    head = f"For example, with `{{{written}}}`:" if written else "For example:"
    rows = []
    for example in found:
        weights = ", ".join(f"`{w.name}` {_sizes(w.shape)}{'' if w.trainable else ' (not trained)'}" for w in example.weights)
        rows.append([types_text(example.inputs), types_text(example.outputs), weights or "none", _count(example.macs)])
    yield f"{head}\n\n{table(['input', 'output', 'weights', 'MACs'], rows)}"


def _argument(value: object) -> str:
    """A value in YAML flow style."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_argument(inner)}" for key, inner in value.items()) + "}"
    return str(value)


def types_text(types: object) -> str:
    """The types of tensors by name; the name of a single one is omitted."""
    assert isinstance(types, dict)
    if set(types) <= {"x", "output"}:
        return ", ".join(map(_tensor, types.values())) or "nothing"
    return ", ".join(f"`{name}` {_tensor(type_)}" for name, type_ in types.items())


def _tensor(type_: TensorType) -> str:
    kind = "" if type_.dtype == "float32" else f" of {type_.dtype}"
    return f"({', '.join(['batch', *map(size_text, type_.shape)])}){kind}"


def _sizes(shape: Sequence[int]) -> str:
    return " × ".join(map(str, shape)) or "scalar"


def _count(macs: int | Dim) -> str:
    return f"{macs:,}" if isinstance(macs, int) else str(macs).replace("*", "·")


def exported(operators: Sequence[str]) -> str:
    """The sentence that names ONNX operators."""
    if not operators:
        return "In ONNX: no operator; in inference it returns its input."
    return "In ONNX: " + ", ".join(f"`{operator}`" for operator in dict.fromkeys(operators)) + "."


def _notes(kind: type[Layer]) -> str:
    changes = "changes the result" if kind.uses_mask else ""
    is_own = kind.mask is not Layer.mask or kind.output_types is not Layer.output_types
    if is_own:
        goes = "whether the output has one depends on the arguments and inputs"
    else:
        goes = "is passed on" if kind.passes_mask else "is not passed on"
    masks = f"Masks: {goes}." if is_own else f"A mask {' and '.join(filter(None, [changes, goes]))}."
    others = sorted(alias for alias, name in LAYERS.aliases.items() if name == kind.__name__)
    return masks + (f"\n\nAlso known as {', '.join(f'`{other}`' for other in others)}." if others else "")


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Render a Markdown table."""
    return "\n".join([row(header), row(["---"] * len(header)), *map(row, rows)])


def row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


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
