"""The reader `together`: rows of several readers side by side."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from nnspec.exporting.runs import export_run
from nnspec.runtime.predicting import predict_file
from nnspec.spec import load
from nnspec.training import resume, train
from nnspec.training.loop.progress import Quiet

NET = """inputs: {left: [4, 4, 3], right: [4, 4, 3]}
layers:
  - Flatten:
    from: left
    name: first
  - Flatten:
    from: right
    name: second
  - Concatenate:
    from: [first, second]
  - Dense: {units: 1}
    name: far
outputs: [far]
"""
READERS = "{together: {a: {images: horses}, b: {images: zebras}}}"
INPUTS = "inputs: {left: {column: a.image, transform: [{rescale: 0.01}]}, right: {column: b.image, transform: [standardize]}}"
TRAIN = "train: {epochs: 2, batch_size: 2, seed: 1, loss: Value}\n"


def spec(reader: str = READERS, more: str = "", inputs: str = INPUTS) -> str:
    return NET + f"data: {{train: {reader}, {inputs}{more}}}\n" + TRAIN


def picture(path, level: int) -> None:
    Image.fromarray(np.full((4, 4, 3), level, np.uint8)).save(path)


@pytest.fixture(autouse=True)
def images(project):
    for folder, count, level in (("horses", 7, 10), ("zebras", 3, 100)):
        (project.folder / folder).mkdir()
        for i in range(count):
            picture(project.folder / folder / f"{i}.png", level + i)


def raw(project, text: str):
    return project.prepare(text.replace(", transform: [{rescale: 0.01}]", "").replace(", transform: [standardize]", ""))


def firsts(examples, name: str) -> list[int]:
    return np.asarray(examples.inputs[name])[examples.rows, 0, 0, 0].astype(int).tolist()


def test_rows_of_the_shorter_reader_are_repeated(project):
    train = raw(project, spec()).train
    assert firsts(train, "left") == [10, 11, 12, 13, 14, 15, 16]
    assert firsts(train, "right") == [100, 101, 102, 100, 101, 102, 100]


def test_transforms_are_fitted_on_each_row_once(project):
    prepared = project.prepare(spec())
    [step] = prepared.state["inputs.right"]
    assert step["learned"]["mean"] == pytest.approx([101.0] * 3)


def test_a_fraction_is_taken_from_each_reader_so_that_no_row_is_in_two_splits(project):
    prepared = raw(project, spec(more=", validation: 0.3"))
    for name, all_ in (("left", set(range(10, 17))), ("right", {100, 101, 102})):
        ours, theirs = (set(firsts(part, name)) for part in (prepared.train, prepared.validation))
        assert ours | theirs == all_
        assert not ours & theirs
    assert (len(prepared.train), len(prepared.validation)) == (4, 3)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_folds_are_taken_from_each_reader(project, number):
    prepared = raw(project, spec(more=f", test: {{fold: {{number: {number}, of: 3}}}}"))
    assert not set(firsts(prepared.train, "right")) & set(firsts(prepared.test, "right"))
    assert len(set(firsts(prepared.test, "right"))) == 1


def test_readers_of_different_kinds_split_by_their_own_columns(project):
    (project.folder / "rows.csv").write_text("patient,x\n" + "".join(f"p{i // 2},{i}\n" for i in range(8)), encoding="utf-8")
    net = "inputs: {x: [1], image: [8, 8, 1]}\nlayers:\n  - Flatten:\n    from: image\n  - Dense: {units: 1}\n  - Multiply:\n"
    net += "    from: [x, dense]\n    name: y\n"
    text = net + "data: {train: {together: {t: {csv: rows.csv}, d: {builtin: digits}}}, validation: 0.25, group: t.patient, "
    prepared = project.prepare(text + "inputs: {x: t.x, image: d.image}}\n" + TRAIN)
    ours, theirs = (
        set(np.asarray(p.inputs["x"])[p.rows, 0].astype(int).tolist()) for p in (prepared.train, prepared.validation)
    )
    assert {x // 2 for x in ours}.isdisjoint({x // 2 for x in theirs})
    assert len(prepared.train) == 1347


def test_large_images_are_read_when_they_are_used(project, monkeypatch):
    from nnspec.data import lazy

    whole = project.prepare(spec(more=", validation: 0.3"))
    monkeypatch.setattr(lazy, "IN_MEMORY", 10)
    parts = project.prepare(spec(more=", validation: 0.3"))
    for name in ("left", "right"):
        assert isinstance(parts.train.inputs[name], lazy.LazyArray)
        np.testing.assert_allclose(np.asarray(parts.train.inputs[name]), whole.train.inputs[name], rtol=1e-5, atol=1e-6)


def test_a_changed_file_of_either_reader_changes_the_fingerprint(project):
    before = project.prepare(spec()).fingerprints["train"]
    picture(project.folder / "zebras" / "1.png", 7)
    after = project.prepare(spec()).fingerprints["train"]
    assert [name for name in before.files if before.files[name] != after.files[name]] == ["zebras/1.png"]


@pytest.mark.parametrize(
    ("reader", "code", "path", "words"),
    [
        ("{together: {a: {images: horses}, b: {image: zebras}}}", "NN109", "data.train.together.b", "images"),
        ("{together: {a: {images: horses}, b: {images: {folder: zebras, sise: 3}}}}", "NN103",
         "data.train.together.b.images.sise", "takes"),
        ("{together: {a: {images: horses}, b: {images: zebra}}}", "NN402", "data.train.together.b.images", "zebra"),
        ("{together: {a: {images: horses}}}", "NN105", "data.train.together", ""),
        ("{together: horses}", "NN101", "data.train.together", "NAME"),
    ],
)  # fmt: skip
def test_errors_are_located_at_the_reader(project, reader, code, path, words):
    problems = project.plan(spec(reader), require_data=False)[1]
    found = [(problem.code, problem.path) for problem in problems]
    assert (code, path) in found, found
    assert any(words in problem.help for problem in problems if problem.path == path)


def test_a_damaged_file_is_located_at_its_reader(project):
    (project.folder / "zebras" / "1.png").write_bytes(b"no image")
    [problem] = project.refuses(spec())
    assert problem.path == "data.train.together.b.images"
    assert "1.png" in problem.message


def test_an_unknown_column_is_reported_with_those_of_all_readers(project):
    problems = project.plan(spec(inputs=INPUTS.replace("b.image", "b.imge")), require_data=False)[1]
    assert [(problem.code, problem.path, problem.help) for problem in problems] == [
        ("NN404", "data.inputs.right.column", "did you mean `b.image`?")
    ]


def test_python_callers_and_the_schema_write_it_as_a_spec_does():
    from nnspec.data.section import DataSection

    section = DataSection.model_validate({"train": {"together": {"a": {"images": "x"}, "b": {"builtin": "digits"}}}})
    assert section.train.named_paths() == {"a.folder": "x"}


def _run(project, out: str = "run", **arguments):
    file = project.folder / "net.nnspec.yaml"
    file.write_text("nnspec: 1\nname: net\n" + spec(more=", validation: 0.3"), encoding="utf-8")
    return train(load(file), out=project.folder / out, progress=Quiet(), **arguments)


def test_a_run_records_both_readers_and_predicts_on_data_of_both(project):
    pytest.importorskip("keras")
    run = _run(project)
    assert run.recipe()["reader"]["together"]["a"]["images"]["color_mode"] == "rgb"
    export_run(run.path, project.folder / "net.onnx")
    data = json.dumps(
        {"together": {key: {"images": str(project.folder / path)} for key, path in (("a", "horses"), ("b", "zebras"))}}
    )
    assert len(predict_file(project.folder / "net.onnx", data)) == 7


def test_a_network_of_one_reader_takes_its_data_alone():
    from nnspec.data.reader_arguments import of_one_member

    entry = {"columns": ["b.image"], "stacked": False, "transforms": []}
    recipe = {"inputs": {"image": entry}, "reader": {"together": {"a": {}, "b": {"images": {"color_mode": "rgb"}}}}}
    assert of_one_member(recipe) == {
        "inputs": {"image": {**entry, "columns": ["image"]}},
        "reader": {"images": {"color_mode": "rgb"}},
    }
    both = {**recipe, "inputs": {"x": {**entry, "columns": ["a.image"]}, "y": entry}}
    assert of_one_member(both) == both


def test_a_training_that_was_stopped_ends_with_the_same_bits(project):
    pytest.importorskip("keras")
    from ..training.test_resume import Listening

    whole = _run(project, "whole")
    file = project.folder / "net.nnspec.yaml"
    cut = train(load(file), out=project.folder / "cut", progress=Listening(1))
    assert cut.status == "interrupted"
    last = resume(project.folder / "cut", progress=Quiet())
    assert {name: value.tobytes() for name, value in last.weights().items()} == {
        name: value.tobytes() for name, value in whole.weights().items()
    }
