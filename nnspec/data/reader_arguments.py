"""The reader arguments used in training, for reading new data the same way.

Some arguments of a reader change values, such as the interpolation of images or the markers of missing values. They are
saved in the recipe under ``reader``, ``{"images": {"interpolation": "nearest", …}}``, and used by `nnspec predict` and the
server.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from nnspec.data.kinds import Column
from nnspec.data.readers.base import Reader, Table
from nnspec.data.readers.joined import JoinedTable
from nnspec.diagnostics import NnspecError

IMAGE_ARGUMENTS = ("color_mode", "image_size", "interpolation", "pad_to_aspect_ratio", "fill_value")
"""The arguments that change how images are decoded."""

COLOR_MODES = {1: "grayscale", 3: "rgb", 4: "rgba"}


def training_arguments(reader: Reader, table: Table) -> dict[str, Any]:
    """Return the arguments of the training reader that change values, under the reader's name, for the recipe.

    Args:
        reader: The reader.
        table: The table it opened. A default color mode is replaced by that of its images.
    """
    if isinstance(table, JoinedTable):
        return {
            reader.spec_name: {name: training_arguments(own, table.members[name].bare) for name, own in reader.members.items()}
        }
    arguments = reader.value_arguments()
    image = table.columns.get("image")
    if "color_mode" in arguments and arguments["color_mode"] is None and image is not None and len(image.shape) == 3:
        arguments["color_mode"] = COLOR_MODES.get(image.shape[2] or 0)
    return {reader.spec_name: arguments} if arguments else {}


def with_training_arguments(reader: Reader, recipe: Mapping[str, Any], shapes: Mapping[str, Column]) -> Reader:
    """Return a reader with the arguments used in training, except those that are given explicitly.

    Args:
        reader: The reader of the new data.
        recipe: The model's recipe.
        shapes: The column types that the model expects.
    """
    if reader.members:
        trained = _arguments_of(recipe, reader.spec_name)
        return reader.with_members(
            {
                name: with_training_arguments(own, {**recipe, "reader": trained.get(name, {})}, _of_member(shapes, name))
                for name, own in reader.members.items()
            }
        ).reading_text(_text_columns(recipe))
    fields = type(reader).model_fields
    own = {name: getattr(reader, name) for name in reader.model_fields_set}
    trained = {
        name: value
        for name, value in _arguments_of(recipe, reader.spec_name).items()
        if name in fields and name not in IMAGE_ARGUMENTS
    }
    if "interpolation" in fields:
        trained |= image_arguments(recipe, shapes.get("image"))
    tables = {name: with_training_arguments(value, recipe, shapes) for name, value in own.items() if isinstance(value, Reader)}
    try:
        return type(reader).model_validate(trained | own | tables).reading_text(_text_columns(recipe))
    except ValidationError:
        raise damaged_reader() from None


def _text_columns(recipe: Mapping[str, Any]) -> frozenset[str]:
    """Return the columns that were tokenized in training: in new data, they are text even if all of them are digits."""
    inputs = recipe.get("inputs", {}).values()
    return frozenset(
        str(column) for own in inputs if _is_tokenized(own.get("transforms", ())) for column in own.get("columns", ())
    )


def _is_tokenized(steps: Sequence[Mapping[str, Any]]) -> bool:
    return bool(steps) and steps[0].get("transform") == "tokenize"


def _of_member(values: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key[len(name) + 1 :]: value for key, value in values.items() if key.startswith(f"{name}.")}


def of_one_member(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """Return a recipe whose columns are all of one member of `together` as one of that member's reader.

    A model with inputs from `a` only then takes the data of that reader alone, such as a folder of images.
    """
    inputs = recipe.get("inputs", {})
    members = recipe.get("reader", {}).get("together", {})
    used = {str(column).partition(".")[0] for entry in inputs.values() for column in entry["columns"]}
    if len(used) != 1 or not used <= members.keys():
        return dict(recipe)
    [name] = used
    own = {
        field: {**entry, "columns": [column[len(name) + 1 :] for column in entry["columns"]]} for field, entry in inputs.items()
    }
    return {**recipe, "inputs": own, "reader": members[name]}


def damaged_reader() -> NnspecError:
    """Return the error for invalid reader arguments in a model's metadata."""
    return NnspecError("the reader arguments in the model's metadata are damaged\n  = help: export the model again")


def image_arguments(recipe: Mapping[str, Any], wanted: Column | None) -> dict[str, Any]:
    """Return the arguments with which a model's images are decoded: `IMAGE_ARGUMENTS`.

    Args:
        recipe: The model's recipe.
        wanted: The type of the image column before the transforms; None if unknown.

    Returns:
        The arguments; `image_size` is None if images are not resized when they are decoded. Those about the padding are
        absent without one.
    """
    trained = next((arguments for _, arguments in _readers_in(recipe) if "interpolation" in arguments), {})
    found = {"color_mode": trained.get("color_mode"), "interpolation": trained.get("interpolation", "bilinear")}
    size = trained.get("image_size")
    fixed = wanted is not None and len(wanted.shape) >= 2 and None not in wanted.shape[:2]
    if found["color_mode"] is None and wanted is not None:
        channels = wanted.shape[2] if len(wanted.shape) == 3 else 1
        found["color_mode"] = COLOR_MODES.get(channels or 0)
    # A model with free sizes accepts images of any size.
    resized = _is_resized(recipe)
    if not fixed and not resized:
        size = None
    elif size is None and fixed and not resized:
        assert wanted is not None
        size = list(wanted.shape[:2])
    padded = {name: trained[name] for name in ("pad_to_aspect_ratio", "fill_value") if size is not None and name in trained}
    return found | {"image_size": size} | padded


def _is_resized(recipe: Mapping[str, Any]) -> bool:
    return any(
        step.get("transform") == "resize" for own in recipe.get("inputs", {}).values() for step in own.get("transforms", [])
    )


def _arguments_of(recipe: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return next((arguments for reader, arguments in _readers_in(recipe) if reader == name), {})


def _readers_in(recipe: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """Return the names and arguments of the training reader and of the readers nested in it."""
    return _nested(recipe.get("reader", {}))


def _nested(arguments: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    found = []
    for name, value in arguments.items():
        if isinstance(value, Mapping):
            found += [(name, value), *_nested(value)]
    return found
