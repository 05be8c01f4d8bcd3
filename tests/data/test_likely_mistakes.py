"""Warnings about data whose results would mean nothing, and the test data that are opened before the first step."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from nnspec.data.likely_mistakes import warn_of_columns

NET = "inputs: {x: [2]}\nlayers:\n  - Dense: {units: 3, activation: softmax}\n    name: kind\n"
TRAIN = "train: {epochs: 1, loss: SparseCategoricalCrossentropy}\n"


def spec(data: str, inputs: str = "[a, b]", target: str = "kind", net: str = NET) -> str:
    return f"{net}data: {{train: {{csv: a.csv}}, inputs: {{x: {{columns: {inputs}}}}}, targets: {{kind: {target}}}{data}}}\n{TRAIN}"


@pytest.fixture
def table(project):
    random = np.random.default_rng(0)
    write(project, "a.csv", random.normal(size=(40, 2)), np.arange(40) % 3)
    return project


def write(project, name, values, kinds, more=""):
    rows = "".join(f"{a},{b},{kind},{kind}\n" for (a, b), kind in zip(values, kinds, strict=True))
    (project.folder / name).write_text("a,b,kind,copy\n" + rows + more)


def codes(project, text):
    """What is warned of before and while the data are read."""
    plan, problems = project.plan(text)
    assert plan is not None, problems
    return [problem.code for problem in (*problems, *project.prepare(text).warnings)]


def test_good_data_have_no_warning(table):
    write(table, "t.csv", np.random.default_rng(1).normal(size=(20, 2)), np.arange(20) % 3)
    assert codes(table, spec(", test: {csv: t.csv}, validation: 0.2")) == []


def test_a_target_among_the_inputs_is_reported_before_anything_is_read(table):
    _, [problem] = table.plan(spec("", inputs="[a, kind]"))
    assert (problem.code, problem.path) == ("NN472", "data.inputs.x")
    assert problem.message == "the column `kind` of the input `x` is the target of `kind`"


def test_a_copy_of_the_target_under_another_name_is_reported_by_its_values(table):
    [problem] = table.prepare(spec("", inputs="[a, copy]")).warnings
    assert problem.code == "NN472"
    assert "the column `copy` of the input `x` equals in every row the target of `kind`" in problem.message


@pytest.mark.parametrize("part", ["test", "validation"])
def test_the_training_data_as_test_data_are_reported(table, part):
    _, [problem] = table.plan(spec(f", {part}: {{csv: a.csv}}"))
    assert (problem.code, problem.path) == ("NN473", f"data.{part}")
    assert problem.message == f"the {part} data are the training data"


def test_test_data_that_are_mostly_training_data_are_reported_by_their_rows(table):
    lines = (table.folder / "a.csv").read_text().splitlines()
    new = "\n0.5,0.25,1,1\n0.5,0.75,1,1\n"
    (table.folder / "t.csv").write_text("\n".join([lines[0], *lines[5:11]]) + new)
    warnings = table.prepare(spec(", test: {csv: t.csv}")).warnings
    assert [warning.code for warning in warnings] == ["NN473"]
    assert "mostly training data: 6 of 8 rows occur in both" in warnings[0].message
    (table.folder / "t.csv").write_text("\n".join([lines[0], *lines[5:6]]) + new)
    assert table.prepare(spec(", test: {csv: t.csv}")).warnings == ()


def test_rows_that_are_the_same_everywhere_are_no_leak(project):
    write(project, "a.csv", [(i % 2, i % 3) for i in range(60)], [i // 6 % 3 for i in range(60)])
    write(project, "t.csv", [(i % 2, i % 3) for i in range(12)], [i // 6 % 3 for i in range(12)])
    assert codes(project, spec(", test: {csv: t.csv}")) == []


@pytest.mark.parametrize(
    ("units", "target", "warned"),
    [
        (5, "kind", True),
        (5, "{column: kind, transform: [label_encode]}", True),
        (5, "{column: kind, transform: [{label_encode: {classes: 5}}]}", False),
        (3, "{column: kind, transform: [label_encode]}", False),
    ],
)
def test_units_without_a_class_are_reported(table, units, target, warned):
    net = NET.replace("units: 3", f"units: {units}")
    found = table.prepare(spec("", target=target, net=net)).warnings
    assert [problem.code for problem in found] == ["NN474"] * warned
    assert not warned or "`kind` has 5 units, but the data have 3 classes" in found[0].message


def test_fewer_units_than_classes_are_an_error(table):
    [problem] = table.refuses(spec("", net=NET.replace("units: 3", "units: 2")))
    assert (problem.code, problem.help) == ("NN425", "give the layer 3 units, or put `label_encode` under `transform`")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("a,b,kind\n1,2,7\n", "NN425"),
        ("a,b,kind\n1,,0\n", "NN422"),
        ("a,b,kind\n", "NN420"),
        ("a,b\n1,2\n", "NN411"),
        ("a,b,kind\n1,2\n", "NN403"),
    ],
)
def test_the_test_data_are_opened_before_the_first_step(table, content, code):
    (table.folder / "t.csv").write_text(content)
    [problem] = table.refuses(spec(", test: {csv: t.csv}"))
    assert problem.code == code


@pytest.mark.parametrize("inner", ["", ", validation: 0.25", ", validation: {fold: {number: 1, of: 3}}"])
def test_a_fold_may_be_the_test_data_and_what_is_watched_comes_from_the_rest(table, inner):
    kept = []
    for number in (1, 2, 3, 4):
        prepared = table.prepare(spec(f", test: {{fold: {{number: {number}, of: 4}}}}{inner}"))
        parts = [prepared.train, *([prepared.validation] if inner else []), prepared.test]
        rows = [set(part.rows.tolist()) for part in parts]
        assert sum(map(len, rows)) == len(set.union(*rows)) == 40
        kept += prepared.test.rows.tolist()
    assert sorted(kept) == list(range(40))


def test_rolling_folds_need_an_order(table):
    [problem] = table.refuses(spec(", test: {fold: {number: 1, of: 4, rolling: true}}"))
    assert problem.code == "NN464"
    assert "`rolling` requires rows in order of time" in problem.message


def test_columns_of_a_wide_table_are_compared_in_linear_time():
    """Each of 4,000 targets was compared with each of 4,000 inputs."""

    class Name(str):
        compared = 0

        def __eq__(self, other):
            Name.compared += 1
            return str.__eq__(self, other)

        __hash__ = str.__hash__

    feeds = {
        place: SimpleNamespace(name=place, columns=tuple(Name(f"{place}{i}") for i in range(4000)))
        for place in ("inputs.x", "targets.y")
    }
    assert not list(warn_of_columns(SimpleNamespace(sources={}), feeds))
    assert Name.compared < 100_000


IMAGES = """inputs: {image: [4, 4, 3]}
layers:
  - Flatten
  - Dense: {units: 2, activation: softmax}
    name: kind
data:
  train: {images: train}
  validation: {images: validation}
  inputs: {image: {transform: [{rescale: 0.1}]}}
  targets: {kind: {column: label, transform: [label_encode]}}
train: {epochs: 1, loss: SparseCategoricalCrossentropy}
"""


def draw(folder, name, shade):
    from PIL import Image

    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (4, 4), (shade, 0, 0)).save(folder / name)


@pytest.mark.parametrize(
    ("shades", "what"),
    [
        ((100, 101), None),
        ((0, 101, 102), "partly training data: 1 of 3 images occur in both, such as `a/0.png`, a copy of `b/0.png`"),
        ((0, 101), "mostly training data: 1 of 2 images occur in both, such as `a/0.png`, a copy of `b/0.png`"),
    ],
)
def test_images_in_two_splits_are_reported_by_their_content(project, shades, what):
    for shade in range(4):
        draw(project.folder, f"train/{'ba'[shade % 2]}/{shade}.png", shade)
    for number, shade in enumerate(shades):
        draw(project.folder, f"validation/{'ab'[number % 2]}/{number}.png", shade)
    found = [problem.message for problem in project.prepare(IMAGES).warnings if problem.code == "NN473"]
    assert found == ([] if what is None else [f"the validation data are {what}"])
