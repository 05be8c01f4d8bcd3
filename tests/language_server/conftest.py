import sys
from collections.abc import Iterator

import pytest

pytest.importorskip("pygls")

from benchmarks.lsp_client import Client

LENET = """\
nnspec: 1
name: lenet
params: {width: 6, twice: "${2 * width}"}
inputs: {image: [28, 28, 1]}
layers:
  - Conv2D: {filters: $width, kernel_size: 5, padding: same}
  - MaxPooling2D
  - Conv2D: {filters: $twice, kernel_size: 5}
    name: deep
  - Flatten:
    from: deep
  - Dense: {units: 10, activation: softmax}
    name: digit
outputs: [digit]
"""
URI = "file:///project/net.nnspec.yaml"


@pytest.fixture(scope="package")
def server(tmp_path_factory) -> Iterator[Client]:
    with Client([sys.executable, "-m", "nnspec", "lsp"], folder=tmp_path_factory.mktemp("project")) as client:
        yield client
        assert not client.logged


@pytest.fixture
def opened(server: Client) -> Iterator[Client]:
    """The server with LeNet open."""
    assert server.open(URI, LENET) == []
    yield server
    server.close(URI)
