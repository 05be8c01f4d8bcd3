"""JSON Schema of the whole document."""

from __future__ import annotations

import json
from typing import Any

from nnspec.data.augmentations import AUGMENTATIONS, CORRUPTIONS, HIDING
from nnspec.data.readers import READERS
from nnspec.data.section import VALIDATIONS
from nnspec.data.transforms import TRANSFORMS
from nnspec.json_schema.forms import ANY, GROUPED, NAME, Schema, any_of, closed, list_of, mapping_of, reference, value
from nnspec.json_schema.members import Definitions, first_line
from nnspec.json_schema.snippets import with_snippets
from nnspec.json_schema.steps import OUTPUTS, STEPS, define_steps
from nnspec.layers import LAYERS
from nnspec.layers.families import CONSTRAINTS, INITIALIZERS, REGULARIZERS
from nnspec.layers.recurrence import RECURRENT
from nnspec.layers.recurrent_cells import CELLS
from nnspec.layers.spectral_normalization import WITH_KERNEL
from nnspec.sections import SECTIONS, section_classes
from nnspec.spec.blocks import BLOCK_NAME
from nnspec.spec.keywords import about
from nnspec.spec.params import KEYS as KEYS_OF_PARAM
from nnspec.spec.params import TYPES
from nnspec.spec.shapes import HIGHEST_RANK, SYMBOL
from nnspec.spec.shapes import NAME as INPUT_NAME
from nnspec.spec.starting import StartingWeights
from nnspec.training.catalogue.losses import LOSSES
from nnspec.training.catalogue.metrics import METRICS
from nnspec.training.catalogue.optimizers import OPTIMIZERS
from nnspec.training.catalogue.schedules import SCHEDULES
from nnspec.training.objectives import OBJECTIVES
from nnspec.types import DTYPES

# Layers come before the families that they wrap: a class is defined under the first family that contains it.
_FAMILIES = (
    LAYERS, RECURRENT, CELLS, WITH_KERNEL, INITIALIZERS, REGULARIZERS, CONSTRAINTS, OPTIMIZERS, SCHEDULES, LOSSES, METRICS,
    READERS, VALIDATIONS, TRANSFORMS, AUGMENTATIONS, CORRUPTIONS, HIDING, OBJECTIVES,
)  # fmt: skip

ID = "urn:nnspec:schema:v1"
"""The name of the schema, by which others can refer to it. It is no address: the file comes with the package."""

_TEXT: Schema = {"type": "string"}
_CHECK: Schema = closed(
    {
        "that": {"type": ["string", "boolean"], **about("check", "that")},
        "message": {"type": ["string", "null"], **about("check", "message")},
    },
    ["that"],
)
_CHECKS: Schema = list_of(_CHECK, **about("document", "check")) | {"type": ["array", "null"]}
_LATER: Schema = {"description": "Not supported in this release."}


def schema(*, plugins: bool = False, snippets: bool = True) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a document.

    It covers all keys, layers and arguments. Names defined in the document, shapes and expressions are left to
    ``validate``.

    Args:
        plugins: Whether to include layers of installed packages.
        snippets: Whether to include what editors insert with a key (`defaultSnippets`), in place of examples.

    Raises:
        PluginError: If a plug-in is broken.

    Example:
        >>> schema()["properties"]["nnspec"]["description"]
        'Version of the language.'
    """
    definitions = Definitions(plugins)
    definitions.add("expression", {"type": "string", "pattern": r"\$"})  # without a description
    # YAML 1.2, which editors follow, reads `20_000` as a string.
    definitions.add("grouped_number", {"type": "string", "pattern": GROUPED})
    definitions.add("weights", definitions.config(StartingWeights))
    for family in _FAMILIES:
        definitions.family(family)
    define_steps(definitions)
    _define_inputs(definitions)
    _define_params(definitions)
    keys = _keys(definitions)
    definitions.complete()
    found = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": ID,
        "title": "nnspec, version 1",
        **closed(keys, ("nnspec", "name")),
        "$defs": definitions.schemas,
    }
    return with_snippets(found) if snippets else found


def as_text(schema: dict[str, Any]) -> str:
    """Return the schema as text, which is deterministic."""
    return json.dumps(schema, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _keys(definitions: Definitions) -> dict[str, Schema]:
    network = {
        "description": _TEXT,
        "weights": reference("weights"),
        "inputs": reference("inputs"),
        "layers": STEPS,
        "outputs": OUTPUTS,
    }
    keys: dict[str, Schema] = {
        "nnspec": {"const": 1},
        "name": {"type": "string", "pattern": "^[a-z][a-z0-9_-]*$"},
        "description": _TEXT,
        "params": _or_nothing(mapping_of(reference("param"))),
        "check": _CHECKS,
        "use": _uses(),
        "weights": reference("weights"),
        "blocks": _or_nothing(mapping_of(_block(), BLOCK_NAME.pattern)),
        "networks": _or_nothing(mapping_of(closed(_described("network", network)), BLOCK_NAME.pattern)),
        "objectives": _or_nothing(mapping_of(_objective(definitions), BLOCK_NAME.pattern)),
        "inputs": reference("inputs"),
        "layers": STEPS,
        "outputs": OUTPUTS,
    }
    return {**_described("document", keys), **{name: _section(definitions, name) for name in SECTIONS}}


def _described(owner: str, keys: dict[str, Schema]) -> dict[str, Schema]:
    return {name: schema | about(owner, name) for name, schema in keys.items()}


def _or_nothing(schema: Schema) -> Schema:
    return {**schema, "type": ["object", "null"]}


def _section(definitions: Definitions, name: str) -> Schema:
    sections = []
    for found in section_classes(name):
        section = definitions.config(found)
        section["properties"] |= dict.fromkeys(getattr(found, "later", {}), _LATER)
        sections.append(section | {"description": first_line(found)})
    about = " ".join(section["description"] for section in sections)
    return any_of(*sections) | {"description": about} if len(sections) > 1 else sections[0]


def _uses() -> Schema:
    keys = _described("use", {"spec": NAME, "outputs": OUTPUTS})
    named = mapping_of(any_of(NAME, closed(keys, ["spec"])), BLOCK_NAME.pattern)
    return any_of(list_of(any_of(NAME, named)), named)


def _block() -> Schema:
    properties = {
        "description": _TEXT,
        "params": mapping_of(reference("param")),
        "check": _CHECKS,
        "inputs": any_of(list_of(NAME, minItems=1, uniqueItems=True), reference("block_inputs")),
        "layers": STEPS,
        "outputs": OUTPUTS,
    }
    return closed(_described("block", properties), ["layers"])


def _objective(definitions: Definitions) -> Schema:
    """A program with params, whose keys may all be given by them."""
    keys = definitions.config(OBJECTIVES.get("program"))["properties"]
    described = {name: {"description": own["description"]} for name, own in keys.items()}
    own = {"description": _TEXT | about("block", "description"), "params": mapping_of(ANY) | about("block", "params")}
    return closed({**own, **described}, ["layers", "minimize"])


def _define_params(definitions: Definitions) -> None:
    """Define ``param``: a declaration, or any value. A mapping of a declaration's keys is a declaration."""
    number = value({"type": "number"})
    kind = definitions.add("param_type", any_of({"enum": list(TYPES)}, list_of(reference("param_type"), minItems=1)))
    properties = {
        "default": ANY,
        "type": kind,
        "at_least": number,
        "at_most": number,
        "multiple_of": value({"type": "number", "exclusiveMinimum": 0}),
        "one_of": value(list_of(ANY, minItems=1)),
        "help": _TEXT,
    }
    is_declaration = {
        "type": "object",
        "propertyNames": {"enum": list(KEYS_OF_PARAM)},
        "anyOf": [{"required": ["default"]}, {"required": ["type"]}],
    }
    definitions.add("param", {"if": is_declaration, "then": closed(_described("param", properties))})


def _define_inputs(definitions: Definitions) -> None:
    symbol = {"type": "string", "pattern": f"^{SYMBOL.pattern}$"}
    size = value(any_of({"type": "integer", "minimum": 1, "maximum": 2**31 - 1}, symbol, {"type": "null"}))
    shape = list_of(size, maxItems=HIGHEST_RANK, **about("input", "shape"))
    dtype = {"enum": sorted(DTYPES), "default": "float32"}
    typed = closed(_described("input", {"shape": shape, "dtype": dtype}), ["shape"])
    declared = mapping_of(any_of(shape, typed, {"type": "null"}), INPUT_NAME.pattern, **about("block", "inputs"))
    definitions.add("block_inputs", {**declared, "minProperties": 1})
    definitions.add("inputs", mapping_of(any_of(shape, typed), INPUT_NAME.pattern, **about("network", "inputs")))
