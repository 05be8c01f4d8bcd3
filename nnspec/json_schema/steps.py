"""JSON Schema of steps: an operation's name, or a mapping with one operation and step keys."""

from __future__ import annotations

from nnspec.json_schema.forms import ANY, NAME, OWN_NAME, Schema, any_of, closed, list_of, mapping_of, reference, value
from nnspec.json_schema.members import Definitions, first_line, needs_arguments
from nnspec.layers import LAYERS
from nnspec.layers.base import Layer
from nnspec.spec.draft import STEP_KEYS
from nnspec.spec.keywords import about

STEPS = list_of(reference("step"))
OUTPUTS: Schema = any_of(NAME, list_of(NAME, minItems=1), mapping_of(NAME, minProperties=1)) | about("document", "outputs")

_BESIDE: dict[str, Schema] = {
    "name": value(NAME),
    "from": any_of(NAME, list_of(NAME, minItems=1), mapping_of(NAME, minProperties=1)),
    "repeat": value({"type": "integer", "minimum": 0}),
    "as": NAME,
    "freeze": value({"type": "boolean"}),
    "weights": reference("weights"),
}


def define_steps(definitions: Definitions) -> None:
    """Define ``step``, which nested steps refer to."""
    beside = {key: definitions.add(f"step.{key}", schema | about("step", key)) for key, schema in _BESIDE.items()}
    operations = [_layer(definitions, name, beside) for name in definitions.names(LAYERS)]
    nesting = [_operation(name, inner, beside, about("operation", name)["description"]) for name, inner in _NESTING.items()]
    alone = [name for name in definitions.names(LAYERS) if not needs_arguments(LAYERS.get(name))]
    own = {
        "description": "A block or network of the document.",
        "type": "object",
        "properties": beside,
        "patternProperties": {OWN_NAME: ANY},
        "additionalProperties": False,
        "not": {"propertyNames": {"enum": list(STEP_KEYS)}},
    }
    one = {"type": "object", "patternProperties": {OWN_NAME: ANY}, "additionalProperties": False}
    definitions.add(
        "own_operation", any_of({"type": "string", "pattern": OWN_NAME}, one | {"minProperties": 1, "maxProperties": 1})
    )
    definitions.add(
        "step",
        any_of(
            # A pattern: as an `enum`, editors would offer the names twice, and complete one as the value of itself.
            {"type": "string", "pattern": f"^({'|'.join(alone)})$"},
            {"type": "string", "pattern": OWN_NAME},
            *operations,
            *nesting,
            _group(beside),
            _share(definitions, beside),
            own,
        ),
    )


def _layer(definitions: Definitions, name: str, beside: dict[str, Schema]) -> Schema:
    arguments = definitions.member(LAYERS, name)
    return _operation(name, arguments, beside, first_line(LAYERS.get(name)))


def _operation(name: str, arguments: Schema, beside: dict[str, Schema], text: str) -> Schema:
    described = arguments | {"description": text} if text else arguments
    return closed({name: described, **beside}, [name], title=name)


_NESTING: dict[str, Schema] = {
    "Residual": closed(
        {"layers": STEPS | about("Residual", "layers"), "shortcut": STEPS | about("Residual", "shortcut")}, ["layers"]
    ),
    "Parallel": closed(
        {
            "branches": any_of(list_of(STEPS, minItems=2), mapping_of(STEPS, minProperties=2)) | about("Parallel", "branches"),
            "merge": any_of(*value(reference("layer"))["anyOf"], {"type": "null"}) | about("Parallel", "merge"),
        },
        ["branches"],
    ),
}


def _group(beside: dict[str, Schema]) -> Schema:
    return closed({"layers": STEPS | about("step", "layers"), **beside}, ["layers"], title="group of steps")


def _share(definitions: Definitions, beside: dict[str, Schema]) -> Schema:
    used = NAME | about("share", "layer")
    layers = [layer for name in LAYERS.names() if issubclass(layer := LAYERS.get(name), Layer)]
    at_call = {name: definitions.argument(layer, name) for layer in layers for name in sorted(layer.call_arguments)}
    used = any_of(used, closed({"layer": used, **at_call}, ["layer"]))
    return closed({"share": used, "name": beside["name"], "from": beside["from"]}, ["share"], title="share")
