"""``/predict`` and the page: what a model was trained on goes in, its answer in words comes out."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
import time

import numpy as np
import pytest
from onnx import TensorProto, helper
from PIL import Image

from nnspec.data.image_files import INTERPOLATIONS
from nnspec.diagnostics import NnspecError
from nnspec.runtime.generating import generate_rows
from nnspec.runtime.generator import Generator
from nnspec.runtime.metadata import EXAMPLES
from nnspec.runtime.predicting import predict_file
from nnspec.runtime.predictor import Predictor
from nnspec.serving.budget import Budget, Memory
from nnspec.serving.request_decoder import request_decoder_of
from tests.serving import models
from tests.serving.conftest import running
from tests.serving.decoders import decoder_files


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    with running([models.write(tmp_path_factory.mktemp("m") / "a.onnx", models.iris())]) as found:
        yield found


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("m")
    files = [
        models.write(folder / "a.onnx", models.picture(white=255)),
        models.write(folder / "b.onnx", models.picture(TensorProto.FLOAT, white=1)),
    ]
    with running([files[0], f"fractions={files[1]}"]) as found:
        yield found


def drawn(size=(4, 4), form="PNG"):
    """Black on the left, white on the right."""
    pixels = np.zeros(size, np.uint8)
    pixels[:, size[1] // 2 :] = 255
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, form)
    return stream.getvalue()


def test_a_row_of_json_is_answered_with_the_name_of_a_class(rows):
    status, reported = rows.json("POST", "/predict", {"length": 1, "width": 2.5}, {"Content-Type": "application/json"})
    assert (status, reported["model"]) == (200, "iris")
    assert reported["predictions"] == [{"kind_class": "wide", "kind": [1.0, 2.5, 0.0]}]


@pytest.mark.parametrize(
    "body",
    [
        b'{"length": 1, "width": 2.5, "length": 3}',
        b'{"length" : 1, "width": 2.5, "length": 3}',
        b'{"length"\n:1, "width": 2, "note": "a\\":", "length": 2}',
        b'[{"length": 1, "width": 2}, {"length": 1, "width": 2, "len\\u0067th": 3}]',
        b'{"length": 1, "width": 2, "note": {"length": 1, "a": {"length": 1, "length": 2}}}',
        b'{"length": 1, "width": 2, "note": [1, {"length": 1, "length": 2}]}',
        b'{"length": 1, "width": 2, "note": "a: \\" b: \\\\", "length": 2}',
    ],
)
def test_a_key_that_is_there_twice_is_refused(rows, body):
    status, reported = rows.json("POST", "/predict", body, {"Content-Type": "application/json"})
    assert (status, reported["error"]) == (400, 'the request has the key "length" twice in one object; send it once')


@pytest.mark.parametrize(
    "note",
    [b'"a: \\" b: \\\\"', b'{"length": 1, "b": {"length": 2}}', b'[{"length": 1}, {"length": 1}, 3]', b'[3, {"length": 1}]'],
)
def test_colons_in_texts_and_the_same_key_in_other_objects_are_none_of_that(rows, note):
    body = b'{"length": 1, "width": 2.5, "note": ' + note + b"}"
    assert rows.json("POST", "/predict", body, {"Content-Type": "application/json"})[0] == 200


def test_a_request_that_is_nested_deep_is_refused_or_answered(rows):
    body = b'{"length": 1, "width": 2.5, "note": ' + b'[{"a":' * 400 + b"1" + b"}]" * 400 + b"}"
    assert rows.json("POST", "/predict", body, {"Content-Type": "application/json"})[0] in (200, 400)


def test_several_rows_of_json_are_answered_in_order(rows):
    body = [{"length": 9, "width": 1}, {"length": 1, "width": 9}]
    _, reported = rows.json("POST", "/predict/iris", body, {"Content-Type": "application/json"})
    assert [row["kind_class"] for row in reported["predictions"]] == ["long", "wide"]


@pytest.mark.parametrize("body", [b"5,1\n", b"5,1", b"width,length\n1,5\n", b"length,note,width\n5,hello,1"])
def test_a_row_of_csv_may_say_its_columns_or_leave_that_out(rows, body):
    status, reported = rows.json("POST", "/predict", body, {"Content-Type": "text/csv; charset=utf-8"})
    assert status == 200
    assert reported["predictions"][0]["kind_class"] == "long"


@pytest.mark.parametrize(
    ("body", "kind", "status", "words"),
    [
        (b'{"length": 1, "widht": 2}', "application/json", 400, "did you mean `widht`"),
        (b'{"length": 1, "width": "a"}', "application/json", 400, "is not a number"),
        (b'{"length": 1, "width": null}', "application/json", 400, "missing"),
        (b"[]", "application/json", 400, "expected rows as a JSON object"),
        (b"[[1]]", "application/json", 400, "expected rows as a JSON object"),
        (b"{", "application/json", 400, "not valid JSON"),
        (b"1,2,3\n", "text/csv", 400, "got 3"),
        (b"\xff\xfe,1\n", "text/csv", 400, "UTF-8"),
        (b"", "text/csv", 400, "empty"),
        (b"5 1", "text/plain", 415, "expected rows as JSON"),
        (b"\x89PNG\r\n\x1a\n", "image/png", 415, "expected rows as JSON"),
    ],
)
def test_what_a_model_does_not_take_is_refused_with_the_reason(rows, body, kind, status, words):
    found, reported = rows.json("POST", "/predict", body, {"Content-Type": kind})
    assert found == status
    assert words in reported["error"]


@pytest.mark.parametrize(("size", "form"), [((4, 4), "PNG"), ((40, 64), "PNG"), ((80, 80), "JPEG")])
def test_a_picture_is_brought_to_the_models_size(pictures, size, form):
    status, reported = pictures.json("POST", "/predict/side", drawn(size, form), {"Content-Type": f"image/{form.lower()}"})
    assert status == 200
    left, right = reported["predictions"][0]["side"]
    assert reported["predictions"][0]["side_class"] == "right"
    assert (left, right) == (pytest.approx(0, abs=40), pytest.approx(255, abs=40))


def test_pixels_are_fractions_where_they_were_in_training(pictures):
    _, reported = pictures.json("POST", "/predict/fractions", drawn(), {"Content-Type": "image/png"})
    assert reported["predictions"][0]["side"] == [0.0, 1.0]


def test_a_picture_that_is_cut_short_or_too_large_is_refused(pictures):
    assert pictures.json("POST", "/predict/side", drawn()[:45], {"Content-Type": "image/png"})[0] == 400
    bomb = drawn((10, 10)).replace(b"\0\0\0\x0a\0\0\0\x0a", b"\0\1\0\0\0\1\0\0", 1)
    assert pictures.json("POST", "/predict/side", bomb, {"Content-Type": "image/png"})[0] == 400


def test_several_models_must_be_named(pictures):
    status, reported = pictures.json("POST", "/predict", drawn())
    assert (status, reported["error"]) == (400, "several models are served; use one of /predict/side, /predict/fractions")


def test_a_model_says_what_a_person_gives_it(pictures, rows):
    reported = pictures.json("GET", "/predict/side")[1]
    assert (reported["takes"], reported["height"], reported["width"], reported["channels"]) == ("image", 4, 4, 1)
    reported = rows.json("GET", "/predict/iris")[1]
    assert reported["columns"] == [{"name": name, "kind": "number", "may_miss": False} for name in ("length", "width")]
    assert reported["classes"] == {"kind": ["long", "wide", "<b>neither</b>"]}


def test_preprocess_returns_the_inputs_as_a_request_to_infer_that_has_the_same_prediction(pictures):
    status, request = pictures.json("POST", "/preprocess/side", drawn((40, 64)), {"Content-Type": "image/png"})
    [image] = request["inputs"]
    assert (status, image["datatype"], image["shape"]) == (200, "UINT8", [1, 4, 4, 1])
    [output] = pictures.json("POST", "/v2/models/side/infer", request)[1]["outputs"]
    predicted = pictures.json("POST", "/predict/side", drawn((40, 64)), {"Content-Type": "image/png"})[1]
    assert output["data"] == predicted["predictions"][0]["side"]


@pytest.mark.parametrize("model", ["side", "fractions"])
def test_preprocess_returns_the_image_that_the_network_reads_if_png_is_accepted(pictures, model):
    headers = {"Content-Type": "image/png", "Accept": "image/png"}
    status, answered, body = pictures.ask("POST", f"/preprocess/{model}", drawn((40, 64)), headers)
    assert (status, answered["Content-Type"]) == (200, "image/png")
    image = np.asarray(Image.open(io.BytesIO(body)))
    assert (image.shape, image[0, 0], image[0, 3]) == ((4, 4), 0, 255)


def test_preprocess_returns_no_image_of_rows(rows):
    body, headers = b'{"length": 1, "width": 2}', {"Content-Type": "application/json", "Accept": "image/png"}
    status, reported = rows.json("POST", "/preprocess", body, headers)
    assert (status, reported["error"]) == (406, "`iris` has no image as its input; accept JSON")


def test_examples_of_the_file_are_returned_and_a_damaged_list_is_refused(tmp_path):
    example = {"length": 1.5, "width": 2.5}
    made = models.iris()
    helper.set_model_props(made, {**{prop.key: prop.value for prop in made.metadata_props}, EXAMPLES: json.dumps([example])})
    with running([models.write(tmp_path / "a.onnx", made)]) as server:
        assert server.json("GET", "/predict/iris")[1]["examples"] == 1
        assert server.json("GET", "/predict/iris/examples")[1] == {"examples": [example]}
        body, kind = json.dumps(example).encode(), {"Content-Type": "application/json"}
        assert server.json("POST", "/predict", body, kind)[1]["predictions"][0]["kind_class"] == "wide"
    helper.set_model_props(made, {**{prop.key: prop.value for prop in made.metadata_props}, EXAMPLES: '{"a": 1}'})
    with (
        pytest.raises(NnspecError, match=r"not valid under `nnspec\.examples`"),
        running([models.write(tmp_path / "b.onnx", made)]),
    ):
        pass


def test_a_model_that_does_not_say_what_it_was_trained_on_is_asked_otherwise(server):
    status, reported = server.json("POST", "/predict/scale", {"x": 1}, {"Content-Type": "application/json"})
    assert (status, reported["error"][-26:]) == (400, "use /v2/models/scale/infer")
    assert server.json("GET", "/predict/scale")[1]["takes"] is None


def test_the_page_runs_no_script_but_its_own(rows):
    status, headers, body = rows.ask("GET", "/")
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    script = re.search("<script>(.*?)</script>", body.decode(), re.DOTALL)[1]
    hashed = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = headers["Content-Security-Policy"]
    assert f"script-src 'sha256-{hashed}'" in policy
    assert "unsafe" not in policy
    assert "innerHTML" not in script


RESIZED = [{"transform": "resize", "arguments": {"size": [4, 4], "interpolation": "nearest"}, "learned": {}}]


def read_by(interpolation, size=(4, 4)):
    return {"images": {"image_size": list(size), "color_mode": "grayscale", "interpolation": interpolation}}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Models that were trained on pictures read and resized in every way, and their files."""
    folder = tmp_path_factory.mktemp("m")
    made = {f"read_{way}": models.picture(white=255, reader=read_by(way)) for way in INTERPOLATIONS}
    made |= {
        "transform": models.picture(white=255, transforms=RESIZED),
        "both": models.picture(white=255, reader=read_by("area", (9, 7)), transforms=RESIZED),
        "neither": models.picture(white=255),
        "fractions": models.picture(TensorProto.FLOAT, white=1),
    }
    files = {name: models.write(folder / f"{name}.onnx", model) for name, model in made.items()}
    with running([f"{name}={file}" for name, file in files.items()]) as found:
        yield found, files


@pytest.mark.parametrize(
    ("mode", "size", "form"), [("L", (13, 17), "PNG"), ("RGB", (33, 20), "JPEG"), ("P", (9, 9), "PNG"), ("RGBA", (4, 4), "PNG")]
)
def test_a_picture_is_decoded_and_resized_alike_by_predict_and_by_the_server(trained, tmp_path, mode, size, form):
    server, files = trained
    file = tmp_path / "pictures" / f"a.{form.lower()}"
    file.parent.mkdir()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)).convert(mode).save(file)
    for name, model in files.items():
        reported = server.json("POST", f"/predict/{name}", file.read_bytes(), {"Content-Type": f"image/{form.lower()}"})[1]
        for data in (str(file), str(file.parent), f"{{images: {{folder: '{file.parent}'}}}}"):
            assert reported["predictions"][0]["side"] == predict_file(model, data).outputs["side"][0].tolist(), (name, data)


def test_the_way_a_picture_is_resized_is_that_of_the_training(trained):
    server, _ = trained
    content = drawn((9, 7))
    found = {
        name: server.json("POST", f"/predict/{name}", content, {"Content-Type": "image/png"})[1]["predictions"][0]["side"]
        for name in ("read_nearest", "read_bilinear", "transform", "neither")
    }
    pixels = np.asarray(Image.open(io.BytesIO(content)))
    nearest = np.asarray(Image.fromarray(pixels).resize((4, 4), Image.Resampling.NEAREST), np.float32)
    assert found["read_nearest"] == found["transform"] == [nearest[:, :2].mean(), nearest[:, 2:].mean()]
    assert found["read_bilinear"] == found["neither"] != found["read_nearest"]


def test_rows_of_csv_are_written_as_those_of_the_training(tmp_path):
    model = models.iris(reader={"csv": {"delimiter": ";", "missing": ["-"]}})
    file = models.write(tmp_path / "a.onnx", model)
    (tmp_path / "rows.csv").write_text("length;width\n9;1\n1;9\n")
    with running([file]) as server:
        reported = server.json("POST", "/predict", (tmp_path / "rows.csv").read_bytes(), {"Content-Type": "text/csv"})[1]
    predicted = predict_file(file, str(tmp_path / "rows.csv"))
    assert (
        [row["kind_class"] for row in reported["predictions"]]
        == [row["kind_class"] for row in predicted.rows()]
        == ["long", "wide"]
    )


def test_a_file_that_says_nonsense_of_its_reader_is_an_error_and_no_failure(tmp_path):
    for reader in (
        {"csv": {"delimiter": "too long"}},
        {"images": {"interpolation": 3}},
        {"images": {"interpolation": "area", "image_size": "x"}},
    ):
        file = models.write(tmp_path / "a.onnx", models.picture(white=255, reader=reader))
        body, kind = (b"image\n1\n", "text/csv") if "csv" in reader else (drawn(), "image/png")
        with running([file]) as server:
            status, reported = server.json("POST", "/predict", body, {"Content-Type": kind})
            assert (status, "damaged" in reported["error"]) == (400, True)


# --- decoders ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def decoders(tmp_path_factory):
    """A translator and a language model, with texts, and their files."""
    files = decoder_files(tmp_path_factory.mktemp("m"))
    with running([f"{name}={file}" for name, file in files.items()], require_proof=False) as found:
        yield found, files


@pytest.mark.parametrize("name", ["translator", "language_model"])
def test_a_decoder_answers_with_texts_as_generate_does(decoders, name):
    server, files = decoders
    takes = server.json("GET", f"/predict/{name}")[1]
    assert takes["takes"] == "text"
    column = takes["columns"][0]["name"]
    wanted = generate_rows(Generator(files[name]), ["a b", "b"])
    rows = [{column: "a b"}, {column: "b"}]
    for body, kind in (
        (json.dumps(rows).encode(), "application/json"),
        (f"{column}\na b\nb\n".encode(), "text/csv"),
    ):
        status, reported = server.json("POST", f"/predict/{name}", body, {"Content-Type": kind})
        assert status == 200, reported
        assert reported["predictions"] == [{key: value for key, value in row.items() if key != "row"} for row in wanted]
    reported = server.json("POST", f"/predict/{name}", b"a b", {"Content-Type": "text/plain"})[1]
    assert reported["predictions"][0]["text"] == wanted[0]["text"]


def test_a_decoder_that_is_given_no_text_says_so(decoders):
    server, _ = decoders
    for value in (3, None, [1, 2]):
        status, reported = server.json("POST", "/predict/translator", {"german": value}, {"Content-Type": "application/json"})
        assert status == 400
        assert "row 1" in reported["error"]


def test_a_picture_of_too_many_pixels_is_refused_with_what_a_client_can_do(pictures):
    stream = io.BytesIO()
    Image.new("1", (5000, 4000)).save(stream, "PNG")
    status, reported = pictures.json("POST", "/predict/fractions", stream.getvalue(), {"Content-Type": "image/png"})
    assert (status, reported["error"]) == (
        413,
        "the image has more than 16,777,216 pixels, this server's limit; send a smaller image",
    )


def test_advice_for_the_author_of_the_spec_is_logged_and_not_answered(tmp_path):
    rows = [{"length": 1, "width": 2}, {"length": "?", "width": 2}]
    with running([models.write(tmp_path / "a.onnx", models.iris())]) as server:
        status, reported = server.json("POST", "/predict", rows, {"Content-Type": "application/json"})
        assert status == 400
        assert "transform" not in reported["error"]
        server.state.journal.close()
        [line] = [found for found in map(json.loads, server.log.getvalue().splitlines()) if found["event"] == "refused"]
    assert line["error"] == reported["error"]
    assert "put `impute: median` first under `transform`" in line["advice"]


def test_no_file_is_written_for_rows_of_csv(tmp_path, monkeypatch):
    decoder = request_decoder_of(Predictor(models.write(tmp_path / "a.onnx", models.iris())))
    assert decoder is not None
    for name in ("os.mkdir", "pathlib.Path.write_bytes", "pathlib.Path.write_text"):
        monkeypatch.setattr(name, None)
    budget = Budget(Memory(2**20).reservation(), 9, time.monotonic() + 9, 100, 1000)
    inputs = decoder.read(bytearray(b"length,width\n9,1\n"), "text/csv", budget).arrays
    assert [array.tolist() for array in inputs.values()] == [[[9.0, 1.0]]]
