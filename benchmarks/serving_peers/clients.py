"""The field's own clients against a server: tritonclient and KServe's, in an environment of their own.

    python -m venv clients && clients/bin/pip install 'tritonclient[http]' kserve
    nnspec serve digits.onnx --port 8123
    clients/bin/python benchmarks/serving_peers/clients.py http://127.0.0.1:8123 digits

Every line is one thing that was asked and found right; a wrong answer ends it with an AssertionError.
"""

from __future__ import annotations

import asyncio
import sys

import numpy as np
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException


def with_triton(address: str, model: str) -> None:
    client = triton.InferenceServerClient(address)
    assert client.is_server_live() and client.is_server_ready()
    assert client.is_model_ready(model) and client.is_model_ready(model, "1") and not client.is_model_ready("nothing")
    assert client.get_server_metadata()["name"] == "nnspec"
    said = client.get_model_metadata(model)
    assert said == client.get_model_metadata(model, "1")
    assert {"name": model, "version": "1", "state": "READY"} in client.get_model_repository_index()
    print("tritonclient: server and model metadata, health, versions, repository index")
    [given], [gives] = said["inputs"], said["outputs"]
    rng = np.random.default_rng(0)
    for rows in (1, 3, 64):
        array = rng.random([rows, *given["shape"][1:]], np.float32)
        answers = {}
        for binary_in in (True, False):
            for binary_out in (True, False):
                for coding in (None, "gzip", "deflate"):
                    tensor = triton.InferInput(given["name"], list(array.shape), given["datatype"])
                    tensor.set_data_from_numpy(array, binary_data=binary_in)
                    result = client.infer(
                        model, [tensor], request_id="r7", model_version="1",
                        outputs=[triton.InferRequestedOutput(gives["name"], binary_data=binary_out)],
                        request_compression_algorithm=coding, response_compression_algorithm=coding,
                    )  # fmt: skip
                    assert result.get_response()["id"] == "r7"
                    answers[binary_in, binary_out, coding] = result.as_numpy(gives["name"])
        first = next(iter(answers.values()))
        assert first.shape[0] == rows and first.dtype == np.float32
        assert all(np.allclose(first, other, rtol=1e-5, atol=1e-7) for other in answers.values())
        print(f"tritonclient: {rows} rows, JSON and binary, plain, gzip and deflate: {len(answers)} ways, one answer")
    waiting = [client.async_infer(model, [_tensor(given, rng)]) for _ in range(8)]
    assert all(one.get_result().as_numpy(gives["name"]) is not None for one in waiting)
    assert client.infer(model, [_tensor(given, rng)], timeout=5_000_000).as_numpy(gives["name"]).shape[0] == 1
    print("tritonclient: asynchronous, with a timeout")
    refused = {
        "an unknown model": lambda: client.infer("nothing", [_tensor(given, rng)]),
        "an unknown version": lambda: client.infer(model, [_tensor(given, rng)], model_version="9"),
        "an unknown input": lambda: client.infer(model, [_tensor({**given, "name": "nothing"}, rng)]),
        "another shape": lambda: client.infer(model, [_tensor({**given, "shape": [1, 2]}, rng)]),
        "an unknown output": lambda: client.infer(model, [_tensor(given, rng)], outputs=[triton.InferRequestedOutput("q")]),
        "a sequence": lambda: client.infer(model, [_tensor(given, rng)], sequence_id=3, sequence_start=True),
        "the metadata of nothing": lambda: client.get_model_metadata("nothing"),
        "statistics": lambda: client.get_inference_statistics(model),
        "shared memory": client.get_system_shared_memory_status,
    }
    for what, ask in refused.items():
        try:
            ask()
        except InferenceServerException as error:
            assert error.status() and error.message(), what
        else:
            raise AssertionError(f"{what} was not refused")
    print(f"tritonclient: {len(refused)} errors, each with status and message")


async def with_kserve(url: str, model: str) -> None:
    from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig

    client = InferenceRESTClient(RESTConfig(protocol="v2", retries=0, timeout=10))
    assert await client.is_server_live(url) and await client.is_server_ready(url)
    assert await client.is_model_ready(url, model)
    with_shape = triton.InferenceServerClient(url.partition("://")[2]).get_model_metadata(model)
    [given] = with_shape["inputs"]
    array = np.random.default_rng(1).random([2, *given["shape"][1:]], np.float32)
    found = []
    for binary in (False, True):
        tensor = InferInput(given["name"], list(array.shape), given["datatype"])
        tensor.set_data_from_numpy(array, binary_data=binary)
        response = await client.infer(url, InferRequest(model_name=model, infer_inputs=[tensor]), model_name=model)
        found.append(response.outputs[0].as_numpy())
        assert response.id
    assert np.allclose(found[0], found[1]) and found[0].shape[0] == 2
    print("kserve: live, ready, model ready, inference in JSON and binary")
    try:
        await client.infer(url, InferRequest(model_name="nothing", infer_inputs=[tensor]), model_name="nothing")
    except Exception as error:
        assert "404" in str(error), error
    else:
        raise AssertionError("an unknown model was not refused")
    print("kserve: an unknown model is an error with its status")


def _tensor(given: dict, rng: np.random.Generator) -> triton.InferInput:
    shape = [1 if size < 0 else size for size in given["shape"]]
    tensor = triton.InferInput(given["name"], shape, given["datatype"])
    tensor.set_data_from_numpy(rng.random(shape, np.float32))
    return tensor


if __name__ == "__main__":
    url, model = sys.argv[1:]
    with_triton(url.partition("://")[2], model)
    asyncio.run(with_kserve(url, model))
