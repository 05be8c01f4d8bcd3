"""Data at URLs: objects of a server of S3 on this machine, through a proxy that makes faults."""

from __future__ import annotations

import time

import numpy as np
import pytest

from benchmarks.object_store import CREDENTIALS, failing, running_proxy, running_store
from nnspec.data.kinds import DataError
from nnspec.data.paths import MissingFileError
from nnspec.data.readers.csv import Csv
from nnspec.data.readers.images import Images
from nnspec.data.readers.jsonl import Jsonl
from nnspec.data.readers.npz import Npz
from nnspec.data.readers.parquet import Parquet
from nnspec.data.readers.text import Text
from nnspec.data.remote import cache as caches
from nnspec.data.remote import remote_file, requests
from nnspec.data.shards import write_shards
from nnspec.diagnostics import NnspecError
from nnspec.spec import load
from nnspec.training import resume, train
from nnspec.training.loop.progress import Quiet

from .pictures import write_digits
from .test_shards import SPEC

pytest.importorskip("moto")
pytest.importorskip("s3fs")
ROWS = "a,b\n1,x\n2,y\n"


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """The server, with digits in a folder and in shards, and small files of several kinds."""
    folder = tmp_path_factory.mktemp("objects")
    write_digits(folder / "digits", 100)
    write_shards(Images(folder="digits").open({"folder": folder / "digits"}), folder / "shards", 4)
    (folder / "a.csv").write_text(ROWS)
    (folder / "a.jsonl").write_text('{"a": 1}\n{"a": 2}\n')
    (folder / "a.txt").write_text("one\ntwo\n")
    np.savez(folder / "a.npz", x=np.arange(4))
    with running_store() as found:
        found.make_bucket("data")
        found.put_folder("data", folder)
        found.folder = folder
        yield found


@pytest.fixture
def proxy(store, tmp_path, monkeypatch):
    with running_proxy(store) as found:
        for name, value in CREDENTIALS.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("AWS_ENDPOINT_URL", found.url)
        monkeypatch.setenv("NNSPEC_ALLOW_URL", "s3://data/")
        monkeypatch.setenv("NNSPEC_CACHE", str(tmp_path / "cache"))
        monkeypatch.setattr(requests, "_FIRST_WAIT", 0.01)
        requests._file_system.cache_clear()
        yield found
        requests._file_system.cache_clear()


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(remote_file, "BLOCK", 1000)


def opened(reader, tmp_path):
    return reader.open({key: reader.find(key, tmp_path, tmp_path) for key in reader.named_paths()})


def refused(read) -> DataError:
    with pytest.raises(DataError) as caught:
        read()
    return caught.value


@pytest.mark.parametrize(
    ("reader", "column", "values"),
    [
        (Csv(file="s3://data/a.csv"), "b", ["x", "y"]),
        (Jsonl(file="s3://data/a.jsonl"), "a", [1, 2]),
        (Npz(file="s3://data/a.npz"), "x", [0, 1, 2, 3]),
        (Text(path="s3://data/a.txt"), "text", ["one", "two"]),
    ],
)
def test_a_reader_reads_an_object(proxy, tmp_path, reader, column, values):
    assert opened(reader, tmp_path).read(column, slice(None)).tolist() == values


def test_an_object_of_a_web_server_is_read_by_ranges(proxy, store, tmp_path, monkeypatch, small_blocks):
    monkeypatch.setenv("NNSPEC_ALLOW_URL", f"{proxy.url}/data/")
    local = Parquet(file="a").open({"file": store.folder / "shards" / "shard-00000-of-00004.parquet"})
    table = opened(Parquet(file=f"{proxy.url}/data/shards/shard-00000-of-00004.parquet"), tmp_path)
    assert table.read("label", slice(None)).tolist() == local.read("label", slice(None)).tolist()
    assert "bytes=0-999" in {range_ for _, _, range_ in proxy.requests}


def test_an_object_of_a_server_without_ranges_and_versions_is_read_whole(store, tmp_path, monkeypatch, small_blocks):
    import threading
    from http.server import BaseHTTPRequestHandler, HTTPServer

    class Plain(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(ROWS.encode() + b"3,z\n" * 1000)

        def log_message(self, *args):
            return

    server = HTTPServer(("127.0.0.1", 0), Plain)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    monkeypatch.setenv("NNSPEC_ALLOW_URL", url)
    monkeypatch.setenv("NNSPEC_CACHE", str(tmp_path / "cache"))
    table = opened(Csv(file=f"{url}/a.csv?token=secret"), tmp_path)
    server.shutdown()
    server.server_close()
    assert table.read("a", slice(None)).tolist() == [1, 2, *[3] * 1000]
    assert table.where("a", 0).startswith(f"{url}/a.csv?token=***, line 2")


@pytest.mark.parametrize(
    ("fault", "reported"), [("403", "access to `URL` is denied (403)"), ("404", "there is no object `URL` (404)")]
)
def test_a_refusal_of_a_web_server_is_reported_with_its_url(proxy, tmp_path, monkeypatch, fault, reported):
    monkeypatch.setenv("NNSPEC_ALLOW_URL", proxy.url)
    proxy.fault = lambda method, path: fault
    url = f"{proxy.url}/data/a.csv"
    assert refused(lambda: opened(Csv(file=url), tmp_path)).message == reported.replace("URL", url)


def test_a_server_that_cannot_be_reached_is_not_a_missing_file(proxy, tmp_path, monkeypatch):
    monkeypatch.setenv("NNSPEC_ALLOW_URL", "http://127.0.0.1:9")
    message = refused(lambda: Csv(file="http://127.0.0.1:9/a.csv").find("file", tmp_path, tmp_path)).message
    assert message.startswith("`http://127.0.0.1:9/a.csv` cannot be read: ")


@pytest.mark.parametrize("text", ["s3://data/shards", "s3://data/shards/", "s3://data/shards/shard-*.parquet"])
def test_shards_of_an_object_store_have_the_images_of_the_folder(proxy, store, tmp_path, text):
    reader = Images.model_validate({"parquet": {"file": text}, "column": "image"})
    folder = Images(folder="digits").open({"folder": store.folder / "digits"})
    table = opened(reader, tmp_path)
    rows = np.array([99, 0, 50, 26])
    np.testing.assert_array_equal(table.read("image", rows), folder.read("image", rows))
    assert table.where("image", 26) == "s3://data/shards/shard-00001-of-00004.parquet, row 1, column `image`"


def test_a_remote_folder_of_images_is_copied_into_the_cache_once(proxy, store, tmp_path):
    folder = Images(folder="digits").open({"folder": store.folder / "digits"})
    table = opened(Images(folder="s3://data/digits"), tmp_path)
    np.testing.assert_array_equal(table.read("image", slice(None)), folder.read("image", slice(None)))
    assert table.read("label", slice(None)).tolist() == folder.read("label", slice(None)).tolist()
    assert table.where("image", 0) == folder.where("image", 0)
    proxy.requests.clear()
    opened(Images(folder="s3://data/digits"), tmp_path)
    assert [path for method, path, _ in proxy.requests if method == "GET" and path.endswith(".png")] == []


def test_what_was_read_is_read_from_the_cache(proxy, tmp_path):
    first = opened(Csv(file="s3://data/a.csv"), tmp_path).read("a", slice(None))
    proxy.requests.clear()
    assert opened(Csv(file="s3://data/a.csv"), tmp_path).read("a", slice(None)).tolist() == first.tolist()
    assert [method for method, _, _ in proxy.requests] == ["HEAD"]


def test_an_object_that_was_replaced_is_read_again(proxy, store, tmp_path):
    store.put("data", "b.csv", ROWS.encode())
    opened(Csv(file="s3://data/b.csv"), tmp_path)
    store.put("data", "b.csv", ROWS.replace("1", "7").encode())
    assert opened(Csv(file="s3://data/b.csv"), tmp_path).read("a", slice(None)).tolist() == [7, 2]


def test_an_object_that_is_replaced_while_it_is_read_is_reported(proxy, store, tmp_path):
    store.put("data", "c.csv", ROWS.encode())
    file = Csv(file="s3://data/c.csv").find("file", tmp_path, tmp_path)
    store.put("data", "c.csv", ROWS.replace("1", "7").encode())
    assert refused(lambda: Csv(file="s3://data/c.csv").open({"file": file})).message == (
        "`s3://data/c.csv` was replaced while it was read"
    )


def test_requests_that_fail_sometimes_are_repeated_and_give_the_right_data(proxy, store, tmp_path, small_blocks):
    proxy.fault = failing(0.2)
    reader = Parquet(file="s3://data/shards")
    local = Parquet(file="shards").open({"file": Parquet(file="shards").find("file", store.folder, store.folder)})
    table = opened(reader, tmp_path)
    assert table.read_encoded("image", np.arange(100)) == local.read_encoded("image", np.arange(100))


@pytest.mark.parametrize(
    ("fault", "reported"),
    [
        ("403", "access to `s3://data/a.csv` is denied (403)"),
        ("404", "there is no object `s3://data/a.csv` (404)"),
        ("503", "`s3://data/a.csv` cannot be read: "),
        ("truncate", "`s3://data/a.csv` cannot be read: it is truncated: got 6 of 12 bytes from byte 0"),
        ("cut", "`s3://data/a.csv` cannot be read: "),
    ],
)
def test_a_request_that_fails_is_reported_with_its_url(proxy, tmp_path, fault, reported):
    proxy.fault = lambda method, path: fault if method == "GET" or fault in ("403", "404") else None
    assert refused(lambda: opened(Csv(file="s3://data/a.csv"), tmp_path)).message.startswith(reported)


def test_a_server_that_does_not_answer_is_reported_in_time(proxy, tmp_path, monkeypatch):
    monkeypatch.setenv("NNSPEC_URL_TIMEOUT", "0.5")
    proxy.fault = lambda method, path: "stall"
    began = time.monotonic()
    error = refused(lambda: opened(Csv(file="s3://data/a.csv"), tmp_path))
    assert (error.message, time.monotonic() - began < 2) == ("`s3://data/a.csv` did not answer within 0.5 s", True)


def test_an_object_that_does_not_exist_is_a_missing_file(proxy, tmp_path):
    with pytest.raises(MissingFileError, match=r"there is no object `s3://data/none\.csv` \(404\)"):
        Csv(file="s3://data/none.csv").find("file", tmp_path, tmp_path)


@pytest.mark.parametrize("text", ["s3://data/none/", "s3://data/shards/x-*.parquet"])
def test_shards_that_do_not_exist_are_missing_files(proxy, tmp_path, text):
    with pytest.raises(MissingFileError, match=r"s3://data/"):
        Parquet(file=text).find("file", tmp_path, tmp_path)


def test_missing_credentials_are_reported_with_the_variables_to_set(proxy, tmp_path, monkeypatch):
    for name in CREDENTIALS:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/none")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/none")
    requests._file_system.cache_clear()
    error = refused(lambda: Csv(file="s3://data/a.csv").find("file", tmp_path, tmp_path))
    assert (error.message, "AWS_ACCESS_KEY_ID" in error.help) == ("there are no credentials for `s3://data/a.csv`", True)


def test_a_truncated_shard_is_reported_with_its_url(proxy, store, tmp_path):
    content = (store.folder / "shards" / "shard-00000-of-00004.parquet").read_bytes()
    store.put("data", "cut/a.parquet", content[:-100])
    message = refused(lambda: opened(Parquet(file="s3://data/cut"), tmp_path)).message
    assert message.startswith("s3://data/cut/a.parquet is not a readable Parquet file")


def test_a_damaged_block_of_the_cache_is_read_again(proxy, store, tmp_path):
    opened(Csv(file="s3://data/a.csv"), tmp_path)
    [path] = (tmp_path / "cache" / "blocks").glob("*/*")
    content = bytearray(path.read_bytes())
    content[3] ^= 1
    path.write_bytes(content)
    assert opened(Csv(file="s3://data/a.csv"), tmp_path).read("a", slice(None)).tolist() == [1, 2]


def test_the_cache_stays_below_its_limit_and_keeps_what_was_used_last(tmp_path):
    found = caches.Cache(tmp_path, 1000)
    for number in range(20):
        found.put(caches.key_of(number), bytes(84))
        time.sleep(0.005)
    kept = [number for number in range(20) if found.get(caches.key_of(number)) is not None]
    assert kept == list(range(20 - len(kept), 20))
    assert 8 <= len(kept) <= 10


def test_a_folder_that_a_process_uses_stays_in_the_cache(tmp_path):
    found = caches.Cache(tmp_path, 1000)
    path = found.tree("key", 4, lambda folder: (folder / "a").write_bytes(b"1234"))
    assert found.clear() == 0
    assert (path / "a").read_bytes() == b"1234"


def test_a_training_from_an_object_store_resumes_and_refuses_changed_data(proxy, store, tmp_path):
    store.put_folder("data", store.folder / "shards")
    text = SPEC.replace("READER", '{images: {parquet: "s3://data/shard-*.parquet", column: image}}')
    (tmp_path / "net.nnspec.yaml").write_text(text)
    local = tmp_path / "local.nnspec.yaml"
    local.write_text(SPEC.replace("READER", "{images: digits}"))
    (tmp_path / "digits").symlink_to(store.folder / "digits")
    run = train(load(tmp_path / "net.nnspec.yaml"), out=tmp_path / "run", progress=Quiet())
    there = train(load(local, root=tmp_path.parent), out=tmp_path / "there", progress=Quiet()).weights()
    assert all(np.array_equal(run.weights()[name], values) for name, values in there.items())
    resume(tmp_path / "run", overrides=["train.epochs=3"], progress=Quiet())
    first = (store.folder / "shards" / "shard-00000-of-00004.parquet").read_bytes()
    store.put("data", "shard-00001-of-00004.parquet", first)
    with pytest.raises(NnspecError, match=r"s3://data/shard-00001-of-00004\.parquet"):
        resume(tmp_path / "run", overrides=["train.epochs=4"], progress=Quiet())
