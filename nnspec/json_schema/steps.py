"""Steps: an operation by name, or a closed mapping with one operation and what may stand beside it."""

from __future__ import annotations

from nnspec.json_schema.forms import ANY, NAME, OWN_NAME, Schema, any_of, closed, either, list_of, mapping_of, reference, value
from nnspec.json_schema.members import Definitions, first_line, needs_arguments
from nnspec.layers import LAYERS
from nnspec.layers.base import Layer
from nnspec.spec.draft import STEP_KEYS

__all__ = ["OUTPUTS", "STEPS", "define_steps"]

STEPS = list_of(reference("step"))
OUTPUTS: Schema = any_of(NAME, list_of(NAME, minItems=1), mapping_of(NAME, minProperties=1)) | {
    "description": "The steps whose outputs are given: a list, or a mapping that renames them; the last step by default."
}

_BESIDE: dict[str, Schema] = {
    "name": value(NAME) | {"description": "What the step is called; its weights begin with it."},
    "from": any_of(NAME, list_of(NAME, minItems=1), mapping_of(NAME, minProperties=1))
    | {"description": "What it reads: a name, a list of names, or a name for each of its inputs; the step before by default."},
    "repeat": value({"type": "integer", "minimum": 0, "description": "How often it is run, one after the other."}),
    "as": NAME | {"description": "What the counter of `repeat` is called; it begins at 0."},
    "freeze": value({"type": "boolean", "description": "Whether its weights stay as they are in training."}),
}


def define_steps(definitions: Definitions) -> None:
    """Defines ``step``, which steps within steps refer to."""
    weights = reference("weights") | {"description": "Where its first weights come from."}
    beside = {key: definitions.add(f"step.{key}", schema) for key, schema in {**_BESIDE, "weights": weights}.items()}
    operations = [_layer(definitions, name, beside) for name in definitions.names(LAYERS)]
    nesting = [_operation(name, inner, beside, text) for name, (inner, text) in _NESTING.items()]
    alone = [name for name in definitions.names(LAYERS) if not needs_arguments(LAYERS.get(name))]
    own = {
        "description": "A block or a network of the document.",
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
            either(alone),
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


_NESTING: dict[str, tuple[Schema, str]] = {
    "Residual": (
        closed({"layers": STEPS, "shortcut": STEPS}, ["layers"]),
        "Its layers' output plus its input, or plus the shortcut's output (He et al. 2015).",
    ),
    "Parallel": (
        closed(
            {
                "branches": any_of(list_of(STEPS, minItems=2), mapping_of(STEPS, minProperties=2)),
                "merge": any_of(*value(reference("layer"))["anyOf"], {"type": "null"})
                | {"description": "What joins the branches; `Concatenate` by default, null: each branch is an output."},
            },
            ["branches"],
        ),
        "Branches side by side on one input, then their merge (Szegedy et al. 2014).",
    ),
}


def _group(beside: dict[str, Schema]) -> Schema:
    return closed(
        {"layers": STEPS | {"description": "Steps in a group of their own."}, **beside}, ["layers"], title="group of steps"
    )


def _share(definitions: Definitions, beside: dict[str, Schema]) -> Schema:
    used = NAME | {"description": "The step whose layer, with its weights, is used again."}
    layers = [layer for name in LAYERS.names() if issubclass(layer := LAYERS.get(name), Layer)]
    at_call = {name: definitions.argument(layer, name) for layer in layers for name in sorted(layer.call_arguments)}
    used = any_of(used, closed({"layer": used, **at_call}, ["layer"]))
    return closed({"share": used, "name": beside["name"], "from": beside["from"]}, ["share"], title="share")
