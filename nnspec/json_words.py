"""Messages for invalid values in JSON files, from pydantic's errors."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

_KINDS = {
    "int": "an integer",
    "float": "a number",
    "finite_number": "a finite number",
    "string": "text",
    "bool": "true or false",
    "list": "a list",
    "tuple": "a list",
    "dict": "a JSON object",
    "dataclass": "a JSON object",
    "model": "a JSON object",
    "mapping": "a JSON object",
    "none_required": "null",
}
_BOUNDS = {
    "greater_than_equal": ("ge", "at least"),
    "greater_than": ("gt", "more than"),
    "less_than": ("lt", "less than"),
    "less_than_equal": ("le", "at most"),
}
_LONGEST = 60


def misfit(error: ValidationError, document: Any = None) -> str:
    """Return a message for the first error: its location, the value, and what is expected.

    Args:
        error: Error from pydantic.
        document: Document that was read, to remove names that pydantic adds to locations.

    Example:
        >>> from pydantic import TypeAdapter, ValidationError
        >>> try:
        ...     TypeAdapter(dict[str, int]).validate_python({"seed": "x"})
        ... except ValidationError as error:
        ...     misfit(error, {"seed": "x"})
        '`seed` is "x", but must be an integer'
    """
    details = error.errors(include_url=False)
    first = details[0]
    place = _place(first, document)
    at = f"`{'.'.join(map(str, place))}`" if place else "it"
    if first["type"] == "missing":
        parent = ".".join(map(str, place[:-1]))
        return f"{f'`{parent}`' if parent else 'it'} has no `{place[-1]}`"
    wanted = list(dict.fromkeys(_wanted(each) for each in details if _place(each, document) == place))
    return f"{at} is {_shown(first['input'])}, but must be {' or '.join(wanted)}"


def _place(detail: ErrorDetails, document: Any) -> list[int | str]:
    """Return the path of the value in the document, without the names of classes and branches in pydantic's location."""
    place: list[int | str] = []
    for key in detail["loc"]:
        inside = document is None or (
            key in document if isinstance(document, Mapping) else isinstance(document, Sequence) and isinstance(key, int)
        )
        if inside:
            place.append(key)
            document = None if document is None else document[key]
    if detail["type"] == "missing" and (not place or place[-1] != detail["loc"][-1]):
        place.append(detail["loc"][-1])
    return place


def _wanted(detail: ErrorDetails) -> str:
    kind, context = detail["type"], detail.get("ctx") or {}
    if kind in _BOUNDS:
        key, words = _BOUNDS[kind]
        return f"{words} {context[key]:,}"
    if kind == "literal_error":
        return "one of " + str(context["expected"]).replace("'", "`").replace(" or ", ", ")
    if kind == "too_short":
        return f"a list of at least {context['min_length']}"
    if kind in ("value_error", "assertion_error"):
        return f"another value: {str(detail['msg']).partition(', ')[2]}"
    found = next((words for name, words in _KINDS.items() if kind == name or kind.startswith(f"{name}_")), None)
    return found or "a value that nnspec writes there"


def _shown(value: Any) -> str:
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        text = repr(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
