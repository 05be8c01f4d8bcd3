"""Asks a server of the Open Inference Protocol v2 with Python alone: python over_http.py URL digits digits.json."""

import json
import sys
import urllib.error
import urllib.request
from pathlib import Path

url, model, file = sys.argv[1:]
images = json.loads(Path(file).read_text())  # (batch, 8, 8, 1), 0 to 1
tensor = {"name": "image", "datatype": "FP32", "shape": [len(images), 8, 8, 1], "data": images}
request = urllib.request.Request(
    f"{url}/v2/models/{model}/infer",
    json.dumps({"inputs": [tensor]}).encode(),
    {"Content-Type": "application/json"},  # "Authorization": "Bearer …" where the server wants a token
)
try:
    with urllib.request.urlopen(request, timeout=30) as response:
        [output] = json.load(response)["outputs"]
except urllib.error.HTTPError as error:
    sys.exit(f"{error.code}: {json.load(error)['error']}")
rows, classes = output["shape"]
numbers = [output["data"][row * classes : (row + 1) * classes] for row in range(rows)]
print(" ".join(str(row.index(max(row))) for row in numbers))
