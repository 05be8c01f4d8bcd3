"""Values that a schema allows, to fill in for what is required."""

from __future__ import annotations

from typing import Any

from nnspec.language_server.expected import Expected, Form

_DEEPEST = 6
_INTEGER = 3
"""A size that is valid almost everywhere."""


def example_of(expected: Expected, part: Form) -> Any:
    """Return a value that a schema allows: an example of it, else its default, else a small one.

    Args:
        expected: The schema of documents.
        part: The schema of the value.
    """
    return _example(expected, expected.forms(part), 0)


def required_of(expected: Expected, form: Form) -> dict[str, Any]:
    """Return the required keys of a mapping with an example of each value."""
    return {key: example_of(expected, expected.properties(form)[key]) for key in form.get("required", ())}


def _example(expected: Expected, forms: list[Form], depth: int) -> Any:
    if not forms:
        return None
    for form in forms:
        if form.get("examples"):
            return form["examples"][0]
    for form in forms:
        if form.get("default") not in (None, [], {}):
            return form["default"]
    return _small(expected, forms[0], depth)


def _small(expected: Expected, form: Form, depth: int) -> Any:
    if "const" in form:
        return form["const"]
    if "enum" in form:
        return form["enum"][0]
    kinds = form.get("type")
    match kinds[0] if isinstance(kinds, list) else kinds:
        case "integer":
            return min(
                max(_INTEGER, form.get("minimum", 1), form.get("exclusiveMinimum", 0) + 1), form.get("maximum", _INTEGER)
            )
        case "number":
            return form.get("minimum", 0.5) or 0.5
        case "boolean":
            return True
        case "array" if depth < _DEEPEST:
            inner = expected.forms(form.get("items", {}))
            return [_example(expected, inner, depth + 1) for _ in range(form.get("minItems", 1))]
        case "object" if depth < _DEEPEST:
            required = form.get("required", ())
            if not required and form.get("minProperties"):
                required = list(form.get("properties", {}))[:1]
            return {key: _example(expected, expected.forms(form["properties"][key]), depth + 1) for key in required}
        case "string":
            return "x"
    return None


def allows(forms: list[Form], value: Any) -> bool:
    """Return whether one of some forms allows a value, as far as its type and its bounds tell.

    Example:
        >>> forms = [{"type": "integer", "exclusiveMinimum": 0}]
        >>> allows(forms, 3), allows(forms, 0), allows(forms, "relu")
        (True, False, False)
    """
    return any(_allows(form, value) for form in forms)


def _allows(form: Form, value: Any) -> bool:
    if "const" in form or "enum" in form:
        return any(
            value == each and isinstance(value, bool) == isinstance(each, bool)
            for each in form.get("enum", [form.get("const")])
        )
    kinds = form.get("type")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    match value:
        case bool():
            return "boolean" in kinds
        case int() | float():
            is_number = "number" in kinds or ("integer" in kinds and isinstance(value, int))
            low, above = form.get("minimum", value), form.get("exclusiveMinimum", value - 1)
            high, below = form.get("maximum", value), form.get("exclusiveMaximum", value + 1)
            return bool(is_number and low <= value <= high and above < value < below)
        case str():
            return "string" in kinds and "pattern" not in form
        case None:
            return "null" in kinds
        case list():
            items = form.get("items")
            return "array" in kinds and all(not isinstance(items, dict) or _allows_any(items, item) for item in value)
    return False


def _allows_any(part: Form, value: Any) -> bool:
    """Return whether the items of a list, which may have alternatives, allow a value."""
    return any(_allows(form, value) for form in part.get("anyOf", [part]))
