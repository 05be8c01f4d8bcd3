"""Batches of rows of about one length."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.resume import differences
from nnspec.data.examples import Examples
from nnspec.data.transforms.text import pad
from nnspec.spec import load
from nnspec.training import resume, train
from nnspec.training.loop.order import Order
from nnspec.training.loop.progress import Quiet

NET = """
inputs: {words: {shape: [T], dtype: int32}}
layers:
  - Embedding: {input_dim: 40, output_dim: 4, mask_zero: true}
  - GRU: {units: 4}
  - Dense: {units: 2, activation: softmax}
    name: mood
data:
  train: {jsonl: mail.jsonl}
  validation: 0.2
  inputs: {words: {column: text, transform: [tokenize, {pad: {buckets: BUCKETS}}]}}
  targets: {mood: label}
train: {epochs: 3, batch_size: 8, seed: 5, loss: SparseCategoricalCrossentropy}
"""
TRANSLATOR = """
inputs: {source: {shape: [S], dtype: int32}, target: {shape: [T], dtype: int32}}
layers:
  - Embedding: {input_dim: 40, output_dim: 4, mask_zero: true}
    from: source
  - GRU: {units: 4}
    name: read
  - Embedding: {input_dim: 40, output_dim: 4, mask_zero: true}
    name: heard
    from: target
  - GRU: {units: 4, return_sequences: true}
    from: {x: heard, state: read}
  - Dense: {units: 40, activation: softmax}
    name: said
data:
  train: {jsonl: mail.jsonl}
  inputs:
    source: {column: text, transform: [tokenize, {pad: {length: 20, buckets: [4, 9]}}]}
    target: {column: tags, transform: [{pad: {length: 20, buckets: TARGET}}]}
train: {objective: sequence_to_sequence, epochs: 1, batch_size: 8, seed: 5, loss: SparseCategoricalCrossentropy}
"""
TAGGER = """
inputs: {words: {shape: [T], dtype: int32}}
layers:
  - Embedding: {input_dim: 40, output_dim: 4, mask_zero: true}
  - Dense: {units: 3, activation: softmax}
    name: tags
data:
  train: {jsonl: mail.jsonl}
  inputs: {words: {column: text, transform: [tokenize, {pad: {length: 20, buckets: [4, 9]}}]}}
  targets: {tags: {column: tags, transform: [{pad: 20}]}}
train: {epochs: 1, batch_size: 8, seed: 5, loss: SparseCategoricalCrossentropy}
"""


def write_mail(folder: Path, count: int = 60) -> list[int]:
    random = np.random.default_rng(0)
    lengths = random.integers(1, 20, count).tolist()
    lines = [
        {"text": " ".join(f"w{w}" for w in random.integers(0, 30, n)), "tags": [1] * n, "label": int(n % 2)} for n in lengths
    ]
    (folder / "mail.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return lengths


@dataclass
class Pace:
    steps: int = 3


def part(first: int, count: int) -> Examples:
    return Examples({}, {}, {}, np.arange(first, first + count))


@given(st.lists(st.integers(1, 12), min_size=1, max_size=4), st.integers(1, 5), st.integers(0, 3), st.integers(1, 4), st.data())
def test_an_epoch_has_every_row_once_wherever_it_is_begun_again(sizes, batch_size, epoch, steps, data):
    starts = np.cumsum([0, *sizes])
    parts = tuple(part(int(first), size) for first, size in zip(starts[:-1], sizes, strict=True))
    order = Order(parts, batch_size, 7)

    def batches(first: int, pace: int) -> list[list[int]]:
        calls = order.calls(epoch, first, order.steps, Pace(pace))
        return [found.rows[row].tolist() for found, rows in calls for row in rows]

    whole = batches(0, steps)
    assert sorted(row for batch in whole for row in batch) == list(range(sum(sizes)))
    assert len(whole) == order.steps
    middle = data.draw(st.integers(0, order.steps - 1))
    assert batches(middle, 1) == whole[middle:]
    bounds = [(int(first), int(last)) for first, last in itertools.pairwise(starts)]
    assert all(any(first <= min(batch) and max(batch) < last for first, last in bounds) for batch in whole)


def test_epochs_mix_the_batches_of_all_parts_differently():
    order = Order((part(0, 40), part(40, 40)), 4, 1)
    epochs = [[int(found.rows[0]) for found, rows in order.calls(e, 0, 20, Pace(1)) for _ in rows] for e in (0, 1)]
    assert epochs[0] != epochs[1]
    assert epochs[0] not in (sorted(epochs[0]), sorted(epochs[0], reverse=True))


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        ({"buckets": [3, 5]}, [3, 5, 8]),
        ({"buckets": 2}, [4, 8]),
        ({"length": 4, "buckets": [2]}, [2, 4]),
        ({"length": 6, "buckets": 2}, [4, 6]),
    ],
)
def test_buckets_are_given_or_learned_from_the_lengths(arguments, wanted):
    rows = np.empty(8, object)
    rows[:] = [np.ones(n, int) for n in range(1, 9)]
    built = pad(**arguments)
    learned = built.fit([rows[:5], rows[5:]])
    limits = wanted if "buckets" in learned else None
    assert learned["buckets"][-1] == learned["length"] == wanted[-1]
    assert learned["buckets"][0] in (limits[0], limits[0] + 1)
    assert built.apply(rows, learned).shape == (8, wanted[-1])


@pytest.mark.parametrize(
    ("buckets", "reported"), [([5, 3], "ascend"), ([9], "must not exceed `length`"), (1, "greater than or equal to 2")]
)
def test_buckets_that_make_no_sense_are_refused(buckets, reported):
    with pytest.raises(ValueError, match=reported):
        pad(length=8, buckets=buckets)


def prepared_parts(project, text: str):
    from nnspec.data.prepare import prepare
    from nnspec.training.batches.bucketing import in_buckets

    plan, problems = project.plan(text)
    assert not [problem for problem in problems if problem.is_error]
    prepared = prepare(plan.data, plan.section.seed)
    return prepared, in_buckets(plan.data, prepared.state, prepared.train, plan.graph.conditions)


def test_each_part_is_cut_to_its_bucket_and_loses_nothing_but_filling(project):
    lengths = np.array(write_mail(project.folder))
    prepared, parts = prepared_parts(project, NET.replace("BUCKETS", "3"))
    assert sorted(row for found in parts for row in found.rows) == sorted(prepared.train.rows)
    sizes = [found.inputs["words"].shape[1] for found in parts]
    assert sizes == sorted(sizes)
    assert len(sizes) == 3
    whole = prepared.train.inputs["words"]
    for found, size in zip(parts, sizes, strict=True):
        assert lengths[found.rows].max() <= size
        np.testing.assert_array_equal(found.batch(slice(None)).inputs["words"], whole[found.rows, :size])
        assert not whole[found.rows, size:].any()
    filled = sum((found.batch(slice(None)).inputs["words"] == 0).sum() for found in parts)
    assert filled < 0.5 * (whole[prepared.train.rows] == 0).sum()


def test_filling_on_the_left_is_cut_on_the_left(project):
    write_mail(project.folder)
    _, parts = prepared_parts(project, NET.replace("buckets: BUCKETS", "side: left, buckets: [5, 10]"))
    assert all((found.batch(slice(None)).inputs["words"][:, -1] > 0).all() for found in parts)


def test_targets_of_each_step_are_cut_with_the_input(project):
    write_mail(project.folder)
    _, parts = prepared_parts(project, TAGGER)
    for found in parts:
        batch = found.batch(slice(None))
        assert batch.targets["tags"].shape == batch.inputs["words"].shape
        np.testing.assert_array_equal(batch.targets["tags"] == 1, batch.inputs["words"] > 0)


@pytest.mark.parametrize("target", ["[6, 12]", "[3]", "4"])
def test_rows_with_two_lengths_go_where_both_of_them_fit(project, target):
    write_mail(project.folder)
    prepared, parts = prepared_parts(project, TRANSLATOR.replace("TARGET", target))
    assert sorted(row for found in parts for row in found.rows) == sorted(prepared.train.rows)
    for found in parts:
        batch = found.batch(slice(None))
        assert batch.targets["said"].shape == batch.inputs["target"].shape
        for name in ("source", "target"):
            size = batch.inputs[name].shape[1]
            whole = prepared.train.inputs[name][found.rows]
            np.testing.assert_array_equal(batch.inputs[name], whole[:, :size])
            assert not whole[:, size:].any()
    shapes = [tuple(found.inputs[name].shape[1] for name in ("source", "target")) for found in parts]
    assert len(set(shapes)) == len(shapes) >= 3


def test_two_inputs_of_one_length_cannot_both_have_buckets(project):
    write_mail(project.folder)
    both = TRANSLATOR.replace("shape: [T]", "shape: [S]").replace("TARGET", "[4]")
    _, problems = project.plan(both)
    assert "only one input of length `S`" in " ".join(problem.message for problem in problems)


def test_buckets_fit_what_the_network_takes(project):
    write_mail(project.folder)
    halved = NET.replace("  - GRU: {units: 4}\n", "  - Conv1D: {filters: 4, kernel_size: 5}\n  - GRU: {units: 4}\n").replace(
        "mask_zero: true", "mask_zero: false"
    )
    _, parts = prepared_parts(project, halved.replace("BUCKETS", "[2, 9]"))
    assert min(found.inputs["words"].shape[1] for found in parts) == 5


@pytest.mark.parametrize(
    ("old", "new", "reported"),
    [
        ("shape: [T]", "shape: [20]", "requires an input of free length"),
        ("{mood: label}", "{mood: {column: label, transform: [{pad: {length: 1, buckets: [1]}}]}}", "`pad` requires sequences"),
    ],
)
def test_where_rows_cannot_be_sorted_it_is_reported(project, old, new, reported):
    write_mail(project.folder)
    text = NET.replace("{pad: {buckets: BUCKETS}}", "{pad: {length: 20, buckets: [5]}}")
    _, problems = project.plan(text.replace(old, new))
    assert reported in " ".join(problem.message for problem in problems)


def test_only_one_input_sorts_and_targets_do_not(project):
    write_mail(project.folder)
    _, problems = project.plan(TAGGER.replace("{pad: 20}", "{pad: {length: 20, buckets: [4]}}"))
    assert "`buckets` is not allowed for a target" in " ".join(problem.message for problem in problems)


def test_a_training_in_buckets_goes_on_to_the_same_weights(tmp_path, monkeypatch):
    import os
    import signal

    monkeypatch.setattr("nnspec.training.loop.loop._INITIAL_STEPS_PER_CALL", 1)
    monkeypatch.setattr("nnspec.training.loop.loop._MOST_STEPS_PER_CALL", 2)
    write_mail(tmp_path)
    text = NET.replace("BUCKETS", "2").replace("GRU: {units: 4}", "GlobalAveragePooling1D").replace("epochs: 3", "epochs: 2")
    (tmp_path / "net.nnspec.yaml").write_text("nnspec: 1\nname: net" + text)
    spec = load(tmp_path / "net.nnspec.yaml")
    whole = train(spec, out=tmp_path / "whole", progress=Quiet())

    class Pressing(Quiet):
        calls = 0

        def stepped(self, epoch, step, rate, figures) -> None:
            self.calls += 1
            if self.calls == 8:
                os.kill(os.getpid(), signal.SIGINT)

    run = train(spec, out=tmp_path / "run", progress=Pressing())
    assert run.status == "interrupted"
    assert differences(whole.path, resume(run.path, progress=Quiet()).path) == []
