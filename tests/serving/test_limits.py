"""What a server does not let itself be made to do."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import time
import zlib

import pytest

from tests.serving import models
from tests.serving.conftest import request, running

INFER = "/v2/models/scale/infer"


@pytest.fixture(scope="module")
def strict(tmp_path_factory):
    """A server with tight limits."""
    file = models.write(tmp_path_factory.mktemp("m") / "a.onnx", models.scale())
    with running(
        [file], max_bytes=20_000, memory_bytes=60_000, body_seconds=0.4, header_seconds=0.4, deadline=0.5, connections=20
    ) as found:
        yield found


def test_a_body_that_says_it_is_too_large_is_not_read(strict):
    head = b"POST %b HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\nConnection: close\r\n\r\n" % INFER.encode()
    answer = strict.raw(head, wait=2)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert "this server's limit" in json.loads(answer.partition(b"\r\n\r\n")[2])["error"]


def test_a_client_that_sends_all_of_a_body_that_is_too_large_gets_its_answer(strict):
    status, reported = strict.json("POST", INFER, b" " * 3_000_000)
    assert (status, list(reported)) == (413, ["error"])


def test_a_body_in_chunks_is_counted(strict):
    chunk = b"1000\r\n" + b" " * 0x1000 + b"\r\n"
    head = b"POST %b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n" % INFER.encode()
    assert strict.raw(head + 10 * chunk, wait=2).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    ("bomb", "coding", "status"),
    [
        (gzip.compress(bytes(10_000_000), mtime=0), "gzip", 413),
        (gzip.compress(bytes(10_000_000), mtime=0)[:-4] + (100).to_bytes(4, "little"), "gzip", 400),
        (zlib.compress(bytes(10_000_000)), "deflate", 413),
    ],
)
def test_a_body_is_unpacked_no_further_than_is_allowed(strict, bomb, coding, status):
    found, reported = strict.json("POST", INFER, bomb, {"Content-Encoding": coding})
    assert (found, list(reported)) == (status, ["error"])
    assert strict.state.bodies.used == 0


def test_a_body_that_comes_slowly_is_given_up(strict):
    head = b"POST %b HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{" % INFER.encode()
    begun = time.monotonic()
    answer = strict.raw(head)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert time.monotonic() - begun < 3


def test_a_head_that_comes_slowly_is_given_up(strict):
    answer = strict.raw(b"GET /v2 HTTP/1.1\r\nHost: a\r\n")
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert strict.raw(b"") == b""


def test_a_second_head_that_comes_slowly_is_given_up(strict):
    answer = strict.raw(b"GET /v2 HTTP/1.1\r\nHost: a\r\n\r\nGET /v2 HT")
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"HTTP/1.1 408 " in answer


def test_a_head_without_end_is_refused(strict):
    answer = strict.raw(b"GET /v2 HTTP/1.1\r\n" + b"A: b\r\n" * 20_000)
    assert answer.startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize(
    "rubbish", [b"\0\1\2\3\r\n\r\n", b"HELLO\r\n\r\n", b"GET / HTTP/1.1\r\nA b\r\n\r\n", b"\x16\x03\x01\x02\x00"]
)
def test_what_is_no_http_is_answered_with_json(strict, rubbish):
    answer = strict.raw(rubbish)
    assert answer.startswith(b"HTTP/1.1 4")
    assert "error" in json.loads(answer.partition(b"\r\n\r\n")[2])


def test_two_lengths_are_refused(strict):
    head = b"POST %b HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n" % INFER.encode()
    assert strict.raw(head).startswith(b"HTTP/1.1 400 ")


def test_a_new_connection_takes_the_place_of_the_one_that_has_been_idle_longest(strict):
    held = [socket.create_connection(("127.0.0.1", strict.port)) for _ in range(20)]
    time.sleep(0.1)
    try:
        assert strict.json("GET", "/v2")[0] == 200
        held[0].settimeout(5)
        assert held[0].recv(1) == b""
    finally:
        for connection in held:
            connection.close()


def test_a_client_that_has_left_frees_its_place(strict):
    strict.state.repository.find("scale")
    with socket.create_connection(("127.0.0.1", strict.port)) as connection:
        body = json.dumps(request()).encode()
        connection.sendall(b"POST %b HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % (INFER.encode(), len(body)) + body)
        connection.shutdown(socket.SHUT_RDWR)
    time.sleep(0.1)
    assert strict.state.repository.find("scale").batcher.waiting == 0
    assert strict.state.bodies.used == 0
    assert strict.json("POST", INFER, request())[0] == 200


@pytest.fixture
def held(tmp_path):
    """A server whose model computes only when it may."""
    file = models.write(tmp_path / "a.onnx", models.scale())
    free = threading.Event()
    with running([file], queue=2, deadline=5.0) as found:
        served = found.state.repository.find("scale")
        run = served.predictor.run
        served.predictor.run = lambda arrays: free.wait(10) and run(arrays)
        try:
            yield found, free
        finally:
            free.set()


def test_a_request_past_its_own_time_is_answered_with_504(held):
    server, _ = held
    status, reported = server.json("POST", INFER, request(parameters={"timeout": 100_000}))
    assert (status, reported["error"].endswith("within its deadline of 0.1 s")) == (504, True)


def test_a_request_that_finds_the_queue_full_is_reported_when_to_come_back(held):
    server, free = held
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(server.ask("POST", INFER, json.dumps(request())))) for _ in range(6)
    ]
    for thread in threads:
        thread.start()
        time.sleep(0.03)
    free.set()
    for thread in threads:
        thread.join()
    statuses = sorted(status for status, _, _ in found)
    assert statuses == [200, 200, 200, 503, 503, 503]
    assert all(headers["Retry-After"] == "1" for status, headers, _ in found if status == 503)


def test_a_client_that_leaves_while_it_waits_is_dropped(held):
    server, free = held
    body = json.dumps(request()).encode()
    head = b"POST %b HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % (INFER.encode(), len(body))
    connections = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(3)]
    for connection in connections:
        connection.sendall(head + body)
        time.sleep(0.03)
    for connection in connections[1:]:
        connection.close()
    time.sleep(0.1)
    # Their two places in the queue are free again.
    found = []
    threads = [threading.Thread(target=lambda: found.append(server.json("POST", INFER, request())[0])) for _ in range(2)]
    for thread in threads:
        thread.start()
    time.sleep(0.1)
    free.set()
    for thread in threads:
        thread.join()
    connections[0].close()
    assert found == [200, 200]
    assert '"status":499' in server.log.getvalue() or time.sleep(0.2) or '"status":499' in server.log.getvalue()
