"""The keys of the language: those of a document, its steps and definitions, and its sections."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, get_args, get_origin

from nnspec.layers import LAYERS
from nnspec.layers.base import Layer
from nnspec.reference.arguments import default_text, documentation, example_text, type_texts
from nnspec.reference.markdown import table
from nnspec.sections import SECTIONS, section_classes
from nnspec.spec.dumping import flow
from nnspec.spec.keywords import KEYWORDS
from nnspec.spec.starting import StartingWeights
from nnspec.types import Config

__all__ = ["Key", "all_keys", "find_keys", "key_table", "key_text", "nested_keys", "section_keys"]

NAME, ITEM = "NAME", "[]"
"""Parts of a path: any name, and the items of a list."""

_PLACES = {
    "document": ("", "a keyword of the language, of a document"),
    "step": ("", "a keyword of the language, of a step"),
    "operation": ("", "a keyword of the language, of a step, in place of a layer"),
    "share": ("share.", "a keyword of the language, of `share`"),
    "Residual": ("Residual.", "a keyword of the language, of `Residual`"),
    "Parallel": ("Parallel.", "a keyword of the language, of `Parallel`"),
    "block": ("blocks.NAME.", "a keyword of the language, of a block"),
    "network": ("networks.NAME.", "a keyword of the language, of a network"),
    "param": ("params.NAME.", "a keyword of the language, of a param"),
    "check": ("check[].", "a keyword of the language, of a check"),
    "use": ("use.NAME.", "a keyword of the language, of `use`"),
    "input": ("inputs.NAME.", "a keyword of the language, of an input"),
}
"""The path of each group of keywords, and where they are written."""


@dataclass(frozen=True)
class Key:
    """A key of the language.

    Attributes:
        path: Its path, such as `train.early_stopping.patience`.
        owner: The class, or the group of keywords, that has it.
        place: What it is a key of; empty for a path in a document.
        type: The accepted values.
        default: The value if it is not given.
        about: What it means.
        example: An example.
        details: More, as Markdown.
    """

    path: str
    owner: str
    place: str
    type: str
    default: str
    about: str
    example: str
    details: str = ""

    @property
    def name(self) -> str:
        return self.path.rpartition(".")[2]

    def reaches(self, path: str) -> bool:
        """Whether a path in a document, or in what is written in it such as `Residual.layers`, is that of the key."""
        return _fits(_parts(self.path), _parts(path))


@cache
def all_keys() -> tuple[Key, ...]:
    """Every key of the language except the arguments of layers, losses, readers and the like."""
    keywords = [key for owner in _PLACES for key in keyword_keys(owner)]
    weights = class_keys(StartingWeights, "weights.", place="a keyword of the language, of `weights`")
    return (*keywords, *weights, *(key for name in SECTIONS for key in section_keys(name)))


def keyword_keys(owner: str) -> list[Key]:
    """The keys of a group of keywords, such as ``step``."""
    path, place = _PLACES[owner]
    keys = [
        Key(f"{path}{name}", owner, place, word.type, word.default, word.about, word.example, word.details)
        for name, word in KEYWORDS[owner].items()
    ]
    return [*keys, *_call_arguments(path, place)] if owner == "share" else keys


def _call_arguments(path: str, place: str) -> Iterator[Key]:
    """The call arguments of layers, which a shared layer takes anew."""
    layers = [kind for name in LAYERS.names() if issubclass(kind := LAYERS.get(name), Layer) and kind.call_arguments]
    arguments = {name: kind for kind in layers for name in sorted(kind.call_arguments)}
    for name, kind in sorted(arguments.items()):
        about, example = kind.model_fields[name].description or "", example_text(kind, name)
        yield Key(f"{path}{name}", "share", place, type_texts(kind)[name], default_text(kind, name), about, example)


@cache
def section_keys(name: str) -> list[Key]:
    """The section of a document, and its keys."""
    keys = []
    for config in section_classes(name):
        about, _, details = documentation(config).partition("\n\n")
        text = f"{name}: {flow(_stated_example(config))}"
        keys += [Key(name, "document", "a keyword of the language, of a document", "a mapping", "none", about, text, details)]
        keys += class_keys(config, f"{name}.")
    return keys


def _stated_example(config: type[Config]) -> Any:
    extra: Any = config.model_config.get("json_schema_extra")
    return extra["examples"][0]


def class_keys(config: type[Config], prefix: str, *, place: str = "") -> list[Key]:
    """The keys of a class, then those of the classes in its values, each class once."""
    return list(_walk(config, prefix, place, {config}))


def nested_keys(config: type[Config], prefix: str = "") -> list[Key]:
    """The keys of the classes in the values of a class."""
    return [key for key in class_keys(config, prefix) if key.owner != config.__name__]


def _walk(config: type[Config], prefix: str, place: str, seen: set[type[Config]]) -> Iterator[Key]:
    types = type_texts(config)
    for name, field in config.model_fields.items():
        if name in types and name != config.operation:
            about, default, example = field.description or "", default_text(config, name), example_text(config, name)
            details = "\n\n".join(documentation(inner).partition("\n\n")[2] for inner, _ in _classes(field.annotation)).strip()
            yield Key(f"{prefix}{name}", config.__name__, place, types[name], default, about, example, details)
    for name, field in config.model_fields.items():
        for inner, way in _classes(field.annotation):
            if inner not in seen:
                seen.add(inner)
                yield from _walk(inner, f"{prefix}{name}{way}.", place, seen)


def _classes(annotation: Any, way: str = "") -> Iterator[tuple[type[Config], str]]:
    """The classes that are written inside a value, each with the rest of its path; not members of families."""
    if isinstance(annotation, type) and issubclass(annotation, Config):
        if annotation is not Config:
            yield annotation, way
        return
    origin, inner = get_origin(annotation), get_args(annotation)
    way = f"{way}{ITEM}" if origin is list else f"{way}.{NAME}" if origin is dict else way
    for each in inner:
        yield from _classes(each, way)


def find_keys(path: str) -> list[Key]:
    """The keys that a path means: the key itself, else those whose paths end with it.

    Example:
        >>> [key.path for key in find_keys("train.batch_size")]
        ['train.batch_size']
        >>> [key.path for key in find_keys("data.inputs.image.column")]
        ['data.inputs.NAME.column']
    """
    wanted = _parts(path)
    if wanted and wanted[0] in SECTIONS:
        keys = section_keys(wanted[0])
    elif path[:1].isupper() and wanted[0] not in KEYWORDS["operation"]:
        return []  # a layer, a loss or the like
    else:
        keys = list(all_keys())
    whole = [key for key in keys if _fits(_parts(key.path), wanted)]
    return whole or [key for key in keys if _fits(_parts(key.path)[-len(wanted) :], wanted)]


def _parts(path: str) -> list[str]:
    return [part.partition("[")[0] for part in path.split(".") if part]


def _fits(parts: list[str], wanted: list[str]) -> bool:
    if len(parts) == len(wanted):
        return all(part in (given, NAME) for part, given in zip(parts, wanted, strict=True))
    short = [part for part in parts if part != NAME]
    return len(short) < len(parts) and short == wanted


def key_text(key: Key) -> str:
    """Render a key: what it means, its type, default and example, and more."""
    lines = [f"- type: {key.type}", f"- default: {key.default}"]
    lines += [f"- example: `{key.example}`"] if key.example else []
    where = f"*{key.place[0].upper()}{key.place[1:]}.* " if key.place else ""
    head = key.path.partition(".")[0]
    near = section_keys(head) if head in SECTIONS else all_keys()
    inner = [other for other in near if other.path.startswith((f"{key.path}.", f"{key.path}["))]
    parts = [f"## {key.path}", f"{where}{key.about}", "\n".join(lines), key.details]
    parts += [key_table(inner)] if inner else []
    return "\n\n".join(filter(None, parts)) + "\n"


def key_table(keys: list[Key]) -> str:
    """Render keys as a table."""
    rows = []
    for key in keys:
        example = f" For example `{key.example}`." if key.example else ""
        rows.append([f"`{key.path}`", key.type, key.default, f"{key.about}{example}"])
    return table(["key", "type", "default", "description"], rows)
