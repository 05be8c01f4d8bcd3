"""How a server is run: files that change, tokens, figures, the log, and its end."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import onnx
import pytest

from nnspec.diagnostics import NnspecError
from nnspec.serving.loading import named_sources
from nnspec.serving.server import read_tokens, serve
from tests.serving import models
from tests.serving.conftest import request, running

INFER = "/v2/models/scale/infer"


def given(server):
    return server.json("POST", INFER, request())[1]["outputs"][0]["data"]


def refresh(server):
    """Looks at the files now."""
    asyncio.run(server.state.repository.refresh())


def test_a_file_that_is_replaced_is_loaded_anew_and_a_bad_one_is_not(tmp_path):
    file = models.write(tmp_path / "a.onnx", models.scale(2))
    with running([file]) as server:
        assert given(server) == [2, 4, 6]
        models.write(file, models.scale(3))
        deadline = time.monotonic() + 10
        while given(server) != [3, 6, 9] and time.monotonic() < deadline:
            time.sleep(0.1)
        assert given(server) == [3, 6, 9]
        file.write_bytes(b"half a file")
        while "reload failed" not in server.log.getvalue() and time.monotonic() < deadline:
            time.sleep(0.1)
        assert "reload failed" in server.log.getvalue()
        assert given(server) == [3, 6, 9]
        text = server.ask("GET", "/metrics")[2].decode()
        assert 'nnspec_model_reloads_total{model="scale",outcome="loaded",version="1"} 1.0' in text


def test_a_version_that_is_added_is_served_and_one_that_is_taken_away_is_not(tmp_path):
    first = models.write(tmp_path / "net" / "1" / "model.onnx", models.scale(1))
    with running([tmp_path / "net"]) as server:
        models.write(tmp_path / "net" / "2" / "model.onnx", models.scale(2))
        deadline = time.monotonic() + 10
        while server.json("GET", "/v2/models/net")[1]["versions"] != ["1", "2"] and time.monotonic() < deadline:
            time.sleep(0.1)
        first.unlink()
        while server.json("GET", "/v2/models/net")[1]["versions"] != ["2"] and time.monotonic() < deadline:
            time.sleep(0.1)
        assert server.json("GET", "/v2/models/net")[1]["versions"] == ["2"]


def test_a_token_lets_in_and_its_absence_does_not(tmp_path):
    file = models.write(tmp_path / "a.onnx", models.scale())
    tokens = tmp_path / "tokens"
    tokens.write_text("one\n\ntwo\n")
    with running([file], tokens=read_tokens(tokens)) as server:
        for wrong in ({}, {"Authorization": "Bearer"}, {"Authorization": "Bearer on"}, {"Authorization": "Basic one"}):
            status, headers, body = server.ask("POST", INFER, json.dumps(request()), wrong)
            assert (status, headers["WWW-Authenticate"], list(json.loads(body))) == (401, "Bearer", ["error"])
        for right in ("Bearer one", "bearer two"):
            assert server.ask("POST", INFER, json.dumps(request()), {"Authorization": right})[0] == 200
        assert server.ask("GET", "/metrics")[0] == 401
        assert server.ask("GET", "/v2/health/ready")[0] == 200


def test_a_file_without_a_token_is_refused(tmp_path):
    (tmp_path / "tokens").write_text("\n")
    with pytest.raises(NnspecError, match="contains no token"):
        read_tokens(tmp_path / "tokens")


def test_figures_name_models_and_never_what_a_client_wrote(tmp_path):
    file = models.write(tmp_path / "a.onnx", models.scale())
    with running([file]) as server:
        given(server)
        server.ask("GET", "/v2/models/evil-name")
        server.ask("GET", "/evil-path")
        text = server.ask("GET", "/metrics")[2].decode()
    assert 'nnspec_requests_total{model="scale",route="infer",status="200"} 1.0' in text
    assert 'nnspec_batch_rows_count{model="scale",version="1"} 1.0' in text
    assert "evil" not in text


def test_each_request_is_a_line_of_json(tmp_path):
    file = models.write(tmp_path / "a.onnx", models.scale())
    with running([file]) as server:
        given(server)
        server.ask("GET", '/no%0Athing"')
    lines = [json.loads(line) for line in server.log.getvalue().splitlines()]
    reported = [line for line in lines if line["event"] == "request"]
    assert (reported[0]["method"], reported[0]["path"], reported[0]["status"], reported[0]["model"]) == (
        "POST",
        INFER,
        200,
        "scale",
    )
    assert reported[1]["status"] == 404


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda model: models.PROVEN | {"outputs": {"y": {"error": 1.0, "tolerance": 1e-5}}}, "differs from the trained model"),
        (lambda model: models.PROVEN | {"outputs": {}}, "nothing was compared"),
        (lambda model: {}, "damaged"),
    ],
)
def test_a_model_whose_record_is_no_proof_is_refused(tmp_path, spoil, words):
    file = tmp_path / "a.onnx"
    record = spoil(None)
    models.write(file, models.scale(), record or {"outputs": 3})
    with pytest.raises(NnspecError, match=words):
        serve([str(file)], port=0)


@pytest.mark.parametrize("change", ["weight", "class", "node"])
def test_a_model_that_was_changed_after_it_was_proven_is_refused(tmp_path, change):
    file = models.write(tmp_path / "a.onnx", models.iris())
    model = onnx.load(file)
    if change == "weight":
        model.graph.initializer[0].raw_data = b"\1" + model.graph.initializer[0].raw_data[1:]
    elif change == "class":
        model.metadata_props[1].value = model.metadata_props[1].value.replace("long", "wide")
    else:
        model.graph.node[0].name = "other"
    file.write_bytes(model.SerializeToString())
    with pytest.raises(NnspecError, match="was modified"):
        serve([str(file)], port=0)


def test_a_model_without_a_record_is_served_where_that_is_allowed(tmp_path):
    file = models.write(tmp_path / "a.onnx", models.scale(), record=None)
    with pytest.raises(NnspecError, match="no parity record"):
        serve([str(file)], port=0)
    with running([file], require_proof=False) as server:
        assert given(server) == [2, 4, 6]


def test_weights_in_another_file_are_not_read(tmp_path):
    model = models.scale()
    tensor = model.graph.initializer[0]
    (tmp_path / "secret").write_bytes(bytes(64))
    tensor.data_location = onnx.TensorProto.EXTERNAL
    for key, value in (("location", "secret"), ("offset", "0"), ("length", "4")):
        tensor.external_data.add(key=key, value=value)
    tensor.ClearField("raw_data")
    (tmp_path / "a.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(NnspecError, match="cannot be loaded"):
        serve([str(tmp_path / "a.onnx")], port=0)


def test_two_models_of_one_name_are_reported_apart(tmp_path):
    files = [str(models.write(tmp_path / f"{i}.onnx", models.scale(i))) for i in (1, 2)]
    with pytest.raises(NnspecError, match="are both named `scale`"):
        named_sources(files)
    assert list(named_sources([files[0], f"other={files[1]}"])) == ["scale", "other"]


@pytest.mark.parametrize("name", ["a/b", "..", "", "a b"])
def test_a_name_that_would_be_no_path_is_refused(tmp_path, name):
    file = models.write(tmp_path / "a.onnx", models.scale())
    with pytest.raises(NnspecError, match="invalid model name"):
        named_sources([f"{name}={file}"])


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(NnspecError, match="contains no model"):
        named_sources([str(tmp_path)])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_server_when_every_request_has_its_answer(tmp_path, number):
    file = models.write(tmp_path / "a.onnx", models.scale())
    process = subprocess.Popen(
        [sys.executable, "-m", "nnspec", "serve", str(file), "--port", "0", "--drain", "0.3"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    )  # fmt: skip
    url = json.loads(process.stdout.readline())["url"]
    statuses, stop = [], threading.Event()

    def ask():
        while not stop.is_set():
            try:
                with urllib.request.urlopen(url + INFER, json.dumps(request()).encode(), timeout=5) as response:
                    statuses.append(response.status)
            except OSError as error:
                assert re.search("refused|reset", str(error), re.IGNORECASE), error
                return

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    process.send_signal(number)
    out, err = process.communicate(timeout=20)
    stop.set()
    for thread in threads:
        thread.join()
    assert (process.returncode, err) == (0, "")
    assert set(statuses) == {200}
    assert json.loads(out.splitlines()[-1])["event"] == "ended"


def test_a_signal_that_comes_while_a_line_is_written_down_ends_the_server_too(tmp_path):
    file = models.write(tmp_path / "a.onnx", models.scale())
    with running([file]) as server:
        # A handler runs in the middle of whatever its thread does; here, within the journal's own lock.
        with server.state.journal._lines.mutex:
            handler = threading.Thread(target=server.server.handle_exit, args=(signal.SIGTERM, None), daemon=True)
            handler.start()
            handler.join(5)
            assert not handler.is_alive()
        deadline = time.monotonic() + 10
        while '"draining"' not in server.log.getvalue() and time.monotonic() < deadline:
            time.sleep(0.02)
        assert '"draining"' in server.log.getvalue()


def test_an_address_that_is_taken_is_an_error_without_a_traceback(tmp_path):
    file = models.write(tmp_path / "a.onnx", models.scale())
    with running([file]) as server, pytest.raises(NnspecError, match="cannot listen on"):
        serve([str(file)], port=server.port)


def test_a_certificate_that_is_none_is_refused(tmp_path):
    file = models.write(tmp_path / "a.onnx", models.scale())
    (tmp_path / "c.pem").write_text("nothing")
    with pytest.raises(NnspecError, match="cannot be used for TLS"):
        serve([str(file)], port=0, certificate=tmp_path / "c.pem")
    with pytest.raises(NnspecError, match="requires a certificate"):
        serve([str(file)], port=0, key=tmp_path / "c.pem")


def test_what_is_served_needs_no_onnx():
    program = (
        "import sys; sys.modules['onnx'] = sys.modules['tensorflow'] = sys.modules['keras'] = None\n"
        "import nnspec.serving.server"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True)
