"""The API with which LitServe serves a model: ONNX Runtime, set as in ``nnspec serve``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import litserve
import numpy as np
import onnxruntime


class Net(litserve.LitAPI):
    def setup(self, device: str) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = max(1, (os.cpu_count() or 2) - 1)
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        content = Path(sys.argv[1]).read_bytes()
        self._session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        self._name = self._session.get_inputs()[0].name

    def decode_request(self, request: dict) -> np.ndarray:
        [given] = request["inputs"]
        return np.array(given["data"], np.float32).reshape(given["shape"])[0]

    def predict(self, x: np.ndarray) -> np.ndarray:
        return self._session.run(None, {self._name: np.asarray(x)})[0]

    def encode_response(self, output: np.ndarray) -> dict:
        return {"data": output.tolist()}


if __name__ == "__main__":
    server = litserve.LitServer(Net(max_batch_size=64, batch_timeout=0.002), accelerator="cpu", workers_per_device=1)
    server.run(host="127.0.0.1", port=int(sys.argv[2]), generate_client_file=False, log_level="warning")
