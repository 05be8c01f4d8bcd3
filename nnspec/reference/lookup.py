"""Search in the reference: everything that a name means, and what a misspelled one may mean."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from nnspec.functions.catalogue import FUNCTIONS, INSTEAD
from nnspec.layers import LAYERS
from nnspec.reference.arguments import default_text, example_text, type_texts
from nnspec.reference.functions import function_text
from nnspec.reference.keys import Key, all_keys, find_keys, key_text
from nnspec.reference.layer import layer_text
from nnspec.reference.members import GROUPS, member_text
from nnspec.reference.objectives import shipped, shipped_reference
from nnspec.spec.checked import replacement_word
from nnspec.types import Config, Family, closest

__all__ = ["entries", "key_at", "suggestion"]

_MOST = 3
_MOST_OWNERS = 12


def entries(name: str) -> list[str]:
    """Every entry of the reference with a name, as Markdown; empty if there is none.

    Args:
        name: A layer, function, loss, reader or the like, a key, a path such as `train.batch_size`, or `NAME.ARGUMENT`.

    Raises:
        PluginError: If it belongs to a plug-in that is broken.

    Example:
        >>> [text.splitlines()[0] for text in entries("repeat")]
        ['## repeat', '## repeat']
    """
    found = [layer_text(name)] if name in LAYERS else []
    found += [key_text(key) for key in find_keys(name)]
    found += [function_text(name)] if name in FUNCTIONS else []
    found += [
        member_text(group, group.family.spellings.get(name, name)) for group in GROUPS if _has(group.family, group.but, name)
    ]
    found += [shipped_reference(name)] if name in shipped() else []
    return found or [key_text(key) for key in _arguments(name)] or _owners(name) or _on_the_way(name)


def key_at(parts: Sequence[str], *, of_step: bool = False) -> Key | None:
    """The key at a path of names in a document or a step; None if no key of the language is there.

    Args:
        parts: The keys from the document or the step inward, without the indices of lists.
        of_step: Whether it is a key of a step.

    Example:
        >>> key_at(["train", "batch_size"]).default, key_at(["Conv2D", "filters"]).type, key_at(["from"], of_step=True).place
        ('`32`', 'an integer > 0', 'a keyword of the language, of a step')
    """
    path = ".".join(parts)
    found = list(_arguments(".".join(parts[-2:])))
    found += [key for key in find_keys(path) if of_step == (key.owner == "step") and key.reaches(path)]
    return found[0] if found else None


def _on_the_way(path: str) -> list[str]:
    """The entries of the end of a path in a document, or else of what contains a name of the document.

    Example:
        >>> [text.splitlines()[0] for path in ("layers[3].Conv2D.filters", "params.width") for text in _on_the_way(path)]
        ['## Conv2D.filters', '## params']
    """
    parts = path.split(".")
    found = [key_text(key) for key in _arguments(".".join(parts[-2:]))]
    if found or len(parts) < 2:
        return found
    return [key_text(key) for key in find_keys(".".join(parts[:-1])) if "a mapping of names" in key.type]


def _has(family: Family, but: Family | None, name: str) -> bool:
    return name in family and (but is None or name not in but)


def _arguments(path: str) -> Iterator[Key]:
    """The argument that `Adam.learning_rate` names, of each family that has one."""
    name, _, argument = path.rpartition(".")
    for family in (LAYERS, *(group.family for group in GROUPS if _has(group.family, group.but, name))):
        if name in family:
            config = family.get(name)
            if argument in type_texts(config):
                yield _argument(config, path, argument, f"an argument of the {family.kind} `{name}`")


def _argument(config: type[Config], path: str, name: str, place: str) -> Key:
    field, types = config.model_fields[name], type_texts(config)
    about, example = field.description or "", example_text(config, name)
    return Key(path, config.__name__, place, types[name], default_text(config, name), about, example)


def _owners(argument: str) -> list[str]:
    """The entry of a name that is only an argument: what has it."""
    families = {family.kind: family for family in (LAYERS, *(group.family for group in GROUPS))}
    owners = {
        f"{member}.{argument}": None
        for family in families.values()
        for member in family.names()
        if argument in family.get(member).model_fields
    }
    if not owners:
        return []
    shown = ", ".join(f"`{owner}`" for owner in list(owners)[:_MOST_OWNERS])
    more = f" and {len(owners) - _MOST_OWNERS} more" if len(owners) > _MOST_OWNERS else ""
    return [f"## {argument}\n\nAn argument: {shown}{more}.\n"]


def suggestion(name: str) -> str:
    """What to write in place of a name that the reference does not have.

    Example:
        >>> suggestion("train.batchsize"), suggestion("Adan"), suggestion("MaxPool2D")
        ('did you mean `train.batch_size`?', 'did you mean `Adam`?', 'use `MaxPooling2D`')
    """
    for family in (LAYERS, *(group.family for group in GROUPS)):
        instead = family.unsupported.get(name) or replacement_word(family, name) or family.aliases.get(name)
        if instead:
            return f"use `{instead}`" if instead in family else instead
    if name in INSTEAD:
        return f"in an expression, write {INSTEAD[name]}"
    near = _near(name)
    if not near:
        return "`nnspec docs` lists what there is"
    *others, last = (f"`{each}`" for each in near)
    return f"did you mean {', '.join(others)} or {last}?" if others else f"did you mean {last}?"


def _near(name: str) -> list[str]:
    """The most similar names, best first."""
    if "." in name:
        lists = [[key.path for key in all_keys() if key.path.partition(".")[0] == name.partition(".")[0]]]
    else:
        members = {each for group in GROUPS for each in group.names()} | shipped().keys()
        lists = [LAYERS.names(plugins=True), list(FUNCTIONS), sorted(members), sorted({key.name for key in all_keys()})]
    found = {near for names in lists if (near := closest(name, names)) is not None}
    ratios = {near: SequenceMatcher(None, name, near).ratio() for near in found}
    best = sorted(found, key=lambda near: (-ratios[near], near))
    return [near for near in best if ratios[near] >= ratios[best[0]] - 0.1][:_MOST]
