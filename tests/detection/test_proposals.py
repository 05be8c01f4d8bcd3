"""Detectors that take an image and proposals: both are given in pixels of the image, and moved together."""

from __future__ import annotations

import json
from base64 import b64encode

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from nnspec.cli import main
from nnspec.diagnostics import NnspecError
from nnspec.runtime.predicting import predict_file
from nnspec.runtime.predictor import Predictor
from nnspec.spec import load
from nnspec.training import Run, train
from nnspec.training.loop.progress import Quiet
from tests.serving.conftest import running

SPEC = """nnspec: 1
name: regions
networks:
  classifier:
    inputs: {crop: [4, 4, 3]}
    layers: [Flatten, {Dense: 3}]
inputs:
  image: [16, 16, 3]
  proposals: [4, 4]
  boxes: [1, 4]
  class: {shape: [1], dtype: int32}
layers:
  - RoIAlign: {size: 4}
    name: crops
    from: {x: image, boxes: proposals}
  - TimeDistributed: {layer: classifier}
    name: logits
  - Compute: softmax(logits, axis=2)[:, :, :-1]
    name: scores
  - NonMaxSuppression: {iou: 0.9, score: 0.0, keep: 4}
    name: found
    from: {boxes: proposals, scores: scores}
outputs: {boxes: found.boxes, scores: found.scores, class: found.class, count: found.count}
data:
  train: {images: {jsonl: squares.jsonl, column: file, image_size: [16, 16]}}
  inputs:
    image: {transform: [{rescale: 0.00392156862745098}]}
    proposals: {transform: [{boxes: {of: image}}, {pad: 4}]}
    boxes: {transform: [{boxes: {of: image}}, {pad: 1}]}
    class: {transform: [label_encode, {pad: 1}]}
train:
  epochs: 30
  batch_size: 8
  optimizer: {Adam: {learning_rate: 0.02}}
  objective:
    program:
      layers:
        - MatchBoxes: {foreground: 0.5, background: 0.5, keep_best: false}
          from: {anchors: proposals, boxes: boxes, class: class}
          name: matched
        - RoIAlign: {size: 4}
          from: {x: image, boxes: proposals}
          name: crops
        - Compute: reshape(crops, [4 * B, 4, 4, 3])
          name: each
        - classifier:
          name: numbers
        - Compute:
            kind: where(matched.class < 0, 2, matched.class)
            logits: reshape(numbers, [B, 4, 3])
            loss: mean(-sum(one_hot(kind, 3) * log_softmax(logits, axis=2), axis=2))
          name: losses
      minimize: [{loss: losses.loss, of: classifier}]
export: {outputs: [boxes, scores, class, count]}
"""


@pytest.fixture(scope="module")
def squares(tmp_path_factory):
    """Images of several sizes with a red or green square each, its box, and proposals of which one is the box."""
    folder = tmp_path_factory.mktemp("regions")
    random = np.random.default_rng(0)
    lines = []
    for number in range(40):
        width, height = (int(size) for size in random.integers(24, 48, 2))
        w, h = int(random.integers(8, width // 2)), int(random.integers(8, height // 2))
        x, y, kind = int(random.integers(0, width - w)), int(random.integers(0, height - h)), number % 2
        pixels = np.zeros((height, width, 3), np.uint8)
        pixels[y : y + h, x : x + w, kind] = 255
        Image.fromarray(pixels).save(folder / f"{number:02}.png")
        box = [x, y, x + w, y + h]
        others = [[0, 0, width, height], [0, 0, 6, 6], [width - 6, height - 6, width, height]]
        proposals = [*others[: number % 3 + 1], box]
        lines.append({"file": f"{number:02}.png", "boxes": [box], "class": [("red", "green")[kind]], "proposals": proposals})
    (folder / "squares.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (folder / "regions.nnspec.yaml").write_text(SPEC)
    return folder, lines


@pytest.fixture(scope="module")
def model(squares):
    from nnspec.exporting.runs import export_run

    folder, _ = squares
    run = train(load(folder / "regions.nnspec.yaml"), out=folder / "run", progress=Quiet())
    assert isinstance(run, Run)
    export_run(run, folder / "regions.onnx", examples=2)
    return folder / "regions.onnx"


@pytest.fixture
def expected(squares, model):
    """What the file answers to the rows of the data, and the data."""
    folder, lines = squares
    rows = list(predict_file(model, f"images: {{jsonl: {folder}/squares.jsonl, column: file}}").rows())
    return [row["detections"] for row in rows], lines


def test_the_best_box_is_the_proposal_of_the_object_in_pixels_of_the_stored_image(expected):
    answers, lines = expected
    right = 0
    for found, line in zip(answers, lines, strict=True):
        best = found[0]
        right += best["class"] == line["class"][0] and np.allclose(best["box"], line["boxes"][0], atol=0.05)
    assert right >= 36
    assert max(edge for found in answers for each in found for edge in each["box"]) > 16


def test_rows_of_paths_are_answered_as_the_data(expected, squares, model, monkeypatch):
    answers, lines = expected
    folder, _ = squares
    predictor = Predictor(model)
    rows = [{"image": folder / line["file"], "proposals": line["proposals"]} for line in lines[:5]]
    assert predictor.detect(rows) == answers[:5]
    assert predictor.detect({name: [row[name] for row in rows] for name in ("proposals", "image")}) == answers[:5]
    assert predictor.detect(rows[0]) == answers[:1]
    monkeypatch.chdir(folder)
    file = folder / "rows.jsonl"
    file.write_text("".join(json.dumps({"image": each["file"], "proposals": each["proposals"]}) + "\n" for each in lines[:5]))
    assert [row["detections"] for row in predict_file(model, str(file)).rows()] == answers[:5]


def test_the_command_states_what_a_single_image_lacks(squares, model):
    folder, _ = squares
    found = CliRunner().invoke(main, ["predict", str(model), "--data", str(folder / "00.png")])
    assert found.exit_code != 0
    assert "also takes `proposals`" in found.output
    assert '"proposals": [[10, 20, 40, 30]]' in found.output


def test_an_image_that_is_missing_is_reported_with_its_row(model):
    with pytest.raises(NnspecError, match=r"row 0, column `image`: `none.png` cannot be read: No such file"):
        Predictor(model).detect([{"image": "none.png", "proposals": [[0, 0, 4, 4]]}])


def test_too_many_proposals_are_refused_and_none_is_left_out_silently(squares, model):
    folder, _ = squares
    with pytest.raises(NnspecError, match="5 boxes, but the model takes 4"):
        Predictor(model).detect({"image": folder / "00.png", "proposals": [[0, 0, 4, 4]] * 5})


@pytest.fixture(scope="module")
def server(model):
    with running([model]) as found:
        yield found


def row_of(folder, line):
    return {"image": b64encode((folder / line["file"]).read_bytes()).decode(), "proposals": line["proposals"]}


def posted(server, body):
    return server.json("POST", "/predict", body, {"Content-Type": "application/json"})


def test_the_server_takes_an_image_in_base64_with_its_proposals(server, expected, squares):
    answers, lines = expected
    folder, _ = squares
    status, answer = posted(server, row_of(folder, lines[0]))
    assert status == 200, answer
    assert answer["predictions"] == [{"detections": answers[0]}]
    row = row_of(folder, lines[1])
    status, answer = posted(server, [row_of(folder, lines[0]), {**row, "image": f"data:image/png;base64,{row['image']}"}])
    assert [each["detections"] for each in answer["predictions"]] == answers[:2]


def test_pixels_and_proposals_in_their_frame_are_answered_in_it(server, squares):
    folder, lines = squares
    with Image.open(folder / lines[0]["file"]) as opened:
        scale = np.array([16 / opened.width, 16 / opened.height] * 2)
        seen = np.asarray(opened.resize((16, 16), Image.Resampling.BILINEAR)).tolist()
    proposals = (np.array(lines[0]["proposals"]) * scale).tolist()
    status, answer = posted(server, {"image": seen, "proposals": proposals})
    assert status == 200, answer
    assert all(edge <= 16 for each in answer["predictions"][0]["detections"] for edge in each["box"])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"image": "!!"}, "row 1, column `image`: a text that is not base64"),
        ({"image": b64encode(b"GIF89a").decode()}, "is not a PNG or JPEG image"),
        ({"proposals": [[0, 0, 400, 4]]}, "row 1, column `proposals`, item 0: the box [0, 0, 400, 4]"),
        ({"proposals": [[9, 9, 4, 4]]}, "wrong order"),
        ({"proposals": [[0, 0, 4, 4]] * 5}, "5 boxes, but the model takes 4"),
        ({"proposals": [1, 2, 3]}, "rows of four numbers"),
        ({"proposals": "all"}, "rows of four numbers"),
        ({"proposals": None}, "rows of four numbers"),
    ],
)
def test_a_wrong_request_is_refused_with_its_place(server, squares, change, words):
    folder, lines = squares
    status, answer = posted(server, {**row_of(folder, lines[0]), **change})
    assert status == 400
    assert words in answer["error"], answer


def test_no_proposals_have_no_objects(server, squares):
    folder, lines = squares
    status, answer = posted(server, {**row_of(folder, lines[0]), "proposals": []})
    assert status == 200, answer
    assert answer["predictions"][0]["detections"] == []


def test_the_examples_of_the_file_are_requests(server):
    _, found = server.json("GET", "/predict/regions/examples")
    assert len(found["examples"]) == 2
    status, answer = posted(server, found["examples"])
    assert status == 200, answer
    assert all(each["detections"] for each in answer["predictions"])


def test_the_description_states_the_columns_and_a_request_has_its_schema(server, squares):
    from jsonschema import validate

    folder, lines = squares
    _, takes = server.json("GET", "/predict")
    [description] = takes["models"]
    assert description["takes"] == "row"
    kinds = {column.pop("name"): column for column in description["columns"]}
    assert kinds["image"] == {"kind": "image", "may_miss": False, "height": 16, "width": 16, "channels": 3}
    assert kinds["proposals"] == {"kind": "boxes", "may_miss": False, "of": "image", "most": 4}
    _, described = server.json("GET", "/openapi.json")
    schema = described["paths"]["/predict"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    validate(row_of(folder, lines[0]), schema)
