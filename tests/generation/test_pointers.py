"""Networks that point at the positions of their source: as many classes as the source is long."""

from __future__ import annotations

import json

import numpy as np
import pytest

from nnspec.api import validate
from nnspec.data.kinds import Column, DataError
from nnspec.data.transforms.pointers import positions
from nnspec.diagnostics import NnspecError, SpecError
from nnspec.generation.section import Beam
from nnspec.runtime.generating import generate_rows
from nnspec.runtime.generator import Generator
from nnspec.spec import load

SPEC = """nnspec: 1
name: net
networks:
  encoder:
    inputs: {points: [S, 2]}
    layers:
      - Masking: {mask_value: -1.0}
      - GRU: {units: 8, return_sequences: true, return_state: true}
        name: recurrent
    outputs: {states: recurrent.output, last: recurrent.state}
  decoder:
    inputs: {tokens: {shape: [T], dtype: int32}, memory: [S, 8], state: [8]}
    layers:
      - Parameter: {shape: [4, 8]}
        name: special
        from: tokens
      - Compute:
          all: concatenate([special, where(expand_dims(mask(memory), 2), memory, 0.0)], axis=1)
          read: take(all, tokens, axis=1)
        name: rows
      - GRU: {units: 8, return_sequences: true, return_state: true}
        name: recurrent
        from: {x: rows.read, state: state}
      - Compute:
          score: recurrent.output @ swapaxes(rows.all, 1, 2)
          never: full_like(score[:, :, :1], -1e9)
          there: where(expand_dims(mask(memory), 1), score[:, :, 4:], -1e9)
          logits: concatenate([never, never, score[:, :, 2:3], never, there], axis=2)
        name: pointer
    outputs: {logits: pointer.logits, state: recurrent.state}
inputs: {points: [S, 2], order: {shape: [T], dtype: int32}}
layers:
  - encoder:
    from: points
  - decoder:
    from: {tokens: order, memory: encoder.states, state: encoder.last}
outputs: {logits: decoder.logits}
data:
  train: {jsonl: a.jsonl}
  inputs:
    points: {transform: [{pad: {length: 6, value: -1}}]}
    order: {transform: [{positions: {of: points, start: true, end: true}}, {pad: 8}]}
train:
  objective: sequence_to_sequence
  epochs: 2
  batch_size: 16
  loss: {SparseCategoricalCrossentropy: {from_logits: true}}
  metrics: [SparseCategoricalAccuracy, ExactMatch]
generate:
  encode: encoder
  decode: decoder
  token: {input: tokens, logits: logits}
  memory: {memory: states}
  begin: {state: last}
  carry: {state: state}
  start: <SOS>
  end: <EOS>
  max_length: 8
"""


def rows(count=48):
    random = np.random.default_rng(0)
    for length in random.integers(2, 7, count):
        points = random.random((length, 2)).round(3)
        yield {"points": points.tolist(), "order": np.argsort(points[:, 0]).tolist()}


def write(folder, given=None):
    lines = [json.dumps(row) for row in (rows() if given is None else given)]
    (folder / "a.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "net.nnspec.yaml").write_text(SPEC, encoding="utf-8")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    pytest.importorskip("keras")
    from nnspec.exporting.runs import export_run
    from nnspec.training import train
    from nnspec.training.loop.progress import Quiet

    folder = tmp_path_factory.mktemp("pointers")
    write(folder)
    run = train(load(folder / "net.nnspec.yaml"), out=folder / "run", progress=Quiet())
    export_run(run.path, folder / "net.onnx")
    export_run(run.path, folder / "parts", form="parts")
    return folder


def test_positions_are_tokens_after_the_special_ones():
    made = positions(of="points", start=True, end=True).apply(np.array([[2, 0, 1]]), {})
    assert made.tolist() == [[1, 6, 4, 5, 2]]


def test_positions_are_lists_of_integers():
    with pytest.raises(DataError, match="requires lists of integers"):
        positions(of="points").infer(Column((), "int64"))
    with pytest.raises(DataError, match="requires lists of integers"):
        positions(of="points").infer(Column((3,), "float64"))


def test_a_pointer_network_is_right_before_any_framework_is_loaded(tmp_path):
    write(tmp_path)
    assert validate(tmp_path / "net.nnspec.yaml") == []


def test_free_logits_need_a_memory_to_point_at(tmp_path):
    write(tmp_path)
    there = "      - Compute: {logits: recurrent.output @ swapaxes(recurrent.output, 1, 2)}\n        name: pointer\n"
    start, end = SPEC.index("      - Compute:\n          score"), SPEC.index("    outputs: {logits: pointer.logits")
    spec = SPEC[:start] + there.replace("{logits: ", "{logits: '").replace(", 1, 2)}", ", 1, 2)'}") + SPEC[end:]
    (tmp_path / "net.nnspec.yaml").write_text(spec, encoding="utf-8")
    found = [one for one in validate(tmp_path / "net.nnspec.yaml") if one.code == "NN704"]
    assert "only the length of an input under `memory` may be free" in found[0].help


@pytest.mark.parametrize("order", [[0, 2], [-1, 0]])
def test_a_position_that_a_row_does_not_have_is_an_error(tmp_path, order):
    write(tmp_path, [{"points": [[0.5, 0.5], [0.1, 0.2]], "order": order}, *rows(3)])
    pytest.importorskip("keras")
    from nnspec.training import train

    spec = load(tmp_path / "net.nnspec.yaml")
    with pytest.raises(SpecError) as caught:
        train(spec, out=tmp_path / "run")
    [problem] = caught.value.diagnostics
    assert problem.code == "NN434"
    assert problem.message.endswith(
        f"line 1, column `order`: position {2 if order[0] == 0 else -1}, but the row of `points` has 2 positions, 0 to 1"
    )


def test_a_misspelled_source_of_positions_is_an_error(tmp_path):
    write(tmp_path)
    (tmp_path / "net.nnspec.yaml").write_text(SPEC.replace("of: points", "of: point"), encoding="utf-8")
    [problem] = validate(tmp_path / "net.nnspec.yaml")
    assert (problem.code, problem.help) == ("NN406", "did you mean `points`?")


def test_positions_of_themselves_are_an_error(tmp_path):
    write(tmp_path)
    (tmp_path / "net.nnspec.yaml").write_text(SPEC.replace("of: points", "of: order"), encoding="utf-8")
    [problem] = validate(tmp_path / "net.nnspec.yaml")
    assert (problem.code, problem.help) == ("NN408", "write `of: points`")


def test_a_decoder_answers_with_positions_of_its_source(folder, monkeypatch):
    monkeypatch.chdir(folder)
    lengths = [len(row["points"]) for row in rows(12)]
    of_file, of_parts = (generate_rows(Generator(folder / name), "a.jsonl", limit=12) for name in ("net.onnx", "parts"))
    for row, length in zip(of_file, lengths, strict=True):
        assert row["positions"] == [token - 4 for token in row["tokens"]]
        assert all(0 <= position < length for position in row["positions"])
    assert [row["positions"] for row in of_parts] == [row["positions"] for row in of_file]


def test_longer_sources_than_in_training_have_more_positions(folder):
    points = np.random.default_rng(1).random((3, 20, 2)).astype(np.float32)
    one, *_ = Generator(folder / "parts").generate({"points": points})
    assert all(0 <= position < 20 for position in one.positions)


def test_beam_search_finds_positions_of_the_source(folder):
    points = np.random.default_rng(2).random((4, 5, 2)).astype(np.float32)
    generator = Generator(folder / "parts")
    for one in generator.generate({"points": points}, way=Beam(width=3)):
        assert all(0 <= position < 5 for position in one.positions)
        assert one.score <= 0


def test_a_prompt_cannot_point(folder):
    points = np.zeros((1, 3, 2), np.float32)
    with pytest.raises(NnspecError, match="points at positions of its source, and accepts no prompt"):
        Generator(folder / "parts").generate({"points": points}, prompt=[[4]])


def test_the_server_answers_with_positions(folder):
    from tests.serving.conftest import running

    points = [[0.9, 0.1], [0.2, 0.3], [0.5, 0.5]]
    with running([folder / "net.onnx"]) as server:
        body = [{"points": points}, {"points": points[::-1]}]
        status, found = server.json("POST", "/predict", body, {"Content-Type": "application/json"})
    assert status == 200, found
    wanted = Generator(folder / "net.onnx").generate({"points": np.array([points, points[::-1]], np.float32)})
    assert [row["positions"] for row in found["predictions"]] == [list(one.positions) for one in wanted]
