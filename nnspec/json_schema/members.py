"""Conversion of pydantic's schemas to the notation of documents, and schemas of families."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

from nnspec.json_schema.forms import ANY, EXPRESSION, OWN_NAME, Schema, any_of, closed, either, reference, value
from nnspec.types import Config, Family, Named

_HOLDS_SCHEMAS = ("properties", "patternProperties")
_HOLDS_VALUES = ("items", "additionalProperties")
_HOLDS_LISTS = ("anyOf", "oneOf", "allOf")


def first_line(config: type[Config]) -> str:
    """Return the first line of a class's own docstring; empty if it has none."""
    return (config.__dict__.get("__doc__") or "").strip().partition("\n")[0].replace("``", "`")


def needs_arguments(config: type[Config]) -> bool:
    """Return whether a class has required arguments."""
    return any(field.is_required() for field in config.model_fields.values())


class Definitions:
    """The ``$defs`` of the schema, with each class and family defined once.

    Args:
        plugins: Whether to define family members from other packages, too.
    """

    def __init__(self, plugins: bool = False) -> None:
        self._plugins = plugins
        self.schemas: dict[str, Schema] = {}
        self._classes: dict[type[Config], str] = {}
        self._named: dict[str, Family] = {}

    def add(self, name: str, schema: Schema) -> Schema:
        """Add a definition and return a reference to it."""
        if self.schemas.setdefault(name, schema) != schema:
            raise ValueError(f"duplicate definition {name}")
        return reference(name)

    def family(self, family: Family) -> Schema:
        """Return the schema of a family: a member's name, or a mapping of one name to arguments."""
        members = {name: self.member(family, name) for name in self.names(family)}
        members |= {spelling: members[name] for spelling, name in family.spellings.items()}
        alone = either(name for name in members if not needs_arguments(family.get(name)))
        one = closed(members, minProperties=1, maxProperties=1)
        return self.add(_slug(family.kind), any_of(alone, one))

    def names(self, family: Family) -> list[str]:
        """Return the names of a family's members."""
        return family.names(plugins=self._plugins)

    def member(self, family: Family, name: str) -> Schema:
        """Return the schema of a member's arguments."""
        config = family.get(name)
        if config not in self._classes:
            self._classes[config] = f"{_slug(family.kind)}.{name}"
            arguments = self.config(config)
            nothing = [] if needs_arguments(config) else [{"type": "null"}]
            described = {"description": first_line(config)} if first_line(config) else {}
            self.add(self._classes[config], value(any_of(*arguments.get("anyOf", [arguments]), *nothing)) | described)
        return reference(self._classes[config])

    def complete(self) -> None:
        """Define the families that arguments name and that are not defined yet."""
        while missing := [family for name, family in self._named.items() if name not in self.schemas]:
            self.family(missing[0])

    def argument(self, config: type[Config], name: str) -> Schema:
        """Return the schema of one plain-valued argument of a class."""
        return value(_written(config.model_json_schema()["properties"][name]))

    def config(self, config: type[Config]) -> Schema:
        """Return the schema of a class's arguments and define everything they refer to."""
        found = config.model_json_schema()
        self._named |= {_slug(family.kind): family for family in _families(config)}
        for name, inner in found.pop("$defs", {}).items():
            self.add(name, _written(inner))
        return {key: part for key, part in _written(found).items() if key != "description"}


def _families(config: type[Config]) -> Iterator[Family]:
    """Yield the families that the arguments of a class name, also inside of other classes."""
    rest: list[Any] = [each for field in config.model_fields.values() for each in (field.annotation, *field.metadata)]
    seen: set[type[Config]] = {config}
    while rest:
        each = rest.pop()
        if isinstance(each, Named):
            yield each.family
        elif isinstance(each, type) and issubclass(each, Config) and each not in seen:
            seen.add(each)
            rest += [inner for field in each.model_fields.values() for inner in (field.annotation, *field.metadata)]
        rest += [*get_args(each), *getattr(each, "__metadata__", ())]


def _written(schema: Schema) -> Schema:
    """Rewrite a schema for documents: allow expressions, reference families, allow a bare main argument."""
    out: Schema = {}
    for key, part in schema.items():
        if key in _HOLDS_SCHEMAS:
            out[key] = {name: value(_written(inner)) for name, inner in part.items()}
        elif key in _HOLDS_VALUES and isinstance(part, dict):
            out[key] = value(_written(part))
        elif key == "prefixItems":
            out[key] = [value(_written(inner)) for inner in part]
        elif key in _HOLDS_LISTS:
            out[key] = [_written(inner) for inner in part]
        elif key == "x-family":
            members = reference(_slug(part))
            own = {"type": "string", "pattern": OWN_NAME} if schema.get("x-own") == "bare" else reference("own_operation")
            out |= any_of(members, own) if schema.get("x-own") else members
        elif key == "description":
            out[key] = part.partition("\n")[0].replace("``", "`")
        elif key not in ("title", "x-main", "x-own", "x-operation", "x-names", "propertyNames"):
            out[key] = part
    if "x-operation" in schema:
        return _beside(schema["x-names"], out["properties"], schema["x-operation"])
    return _or_alone(out, schema.get("x-main"))


def _beside(names: list[str], properties: Schema, operation: str) -> Schema:
    """Return the schema of a family member written as its own key with other keys next to it."""
    forms = [form for form in properties.pop(operation)["anyOf"] if form != EXPRESSION]
    family = forms[0]["$ref"]
    members = {name: {"$ref": f"{family}/anyOf/1/properties/{name}"} for name in names}
    if reference("own_operation") in forms:
        size = len(properties) + 1
        forms.append(closed(properties, properties, patternProperties={OWN_NAME: ANY}, minProperties=size, maxProperties=size))
    return any_of(*forms, closed({**members, **properties}, minProperties=1))


def _or_alone(schema: Schema, main: Any) -> Schema:
    """Extend the schema of arguments to also allow the bare main argument."""
    if main is None:
        return schema
    alone = {key: part for key, part in schema["properties"][main].items() if key not in ("default", "description", "examples")}
    described = {"description": schema.pop("description")} if "description" in schema else {}
    return any_of(schema, *alone.get("anyOf", [alone])) | described


def _slug(kind: str) -> str:
    return kind.replace(" ", "_").replace("-", "_")
