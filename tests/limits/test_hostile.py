"""Specs made to take a machine down, and large ones that are good: each is answered, in bounded memory and by a bound on work.

Each runs in a process of its own whose address space is limited. What is counted is calls of Python functions, so that a busy
processor is no fault; a spec that doubles something 40 times would make a billion of them.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from nnspec.api import validate
from tests.conftest import FULL

from .hostile import FINE, HOSTILE

MOST_MEMORY = 700 * 2**20
"""Of addresses, of which Python and its libraries take 300 MiB before anything is read."""
MOST_CALLS = 12_000_000

CHILD = """
import json, resource, sys
limit, most, *files = sys.argv[1:]
from nnspec.api import validate
resource.setrlimit(resource.RLIMIT_AS, (int(limit), int(limit)))

class TooMuchWork(BaseException):
    pass

def count(frame, event, argument):
    global calls
    calls += 1
    if calls > int(most):
        sys.setprofile(None)
        raise TooMuchWork

for file in files:
    calls, answer = 0, None
    sys.setprofile(count)
    try:
        found = validate(file)
        sys.setprofile(None)
        longest = max((len(d.message) + len(d.help) for d in found), default=0)
        answer = [[[d.code, d.is_error, d.message] for d in found[:20]], len(found), longest]
    except TooMuchWork:
        answer = "too much work"
    except BaseException as error:
        answer = f"{type(error).__name__}: {error}"
    finally:
        sys.setprofile(None)
    print(json.dumps(answer), flush=True)
"""

QUICK = [
    "a list doubled 23 times",
    "a mapping doubled",
    "round to -1,000,000,000 digits",
    "repeats of nothing",
    "networks that double",
    "a chain of 400 networks",
    "a mask through 120 networks",
    "branches that double",
    "cells that double",
    "a constant of 10**27 zeros",
    "an error in a block that doubles",
    "a product of 40 sums",
    "a square 12 times",
    "quotients of quotients",
    "a size that grows 2,000 times",
    "a product of 60,000 numbers",
    "a run of spaces without an end",
    "a symbol of 60,000 letters",
]
"""Those of the default run, one of each kind; the others with NNSPEC_FULL=1."""


def answers(texts: dict[str, str], write: Callable[[str, str], Path]) -> dict[str, object]:
    files = [str(write(text, f"net{number}.nnspec.yaml")) for number, text in enumerate(texts.values())]
    found = subprocess.run(
        [sys.executable, "-c", CHILD, str(MOST_MEMORY), str(MOST_CALLS), *files], capture_output=True, text=True, check=False
    )
    lines = [json.loads(line) for line in found.stdout.splitlines()]
    assert len(lines) == len(texts), found.stderr[-2000:]
    return dict(zip(texts, lines, strict=True))


def test_a_spec_made_to_do_harm_is_refused_within_bounds(write) -> None:
    texts = {name: HOSTILE[name] for name in (HOSTILE if FULL else QUICK)}
    for name, answer in answers(texts, write).items():
        assert isinstance(answer, list), f"{name}: {answer}"
        reported, count, longest = answer
        assert any(is_error for _, is_error, _ in reported), name
        assert not any("internal error" in message for _, _, message in reported), name
        assert count <= 502, name
        assert longest <= 5_000, name


def test_a_large_spec_that_is_good_stays_good(write) -> None:
    texts = {name: text for name, text in FINE.items() if FULL or len(text) < 20_000}
    for name, answer in answers(texts, write).items():
        assert isinstance(answer, list), f"{name}: {answer}"
        assert not any(is_error for _, is_error, _ in answer[0]), f"{name}: {answer[0]}"


@pytest.mark.parametrize(
    ("name", "limit"),
    [
        ("a list doubled 23 times", "20,000 elements"),
        ("repeats of nothing", "the limit `expanded` is 2,000,000"),
        ("networks that double", "the limit `layers` is 50,000"),
        ("branches that double", "the limit `layers` is 50,000"),
        ("cells that double", "137,438,953,472 layers"),
        ("distributed blocks that double", "137,438,953,472 layers"),
        ("a constant of 10**27 zeros", "for one value inside an expression"),
        ("a constant of 2 GB", "1.9 GiB of constants in expressions up to here; the limit `constants` is 1,073,741,824"),
        ("20 constants of 120 MB", "1.0 GiB of constants in expressions up to here"),
        ("a chain of 400 networks", "more than 100 lists deep"),
        ("a product of 40 sums", "200 is the limit"),
        ("quotients of quotients", "4,000 is the limit"),
        ("a size that grows 2,000 times", "2**63"),
        ("a symbol of 60,000 letters", "4,000 is the limit"),
    ],
)
def test_the_limit_that_was_reached_is_named(name: str, limit: str, write) -> None:
    problems = validate(write(HOSTILE[name]))
    assert any(limit in problem.message for problem in problems), [problem.message for problem in problems]


def test_a_mapping_may_be_a_param(checked) -> None:
    model, problems = checked(
        "nnspec: 1\nname: net\nparams: {start: {HeNormal: {seed: 3}}}\ninputs: {x: [4]}\n"
        "layers:\n  - Dense: {units: 4, kernel_initializer: $start}\n"
    )
    assert model is not None and not problems


def test_a_list_of_many_is_not_cut_in_silence(checked) -> None:
    """The classes of a data set may be many; each is kept."""
    shape = ", ".join(["1"] * 15_000)
    _, problems = checked(
        f"nnspec: 1\nname: net\nparams: {{s: [{shape}]}}\ninputs: {{x: [1]}}\nlayers:\n  - Reshape: {{target_shape: $s}}\n"
    )
    assert [problem.message for problem in problems] == ["`Reshape`: a tensor has 15,000 axes; the limit is 32"]


def test_a_network_that_is_wrong_everywhere_is_not_built_to_its_end(monkeypatch, write) -> None:
    asked = []
    monkeypatch.setattr("nnspec.graph.scope.closest", lambda name, _: asked.append(name))
    steps = "".join(f"  - Dense: {{units: 4}}\n    name: layer{i}\n    from: layr{i}\n" for i in range(2_000))
    assert validate(write(f"nnspec: 1\nname: net\ninputs: {{x: [4]}}\nlayers:\n{steps}"))
    assert 0 < len(asked) < 600


def test_a_network_without_inputs_at_each_time_step_is_an_error(checked) -> None:
    text = (
        "nnspec: 1\nname: net\ninputs: {x: [4, 3]}\nnetworks:\n  inner: {inputs: {}, layers: [{Dense: 2}]}\n"
        "layers:\n  - TimeDistributed: {layer: inner}\n"
    )
    _, problems = checked(text)
    assert any("it has no input" in problem.message for problem in problems)
