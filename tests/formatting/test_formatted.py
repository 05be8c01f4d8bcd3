from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

import nnspec
from nnspec.cli import main
from nnspec.diagnostics import NnspecError, SpecError
from nnspec.formatting import formatted
from nnspec.graph.describe import describe

ROOT = Path(__file__).parents[2]
SPECS = sorted([*ROOT.glob("specs/*.nnspec.yaml"), *ROOT.glob("tests/corpus/*.yaml")])

SHUFFLED = """\
# a net
layers:
- from: image   # where from
  # the first layer
  Dense: { units: 1e1, activation: no }
  # its name
  name: 'a'
- {name: b,
   Dense: {units: 0x10}}
# the model
name: net

description: |
  two
    lines
inputs: {image: [012, "T"]}
nnspec: 1
"""
ORDERED = """\
# a net
nnspec: 1
# the model
name: net

description: |
  two
    lines
inputs: {image: [012, "T"]}
layers:
  # the first layer
  - Dense: {units: 1e1, activation: no}
    # its name
    name: 'a'
    from: image # where from
  - {name: b, Dense: {units: 0x10}}
"""


@pytest.fixture
def run():
    return lambda *arguments: CliRunner().invoke(main, ["fmt", *map(str, arguments)])


def meaning(file: Path) -> tuple[object, str]:
    spec = nnspec.load(file)
    described = describe(nnspec.compile(spec))
    for network in described["networks"].values():
        for layer in network["layers"]:
            layer.pop("line")
    return described, spec.hash


@pytest.mark.parametrize("file", SPECS, ids=lambda file: file.name)
def test_the_graph_and_the_hash_stay_and_a_second_run_changes_nothing(file, tmp_path, run):
    copy = shutil.copytree(file.parent, tmp_path / "specs") / file.name  # a spec may use another one
    before = meaning(copy)
    assert run(copy).exit_code == 0
    assert meaning(copy) == before
    assert run("--check", copy).exit_code == 0


@pytest.mark.parametrize("file", sorted(ROOT.glob("specs/*.nnspec.yaml")), ids=lambda file: file.name)
def test_the_gallery_is_in_this_form(file):
    before, after = formatted(file)
    assert after == before


def test_keys_come_in_order_with_their_comments_and_scalars_stay_as_they_are_written(write):
    assert formatted(write(SHUFFLED))[1] == ORDERED


def test_what_is_in_order_stays(write):
    assert formatted(write(ORDERED)) == (ORDERED, ORDERED)


def test_steps_in_groups_branches_and_blocks_are_ordered_too(write):
    text = (
        "nnspec: 1\nname: net\nblocks:\n  b:\n    layers:\n      - name: d\n        Dense: {units: 1}\n    params: {n: 1}\n"
        "layers:\n  - layers:\n      - name: r${i}\n        ReLU:\n    as: i\n    repeat: 2\n"
        "  - Parallel:\n      branches:\n        - - name: p\n            ReLU:\n"
    )
    after = formatted(write(text))[1]
    assert "    params: {n: 1}\n    layers:\n      - Dense: {units: 1}\n        name: d\n" in after
    assert "  - repeat: 2\n    as: i\n    layers:\n      - ReLU:\n        name: r${i}\n" in after
    assert "        - - ReLU:\n            name: p\n" in after


def test_brackets_longer_than_a_line_are_opened(write):
    text = "nnspec: 1\nparams: {" + ", ".join(f"param_{i}: {i}" for i in range(20)) + "}\n"
    assert "params:\n  param_0: 0\n  param_1: 1\n" in formatted(write(text))[1]


def test_a_silenced_warning_stays_silenced(write):
    text = "name: net\nnnspec: 1\ninputs: {x: [4]}\nlayers:\n- Dense: {units: 2}\n- Dropout:   {rate: 0.5} # nnspec: ignore[NN242]\n"
    file = write(text)
    assert nnspec.validate(file) == []
    file.write_text(formatted(file)[1], encoding="utf-8")
    assert nnspec.validate(file) == []


def test_a_spec_that_is_wrong_but_reads_is_formatted(write):
    assert formatted(write("layers:\n- Dens: {unit:   3}\nnnspec: 7\n"))[1] == "nnspec: 7\nlayers:\n  - Dens: {unit: 3}\n"


@pytest.mark.parametrize(
    "text",
    [
        "a: [1\n",
        "a: 1\na: 2\n",
        "a: &x {b: 1}\nc: {<<: *x}\n",
        "a: !!python/object:os.system 1\n",
        "a: *b\n",
        "a: &b [*b]\n",
        "a: " + "[" * 2000,
        "nnspec: 1\n---\nname: b\n",
        "- Concatenate\n  from: [a]\n",
        "",
        "a: \x00\n",
        'a: &a ["x","x"]\n' + "".join(f"a{i}: &a{i} [{', '.join(['*a'] * 9)}]\n".replace("*a", f"*a{i - 1}" if i else "*a") for i in range(9)),
    ],
)  # fmt: skip
def test_what_does_not_read_is_left_as_it_is(write, run, text):
    file = write(text)
    result = run(file)
    assert result.exit_code == 1
    assert "internal" not in result.output
    assert file.read_text(encoding="utf-8") == text


def test_an_alias_may_not_come_before_its_anchor(write):
    with pytest.raises(NnspecError, match="not formatted"):
        formatted(write("name: &n net\nnnspec: 1\ndescription: *n\nlayers: &l []\nblocks: {b: {layers: *l}}\n"))


def test_a_comment_that_would_be_lost_is_named(write):
    text = "nnspec: 1\nlayers: [ # one\n  ReLU, # two\n  # three\n  Flatten # four\n  ]\n"
    file = write(text)
    try:
        after = formatted(file)[1]
    except NnspecError as error:
        assert "comment" in str(error) or "not formatted" in str(error)
    else:
        assert all(f"# {word}" in after for word in ("one", "two", "three", "four"))


def test_depth_up_to_the_limit_is_fine(write):
    text = "a: " + "[" * 98 + "1" + "]" * 98 + "\n"
    once = formatted(write(text))[1]
    assert formatted(write(once))[1] == once


def test_check_and_diff_write_nothing(write, run):
    file = write(SHUFFLED)
    assert (run("--check", file).exit_code, run("--diff", file).exit_code) == (1, 0)
    assert "+  - Dense: {units: 1e1, activation: no}\n" in run("--diff", file).stdout
    assert file.read_text(encoding="utf-8") == SHUFFLED


def test_one_bad_file_keeps_no_other_from_being_formatted(write, run):
    bad, good = write("a: [", "bad.nnspec.yaml"), write(SHUFFLED)
    assert run(bad, good).exit_code == 1
    assert good.read_text(encoding="utf-8") == ORDERED


def test_without_ruamel_the_extra_is_named(write, run, monkeypatch):
    monkeypatch.setattr("nnspec.extras.installed", lambda module: False)
    result = run(write(SHUFFLED))
    assert result.exit_code == 1
    assert "nnspec[fmt]" in result.output


def test_a_spec_that_does_not_read_is_shown_with_its_place(write):
    with pytest.raises(SpecError):
        formatted(write("a: [1\n"))


def test_many_steps_out_of_order_are_ordered_in_a_few_readings(write, monkeypatch):
    from nnspec.formatting import canonical

    readings = []
    read = canonical._read
    monkeypatch.setattr(canonical, "_read", lambda *arguments: readings.append(1) or read(*arguments))
    text = "nnspec: 1\nlayers:\n" + "".join(f"  - name: d{i}\n    Dense: {{units: 1}} # c{i}\n" for i in range(60))
    after = formatted(write(text))[1]
    assert after.count("  - Dense: {units: 1} # c") == 60
    assert len(readings) < 10
