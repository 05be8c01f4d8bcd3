"""The language reference: no key of the JSON Schema is missing, and what it shows is valid."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner

import nnspec
from nnspec.cli import main
from nnspec.cli.markdown_layout import laid_out
from nnspec.reference.keys import Key, all_keys, find_keys
from nnspec.reference.language import language_pages
from nnspec.reference.lookup import entries
from nnspec.reference.members import GROUPS, member_example
from nnspec.reference.objectives import shipped

DOCS = Path(__file__).parents[2] / "docs"
SCHEMA = nnspec.schema()
PAGES = {page: (DOCS / page).read_text("utf-8") for page in language_pages()}
_IN_LAYERS = ("layer", "recurrent_layer", "recurrent_cell", "layer_with_a_kernel", "augmentation", "corruption")


def _properties(part: object, owner: str) -> Iterator[tuple[str, str]]:
    """Each key of a schema with the definition that it is in."""
    if isinstance(part, dict):
        for name, inner in part.get("properties", {}).items() if isinstance(part.get("properties"), dict) else ():
            yield owner, name
            yield from _properties(inner, owner)
        for key, inner in part.items():
            if key not in ("properties", "$defs"):
                yield from _properties(inner, owner)
    for inner in part if isinstance(part, list) else ():
        yield from _properties(inner, owner)


def _all_properties() -> set[tuple[str, str]]:
    found = set(_properties({"properties": SCHEMA["properties"]}, "document"))
    for name, schema in SCHEMA["$defs"].items():
        found |= set(_properties(schema, name))
    return found


def _rows(text: str) -> set[str]:
    """The names in the first cells of the tables of a page."""
    cells = re.findall(r"^\| \[?`?([\w.\[\]]+)", text, re.MULTILINE)
    return {part for cell in cells for part in re.split(r"[.\[\]]+", cell) if part}


def _section(text: str, name: str) -> str:
    return next((part for part in re.split(r"^(?=## )", text, flags=re.MULTILINE) if part.startswith(f"## {name}\n")), "")


def test_every_key_of_the_schema_is_in_a_page() -> None:
    layers = "\n".join(page.read_text("utf-8") for page in (DOCS / "layers").iterdir())
    everywhere = _rows("\n".join(PAGES.values())) | set(
        re.findall(r"^## (\w+)", "\n".join([*PAGES.values(), layers]), re.MULTILINE)
    )
    missing = []
    for owner, key in sorted(_all_properties()):
        family, _, member = owner.partition(".")
        if member and family in _IN_LAYERS and _section(layers, member):
            known = key in _rows(_section(layers, member))
        elif member and family not in ("step",):
            sections = [section for text in PAGES.values() if (section := _section(text, member))]
            known = any(key in _rows(section) for section in sections)
        else:
            known = key in everywhere
        if not known and not _is_a_spelling(key):
            missing.append((owner, key))
    assert missing == []


def _is_a_spelling(key: str) -> bool:
    """Whether a key is another spelling of a member, which the page of the member names."""
    return any(f"`{key}`" in text for text in PAGES.values() if "Also written" in text)


def test_the_schema_has_a_description_of_every_key() -> None:
    bare = []
    for name, schema in {"": {"properties": SCHEMA["properties"]}, **SCHEMA["$defs"]}.items():
        for key, inner in schema.get("properties", {}).items():
            if isinstance(inner, dict) and "$ref" not in inner and not inner.get("description"):
                bare.append(f"{name}.{key}")
    assert bare == []


@pytest.mark.parametrize("key", all_keys(), ids=lambda key: f"{key.owner}.{key.path}")
def test_a_key_has_a_type_a_default_a_meaning_and_an_example(key: Key) -> None:
    assert key.type
    assert key.default
    assert key.about.endswith((".", "`"))
    assert key.example.startswith(f"{key.name.removesuffix('[]')}:") or key.owner in ("operation", "share")


def _checked(schema: dict, value: object) -> list[str]:
    whole = {**schema, "$defs": SCHEMA["$defs"]}
    return [error.message for error in jsonschema.Draft202012Validator(whole).iter_errors(json.loads(json.dumps(value)))]


_SECTIONS = [
    key
    for key in all_keys()
    if key.path.partition(".")[0] in ("data", "train", "sweep", "generate", "neighbors", "export", "budget")
]


@pytest.mark.parametrize(
    "key", [key for key in _SECTIONS if key.path.count(".") == 1], ids=lambda key: f"{key.owner}.{key.path}"
)
def test_the_example_of_a_key_of_a_section_is_valid(key: Key) -> None:
    from nnspec.spec import read_text

    section = SCHEMA["properties"][key.path.partition(".")[0]]
    classes = [each for each in section.get("anyOf", [section]) if key.name in each["properties"]]
    tree = read_text(key.example, "example.yaml", [])
    assert any(_checked(each["properties"][key.name], tree.get(key.name).plain()) == [] for each in classes)


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.title)
def test_the_example_of_each_member_is_valid(group) -> None:
    schema = SCHEMA["$defs"][re.sub(r"[ -]", "_", group.family.kind)]
    wrong = {name: found for name in group.names() if (found := _checked(schema, member_example(group, name)))}
    assert wrong == {}


def test_an_argument_of_a_member_has_a_description() -> None:
    bare = [
        f"{name}.{argument}"
        for group in GROUPS
        for name in group.names()
        for argument, field in group.family.get(name).model_fields.items()
        if not field.description
    ]
    assert bare == []


@pytest.mark.parametrize("name", ["train.batch_size", "Conv2D", "softmax", "csv", "Adam.learning_rate", "NN301", "Residual"])
def test_docs_shows_a_name(name: str) -> None:
    done = CliRunner().invoke(main, ["docs", name])
    assert done.exit_code == 0
    assert name in done.stdout


def test_docs_and_layers_show_everything_by_its_own_name() -> None:
    for group in GROUPS:
        name = group.names()[-1]
        assert f"## {name}" in CliRunner().invoke(main, ["docs", name]).stdout
        assert f"## {name}" in CliRunner().invoke(main, ["layers", name]).stdout
    for name in shipped():
        assert f"## {name}" in CliRunner().invoke(main, ["docs", name]).stdout


@pytest.mark.parametrize(
    ("word", "meant"),
    {
        "train.batchsize": "`train.batch_size`",
        "Adan": "`Adam`",
        "MaxPool2D": "use `MaxPooling2D`",
        "CosineAnnealingLR": "use `CosineDecay`",
        "earlystopping": "`early_stopping`",
        "zzzzzz": "`nnspec docs` lists",
    }.items(),
)
def test_a_misspelled_name_is_an_error_with_what_was_meant(word: str, meant: str) -> None:
    done = CliRunner().invoke(main, ["docs", word])
    assert done.exit_code == 1
    assert meant in done.stderr


def test_a_name_of_yours_in_a_path_is_any_name() -> None:
    assert [key.path for key in find_keys("data.targets.price.weight")] == ["data.targets.NAME.weight"]
    assert {key.path for key in find_keys("patience")} == {"train.early_stopping.patience", "train.reduce_on_plateau.patience"}


def test_docs_without_a_name_lists_every_kind() -> None:
    shown = CliRunner().invoke(main, ["docs"]).stdout
    assert [group.title for group in GROUPS if group.title.lower() not in shown] == []
    assert "SparseCategoricalCrossentropy" in CliRunner().invoke(main, ["docs", "losses"]).stdout


def test_docs_loads_no_framework_and_no_numpy() -> None:
    code = (
        "import sys\nfrom nnspec.cli import main\n"
        "for name in ('Adam', 'train.batch_size', 'softmax', 'gan', 'csv'):\n"
        "    main(['docs', name], standalone_mode=False)\n"
        "print(sorted({'numpy', 'keras', 'tensorflow', 'onnx', 'jax'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_layout_for_a_terminal_is_no_wider_than_it_and_loses_no_word(width: int) -> None:
    for name in ("csv", "train", "Conv2D", "repeat", "MaxPooling2D"):
        text = "\n".join(entries(name))
        shown = laid_out(text, width)
        assert (
            max(len(line) for line in shown.splitlines() if not line.startswith("    ") and " " in line.strip()) <= width + 20
        )
        words = set(re.findall(r"\w+", re.sub(r"\]\([^)]*\)|```yaml", "", text)))
        assert words <= set(re.findall(r"\w+", shown)) | {
            "key",
            "argument",
            "type",
            "description",
            "input",
            "output",
            "weights",
            "MACs",
        }
