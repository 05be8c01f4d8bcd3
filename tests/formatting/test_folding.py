"""Steps in canonical style are left out while the rest is restyled, and the result is as if they were not."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnspec.formatting import formatted
from nnspec.formatting.folding import folded, unfolded
from nnspec.formatting.style import WIDTH, _comments_indented, _rewritten, restyled

ROOT = Path(__file__).parents[2]
SPECS = sorted([*ROOT.glob("specs/*.yaml"), *ROOT.glob("tests/corpus/*.yaml")])
HEAD = "nnspec: 1\nname: net\ninputs: {x: [4]}\nlayers:\n"


def plainly(text: str) -> str:
    return _comments_indented(_rewritten(text))


@pytest.mark.parametrize("file", SPECS, ids=lambda file: file.name)
def test_specs_are_restyled_as_without_folding(file):
    text = file.read_text(encoding="utf-8")
    assert restyled(text) == plainly(text)


STEPS = st.sampled_from(
    [
        "- Flatten\n",
        "- Dense: {units: 4, activation: relu}\n",
        "- Dense: {units: $width * 2}\n  name: a\n",
        "- Dense: 4\n  from: [a, b]\n  name: no\n",
        "- name: late\n  Add:\n",
        "- Dense: {units: -1e3, use_bias: no}\n",
        "- Dense:   {units: 4}\n",
        "- {Dense: {units: 4}, name: b}\n",
        "- Dense: {name: 'quoted', units: 0x10}\n",
        "- Conv2D: {kernel_size: [3, 3], strides: [1, 1]} # why\n",
        "- Conv2D:\n    filters: 4\n    kernel_size: 3\n",
        "- residual:\n    layers:\n      - Flatten\n      - Flatten\n      - Flatten\n      - Flatten\n      - Flatten\n",
        "- residual:\n    layers:\n    - Flatten\n    - Dense: {units: 4}\n    - Flatten\n    - Flatten\n    - Flatten\n  name: r\n",
        "# a comment\n",
        "    # deep\n",
        "\n",
        "- description: |\n    - Flatten\n    - Flatten\n    - Flatten\n    - Flatten\n    - Flatten\n",
        "- description: 'a\n\n    - Flatten\n    - Flatten\n    - Flatten\n    - Flatten\n    - Flatten'\n",
        "- description: >\n    - Flatten\n    - Flatten\n    - Flatten\n    - Flatten\n    - Flatten\n\n    b\n",
        "- description: a\n    - Flatten\n    - Flatten\n    - Flatten\n    - Flatten\n    - Flatten\n",
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(STEPS, st.integers(1, 6)), min_size=1, max_size=6), st.integers(0, 4))
def test_any_steps_are_restyled_as_without_folding(steps, depth):
    body = "".join(step * times for step, times in steps)
    text = HEAD + "".join(" " * depth + line if line.strip() else line for line in body.splitlines(keepends=True))
    try:
        wanted = plainly(text)
    except Exception:
        return  # ruamel.yaml does not take it
    assert restyled(text) == wanted


def test_all_but_the_ends_of_a_run_is_left_out():
    text = HEAD + "  - Dense: {units: 4}\n    name: a\n" * 1000 + "outputs: [a]\n"
    short, left_out = folded(text, WIDTH)
    assert (short.count("\n"), len(left_out)) == (HEAD.count("\n") + 6, 1)
    assert unfolded(short, left_out) == text


def test_what_looks_like_a_folded_step_is_no_step():
    text = HEAD + "  - nnspec.folded.0\n" * 6
    assert restyled(text) == text


def seconds(folder: Path, step: str, count: int) -> float:
    file = folder / f"{count}.nnspec.yaml"
    file.write_text(HEAD + "".join(step.format(i) for i in range(count)), encoding="utf-8")
    start = time.process_time()
    formatted(file)
    return time.process_time() - start


@pytest.mark.parametrize(
    "step",
    [
        "  - name: d{0}\n    Dense: {{units: 4}}\n",
        "  # step {0}\n  - Flatten\n",
        "  - Dense: {{units: 4}} # {0}\n",
        "  - Flatten\n",
    ],
)
def test_time_is_linear_in_the_steps(tmp_path, step):
    seconds(tmp_path, step, 10)
    few, many = (min(seconds(tmp_path, step, count) for _ in range(2)) for count in (500, 4000))
    assert many < 8 * 3 * few
