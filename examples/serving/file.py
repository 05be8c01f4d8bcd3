"""Asks an exported model with ONNX Runtime and NumPy alone: python file.py digits.onnx digits.json."""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime

session = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
classes = json.loads(session.get_modelmeta().custom_metadata_map.get("nnspec.classes", "{}")).get("digit")
images = np.array(json.loads(Path(sys.argv[2]).read_text()), np.float32)  # (batch, 8, 8, 1), 0 to 1
[digits] = session.run(["digit"], {"image": images})  # (batch, 10)
print(" ".join(classes[best] if classes else str(best) for best in digits.argmax(-1)))
