"""Folders of real pictures, for tests."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits


def write_digits(folder: Path, count: int = 40, *, suffix: str = ".png") -> tuple[np.ndarray, np.ndarray]:
    """Handwritten digits as pictures, a folder a class; the pixels and the classes in the order of the files' names."""
    digits = load_digits()
    pixels, classes = (digits.images[:count] * 15.9).astype(np.uint8), digits.target[:count]
    for i, (image, target) in enumerate(zip(pixels, classes, strict=True)):
        (folder / f"d{target}").mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / f"d{target}" / f"{i:04}{suffix}")
    order = np.lexsort((np.arange(count), classes))
    return pixels[order], classes[order]


def bomb(height: int, width: int) -> bytes:
    """A PNG file of a few bytes that says it is very large."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
