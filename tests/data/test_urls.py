"""Which URLs a spec may name, and what of them is shown."""

from __future__ import annotations

import pytest

from nnspec.cli import main
from nnspec.data.kinds import DataError
from nnspec.data.readers.csv import Csv
from nnspec.data.remote.cache import size_limit
from nnspec.data.remote.urls import begins_with, masked, require_allowed, without_secrets
from nnspec.diagnostics import NnspecError


def refused(url) -> DataError:
    with pytest.raises(DataError) as caught:
        require_allowed(url)
    return caught.value


def test_a_url_is_refused_unless_it_is_allowed(monkeypatch):
    monkeypatch.delenv("NNSPEC_ALLOW_URL", raising=False)
    error = refused("s3://data/train/a.csv")
    assert error.message == "`s3://data/train/a.csv` is a URL, and URLs in specs are not opened unless they are allowed"
    assert "--allow-url s3://data/train/" in error.help
    assert "--allow-url s3://data`" in refused("s3://data").help
    monkeypatch.setenv("NNSPEC_ALLOW_URL", "https://example.org/ s3://data/train")
    assert require_allowed("s3://data/train/a.csv") == "s3://data/train/a.csv"


@pytest.mark.parametrize(
    ("url", "prefix", "allowed"),
    [
        ("s3://data/a", "s3://data", True),
        ("s3://data/a", "s3://data/", True),
        ("s3://data/a/b", "s3://data/a", True),
        ("s3://data", "s3://data/", True),
        ("s3://data/a", "s3://data/a/", True),
        ("s3://data/ab", "s3://data/a", False),
        ("s3://database/a", "s3://data", False),
        ("s3://data/a", "s3://", True),
        ("gs://data/a", "s3://", False),
        ("https://example.org.evil.com/a", "https://example.org", False),
        ("https://example.org@evil.com/a", "https://example.org", False),
        ("https://example.org:8443/a", "https://example.org", False),
        ("https://me:secret@example.org/a", "https://example.org", True),
        ("http://example.org/a", "https://example.org", False),
        ("s3://data/a", "*", False),
        ("s3://data/a", "", False),
    ],
)
def test_a_prefix_ends_at_a_folder_or_a_host(url, prefix, allowed):
    assert begins_with(url, prefix) is allowed


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "reference://x",
        "simplecache::s3://data/a",
        "s3://data/../secret/a",
        "https://example.org/a/%2e%2e/b",
        "https://example.org\\@evil.com/a",
        "https://example.org/a b",
        "github://me:secret@a/b",
    ],
)
def test_a_url_that_leads_elsewhere_is_refused_even_if_everything_is_allowed(monkeypatch, url):
    monkeypatch.setenv("NNSPEC_ALLOW_URL", "s3:// https:// file:// reference:// github:// simplecache::s3://")
    assert "secret@" not in refused(url).message


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://me:secret@example.org/a.csv", "https://***@example.org/a.csv"),
        (
            "https://example.org/a.csv?X-Amz-Signature=abc&X-Amz-Date=1",
            "https://example.org/a.csv?X-Amz-Signature=***&X-Amz-Date=***",
        ),
        ("https://example.org/a.csv?secret", "https://example.org/a.csv?***"),
        ("s3://data/a.csv", "s3://data/a.csv"),
    ],
)
def test_credentials_in_a_url_are_masked(url, shown):
    assert masked(url) == shown
    assert without_secrets(f"403 for {url}!") == f"403 for {shown}!" or "secret" not in without_secrets(f"403 for '{url}'")


def test_a_csv_file_in_the_memory_of_fsspec_is_read(tmp_path, monkeypatch):
    fsspec = pytest.importorskip("fsspec")
    monkeypatch.setenv("NNSPEC_ALLOW_URL", "memory://")
    monkeypatch.setenv("NNSPEC_CACHE", str(tmp_path))
    fsspec.filesystem("memory").pipe("/t/a.csv", b"a\n1\n")
    reader = Csv(file="memory://t/a.csv")
    assert reader.open({"file": reader.find("file", tmp_path, tmp_path)}).read("a", slice(None)).tolist() == [1]


SPEC = """nnspec: 1
name: net
inputs: {x: [1]}
layers:
  - Dense: {units: 1}
    name: y
data: {train: {csv: "memory://t/net.csv"}, inputs: {x: x}, targets: {y: y}}
train: {epochs: 1, loss: mse}
"""


def test_the_command_line_allows_urls_for_its_command_only(tmp_path, monkeypatch, capsys):
    fsspec = pytest.importorskip("fsspec")
    monkeypatch.delenv("NNSPEC_ALLOW_URL", raising=False)
    monkeypatch.setenv("NNSPEC_CACHE", str(tmp_path / "cache"))
    fsspec.filesystem("memory").pipe("/t/net.csv", b"x,y\n1,2\n3,4\n")
    (tmp_path / "net.nnspec.yaml").write_text(SPEC)
    arguments = ["validate", "--data", str(tmp_path / "net.nnspec.yaml")]
    codes = []
    for more in (["--allow-url", "memory://t/"], [], ["--allow-url", "t"]):
        with pytest.raises(SystemExit) as caught:
            main([*arguments, *more])
        codes.append(caught.value.code)
    reported = capsys.readouterr()
    assert codes == [0, 1, 2]
    assert "error[NN401]: `memory://t/net.csv` is a URL" in reported.out + reported.err
    assert "'t' is not the beginning of a URL" in reported.err


@pytest.mark.parametrize(
    ("text", "size"), [("", 20 * 10**9), ("500MB", 5 * 10**8), ("1.5 GB", 15 * 10**8), ("0", 0), ("2t", 2 * 10**12)]
)
def test_the_size_of_the_cache_is_a_number_with_a_unit(monkeypatch, text, size):
    monkeypatch.setenv("NNSPEC_CACHE_SIZE", text)
    assert size_limit() == size


def test_another_size_of_the_cache_is_refused(monkeypatch):
    monkeypatch.setenv("NNSPEC_CACHE_SIZE", "much")
    with pytest.raises(NnspecError, match="NNSPEC_CACHE_SIZE is `much`, not a size"):
        size_limit()
