"""Configs and families of configs: layers, initializers, optimizers, losses, readers …

Each config is a pydantic class that is looked up by name in its [`Family`][]. Its module is imported on first use, so that a
spec only loads what it needs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, Literal, cast

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import core_schema

from nnspec.types.spelling import Misspelled, did_you_mean

if TYPE_CHECKING:
    from nnspec.types.plugins import Plugins


class Config(BaseModel):
    """Base class of configs: validated arguments. Unknown arguments are errors, and types are not coerced."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True, strict=False, protected_namespaces=())

    main_argument: ClassVar[str | None] = None
    """The argument that a bare value sets, as in ``{csv: data/train.csv}``, if there is one."""

    operation: ClassVar[str | None] = None
    """The field that contains a member of a family, written with its name as a key: ``{RandomFlip: {…}, on: [image]}``."""

    mapping: ClassVar[str | None] = None
    """The only field, whose entries are written as the arguments: ``{together: {a: …, b: …}}`` sets `readers`."""

    synonyms: ClassVar[Mapping[str, str]] = {}
    """Other names of arguments that a spec may use, each with the argument."""

    unsupported: ClassVar[Mapping[str, str]] = {}
    """Unsupported Keras arguments, each with the reason and what to write instead."""

    wrong_arguments: ClassVar[frozenset[str]] = frozenset()
    """The invalid arguments of a partially valid config; they have their default values."""

    @classmethod
    def foreign(cls) -> Mapping[str, str]:
        """Return other frameworks' argument names, each with what to write instead."""
        return {}

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Shorten the annotations of class variables, which pydantic evaluates again for every subclass."""
        del kwargs
        if "__annotations__" in vars(cls):
            cls.__annotations__.update(dict.fromkeys(cls.__annotations__.keys() & cls.__class_vars__, ClassVar))

    @classmethod
    def __get_pydantic_json_schema__(cls, core: core_schema.CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        found = handler.resolve_ref_schema(handler(core))
        properties = found.get("properties", {})
        properties.update({synonym: properties[argument] for synonym, argument in cls.synonyms.items()})
        if cls.main_argument is not None:
            found["x-main"] = cls.main_argument
        if cls.mapping is not None:
            return {"description": found.get("description", ""), **properties[cls.mapping]}
        if cls.operation is not None:
            found["x-operation"] = cls.operation
            found["x-names"] = next(m for m in cls.model_fields[cls.operation].metadata if isinstance(m, Named)).family.names()
        return found


Config.__pydantic_init_subclass__()  # pydantic calls it for subclasses only


@dataclass(frozen=True, eq=False)
class Family:
    """A registry of configs of one kind.

    Attributes:
        kind: The kind of its members, for messages: ``layer``, ``optimizer``.
        modules: The module of each member, by name.
        aliases: Names from other frameworks, each with the member's name.
        inexact: Aliases that are not the same as their member: it has other defaults, or another member may be meant.
        spellings: Accepted alternative spellings, as in Keras (``glorot_uniform``).
        unsupported: Unsupported Keras names, each with the reason and what to write instead.
        replacements: Common names that are not members, in lower case without underscores, each with what to write instead.
        plugins: Members from other packages; they cannot replace built-in names.
    """

    kind: str
    modules: Mapping[str, str]
    aliases: Mapping[str, str] = field(default_factory=dict)
    inexact: frozenset[str] = frozenset()
    spellings: Mapping[str, str] = field(default_factory=dict)
    unsupported: Mapping[str, str] = field(default_factory=dict)
    replacements: Mapping[str, str] = field(default_factory=dict)
    plugins: Plugins | None = None

    def __contains__(self, name: object) -> bool:
        return name in self.modules or name in self.spellings or self.is_plugin(name)

    def is_plugin(self, name: object) -> bool:
        """Whether a name belongs to a plug-in."""
        if self.plugins is None or not isinstance(name, str) or name in self.modules or name in self.spellings:
            return False
        return (name[:1].isupper() or not self.plugins.capitalized) and name in self.plugins.found

    def get(self, name: str) -> type[Config]:
        """Return the class of a member.

        Raises:
            PluginError: If it belongs to a plug-in that is broken.
        """
        name = self.spellings.get(name, name)
        if name not in self.modules and self.plugins is not None:
            return self.plugins.get(name)
        return _class(self.modules[name], name)

    def names(self, *, plugins: bool = False) -> list[str]:
        """Return the built-in names, optionally with those of plug-ins."""
        others = self.plugins.found if plugins and self.plugins is not None else ()
        return sorted({*self.modules, *others})


@cache
def _class(module: str, name: str) -> type[Config]:
    return cast("type[Config]", getattr(import_module(module), name))


_MOST_LISTED = 20


def listed(names: Iterable[object]) -> str:
    """Return names as text for a message; long lists are abbreviated.

    Example:
        >>> listed(["x", "y"]), listed(range(100))[-22:]
        ('`x`, `y`', '`18`, `19` and 80 more')
    """
    names = list(names)
    shown = ", ".join(f"`{name}`" for name in names[:_MOST_LISTED])
    return f"{shown} and {len(names) - _MOST_LISTED:,} more" if len(names) > _MOST_LISTED else shown


@dataclass(frozen=True)
class Named:
    """Annotation of a field that contains a member of a family, written as its name or as ``{Name: {arguments}}``.

    ``spec.checked`` resolves such fields from the document's tree, so that errors point at their line; this class resolves them
    for Python callers.

    Attributes:
        family: The family.
        own: Whether it may also name a block or network defined in the document; ``bare`` if only by its name, where a key
            may mean something else.
    """

    family: Family
    own: bool | Literal["bare"] = False

    def resolve(self, value: object) -> Config:
        if isinstance(value, Config):
            return value
        if isinstance(value, list):
            raise ValueError(f"a list is not a {self.family.kind}; write one name, alone or with its arguments")
        name: Any = value
        arguments: Any = None
        if isinstance(value, Mapping) and len(value) == 1:
            [(name, arguments)] = value.items()
        if not isinstance(name, str) or name not in self.family:
            help = did_you_mean(str(name), self.family.names(plugins=True))
            raise Misspelled(f"unknown {self.family.kind} `{name}`", help)
        config = self.family.get(name)
        if config.mapping is not None and isinstance(arguments, Mapping):
            return config(**{config.mapping: arguments})
        if arguments is not None and not isinstance(arguments, Mapping):
            if config.main_argument is None:
                raise ValueError(f"`{name}` takes a mapping of arguments")
            arguments = {config.main_argument: arguments}
        return config(**(arguments or {}))

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        del source, handler
        return core_schema.no_info_plain_validator_function(self.resolve)

    def __get_pydantic_json_schema__(self, core: core_schema.CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        del core, handler
        return {"x-family": self.family.kind} | (
            {"x-own": self.own} if self.own else {}
        )  # the document's schema defines each family once
