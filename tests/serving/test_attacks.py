"""What attacks do to a server: nothing. `python -m benchmarks serving attacks` does the same at full size, and measures."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import os
import random
import signal
import socket
import struct
import subprocess
import sys
import time
import zlib
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nnspec.diagnostics import NnspecError
from nnspec.serving.budget import SMALL, Memory
from nnspec.serving.errors import RequestError
from nnspec.serving.hosts import allowed_hosts
from nnspec.serving.loading import load_in_background, load_with_timeout
from nnspec.serving.server import serve
from nnspec.serving.settings import Settings
from tests.serving import models
from tests.serving.conftest import request, running

INFER = "/v2/models/scale/infer"
JSON = {"Content-Type": "application/json"}
CSV = {"Content-Type": "text/csv"}


def eventually(holds, seconds=20.0):
    """Whether something comes to hold."""
    until = time.monotonic() + seconds
    while not holds() and time.monotonic() < until:
        time.sleep(0.02)
    return holds()


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """A model of two columns, with small limits."""
    file = models.write(tmp_path_factory.mktemp("m") / "a.onnx", models.iris())
    with running([file], max_rows=50, max_values=1000) as found:
        yield found
        assert found.state.bodies.used == 0


# --- what a body becomes ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "headers", "status", "words"),
    [
        (b"[" + b",".join([b"{}"] * 1_000_000) + b"]", JSON, 413, "1,000 values"),
        (b"[" + b",".join([b'{"length":1,"width":2}'] * 51) + b"]", JSON, 413, "50 rows"),
        (b'{"length":1,"width":[' + b"1," * 2000 + b"1]}", JSON, 413, "1,000 values"),
        (b'{"length":1,"width":"' + b"a" * 5000 + b'"}', JSON, 413, "1,000 characters of text"),
        (b"[" * 100_000, JSON, 413, "1,000 values"),
        (b"[" * 200, JSON, 400, "not valid JSON"),
        (b"[{}]", JSON, 400, "the data have no column `length`"),
        (b'[{"a":1},{"length":1,"width":2}]', JSON, 400, "the columns are `a`"),
        (b'[{"length":1,"width":2},{"length":1}]', JSON, 400, "row 2: it has no `width`"),
        (b"1,2\n" * 60, CSV, 413, "50 rows"),
        (b"\n" * 5000, CSV, 413, "50 rows"),
        (b"1," * 2000, CSV, 413, "1,000 values"),
    ],
)
@pytest.mark.parametrize("is_packed", [False, True])
def test_rows_and_values_are_counted_before_they_are_read(rows, body, headers, status, words, is_packed):
    sent = {**headers, **({"Content-Encoding": "gzip"} if is_packed else {})}
    found, reported = rows.json("POST", "/predict", gzip.compress(body) if is_packed else body, sent)
    assert found == status
    assert words in reported["error"] or (is_packed and "100 times its size" in reported["error"]), reported


def test_rows_that_are_a_compressed_file_become_no_more_than_their_bytes(rows):
    status, reported = rows.json("POST", "/predict", gzip.compress(b"5,1\n" * 200_000), CSV)
    assert (status, "decompresses to more" in reported["error"]) == (400, True), reported


def test_a_body_that_unpacks_to_very_much_is_refused_whatever_it_says_of_itself(rows):
    bomb = gzip.compress(b" " * 3_000_000)
    for body in (bomb, bomb[:-4] + (2000).to_bytes(4, "little")):
        status, reported = rows.json("POST", "/predict", body, {**JSON, "Content-Encoding": "gzip"})
        assert status in (400, 413)
        assert "100 times its size" in reported["error"] or "declares a wrong size" in reported["error"]
    status, reported = rows.json("POST", "/predict", zlib.compress(b" " * 3_000_000), {**JSON, "Content-Encoding": "deflate"})
    assert (status, "100 times its size" in reported["error"]) == (413, True)


def test_a_deadline_holds_while_a_body_is_read(tmp_path):
    file = models.write(tmp_path / "a.onnx", models.iris())
    body = json.dumps([{"length": 1, "width": 2}] * 9000).encode()
    with running([file], deadline=0.001) as server:
        assert server.json("POST", "/predict", body, JSON)[0] == 504
        assert server.state.bodies.used == 0


def test_large_requests_leave_room_for_small_ones():
    memory = Memory(80 * SMALL)
    reservations = [memory.reservation() for _ in range(8)]
    for reservation in reservations[:4]:
        reservation.reserve(16 * SMALL)
    with pytest.raises(RequestError) as refused:
        reservations[4].reserve(16 * SMALL)
    assert refused.value.status == 503
    memory.reservation().reserve(SMALL)
    with pytest.raises(RequestError) as refused:
        memory.reservation().reserve(79 * SMALL)
    assert refused.value.status == 413
    for reservation in reservations:
        reservation.release()
    assert memory.used == SMALL


def test_a_request_of_many_rows_is_computed_in_parts_that_others_go_between(tmp_path):
    file = models.write(tmp_path / "a.onnx", models.scale())
    with running([file], batch_rows=2) as server:
        count = 501
        status, reported = server.json("POST", INFER, request(range(3 * count), [count, 3]))
        assert (status, reported["outputs"][0]["data"]) == (200, [2 * i for i in range(3 * count)])
        text = server.ask("GET", "/metrics")[2].decode()
        assert 'nnspec_batch_rows_count{model="scale",version="1"} 63.0' in text


# --- who does not read, send or ask -----------------------------------------------------------------------------------


@pytest.fixture
def impatient(tmp_path):
    with running([models.write(tmp_path / "a.onnx", models.scale())], write_seconds=0.3) as found:
        yield found


def connected(server):
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect(("127.0.0.1", server.port))
    return connection


def large_request(rows):
    tensor = {"name": "x", "datatype": "FP32", "shape": [rows, 3], "parameters": {"binary_data_size": 12 * rows}}
    head = json.dumps({"inputs": [tensor]}).encode()
    reported = f"POST {INFER} HTTP/1.1\r\nHost: a\r\nContent-Length: {len(head) + 12 * rows}\r\nInference-Header-Content-Length: {len(head)}\r\n\r\n"
    return reported.encode() + head + np.random.default_rng(0).random(3 * rows, np.float32).tobytes()


def test_an_answer_is_counted_until_it_is_read_and_a_client_that_does_not_read_is_closed(impatient):
    connection = connected(impatient)
    connection.sendall(large_request(400_000))
    assert eventually(lambda: "nnspec_batch_rows" in impatient.ask("GET", "/metrics")[2].decode())
    assert eventually(lambda: impatient.state.bodies.used == 0)
    found = b""
    with suppress(ConnectionError):
        while part := connection.recv(2**20):
            found += part
    connection.close()
    assert len(found) < int(found.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])


def test_a_client_that_reads_slowly_gets_all(impatient):
    connection = connected(impatient)
    connection.sendall(large_request(20_000))
    head = b""
    while b"\r\n\r\n" not in head:
        head += connection.recv(1)
    left = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    while left:
        left -= len(connection.recv(min(left, 65_536)))
        time.sleep(0.002)
    connection.close()
    assert eventually(lambda: impatient.state.bodies.used == 0)


def test_very_many_requests_at_once_on_one_connection_are_not_queued(impatient):
    with connected(impatient) as connection:
        connection.settimeout(10)
        connection.sendall(b"GET /v2 HTTP/1.1\r\nHost: a\r\n\r\n" * 1000)
        found = b""
        with suppress(ConnectionError):
            while part := connection.recv(65_536):
                found += part
    assert 1 <= found.count(b"HTTP/1.1 200 ") < 30
    assert impatient.json("GET", "/v2")[0] == 200


def test_health_is_answered_where_every_connection_is_being_answered(tmp_path):
    file = models.write(tmp_path / "a.onnx", models.endless(turns=None))
    with running([file], connections=3, deadline=2.0) as server:
        body = json.dumps(request([1e15, 0, 0])).encode()
        head = b"POST %b HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % (INFER.encode(), len(body))
        held = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(3)]
        for connection in held:
            connection.sendall(head + body)
        assert eventually(lambda: server.state.repository.find("scale").batcher.waiting == 2)
        assert server.json("GET", "/v2/health/live") == (200, {"live": True})
        assert server.json("GET", "/v2") == (503, {"error": "too many connections; try again later"})
        for connection in held:
            connection.settimeout(20)
            assert connection.recv(20).startswith(b"HTTP/1.1 504 ")
            connection.close()


@pytest.mark.parametrize("begin", [b"0\r\n", b"5;extension="])
@pytest.mark.parametrize("more", [b"X-A: b\r\n", b"x"])
def test_a_body_with_trailers_or_extensions_without_end_is_ended(server, begin, more):
    head = b"POST /v2/models/scale/infer HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=20)
    with connection, pytest.raises(ConnectionError):
        connection.sendall(head + begin + more * (100_000_000 // len(more)))
    assert eventually(lambda: server.state.bodies.used == 0)


# --- models that never end --------------------------------------------------------------------------------------------


def test_an_answer_that_takes_for_ever_is_stopped_at_its_deadline_and_holds_up_no_other(tmp_path):
    file = models.write(tmp_path / "a.onnx", models.endless(turns=None))
    with running([file], deadline=0.5) as server:
        assert server.json("POST", INFER, request([1e15, 0, 0]))[0] == 504
        assert server.json("POST", INFER, request([2, 0, 0]))[1]["outputs"][0]["data"] == [2, 0, 0]


def test_a_model_that_never_ends_its_first_answer_is_not_served(tmp_path):
    file = models.write(tmp_path / "a.onnx", models.endless())
    with pytest.raises(NnspecError, match=r"was not loaded within 0\.3 s"):
        serve([str(file)], port=0, settings=Settings(warm_up_seconds=0.3))


def test_what_cannot_be_stopped_is_left_alone():
    begun = time.monotonic()
    with pytest.raises(NnspecError, match="was not loaded"):
        load_with_timeout(lambda: time.sleep(8), Path("a.onnx"), 0.05)
    with pytest.raises(NnspecError, match="was not loaded"):
        asyncio.run(load_in_background(lambda: time.sleep(8), Path("a.onnx"), 0.05))
    assert time.monotonic() - begun < 7


def test_a_file_that_never_ends_its_first_answer_holds_up_neither_another_nor_the_servers_end(tmp_path):
    files = {name: models.write(tmp_path / f"{name}.onnx", models.scale(name=name)) for name in ("one", "two")}
    with running(files.values(), warm_up_seconds=600) as server:
        models.write(files["one"], models.endless())
        assert eventually(lambda: server.state.repository._loading)
        models.write(files["two"], models.scale(3, "two"))
        infer = "/v2/models/two/infer"
        assert eventually(lambda: server.json("POST", infer, request())[1]["outputs"][0]["data"] == [3, 6, 9])
        assert server.json("POST", "/v2/models/one/infer", request())[1]["outputs"][0]["data"] == [2, 4, 6]


def test_a_process_whose_model_never_ends_its_first_answer_ends_on_sigterm(tmp_path):
    file = models.write(tmp_path / "a.onnx", models.scale())
    process = subprocess.Popen(
        [sys.executable, "-m", "nnspec", "serve", str(file), "--port", "0", "--drain", "0"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    )  # fmt: skip
    process.stdout.readline()
    models.write(file, models.endless())
    time.sleep(1.5)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=25)
    assert (process.returncode, err) == (0, "")
    assert json.loads(out.splitlines()[-1])["event"] == "ended"


@pytest.fixture(scope="module")
def named(tmp_path_factory):
    hosts = allowed_hosts("127.0.0.1", ["Nets.example", "*.inside.example"])
    with running([models.write(tmp_path_factory.mktemp("m") / "a.onnx", models.scale())], hosts=hosts) as found:
        yield found


# --- names, kinds, pictures -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("LOCALHOST:8000", 200),
        ("127.0.0.1:1", 200),
        ("[::1]:80", 200),
        ("192.168.0.7", 200),
        ("nets.example", 200),
        ("a.inside.example:80", 200),
        ("evil.example", 421),
        ("inside.example.evil", 421),
        ("localhost.evil.example", 421),
        ("127.0.0.1.evil.example:80", 421),
        ("[::1].evil.example", 421),
        ("evil.example:80@localhost", 421),
        ("", 421),
    ],
)
def test_a_request_must_call_the_server_by_a_name_it_has(named, host, status):
    for path in ("/v2/health/live", "/v2", "/", "/nothing"):
        found, headers, body = named.ask("GET", path, headers={"Host": host})
        assert found == (404 if path == "/nothing" and status == 200 else status)
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert status == 200 or "`Host` header" in json.loads(body)["error"]


def test_a_request_with_two_names_is_refused(server):
    answer = server.raw(b"GET /v2 HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("content", [b"GET /v2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", b"rubbish\r\n\r\n"])
def test_no_answer_may_be_taken_for_another_kind(server, content):
    assert b"x-content-type-options: nosniff" in server.raw(content).lower()


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    file = models.write(tmp_path_factory.mktemp("m") / "a.onnx", models.picture(white=255))
    with running([file]) as found:
        yield found
        assert found.state.bodies.used == 0


def drawn(form, size=(8, 8)):
    stream = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)).save(stream, form)
    return stream.getvalue()


def test_a_png_with_a_byte_changed_or_left_out_is_refused_as_damaged(pictures):
    content, draws = drawn("PNG"), random.Random(0)
    for place in [*range(len(content))][:: len(content) // 60]:
        changed = content[:place] + bytes([content[place] ^ draws.randint(1, 255)]) + content[place + 1 :]
        for body in (changed, content[:place] + content[place + 1 :], content[:place]):
            status, reported = pictures.json("POST", "/predict", body, {"Content-Type": "image/png"})
            assert status == 400, (place, reported)


def test_a_damaged_jpeg_is_refused_or_read_but_never_of_another_kind(pictures):
    content, draws = drawn("JPEG", (40, 40)), random.Random(0)
    for _ in range(60):
        body = bytearray(content)
        for _ in range(4):
            body[draws.randrange(len(body))] = draws.randrange(256)
        assert pictures.json("POST", "/predict", bytes(body), {"Content-Type": "image/jpeg"})[0] in (200, 400)


def test_what_is_no_picture_of_ours_is_of_another_kind(pictures):
    for body, kind in ((b"GIF89a", "image/gif"), (b"hello", "text/plain"), (b"hello", "")):
        assert pictures.json("POST", "/predict", body, {"Content-Type": kind})[0] == 415
    assert pictures.json("POST", "/predict", drawn("PNG"), {"Content-Type": "text/plain"})[0] == 200


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def test_pictures_of_very_many_pixels_or_scans_are_refused(pictures):
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0))
    png = b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    stream = io.BytesIO()
    Image.new("L", (64, 64)).save(stream, "JPEG", progressive=True)
    jpeg = stream.getvalue()
    scans = jpeg[:-2] + jpeg[jpeg.rfind(b"\xff\xda") : -2] * 200 + jpeg[-2:]
    for body, status, words in ((png, 413, "16,777,216 pixels"), (scans, 400, "100 scans")):
        got, reported = pictures.json("POST", "/predict", body, {"Content-Type": "image/png"})
        assert (got, words in reported["error"]) == (status, True), reported


def test_a_sequence_of_no_elements_is_refused(server):
    tensor = {"name": "t", "datatype": "INT64", "shape": [1, 0], "data": []}
    status, reported = server.json("POST", "/v2/models/table/infer", {"inputs": [tensor]})
    assert (status, "is empty" in reported["error"]) == (400, True)
