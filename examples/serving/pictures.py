"""Writes some of scikit-learn's digits as JSON, python pictures.py digits.json, and prints what they show."""

import json
import sys
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

digits = load_digits()
images = (digits.images[:10] / 16).astype("<f4").reshape(10, 8, 8, 1)
Path(sys.argv[1]).write_text(json.dumps(np.round(images.astype(float), 6).tolist()))
print(*digits.target[:10])
