"""The schema as editors use it: they read YAML 1.2, in which `20_000` is a string, and insert its snippets."""

import json
import re
from pathlib import Path

import pytest

import nnspec
from nnspec.language_server.completion import plain_text
from nnspec.spec import read_text
from nnspec.spec.tree import MappingNode, Scalar, SequenceNode

jsonschema = pytest.importorskip("jsonschema")

ROOT = Path(__file__).parents[2]
SPECS = sorted((ROOT / "specs").glob("*.nnspec.yaml"))


@pytest.fixture(scope="module")
def schema():
    return nnspec.schema()


@pytest.fixture(scope="module")
def validator(schema):
    return jsonschema.Draft202012Validator(schema)


def as_editors_read_it(tree):
    """The plain value of a tree by the core schema of YAML 1.2, without underscores between digits."""
    if isinstance(tree, MappingNode):
        return {str(key.value): as_editors_read_it(value) for key, value in tree.items()}
    if isinstance(tree, SequenceNode):
        return [as_editors_read_it(item) for item in tree.items]
    assert isinstance(tree, Scalar)
    is_grouped = not tree.quoted and tree.text is not None and re.search(r"\d_\d", tree.text)
    return tree.text if is_grouped else tree.value


@pytest.mark.parametrize("file", SPECS, ids=lambda file: file.name)
def test_a_spec_of_the_gallery_has_no_error_in_an_editor(validator, file):
    tree = read_text(file.read_text(encoding="utf-8"), file.name, [])
    assert [error.message for error in validator.iter_errors(as_editors_read_it(tree))] == []


def test_the_gallery_has_numbers_with_underscores():
    trees = [read_text(file.read_text(encoding="utf-8"), file.name, []) for file in SPECS]
    assert sum(json.dumps(as_editors_read_it(tree)) != json.dumps(tree.plain()) for tree in trees) >= 10


@pytest.mark.parametrize(
    ("text", "is_right"), [("62_000", True), ("1_0.5e3", True), ("many", False), ("_1", False), ("1__0", False)]
)
def test_a_number_may_have_underscores_between_its_digits(schema, text, is_right):
    number = {"$ref": "#/$defs/grouped_number", "$defs": schema["$defs"]}
    assert jsonschema.Draft202012Validator(number).is_valid(text) is is_right


def parts(part):
    """Every part of a schema."""
    if isinstance(part, dict):
        yield part
    for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from parts(inner)


def test_what_an_editor_inserts_for_a_key_is_valid(schema):
    found = [part for part in parts({key: schema[key] for key in ("properties", "$defs")}) if "defaultSnippets" in part]
    for part in found:
        [snippet] = part["defaultSnippets"]
        body = snippet["body"]
        value = read_text(plain_text(body[1:]), "snippet", []).plain() if isinstance(body, str) else body
        rule = {key: inner for key, inner in part.items() if key != "defaultSnippets"} | {"$defs": schema["$defs"]}
        assert jsonschema.Draft202012Validator(rule).is_valid(json.loads(json.dumps(value))), snippet
    assert len(found) > 200


def test_the_name_of_a_layer_is_never_offered_as_its_own_value(schema):
    alone, *_ = schema["$defs"]["step"]["anyOf"]
    assert "enum" not in alone
    assert re.search(alone["pattern"], "MaxPooling2D")
    assert not re.search(alone["pattern"], "Dense")


def test_the_schema_has_an_id(schema):
    assert schema["$id"].startswith("urn:nnspec:")
