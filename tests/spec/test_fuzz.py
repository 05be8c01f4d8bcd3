"""Documents that nobody would write: whatever stands in a file, there is an answer, and never a traceback."""

from __future__ import annotations

import os
import random

import pytest

from benchmarks.hostile import BOMBS, mutated
from nnspec.api import validate
from nnspec.spec import Limits

COUNT = 100_000 if os.environ.get("NNSPEC_FULL") else 1_000
PARTS = 20


@pytest.mark.parametrize("part", range(PARTS))
def test_a_mutated_spec_is_answered_without_a_traceback(part, tmp_path):
    rng = random.Random(part)
    file = tmp_path / "net.nnspec.yaml"
    for _ in range(COUNT // PARTS):
        text = mutated(rng)
        file.write_text(text, encoding="utf-8")
        try:
            found = validate(file)
        except Exception as error:
            raise AssertionError(f"{type(error).__name__}: {error}\n{text}") from error
        assert all(d.message and 1 <= d.span.line <= text.count("\n") + 2 for d in found if d.span.file == str(file)), text


@pytest.mark.parametrize("name", BOMBS)
def test_a_document_made_to_do_harm_is_refused(name, tmp_path):
    file = tmp_path / "net.nnspec.yaml"
    file.write_text(BOMBS[name], encoding="utf-8")
    assert any(problem.is_error for problem in validate(file))


def test_a_document_that_is_wrong_everywhere_is_read_no_further_than_the_limit(tmp_path):
    file = tmp_path / "net.nnspec.yaml"
    file.write_text("nnspec: 1\nname: net\ninputs: {x: [4]}\nlayers:\n" + "  - Dens: {units: 3}\n" * 100)
    assert len(validate(file)) == 100
    found = validate(file, limits=Limits(errors=10))
    assert len(found) == 12
    assert [problem.code for problem in found].count("NN005") == 1
