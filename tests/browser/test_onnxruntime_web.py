"""The files of one-stage detectors in onnxruntime-web: what they return in a browser is what ONNX Runtime returns.

`npm install onnxruntime-web`; the variable ONNXRUNTIME_WEB names its folder `dist`.
"""

from __future__ import annotations

import os
import shutil
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from tests.gallery.small_detectors import folder, trained  # noqa: F401

pytestmark = pytest.mark.full

FILES = ("ort.wasm.min.js", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")
PAGE = '<!doctype html><html lang="en"><link rel="icon" href="data:,"><title>model</title><script src="ort.wasm.min.js"></script></html>'
RUN = """async ([file, kind, dims, values]) => {
    ort.env.wasm.numThreads = 1;
    const session = await ort.InferenceSession.create(file);
    const array = kind === "uint8" ? Uint8Array.from(values) : Float32Array.from(values);
    const found = await session.run({image: new ort.Tensor(kind, array, dims)});
    return Object.fromEntries(Object.entries(found).map(([name, t]) => [name, [t.dims, Array.from(t.data, Number)]]));
}"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder with a page that loads onnxruntime-web, and its address."""
    named = os.environ.get("ONNXRUNTIME_WEB")
    if named is None:
        pytest.skip("no onnxruntime-web: name its folder `dist` in ONNXRUNTIME_WEB")
    site = tmp_path_factory.mktemp("site")
    for name in FILES:
        shutil.copy(Path(named) / name, site)
    (site / "index.html").write_text(PAGE)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(site))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield site, f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_) -> None:
        pass


@pytest.mark.parametrize("size", [(64, 64), (75, 110)])
@pytest.mark.parametrize("name", ["yolo", "fcos"])
def test_a_detector_returns_in_a_browser_what_it_returns_in_onnx_runtime(browser, site, trained, name, size):  # noqa: F811
    _, file = trained(name)
    place, address = site
    shutil.copy(file, place)
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    [given] = session.get_inputs()
    kind = "uint8" if given.type == "tensor(uint8)" else "float32"
    pixels = np.random.default_rng(1).integers(0, 256, (1, *size, 3)).astype(kind)
    native = dict(zip([each.name for each in session.get_outputs()], session.run(None, {"image": pixels}), strict=True))
    assert native["count"] > 0
    with browser.opened(address) as page:
        found = page.evaluate(RUN, [file.name, kind, list(pixels.shape), pixels.ravel().tolist()])
    assert found.keys() == native.keys()
    for output, (dims, values) in found.items():
        assert tuple(dims) == native[output].shape
        np.testing.assert_allclose(np.reshape(values, dims), native[output], rtol=1e-4, atol=1e-3, err_msg=output)
