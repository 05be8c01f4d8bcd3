"""The numbers of a request are found, counted and read in parts, and come out as if they were read at once."""

from __future__ import annotations

import json
import time

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnspec.runtime.ports import Port
from nnspec.serving import infer_request, numbers
from nnspec.serving.budget import Budget, Memory
from nnspec.serving.errors import RequestError
from nnspec.serving.infer_request import read_inference


@pytest.fixture(autouse=True, scope="module")
def short_parts():
    """A few bytes are parsed at once, so that small tensors come in many parts."""
    patch = pytest.MonkeyPatch()
    patch.setattr(infer_request, "_PARSED_AT_ONCE", 0)
    patch.setattr(numbers, "_STEP", 64)
    patch.setattr(numbers, "_SCAN", 48)
    yield
    patch.undo()


def budget(most=2**20, seconds=60.0):
    return Budget(Memory(most).reservation(), seconds, time.monotonic() + seconds, 100, 1000)


def read(body, port):
    return read_inference(body, None, {port.name: port}, {}, budget()).inputs[port.name]


def message(shape, data, datatype="FP32", name="x"):
    head = json.dumps({"name": name, "datatype": datatype, "shape": shape}).encode()
    return b'{"inputs":[' + head[:-1] + b',"data":' + data + b"}]}"


VALUES = st.floats(width=32, allow_nan=False, allow_infinity=False) | st.integers(-1000, 1000)
SPACES = st.sampled_from([b"", b" ", b"\n", b"\t  "])


@st.composite
def tensors(draw):
    """A shape and its data as text, flat or nested, with spaces where they may be."""
    shape = draw(st.lists(st.integers(1, 4), min_size=1, max_size=4))
    values = draw(st.lists(VALUES, min_size=int(np.prod(shape)), max_size=int(np.prod(shape))))

    def text(left, values):
        size = len(values) // (left[0] if left else 1)
        parts = [text(left[1:], values[i : i + size]) for i in range(0, len(values), size)] if left else []
        space = draw(SPACES)
        return space + b"[" + (b"," + space).join(parts) + space + b"]" + space if left else orjson.dumps(values[0])

    return shape, values, text(draw(st.sampled_from([shape, [len(values)]])), values)


@given(tensors())
def test_numbers_that_are_read_in_parts_are_those_that_were_written(drawn):
    shape, values, data = drawn
    port = Port("x", (None,) * len(shape), "float32")
    assert np.array_equal(read(message(shape, data), port), np.array(values, np.float32).reshape(shape))


@given(tensors(), st.data())
def test_a_tensor_with_a_sign_too_many_or_too_few_is_read_as_json_says_or_refused(drawn, data):
    shape, _, text = drawn
    place = data.draw(st.integers(0, len(text)))
    sign = data.draw(st.sampled_from([b"", b",", b"[", b"]", b"1", b" ", b"-", b'"', b"{}", b"null", b"true"]))
    text = text[:place] + sign + text[place + data.draw(st.integers(0, 2)) :]
    port = Port("x", (None,) * len(shape), "float32")
    try:
        found = read(message(shape, text), port)
    except RequestError as refused:
        assert refused.status == 400
        return
    reported = orjson.loads(message(shape, text))["inputs"][0]
    wanted = np.array(reported["data"], np.float32)
    assert wanted.shape in (tuple(reported["shape"]), (wanted.size,))
    assert np.array_equal(found.ravel(), wanted.ravel())


@pytest.mark.parametrize("data", [b"[1,2,3]", b"[[1,2,3],[4,5,6]]", b"[" + b"1," * 99 + b"1]"])
def test_numbers_that_are_not_as_many_as_the_shape_says_are_not_parsed(data, monkeypatch):
    monkeypatch.setattr(numbers.Numbers, "chunks", None)
    with pytest.raises(RequestError, match="has the shape"):
        read(message([7, 3], data), Port("x", (None, 3), "float32"))


def test_a_shape_that_is_not_the_models_is_refused_before_its_numbers_are_parsed(monkeypatch):
    monkeypatch.setattr(numbers.Numbers, "chunks", None)
    with pytest.raises(RequestError, match="has 3 elements on axis 1"):
        read(message([1, 4], b"[1,2,3,4]"), Port("x", (None, 3), "float32"))


def test_what_stands_beside_the_numbers_has_a_limit():
    with pytest.raises(RequestError, match="besides the numbers"):
        read(b'{"id":"' + b"a" * 100_000 + b'"}', Port("x", (None, 3), "float32"))


def test_numbers_are_counted_in_the_requests_memory():
    port = Port("x", (None,), "float64")
    own = budget()
    read_inference(message([1000], b"[" + b"1," * 999 + b"1]", "FP64"), None, {"x": port}, {}, own)
    assert own.memory.size == 8000
    with pytest.raises(RequestError, match="memory") as refused:
        read_inference(message([100_000], b"[" + b"1," * 99_999 + b"1]", "FP64"), None, {"x": port}, {}, budget(most=500_000))
    assert refused.value.status == 413


def test_numbers_are_not_read_any_further_when_the_time_is_over():
    with pytest.raises(RequestError) as refused:
        read_inference(message([3], b"[1,2,3]"), None, {"x": Port("x", (None,), "float32")}, {}, budget(seconds=-1.0))
    assert refused.value.status == 504


@pytest.mark.parametrize("key", [b'"data"', b'"d\\u0061ta"', b'"data" '])
def test_a_key_data_that_is_written_otherwise_is_no_other_tensor(key):
    ports = {name: Port(name, (None, 3), "float32") for name in ("x", "y")}
    body = b'{"inputs":[%b,{"name":"y","datatype":"FP32","shape":[1,3],%b:[0]}]}' % (
        message([1, 3], b"[1,2,3]")[11:-2],
        key,
    )
    with pytest.raises(RequestError):
        read_inference(body, None, ports, {}, budget())


@given(tensors())
def test_a_message_that_is_parsed_at_once_says_the_same(drawn):
    shape, _, data = drawn
    port = Port("x", (None,) * len(shape), "float32")
    in_parts = read(message(shape, data), port)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(infer_request, "_PARSED_AT_ONCE", 2**20)
        assert np.array_equal(read(message(shape, data), port), in_parts)
