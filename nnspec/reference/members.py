"""The reference of what a spec names besides layers: readers, transforms, losses, metrics, optimizers, initializers, …"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from nnspec.data.augmentations import AUGMENTATIONS, HIDING
from nnspec.data.readers import READERS
from nnspec.data.section import VALIDATIONS
from nnspec.data.transforms import TRANSFORMS
from nnspec.layers import LAYERS
from nnspec.layers.families import CONSTRAINTS, INITIALIZERS, REGULARIZERS
from nnspec.layers.unsupported import EVERYWHERE
from nnspec.reference.arguments import default_text, documentation, example_value, type_texts
from nnspec.reference.keys import key_table, nested_keys
from nnspec.reference.markdown import table
from nnspec.reference.objectives import DRAWS
from nnspec.spec.dumping import flow
from nnspec.training.catalogue.losses import LOSSES
from nnspec.training.catalogue.metrics import METRICS
from nnspec.training.catalogue.optimizers import OPTIMIZERS
from nnspec.training.catalogue.schedules import SCHEDULES
from nnspec.training.objectives import OBJECTIVES
from nnspec.types import Config, Family, PluginError

__all__ = ["GROUPS", "Group", "group_of", "member_example", "member_text"]


@dataclass(frozen=True)
class Group:
    """A family, as the reference lists it.

    Attributes:
        family: The family.
        page: The page, relative to ``docs/reference``.
        title: The heading, in the plural.
        about: Where its members are written.
        but: A family whose members are described elsewhere.
    """

    family: Family
    page: str
    title: str
    about: str
    but: Family | None = None

    def names(self, *, plugins: bool = False) -> list[str]:
        """The members that are described here."""
        names = self.family.names(plugins=plugins)
        return [name for name in names if self.but is None or name not in self.but]

    @property
    def elsewhere(self) -> list[str]:
        """The members that are described elsewhere."""
        return [name for name in self.family.names() if self.but is not None and name in self.but]


GROUPS: tuple[Group, ...] = (
    Group(READERS, "data.md", "Readers", "Under `data.train`, `data.validation` and `data.test`: `{csv: data/train.csv}`."),
    Group(VALIDATIONS, "data.md", "Folds", "Under `data.validation` and `data.test`, in place of a reader.", READERS),
    Group(TRANSFORMS, "data.md", "Transforms", "Under `data.inputs.NAME.transform` and `data.targets.NAME.transform`."),
    Group(
        AUGMENTATIONS,
        "data.md",
        "Augmentations",
        "Under `data.augment`. Besides the random image layers, these mix examples of a batch.",
        LAYERS,
    ),
    Group(
        HIDING,
        "data.md",
        "Corruptions",
        "Under `corrupt` of an objective. Besides random layers, this hides tokens.",
        LAYERS,
    ),
    Group(
        LOSSES,
        "losses.md",
        "Losses",
        "Under `train.loss`. A block with the inputs `target` and `output` is a loss of your own.",
    ),
    Group(
        METRICS,
        "metrics.md",
        "Metrics",
        "Under `train.metrics`. A block with the inputs `target` and `output` is a metric of your own.",
    ),
    Group(OPTIMIZERS, "optimizers.md", "Optimizers", "Under `train.optimizer`."),
    Group(
        SCHEDULES, "optimizers.md", "Learning-rate schedules", "As `learning_rate` of an optimizer, and as a weight of a loss."
    ),
    Group(INITIALIZERS, "weights.md", "Initializers", "As `kernel_initializer`, `bias_initializer` and the like of layers."),
    Group(
        REGULARIZERS, "weights.md", "Regularizers", "As `kernel_regularizer`, `activity_regularizer` and the like of layers."
    ),
    Group(CONSTRAINTS, "weights.md", "Constraints", "As `kernel_constraint`, `bias_constraint` and the like of layers."),
    Group(OBJECTIVES, "objectives.md", "Objectives", "Under `train.objective`."),
    Group(DRAWS, "objectives.md", "Draws", "Random values of a [program](../programs.md) and of `generate`."),
)
"""All families, in the order of the reference."""


def group_of(family: Family) -> Group:
    """The group of a family."""
    return next(group for group in GROUPS if group.family is family)


def member_text(group: Group, name: str) -> str:
    """Render the reference of a member: description, arguments, an example.

    Args:
        group: The group of its family.
        name: Its name.

    Raises:
        PluginError: If it belongs to a plug-in that is broken.

    Example:
        >>> print("\\n".join(member_text(group_of(INITIALIZERS), "Constant").splitlines()[:5]))
        ## Constant
        <BLANKLINE>
        *Initializer.* A constant value.
        <BLANKLINE>
        | argument | type | default | description |
    """
    kind = group.family.get(name)
    label = group.family.kind.capitalize()
    parts = [f"## {name}", f"*{label}.* {documentation(kind)}".rstrip(), *_arguments(kind, name), *_nested(kind)]
    example = member_example(group, name)
    parts.append(f"For example `{flow(example)}`.")
    parts += [*_synonyms(group.family, kind, name)]
    return "\n\n".join(parts) + "\n"


def _arguments(kind: type[Config], name: str) -> Iterator[str]:
    types = type_texts(kind)
    if kind.mapping is not None:
        yield f"Its value is a mapping: {kind.model_fields[kind.mapping].description}"
    elif types:
        fields = sorted(kind.model_fields.items(), key=lambda item: not item[1].is_required())
        rows = [[f"`{each}`", types[each], default_text(kind, each), field.description or ""] for each, field in fields]
        rows += [[f"`{other}`", types[each], "", f"Another name of `{each}`."] for other, each in kind.synonyms.items()]
        yield table(["argument", "type", "default", "description"], rows)
    if kind.main_argument is not None and kind.mapping is None:
        yield f"`{name}: …` is short for `{name}: {{{kind.main_argument}: …}}`."


def _nested(kind: type[Config]) -> Iterator[str]:
    named = {READERS.get(name) for name in READERS.names()} if kind.__module__.startswith("nnspec.data.readers") else set()
    keys = [key for key in nested_keys(kind) if key.owner not in {each.__name__ for each in named}]
    if keys:
        yield key_table(keys)


def _synonyms(family: Family, kind: type[Config], name: str) -> Iterator[str]:
    reasons = {argument: reason for argument, reason in kind.unsupported.items() if EVERYWHERE.get(argument) != reason}
    if reasons:
        listed = "\n".join(f"- `{argument}`: {reason}" for argument, reason in reasons.items())
        yield f"Arguments that are not supported:\n\n{listed}"
    spellings = [spelling for spelling, member in family.spellings.items() if member == name]
    if spellings:
        yield f"Also written {', '.join(f'`{spelling}`' for spelling in sorted(spellings))}."
    aliases = [alias for alias, member in family.aliases.items() if member == name]
    if aliases:
        yield f"Known elsewhere as {', '.join(f'`{alias}`' for alias in sorted(aliases))}."


def member_example(group: Group, name: str) -> Any:
    """An example of a member as written in a spec: with its required arguments, or with its first one."""
    kind = group.family.get(name)
    extra = kind.model_config.get("json_schema_extra")
    if isinstance(extra, dict) and "examples" in extra:
        return {name: cast("list[Any]", extra["examples"])[0]}
    required = [argument for argument, field in kind.model_fields.items() if field.is_required()]
    shown = required or [kind.main_argument or next(iter(kind.model_fields), "")]
    if shown == [""]:
        return name
    values = {argument: example_value(kind, argument) for argument in shown}
    if any(value is None for value in values.values()):
        return name
    if list(values) == [kind.main_argument]:
        return {name: values[shown[0]]}
    return {name: values} if values else name


def first_sentence(group: Group, name: str) -> str:
    """What a member is, on one line; the error of a broken plug-in."""
    try:
        return documentation(group.family.get(name)).partition("\n")[0]
    except PluginError as error:
        return str(error)
