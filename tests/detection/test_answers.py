"""What a detector answers: the class, the score and the box, in pixels of the image that was sent."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from nnspec.cli import main
from nnspec.data.image_frames import ImageFrames, Resized
from nnspec.diagnostics import NnspecError
from nnspec.runtime.detections import Detector
from nnspec.runtime.metadata import DETECTIONS
from nnspec.runtime.predicting import predict_file
from nnspec.runtime.predictor import Predictor
from tests.serving.conftest import running

DETECTOR = Detector("boxes", "scores", "class", "image", ("count",))
OUTPUTS = {
    "boxes": np.array([[[2.0, 4, 8, 12], [-1, 0, 20, 8], [-1, -1, -1, -1]]], np.float32),
    "scores": np.array([[0.5, 0.75, -1]], np.float32),
    "class": np.array([[1, 0, -1]], np.int32),
}


def test_boxes_are_in_pixels_of_the_image_that_was_sent_and_clipped_to_it():
    frames = ImageFrames.unchanged(np.array([[32, 48]])).resized(Resized(16, 16))
    found = DETECTOR.found({"image": np.zeros((1, 16, 16, 3))}, OUTPUTS, ["cat", "dog"], frames)
    assert found.of(0) == [
        {"class": "cat", "score": 0.75, "box": [0.0, 0.0, 48.0, 16.0]},
        {"class": "dog", "score": 0.5, "box": [6.0, 8.0, 24.0, 24.0]},
    ]


def test_an_image_that_is_read_unchanged_keeps_its_boxes():
    found = DETECTOR.found({"image": np.zeros((1, 16, 16, 3))}, OUTPUTS, None, None)
    assert [each["box"] for each in found.of(0)] == [[0.0, 0.0, 16.0, 8.0], [2.0, 4.0, 8.0, 12.0]]
    assert [each["class"] for each in found.of(0)] == [0, 1]


def test_an_answer_is_limited_by_the_score_and_by_the_number_of_objects():
    found = DETECTOR.found({"image": np.zeros((1, 16, 16, 3))}, OUTPUTS, None, None)
    assert [len(found.limited(*limits).of(0)) for limits in ((0.6, None), (None, 1), (0.5, None), (0.9, 5))] == [1, 1, 2, 0]


def test_the_file_and_the_run_answer_alike_for_an_image_of_another_size(run, model, folder):
    from nnspec.exporting.run_predictions import predict_run

    images = [folder / "squares" / f"{number:02}.png" for number in range(3)]
    for image in images:
        [a], [b] = (list(predict(path, str(image)).rows()) for predict, path in ((predict_file, model), (predict_run, run)))
        assert list(a) == ["row", "detections"]
        assert [each["class"] for each in a["detections"]] == [each["class"] for each in b["detections"]]
        for one, other in zip(a["detections"], b["detections"], strict=True):
            np.testing.assert_allclose(one["box"], other["box"], atol=0.02)
        with Image.open(image) as opened:
            assert all(0 <= edge <= max(opened.size) for each in a["detections"] for edge in each["box"])
            seen = np.asarray(opened.resize((16, 16), Image.Resampling.BILINEAR))
            scale = np.array([*opened.size, *opened.size]) / 16
        predictor = Predictor(model)
        port = predictor.inputs["image"]
        [raw] = predictor.detect({"image": seen[None].astype(port.dtype)})
        np.testing.assert_allclose(np.array(raw[0]["box"]) * scale, a["detections"][0]["box"], atol=0.05)


def test_all_images_of_a_data_set_are_answered_in_their_own_pixels(run, folder):
    from nnspec.exporting.run_predictions import predict_run

    rows = list(predict_run(run, None, top=1).rows())
    edges = [edge for row in rows for each in row["detections"] for edge in each["box"]]
    assert len(rows) == 15
    assert max(edges) > 16


def test_the_command_prints_a_line_for_each_object(model, folder):
    image = str(folder / "squares" / "00.png")
    found = CliRunner().invoke(main, ["predict", str(model), "--data", image, "--top", "1"])
    assert found.exit_code == 0, found.output
    assert found.output.split()[:7] == ["row", "class", "score", "x1", "y1", "x2", "y2"]
    found = CliRunner().invoke(main, ["predict", str(model), "--data", image, "--score", "0.99999", "--format", "json"])
    assert json.loads(found.output) == {"row": 0, "detections": []}


def test_limits_are_refused_for_other_models(tmp_path):
    from tests.serving import models

    file = models.write(tmp_path / "a.onnx", models.iris())
    with pytest.raises(NnspecError, match="is no detector, and `score` limits its objects"):
        predict_file(file, {"length": [1.0], "width": [2.0]}, score=0.5)
    with pytest.raises(NnspecError, match="is no detector: it returns `kind`"):
        Predictor(file).detect(np.zeros((1, 2)))


@pytest.mark.parametrize(
    "metadata",
    [
        {"boxes": "kind", "scores": "kind", "classes": "kind", "image": None},
        {"boxes": "boxes", "scores": "scores", "classes": "class", "image": "x"},
        {"boxes": "boxes"},
        {"boxes": [1]},
    ],
)
def test_metadata_of_detections_that_do_not_fit_the_file_are_refused(tmp_path, metadata):
    from tests.serving import models

    file = models.write(tmp_path / "a.onnx", models.scale(**{DETECTIONS: json.dumps(metadata)}))
    with pytest.raises(NnspecError, match=f"not valid under `{DETECTIONS}`"):
        Predictor(file)


@pytest.fixture(scope="module")
def server(model):
    with running([model]) as found:
        yield found


def posted(server, path, content):
    return server.json("POST", path, content, {"Content-Type": "image/png"})


def test_the_server_answers_as_the_command(server, model, folder):
    image = folder / "squares" / "01.png"
    status, answer = posted(server, "/predict", image.read_bytes())
    assert status == 200
    [row] = predict_file(model, str(image)).rows()
    assert answer["predictions"] == [{"detections": row["detections"]}]


def test_the_server_limits_objects_by_the_query(server, folder):
    content = (folder / "squares" / "01.png").read_bytes()
    _, every = posted(server, "/predict", content)
    scores = [each["score"] for each in every["predictions"][0]["detections"]]
    _, first = posted(server, "/predict?top=1", content)
    assert [each["score"] for each in first["predictions"][0]["detections"]] == scores[:1]
    _, none = posted(server, f"/predict?score={scores[0] + 0.001}", content)
    assert none["predictions"] == [{"detections": []}]


@pytest.mark.parametrize("query", ["top=0", "top=x", "score=nan", "score=", "limit=3"])
def test_a_wrong_query_is_refused(server, folder, query):
    status, answer = posted(server, f"/predict?{query}", (folder / "squares" / "01.png").read_bytes())
    assert status == 400
    assert "score" in answer["error"]


def test_the_description_of_the_server_has_the_schema_of_objects(server):
    from jsonschema import validate

    _, described = server.json("GET", "/openapi.json")
    operation = described["paths"]["/predict"]["post"]
    assert [each["name"] for each in operation["parameters"]] == ["score", "top"]
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    good = {"class": "red", "score": 0.5, "box": [0, 0, 4.5, 5]}
    answer = {"model": "squares", "version": "1", "predictions": [{"detections": [good]}]}
    validate(answer, schema)
    _, takes = server.json("GET", "/predict")
    assert takes["models"][0]["detects"] is True


def test_rows_of_pixels_are_answered_in_their_own_pixels(server, folder):
    with Image.open(folder / "squares" / "01.png") as opened:
        seen = np.asarray(opened.resize((16, 16), Image.Resampling.BILINEAR)).tolist()
    status, answer = server.json("POST", "/predict", {"image": seen}, {"Content-Type": "application/json"})
    assert status == 200, answer
    assert all(edge <= 16 for each in answer["predictions"][0]["detections"] for edge in each["box"])
