"""How a model's data were read in training, so that those it is given later are read alike.

A reader's arguments change values: how pictures are resized, what stands for a missing value. They are in the recipe under
``reader``, ``{"images": {"interpolation": "nearest", …}}``, and `nnspec predict` and the server both take them from there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from nnspec.data.kinds import Column
from nnspec.data.readers.base import Reader, Table
from nnspec.diagnostics import NnspecError

__all__ = ["IMAGE_ARGUMENTS", "damaged_reader", "image_arguments", "with_training_arguments", "training_arguments"]

IMAGE_ARGUMENTS = ("color_mode", "image_size", "interpolation")
"""The arguments that change what a picture becomes."""

COLOR_MODES = {1: "grayscale", 3: "rgb", 4: "rgba"}


def training_arguments(reader: Reader, table: Table) -> dict[str, Any]:
    """What a recipe says of the reader of the training data: by its name, the arguments that change values.

    Args:
        reader: The reader.
        table: What it read. A colour mode that goes without saying is that of its pictures.
    """
    told = reader.value_arguments()
    image = table.columns.get("image")
    if "color_mode" in told and told["color_mode"] is None and image is not None and len(image.shape) == 3:
        told["color_mode"] = COLOR_MODES.get(image.shape[2] or 0)
    return {reader.spec_name: told} if told else {}


def with_training_arguments(reader: Reader, recipe: Mapping[str, Any], shapes: Mapping[str, Column]) -> Reader:
    """A reader of new data with the arguments of training, where it is told no others.

    Args:
        reader: As it was asked for.
        recipe: What the model says of its inputs.
        shapes: What the model takes of each column.
    """
    fields = type(reader).model_fields
    own = {name: getattr(reader, name) for name in reader.model_fields_set}
    given = {name: value for name, value in _told(recipe, reader.spec_name).items() if name in fields and name not in IMAGE_ARGUMENTS}
    if "interpolation" in fields:
        given |= image_arguments(recipe, shapes.get("image"))
    tables = {name: with_training_arguments(value, recipe, shapes) for name, value in own.items() if isinstance(value, Reader)}
    try:
        return type(reader).model_validate(given | own | tables)
    except ValidationError:
        raise damaged_reader() from None


def damaged_reader() -> NnspecError:
    """What the model says of its data's reader is not what nnspec writes there."""
    return NnspecError("what the model says of the reader of its data is damaged; export it again")


def image_arguments(recipe: Mapping[str, Any], wanted: Column | None) -> dict[str, Any]:
    """How a picture is made into what a model takes: `color_mode`, `image_size` and `interpolation`.

    Args:
        recipe: What the model says of its inputs.
        wanted: What it takes of the picture, before the transforms; None where that is not known.

    Returns:
        The arguments, a size only where pictures are to be brought to one.
    """
    told = next((part for part in _parts(recipe) if "interpolation" in part), {})
    found = {"color_mode": told.get("color_mode"), "interpolation": told.get("interpolation", "bilinear")}
    size = told.get("image_size")
    fixed = wanted is not None and len(wanted.shape) >= 2 and None not in wanted.shape[:2]
    if found["color_mode"] is None and wanted is not None:
        channels = wanted.shape[2] if len(wanted.shape) == 3 else 1
        found["color_mode"] = COLOR_MODES.get(channels or 0)
    # A model of free sizes answers pictures as large as they are.
    resized = _is_resized(recipe)
    if not fixed and not resized:
        size = None
    elif size is None and fixed and not resized:
        assert wanted is not None
        size = list(wanted.shape[:2])
    return found | {"image_size": size}


def _is_resized(recipe: Mapping[str, Any]) -> bool:
    return any(
        step.get("transform") == "resize" for said in recipe.get("inputs", {}).values() for step in said.get("transforms", [])
    )


def _told(recipe: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return next((part for kind, part in _named_parts(recipe.get("reader", {})) if kind == name), {})


def _parts(recipe: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [part for _, part in _named_parts(recipe.get("reader", {}))]


def _named_parts(told: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """What is said of a reader, and of those it reads with."""
    found = []
    for name, part in told.items():
        if isinstance(part, Mapping):
            found += [(name, part), *_named_parts(part)]
    return found
