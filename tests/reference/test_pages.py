"""The reference is written from the classes, and is not stale."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from nnspec.cli import main
from nnspec.layers import LAYERS
from nnspec.layers.unsupported_layers import UNSUPPORTED
from nnspec.reference.layer import layer_text
from nnspec.reference.pages import keras_layers, pages

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def written() -> dict[str, str]:
    return pages()


def test_the_pages_are_not_stale(written: dict[str, str]) -> None:
    stale = [name for name, text in written.items() if not (DOCS / name).exists() or (DOCS / name).read_text("utf-8") != text]
    assert not stale, "run `nnspec layers --write docs`"


def test_no_page_is_left_over(written: dict[str, str]) -> None:
    found = {f"{folder}/{file.name}" for folder in ("layers", "functions", "reference") for file in (DOCS / folder).iterdir()}
    assert found | {"keras.md"} == set(written)


def test_each_layer_stands_in_the_index_and_each_link_leads_to_a_heading(written: dict[str, str]) -> None:
    links = re.findall(r"\[(\w+)\]\((?:layers/)?(\w+\.md)#(\w+)\)", written["layers/README.md"] + written["keras.md"])
    assert {name for name, *_ in links} == set(LAYERS.names())
    for name, page, anchor in links:
        assert f"\n## {name}\n" in written[f"layers/{page}"]
        assert anchor == name.lower()


def test_each_layer_of_keras_is_here_or_left_out_for_a_reason() -> None:
    known = {*LAYERS.names(), *LAYERS.aliases, *UNSUPPORTED}
    assert [name for name in keras_layers() if name not in known] == [], "say why in nnspec/layers/unsupported_layers.py"


def test_a_reason_is_of_a_layer_that_keras_has_and_that_is_not_here() -> None:
    assert set(UNSUPPORTED) <= set(keras_layers())
    assert [name for name in UNSUPPORTED if name in LAYERS.modules] == [], "it is here: remove its reason"
    assert all(len(reason) > 20 for reason in UNSUPPORTED.values())


def test_a_reason_is_the_answer_to_a_spec_that_names_the_layer(checked) -> None:
    _, problems = checked("nnspec: 1\nname: net\ninputs: {x: [4]}\nlayers:\n  - Lambda\n")
    assert [(problem.code, problem.help) for problem in problems] == [("NN204", UNSUPPORTED["Lambda"])]


def test_the_command_prints_what_stands_on_the_page_but_for_onnx() -> None:
    printed = CliRunner().invoke(main, ["layers", "Dense"])
    page = re.sub(r"In ONNX: .*\n\n", "", (DOCS / "layers" / "core.md").read_text("utf-8"))
    assert printed.exit_code == 0
    assert printed.stdout in page
    assert printed.stdout.rstrip("\n") == layer_text("Dense").rstrip("\n")


def test_a_layer_that_is_not_there_is_an_error_with_what_was_meant() -> None:
    for word, meant in {"Desne": "`Dense`", "MaxPool2D": "MaxPooling2D", "Lambda": "plug-in"}.items():
        done = CliRunner().invoke(main, ["layers", word])
        assert done.exit_code == 1
        assert meant in done.stderr


def test_the_list_has_every_layer() -> None:
    done = CliRunner().invoke(main, ["layers"])
    assert {line.split()[0] for line in done.stdout.splitlines()[2:] if line} >= set(LAYERS.names())
