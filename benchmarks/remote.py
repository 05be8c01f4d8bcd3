"""Trainings from an object store: 50 Parquet shards on moto, a server of S3 on this machine.

python -m benchmarks remote
python -m benchmarks remote --images 5000 --kills 3

The training on local shards gives the weights that all others must have, byte for byte: from the store without a cache;
with 1 % of the requests failing, killed and resumed several times. A truncated, a damaged, a replaced and a missing object
must stop it with an error that names the URL.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.object_store import CREDENTIALS, Proxy, Store, failing, running_proxy, running_store
from benchmarks.shards import SPEC

SHARDS = 50
SIDE = 64


def write_shards_of_noise(folder: Path, count: int) -> None:
    """Writes PNG files of noise as shards: about 12 KB each, nothing to compress."""
    from PIL import Image

    from nnspec.data.readers.images import Images
    from nnspec.data.shards import write_shards

    draw = np.random.default_rng(1)
    images = folder / "images"
    for number in range(count):
        path = images / f"c{number % 4}" / f"{number:06}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        file = io.BytesIO()
        Image.fromarray(draw.integers(0, 256, (SIDE, SIDE, 3), np.uint8)).save(file, "PNG", compress_level=1)
        path.write_bytes(file.getvalue())
    write_shards(Images(folder="images").open({"folder": images}), folder / "shards", SHARDS)


class Trials:
    """The trainings, each in processes of their own."""

    def __init__(self, folder: Path, store: Store, proxy: Proxy) -> None:
        self.folder, self.store, self.proxy = folder, store, proxy
        self.failures = 0

    def spec(self, reader: str, name: str) -> Path:
        path = self.folder / f"{name}.nnspec.yaml"
        path.write_text(SPEC.replace("SIDE", str(SIDE)).replace("READER", reader))
        return path

    def start(self, spec: Path, run: Path, cache: Path, every: float = 10.0) -> subprocess.Popen[str]:
        environment = {
            **os.environ,
            **CREDENTIALS,
            "AWS_ENDPOINT_URL": self.proxy.url,
            "NNSPEC_ALLOW_URL": "s3://data/",
            "NNSPEC_CACHE": str(cache),
            "NNSPEC_URL_TIMEOUT": "10",
        }
        command = [sys.executable, "-m", "benchmarks.streaming", "train", str(spec), str(run), "--every", str(every)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)

    def finish(self, child: subprocess.Popen[str]) -> tuple[dict[str, Any], str]:
        out, errors = child.communicate()
        return (json.loads(out.splitlines()[-1]) if child.returncode == 0 else {}), errors

    def print(self, name: str, passed: bool, what: str) -> None:
        self.failures += not passed
        print(f"{'ok   ' if passed else 'WRONG'} {name:<52} {what}", flush=True)


def weights_of(run: Path) -> dict[str, Any]:
    from nnspec.training import Run

    return Run.open(run).weights()


def same(first: dict[str, Any], second: dict[str, Any]) -> bool:
    return first.keys() == second.keys() and all(np.array_equal(first[name], second[name]) for name in first)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks remote", description=__doc__)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=3)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary, running_store() as store, running_proxy(store) as proxy:
        folder = Path(temporary)
        (folder / "nnspec.toml").touch()
        write_shards_of_noise(folder, given.images)
        store.make_bucket("data")
        store.put_folder("data", folder / "shards")
        size = sum(path.stat().st_size for path in (folder / "shards").iterdir())
        print(f"{given.images:,} images in {SHARDS} shards, {size / 1e6:,.0f} MB")
        trials = Trials(folder, store, proxy)
        run_all(trials, given.kills)
        return int(trials.failures > 0)


def run_all(trials: Trials, kills: int) -> None:
    folder = trials.folder
    local = trials.spec("{images: {parquet: shards, column: image}}", "local")
    remote = trials.spec('{images: {parquet: "s3://data", column: image}}', "remote")
    found, errors = trials.finish(trials.start(local, folder / "local", folder / "none"))
    trials.print("local shards", bool(found), described(found) or errors[-300:])
    wanted = weights_of(folder / "local")

    found, errors = trials.finish(trials.start(remote, folder / "remote", folder / "cache"))
    passed = bool(found) and same(wanted, weights_of(folder / "remote"))
    trials.print("from the store, the cache empty in the first epoch", passed, described(found) or errors[-300:])

    trials.proxy.fault = failing(0.01)
    draw = random.Random(1)
    killed = 0
    while killed < kills:
        child = trials.start(remote, folder / "killed", folder / "cache2", every=0.01)
        position = _checkpoints(folder / "killed")
        while child.poll() is None and _checkpoints(folder / "killed") <= position:
            time.sleep(0.02)
        time.sleep(draw.uniform(0, 0.5))
        if child.poll() is not None:
            break
        child.send_signal(signal.SIGKILL)
        child.communicate()
        killed += 1
    found, errors = trials.finish(trials.start(remote, folder / "killed", folder / "cache2"))
    passed = bool(found) and killed == kills and same(wanted, weights_of(folder / "killed"))
    trials.print(f"1 % of requests fail; killed {killed} times and resumed", passed, "equal bits" if passed else errors[-300:])

    trials.proxy.fault = lambda method, path: None
    path = folder / "shards" / f"shard-00020-of-{SHARDS:05}.parquet"
    content = path.read_bytes()
    flipped = bytearray(content)
    flipped[len(content) // 2] ^= 1
    url = f"s3://data/{path.name}"
    for name, stored, reason in (
        ("one object truncated", content[: len(content) // 2], "is not a readable Parquet file"),
        ("one bit flipped in an object", bytes(flipped), "the checksum of a page is wrong"),
    ):
        with replaced(trials.store, path.name, stored, content):
            _, errors = trials.finish(trials.start(remote, folder / name.replace(" ", "-"), folder / "cache3"))
        trials.print(name, url in errors and reason in errors, _error_of(errors, url))
    truncating = trials.proxy
    truncating.fault = lambda method, at: "truncate" if method == "GET" and path.name in at else None
    _, errors = trials.finish(trials.start(remote, folder / "short", folder / "cache4"))
    trials.print("the server truncates its answers", url in errors and "truncated" in errors, _error_of(errors, url))
    truncating.fault = lambda method, at: "stall" if method == "GET" and path.name in at else None
    truncating.stall_seconds = 60
    began = time.monotonic()
    _, errors = trials.finish(trials.start(remote, folder / "stalled", folder / "cache4"))
    seconds = f" ({time.monotonic() - began:.0f} s with loading and the reading before)"
    trials.print("the server stalls", url in errors and "did not answer" in errors, _error_of(errors, url) + seconds)
    truncating.fault = lambda method, at: "403" if path.name in at else None
    _, errors = trials.finish(trials.start(remote, folder / "denied", folder / "cache5"))
    trials.print("access denied", url in errors and "denied (403)" in errors, _error_of(errors, url))
    truncating.fault = lambda method, at: None


def _checkpoints(run: Path) -> float:
    return max((path.stat().st_mtime for path in (run / "checkpoints").glob("*.safetensors")), default=0.0)


@contextmanager
def replaced(store: Store, key: str, content: bytes, before: bytes) -> Iterator[None]:
    store.put("data", key, content)
    try:
        yield
    finally:
        store.put("data", key, before)


def described(found: dict[str, Any]) -> str:
    rates = ", ".join(f"{epoch['rate']:,.0f}" for epoch in found.get("epochs", ()))
    waited = ", ".join(f"{epoch['waited'] / epoch['seconds']:.0%}" for epoch in found.get("epochs", ()))
    return f"{rates} examples/s; steps waited {waited} of the time" if found else ""


def _error_of(errors: str, url: str) -> str:
    return next((line.strip()[-200:] for line in reversed(errors.splitlines()) if url in line), errors[-200:])
