from __future__ import annotations

import math
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnspec.spec.limits import Limits
from nnspec.spec.reader import read_file, read_text
from nnspec.spec.scalars import resolve_plain
from nnspec.spec.tree import MappingNode


def _read(text, **limits):
    problems = []
    return read_text(text, "f", problems, Limits(**limits)), problems


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("1e3", 1000.0),
        ("no", "no"),
        ("on", "on"),
        ("012", 12),
        ("62_000", 62000),
        ("0x1f", 31),
        ("0o17", 15),
        ("190:20:30", "190:20:30"),
        ("2026-01-01", "2026-01-01"),
        ("1_", "1_"),
        ("~", None),
        ("", None),
        ("True", True),
        (".5", 0.5),
        ("-.inf", -math.inf),
        ("-", "-"),
        ("+1", 1),
    ],
)
def test_plain_scalars_follow_yaml_1_2(text, value):
    assert resolve_plain(text) == value
    assert type(resolve_plain(text)) is type(value)


@given(st.integers(-(10**18), 10**18))
def test_every_integer_reads_as_itself(number):
    assert resolve_plain(str(number)) == number


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_float_reads_as_itself(number):
    assert float(resolve_plain(repr(number))) == number


def test_a_number_of_many_digits_is_text_and_costs_no_time():
    assert resolve_plain("9" * 5000) == "9" * 5000


def test_quotes_make_text_of_anything():
    tree, _ = _read("a: '012'\nb: \"no\"\nc: 012\n")
    assert tree.plain() == {"a": "012", "b": "no", "c": 12}


def test_every_value_knows_its_place_and_path():
    tree, _ = _read("layers:\n  - Dense: {units: 3}\n")
    units = tree.get("layers").items[0].get("Dense").get("units")
    assert (units.span.line, units.span.column, units.span.end_column) == (2, 20, 21)
    assert units.path == "layers[0].Dense.units"


def test_a_block_ends_with_its_last_value():
    tree, _ = _read("a:\n  b: 1\n\n\nc: 2\n")
    assert (tree.get("a").span.end_line, tree.get("a").span.end_column) == (2, 7)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a: [1", "NN010"),
        ("a: 'b", "NN010"),
        ("a: 1\n\tb: 2", "NN021"),
        ("a: \x00", "NN006"),
        ("a: 1\n---\nb: 1", "NN011"),
        ("a: 1\na: 2", "NN012"),
        ("a: {<<: {b: 1}}", "NN013"),
        ("a: !!python/object/apply:os.system [ls]", "NN014"),
        ("? [a]\n: 1", "NN015"),
        ("a: *b", "NN016"),
        ("a: &b [*b]", "NN017"),
    ],
)
def test_text_that_is_no_spec_is_reported_with_its_place(text, code):
    _, problems = _read(text)
    assert [problem.code for problem in problems] == [code]
    assert problems[0].span.line >= 1


def test_deep_nesting_is_refused_at_once():
    _, problems = _read("[" * 2000)
    assert problems[0].code == "NN005"
    assert "depth" in problems[0].message


def test_an_alias_bomb_is_refused_at_once():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 10)]
    _, problems = _read("\n".join(lines))
    assert problems[0].code == "NN005"
    assert "nodes" in problems[0].message


def test_aliases_within_the_limit_repeat_their_value():
    tree, problems = _read("a: &x [1, 2]\nb: *x\n")
    assert tree.plain() == {"a": [1, 2], "b": [1, 2]}
    assert not problems


def test_a_merge_bomb_is_refused_at_once():
    text = "a: &a {x: 1}\n" + "".join(f"b{i}: &b{i} {{<<: [*a, *a]}}\n" for i in range(50))
    _, problems = _read(text)
    assert {problem.code for problem in problems} == {"NN013"}


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda folder: folder / "none.yaml", "NN001"),
        (lambda folder: folder, "NN002"),
        (lambda folder: _fifo(folder / "pipe"), "NN002"),
        (lambda folder: _file(folder / "big.yaml", b"#" * (10 * 2**20)), "NN005"),
        (lambda folder: _file(folder / "latin.yaml", "a: é".encode("latin-1")), "NN004"),
    ],
    ids=["missing", "directory", "pipe", "10 MB", "Latin-1"],
)
def test_a_path_that_is_no_spec_is_reported(tmp_path, make, code):
    problems = []
    assert read_file(make(tmp_path), problems) is None
    assert [problem.code for problem in problems] == [code]


def _file(path, data):
    path.write_bytes(data)
    return path


def _fifo(path):
    os.mkfifo(path)
    return path


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text("abc-:#[]{}'\"&*!|>%@` \n", max_size=8),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab<", min_size=1, max_size=3), inner, max_size=3),
                    max_leaves=8))  # fmt: skip
def test_whatever_is_written_as_yaml_is_read_without_a_crash(value):
    import yaml

    tree, problems = _read(yaml.safe_dump({"v": value}))
    assert isinstance(tree, MappingNode) or problems


@given(st.text(max_size=60))
def test_any_text_is_read_without_a_crash(text):
    tree, problems = _read(text)
    assert tree is not None or problems or not text.strip() or text.lstrip().startswith(("#", "---", "...", "%"))
