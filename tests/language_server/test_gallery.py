"""The parts of the server on specs of the gallery, without the protocol."""

import random
from collections import Counter
from pathlib import Path

import pytest

from nnspec.api import validate
from nnspec.diagnostics import NnspecError
from nnspec.language_server.completion import candidates
from nnspec.language_server.cursor import cursor_at
from nnspec.language_server.document import Analysis, Document
from nnspec.language_server.expected import Expected
from nnspec.language_server.hints import inlay_hints
from nnspec.language_server.positions import Text
from nnspec.language_server.renaming import applied, refusal, renamed
from nnspec.language_server.symbols import document_symbols

SPECS = Path(__file__).parents[2] / "specs"
NAMES = ("lenet5", "german_english", "conditional_gan", "real_nvp", "digits_distilled")


def opened(name):
    file = SPECS / f"{name}.nnspec.yaml"
    document = Document(file, file.read_text(encoding="utf-8"), 1)
    document.learn(Analysis.of(document.version, {}).complete())
    return document


@pytest.fixture(scope="module")
def expected():
    return Expected()


@pytest.mark.parametrize("name", NAMES)
def test_the_diagnostics_are_those_of_the_command(name):
    document = opened(name)
    assert document.current.checked.diagnostics == validate(document.path)


@pytest.mark.parametrize("name", NAMES)
def test_every_step_that_is_built_has_a_shape(name):
    document = opened(name)
    assert len(list(inlay_hints(document.current, 0, 10**6))) == len(document.current.steps)
    assert document_symbols(document.version, document.current)


@pytest.mark.parametrize("name", NAMES)
def test_a_rename_keeps_what_the_spec_means_or_is_refused(name):
    document = opened(name)
    names, text = document.names, document.version.text.text
    done = Counter()
    for each in names.all:
        if not each.is_definition or refusal(each, names):
            continue
        try:
            edits = renamed(each, f"{each.text}_new", names, document.version, document.current, {})
        except NnspecError:
            done["refused"] += 1
            continue
        done["renamed"] += 1
        after = validate(document.path, texts={document.path: applied(text, edits)})
        before = document.current.checked.diagnostics
        assert Counter(found.code for found in after) == Counter(found.code for found in before)
    assert done["renamed"] > done["refused"]


@pytest.mark.parametrize("name", NAMES)
def test_text_that_is_cut_anywhere_is_analyzed_and_completed(name, expected):
    document = opened(name)
    text = document.version.text.text
    generator = random.Random(name)
    for place in generator.sample(range(len(text)), 12):
        for broken in (text[:place], text[:place] + text[text.find("\n", place) :]):
            document.change(broken, 2)
            document.learn(Analysis.of(document.version, {}).complete())
            cursor = cursor_at(Text(broken), place)
            if cursor is not None:
                candidates(cursor, expected, document.known_names, document.known.version.tree)
